//! Modules in WAMR, through its embedding API.

use crate::imports::{self, register};
use crate::wasi::Wasi;
use clawft_matrix::Kind;
use clawft_matrix::guest::{Engine, Guest, Imports, Outside, Value};
use std::ffi::{CStr, CString, c_char};
use std::path::Path;
use wamrx_sys as sys;

/// Bytes for the frames of interpreted functions.
const STACK: u32 = 256 << 10;
/// Room for a sentence of WAMR.
const SENTENCE: usize = 256;

/// A module. WAMR changes its bytes and keeps addresses of them.
struct Loaded {
    module: sys::wasm_module_t,
    _bytes: Vec<u8>,
}

struct Running {
    instance: sys::wasm_module_inst_t,
    environment: sys::wasm_exec_env_t,
    /// In a box of its own, since the instance knows its address.
    _imports: Box<Box<dyn Imports>>,
    _wasi: Option<Wasi>,
}

/// Loads a module, or what was compiled of one.
pub(crate) fn load(path: &Path, kind: Kind) -> Result<Box<dyn Engine>, String> {
    let mut bytes = std::fs::read(path).map_err(|why| format!("{}: {why}", path.display()))?;
    // SAFETY: a zeroed structure asks for the defaults, and this is called once in a process.
    let ready = unsafe {
        let mut wanted: sys::RuntimeInitArgs = std::mem::zeroed();
        wanted.mem_alloc_type = sys::Alloc_With_System_Allocator;
        sys::wasm_runtime_full_init(&raw mut wanted)
    };
    if !ready {
        return Err("WAMR did not start".into());
    }
    // What it finds wrong with a module comes as a sentence; the log would say it twice.
    // SAFETY: WAMR runs.
    unsafe { sys::wasm_runtime_set_log_level(sys::WASM_LOG_LEVEL_FATAL) };
    register(clawft_matrix::imports(kind))?;
    let module = said(|sentence, len| {
        // SAFETY: the bytes stay with the module, and it is never unloaded.
        unsafe { sys::wasm_runtime_load(bytes.as_mut_ptr(), bytes.len() as u32, sentence, len) }
    })?;
    Ok(Box::new(Loaded { module, _bytes: bytes }))
}

/// Calls something that gives null and a sentence when it fails.
fn said<T>(call: impl FnOnce(*mut c_char, u32) -> *mut T) -> Result<*mut T, String> {
    let mut sentence = [0u8; SENTENCE];
    let made = call(sentence.as_mut_ptr().cast(), SENTENCE as u32);
    if made.is_null() { Err(text(&sentence)) } else { Ok(made) }
}

/// What stands before the zero byte.
fn text(bytes: &[u8]) -> String {
    let text = CStr::from_bytes_until_nul(bytes).map(CStr::to_string_lossy);
    text.map_or_else(|_| "no sentence".into(), Into::into)
}

impl Engine for Loaded {
    fn instantiate(&mut self, outside: Outside) -> Result<Box<dyn Guest>, String> {
        let wasi = outside.wasi.as_ref().map(|given| Wasi::give(self.module, given)).transpose()?;
        let instance = said(|sentence, len| {
            // SAFETY: the module lives as long as the process.
            unsafe { sys::wasm_runtime_instantiate(self.module, STACK, 0, sentence, len) }
        })?;
        let mut imports = Box::new(outside.imports);
        imports::attach(instance, &mut imports);
        // SAFETY: the instance was just made.
        let environment = unsafe { sys::wasm_runtime_create_exec_env(instance, STACK) };
        if environment.is_null() {
            // SAFETY: nothing of it runs.
            unsafe { sys::wasm_runtime_deinstantiate(instance) };
            return Err("WAMR has no memory for a stack".into());
        }
        Ok(Box::new(Running { instance, environment, _imports: imports, _wasi: wasi }))
    }
}

impl Guest for Running {
    fn call(&mut self, name: &str, arguments: &[Value]) -> Result<u64, String> {
        let name = CString::new(name).map_err(|why| why.to_string())?;
        // SAFETY: the instance lives.
        let function = unsafe { sys::wasm_runtime_lookup_function(self.instance, name.as_ptr()) };
        if function.is_null() {
            return Err("there is no such export".into());
        }
        let mut arguments: Vec<sys::wasm_val_t> = arguments.iter().map(argument).collect();
        let mut result = argument(&Value::I64(0));
        // SAFETY: function and instance live; WAMR checks the number of the arguments.
        let (n, done) = unsafe {
            let n = sys::wasm_func_get_result_count(function, self.instance);
            let wanted = sys::wasm_func_get_param_count(function, self.instance);
            if n > 1 || wanted as usize != arguments.len() {
                return Err(format!("it takes {wanted} numbers and gives {n}"));
            }
            let (len, first) = (arguments.len() as u32, arguments.as_mut_ptr());
            let environment = self.environment;
            let place = &raw mut result;
            (n, sys::wasm_runtime_call_wasm_a(environment, function, n, place, len, first))
        };
        if !done {
            // SAFETY: the instance lives, and its sentence ends with a zero byte or is null.
            return Err(unsafe {
                let sentence = sys::wasm_runtime_get_exception(self.instance);
                let text = match sentence.is_null() {
                    true => "it failed without a sentence".into(),
                    false => CStr::from_ptr(sentence).to_string_lossy().into_owned(),
                };
                sys::wasm_runtime_clear_exception(self.instance);
                text
            });
        }
        match (n, u32::from(result.kind)) {
            (0, _) => Ok(0),
            // SAFETY: the kind says which of them it is.
            (_, sys::WASM_I32) => Ok(u64::from(unsafe { result.of.i32_ } as u32)),
            // SAFETY: as above.
            (_, sys::WASM_I64) => Ok(unsafe { result.of.i64_ } as u64),
            _ => Err("its result is no integer".into()),
        }
    }

    fn memory(&mut self) -> &mut [u8] {
        // SAFETY: the instance lives, and only `call` runs it.
        unsafe { imports::memory(self.instance) }
    }
}

fn argument(value: &Value) -> sys::wasm_val_t {
    let (kind, of) = match *value {
        Value::I32(value) => (sys::WASM_I32, sys::wasm_val_t__bindgen_ty_1 { i32_: value as i32 }),
        Value::I64(value) => (sys::WASM_I64, sys::wasm_val_t__bindgen_ty_1 { i64_: value as i64 }),
        Value::F32(value) => (sys::WASM_F32, sys::wasm_val_t__bindgen_ty_1 { f32_: value }),
    };
    sys::wasm_val_t { kind: kind as sys::wasm_valkind_t, _paddings: [0; 7], of }
}

impl Drop for Running {
    fn drop(&mut self) {
        // SAFETY: both were made together, and nothing of them runs.
        unsafe {
            sys::wasm_runtime_destroy_exec_env(self.environment);
            sys::wasm_runtime_deinstantiate(self.instance);
        }
    }
}
