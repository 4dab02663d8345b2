//! The keys of the gate, after all others.
//!
//! What it must never do: have a key in another place than its setting, as the place is all that
//! joins the two.

use super::field::Field;
use crate::gate::Settings;

/// Those of the table `gate`. [`Settings::field`] has them in the same order.
pub(super) const KEYS: &[&str] = &[
    "gate.on",
    "gate.alpha",
    "gate.defer",
    "gate.differs_honest",
    "gate.differs_stake",
    "gate.insists_honest",
    "gate.insists_stake",
    "gate.denies_honest",
    "gate.denies_stake",
    "gate.commands_honest",
    "gate.commands_stake",
    "gate.hides_honest",
    "gate.hides_stake",
];

impl Settings {
    /// The setting of a key, by the key's place in [`KEYS`].
    pub(super) fn field(&mut self, at: usize) -> Field<'_> {
        match at {
            0 => Field::Truth(&mut self.on),
            1 => Field::Whole(&mut self.alpha, 1, 500),
            2 => Field::Whole(&mut self.defer, 1000, 1_000_000),
            _ => {
                let of = (at - 3) / 2 % self.hypotheses.len();
                let hypothesis = &mut self.hypotheses[of];
                match at % 2 {
                    1 => Field::Whole(&mut hypothesis.honest, 1, 1000),
                    _ => Field::Whole(&mut hypothesis.stake, 0, 200),
                }
            }
        }
    }
}
