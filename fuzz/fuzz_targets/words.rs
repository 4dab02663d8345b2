//! Any bytes as a text: its words keep their bounds, and an index that takes it in gives it
//! back whole. Any bytes as a saved index: refused or sound.
#![no_main]

use clawft_store::lexical::{Bm25, Index, MAX_WORD, Scratch, words};
use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 1 << 18;

fn open(bytes: &[u8]) -> Option<Index> {
    Index::open(LIMIT, bytes).ok()
}

fn saved(index: &Index) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _: Result<(), ()> = index.save(&mut |piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    });
    bytes
}

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let mut count = 0;
    for word in words(&text) {
        assert!((1..=MAX_WORD).contains(&word.as_bytes().len()));
        assert!(std::str::from_utf8(word.as_bytes()).is_ok());
        count += 1;
    }

    let mut index = Index::new(LIMIT, 1);
    index.add(0, "one text of another kind").expect("there is room");
    let before = saved(&index);
    if index.add(5, &text).is_ok() {
        assert_eq!(index.length(5), count);
        let mut scratch = Scratch::default();
        let hits = index.search(&text, 3, &Bm25::default(), &mut |_| true, &mut scratch);
        let found = hits.expect("memory").iter().any(|hit| hit.slot == 5);
        assert_eq!(found, count > 0, "a text answers itself");
        let again = open(&saved(&index)).expect("what was saved opens");
        assert_eq!(saved(&again), saved(&index));
        assert!(index.remove(5, &text));
    }
    assert_eq!((index.len(), index.length(0)), (1, 4));
    assert_eq!(open(&saved(&index)).map(|index| index.len()), Some(1));

    // The start of a saved index, so that what follows is read.
    let damaged = [&before[..32.min(before.len())], bytes].concat();
    if let Some(mut index) = open(&damaged) {
        let _ = index.replace(0, "one text", &text);
        assert!(open(&saved(&index)).is_some());
    }
});
