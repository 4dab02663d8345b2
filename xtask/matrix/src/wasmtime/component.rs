//! The component in Wasmtime, through its interfaces (`wit/clawft.wit`).

use crate::core::said;
use crate::interfaces;
use clawft_matrix::agent::OFFLINE;
use clawft_matrix::model::KEY;
use clawft_matrix::runner;
use clawft_matrix::scratch::Scratch;
use clawft_matrix::suite::Sample;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, ResourceLimiter, Store};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

wasmtime::component::bindgen!({ path: "../../wit", world: "clawft:memory/exports" });

/// Instantiations that are timed.
const INSTANCES: usize = 20;

/// What an instance has on the host's side.
pub(crate) struct Side {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
    table: ResourceTable,
    memory: Memory,
}

/// Counts the bytes of linear memory, which a component does not show.
struct Memory {
    most: usize,
    total: usize,
}

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.total + (desired - current);
        let fits = total <= self.most;
        if fits {
            self.total = total;
        }
        Ok(fits)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

/// HTTP as it is by default.
struct Hooks;

impl WasiHttpHooks for Hooks {}

impl WasiView for Side {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Side {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

/// The component with what it imports.
pub(crate) struct Loaded {
    engine: Engine,
    component: Component,
    linker: Linker<Side>,
}

/// An instance over a data folder, which it sees as `/data`.
pub(crate) struct Running {
    pub(crate) store: Store<Side>,
    pub(crate) exports: Exports,
}

impl Running {
    /// Bytes of its linear memory.
    pub(crate) fn size(&self) -> usize {
        self.store.data().memory.total
    }
}

impl Loaded {
    fn load(path: &Path) -> wasmtime::Result<Self> {
        let engine = Engine::default();
        let component = if path.extension().is_some_and(|ending| ending == "cwasm") {
            // SAFETY: `core::compile` has made the file, and `xtask` gives it right after that.
            unsafe { Component::deserialize_file(&engine, path)? }
        } else {
            compiled(&engine, path)?
        };
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_sync(&mut linker)?;
        Ok(Loaded { engine, component, linker })
    }

    /// Makes an instance; with `limit`, its linear memory ends there.
    ///
    /// # Errors
    /// What the engine says.
    pub(crate) fn over(&self, data: &Path, limit: Option<usize>) -> Result<Running, String> {
        self.instance(data, limit).map_err(said)
    }

    fn instance(&self, data: &Path, limit: Option<usize>) -> wasmtime::Result<Running> {
        let mut wasi = WasiCtxBuilder::new();
        wasi.preopened_dir(data, "/data", FsPerms::ReadWrite)?;
        wasi.env("CLAWFT_HOME", "/data").env("OPENAI_API_KEY", KEY);
        let memory = Memory { most: limit.unwrap_or(usize::MAX), total: 0 };
        let (table, http) = (ResourceTable::new(), WasiHttpCtx::new());
        let side = Side { wasi: wasi.build(), http, hooks: Hooks, table, memory };
        let mut store = Store::new(&self.engine, side);
        store.limiter(|side| &mut side.memory);
        let exports = Exports::instantiate(&mut store, &self.component, &self.linker)?;
        Ok(Running { store, exports })
    }
}

#[cfg(feature = "compiler")]
fn compiled(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    Component::from_file(engine, path)
}

#[cfg(not(feature = "compiler"))]
fn compiled(_: &Engine, path: &Path) -> wasmtime::Result<Component> {
    wasmtime::bail!("{}: this runner has no compiler", path.display())
}

/// Does what the arguments say.
pub(crate) fn run(mode: &str, rest: &[String]) -> ExitCode {
    let Some((path, rest)) = rest.split_first() else {
        return runner::wrong("a component expected");
    };
    let begin = Instant::now();
    let loaded = match Loaded::load(Path::new(path)) {
        Ok(loaded) => loaded,
        Err(why) => {
            runner::say(&serde_json::json!({ "cannot": said(why) }));
            return ExitCode::SUCCESS;
        }
    };
    let time = begin.elapsed();
    let outcome = match (mode, rest) {
        ("check", [data]) => with_sample(data, |sample| interfaces::check(&loaded, sample)),
        ("faults", [data]) => with_sample(data, |sample| interfaces::faults(&loaded, sample)),
        ("first", []) => first(&loaded, time),
        ("instantiate", []) => instantiate(&loaded),
        _ => Err(format!("check or faults with a folder, first or instantiate expected: {mode}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => runner::wrong(&why),
    }
}

fn with_sample(data: &str, work: impl FnOnce(&Sample)) -> Result<(), String> {
    work(&Sample::read(Path::new(data))?);
    Ok(())
}

/// The first answer: offline, with an empty memory.
fn first(loaded: &Loaded, time: Duration) -> Result<(), String> {
    let folder = Scratch::new()?;
    let begin = Instant::now();
    let Running { mut store, exports } = loaded.over(folder.path(), None)?;
    let instantiated = begin.elapsed();
    let agent = exports.clawft_memory_agent();
    let config = agent.call_init(&mut store, Some(OFFLINE)).map_err(said)?;
    config.map_err(|why| why.sentence)?;
    let answer = agent.call_run(&mut store, "s", "What does Ada drink?").map_err(said)?;
    let answer = answer.map_err(|why| why.sentence)?;
    if answer.text.trim().is_empty() {
        return Err("the first answer is empty".into());
    }
    runner::say(&serde_json::json!({
        "load": time.as_secs_f64(),
        "instantiate": instantiated.as_secs_f64(),
        "linear": store.data().memory.total,
    }));
    let _ = std::io::stdin().read(&mut [0]);
    Ok(())
}

fn instantiate(loaded: &Loaded) -> Result<(), String> {
    let folder = Scratch::new()?;
    let mut times = Vec::new();
    for _ in 0..=INSTANCES {
        let begin = Instant::now();
        let running = loaded.over(folder.path(), None)?;
        times.push(begin.elapsed());
        drop(running);
    }
    let times = &mut times[1..];
    times.sort_unstable();
    runner::say(&serde_json::json!({ "instantiate": times[INSTANCES / 2].as_secs_f64() }));
    Ok(())
}
