//! An honest life: facts, their restatements and changes, events, opinions and documents.

use super::{
    Kind, Source, Truth, Write,
    fill::{self, date, fill},
    tables::{Relation, Tables},
};
use crate::random::Random;

/// Days on which things happen.
const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A fact of the life as it stands.
pub(super) struct Fact {
    pub(super) relation: &'static Relation,
    pub(super) value: &'static str,
    /// Values that it has had or that an adversary has claimed.
    pub(super) taken: Vec<&'static str>,
    /// The first and the latest true write that states it.
    pub(super) first: usize,
    pub(super) latest: usize,
    /// Whether the user has changed or corrected it.
    corrected: bool,
    /// Whether it stays as it is: an adversary has chosen it.
    pub(super) frozen: bool,
}

/// The people and things of one life.
struct Cast {
    name: &'static str,
    partner: &'static str,
    child: &'static str,
    pet: &'static str,
    boss: &'static str,
    project: &'static str,
}

/// Wordings that are not said yet: nobody has the same day twice.
type Deck = Vec<&'static str>;

/// Slots of what no page on the web says.
const PRIVATE: [&str; 8] =
    ["{name}", "{partner}", "{child}", "{pet}", "{boss}", "{friend}", "{colleague}", "{project}"];

/// A life that is being written down.
pub(super) struct Life {
    pub(super) tables: &'static Tables,
    pub(super) random: Random,
    pub(super) writes: Vec<Write>,
    pub(super) facts: Vec<Fact>,
    cast: Cast,
    untold: Vec<&'static Relation>,
    events: Deck,
    opinions: Deck,
    records: Vec<(Option<usize>, &'static str)>,
    plain: Deck,
    articles: Vec<(usize, &'static str)>,
    imperative: Deck,
    time: u64,
    session: u32,
    left: usize,
}

impl Life {
    /// A life of which nothing is told yet.
    pub(super) fn new(tables: &'static Tables, kind: Kind, seed: u64) -> Self {
        // Streams of one seed and several kinds are different lives.
        let mut random = Random::new(seed ^ (kind as u64 + 1).wrapping_mul(0xa076_1d64_78bd_642f));
        let cast = Cast {
            name: pick(&mut random, tables.names),
            partner: pick(&mut random, tables.partners),
            child: pick(&mut random, tables.children),
            pet: pick(&mut random, tables.pets),
            boss: pick(&mut random, tables.bosses),
            project: pick(&mut random, tables.projects),
        };
        let mut untold: Vec<_> = tables.relations.iter().collect();
        random.shuffle(&mut untold);
        // Some day of 2024 or 2025, in the morning.
        let time = 1_704_096_000 + 86_400 * random.below(600) as u64 + random.below(14_400) as u64;
        let left = 4 + random.below(6);
        let mut deck = |list: &[&'static str]| {
            let mut deck = list.to_vec();
            random.shuffle(&mut deck);
            deck
        };
        let (events, opinions) = (deck(tables.events), deck(tables.opinions));
        let (plain, imperative) = (deck(tables.plain), deck(tables.imperative));
        let mut records = tables.records.to_vec();
        random.shuffle(&mut records);
        let mut articles = tables.articles.to_vec();
        random.shuffle(&mut articles);
        Life {
            tables,
            random,
            writes: Vec::new(),
            facts: Vec::new(),
            cast,
            untold,
            events,
            opinions,
            records,
            plain,
            articles,
            imperative,
            time,
            session: 0,
            left,
        }
    }

    /// Goes on until there are `length` writes.
    pub(super) fn live(&mut self, length: usize) {
        while self.writes.len() < length {
            self.step();
        }
    }

    /// One honest write.
    pub(super) fn step(&mut self) {
        match self.random.below(100) {
            0..26 => self.tell(),
            26..45 => self.restate(),
            45..52 => self.change(),
            52..69 => {
                let text = self.events.pop();
                self.tell_or_restate(Source::User, text);
            }
            69..80 => {
                let text = self.opinions.pop();
                self.tell_or_restate(Source::User, text);
            }
            80..88 => {
                let (tool, text) = self.records.pop().unzip();
                let source = match tool.flatten() {
                    Some(tool) => Source::Tool(self.tables.tools[tool].to_owned()),
                    None => Source::Model,
                };
                self.tell_or_restate(source, text);
            }
            88..95 => {
                let source = self.file();
                let text = self.plain.pop();
                self.tell_or_restate(source, text);
            }
            _ => {
                let (page, text) = self.articles.pop().unzip();
                let address = self.tables.pages[page.unwrap_or(0)].to_owned();
                self.tell_or_restate(Source::Page(address), text);
            }
        }
    }

    /// Imports an honest text that commands, quotes or discusses instructions.
    pub(super) fn import_imperative(&mut self) {
        let text = self.imperative.pop();
        // No page knows these people.
        let private = text.is_some_and(|text| PRIVATE.iter().any(|slot| text.contains(slot)));
        let source = if private { self.file() } else { self.import() };
        self.tell_or_restate(source, text);
    }

    /// Writes this, or restates a fact when there is nothing left to write.
    fn tell_or_restate(&mut self, source: Source, text: Option<&'static str>) {
        match text {
            Some(text) => _ = self.write(source, text, &[], Truth::Honest),
            None => self.restate(),
        }
    }

    /// Tells a fact for the first time, or restates one when all are told.
    pub(super) fn tell(&mut self) {
        let Some(relation) = self.untold.pop() else { return self.restate() };
        let value = self.pick(relation.values);
        let (source, text) = self.voice(relation);
        let first = self.write(source, text, &[("v", value)], Truth::Honest);
        let taken = vec![value];
        self.facts.push(Fact {
            relation,
            value,
            taken,
            first,
            latest: first,
            corrected: false,
            frozen: false,
        });
    }

    /// Says a fact again as it stands, now and then to the letter.
    fn restate(&mut self) {
        if self.facts.is_empty() {
            return self.tell();
        }
        let chosen = self.random.below(self.facts.len());
        self.restate_fact(chosen);
    }

    /// Says this fact again as it stands.
    pub(super) fn restate_fact(&mut self, chosen: usize) {
        let Fact { relation, value, latest, .. } = self.facts[chosen];
        let before = self.writes[latest].clone();
        let literal = self.random.below(7) == 0 && before.truth == Truth::Honest;
        self.facts[chosen].latest = if literal {
            self.write_text(before.source, before.text, Truth::Honest)
        } else {
            let (mut source, mut wording) = self.voice(relation);
            let mut text = self.fill(wording, &[("v", value)]);
            while text == before.text {
                (source, wording) = self.voice(relation);
                text = self.fill(wording, &[("v", value)]);
            }
            self.write_text(source, text, Truth::Honest)
        };
    }

    /// The user changes or corrects a fact.
    fn change(&mut self) {
        let stays = |fact: &Fact| fact.frozen || (fact.corrected && fact.relation.lasting);
        let open: Vec<usize> =
            (0..self.facts.len()).filter(|&fact| !stays(&self.facts[fact])).collect();
        if open.is_empty() {
            return self.tell();
        }
        let chosen = open[self.random.below(open.len())];
        let Some(value) = self.other_value(chosen) else { return self.restate() };
        let Fact { relation, value: old, latest, .. } = self.facts[chosen];
        let text = self.pick(relation.changes);
        let truth = Truth::Correction { of: latest };
        let at = self.write(Source::User, text, &[("v", value), ("o", old)], truth);
        let fact = &mut self.facts[chosen];
        fact.value = value;
        fact.latest = at;
        fact.corrected = true;
    }

    /// A value that this fact has not had, which is taken from now on.
    pub(super) fn other_value(&mut self, chosen: usize) -> Option<&'static str> {
        let fact = &mut self.facts[chosen];
        let free: Vec<&'static str> =
            fact.relation.values.iter().copied().filter(|v| !fact.taken.contains(v)).collect();
        if free.is_empty() {
            return None;
        }
        let value = free[self.random.below(free.len())];
        fact.taken.push(value);
        Some(value)
    }

    /// Somebody honest, and a wording of theirs for a fact.
    fn voice(&mut self, relation: &Relation) -> (Source, &'static str) {
        match self.random.below(10) {
            0..7 => (Source::User, self.pick(relation.says)),
            7 | 8 => (self.machine(), self.pick(relation.notes)),
            _ => (self.file(), self.pick(relation.notes)),
        }
    }

    /// The model or a tool.
    pub(super) fn machine(&mut self) -> Source {
        match self.random.below(3) {
            0 => Source::Tool(self.pick(self.tables.tools).to_owned()),
            _ => Source::Model,
        }
    }

    /// An imported file.
    fn file(&mut self) -> Source {
        Source::File(self.pick(self.tables.files).to_owned())
    }

    /// A page.
    fn page(&mut self) -> Source {
        Source::Page(self.pick(self.tables.pages).to_owned())
    }

    /// An imported file or a page.
    pub(super) fn import(&mut self) -> Source {
        match self.random.below(2) {
            0 => self.page(),
            _ => self.file(),
        }
    }

    /// One of a list.
    pub(super) fn pick(&mut self, list: &[&'static str]) -> &'static str {
        pick(&mut self.random, list)
    }

    /// Appends a write of `text` with its slots filled, and returns its index.
    pub(super) fn write(
        &mut self,
        source: Source,
        text: &str,
        given: &[(&str, &str)],
        truth: Truth,
    ) -> usize {
        let text = self.fill(text, given);
        self.write_text(source, text, truth)
    }

    /// Appends a write of just this text, and returns its index.
    pub(super) fn write_text(&mut self, source: Source, text: String, truth: Truth) -> usize {
        if self.left == 0 {
            self.left = 4 + self.random.below(6);
            self.session += 1;
            self.time += 4 * 3_600 + self.random.below(2 * 86_400) as u64;
        }
        self.left -= 1;
        self.time += 20 + self.random.below(500) as u64;
        self.writes.push(Write { source, session: self.session, time: self.time, text, truth });
        self.writes.len() - 1
    }

    /// `text` with the slots that are given, those of the life and those of the write.
    pub(super) fn fill(&mut self, text: &str, given: &[(&str, &str)]) -> String {
        let tables = self.tables;
        let friend = self.pick(tables.friends);
        let colleague = self.pick(tables.colleagues);
        let place = self.pick(tables.places);
        let dish = self.pick(tables.dishes);
        let thing = self.pick(tables.things);
        let day = self.pick(&DAYS);
        let soon = date(self.time + 86_400 * (3 + self.random.below(20)) as u64);
        let today = date(self.time);
        let n = (2 + self.random.below(8)).to_string();
        let big = (11 + self.random.below(970)).to_string();
        let payload = given.iter().find(|(name, _)| *name == "payload").map_or("", |pair| pair.1);
        let filled = fill(text, &|name| {
            if let Some((_, value)) = given.iter().find(|(given, _)| *given == name) {
                return Some((*value).to_owned());
            }
            let value = match name {
                "name" => self.cast.name,
                "partner" => self.cast.partner,
                "child" => self.cast.child,
                "pet" => self.cast.pet,
                "boss" => self.cast.boss,
                "project" => self.cast.project,
                "friend" => friend,
                "colleague" => colleague,
                "place" => place,
                "dish" => dish,
                "thing" => thing,
                "day" => day,
                "date" => &today,
                "soon" => &soon,
                "n" => &n,
                "big" => &big,
                "base64" => return Some(fill::base64(payload)),
                "hex" => return Some(fill::hex(payload)),
                "zero" => return Some(fill::interleaved(payload, '\u{200b}')),
                "joiner" => return Some(fill::interleaved(payload, '\u{2060}')),
                "tags" => return Some(fill::tags(payload)),
                _ => return None,
            };
            Some(value.to_owned())
        });
        if text.starts_with('{') { capital(&filled) } else { filled }
    }
}

/// `text` with a capital at its start.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// One of a list.
fn pick(random: &mut Random, list: &[&'static str]) -> &'static str {
    list[random.below(list.len())]
}
