//! `cargo xtask demo`: builds the kernel, the demo's host and the command `clawft`, and runs the
//! host.

use crate::artifacts::{Artifact, KERNELS};
use crate::process::{Outcome, cargo, root, run, target, write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Passes everything on to the host but the choice of artifacts.
pub(crate) fn demo(arguments: Vec<String>) -> Outcome {
    let (artifacts, rest) = choose(arguments)?;
    let asks_for_help = rest.iter().any(|argument| argument == "--help" || argument == "-h");
    let artifacts = if asks_for_help { Vec::new() } else { artifacts };
    let mut host = host(&artifacts)?;
    if !asks_for_help && ends_with_agent(&rest) {
        with_agent(&mut host)?;
    }
    let status = host
        .args(rest)
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("the demo's host could not be started: {error}"))?;
    // The host has said why.
    if status.success() { Ok(()) } else { Err("the demo failed".into()) }
}

/// Whether the agent comes at the end. It is asked about the sample, and not where a program reads:
/// the lines are operating points, then sizes.
fn ends_with_agent(rest: &[String]) -> bool {
    let is_without =
        |argument: &String| matches!(argument.split('=').next(), Some("--base" | "--json"));
    !rest.iter().any(is_without)
}

/// What a person's own data is: both formats, and the metrics by which the sample is not searched.
/// `demo` gives the command with these options.
pub(crate) fn with_other_data(demo: impl Fn(&[&str]) -> Command) -> Outcome {
    let folder = target().join("other-data");
    let (base, queries) = (folder.join("base.npy"), folder.join("queries.fvecs"));
    write(&base, &npy(300, 24))?;
    write(&queries, &fvecs(50, 24))?;
    for metric in ["l2", "ip"] {
        let mut checked = demo(&["--check", "--metric", metric]);
        run(checked.arg("--base").arg(&base).arg("--queries").arg(&queries))?;
    }
    // A hundred such queries have no room in one MiB.
    let wide = folder.join("wide.fvecs");
    write(&wide, &fvecs(4, 8192))?;
    let mut refused = demo(&["--memory-max", "1"]);
    refused.arg("--base").arg(&wide).arg("--queries").arg(&wide);
    let output = refused.stdin(Stdio::null()).output().map_err(|why| why.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.code() == Some(1) && said.contains("does not fit into 1 MiB") {
        true => Ok(()),
        false => Err(format!("memory that is too small ended with {}: {said}", output.status)),
    }
}

/// Numbers without pattern between -1 and 1, the same ones for a seed (xorshift).
fn numbers(mut state: u64) -> impl Iterator<Item = f32> {
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    })
}

/// So many rows as NumPy writes them.
fn npy(rows: usize, dim: usize) -> Vec<u8> {
    let header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {dim}), }}\n");
    let begin = [&b"\x93NUMPY\x01\x00"[..], &(header.len() as u16).to_le_bytes()].concat();
    let values = numbers(7).take(rows * dim).flat_map(f32::to_le_bytes);
    begin.into_iter().chain(header.into_bytes()).chain(values).collect()
}

/// So many rows as the benchmarks of neighbours have them.
fn fvecs(rows: usize, dim: usize) -> Vec<u8> {
    let mut numbers = numbers(11);
    let mut bytes = Vec::new();
    for _ in 0..rows {
        bytes.extend((dim as u32).to_le_bytes());
        bytes.extend(numbers.by_ref().take(dim).flat_map(f32::to_le_bytes));
    }
    bytes
}

/// The host with the artifacts, built, in the person's own folder so that paths
/// mean what they mean there.
pub(crate) fn host(artifacts: &[&Artifact]) -> Outcome<Command> {
    let mut modules = Vec::new();
    for artifact in artifacts {
        modules.push(format!("{}={}", artifact.name, artifact.build()?.path.display()));
    }
    let program = build()?;
    let mut command = Command::new(program);
    command.arg("--data").arg(root().join("data"));
    for module in modules {
        command.args(["--module", &module]);
    }
    Ok(command)
}

/// Lets the demo end with the agent.
pub(crate) fn with_agent(demo: &mut Command) -> Outcome {
    demo.arg("--clawft").arg(crate::host::build()?);
    Ok(())
}

/// Builds the host. The first time takes minutes: it contains a compiler.
fn build() -> Outcome<PathBuf> {
    run(cargo().args(["build", "--profile", "host", "--package", "clawft-demo"]))?;
    Ok(target().join("host").join(format!("clawft-demo{}", std::env::consts::EXE_SUFFIX)))
}

/// Takes `--artifact NAME` and `--all-artifacts` out of the arguments.
fn choose(arguments: Vec<String>) -> Outcome<(Vec<&'static Artifact>, Vec<String>)> {
    let mut chosen = Vec::new();
    let mut rest = Vec::new();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let name = match argument.as_str() {
            "--all-artifacts" => {
                chosen = KERNELS.to_vec();
                continue;
            }
            "--artifact" => arguments.next().unwrap_or_default(),
            other => match other.strip_prefix("--artifact=") {
                Some(name) => name.to_string(),
                None => {
                    rest.push(argument);
                    continue;
                }
            },
        };
        let artifact = KERNELS.into_iter().find(|one| one.name == name);
        chosen.push(artifact.ok_or_else(|| {
            format!("--artifact wants simd128, scalar or relaxed, found `{name}`")
        })?);
    }
    if chosen.is_empty() {
        chosen.push(KERNELS[0]);
    }
    Ok((chosen, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Outcome<(Vec<&'static str>, Vec<String>)> {
        let (chosen, rest) = choose(line.split_whitespace().map(String::from).collect())?;
        Ok((chosen.into_iter().map(|one| one.name).collect(), rest))
    }

    #[test]
    fn takes_the_artifacts_and_leaves_the_rest() {
        assert_eq!(names("--json").unwrap(), (vec!["simd128"], vec!["--json".to_string()]));
        assert_eq!(names("--artifact scalar").unwrap().0, ["scalar"]);
        assert_eq!(names("--artifact=relaxed --ef 10").unwrap().1, ["--ef", "10"]);
        assert_eq!(names("--all-artifacts").unwrap().0.len(), 3);
        assert!(names("--artifact").is_err());
        assert!(names("--artifact neon").unwrap_err().contains("neon"));
    }

    #[test]
    fn a_person_who_sees_the_sample_sees_the_agent_too() {
        let ends = |line: &str| {
            let words: Vec<String> = line.split_whitespace().map(String::from).collect();
            ends_with_agent(&words)
        };
        assert!(ends("") && ends("--ef 10 --runtime aot"));
        assert!(!ends("--json") && !ends("--ef 10 --json"));
        assert!(!ends("--base b.npy --queries q.npy") && !ends("--base=b.npy --queries=q.npy"));
    }
}
