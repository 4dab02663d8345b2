//! Which crate every byte of a module comes from.
//!
//! Function bodies are counted under the crate that their symbol names; what
//! was inlined counts where it ended up. The rest of the module is counted by
//! section.

use crate::process::Outcome;
use std::collections::{BTreeMap, HashMap};
use wasmparser::{KnownCustom, Name, Parser, Payload};

/// The crate whose modules are weighed apart.
const BY_PART: &str = "clawft_agent";

/// What a module consists of.
struct Parts {
    /// Symbol and bytes of each function.
    functions: Vec<(String, usize)>,
    /// Bytes of the data section.
    constants: usize,
    /// Bytes of the other sections that ship.
    other: usize,
}

/// Bytes by crate (functions) and by section (the rest), largest first.
pub(crate) fn weigh(module: &[u8]) -> Outcome<Vec<(String, usize)>> {
    let parts = parse(module)?;
    let mut weights = BTreeMap::<String, usize>::new();
    for (symbol, bytes) in &parts.functions {
        *weights.entry(crate_of(symbol)).or_default() += bytes;
    }
    weights.insert("(constants)".into(), parts.constants);
    weights.insert("(types, exports, tables)".into(), parts.other);
    Ok(sorted(weights))
}

/// Bytes by function, largest first; generic ones of the same name are added up.
pub(crate) fn weigh_functions(module: &[u8]) -> Outcome<Vec<(String, usize)>> {
    let mut weights = BTreeMap::<String, usize>::new();
    for (symbol, bytes) in parse(module)?.functions {
        *weights.entry(plain(&symbol)).or_default() += bytes;
    }
    Ok(sorted(weights))
}

fn sorted(weights: BTreeMap<String, usize>) -> Vec<(String, usize)> {
    let mut weights: Vec<_> = weights.into_iter().collect();
    weights.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    weights
}

fn parse(module: &[u8]) -> Outcome<Parts> {
    let broken = |error: wasmparser::BinaryReaderError| format!("the module: {error}");
    let mut parts = Parts { functions: Vec::new(), constants: 0, other: 0 };
    let mut imported = 0;
    let mut names = HashMap::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(broken)? {
            Payload::CodeSectionEntry(body) => {
                parts.functions.push((String::new(), body.range().len()));
            }
            Payload::CodeSectionStart { .. } => {}
            Payload::ImportSection(section) => imported = section.count(),
            Payload::DataSection(section) => parts.constants = section.range().len(),
            Payload::CustomSection(section) => {
                let KnownCustom::Name(section) = section.as_known() else { continue };
                for name in section {
                    let Name::Function(functions) = name.map_err(broken)? else { continue };
                    for function in functions {
                        let function = function.map_err(broken)?;
                        names.insert(function.index, function.name.to_string());
                    }
                }
            }
            other => parts.other += other.as_section().map_or(0, |(_, range)| range.len()),
        }
    }
    for (index, (symbol, _)) in parts.functions.iter_mut().enumerate() {
        *symbol = names.remove(&(imported + index as u32)).unwrap_or_default();
    }
    Ok(parts)
}

/// The crate in a symbol: the first name that a `::` follows.
fn crate_of(symbol: &str) -> String {
    let name = plain(symbol);
    if name.starts_with("clawft_") && !name.contains("::") {
        // An export of the C ABI keeps its plain name.
        return "clawft (exports)".into();
    }
    if name.contains('#') && name.contains('@') {
        // One of a component: `interface@version#function`.
        return "(component exports)".into();
    }
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let crates = name.split("::").map(|part| {
        let start = part.rfind(|letter| !is_part(letter)).map_or(0, |at| at + 1);
        &part[start..]
    });
    let mut crates = crates.take(name.matches("::").count());
    match crates.find(|name| !name.is_empty()) {
        // One crate with many parts: each is weighed.
        Some(BY_PART) => match crates.next() {
            Some(part) if part.starts_with(|first: char| first.is_ascii_lowercase()) => {
                format!("{BY_PART}::{part}")
            }
            _ => BY_PART.into(),
        },
        Some(name) => name.into(),
        None => "(other)".into(),
    }
}

/// A symbol as a person reads it, without its hash.
fn plain(symbol: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(symbol))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_crate_in_symbols_of_every_kind() {
        for (symbol, expected) in [
            ("clawft_search", "clawft (exports)"),
            ("_ZN11clawft_hnsw6search6Search3run17h0123456789abcdefE", "clawft_hnsw"),
            ("_RNvNtCs1234_11clawft_hnsw6search3run", "clawft_hnsw"),
            ("core::fmt::Formatter::pad", "core"),
            ("<clawft_vectors::Error as core::fmt::Display>::fmt", "clawft_vectors"),
            ("<&mut talc::base::Talc<A> as B>::c", "talc"),
            ("<u64 as core::convert::TryInto<usize>>::try_into", "core"),
            ("clawft_agent::turn::answer", "clawft_agent::turn"),
            ("<clawft_agent::memory::Memory>::recall::{closure#0}", "clawft_agent::memory"),
            ("wasi:cli/run@0.2.12#run", "(component exports)"),
            ("memcpy", "(other)"),
            ("", "(other)"),
        ] {
            assert_eq!(crate_of(symbol), expected, "{symbol}");
        }
    }

    #[test]
    fn counts_bodies_under_their_crates() {
        // (module (func $a::f) (func $b::g nop nop)) with a name section.
        let module = [
            b"\0asm\x01\0\0\0".as_slice(),
            &[1, 4, 1, 0x60, 0, 0],
            &[3, 3, 2, 0, 0],
            &[10, 9, 2, 2, 0, 0x0b, 4, 0, 1, 1, 0x0b],
            &[0, 20, 4],
            b"name",
            &[1, 13, 2, 0, 4],
            b"a::f",
            &[1, 4],
            b"b::g",
        ]
        .concat();
        let weights = weigh(&module).unwrap();
        let of = |name: &str| weights.iter().find(|one| one.0 == name).map(|one| one.1);
        assert_eq!(of("a"), Some(2));
        assert_eq!(of("b"), Some(4));
    }

    #[test]
    fn refuses_what_is_no_module() {
        assert!(weigh(b"\x7fELF").is_err());
    }
}
