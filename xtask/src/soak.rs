//! `cargo xtask soak`: the memory in use for long, over the simulated disk and over real files.

use crate::process::{Outcome, cargo, run};

/// Both, with the arguments of `store/examples/soak.rs`; or the one that is named first.
pub(crate) fn soak(arguments: &[String]) -> Outcome {
    let (media, rest) = match arguments.split_first() {
        Some((first, rest)) if !first.starts_with('-') => (vec![first.as_str()], rest),
        _ => (vec!["disk", "files"], arguments),
    };
    for medium in media {
        run(cargo()
            .args(["run", "--release", "--package", "clawft-store", "--example", "soak"])
            .args(["--features", "native,simulated", "--", medium])
            .args(rest))?;
    }
    Ok(())
}
