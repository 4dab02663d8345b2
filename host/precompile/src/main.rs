//! Compiles a component for the host, which carries no compiler: `clawft-precompile IN OUT`.
#![forbid(unsafe_code)]

#[path = "../../src/engine.rs"]
mod engine;

fn main() -> wasmtime::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to] = arguments.as_slice() else {
        wasmtime::bail!("two paths expected: the component and where the compiled one goes");
    };
    let compiled = engine::engine(|_| ())?.precompile_component(&std::fs::read(from)?)?;
    // A file that stays as it is builds nothing anew.
    if std::fs::read(to).ok().as_deref() != Some(&compiled[..]) {
        std::fs::write(to, compiled)?;
    }
    Ok(())
}
