//! The WebAssembly artifacts: what each one is built from, and the building.

use crate::process::{Outcome, cargo, command, read, run, run_silently, target, write};
use crate::{component, splat, tools};
use std::path::{Path, PathBuf};
use std::thread;

/// Bytes of the stack in linear memory. Search and insert keep their work in
/// the store's scratch, so the stack stays shallow; it counts as memory.
const STACK_BYTES: u32 = 64 << 10;

/// The most that an artifact may weigh, in bytes (1 KB is 1,000).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) raw: usize,
    /// None: not budgeted.
    pub(crate) gzipped: Option<usize>,
}

/// One module or component that ships.
#[derive(Debug)]
pub(crate) struct Artifact {
    /// As the demo and the reports call it.
    pub(crate) name: &'static str,
    /// As it lies in `dist/`.
    pub(crate) file: &'static str,
    pub(crate) package: &'static str,
    /// Its features; `None`: the default ones.
    pub(crate) parts: Option<&'static str>,
    /// The file that cargo makes.
    built: &'static str,
    pub(crate) target: &'static str,
    /// Target features beyond the target's own.
    features: &'static str,
    /// Flags of the compiler beyond those that all artifacts share.
    flags: &'static [&'static str],
    /// What `wasm-opt` is allowed to use.
    allowed: &'static [&'static str],
    /// The passes of `wasm-opt`.
    pub(crate) passes: &'static [&'static str],
    /// It is wrapped into a component.
    pub(crate) is_component: bool,
    /// Bytes of its stack; `None`: its own build says what memory and stack it has.
    stack: Option<u32>,
    pub(crate) budget: Option<Budget>,
    /// What it may weigh until the budget is met: no more than it has weighed, and some 150 bytes, since
    /// a toolchain at another path may change a few. `cargo xtask size` fails above the budget, the
    /// gate above this, and above the budget where this is none.
    pub(crate) standing: Option<Budget>,
}

/// Only what the first version of WebAssembly has, so that every engine runs it.
const SCALAR: &str = "wasm32v1-none";
const MODERN: &str = "wasm32-unknown-unknown";
const COMPONENT: &str = "wasm32-wasip2";
const CORE: &str = "wasm32-wasip1";
const MVP: &[&str] = &["--mvp-features", "--enable-mutable-globals"];
const SIMD: &[&str] = &[
    "--mvp-features",
    "--enable-mutable-globals",
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-multivalue",
    "--enable-reference-types",
    "--enable-simd",
];
const RELAXED: &[&str] = &[
    "--mvp-features",
    "--enable-mutable-globals",
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-multivalue",
    "--enable-reference-types",
    "--enable-simd",
    "--enable-relaxed-simd",
];

pub(crate) const SCALAR_KERNEL: Artifact = Artifact {
    name: "scalar",
    file: "clawft-kernel.scalar.wasm",
    package: "clawft-ffi",
    parts: None,
    built: "clawft.wasm",
    target: SCALAR,
    features: "",
    flags: &[],
    allowed: MVP,
    passes: SMALLER,
    is_component: false,
    stack: Some(STACK_BYTES),
    budget: None,
    standing: Some(Budget { raw: 71_290, gzipped: Some(36_180) }),
};
pub(crate) const SIMD128_KERNEL: Artifact = Artifact {
    name: "simd128",
    file: "clawft-kernel.wasm",
    package: "clawft-ffi",
    parts: None,
    built: "clawft.wasm",
    target: MODERN,
    features: "+simd128",
    flags: &[],
    allowed: SIMD,
    passes: SMALLER,
    is_component: false,
    stack: Some(STACK_BYTES),
    budget: Some(Budget { raw: 48_000, gzipped: Some(20_000) }),
    standing: Some(Budget { raw: 63_400, gzipped: Some(32_700) }),
};
pub(crate) const RELAXED_KERNEL: Artifact = Artifact {
    name: "relaxed",
    file: "clawft-kernel.relaxed.wasm",
    package: "clawft-ffi",
    parts: None,
    built: "clawft.wasm",
    target: MODERN,
    features: "+simd128,+relaxed-simd",
    flags: &[],
    allowed: RELAXED,
    passes: SMALLER,
    is_component: false,
    stack: Some(STACK_BYTES),
    budget: None,
    standing: Some(Budget { raw: 63_440, gzipped: Some(32_740) }),
};
/// What is called in two places is not copied into both, addresses are not counted up beside their
/// index, a structure is passed by its address and not as one argument for each of its fields,
/// and what is the same in each turn of a loop is computed where it is used: 6 % smaller, and as fast
/// within the noise of a busy machine.
const SMALL_GRAPH: &[&str] = &[
    "-Cllvm-args=-inline-threshold=5",
    "-Cllvm-args=-disable-lsr",
    "-Cllvm-args=-opt-disable=argpromotion,licm,reassociate",
];
/// The graph alone, with one scalar f32 space.
pub(crate) const GRAPH: Artifact = Artifact {
    name: "hnsw",
    file: "clawft-hnsw.wasm",
    package: "clawft-hnsw-module",
    parts: None,
    built: "clawft_hnsw_module.wasm",
    target: SCALAR,
    features: "",
    flags: SMALL_GRAPH,
    allowed: MVP,
    passes: SMALLER,
    is_component: false,
    stack: Some(STACK_BYTES),
    budget: Some(Budget { raw: 10_000, gzipped: None }),
    standing: None,
};
/// The builds of the kernel; the first is the default.
pub(crate) const KERNELS: [&Artifact; 3] = [&SIMD128_KERNEL, &SCALAR_KERNEL, &RELAXED_KERNEL];
/// As for the graph, but that structures are still passed field by field: here that is smaller. A
/// recall is as fast; storing a record takes 5 % longer.
const SMALL_STORE: &[&str] = &[
    "-Cllvm-args=-inline-threshold=5",
    "-Cllvm-args=-disable-lsr",
    "-Cllvm-args=-opt-disable=licm",
];
/// The memory over storage imports, with everything of the kernel.
pub(crate) const STORE: Artifact = Artifact {
    name: "store",
    file: "clawft-store.wasm",
    package: "clawft-ffi-store",
    parts: Some("standalone,memory"),
    built: "clawft_ffi_store.wasm",
    target: MODERN,
    features: "+simd128",
    flags: SMALL_STORE,
    allowed: SIMD,
    passes: SMALLEST,
    is_component: false,
    stack: Some(STACK_BYTES),
    budget: Some(Budget { raw: 96_000, gzipped: None }),
    standing: Some(Budget { raw: 173_220, gzipped: None }),
};
/// The kernel with the stream of tensors.
pub(crate) const TENSOR: Artifact = Artifact {
    name: "tensor",
    file: "clawft-tensor.wasm",
    package: "clawft-ffi-store",
    parts: Some("standalone,tensor"),
    built: "clawft_ffi_store.wasm",
    target: MODERN,
    features: "+simd128",
    flags: &[],
    allowed: SIMD,
    passes: SMALLER,
    is_component: false,
    stack: Some(STACK_BYTES),
    budget: None,
    standing: Some(Budget { raw: 77_890, gzipped: None }),
};
/// The agent, with everything.
pub(crate) const AGENT: Artifact = Artifact {
    name: "agent",
    file: "clawft.wasm",
    package: "clawft-agent",
    parts: None,
    built: "clawft_agent.wasm",
    target: COMPONENT,
    features: "+simd128",
    flags: SMALL_STORE,
    allowed: SIMD,
    passes: AGENTS,
    is_component: true,
    stack: None,
    budget: Some(Budget { raw: 160_000, gzipped: Some(64_000) }),
    standing: Some(Budget { raw: 431_000, gzipped: Some(207_950) }),
};
/// The same for engines without components: over WASI preview 1, and an import for HTTP.
pub(crate) const AGENT_CORE: Artifact = Artifact {
    name: "agent-core",
    file: "clawft-agent.core.wasm",
    package: "clawft-agent",
    parts: None,
    built: "clawft_agent.wasm",
    target: CORE,
    features: "+simd128",
    flags: SMALL_STORE,
    allowed: SIMD,
    passes: AGENTS,
    is_component: false,
    stack: None,
    budget: None,
    standing: Some(Budget { raw: 364_470, gzipped: Some(178_130) }),
};
/// Everything in WebAssembly that ships.
pub(crate) const ALL: [&Artifact; 8] = [
    &SIMD128_KERNEL,
    &SCALAR_KERNEL,
    &RELAXED_KERNEL,
    &STORE,
    &TENSOR,
    &GRAPH,
    &AGENT,
    &AGENT_CORE,
];

/// What goes to the panic handler of these modules is not read by anybody: a panic is a trap at
/// once, and neither the place nor a message is kept for it.
const NO_MESSAGES: [&str; 4] =
    ["-Zunstable-options", "-Cpanic=immediate-abort", "-Zlocation-detail=none", "-Zfmt-debug=none"];
/// `core` is compiled with the same flags, since the one that comes with the compiler formats
/// its messages. Some targets have no memcpy of their own.
const OWN_LIBRARY: [&str; 2] = [
    "-Zbuild-std=core,alloc,compiler_builtins",
    "-Zbuild-std-features=optimize_for_size,compiler-builtins-mem",
];
/// For wasm-opt. -O3 inlines 7 % more bytes and was no faster; -Oz, --converge, --gufa and
/// --traps-never-happen are within 0.3 % of this.
const SMALLER: &[&str] = &["-Os", "-Os"];
/// Branches are put together anew from scratch: the store's module is 1 % smaller for it and as
/// fast, the kernel's would be larger.
const SMALLEST: &[&str] = &["-Os", "--flatten", "--rereloop", "-Oz", "-Oz"];
/// Once more: a hundred bytes.
const AGENTS: &[&str] = &["-Os", "--flatten", "--rereloop", "-Oz", "-Oz", "-Oz"];

/// How a module is compiled: what ships has everything, `size --profile` shows what each part
/// brings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct How<'a> {
    /// Settings in place of those of the profile `release-wasm`, as cargo's `--config` takes them.
    pub(crate) settings: &'a [&'a str],
    /// `core` is compiled with the module, and panics trap at once.
    pub(crate) own_library: bool,
    /// The artifact's own flags of LLVM.
    pub(crate) own_flags: bool,
    /// The linker makes the component, without a way for `wasm-opt`.
    pub(crate) wrapped_by_linker: bool,
}

/// As it ships.
pub(crate) const WHOLE: How<'_> =
    How { settings: &[], own_library: true, own_flags: true, wrapped_by_linker: false };

/// A built artifact.
pub(crate) struct Built {
    /// What ships: a module or a component.
    pub(crate) path: PathBuf,
    /// The same code with function names, for the size table.
    pub(crate) named: PathBuf,
}

/// Builds these, as many at a time as there are cores, and gives them in the order given: the link of a
/// whole module keeps one core busy, and each of them has a folder of its own.
pub(crate) fn build_together(wanted: &[&'static Artifact]) -> Outcome<Vec<Built>> {
    // Two would install it at the same time.
    tools::wasm_opt()?;
    tools::library_source()?;
    for artifact in wanted {
        tools::targets(&[artifact.target])?;
    }
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let build = |some: &[&'static Artifact]| {
        thread::scope(|scope| {
            let all: Vec<_> = some.iter().map(|one| scope.spawn(|| one.build())).collect();
            let ended = all.into_iter().map(|one| one.join().unwrap_or_else(|_| Err(PANIC.into())));
            ended.collect::<Vec<_>>()
        })
    };
    wanted.chunks(cores).flat_map(build).collect()
}

/// What is said of a build whose thread ended so.
const PANIC: &str = "the build of an artifact panicked";

impl Artifact {
    /// Whether it is compiled with flags of LLVM that others are not.
    pub(crate) fn has_own_flags(&self) -> bool {
        !self.flags.is_empty()
    }

    /// Compiles and optimises the module, as far as it is not up to date.
    pub(crate) fn build(&self) -> Outcome<Built> {
        // A folder for each set of flags: changing them would rebuild everything.
        let folder = target().join("wasm").join(self.name);
        let raw = self.compile(&folder, &WHOLE)?;
        let wasm_opt = tools::wasm_opt()?;

        let built =
            Built { path: target().join("wasm").join(self.file), named: folder.join("named.wasm") };
        // The key of the last run: same input, same tool, same output.
        let (tool, passes) = (wasm_opt.display(), self.passes);
        let key = format!("{tool}\n{passes:?}\n{}", fingerprint(&read(&raw)?));
        let stamp = folder.join("optimised");
        let current = read(&stamp).is_ok_and(|old| old == key.as_bytes());
        if !(current && built.path.exists() && built.named.exists()) {
            eprintln!("$ wasm-opt {} {}", passes.join(" "), self.file);
            self.optimise(&raw, &built.named)?;
            write(&built.named, &splat::shorten(&read(&built.named)?)?)?;
            self.strip(&built.named, &built.path)?;
            if self.is_component {
                write(&built.path, &component::wrap(&read(&built.path)?)?)?;
            }
            write(&stamp, key.as_bytes())?;
        }
        Ok(built)
    }

    /// Compiles and links the module; it still has its names.
    pub(crate) fn compile(&self, folder: &Path, how: &How<'_>) -> Outcome<PathBuf> {
        tools::targets(&[self.target])?;
        tools::library_source()?;
        let registry = std::env::var_os("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
            .unwrap_or_default();
        // Should a file still be named: the builder's folders are nobody's business.
        let mut flags = vec![format!("--remap-path-prefix={}=", registry.display())];
        flags.extend(self.stack.map(|bytes| format!("-Clink-arg=-zstack-size={bytes}")));
        let wrapped_later = self.is_component && !how.wrapped_by_linker;
        flags.extend(wrapped_later.then(|| "-Clink-arg=--skip-wit-component".into()));
        if how.own_library {
            flags.extend(NO_MESSAGES.map(String::from));
        }
        if how.own_flags {
            flags.extend(self.flags.iter().map(|flag| (*flag).to_string()));
        }
        if !self.features.is_empty() {
            flags.push(format!("-Ctarget-feature={}", self.features));
        }
        run(cargo()
            .args(["rustc", "--lib", "--crate-type", "cdylib", "--profile", "release-wasm"])
            .args(["--package", self.package, "--target", self.target])
            .args(how.settings.iter().flat_map(|setting| ["--config", setting]))
            .args(
                self.parts.iter().flat_map(|parts| ["--no-default-features", "--features", parts]),
            )
            .args(OWN_LIBRARY.iter().filter(|_| how.own_library))
            // What lets the pinned stable compiler take flags that are not stable.
            .env("RUSTC_BOOTSTRAP", "1")
            .env_remove("RUSTFLAGS")
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
            .env("CARGO_TARGET_DIR", folder))?;
        Ok(folder.join(self.target).join("release-wasm").join(self.built))
    }

    /// Lets `wasm-opt` write a module once more, without its names.
    pub(crate) fn strip(&self, named: &Path, stripped: &Path) -> Outcome {
        run_silently(
            command(tools::wasm_opt()?)
                .args(self.allowed)
                .args(["--strip-debug", "--strip-producers"])
                .arg(named)
                .arg("-o")
                .arg(stripped),
        )
    }

    /// Lets `wasm-opt` work on a linked module; names stay.
    pub(crate) fn optimise(&self, raw: &Path, named: &Path) -> Outcome {
        run_silently(
            command(tools::wasm_opt()?)
                .args(self.allowed)
                .args(self.passes)
                .args(["-g", "--strip-target-features"])
                .arg(raw)
                .arg("-o")
                .arg(named),
        )
    }
}

/// FNV-1a: enough to see that a file has changed.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
