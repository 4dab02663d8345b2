//! Core modules in Wasmtime.

use clawft_matrix::guest::{self, Guest, Import, Imports, Outside, Value};
use std::path::Path;
use wasmtime::{
    Caller, Engine, Extern, FuncType, Instance, Linker, Memory, Module, Store, Val, ValType,
};
use wasmtime_wasi::cli::OutputFile;
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

/// What an instance has on the host's side.
struct Side {
    imports: Box<dyn Imports>,
    wasi: Option<WasiP1Ctx>,
}

struct Loaded {
    engine: Engine,
    module: Module,
}

struct Running {
    store: Store<Side>,
    instance: Instance,
    memory: Memory,
}

pub(crate) fn said(error: wasmtime::Error) -> String {
    format!("{error:#}")
}

/// Loads a module: one that was compiled ahead where the path ends so.
pub(crate) fn load(path: &Path) -> Result<Box<dyn guest::Engine>, String> {
    let engine = Engine::default();
    let module = if path.extension().is_some_and(|ending| ending == "cwasm") {
        // SAFETY: `compile` below has made the file, and `xtask` gives it right after that.
        unsafe { Module::deserialize_file(&engine, path) }
    } else {
        compiled(&engine, path)
    };
    Ok(Box::new(Loaded { module: module.map_err(said)?, engine }))
}

#[cfg(feature = "compiler")]
fn compiled(engine: &Engine, path: &Path) -> wasmtime::Result<Module> {
    Module::from_file(engine, path)
}

#[cfg(not(feature = "compiler"))]
fn compiled(_: &Engine, path: &Path) -> wasmtime::Result<Module> {
    wasmtime::bail!("{}: this runner has no compiler", path.display())
}

/// Compiles a module or a component ahead.
#[cfg(feature = "compiler")]
pub(crate) fn compile(from: &Path, to: &Path) -> Result<(), String> {
    let named = |path: &Path, why: std::io::Error| format!("{}: {why}", path.display());
    let binary = std::fs::read(from).map_err(|why| named(from, why))?;
    let engine = Engine::default();
    // The layer behind the version: 0 is a module, 1 a component.
    let code = match binary.get(6) {
        Some(0) => engine.precompile_module(&binary),
        _ => engine.precompile_component(&binary),
    };
    let code = code.map_err(said)?;
    std::fs::write(to, code).map_err(|why| named(to, why))
}

impl guest::Engine for Loaded {
    fn instantiate(&mut self, outside: Outside) -> Result<Box<dyn Guest>, String> {
        let wasi = outside.wasi.as_ref().map(wasi).transpose()?;
        let has_wasi = wasi.is_some();
        let functions = outside.imports.functions();
        let mut store = Store::new(&self.engine, Side { imports: outside.imports, wasi });
        let mut linker = Linker::new(&self.engine);
        for (at, import) in functions.iter().enumerate() {
            define(&mut linker, &self.engine, at, import).map_err(said)?;
        }
        if has_wasi {
            p1::add_to_linker_sync(&mut linker, |side: &mut Side| {
                side.wasi.as_mut().expect("it was just given")
            })
            .map_err(said)?;
        }
        let instance = linker.instantiate(&mut store, &self.module).map_err(said)?;
        let memory =
            instance.get_memory(&mut store, "memory").ok_or("the module exports no `memory`")?;
        Ok(Box::new(Running { store, instance, memory }))
    }
}

fn wasi(given: &guest::Wasi) -> Result<WasiP1Ctx, String> {
    let mut builder = WasiCtxBuilder::new();
    let named = |path: &Path, why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    builder
        .preopened_dir(&given.data, "/data", FsPerms::ReadWrite)
        .map_err(|why| named(&given.data, &why))?;
    builder.envs(&given.variables);
    let file = |path: &Path| {
        let file = std::fs::File::options().append(true).create(true).open(path);
        file.map(OutputFile::new).map_err(|why| named(path, &why))
    };
    builder.stdout(file(&given.output)?).stderr(file(&given.notes)?);
    Ok(builder.build_p1())
}

fn define(
    linker: &mut Linker<Side>,
    engine: &Engine,
    at: usize,
    import: &Import,
) -> wasmtime::Result<()> {
    let types = |letters: &str| -> Vec<ValType> {
        letters.chars().map(|one| if one == 'I' { ValType::I64 } else { ValType::I32 }).collect()
    };
    let is_long = import.result == "I";
    let kind = FuncType::new(engine, types(import.parameters), types(import.result));
    let call = move |mut caller: Caller<'_, Side>, given: &[Val], results: &mut [Val]| {
        let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
            wasmtime::bail!("the caller has no memory");
        };
        let arguments: Vec<u64> = given
            .iter()
            .map(|value| match value {
                Val::I32(value) => u64::from(*value as u32),
                Val::I64(value) => *value as u64,
                _ => unreachable!("imports have integers alone"),
            })
            .collect();
        let (bytes, side) = memory.data_and_store_mut(&mut caller);
        let result = side.imports.call(at, bytes, &arguments);
        if let Some(place) = results.first_mut() {
            *place = if is_long { Val::I64(result as i64) } else { Val::I32(result as i32) };
        }
        Ok(())
    };
    linker.func_new(import.module, import.name, kind, call)?;
    Ok(())
}

impl Guest for Running {
    fn call(&mut self, name: &str, arguments: &[Value]) -> Result<u64, String> {
        let function =
            self.instance.get_func(&mut self.store, name).ok_or("there is no such export")?;
        let arguments: Vec<Val> = arguments
            .iter()
            .map(|value| match *value {
                Value::I32(value) => Val::I32(value as i32),
                Value::I64(value) => Val::I64(value as i64),
                Value::F32(value) => Val::F32(value.to_bits()),
            })
            .collect();
        let mut results = [Val::I32(0)];
        let n = function.ty(&self.store).results().len();
        function.call(&mut self.store, &arguments, &mut results[..n]).map_err(said)?;
        Ok(match results[0] {
            Val::I32(value) => u64::from(value as u32),
            Val::I64(value) => value as u64,
            _ => return Err("its result is no integer".into()),
        })
    }

    fn memory(&mut self) -> &mut [u8] {
        self.memory.data_mut(&mut self.store)
    }
}
