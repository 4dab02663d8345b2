//! A store's bytes, in another instance: the same answers; damaged ones are refused.

use super::{K, Sample};
use crate::guest::Engine;
use crate::kernel::{Kernel, Query};
use crate::seen::{Digest, Outcome, Seen, hold};

/// Vectors that are saved.
const ROWS: usize = 300;
const TOO_SHORT: i32 = -10;
const CORRUPT: i32 = -11;
const WRONG_VERSION: i32 = -12;

pub(super) fn check(engine: &mut dyn Engine, sample: &Sample) -> Outcome {
    let mut kernel = Kernel::new(engine, None)?;
    let handle = kernel.filled(&sample.first(ROWS))?;
    let before = answers(&mut kernel, handle, sample)?;
    let bytes = kernel.snapshot(handle)?;
    drop(kernel);

    let mut kernel = Kernel::new(engine, None)?;
    let handle = kernel.open(&bytes)?;
    hold(answers(&mut kernel, handle, sample)? == before, || "other answers from a copy".into())?;
    hold(kernel.snapshot(handle)? == bytes, || "saved again, it has other bytes".into())?;
    let handle = kernel.adopt(&bytes)?;
    hold(answers(&mut kernel, handle, sample)? == before, || "other answers in place".into())?;

    let refusals = [TOO_SHORT, CORRUPT, WRONG_VERSION];
    let mut damaged = 0;
    for part in 0..16 {
        let at = bytes.len() * part / 16 + part;
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (part % 8);
        for wrong in [flipped, bytes[..at].to_vec()] {
            match kernel.open(&wrong) {
                Err(refused) if refusals.contains(&refused.code) => damaged += 1,
                other => return Err(format!("damaged at {at}: a refusal expected: {other:?}")),
            }
        }
    }
    let mut digest = Digest::default();
    digest.bytes(&bytes);
    Ok(Seen::new(format!("{} bytes; {damaged} damaged ones refused", bytes.len()), digest))
}

fn answers(kernel: &mut Kernel, handle: u32, sample: &Sample) -> Result<Vec<(u64, f32)>, String> {
    let mut all = Vec::new();
    for query in 0..sample.queries.rows {
        all.extend(kernel.search(handle, sample.queries.row(query), Query::nearest(K))?);
    }
    Ok(all)
}
