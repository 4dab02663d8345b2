//! Functions of the host for WAMR.
//!
//! WAMR knows them by name in the whole process, so they are registered once, before a module is
//! loaded, and each call finds the [`Imports`] of its own instance.

use clawft_matrix::guest::{Import, Imports};
use std::ffi::{CString, c_void};
use wamrx_sys as sys;

/// What a registered function finds at its name.
struct Attached {
    at: usize,
    import: &'static Import,
}

/// Registers functions. Each stays registered for as long as the process runs, and so do the bytes
/// that WAMR keeps addresses of.
pub(crate) fn register(functions: &'static [Import]) -> Result<(), String> {
    for (at, import) in functions.iter().enumerate() {
        let text = |text: &str| CString::new(text).map_err(|why| why.to_string());
        let signature = format!("({}){}", import.parameters, import.result);
        let symbol = sys::NativeSymbol {
            symbol: text(import.name)?.into_raw(),
            func_ptr: called as *mut c_void,
            signature: text(&signature)?.into_raw(),
            attachment: Box::into_raw(Box::new(Attached { at, import })).cast(),
        };
        let symbol = Box::leak(Box::new(symbol));
        let module = text(import.module)?.into_raw();
        // SAFETY: all three are leaked above, so they stay; the function has the raw signature.
        if !unsafe { sys::wasm_runtime_register_natives_raw(module, symbol, 1) } {
            return Err(format!("WAMR did not register {}.{}", import.module, import.name));
        }
    }
    Ok(())
}

/// Gives an instance what its calls go to. It must stay where it is for as long as the instance.
pub(crate) fn attach(instance: sys::wasm_module_inst_t, imports: &mut Box<dyn Imports>) {
    let place: *mut Box<dyn Imports> = imports;
    // SAFETY: the instance is one that was just made.
    unsafe { sys::wasm_runtime_set_custom_data(instance, place.cast()) };
}

/// All of an instance's memory.
///
/// # Safety
/// The instance lives, has a memory, and none of its code runs while the bytes are used.
pub(crate) unsafe fn memory<'a>(instance: sys::wasm_module_inst_t) -> &'a mut [u8] {
    // SAFETY: as the caller says. Pages that were never touched are zero bytes of the system, and an
    // empty memory has a place that is not null.
    unsafe {
        let memory = sys::wasm_runtime_get_default_memory(instance);
        let pages = sys::wasm_memory_get_cur_page_count(memory);
        let len = pages * sys::wasm_memory_get_bytes_per_page(memory);
        let base = sys::wasm_memory_get_base_address(memory);
        std::slice::from_raw_parts_mut(base.cast(), len as usize)
    }
}

/// What WAMR calls, for each of the functions: arguments are 64-bit places, the result goes to the
/// first of them.
unsafe extern "C" fn called(environment: sys::wasm_exec_env_t, places: *mut u64) {
    // SAFETY: WAMR calls with the environment of a running instance; the attachment is the one of
    // `register`, the custom data that of `attach`, and the places are as many as the signature has
    // parameters, at least one where it has a result.
    unsafe {
        let attached: *const Attached =
            sys::wasm_runtime_get_function_attachment(environment).cast_const().cast();
        let Attached { at, import } = &*attached;
        let instance = sys::wasm_runtime_get_module_inst(environment);
        let imports: *mut Box<dyn Imports> = sys::wasm_runtime_get_custom_data(instance).cast();
        let arguments: Vec<u64> = import
            .parameters
            .chars()
            .enumerate()
            .map(|(place, kind)| {
                let bits = places.add(place).read();
                if kind == 'I' { bits } else { u64::from(bits as u32) }
            })
            .collect();
        let result = (*imports).call(*at, memory(instance), &arguments);
        if !import.result.is_empty() {
            places.write(result);
        }
    }
}
