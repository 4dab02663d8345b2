//! What a check saw: a line for a person, and a number that must be the same in every engine.

/// Of a check that passed.
#[derive(Debug, Default)]
pub struct Seen {
    /// What was measured, in a few words.
    pub note: String,
    /// Of all that must not depend on the engine.
    pub digest: Digest,
}

impl Seen {
    /// With a note.
    pub fn new(note: impl Into<String>, digest: Digest) -> Self {
        Seen { note: note.into(), digest }
    }
}

/// What became of a check: the sentence says what was expected and what was found.
pub type Outcome = Result<Seen, String>;

/// FNV-1a over what was seen: enough to tell two answers apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest(pub u64);

impl Default for Digest {
    fn default() -> Self {
        Digest(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    /// Adds bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Adds ids with their distances, bit by bit.
    pub fn hits(&mut self, hits: &[(u64, f32)]) {
        for (id, distance) in hits {
            self.bytes(&id.to_le_bytes());
            self.bytes(&distance.to_bits().to_le_bytes());
        }
    }
}

/// Fails with a sentence unless it holds.
///
/// # Errors
/// The sentence.
pub fn hold(holds: bool, sentence: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(sentence()) }
}

/// Whether a call was refused with this code.
///
/// # Errors
/// What happened instead.
pub fn refused<T>(
    what: &str,
    code: i32,
    call: Result<T, crate::abi::Refused>,
) -> Result<(), String> {
    match call {
        Err(refused) if refused.code == code && !refused.sentence.ends_with(": ") => Ok(()),
        Err(refused) => Err(format!("{what}: {code} with a sentence expected, found {refused:?}")),
        Ok(_) => Err(format!("{what}: {code} expected, it succeeded")),
    }
}
