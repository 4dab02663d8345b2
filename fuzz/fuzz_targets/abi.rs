//! The C ABI with arbitrary arguments: any handle, any number, pointers that are
//! null, misaligned, past the end, or somewhere in the host's memory, overlapping
//! each other as they like. Each call returns 0, a count, or a known error with a
//! sentence; nothing crashes.
#![no_main]
// Each block: pointers are what the input says, and the ABI checks them; those that lead into the
// host's memory lead to bytes that outlive the call.
#![allow(clippy::undocumented_unsafe_blocks, reason = "one reason, above, for all of them")]

mod pointers;

use std::sync::Once;

use arbitrary::Arbitrary;
use clawft::*;
use libfuzzer_sys::fuzz_target;
use pointers::{Place, Pointers};

/// Of the host's memory.
const WORDS: usize = 32 * 1024;

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Handle {
    Open(u8),
    Any(u32),
}

#[derive(Arbitrary, Debug)]
struct Store {
    size_is_wrong: bool,
    dim: u8,
    capacity: u16,
    choices: [u8; 2],
    any: Option<[u32; 7]>,
}

#[derive(Arbitrary, Debug)]
struct Query {
    size_is_wrong: bool,
    k: u32,
    small: bool,
    ef: u32,
    mode: u8,
    filter: Place,
    filter_len: u16,
}

#[derive(Arbitrary, Debug)]
enum Call {
    Floats { at: u16, seed: u32, n: u8 },
    Ids { at: u16, first: u8, n: u8 },
    Create { store: Store, out: Place },
    Required { store: Store, out: Place },
    Destroy(Handle),
    Put { handle: Handle, upsert: bool, id: u8, vector: Place, dim: u16 },
    PutBatch { handle: Handle, upsert: bool, ids: Place, rows: Place, n: u8, dim: u16, done: Place },
    Remove(Handle, u8),
    Contains(Handle, u64),
    Get { handle: Handle, ids: Place, n: u8, out: Place, dim: u16 },
    Mark(Handle, u8, bool),
    Set(Handle, u8, u32),
    Search { handle: Handle, rows: Place, n: u8, dim: u16, query: Query, out: [Place; 3] },
    Range { handle: Handle, row: Place, dim: u16, radius: f32, query: Query, out: [Place; 3] },
    Resize(Handle, u16),
    Counts { handle: Handle, out: Place },
    AllIds { handle: Handle, out: Place, cap: u16, count: Place },
    Snapshot { handle: Handle, out: Place, cap: u32, len: Place },
    View(Handle, Place, Place),
    Open { bytes: Place, len: u32, out: Place },
    Alloc(u32),
    Free(u8, bool),
    Adopt { block: u8, copy_of: Option<Handle>, out: Place },
    LastError(Place, u16),
    Init(bool, u32),
}

struct Host {
    memory: Vec<u64>,
    handles: Vec<u32>,
    blocks: Vec<(*mut core::ffi::c_void, usize)>,
}

impl Pointers for Host {
    fn memory(&mut self) -> &mut Vec<u64> {
        &mut self.memory
    }
}

impl Host {
    /// `n` rows of `dim` that fit, from `place`.
    fn rows<T>(&mut self, place: Place, n: u32, dim: u32) -> (*mut T, u32) {
        let (pointer, room) = self.place(place);
        let most = room / (dim.max(1) as usize);
        (pointer, n.min(u32::try_from(most).unwrap_or(u32::MAX)))
    }

    fn handle(&self, handle: Handle) -> u32 {
        match handle {
            Handle::Any(number) => number,
            Handle::Open(_) if self.handles.is_empty() => 0,
            Handle::Open(at) => self.handles[usize::from(at) % self.handles.len()],
        }
    }

    fn params(store: &Store) -> ClawftParams {
        let mut params = ClawftParams {
            size: size_of::<ClawftParams>() as u32 + u32::from(store.size_is_wrong),
            dim: [1, 3, 8, 130][usize::from(store.dim) % 4],
            capacity: u32::from(store.capacity % 50),
            metric: u32::from(store.choices[0] % 4),
            encoding: u32::from(store.choices[1] % 5),
            m: 4,
            ef_construction: 10,
            scan_limit: 0,
            seed: 1,
        };
        if let Some(any) = store.any {
            [params.dim, params.capacity, params.metric, params.encoding] =
                [any[0], any[1], any[2], any[3]];
            [params.m, params.ef_construction, params.scan_limit] = [any[4], any[5], any[6]];
        }
        params
    }

    fn query(&mut self, query: &Query) -> ClawftQuery {
        let (filter_ids, filter_len) = self.rows(query.filter, query.filter_len.into(), 1);
        ClawftQuery {
            size: size_of::<ClawftQuery>() as u32 + u32::from(query.size_is_wrong),
            k: if query.small { query.k % 30 } else { query.k },
            ef: query.ef,
            mode: u32::from(query.mode % 5),
            filter_ids,
            filter_len,
        }
    }

    /// A handle that a call wrote to `out`.
    fn opened(&mut self, code: i32, out: *mut u32) {
        if code == 0 {
            self.handles.push(unsafe { out.read() });
        }
    }
}

/// 0, a count, or an error of the table with a sentence.
fn known(code: i32) {
    if code < 0 {
        assert!((-16..=-1).contains(&code) || (-114..=-101).contains(&code), "{code}");
        let mut sentence = [0u8; 256];
        let len = unsafe { clawft_last_error(sentence.as_mut_ptr().cast(), sentence.len()) };
        assert!(len > 10 && sentence[..len].is_ascii(), "{code} without a sentence");
        // The store never reaches the codes that mean a mistake of this library.
        assert!(![-9, -13, -14].contains(&code), "{code}: {}", String::from_utf8_lossy(&sentence));
    }
}

fn run(host: &mut Host, call: &Call) {
    let code = unsafe {
        match *call {
            Call::Floats { at, seed, n } => {
                host.floats(at, seed, n, 1000);
                0
            }
            Call::Ids { at, first, n } => {
                let at = usize::from(at) % (WORDS - 256);
                for i in 0..usize::from(n) {
                    host.memory[at + i] = u64::from(first) + i as u64;
                }
                0
            }
            Call::Create { ref store, out } => {
                let (params, out) = (Host::params(store), host.one(out));
                let code = clawft_create(&params, out);
                host.opened(code, out);
                code
            }
            Call::Required { ref store, out } => {
                clawft_required_bytes(&Host::params(store), host.one(out))
            }
            Call::Destroy(handle) => {
                let handle = host.handle(handle);
                host.handles.retain(|&open| open != handle);
                clawft_destroy(handle)
            }
            Call::Put { handle, upsert, id, vector, dim } => {
                let (vector, dim) = host.rows(vector, dim.into(), 1);
                let put = if upsert { clawft_upsert } else { clawft_insert };
                put(host.handle(handle), id.into(), vector, dim)
            }
            Call::PutBatch { handle, upsert, ids, rows, n, dim, done } => {
                let (rows, n) = host.rows(rows, n.into(), dim.into());
                let (ids, n) = host.rows(ids, n, 1);
                let put = if upsert { clawft_upsert_batch } else { clawft_insert_batch };
                put(host.handle(handle), ids, rows, n, dim.into(), host.one(done))
            }
            Call::Remove(handle, id) => clawft_remove(host.handle(handle), id.into()),
            Call::Contains(handle, id) => clawft_contains(host.handle(handle), id),
            Call::Get { handle, ids, n, out, dim } => {
                let (out, n) = host.rows(out, n.into(), dim.into());
                let (ids, n) = host.rows(ids, n, 1);
                clawft_get_batch(host.handle(handle), ids, n, out, dim.into())
            }
            Call::Mark(handle, id, true) => clawft_mark_deleted(host.handle(handle), id.into()),
            Call::Mark(handle, id, false) => clawft_unmark_deleted(host.handle(handle), id.into()),
            Call::Set(handle, what, to) => {
                let set = [clawft_set_ef, clawft_set_scan_limit, clawft_set_replace_deleted];
                set[usize::from(what) % 3](host.handle(handle), to)
            }
            Call::Search { handle, rows, n, dim, ref query, out: [ids, distances, counts] } => {
                let query = host.query(query);
                let (rows, n) = host.rows(rows, n.into(), dim.into());
                let (ids, n) = host.rows(ids, n, query.k);
                let (distances, n) = host.rows(distances, n, query.k);
                let (counts, n) = host.rows(counts, n, 1);
                let handle = host.handle(handle);
                clawft_search_batch(handle, rows, n, dim.into(), &query, ids, distances, counts)
            }
            Call::Range { handle, row, dim, radius, ref query, out: [ids, distances, count] } => {
                let mut query = host.query(query);
                let (row, dim) = host.rows(row, dim.into(), 1);
                let (ids, k) = host.rows(ids, query.k, 1);
                let (distances, k) = host.rows(distances, k, 1);
                query.k = k;
                let (handle, count) = (host.handle(handle), host.one(count));
                clawft_search_range(handle, row, dim, radius, &query, ids, distances, count)
            }
            Call::Resize(handle, capacity) => {
                clawft_resize(host.handle(handle), (capacity % 80).into())
            }
            Call::Counts { handle, out } => {
                let handle = host.handle(handle);
                known(clawft_stats(handle, host.one(out)));
                known(clawft_memory_stats(host.one(out)));
                known(clawft_snapshot_bytes(handle, host.one(out)));
                known(clawft_query_init(host.one(out), 3));
                known(clawft_params_init(host.one(out), 3, 3));
                let mut report = ClawftReport::default();
                let code = clawft_verify(handle, &mut report);
                assert_eq!((report.unreachable, report.broken), (0, 0));
                code
            }
            Call::AllIds { handle, out, cap, count } => {
                let (out, cap) = host.rows(out, cap.into(), 1);
                clawft_ids(host.handle(handle), out, cap, host.one(count))
            }
            Call::Snapshot { handle, out, cap, len } => {
                let (out, cap) = host.rows::<u8>(out, cap % (1 << 20), 1);
                clawft_snapshot(host.handle(handle), out.cast(), cap as usize, host.one(len))
            }
            Call::View(handle, address, len) => {
                clawft_snapshot_view(host.handle(handle), host.one(address), host.one(len))
            }
            Call::Open { bytes, len, out } => {
                let (bytes, len) = host.rows::<u8>(bytes, len % (1 << 20), 1);
                let out = host.one(out);
                let code = clawft_open(bytes.cast(), len as usize, out);
                host.opened(code, out);
                code
            }
            Call::Alloc(size) => {
                let size = size as usize % (1 << 22);
                let block = clawft_alloc(size);
                if !block.is_null() {
                    host.blocks.push((block, size));
                }
                0
            }
            Call::Free(at, shifted) => match host.blocks.len() {
                0 => clawft_free(64 as *mut _),
                n if shifted => {
                    clawft_free(host.blocks[usize::from(at) % n].0.wrapping_byte_add(64))
                }
                n => clawft_free(host.blocks.swap_remove(usize::from(at) % n).0),
            },
            Call::Adopt { block, copy_of, out } => {
                let at = match host.blocks.len() {
                    0 => return,
                    n => usize::from(block) % n,
                };
                let (block, size) = host.blocks[at];
                if let Some(handle) = copy_of {
                    let mut len = 0;
                    known(clawft_snapshot(host.handle(handle), block, size, &mut len));
                }
                let out = host.one(out);
                let code = clawft_adopt(block, out);
                if code == 0 {
                    host.blocks.swap_remove(at);
                }
                host.opened(code, out);
                code
            }
            Call::LastError(out, cap) => {
                let (out, cap) = host.rows::<u8>(out, cap.into(), 1);
                clawft_last_error(out.cast(), cap as usize);
                0
            }
            Call::Init(grown, size) => {
                let base = if grown { core::ptr::null_mut() } else { host.base() };
                let size = if grown { size as usize } else { size as usize % (WORDS * 8) };
                clawft_init_memory(base.cast(), size)
            }
        }
    };
    known(code);
}

static LIMIT: Once = Once::new();

fuzz_target!(|calls: Vec<Call>| {
    // Before anything else, so that no call can hand a part of a case's memory over for good.
    LIMIT
        .call_once(|| assert_eq!(unsafe { clawft_init_memory(core::ptr::null_mut(), 1 << 26) }, 0));
    let mut host = Host { memory: vec![0; WORDS], handles: Vec::new(), blocks: Vec::new() };
    for call in calls.iter().take(200) {
        run(&mut host, call);
    }
    for handle in host.handles {
        known(clawft_destroy(handle));
    }
    for (block, _) in host.blocks {
        assert_eq!(clawft_free(block), 0);
    }
    let mut memory = ClawftMemory::default();
    assert_eq!(unsafe { clawft_memory_stats(&mut memory) }, 0);
    assert_eq!((memory.blocks, memory.asked), (0, 0), "all memory came back");
});
