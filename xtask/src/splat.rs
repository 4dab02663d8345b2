//! Constant vectors in fewer bytes.
//!
//! `v128.const` takes 18 bytes, also where all lanes are the same; an `i32.const` and an
//! `i32x4.splat` say that in 4 to 8, and engines make the same constant of it. The optimiser
//! folds them, so this comes after it.

use crate::process::Outcome;
use wasmparser::{BinaryReaderError, FunctionBody, Operator, Parser, Payload};

const I32_CONST: u8 = 0x41;
const I32X4_SPLAT: [u8; 2] = [0xFD, 0x11];
/// The id of the code section.
const CODE: u8 = 10;

/// The module with its constant vectors shortened.
pub(crate) fn shorten(module: &[u8]) -> Outcome<Vec<u8>> {
    rewrite(module).map_err(|error| format!("the module: {error}"))
}

fn rewrite(module: &[u8]) -> Result<Vec<u8>, BinaryReaderError> {
    let mut out = module.get(..8).unwrap_or(module).to_vec();
    let mut bodies = Vec::new();
    let mut rest = 0;
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::CodeSectionStart { count, .. } => {
                rest = count;
                bodies = unsigned(count as usize);
            }
            Payload::CodeSectionEntry(body) => {
                let body = shorten_body(module, &body)?;
                bodies.extend(unsigned(body.len()));
                bodies.extend(body);
                rest -= 1;
                if rest == 0 {
                    section(&mut out, CODE, &bodies);
                }
            }
            other => {
                if let Some((id, range)) = other.as_section() {
                    section(&mut out, id, &module[range]);
                }
            }
        }
    }
    Ok(out)
}

fn section(out: &mut Vec<u8>, id: u8, content: &[u8]) {
    out.push(id);
    out.extend(unsigned(content.len()));
    out.extend(content);
}

fn shorten_body(module: &[u8], body: &FunctionBody<'_>) -> Result<Vec<u8>, BinaryReaderError> {
    let mut operators = body.get_operators_reader()?;
    let mut at = operators.original_position();
    // The locals first.
    let mut out = module[body.range().start..at].to_vec();
    while !operators.eof() {
        let operator = operators.read()?;
        let end = operators.original_position();
        match operator {
            Operator::V128Const { value } if is_splat(value.bytes()) => {
                out.push(I32_CONST);
                out.extend(signed(value.i128() as i32));
                out.extend(I32X4_SPLAT);
            }
            _ => out.extend(&module[at..end]),
        }
        at = end;
    }
    Ok(out)
}

/// Are all four lanes the same?
fn is_splat(lanes: &[u8; 16]) -> bool {
    lanes[..12] == lanes[4..]
}

/// LEB128.
fn unsigned(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7F {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// LEB128 in two's complement.
fn signed(mut number: i32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !(-64..64).contains(&number) {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8 & 0x7F);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module with one function: `v128.const` of `lanes`, `drop`, `nop`.
    fn module(constant: &[u8]) -> Vec<u8> {
        let body = [&[0], constant, &[0x1A, 1, 0x0B]].concat();
        let code = [&[1], &unsigned(body.len())[..], &body].concat();
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        section(&mut module, 1, &[1, 0x60, 0, 0]);
        section(&mut module, 3, &[1, 0]);
        section(&mut module, CODE, &code);
        section(&mut module, 0, b"\x01xrest");
        module
    }

    fn constant(lanes: [u32; 4]) -> Vec<u8> {
        [vec![0xFD, 0x0C], lanes.map(u32::to_le_bytes).concat()].concat()
    }

    #[test]
    fn a_vector_of_equal_lanes_becomes_a_splat() {
        for (lane, number) in [
            (0, vec![0]),
            (63, vec![63]),
            (64, vec![0xC0, 0]),
            (u32::MAX, vec![0x7F]),
            (0x4B40_0000, vec![0x80, 0x80, 0x80, 0xDA, 4]),
            (0x8000_0000, vec![0x80, 0x80, 0x80, 0x80, 0x78]),
        ] {
            let short = [&[I32_CONST], &number[..], &I32X4_SPLAT].concat();
            assert_eq!(shorten(&module(&constant([lane; 4]))), Ok(module(&short)), "{lane:#x}");
        }
    }

    #[test]
    fn everything_else_stays() {
        let other = module(&constant([1, 2, 1, 2]));
        assert_eq!(shorten(&other), Ok(other));
    }

    #[test]
    fn refuses_what_is_no_module() {
        assert!(shorten(b"\x7fELF").is_err());
    }
}
