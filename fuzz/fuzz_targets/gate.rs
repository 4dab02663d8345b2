//! Any bytes as texts to the gate and as its file: decisions stay within their bounds, the same
//! evidence counts once, nobody who speaks as the person is denied, and a file is refused or sound.
#![no_main]

use clawft_agent::gate::{Gate, Ledger, MOST_CLAIMS, MOST_ENTRIES, Near, Source, Verdict, suspicion};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut ledger = Ledger::default();
    if ledger.read(bytes).is_some() {
        assert!(ledger.gate.claims() <= MOST_CLAIMS && ledger.log.len() <= MOST_ENTRIES);
        let printed = ledger.print();
        let mut again = Ledger::default();
        again.read(printed.as_bytes()).expect("what is printed reads back");
        assert_eq!(again.print(), printed);
    }
    let text = String::from_utf8_lossy(bytes);
    let _ = suspicion(&text);
    let mut gate = Gate::default();
    let mut before = String::new();
    for (at, part) in text.split('\n').take(100).enumerate() {
        let source = Source::ALL[part.len() % 3];
        let near = [Near {
            id: at as u64,
            text: &before,
            source: Source::ALL[at % 3],
            similarity: 0.8,
            quarantined: at % 5 == 0,
        }];
        let decision = gate.judge(part, source, &near);
        assert!(source != Source::User || decision.verdict != Verdict::Deny);
        assert_eq!(gate.judge(part, source, &near), decision);
        before = part.to_owned();
    }
    assert!(gate.claims() <= MOST_CLAIMS);
});
