//! What was forgotten is gone: from every file, and from memory.
//!
//! This program has an allocator of its own, which clears what is freed, as that of the WebAssembly
//! module does; and a disk that keeps its files veiled. So nothing of a record is in memory but what
//! the memory itself keeps, and whatever is found there has been left behind. Natively the heap is
//! searched, in WebAssembly all of linear memory, stacks included. Not in Miri: it reads what it
//! does not own.
#![cfg(not(miri))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use clawft_store::memory::{Budget, Memory, MemoryOptions, Recall};
use clawft_store::storage::{Handle, Outcome, Storage, StorageError};
use clawft_store::{Options, Record};
use clawft_vectors::Encoding;
use clawft_vectors::tier_policy::Tier;

/// Bytes of the heap.
const HEAP: usize = 256 << 20;

#[repr(align(64))]
struct Heap(std::cell::UnsafeCell<[u8; HEAP]>, AtomicUsize);

// SAFETY: each byte is given to one owner, once.
unsafe impl Sync for Heap {}

#[global_allocator]
static ALLOCATOR: Heap = Heap(std::cell::UnsafeCell::new([0; HEAP]), AtomicUsize::new(0));

impl Heap {
    fn base(&self) -> *mut u8 {
        self.0.get().cast()
    }
}

// SAFETY: blocks follow one another, never overlap, and are never given out again.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() > 64 {
            // SAFETY: as the caller says.
            return unsafe { System.alloc(layout) };
        }
        let mut begin = 0;
        let taken = self.1.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |end| {
            begin = end.next_multiple_of(layout.align());
            begin.checked_add(layout.size()).filter(|&end| end <= HEAP)
        });
        match taken {
            // SAFETY: it ends inside the heap.
            Ok(_) => unsafe { self.base().add(begin) },
            // A panic's backtrace may want more.
            // SAFETY: as the caller says.
            Err(_) => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        for i in 0..layout.size() {
            // SAFETY: the block has so many bytes.
            unsafe { block.add(i).write_volatile(0) };
        }
        if block.addr().wrapping_sub(self.base().addr()) >= HEAP {
            // SAFETY: it came from there.
            unsafe { System.dealloc(block, layout) };
        }
    }
}

/// The memory that is searched.
fn all_of_memory() -> (*const u8, usize) {
    #[cfg(target_arch = "wasm32")]
    {
        (std::ptr::without_provenance(1024), core::arch::wasm32::memory_size(0) * 65_536 - 1024)
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        (ALLOCATOR.base(), ALLOCATOR.1.load(Ordering::SeqCst))
    }
}

const VEIL: u8 = 0xA5;

const fn veiled<const N: usize>(text: &[u8; N]) -> [u8; N] {
    let (mut out, mut i) = (*text, 0);
    while i < N {
        out[i] ^= VEIL;
        i += 1;
    }
    out
}

fn unveiled(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte ^ VEIL)).collect()
}

const TEXT: [u8; 34] = veiled(b"the password is xylophonist's oboe");
const KIND: [u8; 10] = veiled(b"confession");
const SESSION: [u8; 11] = veiled(b"attic-room7");
const VALUE: [u8; 10] = veiled(b"zyzzyva-99");

/// Files in memory, veiled.
#[derive(Clone, Default)]
struct Disk(Rc<RefCell<Files>>);

#[derive(Default)]
struct Files {
    names: BTreeMap<String, usize>,
    files: Vec<Vec<u8>>,
}

impl Disk {
    fn veiled_bytes(&self, ending: &str) -> Vec<u8> {
        let files = self.0.borrow();
        let found = files.names.iter().find(|(name, _)| name.ends_with(ending));
        files.files[*found.expect("it was written").1].clone()
    }
}

impl Storage for Disk {
    fn open(&self, name: &str) -> Outcome<Handle> {
        let files = self.0.borrow();
        files.names.get(name).map(|&file| file as Handle).ok_or(StorageError::NotFound)
    }
    fn create(&self, name: &str) -> Outcome<Handle> {
        let mut files = self.0.borrow_mut();
        if files.names.contains_key(name) {
            return Err(StorageError::Exists);
        }
        let file = files.files.len();
        files.names.insert(name.to_owned(), file);
        files.files.push(Vec::new());
        Ok(file as Handle)
    }
    fn close(&self, _: Handle) {}
    fn len(&self, file: Handle) -> Outcome<u64> {
        Ok(self.0.borrow().files[file as usize].len() as u64)
    }
    fn read_at(&self, file: Handle, offset: u64, into: &mut [u8]) -> Outcome<usize> {
        let files = self.0.borrow();
        let from = files.files[file as usize].get(offset as usize..).unwrap_or_default();
        let len = from.len().min(into.len());
        for (to, from) in into.iter_mut().zip(from) {
            *to = from ^ VEIL;
        }
        Ok(len)
    }
    fn append(&self, file: Handle, bytes: &[u8]) -> Outcome<()> {
        self.0.borrow_mut().files[file as usize].extend(bytes.iter().map(|byte| byte ^ VEIL));
        Ok(())
    }
    fn truncate(&self, file: Handle, len: u64) -> Outcome<()> {
        self.0.borrow_mut().files[file as usize].truncate(len as usize);
        Ok(())
    }
    fn sync(&self, _: Handle) -> Outcome<()> {
        Ok(())
    }
    fn sync_folder(&self) -> Outcome<()> {
        Ok(())
    }
    fn rename(&self, from: &str, to: &str) -> Outcome<()> {
        let mut files = self.0.borrow_mut();
        let file = files.names.remove(from).ok_or(StorageError::NotFound)?;
        files.names.insert(to.to_owned(), file);
        Ok(())
    }
    fn remove(&self, name: &str) -> Outcome<()> {
        let mut files = self.0.borrow_mut();
        files.names.remove(name).map(drop).ok_or(StorageError::NotFound)
    }
    fn list(&self, prefix: &str) -> Outcome<Vec<String>> {
        let files = self.0.borrow();
        Ok(files.names.keys().filter(|name| name.starts_with(prefix)).cloned().collect())
    }
}

/// Traces: eight bytes each, veiled.
#[derive(Default)]
struct Traces(HashSet<u64>);

impl Traces {
    /// What is in `bytes`, which are veiled: eight at a time from every second byte on, but for
    /// what is everywhere, as zeros and small numbers are.
    fn take(&mut self, bytes: &[u8]) {
        for window in bytes.windows(8).step_by(2) {
            let mut different = window.to_vec();
            different.sort_unstable();
            different.dedup();
            if different.len() >= 6 && !window.contains(&VEIL) && !window.contains(&(0xFF ^ VEIL)) {
                self.0.insert(window.iter().fold(0, |all, &byte| all << 8 | u64::from(byte)));
            }
        }
    }

    /// Does not look for what is in `bytes`, which are veiled.
    fn spare(&mut self, bytes: &[u8]) {
        for window in bytes.windows(8) {
            self.0.remove(&window.iter().fold(0, |all, &byte| all << 8 | u64::from(byte)));
        }
    }

    /// How many of them begin in the `len` bytes at `base`, veiled by `veil`.
    ///
    /// # Safety
    /// So many bytes can be read there.
    unsafe fn count(&self, base: *const u8, len: usize, veil: u8) -> usize {
        let mut first = [false; 1 << 16];
        for trace in &self.0 {
            first[(trace & 0xFFFF) as usize] = true;
        }
        let (mut window, mut found) = (0u64, 0);
        for i in 0..len {
            // SAFETY: the caller says so.
            let byte = unsafe { base.add(i).read_volatile() };
            window = window << 8 | u64::from(byte ^ veil);
            found += usize::from(first[(window & 0xFFFF) as usize] && self.0.contains(&window));
        }
        found
    }

    fn in_memory(&self) -> usize {
        let (base, len) = all_of_memory();
        // SAFETY: it is all there, and nobody else writes meanwhile but counters.
        unsafe { self.count(base, len, VEIL) }
    }

    fn in_bytes(&self, veiled: &[u8]) -> usize {
        // SAFETY: a slice can be read.
        unsafe { self.count(veiled.as_ptr(), veiled.len(), 0) }
    }
}

const DIM: usize = 160;
const HOUR: u64 = 3_600_000;
const NOW: u64 = 400_000 * HOUR;
const SECRET: u64 = 50;

/// A row of numbers that no other has.
fn row(id: u64) -> Vec<f32> {
    let mut state = id.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 0.7
    };
    (0..DIM).map(|_| next()).collect()
}

fn remember(memory: &mut Memory, id: u64) {
    let secret = id == SECRET;
    let text = if secret { unveiled(&TEXT) } else { format!("a usual note of number {id}") };
    let (kind, session, value) = match secret {
        true => (unveiled(&KIND), unveiled(&SESSION), unveiled(&VALUE)),
        false => (String::from("note"), String::new(), String::from("x")),
    };
    let record = Record {
        id,
        vector: &row(id),
        text: &text,
        kind: &kind,
        session: &session,
        created: NOW,
        last_used: NOW,
        uses: 0,
        importance: 0.0,
        pinned: false,
        metadata: &[("code", &value)],
    };
    memory.remember(&record).expect("it fits");
}

fn veil(row: &[f32]) -> Vec<u8> {
    row.iter().flat_map(|x| x.to_le_bytes()).map(|byte| byte ^ VEIL).collect()
}

/// One after the other: each searches all of memory.
#[test]
fn nothing_of_what_was_forgotten_is_left() {
    forget_in(Encoding::I8);
    forget_in(Encoding::F16);
    assert!(ALLOCATOR.1.load(Ordering::SeqCst) < HEAP * 9 / 10, "all of it was searched");
}

/// What is given to a memory of the secret, as its files and its image have it.
fn given() -> Traces {
    let mut given = Traces::default();
    for strings in [&TEXT[..], &KIND, &SESSION, &VALUE] {
        given.take(strings);
        given.take(&strings[1..]);
    }
    let mut vector = row(SECRET);
    given.take(&veil(&vector));
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|x| *x /= length);
    given.take(&veil(&vector));
    given
}

/// A memory through which the secret has gone, in every tier, folded and not, read back and written anew;
/// without it, all the same but that. Gives its images on the way, too.
fn driven(encoding: Encoding, disk: &Disk, secret: Option<&Traces>) -> (Memory, Vec<Vec<u8>>) {
    // Only 8-bit codes have tiers.
    let tiered = encoding == Encoding::I8;
    let file = Options {
        dim: Some(DIM as u16),
        file_id: *b"a file of a test",
        create: true,
        ..Options::default()
    };
    let options = MemoryOptions {
        file,
        capacity: 100,
        encoding: Some(encoding),
        image: tiered.then_some(usize::MAX),
        words: 1 << 18,
        ..MemoryOptions::default()
    };
    let open = || {
        Memory::open(Box::new(disk.clone()), "m.rvf", &options, &mut |_, _| {}).expect("it opens")
    };
    let remember_secret = |memory: &mut Memory| {
        if secret.is_some() {
            remember(memory, SECRET);
        }
    };
    let journal_has_it = || {
        let found = secret.map(|given| given.in_bytes(&disk.veiled_bytes(".journal")));
        assert!(found.is_none_or(|found| found > 100), "the search finds what is there");
    };
    let mut images = Vec::new();
    let mut memory = open();
    for id in (0..SECRET).chain(SECRET + 1..70) {
        remember(&mut memory, id);
    }
    memory.commit(NOW).expect("it commits");
    let all = Budget { records: u32::MAX, bytes: u64::MAX };
    remember_secret(&mut memory);
    memory.commit(NOW).expect("it commits");
    journal_has_it();
    for (hours, tier) in [(0, Tier::Hot), (12, Tier::Warm), (40, Tier::Cool), (100, Tier::Cold)] {
        memory.tick(NOW + hours * HOUR, all).expect("it ticks");
        if secret.is_some() {
            assert_eq!(memory.tier(SECRET), Ok(if tiered { tier } else { Tier::Hot }));
        }
        memory.touch(&[1], NOW);
        memory.save().expect("it saves");
        images.push(disk.veiled_bytes(".image"));
    }
    let mut memory = {
        memory.close(NOW).expect("it closes");
        open()
    };
    for _ in 0..5 {
        memory.touch(&[SECRET], NOW + 101 * HOUR);
    }
    memory.tick(NOW + 101 * HOUR, all).expect("it ticks");
    if secret.is_some() {
        assert_eq!(memory.tier(SECRET), Ok(Tier::Hot));
    }
    let query = row(1000);
    let both = Recall { vector: Some(&query), text: Some("usual"), ..Recall::default() };
    assert_eq!(memory.recall(&both).expect("it answers").len(), 10);
    remember_secret(&mut memory);
    memory.rollback().expect("it rolls back");
    remember_secret(&mut memory);
    memory.commit(NOW).expect("it commits");
    if secret.is_some() {
        memory.forget(SECRET).expect("it is there");
    }
    memory.commit(NOW).expect("it commits");
    journal_has_it();
    memory.compact(NOW).expect("it compacts");
    images.push(disk.veiled_bytes(".image"));
    (memory, images)
}

fn forget_in(encoding: Encoding) {
    let (disk, given) = (Disk::default(), given());
    let (memory, mut images) = driven(encoding, &disk, Some(&given));
    // The last one must have nothing of it.
    images.pop();
    let mut derived = Traces::default();
    images.iter().for_each(|image| derived.take(image));
    // What the others have, in each tier. Not what is in the image that is searched: that would spare what
    // stayed there.
    for image in driven(encoding, &Disk::default(), None).1 {
        derived.spare(&image);
    }
    let least = if encoding == Encoding::I8 { 300 } else { 150 };
    assert!(derived.0.len() > least, "{} traces of codes", derived.0.len());
    for traces in [&given, &derived] {
        assert_eq!(traces.in_memory(), 0);
        let files = disk.0.borrow();
        for (name, &file) in &files.names {
            assert_eq!(traces.in_bytes(&files.files[file]), 0, "{name}");
        }
    }
    assert_eq!(memory.len(), 69);
}
