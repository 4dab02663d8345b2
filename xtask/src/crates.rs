//! Which crate every byte of a module comes from.
//!
//! Function bodies are counted under the crate that their symbol names; what
//! was inlined counts where it ended up. The rest of the module is counted by
//! section.

use crate::process::Outcome;
use std::collections::{BTreeMap, HashMap};
use wasmparser::{KnownCustom, Name, Parser, Payload};

/// Bytes by crate (functions) and by section (the rest), largest first.
pub(crate) fn weigh(module: &[u8]) -> Outcome<Vec<(String, usize)>> {
    let broken = |error: wasmparser::BinaryReaderError| format!("the module: {error}");
    let mut bodies = Vec::new();
    let mut imported = 0;
    let mut names = HashMap::new();
    let mut weights = BTreeMap::<String, usize>::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(broken)? {
            Payload::CodeSectionEntry(body) => bodies.push(body.range().len()),
            Payload::ImportSection(section) => {
                imported = section.count();
            }
            Payload::DataSection(section) => {
                *weights.entry("(constants)".into()).or_default() += section.range().len();
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(section) = section.as_known() {
                    for name in section {
                        if let Name::Function(functions) = name.map_err(broken)? {
                            for function in functions {
                                let function = function.map_err(broken)?;
                                names.insert(function.index, function.name.to_string());
                            }
                        }
                    }
                }
            }
            other => {
                if let Some((_, range)) = other.as_section() {
                    let code = matches!(other, Payload::CodeSectionStart { .. });
                    if !code {
                        *weights.entry("(types, exports, tables)".into()).or_default() +=
                            range.len();
                    }
                }
            }
        }
    }
    for (index, bytes) in bodies.into_iter().enumerate() {
        let name = names.get(&(imported + index as u32)).map_or("", String::as_str);
        *weights.entry(crate_of(name)).or_default() += bytes;
    }
    let mut weights: Vec<_> = weights.into_iter().collect();
    weights.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Ok(weights)
}

/// The crate in a symbol: the first path in it.
fn crate_of(symbol: &str) -> String {
    let name = format!("{:#}", rustc_demangle::demangle(symbol));
    if name.starts_with("clawft_") && !name.contains("::") {
        // An export of the C ABI keeps its plain name.
        return "clawft (exports)".into();
    }
    let start = name.find(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    let path = start.map_or("", |at| &name[at..]);
    let path = ["mut ", "dyn "].iter().fold(path, |path, word| path.trim_start_matches(word));
    match path.split_once("::") {
        Some((first, _)) => first.split(['[', '<', ' ']).next().unwrap_or(first).to_string(),
        None => "(other)".into(),
    }
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
