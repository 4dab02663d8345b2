//! A module that is loaded, as every engine has it.
//!
//! All that the suite asks of an engine: numbers in, a number out, bytes of linear memory, and
//! functions of the host that the module calls. What an engine can do beside that stays its own.

use std::path::PathBuf;

/// An argument of an export.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// Integers, sizes, addresses.
    I32(u32),
    /// Ids and times.
    I64(u64),
    /// A radius.
    F32(f32),
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Value::I32(value)
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Value::I64(value)
    }
}

/// An instance of a module.
pub trait Guest {
    /// Calls an export. Gives the bits of its result, an `i32` in the lower half; 0 where it has
    /// none.
    ///
    /// # Errors
    /// No such export, other parameters, or a trap, in the engine's words.
    fn call(&mut self, name: &str, arguments: &[Value]) -> Result<u64, String>;

    /// All of its linear memory. A call may move it.
    fn memory(&mut self) -> &mut [u8];
}

/// A function that a module imports.
#[derive(Debug)]
pub struct Import {
    /// Where it is imported from.
    pub module: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// Its parameters: `i` an `i32`, `I` an `i64`.
    pub parameters: &'static str,
    /// Its result: the same, or nothing.
    pub result: &'static str,
}

/// What a host gives to an instance, beside WASI. Wasmtime's WASI wants that it can move between
/// threads.
pub trait Imports: Send {
    /// The functions, always in the same order.
    fn functions(&self) -> &'static [Import];

    /// Calls function number `at`. `memory` is the caller's; arguments and result are bits, an
    /// `i32` in the lower half.
    fn call(&mut self, at: usize, memory: &mut [u8], arguments: &[u64]) -> u64;
}

/// For a module without imports.
#[derive(Debug)]
pub struct Nothing;

impl Imports for Nothing {
    fn functions(&self) -> &'static [Import] {
        &[]
    }

    fn call(&mut self, _: usize, _: &mut [u8], _: &[u64]) -> u64 {
        unreachable!("there is no function to call")
    }
}

/// What WASI preview 1 shows to an instance.
#[derive(Debug, Clone)]
pub struct Wasi {
    /// The folder that is `/data`.
    pub data: PathBuf,
    /// Variables.
    pub variables: Vec<(String, String)>,
    /// The file that standard output is appended to.
    pub output: PathBuf,
    /// The same for standard error.
    pub notes: PathBuf,
}

/// Everything that an instance has from its host.
pub struct Outside {
    /// Functions.
    pub imports: Box<dyn Imports>,
    /// WASI, where the module imports it.
    pub wasi: Option<Wasi>,
}

impl Outside {
    /// No imports.
    pub fn nothing() -> Self {
        Outside { imports: Box::new(Nothing), wasi: None }
    }
}

/// An engine that has loaded a module.
pub trait Engine {
    /// Makes an instance.
    ///
    /// # Errors
    /// What the engine says.
    fn instantiate(&mut self, outside: Outside) -> Result<Box<dyn Guest>, String>;
}
