//! The suite through the component's interfaces: of `memory` what every memory is asked, and what only it
//! has; of `agent` what is told and found, and turns.

mod agent;
mod alone;
mod memory;

use crate::component::Loaded;
use clawft_matrix::faults;
use clawft_matrix::runner;
use clawft_matrix::seen::Outcome;
use clawft_matrix::suite::{MEMORY, Sample};
use memory::ByWit;

type Check = (&'static str, fn(&Loaded, &Sample) -> Outcome);

/// Beside those of every memory.
const OWN: [Check; 8] = [
    ("what only the interface has", alone::check),
    ("agent: insert, search", agent::insert_search),
    ("agent: remove", agent::remove),
    ("agent: bad input", agent::bad_input),
    ("agent: full store", agent::full),
    ("agent: durable file", agent::durable),
    ("chat turn", agent::turn),
    ("chat turn that fails", agent::broken),
];

/// Does all checks, and says what came of each.
pub(crate) fn check(loaded: &Loaded, sample: &Sample) {
    for (name, check) in MEMORY {
        runner::report(name, || check(&mut ByWit(loaded), sample));
    }
    for (name, check) in OWN {
        runner::report(name, || check(loaded, sample));
    }
}

/// Tells lies to those of every memory, which must not pass.
pub(crate) fn faults(loaded: &Loaded, sample: &Sample) {
    runner::lies(faults::memory::tell(&mut ByWit(loaded), sample));
}
