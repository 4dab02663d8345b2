//! A core module made a component, and nothing in it but what runs.
//!
//! The linker could make it one by itself, but `wasm-opt` takes no components: so the core is linked
//! alone, optimised, and wrapped here.

use crate::names;
use crate::process::Outcome;

/// The ids of sections in a module or component that count here.
const CUSTOM: u8 = 0;
const CORE_MODULE: u8 = 1;
const COMPONENT: u8 = 4;
/// Magic, version and layer.
const HEAD: usize = 8;
/// The head of a core module; a component has another layer.
const MODULE: &[u8; HEAD] = b"\0asm\x01\0\0\0";

/// Wraps a core module, in whose custom sections the bindings have described its interfaces.
pub(crate) fn wrap(core: &[u8]) -> Outcome<Vec<u8>> {
    names::shorten(&strip(&encode(core)?)?)
}

/// The component as the library makes it, with all names.
pub(crate) fn encode(core: &[u8]) -> Outcome<Vec<u8>> {
    let mut encoder = wit_component::ComponentEncoder::default();
    let component = encoder.validate(true).module(core).and_then(|encoder| encoder.encode());
    component.map_err(|error| format!("the component: {error:#}"))
}

/// Without custom sections, those of what it contains included.
pub(crate) fn strip(binary: &[u8]) -> Outcome<Vec<u8>> {
    let (head, rest) =
        binary.split_at_checked(HEAD).ok_or("the component has fewer bytes than a head")?;
    let mut out = head.to_vec();
    for Section { id, content } in sections(rest)? {
        match id {
            CUSTOM => {}
            CORE_MODULE | COMPONENT if head != MODULE => {
                write_section(&mut out, id, &strip(content)?);
            }
            id => write_section(&mut out, id, content),
        }
    }
    Ok(out)
}

/// A section of a module or component.
pub(crate) struct Section<'a> {
    pub(crate) id: u8,
    pub(crate) content: &'a [u8],
}

/// All that is behind a head.
pub(crate) fn sections(mut rest: &[u8]) -> Outcome<Vec<Section<'_>>> {
    let mut all = Vec::new();
    while let [id, after @ ..] = rest {
        let (len, content) = unsigned(after).ok_or("a section of the component has no length")?;
        let (content, next) = content
            .split_at_checked(len)
            .ok_or("a section of the component is longer than the rest of it")?;
        all.push(Section { id: *id, content });
        rest = next;
    }
    Ok(all)
}

pub(crate) fn write_section(out: &mut Vec<u8>, id: u8, content: &[u8]) {
    out.push(id);
    write_unsigned(out, content.len());
    out.extend(content);
}

/// A number in LEB128.
pub(crate) fn write_unsigned(out: &mut Vec<u8>, mut value: usize) {
    while value > 0x7F {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A number in LEB128, and what follows it.
pub(crate) fn unsigned(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_sections_go_at_every_depth() {
        let inner = [MODULE.as_slice(), &[0, 2, 1, b'n'], &[1, 1, 0]].concat();
        let bare = [MODULE.as_slice(), &[1, 1, 0]].concat();
        let outer = |inner: &[u8]| {
            let mut out = b"\0asm\x0d\0\x01\0".to_vec();
            write_section(&mut out, CORE_MODULE, inner);
            out
        };
        let named = [outer(&inner), vec![0, 3, 1, b'x', b'y']].concat();
        assert_eq!(strip(&named).unwrap(), outer(&bare));
        assert!(strip(&named[..named.len() - 1]).is_err());
        assert!(strip(b"\0asm").is_err());
    }

    #[test]
    fn lengths_of_several_bytes_are_kept() {
        let long = [MODULE.as_slice(), &[0, 0x80, 0x01], &[7; 128], &[1, 1, 0]].concat();
        assert_eq!(strip(&long).unwrap(), [MODULE.as_slice(), &[1, 1, 0]].concat());
        assert_eq!(unsigned(&[0xFF; 9]), None);
    }
}
