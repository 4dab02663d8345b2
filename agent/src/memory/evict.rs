//! Room in a full memory, where the config says `memory.when_full = "evict"`.
//!
//! What goes is what is in use least, by the policy that the tiers follow too: how often a memory
//! was used, how long ago, and how important it is. Several go at once, since finding them takes
//! a look at all of them; and one change never costs more than half of all memories, or the only one.
//!
//! What it must never do: take away a pinned memory or the one that is being changed, or take any
//! without saying so.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem::take;

use clawft_store::Lease;
use clawft_store::memory::{Memory as Store, Refusal};

use super::Memory;
use crate::failure::Failure;

/// Most memories that go at once…
const MOST: usize = 256;
/// …which is one of so many.
const SHARE: usize = 16;

/// Forgets those of least heat that are not pinned, at most `most`; of equal ones, those that were
/// used longer ago. `spared` stays. Says how many.
fn evict(store: &mut Store, now: u64, spared: Option<u64>, most: usize) -> Result<usize, Refusal> {
    let batch = (store.len() / SHARE).clamp(1, MOST).min(most);
    let mut coldest: Vec<(u32, u64, u64)> = Vec::new();
    let mut next = store.next(0);
    while let Some(id) = next {
        if let Some(heat) = store.heat(id, now).filter(|_| Some(id) != spared) {
            let last = store.uses(id).map_or(0, |(_, last)| last);
            let one = (heat, last, id);
            let at = coldest.partition_point(|other| *other < one);
            if at < batch {
                coldest.truncate(batch - 1);
                coldest.insert(at, one);
            }
        }
        next = id.checked_add(1).and_then(|id| store.next(id));
    }
    for &(_, _, id) in &coldest {
        store.try_forget(id)?;
    }
    Ok(coldest.len())
}

impl Memory<'_> {
    /// Takes memories away, under a lease, if the config has it so; says whether there is room now.
    /// `used` are those of which a use is still to be counted; `spared` is the one that the change is
    /// of; `left` counts down how many more may go for one change.
    pub(super) fn evict(
        &mut self,
        lease: &mut Lease,
        used: &[u64],
        spared: Option<u64>,
        left: &mut Option<usize>,
    ) -> Result<bool, Failure> {
        if !self.limits.evict {
            return Ok(false);
        }
        // Built anew, the words take no more than they need.
        self.open = None;
        let mut gone = 0;
        let done = self.change_once(lease, &mut |store, now| {
            store.touch(used, now);
            let most = *left.get_or_insert((store.len() / 2).max(1));
            gone = evict(store, now, spared, most)?;
            Ok(())
        })?;
        done?;
        *left = left.map(|left| left - gone);
        self.evicted += gone;
        Ok(gone > 0)
    }

    /// What there is to say of memories that were taken away since this was asked for last.
    pub fn evicted(&mut self) -> Option<String> {
        let gone = take(&mut self.evicted);
        (gone > 0).then(|| {
            format!("the memory was full: the {gone} memories in use least were forgotten")
        })
    }
}
