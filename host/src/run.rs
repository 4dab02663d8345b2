//! The component in its engine, with what it is granted and nothing else.
//!
//! Why: sockets and look-ups of names are off, as WASI's know nothing of the list of hosts:
//! HTTP is the one way out. Variables are named one by one, since an environment holds the
//! secrets of other programs.
//!
//! What it must never do: grant a folder beside that of the data which neither the command nor
//! the config names; grant one that holds the data folder under another name, as the component
//! keeps its tools out of that by name.

use crate::code;
use crate::console::{Input, Output};
use crate::end::{Asker, End};
use crate::engine::engine;
use crate::failure::{Failed, failed};
use crate::hosts::{Hosts, Outgoing};
use crate::limits::{self, Memory, Time, TooLong};
use crate::sleep::{self, Clock};
use crate::stop::Stop;
use clawft_agent::config::Config;
use clawft_agent::memory::WRITER;
use std::path::{Path, PathBuf};
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};
use wasmtime_wasi::clocks::WasiClocksCtxView;
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi::{
    FsPerms, I32Exit, ResourceTable, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView,
};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// Variables that are passed on as they are; those with keys come on top.
const VARIABLES: [&str; 7] = [
    "HOME",
    "TERM",
    "NO_COLOR",
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    crate::serve::TOKEN,
    "CLAWFT_HOSTS",
];

/// What is granted.
#[derive(Default)]
pub(crate) struct Grants {
    /// The data folder, to read and write.
    pub(crate) data: Option<PathBuf>,
    /// Folders to read: where they are, and where the component sees them.
    pub(crate) to_read: Vec<(PathBuf, PathBuf)>,
    /// The nonce of the component's leases, where the host has the lock.
    pub(crate) writer: Option<u64>,
    /// Hosts, more folders and names of variables come from here.
    pub(crate) config: Config,
    /// Command and arguments.
    pub(crate) arguments: Vec<String>,
}

/// What an instance has on the host's side.
pub(crate) struct Side {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    outgoing: Outgoing,
    memory: Memory,
}

impl Side {
    pub(crate) fn clock(&mut self) -> Clock<'_> {
        let wasi = WasiClocksCtxView { ctx: self.wasi.clocks(), table: &mut self.table };
        Clock { wasi, end: &self.outgoing.end }
    }

    /// What the component does from now on, it does for this one.
    pub(crate) fn works_for(&mut self, asker: Asker) {
        self.outgoing.end.works_for(asker);
    }
}

impl WasiView for Side {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Side {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.outgoing, table: &mut self.table, ctx: &mut self.http }
    }
}

/// The component, ready to be instantiated.
pub(crate) struct Program {
    engine: Engine,
    pub(crate) component: Component,
    pub(crate) linker: Linker<Side>,
    pub(crate) time: Time,
    pub(crate) stop: Stop,
}

impl Program {
    /// Loads the component.
    ///
    /// # Errors
    /// A host that was built without one.
    pub(crate) fn load(stop: Stop) -> Result<Self, Failed> {
        if code::is_missing() {
            return Err(failed(
                1,
                "this host has no component in it: `cargo xtask host` builds one",
            ));
        }
        Self::link(stop).map_err(|error| failed(1, format!("the component: {error:#}")))
    }

    fn link(stop: Stop) -> wasmtime::Result<Self> {
        let engine = engine(code::in_place)?;
        let component = code::component(&engine)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        sleep::add_to_linker(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        limits::tick(&engine);
        Ok(Self { engine, component, linker, time: Time::default(), stop })
    }

    /// A store with what is granted.
    ///
    /// # Errors
    /// A folder that cannot be opened, a limit that is none.
    pub(crate) fn store(&self, grants: &Grants) -> Result<Store<Side>, Failed> {
        let mut wasi = WasiCtxBuilder::new();
        let output = Output::default();
        wasi.stdin(Input::new(&output, self.stop.clone(), self.time.clone())).stdout(output);
        wasi.inherit_stderr().arg("clawft").args(&grants.arguments);
        // Files are local and quick; handing each call to a thread costs more than it waits.
        wasi.allow_blocking_current_thread(true);
        wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        if let Some(data) = &grants.data {
            wasi.env("CLAWFT_HOME", seen(data)?);
        }
        if let Some(nonce) = grants.writer {
            wasi.env(WRITER, nonce.to_string());
        }
        let services = [&grants.config.provider, &grants.config.embedder];
        let keys = services.iter().map(|service| &*service.api_key_env);
        for name in VARIABLES.into_iter().chain(keys.filter(|name| !name.is_empty())) {
            if let Ok(value) = std::env::var(name) {
                wasi.env(name, value);
            }
        }
        // Where it cannot be told, paths must be whole, and all else goes on.
        if let Some(here) = std::env::current_dir().ok().as_deref().and_then(Path::to_str) {
            wasi.initial_cwd(here);
        }
        let mut grant =
            |from: &Path, to: &Path, perms| match wasi.preopened_dir(from, seen(to)?, perms) {
                Ok(_) => Ok(()),
                Err(error) => Err(failed(1, format!("the folder {}: {error:#}", from.display()))),
            };
        if let Some(data) = &grants.data {
            grant(data, data, FsPerms::ReadWrite)?;
            for folder in &grants.config.folders {
                let folder = Path::new(folder);
                apart(folder, data)?;
                grant(folder, folder, FsPerms::ReadWrite)?;
            }
        }
        for (from, to) in &grants.to_read {
            grant(from, to, FsPerms::ReadOnly)?;
        }
        let side = Side {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            outgoing: Outgoing {
                hosts: Hosts::of(&grants.config),
                end: End::new(self.stop.clone()),
            },
            memory: Memory::default(),
        };
        let mut store = Store::new(&self.engine, side);
        store.limiter(|side| &mut side.memory);
        self.time.limit(&mut store).map_err(|sentence| failed(2, sentence))?;
        Ok(store)
    }

    /// Runs the command to its end and gives its exit code.
    ///
    /// # Errors
    /// A component that failed, with the limit that it met.
    pub(crate) async fn command(&self, grants: &Grants) -> Result<i32, Failed> {
        let mut store = self.store(grants)?;
        let running = async {
            let ready = CommandPre::new(self.linker.instantiate_pre(&self.component)?)?;
            let command = ready.instantiate_async(&mut store).await?;
            command.wasi_cli_run().call_run(&mut store).await
        };
        let ended = tokio::select! {
            ended = running => ended,
            exit = self.stop.overdue() => return Ok(exit),
        };
        let exit = match ended {
            Ok(Ok(())) => Ok(0),
            Ok(Err(())) => Ok(1),
            Err(error) => match error.downcast_ref::<I32Exit>() {
                Some(exit) => Ok(exit.0),
                None => Err(failed(1, sentence(&error, &store))),
            },
        };
        self.stop.exit().map_or(exit, Ok)
    }
}

/// Why a component failed.
pub(crate) fn sentence(error: &wasmtime::Error, store: &Store<Side>) -> String {
    let limit = error.downcast_ref::<TooLong>().map(ToString::to_string);
    match limit.or_else(|| store.data().memory.sentence()) {
        Some(limit) => format!("the component was stopped: {limit}"),
        None => format!("the component failed: {error:#}"),
    }
}

/// The component keeps the data folder from the tools of files, by its name: a folder that holds it
/// must be written as the data folder is, and none may lead into it under another name.
fn apart(folder: &Path, data: &Path) -> Result<(), Failed> {
    match folder.canonicalize() {
        Ok(real) if data.starts_with(&real) && !data.starts_with(folder) => Err(failed(
            3,
            format!(
                "folders under [tools] in config.toml: the data folder is in {}, which must be \
                 written as {}",
                folder.display(),
                real.display()
            ),
        )),
        Ok(real) if real.starts_with(data) && !folder.starts_with(data) => Err(failed(
            3,
            format!(
                "folders under [tools] in config.toml: {} leads into the data folder, which is for no \
                 tool",
                folder.display()
            ),
        )),
        // What cannot be found is not granted either.
        _ => Ok(()),
    }
}

/// A path as the component sees it.
fn seen(path: &Path) -> Result<&str, Failed> {
    path.to_str().ok_or_else(|| failed(1, format!("{}: a path in UTF-8 expected", path.display())))
}
