//! Lives in which somebody lies: contradiction, poison, repetition.

use super::{
    Manner, Source, Truth,
    life::{Fact, Life},
};

/// Half a life, and then as many denials of what was said as honest writes.
pub(super) fn contradict(life: &mut Life, length: usize) {
    life.live(length / 2);
    while life.facts.len() < 4 {
        life.tell();
    }
    while life.writes.len() < length {
        // The first write of the second half is a denial, so that there is always one.
        if life.writes.len() > length / 2 + 4 && life.random.below(2) == 0 {
            life.step();
        } else {
            deny(life);
        }
    }
}

/// One denial of a fact that holds, in anybody's voice.
fn deny(life: &mut Life) {
    let chosen = life.random.below(life.facts.len());
    let Fact { relation, value: old, latest, .. } = life.facts[chosen];
    let Some(value) = life.other_value(chosen) else { return life.step() };
    let (source, text) = match life.random.below(10) {
        0..4 => (Source::User, life.pick(relation.denies)),
        4..7 => (life.machine(), life.pick(relation.disputes)),
        _ => (life.import(), life.pick(relation.disputes)),
    };
    let truth = Truth::Contradiction { of: latest };
    life.write(source, text, &[("v", value), ("o", old)], truth);
}

/// The wordings of one falsehood, and the fact that it denies.
fn falsehood(life: &mut Life) -> (Vec<String>, Option<usize>) {
    if life.random.below(2) == 0 {
        while life.facts.is_empty() {
            life.tell();
        }
        let chosen = life.random.below(life.facts.len());
        if let Some(value) = life.other_value(chosen) {
            life.facts[chosen].frozen = true;
            let Fact { relation, value: old, .. } = life.facts[chosen];
            // A negation says nothing of its own to insist on: what is pushed is the value.
            let wordings = relation.disputes.iter().chain(relation.notes);
            let wordings = wordings.filter(|text| text.contains("{v}"));
            let given = [("v", value), ("o", old)];
            let texts = wordings.map(|text| life.fill(text, &given)).collect();
            return (texts, Some(chosen));
        }
    }
    let lies = life.tables.lies;
    let lie = lies[life.random.below(lies.len())];
    // One claim has one friend, one number and so on, whatever its wording.
    let joined = lie.join("\u{1e}");
    let joined = life.fill(&joined, &[]);
    (joined.split('\u{1e}').map(str::to_owned).collect(), None)
}

/// A quarter of a life, and then a falsehood in every fourth write, in a burst or spread out.
/// Returns the manner and the first write of what is denied.
pub(super) fn poison(life: &mut Life, length: usize) -> (Manner, Option<usize>) {
    life.live(length / 4);
    let manner = [Manner::Verbatim, Manner::Paraphrased, Manner::ManyNames][life.random.below(3)];
    let (texts, chosen) = falsehood(life);
    let denied = chosen.map(|fact| life.facts[fact].first);
    let source = adversary(life);
    let sentence = texts[life.random.below(texts.len())].clone();
    // Some come in one afternoon, others over weeks.
    let one_in = 2 + life.random.below(5);
    let mut poisoned = 0;
    while life.writes.len() < length {
        if life.random.below(one_in) == 0 && poisoned < length / 4 {
            poisoned += 1;
            let said = match manner {
                Manner::Verbatim => sentence.clone(),
                _ => texts[life.random.below(texts.len())].clone(),
            };
            let source = match manner {
                Manner::ManyNames => adversary(life),
                _ => source.clone(),
            };
            if manner != Manner::Verbatim && life.random.below(3) == 0 {
                let frame = life.pick(life.tables.frames);
                life.write(source, frame, &[("s", &said)], Truth::Poison);
            } else {
                life.write_text(source, said, Truth::Poison);
            }
        } else if let Some(fact) = chosen.filter(|_| life.random.below(12) == 0) {
            life.restate_fact(fact);
        } else {
            life.step();
        }
    }
    (manner, denied)
}

/// A third of a life, and then 5 to 60 copies of one sentence from one source. Returns the first
/// write of what is denied.
pub(super) fn repeat(life: &mut Life, length: usize) -> Option<usize> {
    life.live(length / 3);
    let (texts, chosen) = falsehood(life);
    let sentence = texts[life.random.below(texts.len())].clone();
    let source = adversary(life);
    let rest = length - life.writes.len();
    let mut copies = (5 + life.random.below(56)).min(rest);
    while life.writes.len() < length {
        let rest = length - life.writes.len();
        // Each place is as likely as another to hold one of the copies.
        if life.random.below(rest) < copies {
            copies -= 1;
            life.write_text(source.clone(), sentence.clone(), Truth::Repetition);
        } else {
            life.step();
        }
    }
    chosen.map(|fact| life.facts[fact].first)
}

/// A name for whoever lies: that of a page or file, or one that poses as more.
fn adversary(life: &mut Life) -> Source {
    if life.random.below(2) == 0 {
        return life.import();
    }
    let pose = life.pick(life.tables.poses).to_owned();
    if pose.contains("://") { Source::Page(pose) } else { Source::File(pose) }
}
