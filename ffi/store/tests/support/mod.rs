//! What the tests of the memory's ABI share: a disk in memory behind function pointers, and calls
//! that must succeed.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part of this")]
#![allow(clippy::undocumented_unsafe_blocks, reason = "pointers lead to live locals")]

#[path = "../../../tests/support/vector.rs"]
mod seeded;

use clawft_ffi_store::kernel::clawft_last_error;
use clawft_ffi_store::*;
use std::collections::BTreeMap;
use std::ffi::{c_char, c_void};
use std::sync::{Arc, Mutex, MutexGuard};

pub const DIM: usize = 8;

type Bytes = Arc<Mutex<Vec<u8>>>;

/// Files by name, and what is to go wrong.
#[derive(Default)]
pub struct Files {
    pub named: BTreeMap<String, Bytes>,
    open: Vec<Option<Bytes>>,
    /// Bytes that may still be written.
    pub space: Option<usize>,
    pub read_only: bool,
    /// What every call returns instead of its result.
    pub broken: Option<i32>,
    /// Called back from inside `read_at` and `close`.
    pub call_back: Option<u32>,
    /// What that gave.
    pub called_back: Vec<i32>,
    pub progress: Vec<(u32, u32)>,
}

/// A disk; a copy is the same disk.
#[derive(Clone, Default)]
pub struct Disk(pub Arc<Mutex<Files>>);

impl Disk {
    pub fn files(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap()
    }

    /// Its functions, for as long as the disk is there.
    pub fn storage(&self) -> ClawftStorage {
        ClawftStorage {
            size: size_of::<ClawftStorage>() as u32,
            context: Arc::as_ptr(&self.0).cast_mut().cast(),
            open: Some(open),
            create: Some(create),
            close: Some(close),
            len: Some(len),
            read_at: Some(read_at),
            append: Some(append),
            truncate: Some(truncate),
            sync: Some(sync),
            sync_folder: Some(sync_folder),
            rename: Some(rename),
            remove: Some(remove),
            progress: Some(progress),
            list: Some(list),
        }
    }

    /// The bytes of a file.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        self.files().named[name].lock().unwrap().clone()
    }

    /// Puts other bytes in the place of a file's.
    pub fn set(&self, name: &str, bytes: Vec<u8>) {
        self.files().named.insert(name.into(), Arc::new(Mutex::new(bytes)));
    }
}

unsafe fn files<'a>(context: *mut c_void) -> MutexGuard<'a, Files> {
    unsafe { &*context.cast::<Mutex<Files>>() }.lock().unwrap()
}

unsafe fn name(bytes: *const c_char, len: usize) -> String {
    let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), len) };
    std::str::from_utf8(bytes).unwrap().to_string()
}

impl Files {
    fn give(&mut self, bytes: Bytes) -> i32 {
        self.open.push(Some(bytes));
        self.open.len() as i32 - 1
    }

    fn at(&self, file: u32) -> Result<Bytes, i32> {
        match (self.broken, self.open.get(file as usize)) {
            (Some(code), _) => Err(code),
            (_, Some(Some(bytes))) => Ok(bytes.clone()),
            _ => Err(-205),
        }
    }

    fn may_write(&self) -> Result<(), i32> {
        match (self.broken, self.read_only) {
            (Some(code), _) => Err(code),
            (_, true) => Err(-204),
            _ => Ok(()),
        }
    }
}

fn code(result: Result<i32, i32>) -> i32 {
    result.unwrap_or_else(|code| code)
}

unsafe extern "C" fn open(context: *mut c_void, at: *const c_char, len: usize) -> i32 {
    let (mut files, name) = unsafe { (files(context), name(at, len)) };
    match (files.broken, files.named.get(&name).cloned()) {
        (Some(code), _) => code,
        (_, Some(bytes)) => files.give(bytes),
        _ => -201,
    }
}

unsafe extern "C" fn create(context: *mut c_void, at: *const c_char, len: usize) -> i32 {
    let (mut files, name) = unsafe { (files(context), name(at, len)) };
    if let Err(code) = files.may_write() {
        return code;
    }
    if files.named.contains_key(&name) {
        return -202;
    }
    let bytes = Bytes::default();
    files.named.insert(name, bytes.clone());
    files.give(bytes)
}

/// Calls back where that is wanted.
unsafe fn call_back(context: *mut c_void) {
    let back = unsafe { files(context) }.call_back;
    if let Some(handle) = back {
        let given = clawft_commit(handle, 0);
        unsafe { files(context) }.called_back.push(given);
    }
}

unsafe extern "C" fn close(context: *mut c_void, file: u32) -> i32 {
    unsafe { call_back(context) };
    let mut files = unsafe { files(context) };
    if let Some(place) = files.open.get_mut(file as usize) {
        *place = None;
    }
    0
}

unsafe extern "C" fn len(context: *mut c_void, file: u32) -> i64 {
    match unsafe { files(context) }.at(file) {
        Ok(bytes) => bytes.lock().unwrap().len() as i64,
        Err(code) => code.into(),
    }
}

unsafe extern "C" fn read_at(
    context: *mut c_void,
    file: u32,
    offset: u64,
    into: *mut c_void,
    len: usize,
) -> i32 {
    unsafe { call_back(context) };
    let bytes = unsafe { files(context) }.at(file);
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(code) => return code,
    };
    let bytes = bytes.lock().unwrap();
    let from = bytes.get(offset as usize..).unwrap_or_default();
    let n = from.len().min(len);
    unsafe { from.as_ptr().copy_to(into.cast(), n) };
    n as i32
}

unsafe extern "C" fn append(
    context: *mut c_void,
    file: u32,
    from: *const c_void,
    len: usize,
) -> i32 {
    let mut files = unsafe { files(context) };
    let from = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), len) };
    let mut append = || {
        files.may_write()?;
        let bytes = files.at(file)?;
        let room = files.space.unwrap_or(usize::MAX);
        let fits = &from[..len.min(room)];
        bytes.lock().unwrap().extend_from_slice(fits);
        if let Some(space) = &mut files.space {
            *space -= fits.len();
        }
        if fits.len() < len { Err(-203) } else { Ok(0) }
    };
    code(append())
}

unsafe extern "C" fn truncate(context: *mut c_void, file: u32, len: u64) -> i32 {
    let files = unsafe { files(context) };
    let truncate = || {
        files.may_write()?;
        files.at(file)?.lock().unwrap().truncate(len as usize);
        Ok(0)
    };
    code(truncate())
}

unsafe extern "C" fn sync(context: *mut c_void, file: u32) -> i32 {
    code(unsafe { files(context) }.at(file).map(|_| 0))
}

unsafe extern "C" fn sync_folder(context: *mut c_void) -> i32 {
    code(unsafe { files(context) }.may_write().map(|()| 0))
}

unsafe extern "C" fn rename(
    context: *mut c_void,
    from: *const c_char,
    from_len: usize,
    to: *const c_char,
    to_len: usize,
) -> i32 {
    let mut files = unsafe { files(context) };
    let (from, to) = unsafe { (name(from, from_len), name(to, to_len)) };
    if let Err(code) = files.may_write() {
        return code;
    }
    match files.named.remove(&from) {
        Some(bytes) => {
            files.named.insert(to, bytes);
            0
        }
        None => -201,
    }
}

unsafe extern "C" fn remove(context: *mut c_void, at: *const c_char, len: usize) -> i32 {
    let (mut files, name) = unsafe { (files(context), name(at, len)) };
    if let Err(code) = files.may_write() {
        return code;
    }
    if files.named.remove(&name).is_some() { 0 } else { -201 }
}

unsafe extern "C" fn list(
    context: *mut c_void,
    at: *const c_char,
    len: usize,
    into: *mut c_char,
    cap: usize,
) -> i32 {
    let (files, prefix) = unsafe { (files(context), name(at, len)) };
    let named = files.named.keys().filter(|name| name.starts_with(&prefix));
    let names: String = named.flat_map(|name| [name, "\0"]).collect();
    let fits = names.len().min(cap);
    unsafe { into.cast::<u8>().copy_from(names.as_ptr(), fits) };
    names.len() as i32
}

unsafe extern "C" fn progress(context: *mut c_void, done: u32, all: u32) {
    unsafe { files(context) }.progress.push((done, all));
}

/// The sentence of the last error.
pub fn sentence() -> String {
    let mut text = vec![0u8; 256];
    let len = unsafe { clawft_last_error(text.as_mut_ptr().cast::<c_char>(), text.len()) };
    String::from_utf8(text[..len].to_vec()).unwrap()
}

pub fn ok(code: i32) {
    assert!(code >= 0, "{code}: {}", sentence());
}

/// `code` must be `expected`, with a sentence that has each of `words`.
pub fn refused(code: i32, expected: i32, words: &[&str]) {
    assert_eq!(code, expected, "{}", sentence());
    for word in words {
        assert!(sentence().contains(word), "{word:?} in {:?}", sentence());
    }
}

pub fn text(text: &str) -> ClawftText {
    ClawftText { bytes: text.as_ptr().cast(), len: text.len() }
}

pub fn options(flags: u32) -> ClawftMemoryOptions {
    let mut options = std::mem::MaybeUninit::uninit();
    ok(unsafe { clawft_memory_options_init(options.as_mut_ptr()) });
    let options = unsafe { options.assume_init() };
    ClawftMemoryOptions { flags, dim: DIM as u32, capacity: 100, file_id: [7; 16], ..options }
}

pub fn try_open(disk: &Disk, options: &ClawftMemoryOptions) -> Result<u32, i32> {
    let (mut handle, name) = (u32::MAX, "memory.rvf");
    let storage = disk.storage();
    let code = unsafe {
        clawft_memory_open(name.as_ptr().cast(), name.len(), options, &storage, &mut handle)
    };
    match code {
        0 => Ok(handle),
        code => {
            assert_eq!(handle, u32::MAX, "an output was written");
            Err(code)
        }
    }
}

/// Opens the memory on the disk, or creates it.
pub fn open_memory(disk: &Disk) -> u32 {
    try_open(disk, &options(CLAWFT_CREATE)).unwrap_or_else(|code| panic!("{code}: {}", sentence()))
}

pub fn vector(seed: u64) -> Vec<f32> {
    seeded::vector(seed, DIM)
}

/// A record of `vector` and `words`, which must outlive it.
pub fn record(id: u64, vector: &[f32], words: &str) -> ClawftRecord {
    ClawftRecord {
        size: size_of::<ClawftRecord>() as u32,
        dim: vector.len() as u32,
        id,
        vector: vector.as_ptr(),
        text: text(words),
        kind: text("note"),
        session: text(""),
        metadata: std::ptr::null(),
        metadata_len: 0,
        uses: 0,
        created: 1000 + id % 1000,
        last_used: 1000 + id % 1000,
        importance: 0.5,
        pinned: 0,
    }
}

pub fn remember(handle: u32, id: u64, words: &str) -> i32 {
    let vector = vector(id);
    unsafe { clawft_remember(handle, &record(id, &vector, words)) }
}

pub fn recall(k: u32) -> ClawftRecall {
    let mut recall = std::mem::MaybeUninit::uninit();
    ok(unsafe { clawft_recall_init(recall.as_mut_ptr(), k) });
    unsafe { recall.assume_init() }
}

pub fn found(handle: u32, recall: &ClawftRecall) -> Vec<ClawftFound> {
    let mut all = vec![ClawftFound::default(); recall.k as usize];
    let mut count = 0;
    ok(unsafe { clawft_recall(handle, recall, all.as_mut_ptr(), &mut count) });
    all.truncate(count as usize);
    all
}

pub fn by_words(handle: u32, words: &str) -> Vec<u64> {
    let recall = ClawftRecall { text: text(words), ..recall(10) };
    found(handle, &recall).iter().map(|one| one.id).collect()
}

pub fn string(handle: u32, id: u64, which: u32) -> String {
    let mut len = 0;
    let null = std::ptr::null_mut();
    ok(unsafe { clawft_record_string(handle, id, which, null, 0, &mut len) });
    let mut bytes = vec![0u8; len];
    let at = bytes.as_mut_ptr().cast();
    ok(unsafe { clawft_record_string(handle, id, which, at, bytes.len(), &mut len) });
    assert_eq!(len, bytes.len());
    String::from_utf8(bytes).unwrap()
}

pub fn report(handle: u32) -> ClawftMemoryReport {
    let mut report = ClawftMemoryReport::default();
    ok(unsafe { clawft_memory_report(handle, &mut report) });
    report
}

/// A memory with twenty records, committed.
pub fn filled(disk: &Disk) -> u32 {
    let handle = open_memory(disk);
    for id in 0..20 {
        ok(remember(handle, id, &format!("record number {id}, committed")));
    }
    ok(clawft_commit(handle, 0));
    handle
}
