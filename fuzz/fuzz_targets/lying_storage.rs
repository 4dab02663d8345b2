//! A storage of files in memory that fails and lies when it is told to, as the C functions of
//! `ClawftStorage`.

use std::collections::BTreeMap;
use std::ffi::{c_char, c_void};
use std::sync::{Arc, Mutex, MutexGuard};

use arbitrary::Arbitrary;
use clawft_ffi_store::{ClawftStorage, clawft_rollback};

/// What a call of the storage returns instead of its own result.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Fault {
    None,
    Known(u8),
    Any(i64),
}

#[derive(Default)]
pub struct Files {
    pub named: BTreeMap<String, Arc<Mutex<Vec<u8>>>>,
    pub open: Vec<Option<Arc<Mutex<Vec<u8>>>>>,
    pub faults: Vec<Fault>,
    pub handles: Vec<u32>,
}

pub type Disk = Mutex<Files>;

/// The functions over `disk`, which must outlive what is opened with them.
pub fn storage(disk: &Arc<Disk>) -> ClawftStorage {
    ClawftStorage {
        size: size_of::<ClawftStorage>() as u32,
        context: Arc::as_ptr(disk).cast_mut().cast(),
        open: Some(open),
        create: Some(create),
        close: Some(close),
        len: Some(len),
        read_at: Some(read_at),
        append: Some(append),
        truncate: Some(truncate),
        sync: Some(sync),
        sync_folder: Some(sync_folder),
        rename: Some(rename),
        remove: Some(remove),
        progress: None,
        list: Some(list),
    }
}

pub unsafe fn files<'a>(context: *mut c_void) -> MutexGuard<'a, Files> {
    unsafe { &*context.cast::<Disk>() }.lock().expect("no call panics")
}

/// Runs a call, unless a fault is due.
unsafe fn run_on(context: *mut c_void, call: impl FnOnce(&mut Files) -> i64) -> i64 {
    let mut files = unsafe { files(context) };
    // From inside, everything is refused.
    if let Some(&handle) = files.handles.first() {
        assert_eq!(clawft_rollback(handle), -116);
    }
    match files.faults.pop() {
        Some(Fault::Known(n)) => -201 - i64::from(n % 7),
        Some(Fault::Any(code)) => code,
        _ => call(&mut files),
    }
}

unsafe fn name(at: *const c_char, len: usize) -> String {
    let bytes = unsafe { std::slice::from_raw_parts(at.cast::<u8>(), len) };
    std::str::from_utf8(bytes).expect("names are UTF-8").to_string()
}

impl Files {
    fn give(&mut self, bytes: Arc<Mutex<Vec<u8>>>) -> i64 {
        self.open.push(Some(bytes));
        self.open.len() as i64 - 1
    }

    fn at<T>(&mut self, file: u32, with: impl FnOnce(&mut Vec<u8>) -> T) -> Result<T, i64> {
        let bytes = self.open.get(file as usize).cloned().flatten().ok_or(-205)?;
        let mut bytes = bytes.lock().expect("no call panics");
        Ok(with(&mut bytes))
    }
}

unsafe extern "C" fn open(context: *mut c_void, at: *const c_char, len: usize) -> i32 {
    let name = unsafe { name(at, len) };
    unsafe {
        run_on(context, |files| match files.named.get(&name).cloned() {
            Some(bytes) => files.give(bytes),
            None => -201,
        }) as i32
    }
}

unsafe extern "C" fn create(context: *mut c_void, at: *const c_char, len: usize) -> i32 {
    let name = unsafe { name(at, len) };
    unsafe {
        run_on(context, |files| {
            if files.named.contains_key(&name) {
                return -202;
            }
            let bytes: Arc<Mutex<Vec<u8>>> = Arc::default();
            files.named.insert(name, bytes.clone());
            files.give(bytes)
        }) as i32
    }
}

unsafe extern "C" fn close(context: *mut c_void, file: u32) -> i32 {
    let close = |files: &mut Files| {
        files.open.get_mut(file as usize).map_or(-205, |place| {
            *place = None;
            0
        })
    };
    unsafe { run_on(context, close) as i32 }
}

unsafe extern "C" fn len(context: *mut c_void, file: u32) -> i64 {
    let len =
        |files: &mut Files| files.at(file, |bytes| bytes.len() as i64).unwrap_or_else(|code| code);
    unsafe { run_on(context, len) }
}

unsafe extern "C" fn read_at(
    context: *mut c_void,
    file: u32,
    offset: u64,
    into: *mut c_void,
    len: usize,
) -> i32 {
    let into = unsafe { std::slice::from_raw_parts_mut(into.cast::<u8>(), len) };
    let read = |files: &mut Files| {
        let read = files.at(file, |bytes| {
            let from = usize::try_from(offset).ok().and_then(|at| bytes.get(at..));
            let from = from.unwrap_or_default();
            let n = from.len().min(into.len());
            into[..n].copy_from_slice(&from[..n]);
            n as i64
        });
        read.unwrap_or_else(|code| code)
    };
    unsafe { run_on(context, read) as i32 }
}

unsafe extern "C" fn append(
    context: *mut c_void,
    file: u32,
    bytes: *const c_void,
    len: usize,
) -> i32 {
    let from = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), len) };
    let append = |files: &mut Files| {
        files.at(file, |bytes| bytes.extend_from_slice(from)).map_or_else(|code| code, |()| 0)
    };
    unsafe { run_on(context, append) as i32 }
}

unsafe extern "C" fn truncate(context: *mut c_void, file: u32, len: u64) -> i32 {
    let cut = |files: &mut Files| {
        let cut =
            files.at(file, |bytes| bytes.truncate(usize::try_from(len).unwrap_or(usize::MAX)));
        cut.map_or_else(|code| code, |()| 0)
    };
    unsafe { run_on(context, cut) as i32 }
}

unsafe extern "C" fn sync(context: *mut c_void, file: u32) -> i32 {
    let sync = |files: &mut Files| files.at(file, |_| 0).unwrap_or_else(|code| code);
    unsafe { run_on(context, sync) as i32 }
}

unsafe extern "C" fn sync_folder(context: *mut c_void) -> i32 {
    unsafe { run_on(context, |_| 0) as i32 }
}

unsafe extern "C" fn rename(
    context: *mut c_void,
    from: *const c_char,
    from_len: usize,
    to: *const c_char,
    to_len: usize,
) -> i32 {
    let (from, to) = unsafe { (name(from, from_len), name(to, to_len)) };
    let rename = |files: &mut Files| match files.named.remove(&from) {
        Some(bytes) => {
            files.named.insert(to, bytes);
            0
        }
        None => -201,
    };
    unsafe { run_on(context, rename) as i32 }
}

unsafe extern "C" fn remove(context: *mut c_void, at: *const c_char, len: usize) -> i32 {
    let name = unsafe { name(at, len) };
    let remove = |files: &mut Files| if files.named.remove(&name).is_some() { 0 } else { -201 };
    unsafe { run_on(context, remove) as i32 }
}

unsafe extern "C" fn list(
    context: *mut c_void,
    at: *const c_char,
    len: usize,
    into: *mut c_char,
    cap: usize,
) -> i32 {
    let prefix = unsafe { name(at, len) };
    let list = |files: &mut Files| {
        let named = files.named.keys().filter(|name| name.starts_with(&prefix));
        let names: String = named.flat_map(|name| [name, "\0"]).collect();
        unsafe { into.cast::<u8>().copy_from(names.as_ptr(), names.len().min(cap)) };
        names.len() as i64
    };
    unsafe { run_on(context, list) as i32 }
}
