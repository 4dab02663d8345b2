//! A memory through the C ABI: what goes in is found, read and kept.
#![allow(clippy::undocumented_unsafe_blocks, reason = "pointers lead to live locals")]

mod support;

use clawft_ffi_store::*;
use support::*;

const TEXTS: [&str; 4] =
    ["the kettle is in the kitchen", "the train leaves at nine", "tea is green", ""];

fn filled(disk: &Disk) -> u32 {
    let handle = open_memory(disk);
    for (id, words) in (0..).zip(TEXTS) {
        ok(remember(handle, id, words));
    }
    ok(clawft_commit(handle, 0));
    handle
}

#[test]
fn what_is_remembered_is_found_by_vector_by_words_and_by_both() {
    let disk = Disk::default();
    let handle = filled(&disk);
    for reopened in [false, true] {
        let handle = if reopened {
            ok(clawft_memory_close(handle, 0));
            let handle = open_memory(&disk);
            assert_eq!(report(handle).derived, 1, "read from beside");
            handle
        } else {
            handle
        };
        let v = vector(1);
        let near = ClawftRecall { vector: v.as_ptr(), dim: DIM as u32, ..recall(2) };
        let hits = found(handle, &near);
        assert_eq!((hits.len(), hits[0].id, hits[0].words), (2, 1, 0.0));
        assert!((hits[0].similarity - 1.0).abs() < 1e-3 && hits[0].score == hits[0].similarity);
        assert_eq!(by_words(handle, "when does the train leave?"), [1]);
        let both = ClawftRecall { text: text("green tea"), ..near };
        let hits = found(handle, &both);
        assert_eq!(hits.iter().map(|one| one.id).collect::<Vec<_>>(), [1, 2]);
        assert!(hits[1].words > 0.0 && hits[1].similarity < 0.9);
        // Three texts have words.
        let most = hits[1].words.max(1.5 * (2.0 * 3.0 + 2.0f32).ln());
        let score = 0.6 * hits[1].similarity + 0.4 * (hits[1].words / most).powi(2);
        assert!((hits[1].score - score).abs() < 1e-5);
        let ranks = ClawftRecall { fusion: 1, vector_weight: 60.0, ..both };
        assert_eq!(found(handle, &ranks).len(), 2);
    }
}

#[test]
fn a_record_is_read_as_it_was_given() {
    let disk = Disk::default();
    let handle = open_memory(&disk);
    let (v, words) = (vector(5), "x".repeat(1 << 20));
    let pairs = [
        ClawftPair { key: text("where"), value: text("here") },
        ClawftPair { key: text("author"), value: text("") },
    ];
    let given = ClawftRecord {
        session: text("tuesday"),
        metadata: pairs.as_ptr(),
        metadata_len: 2,
        uses: 3,
        pinned: 1,
        ..record(u64::MAX, &v, &words)
    };
    ok(unsafe { clawft_remember(handle, &given) });
    for committed in [false, true] {
        if committed {
            ok(clawft_commit(handle, 0));
        }
        let mut fields = ClawftFields::default();
        ok(unsafe { clawft_record_fields(handle, u64::MAX, &mut fields) });
        assert_eq!((fields.uses, fields.pinned, fields.importance), (3, 1, 0.5));
        assert_eq!((fields.created, fields.last_used), (given.created, given.last_used));
        assert_eq!((fields.text_len, fields.kind_len), (1 << 20, 4));
        assert_eq!((fields.session_len, fields.metadata_len), (7, 2));
        assert_eq!(string(handle, u64::MAX, CLAWFT_TEXT), words);
        assert_eq!(string(handle, u64::MAX, CLAWFT_KIND), "note");
        assert_eq!(string(handle, u64::MAX, CLAWFT_SESSION), "tuesday");
        let metadata: Vec<String> =
            (0..4).map(|at| string(handle, u64::MAX, CLAWFT_METADATA + at)).collect();
        assert_eq!(metadata, ["author", "", "where", "here"]);
        let mut out = vec![0.0; DIM];
        ok(unsafe { clawft_record_vector(handle, u64::MAX, out.as_mut_ptr(), DIM as u32) });
        assert_eq!(out, v);
    }
    ok(unsafe { clawft_touch(handle, [u64::MAX, 3].as_ptr(), 2, 9000) });
    let mut fields = ClawftFields::default();
    ok(unsafe { clawft_record_fields(handle, u64::MAX, &mut fields) });
    assert_eq!((fields.uses, fields.last_used), (4, 9000));
}

#[test]
fn filters_let_through_what_they_say() {
    let disk = Disk::default();
    let handle = open_memory(&disk);
    let (kinds, sessions) = (["fact", "note"], ["a", "b", "c"]);
    let pair = [ClawftPair { key: text("colour"), value: text("red") }];
    for id in 0..30u64 {
        let v = vector(id);
        let given = ClawftRecord {
            kind: text(kinds[id as usize % 2]),
            session: text(sessions[id as usize % 3]),
            metadata: pair.as_ptr(),
            metadata_len: u32::from(id % 5 == 0),
            ..record(id, &v, "the same words")
        };
        ok(unsafe { clawft_remember(handle, &given) });
    }
    let v = vector(77);
    let ids: Vec<u64> = (0..12).collect();
    let all = ClawftRecall { vector: v.as_ptr(), dim: DIM as u32, ..recall(30) };
    let check = |recall: ClawftRecall, passes: &dyn Fn(u64) -> bool| {
        for recall in [recall, ClawftRecall { text: text("words"), ..recall }] {
            let mut found: Vec<u64> = found(handle, &recall).iter().map(|one| one.id).collect();
            found.sort_unstable();
            assert_eq!(found, (0..30).filter(|&id| passes(id)).collect::<Vec<_>>());
        }
    };
    check(all, &|_| true);
    let kind = [text("fact")];
    let by_kind = ClawftRecall { kinds: kind.as_ptr(), kinds_len: 1, ..all };
    check(by_kind, &|id| id % 2 == 0);
    let two = [text("a"), text("c")];
    let by_session = ClawftRecall { sessions: two.as_ptr(), sessions_len: 2, ..by_kind };
    check(by_session, &|id| id % 2 == 0 && id % 3 != 1);
    check(ClawftRecall { metadata: pair.as_ptr(), metadata_len: 1, ..all }, &|id| id % 5 == 0);
    check(ClawftRecall { created_from: 1004, created_to: 1011, ..all }, &|id| {
        (4..11).contains(&id)
    });
    check(ClawftRecall { used_from: 1020, ..all }, &|id| id >= 20);
    check(ClawftRecall { ids: ids.as_ptr(), ids_len: 12, ..all }, &|id| id < 12);
    // An empty list finds nothing; a null one everything.
    check(ClawftRecall { ids: ids.as_ptr(), ids_len: 0, ..all }, &|_| false);
    check(ClawftRecall { kinds: kind.as_ptr(), kinds_len: 0, ..all }, &|_| false);
}

#[test]
fn what_was_not_committed_is_dropped_and_what_was_forgotten_is_gone() {
    let disk = Disk::default();
    let handle = filled(&disk);
    ok(clawft_forget(handle, 0));
    ok(remember(handle, 1, "another train"));
    ok(remember(handle, 50, "a new one"));
    assert_eq!(by_words(handle, "kettle"), [0; 0]);
    ok(clawft_rollback(handle));
    assert_eq!(by_words(handle, "kettle"), [0]);
    assert_eq!(string(handle, 1, CLAWFT_TEXT), TEXTS[1]);
    assert_eq!(clawft_record_contains(handle, 50), 0);

    ok(clawft_forget(handle, 0));
    ok(clawft_commit(handle, 0));
    ok(clawft_compact(handle, 0));
    let (mut id, mut from, mut ids) = (0, 0, Vec::new());
    while unsafe { clawft_record_next(handle, from, &mut id) } == 1 {
        ids.push(id);
        from = id + 1;
    }
    assert_eq!(ids, [1, 2, 3]);
    ok(clawft_memory_close(handle, 0));
    for (name, bytes) in &disk.files().named {
        let bytes = bytes.lock().unwrap();
        assert!(!bytes.windows(6).any(|six| six == b"kettle"), "{name}");
    }
}

#[test]
fn what_is_derived_is_built_anew_with_progress() {
    let disk = Disk::default();
    ok(clawft_memory_close(filled(&disk), 0));
    disk.files().named.remove("memory.rvf.image");
    let handle = open_memory(&disk);
    assert_eq!(report(handle).derived, 2);
    assert_eq!(disk.files().progress, [(1, 4), (2, 4), (3, 4), (4, 4)]);
    assert_eq!(by_words(handle, "kettle"), [0]);
    ok(clawft_save(handle));
    assert!(disk.files().named.contains_key("memory.rvf.image"));
    let report = report(handle);
    assert_eq!((report.records, report.dim, report.capacity), (4, DIM as u32, 100));
    assert!(report.live_bytes > 0 && report.file_bytes >= report.live_bytes);
    ok(clawft_memory_verify(handle));
}

#[test]
fn the_encoding_goes_by_the_dimension_of_the_file() {
    for dim in [127, 512] {
        let disk = Disk::default();
        let created = ClawftMemoryOptions { dim, ..options(CLAWFT_CREATE) };
        let handle = try_open(&disk, &created).unwrap();
        let v: Vec<f32> = (0..dim).map(|i| i as f32 + 1.0).collect();
        ok(unsafe { clawft_remember(handle, &record(1, &v, "a note")) });
        ok(clawft_commit(handle, 0));
        ok(clawft_memory_close(handle, 0));
        // As the file says: the same codes as before, so that those beside are of use.
        let handle = try_open(&disk, &ClawftMemoryOptions { dim: 0, ..options(0) }).unwrap();
        let found = report(handle);
        assert_eq!((found.dim, found.derived), (dim, 1));
        ok(clawft_memory_close(handle, 0));
    }
}

#[test]
fn idle_records_cool_and_used_ones_come_back_whole() {
    const DAY: u64 = 24 * 3_600_000;
    let disk = Disk::default();
    let all = ClawftMemoryOptions { encoding: 2, ..options(CLAWFT_CREATE) };
    // What the image takes with tiers and with everything hot lies between these.
    let limited = ClawftMemoryOptions { image_bytes: 1 << 20, ..all };
    let handle = try_open(&disk, &limited).unwrap_or_else(|code| panic!("{code} {}", sentence()));
    for id in 0..20 {
        ok(remember(handle, id, ""));
    }
    ok(clawft_commit(handle, 0));
    let tiers = || {
        let mut counts = [0; 4];
        ok(unsafe { clawft_tiers(handle, counts.as_mut_ptr()) });
        counts
    };
    assert_eq!(tiers().iter().sum::<u32>(), 20);
    let tick = |now, records, bytes| {
        let mut work = ClawftTick::default();
        ok(unsafe { clawft_tick(handle, now, records, bytes, &mut work) });
        assert!(work.looked <= records && work.bytes <= bytes, "{work:?}");
        work
    };
    let mut cooled = 0;
    for day in [30, 31, 32, 33] {
        cooled += tick(day * DAY, 1000, 1 << 20).cooled;
    }
    assert!(cooled >= 20 && tiers() == [0, 0, 0, 20], "{cooled} {:?}", tiers());
    assert_eq!(tick(40 * DAY, 0, 1 << 20), ClawftTick { size: 32, ..ClawftTick::default() });
    let fields = |id| {
        let mut fields = ClawftFields::default();
        ok(unsafe { clawft_record_fields(handle, id, &mut fields) });
        (fields.tier, fields.lossy)
    };
    assert_eq!(fields(5), (3, 1));
    for minute in 0..5 {
        ok(unsafe { clawft_touch(handle, &5, 1, 41 * DAY + minute * 60_000) });
    }
    let mut restored = 0;
    for minute in 5..10 {
        restored += tick(41 * DAY + minute * 60_000, 1000, 1 << 20).restored;
    }
    assert!(restored >= 1);
    assert_eq!((fields(5), fields(6)), ((0, 0), (3, 1)));
    // Its vector was never less than it is in the file.
    let mut out = vec![0.0; DIM];
    ok(unsafe { clawft_record_vector(handle, 6, out.as_mut_ptr(), DIM as u32) });
    assert_eq!(out, vector(6));
}

#[test]
fn a_lease_keeps_a_second_writer_out_until_it_runs_out() {
    let disk = Disk::default();
    let lease =
        |nonce, now| ClawftMemoryOptions { nonce, now, lease: 1000, ..options(CLAWFT_CREATE) };
    let first = try_open(&disk, &lease(1, 5000)).unwrap();
    ok(remember(first, 1, "the first one's"));
    ok(clawft_commit(first, 5100));
    refused(try_open(&disk, &lease(2, 5500)).unwrap_err(), -221, &["lease until 6000"]);
    // Readers may.
    let reader = try_open(&disk, &options(CLAWFT_READ_ONLY)).unwrap();
    assert_eq!(by_words(reader, "first"), [1]);
    refused(remember(reader, 2, "no"), -219, &["read-only"]);
    // It ran out: another takes it, and the first finds out before it writes.
    let second = try_open(&disk, &lease(2, 6000)).unwrap();
    ok(remember(second, 2, "the second one's"));
    ok(clawft_commit(second, 6001));
    ok(remember(first, 3, "too late"));
    refused(clawft_commit(first, 6002), -220, &["another writer"]);
    ok(clawft_memory_close(second, 6003));
    let third = try_open(&disk, &lease(3, 6004)).unwrap();
    assert_eq!(clawft_record_contains(third, 2), 1);
    assert_eq!(clawft_record_contains(third, 3), 0);
}

#[test]
fn leases_that_ran_out_keep_nobody_out_however_many_they_are() {
    let disk = Disk::default();
    let leases = |until: u64| {
        for nonce in 0..500 {
            let name = format!("memory.rvf.lease.{nonce:016x}.{until:016x}");
            disk.0.lock().unwrap().named.insert(name, Default::default());
        }
    };
    let lease =
        ClawftMemoryOptions { nonce: 900, now: 5000, lease: 1000, ..options(CLAWFT_CREATE) };
    leases(6000);
    refused(try_open(&disk, &lease).unwrap_err(), -221, &["lease until 6000"]);
    disk.0.lock().unwrap().named.clear();
    leases(5000);
    let handle = try_open(&disk, &lease).unwrap();
    ok(remember(handle, 1, "one"));
    ok(clawft_memory_close(handle, 5001));
    assert!(!disk.0.lock().unwrap().named.keys().any(|name| name.contains("lease")));
}

#[test]
fn an_opening_that_fails_gives_its_lease_back() {
    let disk = Disk::default();
    let lease = |nonce, dim| ClawftMemoryOptions {
        nonce,
        dim,
        now: 5000,
        lease: 1000,
        ..options(CLAWFT_CREATE)
    };
    let first = try_open(&disk, &lease(1, DIM as u32)).unwrap();
    ok(clawft_memory_close(first, 5000));
    refused(try_open(&disk, &lease(2, DIM as u32 + 1)).unwrap_err(), -1, &["components"]);
    assert!(!disk.0.lock().unwrap().named.keys().any(|name| name.contains("lease")));
    try_open(&disk, &lease(3, DIM as u32)).unwrap();
}
