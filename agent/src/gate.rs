//! The gate before the memory: permit, defer or deny.
//!
//! | file | what |
//! |---|---|
//! | `words` | a text as it is compared |
//! | `compare` | what a new text says to an old one |
//! | `instruct` | whether a text from elsewhere tells the assistant what to do |
//! | `evidence` | hypotheses, and the e-value of a claim |
//! | `ledger` | what is kept: claims, and a log of decisions |
//!
//! A write is compared with the memories nearest to it. What speaks against it is evidence against its
//! claim; from the e-value of the claim follows the verdict. How well that does, and where it fails,
//! stands in `docs/adr/0024-gate.md`. Nothing here does I/O but `ledger`, through the platform.
//!
//! What it must never do: deny what the person says; count the same evidence twice.

mod compare;
mod evidence;
mod instruct;
mod ledger;
#[cfg(test)]
mod tests;
mod words;

use alloc::vec::Vec;

pub use compare::{Relation, compare};
pub use evidence::{Evidence, HYPOTHESES, Hypotheses, Hypothesis, e_value};
pub use instruct::{ENOUGH, Suspicion, suspicion};
pub use ledger::{Entry, Ledger, MOST_ENTRIES};
pub use words::{Word, Words};

/// Who says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The person, in a session.
    User,
    /// A file or a page, of whatever name: names are given by whoever writes them.
    Import,
    /// The model or a tool.
    Machine,
}

impl Source {
    /// Sorts of source.
    pub const SORTS: usize = 3;
    /// All of them, by their numbers.
    pub const ALL: [Self; Self::SORTS] = [Self::User, Self::Import, Self::Machine];

    /// What a memory's record calls it.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match name {
            "user" => Self::User,
            "import" => Self::Import,
            _ => Self::Machine,
        }
    }

    /// Its name in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Import => "import",
            Self::Machine => "machine",
        }
    }
}

/// A memory near to what is written.
#[derive(Clone, Copy, Debug)]
pub struct Near<'a> {
    /// Its id.
    pub id: u64,
    /// What it says.
    pub text: &'a str,
    /// Who said so.
    pub source: Source,
    /// Cosine of the vectors.
    pub similarity: f32,
    /// It is quarantined: it supports nothing.
    pub quarantined: bool,
}

/// What is to be done with a write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It goes into the memory.
    #[default]
    Permit,
    /// The person is asked; without one it is quarantined.
    Defer,
    /// It does not go into the memory.
    Deny,
}

impl Verdict {
    /// All of them, by their numbers.
    pub const ALL: [Self; 3] = [Self::Permit, Self::Defer, Self::Deny];

    /// Its name in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Permit => "permitted",
            Self::Defer => "deferred",
            Self::Deny => "denied",
        }
    }
}

/// What the gate goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether there is a gate.
    pub on: bool,
    /// How often a claim of an honest source may be denied at most, in thousandths.
    pub alpha: u32,
    /// E-value from which a write is deferred, in thousandths.
    pub defer: u32,
    /// What is supposed of honest sources.
    pub hypotheses: Hypotheses,
}

impl Default for Settings {
    fn default() -> Self {
        Self { on: true, alpha: 50, defer: 4000, hypotheses: HYPOTHESES }
    }
}

impl Settings {
    /// What follows from an e-value in thousandths. A person is asked, never denied.
    fn verdict(&self, e: u64, may_deny: bool) -> Verdict {
        if may_deny && e.saturating_mul(self.alpha.into()) >= 1_000_000 {
            Verdict::Deny
        } else if e >= self.defer.into() {
            Verdict::Defer
        } else {
            Verdict::Permit
        }
    }
}

/// A claim of which there is evidence.
#[derive(Clone, Debug, PartialEq)]
struct Claim {
    key: u64,
    seen: [Option<u8>; Source::SORTS],
}

/// A decision and the numbers behind it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// What is to be done.
    pub verdict: Verdict,
    /// Evidence of this write, a bit each.
    pub evidence: u8,
    /// The e-value of its claim, in thousandths.
    pub e: u64,
    /// The memory that it denies or differs from.
    pub against: Option<u64>,
    /// A memory of another sort of source that says the same.
    pub support: Option<u64>,
    /// Memories of the same claim that are to be quarantined with it.
    pub also: Vec<u64>,
}

/// The gate.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    /// What it goes by.
    pub settings: Settings,
    claims: Vec<Claim>,
}

/// Most claims that are known.
pub const MOST_CLAIMS: usize = 64;

impl Gate {
    /// A gate that knows of no claim.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, claims: Vec::new() }
    }

    /// Claims that are known.
    #[must_use]
    pub fn claims(&self) -> usize {
        self.claims.len()
    }

    /// Judges a write; `near` are the memories nearest to it, quarantined ones too.
    pub fn judge(&mut self, text: &str, source: Source, near: &[Near<'_>]) -> Decision {
        let words = Words::of(text);
        let mut found = Found::default();
        for near in near {
            found.look(&words, source, near);
        }
        let by_user = source == Source::User;
        let mut seen = 0;
        // Where somebody else says the same, it is an older memory that is out of date.
        if found.support.is_none() || words.denies || words.ever {
            seen |= match (found.denied, found.other) {
                (Some(_), _) => Evidence::Denies.bit(),
                (None, Some(_)) if !by_user && found.support.is_none() => Evidence::Differs.bit(),
                _ => 0,
            };
        }
        if !by_user {
            if !found.corroborated && !found.same.is_empty() {
                seen |= Evidence::Insists.bit();
            }
            seen |= commanded(text);
        }
        let e = self.add(words.key(), source, seen);
        // What was doubted once stays in doubt until the person has said it too.
        let doubted = seen != 0 || !by_user && !found.by_user;
        let verdict = match self.settings.verdict(e, !by_user) {
            verdict if doubted => verdict,
            _ => Verdict::Permit,
        };
        let also = if verdict == Verdict::Permit { Vec::new() } else { found.same };
        let against = found.denied.or(found.other);
        Decision { verdict, evidence: seen, e, against, support: found.support, also }
    }

    /// Judges a call of a tool that changes something; `read` is what the model has read since the
    /// person spoke last, which may have told it to.
    #[must_use]
    pub fn judge_call(&self, read: &[&str]) -> Decision {
        let seen = read.iter().fold(0, |seen, text| seen | commanded(text));
        let e = e_value(&[Some(seen), None, None], &self.settings.hypotheses);
        let verdict = match seen {
            0 => Verdict::Permit,
            _ => self.settings.verdict(e, true),
        };
        Decision { verdict, evidence: seen, e, against: None, support: None, also: Vec::new() }
    }

    /// The e-value of a claim, with what was seen of it.
    fn add(&mut self, key: u64, source: Source, seen: u8) -> u64 {
        let hypotheses = &self.settings.hypotheses;
        let at = self.claims.iter().position(|claim| claim.key == key);
        let at = at.unwrap_or_else(|| {
            if self.claims.len() == MOST_CLAIMS {
                // What speaks least against anybody goes, and of that the oldest.
                let e = |at: &usize| e_value(&self.claims[*at].seen, hypotheses);
                self.claims.remove((0..MOST_CLAIMS).min_by_key(e).unwrap_or(0));
            }
            self.claims.push(Claim { key, seen: [None; Source::SORTS] });
            self.claims.len() - 1
        });
        let Some(claim) = self.claims.get_mut(at) else { return 1000 };
        let one = &mut claim.seen[source as usize];
        *one = Some(one.unwrap_or(0) | seen);
        e_value(&claim.seen, hypotheses)
    }
}

/// What the memories near to a write say of it.
#[derive(Default)]
struct Found {
    /// One that it denies, and one from which it differs.
    denied: Option<u64>,
    other: Option<u64>,
    /// One of another sort of source that says the same, and whether a person's does.
    support: Option<u64>,
    by_user: bool,
    /// Somebody of another sort says the same, in quarantine or not.
    corroborated: bool,
    /// Those of the same sort of source that say the same and are not quarantined yet.
    same: Vec<u64>,
}

impl Found {
    fn look(&mut self, words: &Words, source: Source, near: &Near<'_>) {
        let old = Words::of(near.text);
        let by_user = source == Source::User;
        let id = Some(near.id);
        match compare(words, &old, near.similarity) {
            Relation::Agrees if near.source != source || by_user => {
                self.corroborated = true;
                if !near.quarantined {
                    self.support = self.support.or(id);
                    self.by_user |= near.source == Source::User;
                }
            }
            Relation::Agrees => self.same.push(near.id),
            _ if near.quarantined => {}
            // The one who knows it best gives another value: it has changed.
            Relation::Contradicts if by_user && !words.ever && words.gives(&old) => {}
            Relation::Contradicts => self.denied = self.denied.or(id),
            Relation::Updates if !by_user => self.denied = self.denied.or(id),
            Relation::Differs => self.other = self.other.or(id),
            _ => {}
        }
    }
}

/// The evidence that a text tells the assistant what to do.
fn commanded(text: &str) -> u8 {
    let found = suspicion(text);
    let commands = if found.points >= ENOUGH { Evidence::Commands.bit() } else { 0 };
    commands | if found.hidden { Evidence::Hides.bit() } else { 0 }
}
