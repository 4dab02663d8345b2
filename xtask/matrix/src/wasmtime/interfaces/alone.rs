//! What the interface `memory` has and the suite of every memory does not ask: paths, several stores in an
//! instance, leases, uses, and a store in numbers.

use super::memory::{Open, called, item, options};
use crate::component::Loaded;
use clawft_matrix::memory::{NOW, Options, Record, Records};
use clawft_matrix::scratch::Scratch;
use clawft_matrix::seen::{Digest, Outcome, Seen, hold, refused};
use clawft_matrix::suite::Sample;

const NO_SUCH_FOLDER: i32 = -201;
const OUTSIDE: i32 = -205;
const LEASE_HELD: i32 = -221;
const NO_MEMORY: i32 = -232;
/// Linear memory in which some stores open, and one does not.
const LIMIT: usize = 2 << 20;
const TOO_MANY: u32 = 100_000;
/// For how long a lease is held, ms: longer than this takes.
const LEASE: u32 = 600_000;

fn record(sample: &Sample) -> Record<'_> {
    Record {
        id: 5,
        vector: sample.base.row(5),
        text: &sample.texts[5],
        kind: "fact",
        session: "s",
        created: NOW,
        used: NOW,
        importance: 0.5,
        metadata: &[],
    }
}

pub(super) fn check(loaded: &Loaded, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let (dim, capacity) = (sample.base.dim as u16, 10);
    let few = options(&Options { create: true, dim, capacity, ..Options::default() });

    // One instance after refusals of every sort, of memory too, opens what can be opened, twice.
    let mut running = loaded.over(folder.path(), Some(LIMIT))?;
    let many = super::memory::wit::Options { capacity: TOO_MANY, ..few };
    for (what, code, path, given) in [
        ("a path outside", OUTSIDE, "/elsewhere/x.rvf", few),
        ("a path that leads outside", OUTSIDE, "/data/../../x.rvf", few),
        ("no such folder", NO_SUCH_FOLDER, "/data/none/x.rvf", few),
        ("more places than memory", NO_MEMORY, "/data/x.rvf", many),
    ] {
        let memory = running.exports.clawft_memory_memory();
        refused(what, code, called(memory.store().call_open(&mut running.store, path, given)))?;
    }
    let memory = running.exports.clawft_memory_memory();
    called(memory.store().call_open(&mut running.store, "/data/other.rvf", few))?;
    let mut open = Open::new(running, few)?;

    let full = super::memory::wit::Item { pinned: true, uses: 3, ..item(&record(sample)) };
    called(open.call(|wit, store, handle| wit.call_remember(store, handle, &full)))?;
    let about = open.statistics()?;
    let counted = [about.records, about.dimension.into(), about.capacity.into()];
    hold(counted == [1, dim.into(), capacity.into()] && about.pending > 0, || {
        format!("one record of {dim} components among {capacity}, not committed: {about:?}")
    })?;
    open.commit()?;
    let about = open.statistics()?;
    hold(about.pending == 0 && about.journal_bytes > 0 && about.live_bytes > 0, || {
        format!("committed to the journal: {about:?}")
    })?;
    open.call(|wit, store, handle| wit.call_touch(store, handle, &[5, 99]))
        .map_err(crate::core::said)?;
    let found = called(open.call(|wit, store, handle| wit.call_get(store, handle, 5)))?;
    hold(found.pinned && found.uses == 4 && found.last_used > NOW, || {
        let (uses, used) = (found.uses, found.last_used);
        format!("pinned and used once more: {}, {uses}, {used}", found.pinned)
    })?;
    // Without a limit there are no tiers to move between.
    let moved = called(open.call(|wit, store, handle| wit.call_tick(store, handle, 10, 1 << 20)))?;
    hold(moved == 0, || format!("nothing to move, {moved} were"))?;
    Box::new(open).close()?;

    leases(loaded, &folder, super::memory::wit::Options { lease: LEASE, ..few })?;
    Ok(Seen::new("5 refusals, two stores, a lease, uses", Digest::default()))
}

/// One writer at a time, and readers beside it.
fn leases(
    loaded: &Loaded,
    folder: &Scratch,
    held: super::memory::wit::Options,
) -> Result<(), String> {
    let instance = || loaded.over(folder.path(), None);
    let first = Open::new(instance()?, held)?;
    let second = Open::new(instance()?, held);
    refused("a second writer", LEASE_HELD, second.map(|_| ()))?;
    let reader = super::memory::wit::Options { read_only: true, create: false, ..held };
    let found = Open::new(instance()?, reader)?.contains(5)?;
    hold(found, || "a reader beside the writer does not find its record".into())?;
    Box::new(first).close()?;
    Box::new(Open::new(instance()?, held)?).close()?;
    Ok(())
}
