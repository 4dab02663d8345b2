//! Short names between the parts of a component.
//!
//! A component says what its core module is given by names: `wasi:http/types@0.2.12` and
//! `[method]fields.append` stand in the core's imports, in the instance that is made of the host's
//! functions, and once more where that is handed to the core; what the core exports is called by
//! such names too. Nobody outside sees them, so they become `A`, `B` and so on, everywhere the same
//! one: 11 KB less. Names of types and interfaces, which hosts do see, stay.
//!
//! What it must never do: rename what a host sees, or the core's `clawft_*`.

use std::collections::BTreeMap;

use crate::component::{Section, sections, write_section, write_unsigned};
use crate::process::Outcome;

/// Ids of sections within a component.
const CORE_MODULE: u8 = 1;
const CORE_INSTANCE: u8 = 2;
const ALIAS: u8 = 6;
/// Ids of sections within a core module.
const IMPORT: u8 = 2;
const EXPORT: u8 = 7;
/// A function, among what a core module imports and exports.
const FUNCTION: u8 = 0;
/// Magic, version and layer.
const HEAD: usize = 8;

/// Renames in a component whose first core module is the program.
pub(crate) fn shorten(component: &[u8]) -> Outcome<Vec<u8>> {
    let mut names = Names::default();
    let mut out = component[..HEAD].to_vec();
    let mut is_program = true;
    for Section { id, content } in sections(&component[HEAD..])? {
        let content = match id {
            CORE_MODULE if std::mem::take(&mut is_program) => program(content, &mut names)?,
            CORE_INSTANCE => each(content, |reader, out| instance(reader, out, &names))?,
            ALIAS => each(content, |reader, out| alias(reader, out, &names))?,
            _ => content.to_vec(),
        };
        write_section(&mut out, id, &content);
    }
    Ok(out)
}

/// What was renamed.
#[derive(Default)]
struct Names(BTreeMap<Vec<u8>, Vec<u8>>);

impl Names {
    /// Gives a name that is imported, or exported as that of an interface, a short one.
    fn give(&mut self, name: &[u8]) {
        let mut number = self.0.len();
        let mut short = Vec::new();
        // Upper case: what keeps its name has letters in lower case.
        loop {
            short.push(b'A' + (number % 26) as u8);
            number /= 26;
            if number == 0 {
                break;
            }
        }
        self.0.entry(name.to_vec()).or_insert(short);
    }

    fn write(&self, name: &[u8], out: &mut Vec<u8>) {
        let name = self.0.get(name).map_or(name, Vec::as_slice);
        write_unsigned(out, name.len());
        out.extend(name);
    }
}

/// The program: its imports get names, and of its exports those of interfaces.
fn program(module: &[u8], names: &mut Names) -> Outcome<Vec<u8>> {
    let all = sections(&module[HEAD..])?;
    for Section { id, content } in &all {
        match *id {
            IMPORT => each(content, |reader, _| {
                names.give(reader.name()?);
                names.give(reader.name()?);
                reader.function().map(drop)
            })?,
            EXPORT => each(content, |reader, _| {
                let name = reader.name()?;
                if name.contains(&b':') {
                    names.give(name);
                }
                reader.entity().map(drop)
            })?,
            _ => Vec::new(),
        };
    }
    let mut out = module[..HEAD].to_vec();
    for Section { id, content } in all {
        let content = match id {
            IMPORT => each(content, |reader, out| {
                names.write(reader.name()?, out);
                names.write(reader.name()?, out);
                out.extend(reader.function()?);
                Some(())
            })?,
            EXPORT => each(content, |reader, out| {
                names.write(reader.name()?, out);
                out.extend(reader.entity()?);
                Some(())
            })?,
            _ => content.to_vec(),
        };
        write_section(&mut out, id, &content);
    }
    Ok(out)
}

/// An instance of a module with what it is given, or one that is made of single things.
fn instance(reader: &mut Reader<'_>, out: &mut Vec<u8>, names: &Names) -> Option<()> {
    let is_made = reader.byte()?;
    out.push(is_made);
    if is_made == 0 {
        write_unsigned(out, reader.number()?);
    }
    let count = reader.number()?;
    write_unsigned(out, count);
    for _ in 0..count {
        names.write(reader.name()?, out);
        out.extend(reader.entity()?);
    }
    Some(())
}

fn alias(reader: &mut Reader<'_>, out: &mut Vec<u8>, names: &Names) -> Option<()> {
    let sort = reader.byte()?;
    out.push(sort);
    if sort == 0 {
        // A sort of the core has a number of its own.
        out.push(reader.byte()?);
    }
    let target = reader.byte()?;
    out.push(target);
    write_unsigned(out, reader.number()?);
    match target {
        0 => Names::default().write(reader.name()?, out),
        1 => names.write(reader.name()?, out),
        _ => write_unsigned(out, reader.number()?),
    }
    Some(())
}

/// Writes each item of a section anew.
fn each(
    content: &[u8],
    mut item: impl FnMut(&mut Reader<'_>, &mut Vec<u8>) -> Option<()>,
) -> Outcome<Vec<u8>> {
    let mut reader = Reader(content);
    let mut out = Vec::new();
    let mut all = || {
        let count = reader.number()?;
        write_unsigned(&mut out, count);
        (0..count).try_for_each(|_| item(&mut reader, &mut out))
    };
    match (all(), reader.0) {
        (Some(()), []) => Ok(out),
        _ => Err("a section of the component holds what is not known here".into()),
    }
}

/// What is left of a section.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn number(&mut self) -> Option<usize> {
        let (number, rest) = crate::component::unsigned(self.0)?;
        self.0 = rest;
        Some(number)
    }

    fn name(&mut self) -> Option<&'a [u8]> {
        let len = self.number()?;
        let (name, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(name)
    }

    /// A sort and a number, as they are.
    fn entity(&mut self) -> Option<&'a [u8]> {
        let before = self.0;
        self.byte()?;
        self.number()?;
        before.get(..before.len() - self.0.len())
    }

    /// The same of a function: nothing else is imported.
    fn function(&mut self) -> Option<&'a [u8]> {
        self.entity().filter(|entity| entity[0] == FUNCTION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Vec<u8> {
        [&[text.len() as u8], text.as_bytes()].concat()
    }

    #[test]
    fn what_belongs_together_keeps_together() {
        let imports = [&[1][..], &name("a:b/c"), &name("[method]d"), &[0, 0]].concat();
        let exports = [&[2][..], &name("e:f#g"), &[0, 0], &name("clawft_run"), &[0, 0]].concat();
        let mut core = b"\0asm\x01\0\0\0".to_vec();
        write_section(&mut core, IMPORT, &imports);
        write_section(&mut core, EXPORT, &exports);
        let of_host = [&[2, 1, 1][..], &name("[method]d"), &[0, 0]].concat();
        let given = [&[0, 0, 1][..], &name("a:b/c"), &[0x12, 0]].concat();
        let core_alias = [&[2, 0, 0, 1, 1][..], &name("e:f#g")].concat();
        let seen_alias = [&[1, 0, 0][..], &name("e:f#g")].concat();
        let mut component = b"\0asm\x0d\0\x01\0".to_vec();
        write_section(&mut component, CORE_MODULE, &core);
        write_section(&mut component, CORE_INSTANCE, &[of_host, given].concat());
        write_section(&mut component, ALIAS, &[core_alias, seen_alias].concat());
        let short = shorten(&component).unwrap();
        let has = |text: &str| short.windows(text.len()).any(|found| found == text.as_bytes());
        assert!(has("clawft_run") && has("\u{5}e:f#g"), "what hosts see stays");
        assert!(!has("a:b/c") && !has("[method]"));
        // An import, an instance; an import, what is given; an export, an alias.
        for one in ["A", "B", "C"] {
            let count = short.windows(2).filter(|found| *found == [1, one.as_bytes()[0]]).count();
            assert_eq!(count, 2, "{one}");
        }
        assert!(shorten(&component[..component.len() - 1]).is_err());
    }
}
