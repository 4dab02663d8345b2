//! What all embedders must keep: vectors of length 1, always the same; and a model file that is
//! none is refused with a sentence.

use super::*;
use alloc::vec;
use alloc::vec::Vec;
use clawft_store::lexical::RULES;
use proptest::prelude::*;
use std::time::{Duration, Instant};
use xxhash_rust::xxh64::xxh64;

const MODEL_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/clawft-static.bin");

/// A model of eight components: `a`, `cat`, `dog`, and `##s`.
fn small() -> Vec<u8> {
    let mut bytes = b"CFTABLE\0\x01\0\0\0\x08\0\x03\0".to_vec();
    bytes.extend(0.001f32.to_le_bytes());
    bytes.extend(1.0f32.to_le_bytes());
    for count in [1u16, 0, 2, 1, 0, 0] {
        bytes.extend(count.to_le_bytes());
    }
    bytes.extend(b"acatdogs");
    for scale in [1u16, 1000, 1000, 500] {
        bytes.extend(scale.to_le_bytes());
    }
    bytes.extend([0x88, 0x88, 0x88, 0x88]);
    bytes.extend([0x0f, 0xf0, 0x78, 0x87]);
    bytes.extend([0xf0, 0x0f, 0x78, 0x87]);
    bytes.extend([0xff, 0x00, 0x00, 0xff]);
    sealed(bytes)
}

/// With its checksum.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend(xxh64(&bytes, 0).to_le_bytes());
    bytes
}

fn shipped() -> Table {
    Table::open(std::fs::read(MODEL_FILE).expect("the model file is part of the project")).unwrap()
}

fn of(table: &Table, text: &str) -> Vec<f32> {
    let mut vector = vec![0.0; table.dim()];
    table.vector(text, &mut vector);
    vector
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn length(vector: &[f32]) -> f64 {
    vector.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn pieces_are_added_by_their_scales() {
    let table = Table::open(small()).unwrap();
    assert_eq!((table.dim(), table.pieces()), (8, 4));
    // cat: (15, 0, 0, 15, 8, 7, 7, 8) less 7.5; s: (15, 15, 0, 0, 0, 0, 15, 15), half as much.
    let raw = [11.25, -3.75, -11.25, 3.75, -3.25, -4.25, 3.25, 4.25f64];
    let norm = raw.iter().map(|x| x * x).sum::<f64>().sqrt();
    for text in ["cats", "Cats!", "  CATS ", "cat xxs"] {
        let found = of(&table, text);
        if text == "cat xxs" {
            // x is no piece; what follows it continues.
            assert_eq!(found, of(&table, "cats"));
        }
        for (found, raw) in found.iter().zip(raw) {
            assert!((f64::from(*found) - raw / norm).abs() < 1e-6, "{text}: {found}");
        }
    }
    assert_ne!(of(&table, "cat dog"), of(&table, "cat"));
    assert_eq!(of(&table, "cat dog"), of(&table, "DOG, cat"));
}

#[test]
fn what_has_no_piece_has_a_direction_of_its_own() {
    let table = Table::open(small()).unwrap();
    let texts = ["", "東京", "мир", "👍", "🎉", "xyz", "zyx"];
    for (n, a) in texts.iter().enumerate() {
        assert!((length(&of(&table, a)) - 1.0).abs() < 1e-6);
        for b in texts.iter().skip(n + 1) {
            assert_ne!(of(&table, a), of(&table, b), "{a} and {b}");
        }
    }
    let shipped = shipped();
    let near = dot(&of(&shipped, "мир и война"), &of(&shipped, "Война, мир"));
    assert!(near > 0.7, "{near}");
    for (a, b) in [("東京", "大阪"), ("👍", "🎉"), ("мир", "кот")] {
        let near = dot(&of(&shipped, a), &of(&shipped, b));
        assert!(near.abs() < 0.4, "{a} and {b}: {near}");
    }
}

#[test]
fn the_shipped_model_knows_what_is_near() {
    let table = shipped();
    assert!(std::fs::metadata(MODEL_FILE).unwrap().len() <= 1_500_000);
    for (a, b, far) in [
        ("The doctor examined the patient.", "A physician saw a sick man.", "Stock prices fell."),
        ("How do I bake bread?", "A recipe for a loaf: flour, yeast, water", "The train is late."),
        ("My car broke down.", "The engine of the vehicle failed.", "She sings in a choir."),
    ] {
        let (near, far) =
            (dot(&of(&table, a), &of(&table, b)), dot(&of(&table, a), &of(&table, far)));
        assert!(near > far + 0.2, "{a}: {near} and {far}");
    }
}

#[test]
fn a_megabyte_takes_bounded_time() {
    let texts = [
        "the quick brown fox ".repeat(1 << 20 >> 4),
        "x".repeat(1 << 20),
        "é".repeat(1 << 19),
        "語".repeat(350_000),
        "я".repeat(1 << 19),
        "\u{301}".repeat(1 << 19),
    ];
    let (table, hashed) = (shipped(), Hashed::new(hashed::DIM));
    for text in &texts {
        let start = Instant::now();
        assert!((length(&of(&table, text)) - 1.0).abs() < 1e-5);
        let mut vector = vec![0.0; hashed.dim()];
        hashed.vector(text, &mut vector);
        assert!((length(&vector) - 1.0).abs() < 1e-5);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(20), "{:?} took {took:?}", text.chars().next());
    }
}

#[test]
fn files_that_are_none_are_refused() {
    let open = |bytes: Vec<u8>| Table::open(bytes).err().map(Failure::into_sentence);
    let good = small();
    let end = good.len() - 8;
    let with = |at: usize, value: u8| {
        let mut bytes = good[..end].to_vec();
        bytes[at] = value;
        sealed(bytes)
    };
    assert_eq!(open(good.clone()), None);
    for (bytes, part) in [
        (vec![], "no model file"),
        (b"CFTABLE\0".to_vec(), "no model file"),
        (with(0, b'X'), "no model file"),
        (with(8, 2), "version 1 expected, found 2"),
        (good[..good.len() - 1].to_vec(), "damaged or cut short"),
        (good[1..].to_vec(), "no model file"),
        (with(12, 7), "header"),
        (with(12, 0), "header"),
        (with(14, 200), "header"),
        (with(19, 0x7f), "header"),
        (with(23, 0xbf), "header"),
        (with(24, 9), "bytes of model expected"),
        (sealed(good[..end - 1].to_vec()), "bytes of model expected"),
    ] {
        let sentence = open(bytes).expect("refused");
        assert!(sentence.contains(part), "{sentence} should say {part}");
    }
}

#[test]
fn hashes_find_what_is_spelt_alike_and_nothing_else() {
    let hashed = Hashed::new(hashed::DIM);
    let of = |text: &str| {
        let mut vector = vec![0.0; hashed.dim()];
        hashed.vector(text, &mut vector);
        vector
    };
    let near = |a, b| dot(&of(a), &of(b));
    assert!(near("the embedding of words", "Word embeddings") > 0.5);
    assert!(near("necessary accommodation", "neccessary acommodation") > 0.4);
    assert!(near("the physician saw a patient", "doctors examine the ill").abs() < 0.25);
    assert!(near("мир", "война").abs() < 0.25);
    assert_eq!(of("The cats!"), of("cat"));
}

#[test]
fn a_memory_of_another_embedder_is_refused() {
    let hashed = Hashed::new(256);
    assert_eq!(hashed.id(), std::format!("hashed:{RULES}"));
    assert!(Table::open(small()).unwrap().id().ends_with(&std::format!(":{RULES}")));
    assert!(check(&hashed, "hashed:2", 256).is_ok());
    for (id, dim) in [("hashed:2", 512), ("static:0123456789abcdef:2", 256)] {
        let sentence = check(&hashed, id, dim).unwrap_err().into_sentence();
        assert!(sentence.contains("clawft reembed") && sentence.contains(id), "{sentence}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_text_has_a_vector_of_length_one(text in any::<String>(), dim in 1usize..600) {
        let table = Table::open(small()).unwrap();
        let found = of(&table, &text);
        prop_assert!((length(&found) - 1.0).abs() < 1e-5);
        prop_assert_eq!(&found, &of(&table, &text));
        let hashed = Hashed::new(dim);
        let mut vector = vec![f32::NAN; dim];
        hashed.vector(&text, &mut vector);
        prop_assert!((length(&vector) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn a_changed_byte_is_found(at in 0usize..79, bits in 1u8..) {
        let mut bytes = small();
        let at = at % bytes.len();
        bytes[at] ^= bits;
        prop_assert!(Table::open(bytes).is_err());
    }

    /// A checksum can be made by anybody: what it seals must still not panic.
    #[test]
    fn any_sealed_file_is_refused_or_works(
        changes in prop::collection::vec((0usize..71, any::<u8>()), 0..6),
        cut in 0usize..80,
        text in "[a-z ]{0,20}",
    ) {
        let good = small();
        let mut bytes = good[..good.len() - 8].to_vec();
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        bytes.truncate(bytes.len().saturating_sub(cut / 8));
        if let Ok(table) = Table::open(sealed(bytes)) {
            let found = of(&table, &text);
            prop_assert!((length(&found) - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Table::open(bytes).is_err());
    }
}
