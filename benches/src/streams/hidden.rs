//! Lives in which imported texts speak to the assistant.

use super::{Truth, life::Life};

/// A few honest writes, then imported texts: one in five hides an instruction, and more than one
/// in four is an honest text that looks like it.
pub(super) fn instruct(life: &mut Life, length: usize) {
    life.live(length / 8);
    inject(life);
    while life.writes.len() < length {
        match life.random.below(100) {
            0..20 => inject(life),
            20..48 => life.import_imperative(),
            _ => life.step(),
        }
    }
}

/// One imported text with an instruction in it.
fn inject(life: &mut Life) {
    let source = life.import();
    if life.random.below(5) < 2 {
        let text = life.pick(life.tables.injections);
        life.write(source, text, &[], Truth::Instruction);
        return;
    }
    let payload = life.pick(life.tables.payloads);
    let payload = life.fill(payload, &[]);
    let wrapper = life.pick(life.tables.wrappers);
    life.write(source, wrapper, &[("payload", &payload)], Truth::Instruction);
}
