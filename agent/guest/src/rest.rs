//! Environment, clock, randomness, terminal.

use clawft_agent::platform::Platform;

/// Started with `A=ä=b` and `EMPTY=`, and with arguments.
pub(crate) fn environment(platform: &Platform<'_>) {
    let environment = platform.environment;
    assert_eq!(environment.variable("A").as_deref(), Some("ä=b"));
    assert_eq!(environment.variable("EMPTY").as_deref(), Some(""));
    assert_eq!(environment.variable("MISSING"), None);
    assert_eq!(environment.arguments(), ["environment", "two words", "", "ö"]);
}

/// Started with the time that it is.
pub(crate) fn clock(platform: &Platform<'_>, expected: u64) {
    let clock = platform.clock;
    let now = clock.now();
    assert!(now.abs_diff(expected) < 10_000, "{expected} expected, found {now}");
    let before = clock.elapsed();
    clock.sleep(60);
    let slept = (clock.elapsed() - before) / 1_000_000;
    assert!((60..5_000).contains(&slept), "slept {slept} ms");
    assert!(clock.now().abs_diff(now) >= 50);
}

pub(crate) fn random(platform: &Platform<'_>) {
    for len in [0, 1, 7, 8, 9, 33] {
        let mut drawn = [vec![0; len], vec![0; len]];
        for one in &mut drawn {
            platform.random.fill(one);
        }
        assert!(len < 7 || drawn[0] != drawn[1], "{len} bytes are the same twice");
    }
    let mut many = vec![0; 4096];
    platform.random.fill(&mut many);
    for half in many.chunks(2048) {
        let kinds: std::collections::BTreeSet<_> = half.iter().collect();
        assert!(kinds.len() > 200, "{} values of 256 in 2048 bytes", kinds.len());
    }
}

/// Says what it reads.
pub(crate) fn terminal(platform: &Platform<'_>) {
    let terminal = platform.terminal;
    terminal.note(&format!("interactive: {}\n", terminal.is_interactive()));
    // More than one blocking write takes.
    terminal.print(&"é".repeat(5000));
    terminal.print("\n");
    while let Some(line) = terminal.line() {
        terminal.print(&format!(
            "{} {:?}\n",
            line.len(),
            line.chars().take(20).collect::<String>()
        ));
    }
    assert_eq!(terminal.line(), None);
}
