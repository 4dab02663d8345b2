//! Entries come back as they went in, and no damaged one is given out.

use super::*;
use proptest::prelude::*;
use std::string::String;
use std::vec;

const SMALL: Record<'_> = Record {
    id: 7,
    vector: &[1.0, -2.0],
    text: "tea at five",
    kind: "fact",
    session: "s1",
    created: 5,
    last_used: 6,
    uses: 3,
    importance: 0.5,
    pinned: true,
    metadata: &[("where", "here"), ("a", "")],
};

fn encoded(record: &Record<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    record.encode(record.vector.len(), &mut bytes).unwrap();
    bytes
}

#[test]
fn what_goes_in_comes_out() {
    let bytes = encoded(&SMALL);
    let fields = Fields::parse(&bytes).unwrap();
    assert_eq!((fields.id(), fields.kind(), fields.session()), (7, "fact", "s1"));
    assert_eq!((fields.created(), fields.last_used(), fields.uses()), (5, 6, 3));
    assert_eq!((fields.importance(), fields.pinned(), fields.text_len()), (0.5, true, 11));
    assert_eq!(fields.metadata().collect::<Vec<_>>(), [("a", ""), ("where", "here")]);
    let rest = &bytes[fields.bytes().len()..];
    assert_eq!(part_check(7, &rest[..8]), fields.vector_check());
    assert_eq!(&rest[8..], b"tea at five");
    let mut vector = [0.0; 2];
    get_vector(rest, &mut vector);
    assert_eq!(vector, [1.0, -2.0]);
}

/// Where an entry ends with them, nothing is read that stands behind its end.
#[test]
fn the_shortest_strings_are_read() {
    for (kind, session) in [("", "s"), ("k", ""), ("k", "s"), ("", "ss"), ("", "")] {
        for metadata in [&[][..], &[("", "")], &[("a", "")]] {
            let bytes = encoded(&Record { kind, session, metadata, ..SMALL });
            let fields = Fields::parse(&bytes).unwrap();
            assert_eq!((fields.kind(), fields.session()), (kind, session));
            assert_eq!(fields.metadata().count(), metadata.len());
        }
    }
}

#[test]
fn every_bit_of_an_entry_counts() {
    let bytes = encoded(&SMALL);
    let len = entry_len(&bytes).unwrap();
    for bit in 0..len * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(Fields::parse(&flipped), None, "bit {bit}");
    }
    for cut in 0..len {
        assert_eq!(Fields::parse(&bytes[..cut]), None, "cut at {cut}");
    }
}

#[test]
fn limits_hold_and_say_so() {
    let long = "x".repeat(MAX_TEXT + 1);
    let mut out = vec![1];
    for (record, error) in [
        (Record { text: &long, ..SMALL }, "at most 1048576 expected, 1048577 found: bytes of text"),
        (Record { kind: &long[..256], ..SMALL }, "at most 255 expected, 256 found: bytes of kind"),
        (Record { vector: &[1.0], ..SMALL }, "vectors of 2 components expected, 1 found"),
        (
            Record { session: &long[..1025], ..SMALL },
            "at most 1024 expected, 1025 found: bytes of session",
        ),
        (
            Record { vector: &[1.0, f32::NAN], ..SMALL },
            "finite components expected, component 1 is not",
        ),
        (
            Record { importance: 1.5, ..SMALL },
            "the record cannot be stored: importance must be from 0 to 1",
        ),
        (
            Record { metadata: &[("a", "1"), ("a", "2")], ..SMALL },
            "the record cannot be stored: a key of its metadata stands twice",
        ),
    ] {
        let found = record.encode(2, &mut out).unwrap_err().error();
        assert_eq!(std::format!("{found}"), error);
    }
    assert_eq!(out, [1], "nothing was appended");
    Record { text: &long[..MAX_TEXT], ..SMALL }.encode(2, &mut out).unwrap();
}

proptest! {
    #![proptest_config(crate::cases(256, 8))]

    #[test]
    fn any_record_round_trips(
        id: u64,
        vector in prop::collection::vec(-1e9f32..1e9, 1..20),
        text in ".{0,40}",
        kind in ".{0,20}",
        session in ".{0,3}",
        times: (u64, u64, u32),
        flags: (bool, bool),
        pairs in prop::collection::btree_map(".{0,10}", ".{0,10}", 0..5),
    ) {
        let metadata: Vec<(&str, &str)> =
            pairs.iter().rev().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let record = Record {
            id, vector: &vector, text: &text, kind: &kind, session: &session, metadata: &metadata,
            created: times.0, last_used: times.1, uses: times.2, pinned: flags.0,
            importance: f32::from(u8::from(flags.1)),
        };
        let bytes = encoded(&record);
        let fields = Fields::parse(&bytes).unwrap();
        prop_assert_eq!(fields.id(), id);
        prop_assert_eq!(fields.kind(), kind);
        prop_assert_eq!(fields.session(), session);
        prop_assert_eq!((fields.created(), fields.last_used(), fields.uses()), times);
        prop_assert_eq!((fields.pinned(), fields.importance() == 1.0), flags);
        let last = 2 * fields.pair_count() + 1;
        prop_assert!(fields.string(last).is_some() && fields.string(last + 1).is_none());
        // At once: not after a step for each pair that there is not.
        prop_assert_eq!(fields.string(usize::MAX), None);
        let found: Vec<(String, String)> =
            fields.metadata().map(|(k, v)| (k.into(), v.into())).collect();
        prop_assert_eq!(found, pairs.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn any_bytes_are_refused_or_sound(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut bytes = bytes;
        if bytes.len() >= FIXED {
            seal(&mut bytes);
            bytes[4] = 1;
            seal(&mut bytes);
        }
        if let Some(fields) = Fields::parse(&bytes) {
            let _ = (fields.kind().len(), fields.session().len(), fields.metadata().count());
        }
    }
}
