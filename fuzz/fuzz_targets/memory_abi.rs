//! The memory and tensors through the C ABI with arbitrary arguments, over a storage that fails and
//! lies as it likes: any handle, any number, pointers that are null, misaligned, past the end, or
//! somewhere in the host's memory, texts of any bytes. Each call returns 0, a count, or a known
//! error with a sentence; nothing crashes, and all that was opened can be closed.
#![no_main]
// Each block: pointers are what the input says, and the ABI checks them; those that lead into the
// host's memory lead to bytes that outlive the call.
#![allow(clippy::undocumented_unsafe_blocks, reason = "one reason, above, for all of them")]

mod lying_storage;
mod pointers;

use std::ffi::c_char;
use std::sync::Arc;

use arbitrary::Arbitrary;
use clawft_ffi_store::*;
use libfuzzer_sys::fuzz_target;
use lying_storage::*;
use pointers::{Place, Pointers};

/// Of the host's memory.
const WORDS: usize = 4096;

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Handle {
    Memory(u8),
    Tensor(u8),
    Any(u32),
}

/// A text of the host's memory, or a sound one.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Text {
    Sound(u8),
    At(Place, u16),
}

#[derive(Arbitrary, Debug)]
struct Options {
    size_is_wrong: bool,
    flags: u8,
    dim: u8,
    capacity: u8,
    choices: [u8; 2],
    small: bool,
    limits: [u64; 5],
    lease: [u16; 3],
}

#[derive(Arbitrary, Debug)]
struct Record {
    size_is_wrong: bool,
    id: u8,
    dim: u8,
    vector: Place,
    texts: [Text; 3],
    pairs: Place,
    pairs_len: u8,
    numbers: [u32; 4],
    importance: f32,
}

#[derive(Arbitrary, Debug)]
struct Recall {
    size_is_wrong: bool,
    k: u8,
    dim: u8,
    vector: Place,
    text: Text,
    ef: u32,
    choices: [u8; 2],
    weights: [f32; 2],
    lists: [Place; 4],
    lens: [u8; 4],
    times: [u32; 4],
}

#[derive(Arbitrary, Debug)]
enum Call {
    Bytes { at: u16, seed: u32, n: u8 },
    Texts { at: u16, texts: [Text; 4] },
    Open { name: u8, bad_name: Option<Text>, options: Options, out: Place },
    Close(Handle, u16),
    Remember(Handle, Record),
    Forget(Handle, u8),
    Touch(Handle, Place, u8, u16),
    Tick { handle: Handle, now: u64, records: u32, bytes: u64, out: Place },
    Commit(Handle, u16),
    Rollback(Handle),
    Compact(Handle, u16),
    Save(Handle),
    Recall { handle: Handle, recall: Recall, out: Place, count: Place },
    Fields { handle: Handle, id: u8, out: Place },
    Text { handle: Handle, id: u8, which: u32, out: Place, cap: u16, len: Place },
    Vector { handle: Handle, id: u8, out: Place, dim: u8 },
    Next { handle: Handle, from: u64, out: Place },
    Counts { handle: Handle, at: u32, out: Place },
    Faults(Vec<Fault>),
    Flip { file: u8, at: u16, cut: bool },
    Create { bits: u8, dim: u16, drift: [f32; 2], limit: u16, out: Place },
    Append { handle: Handle, frame: Place, dim: u16, out: Place },
    Get { handle: Handle, frame: u8, out: Place, dim: u16 },
    TensorBytes { handle: Handle, out: Place, cap: u16, len: Place },
    OpenTensor { bytes: Place, len: u16, out: Place },
    CloseTensor(Handle),
}

const TEXTS: [&str; 6] =
    ["", "the kettle", "a train at nine", "tea, tea and green tea", "été", "note"];

struct Host {
    memory: Vec<u64>,
    /// Of the calls so far.
    lists: Vec<Vec<ClawftText>>,
    disk: Arc<Disk>,
    memories: Vec<u32>,
    tensors: Vec<u32>,
}

impl Pointers for Host {
    fn memory(&mut self) -> &mut Vec<u64> {
        &mut self.memory
    }
}

impl Host {
    /// `n` that fit, from `place`.
    fn some<T>(&mut self, place: Place, n: usize) -> (*mut T, usize) {
        let (pointer, room) = self.place(place);
        (pointer, n.min(room))
    }

    fn handle(&self, handle: Handle) -> u32 {
        let (list, at) = match handle {
            Handle::Memory(at) => (&self.memories, at),
            Handle::Tensor(at) => (&self.tensors, at),
            Handle::Any(any) => return any,
        };
        list.get(usize::from(at) % list.len().max(1)).copied().unwrap_or(0)
    }

    fn text(&mut self, text: Text) -> ClawftText {
        match text {
            Text::Sound(n) => {
                let text = TEXTS[usize::from(n) % TEXTS.len()];
                ClawftText { bytes: text.as_ptr().cast(), len: text.len() }
            }
            Text::At(place, len) => {
                let (bytes, len) = self.some::<c_char>(place, len.into());
                ClawftText { bytes, len }
            }
        }
    }

    /// A list of texts or pairs (two texts): natively that each text leads somewhere is the host's
    /// word, so lists lie apart from the memory that calls write to.
    fn list<T>(&mut self, place: Place, n: u8) -> (*const T, u32) {
        let n = u32::from(n % 8);
        match place {
            Place::Inside(at, odd) => {
                let texts: Vec<ClawftText> = (0..16)
                    .map(|i| self.text(Text::Sound(((at >> 4) as u8).wrapping_add(i))))
                    .collect();
                self.lists.push(texts);
                let list = self.lists.last().expect("it was pushed").as_ptr();
                (list.wrapping_byte_add(usize::from(odd % 8 == 1)).cast(), n)
            }
            other => (self.place::<T>(other).0, n),
        }
    }
}

/// 0, a count, or an error of the tables with a sentence.
fn known(code: i32) {
    if code < 0 {
        let known = (-16..=-1).contains(&code)
            || (-116..=-101).contains(&code)
            || (-206..=-201).contains(&code)
            || (-222..=-211).contains(&code)
            || (-233..=-231).contains(&code)
            || (-252..=-251).contains(&code);
        assert!(known, "{code}");
        let mut sentence = [0u8; 256];
        let len = unsafe { kernel::clawft_last_error(sentence.as_mut_ptr().cast(), 256) };
        assert!(len > 10 && sentence[..len].is_ascii(), "{code} without a sentence");
    }
}

fn options(given: &Options) -> ClawftMemoryOptions {
    let limit = |at: usize| if given.small { given.limits[at] % 5000 } else { given.limits[at] };
    ClawftMemoryOptions {
        size: size_of::<ClawftMemoryOptions>() as u32 + u32::from(given.size_is_wrong),
        flags: u32::from(given.flags % 9) | u32::from(given.flags < 200),
        dim: [2, 2, 2, 2, 3, 0][usize::from(given.dim) % 6],
        capacity: u32::from(given.capacity % 40),
        metric: u32::from(given.choices[0] % 4),
        encoding: u32::from(given.choices[1] % 5),
        file_id: [3; 16],
        // So that it is refused or small.
        image_bytes: if given.small { 0 } else { limit(0) % (1 << 22) },
        words_bytes: limit(1) % (1 << 22),
        fold_bytes: limit(2),
        compact_times: limit(3) % 4,
        compact_slack: limit(4),
        nonce: given.lease[0].into(),
        now: given.lease[1].into(),
        lease: if given.lease[2] > 2000 { 0 } else { given.lease[2].into() },
    }
}

fn run(host: &mut Host, call: Call) {
    let code = unsafe {
        match call {
            Call::Bytes { at, seed, n } => {
                host.floats(at, seed, n, 100);
                0
            }
            Call::Texts { at, texts } => {
                let bytes: Vec<u8> = texts
                    .iter()
                    .flat_map(|&text| match text {
                        Text::Sound(n) => TEXTS[usize::from(n) % TEXTS.len()].as_bytes(),
                        Text::At(..) => &[0xFF],
                    })
                    .copied()
                    .collect();
                let at = usize::from(at) % (WORDS * 8 - 256);
                bytes.as_ptr().copy_to(host.base().add(at), bytes.len());
                0
            }
            Call::Open { name, bad_name, options: given, out } => {
                let names = ["a.rvf", "b.rvf"];
                let good = names[usize::from(name) % 2];
                let mut name = ClawftText { bytes: good.as_ptr().cast(), len: good.len() };
                if let Some(text) = bad_name {
                    name = host.text(text);
                }
                let (options, storage) = (options(&given), storage(&host.disk));
                let out = host.one(out);
                let code = clawft_memory_open(name.bytes, name.len, &options, &storage, out);
                if code == 0 {
                    host.memories.push(out.read());
                    let handles = host.memories.clone();
                    files(storage.context).handles = handles;
                }
                code
            }
            Call::Close(handle, now) => {
                let handle = host.handle(handle);
                host.memories.retain(|&open| open != handle);
                host.disk.lock().expect("no call panics").handles = host.memories.clone();
                clawft_memory_close(handle, now.into())
            }
            Call::Remember(handle, given) => {
                let (vector, dim) = host.some(given.vector, usize::from(given.dim % 4));
                let (metadata, metadata_len) = host.list(given.pairs, given.pairs_len);
                let record = ClawftRecord {
                    size: size_of::<ClawftRecord>() as u32 + u32::from(given.size_is_wrong),
                    dim: dim as u32,
                    id: u64::from(given.id % 32),
                    vector,
                    text: host.text(given.texts[0]),
                    kind: host.text(given.texts[1]),
                    session: host.text(given.texts[2]),
                    metadata,
                    metadata_len,
                    uses: given.numbers[0],
                    created: given.numbers[1].into(),
                    last_used: given.numbers[2].into(),
                    importance: given.importance,
                    pinned: given.numbers[3],
                };
                clawft_remember(host.handle(handle), &record)
            }
            Call::Forget(handle, id) => clawft_forget(host.handle(handle), u64::from(id % 32)),
            Call::Touch(handle, ids, n, now) => {
                let (ids, n) = host.some(ids, n.into());
                clawft_touch(host.handle(handle), ids, n as u32, now.into())
            }
            Call::Tick { handle, now, records, bytes, out } => {
                let out = host.one(out);
                clawft_tick(host.handle(handle), now, records, bytes, out)
            }
            Call::Commit(handle, now) => clawft_commit(host.handle(handle), now.into()),
            Call::Rollback(handle) => clawft_rollback(host.handle(handle)),
            Call::Compact(handle, now) => clawft_compact(host.handle(handle), now.into()),
            Call::Save(handle) => clawft_save(host.handle(handle)),
            Call::Recall { handle, recall: given, out, count } => {
                let (vector, dim) = host.some(given.vector, usize::from(given.dim % 4));
                let (kinds, kinds_len) = host.list(given.lists[0], given.lens[0]);
                let (sessions, sessions_len) = host.list(given.lists[1], given.lens[1]);
                let (metadata, metadata_len) = host.list(given.lists[2], given.lens[2]);
                let (ids, ids_len) = host.some::<u64>(given.lists[3], given.lens[3].into());
                let (out, k) = host.some(out, given.k.into());
                let recall = ClawftRecall {
                    size: size_of::<ClawftRecall>() as u32 + u32::from(given.size_is_wrong),
                    k: k as u32,
                    vector,
                    text: host.text(given.text),
                    dim: dim as u32,
                    ef: given.ef,
                    mode: u32::from(given.choices[0] % 5),
                    fusion: u32::from(given.choices[1] % 3),
                    vector_weight: given.weights[0],
                    words_weight: given.weights[1],
                    kinds,
                    sessions,
                    metadata,
                    ids,
                    kinds_len,
                    sessions_len,
                    metadata_len,
                    ids_len: ids_len as u32,
                    created_from: given.times[0].into(),
                    created_to: given.times[1].into(),
                    used_from: given.times[2].into(),
                    used_to: given.times[3].into(),
                };
                let count = host.one(count);
                clawft_recall(host.handle(handle), &recall, out, count)
            }
            Call::Fields { handle, id, out } => {
                let out = host.one(out);
                clawft_record_fields(host.handle(handle), u64::from(id % 32), out)
            }
            Call::Text { handle, id, which, out, cap, len } => {
                let (out, cap) = host.some(out, cap.into());
                let (len, which) = (host.one(len), if which % 2 == 0 { which % 9 } else { which });
                clawft_record_string(host.handle(handle), u64::from(id % 32), which, out, cap, len)
            }
            Call::Vector { handle, id, out, dim } => {
                let (out, dim) = host.some(out, usize::from(dim % 4));
                clawft_record_vector(host.handle(handle), u64::from(id % 32), out, dim as u32)
            }
            Call::Next { handle, from, out } => {
                let out = host.one(out);
                clawft_record_next(host.handle(handle), from, out)
            }
            Call::Counts { handle, at, out } => {
                let handle = host.handle(handle);
                known(clawft_memory_report(handle, host.one(out)));
                known(clawft_memory_damage(handle, at));
                known(clawft_tiers(handle, host.one::<[u32; 4]>(out).cast()));
                known(clawft_record_contains(handle, at.into()));
                known(clawft_memory_options_init(host.one(out)));
                known(clawft_recall_init(host.one(out), at));
                known(clawft_tensor_params_init(host.one(out), at));
                known(clawft_tensor_stats(handle, host.one(out)));
                known(clawft_tensor_error_bound(handle, at, host.one(out)));
                clawft_memory_verify(handle)
            }
            Call::Faults(faults) => {
                let mut files = host.disk.lock().expect("no call panics");
                files.faults = faults.into_iter().take(64).collect();
                0
            }
            Call::Flip { file, at, cut } => {
                let files = host.disk.lock().expect("no call panics");
                if let Some(bytes) = files.named.values().nth(usize::from(file) % 8) {
                    let mut bytes = bytes.lock().expect("no call panics");
                    let len = bytes.len().max(1);
                    if cut {
                        bytes.truncate(usize::from(at) % len);
                    } else if let Some(byte) = bytes.get_mut(usize::from(at) % len) {
                        *byte ^= 1 << (at % 8);
                    }
                }
                0
            }
            Call::Create { bits, dim, drift, limit, out } => {
                let params = ClawftTensorParams {
                    size: size_of::<ClawftTensorParams>() as u32,
                    dim: u32::from(dim % 200),
                    bits: u32::from(bits % 10),
                    headroom: if bits > 99 { 1.25 } else { drift[0] },
                    coarse: if bits > 99 { 2.0 } else { drift[1] },
                    reserved: 0,
                    limit: limit.into(),
                };
                let out = host.one(out);
                let code = clawft_tensor_create(&params, out);
                if code == 0 {
                    host.tensors.push(out.read());
                }
                code
            }
            Call::Append { handle, frame, dim, out } => {
                let (frame, dim) = host.some(frame, usize::from(dim % 200));
                let out = host.one(out);
                clawft_tensor_append(host.handle(handle), frame, dim as u32, out)
            }
            Call::Get { handle, frame, out, dim } => {
                let (out, dim) = host.some(out, usize::from(dim % 200));
                clawft_tensor_get(host.handle(handle), frame.into(), out, dim as u32)
            }
            Call::TensorBytes { handle, out, cap, len } => {
                let (out, cap) = host.some::<u8>(out, cap.into());
                let len = host.one(len);
                clawft_tensor_bytes(host.handle(handle), out.cast(), cap, len)
            }
            Call::OpenTensor { bytes, len, out } => {
                let (bytes, len) = host.some::<u8>(bytes, len.into());
                let out = host.one(out);
                let code = clawft_tensor_open(bytes.cast(), len, out);
                if code == 0 {
                    host.tensors.push(out.read());
                }
                code
            }
            Call::CloseTensor(handle) => {
                let handle = host.handle(handle);
                host.tensors.retain(|&open| open != handle);
                clawft_tensor_close(handle)
            }
        }
    };
    known(code);
}

fuzz_target!(|calls: Vec<Call>| {
    let mut host = Host {
        memory: vec![0; WORDS],
        lists: Vec::new(),
        disk: Arc::default(),
        memories: Vec::new(),
        tensors: Vec::new(),
    };
    for call in calls.into_iter().take(100) {
        run(&mut host, call);
    }
    host.disk.lock().expect("no call panics").handles.clear();
    for &handle in &host.memories {
        known(clawft_memory_close(handle, 0));
        assert_eq!(clawft_memory_close(handle, 0), -101, "closed in any case");
    }
    for &handle in &host.tensors {
        assert_eq!(clawft_tensor_close(handle), 0);
    }
});
