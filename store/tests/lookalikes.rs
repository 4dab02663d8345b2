//! Texts that look like parts of the file that holds them: whoever is remembered may write them, and
//! the file opens as any other, whenever a writer is killed.

#![forbid(unsafe_code)]

mod support;

use clawft_store::storage::simulated::SimulatedDisk;
use clawft_store::{DurableFile, Limits, Options};
use support::{DIM, Model, NAME, Owned, Random, all, open, options};

const JOURNAL: &str = "memory.rvf.journal";

/// Opens the file that holds `text` as it is when it was closed, and with its base cut off wherever the
/// fold may have been killed.
fn check(text: &str) {
    let disk = SimulatedDisk::new(1);
    let quiet = Options { limits: Limits { fold: 1 << 24, ..Limits::default() }, ..options() };
    let mut file = DurableFile::open(Box::new(disk.clone()), NAME, &quiet).unwrap();
    let mut random = Random(1);
    let record = Owned { text: text.into(), ..Owned::random(&mut random, DIM, 1) };
    record.put(&mut file, 7).unwrap();
    file.commit(0).unwrap();
    let model = Model::from([(7, record)]);
    let (base, journal) = (disk.bytes(NAME).unwrap(), disk.bytes(JOURNAL).unwrap());
    file.close(0).unwrap();
    let folded = disk.bytes(NAME).unwrap();
    assert!(folded.starts_with(&base) && folded.len() > base.len() + text.len());
    assert_eq!(all(&open(&disk).unwrap()).unwrap(), model);

    let step = if cfg!(miri) { 6400 } else { 64 };
    for cut in (base.len()..folded.len()).step_by(step) {
        let killed = SimulatedDisk::new(cut as u64);
        killed.put(NAME, folded[..cut].to_vec());
        killed.put(JOURNAL, journal.clone());
        let file = open(&killed).unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
        assert_eq!(all(&file).unwrap(), model, "cut at {cut}");
        file.close(0).unwrap();
        assert_eq!(all(&open(&killed).unwrap()).unwrap(), model, "cut at {cut}");
    }
}

#[test]
fn a_text_of_root_magics() {
    check(&"0MVR".repeat(2048));
}

/// A header that stands at a multiple of 64 wherever the text begins, with `byte` at place `at` in it.
fn headers(at: usize, byte: u8) -> String {
    let mut header = [0; 64];
    header[..6].copy_from_slice(b"SFVR\x01\x05");
    header[16] = 64;
    header[at] = byte;
    let mut text = Vec::new();
    for _ in 0..64 {
        text.extend_from_slice(&header);
        text.push(b' ');
    }
    text.extend([b' '; 200]);
    String::from_utf8(text).unwrap()
}

#[test]
fn a_text_of_manifests_that_are_compressed() {
    check(&headers(33, 1));
}

#[test]
fn a_text_of_manifests_that_are_signed() {
    check(&headers(32, 9));
}

#[test]
fn a_text_of_manifests_with_another_hash() {
    check(&headers(40, 1));
}
