//! What a caller may get wrong: each its number and a sentence, and the store as it was.

use super::{K, Sample};
use crate::abi::{Abi, Call};
use crate::guest::Engine;
use crate::kernel::{Kernel, Query};
use crate::seen::{Digest, Outcome, Seen, hold, refused};

const ROWS: usize = 50;
/// A call that is wrong, with the code that it must give.
type Wrong = (&'static str, i32, fn(&mut Abi, &Places) -> Call);

/// A store, and places in memory that are fine.
struct Places {
    handle: u32,
    dim: u32,
    values: u32,
    query: u32,
    ids: u32,
    distances: u32,
    count: u32,
    end: u32,
}

impl Places {
    fn search(&self, abi: &mut Abi) -> Call {
        let Places { handle, values, dim, query, ids, distances, count, .. } = *self;
        let arguments = [handle, values, dim, query, ids, distances, count];
        abi.call("clawft_search", &arguments.map(Into::into))
    }

    /// Inserts a vector that was changed at one place.
    fn insert(&self, abi: &mut Abi, id: u64, at: u32, value: f32) -> Call {
        let whole = abi.read(self.values, 4 * self.dim);
        abi.write(self.values + 4 * at, &value.to_le_bytes());
        let Places { handle, values, dim, .. } = *self;
        let outcome =
            abi.call("clawft_insert", &[handle.into(), id.into(), values.into(), dim.into()]);
        abi.write(self.values, &whole);
        outcome
    }

    /// The same places, one of them changed.
    fn but(&self, change: impl FnOnce(&mut Places)) -> Places {
        let mut places = Places { ..*self };
        change(&mut places);
        places
    }

    /// Searches with a field of the query changed.
    fn asking(&self, abi: &mut Abi, at: u32, value: u32) -> Call {
        let whole = abi.number(self.query + at);
        abi.write(self.query + at, &value.to_le_bytes());
        let outcome = self.search(abi);
        abi.write(self.query + at, &whole.to_le_bytes());
        outcome
    }
}

const WRONG: [Wrong; 21] = [
    ("another dimension", -1, |abi, p| p.but(|p| p.dim -= 1).search(abi)),
    ("not a number", -2, |abi, p| p.insert(abi, 1000, 3, f32::NAN)),
    ("infinite", -2, |abi, p| p.insert(abi, 1000, 3, f32::INFINITY)),
    ("a vector without a direction", -3, |abi, p| {
        let whole = abi.read(p.values, 4 * p.dim);
        abi.write(p.values, &vec![0; 4 * p.dim as usize]);
        let outcome = p.insert(abi, 1000, 0, 0.0);
        abi.write(p.values, &whole);
        outcome
    }),
    ("k of 0", -4, |abi, p| p.asking(abi, 4, 0)),
    ("an id that is there", -5, |abi, p| p.insert(abi, 7, 0, 0.5)),
    ("an unknown id", -6, |abi, p| abi.call("clawft_remove", &[p.handle.into(), 1000u64.into()])),
    ("no capacity", -8, |abi, p| create(abi, p, 8, 0)),
    ("a dimension of 0", -1, |abi, p| create(abi, p, 4, 0)),
    ("no store", -101, |abi, p| p.but(|p| p.handle ^= 0x0101_0101).search(abi)),
    ("a null address", -102, |abi, p| p.but(|p| p.values = 0).search(abi)),
    ("an address between two floats", -103, |abi, p| p.but(|p| p.values += 2).search(abi)),
    ("an address behind the memory", -104, |abi, p| p.but(|p| p.values = p.end).search(abi)),
    ("one whose end is behind it", -104, |abi, p| p.but(|p| p.values = p.end - 64).search(abi)),
    ("one whose end overflows", -104, |abi, p| p.but(|p| p.ids = 0u32.wrapping_sub(8)).search(abi)),
    ("a structure of another size", -105, |abi, p| p.asking(abi, 0, 23)),
    ("no such mode", -106, |abi, p| p.asking(abi, 12, 9)),
    ("no such metric", -106, |abi, p| create(abi, p, 12, 7)),
    ("memory settled twice", -109, |abi, _| {
        abi.call("clawft_init_memory", &[0u32.into(), (16u32 << 20).into()])
    }),
    ("no block", -113, |abi, p| abi.call("clawft_free", &[(p.values + 64).into()])),
    ("an output that is too small", -114, |abi, p| {
        let arguments = [p.handle, p.ids, 8, p.count];
        abi.call("clawft_snapshot", &arguments.map(Into::into))
    }),
];

/// Makes a store with a field of its parameters changed.
fn create(abi: &mut Abi, places: &Places, at: u32, value: u32) -> Call {
    let params = abi.room(40)?;
    abi.call("clawft_params_init", &[params.into(), places.dim.into(), 10u32.into()])?;
    abi.write(params + at, &value.to_le_bytes());
    abi.call("clawft_create", &[params.into(), places.count.into()])
}

pub(super) fn check(engine: &mut dyn Engine, sample: &Sample) -> Outcome {
    let mut kernel = Kernel::new(engine, None)?;
    let handle = kernel.filled(&sample.first(ROWS))?;
    let before = kernel.snapshot(handle)?;
    let dim = sample.base.dim as u32;
    let abi = &mut kernel.0;
    let values = abi.put_floats(sample.queries.row(0))?;
    let query = abi.put(&[24, K, 0, 0, 0, 0].map(u32::to_le_bytes).concat())?;
    let (ids, distances, count) = (abi.room(8 * K)?, abi.room(4 * K)?, abi.room(4)?);
    let end = abi.size() as u32;
    let places = Places { handle, dim, values, query, ids, distances, count, end };
    for (what, code, call) in WRONG {
        let mark = [0xA5; 4];
        abi.write(count, &mark);
        refused(what, code, call(abi, &places))?;
        let written = abi.read(count, 4);
        hold(written == mark, || format!("{what}: it wrote {written:?} and failed"))?;
    }
    places.search(abi)?;
    let found = abi.number(count);
    hold(found == K, || format!("{K} expected after all that, found {found}"))?;
    abi.give_back()?;
    hold(kernel.snapshot(handle)? == before, || "the store has changed".into())?;
    let mut digest = Digest::default();
    digest.hits(&kernel.search(handle, sample.queries.row(0), Query::nearest(K))?);
    Ok(Seen::new(format!("{} refusals", WRONG.len()), digest))
}
