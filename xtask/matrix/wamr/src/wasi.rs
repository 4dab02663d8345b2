//! What WASI preview 1 shows to an instance in WAMR.
//!
//! WAMR is told before it makes the instance, and keeps addresses of what it is told.

use clawft_matrix::guest;
use std::ffi::{CString, c_char};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;
use wamrx_sys as sys;

/// What WAMR keeps addresses of; it goes after the instance.
pub(crate) struct Wasi {
    _texts: Vec<CString>,
    _lists: [Vec<*const c_char>; 2],
    _streams: [File; 2],
}

impl Wasi {
    /// Tells it for the next instance of the module.
    pub(crate) fn give(module: sys::wasm_module_t, given: &guest::Wasi) -> Result<Self, String> {
        let text = |text: String| CString::new(text).map_err(|why| why.to_string());
        let folder = text(format!("/data::{}", given.data.display()))?;
        let mut texts = vec![folder];
        for (name, value) in &given.variables {
            texts.push(text(format!("{name}={value}"))?);
        }
        let mut folders = vec![texts[0].as_ptr()];
        let mut variables: Vec<_> = texts[1..].iter().map(|text| text.as_ptr()).collect();
        let streams = [append(&given.output)?, append(&given.notes)?];
        let [output, notes] = [&streams[0], &streams[1]].map(|file| i64::from(file.as_raw_fd()));
        // SAFETY: the lists and their texts stay with what is returned, and the module takes no
        // arguments; -1 is the process's own standard input.
        unsafe {
            sys::wasm_runtime_set_wasi_args_ex(
                module,
                std::ptr::null_mut(),
                0,
                folders.as_mut_ptr(),
                folders.len() as u32,
                variables.as_mut_ptr(),
                variables.len() as u32,
                std::ptr::null_mut(),
                0,
                -1,
                output,
                notes,
            );
        }
        Ok(Wasi { _texts: texts, _lists: [folders, variables], _streams: streams })
    }
}

fn append(path: &Path) -> Result<File, String> {
    let file = File::options().append(true).create(true).open(path);
    file.map_err(|why| format!("{}: {why}", path.display()))
}
