//! Folding: letters that a search takes for the same become the same.
//!
//! Case goes (`Straße`, `STRASSE`), accents on Latin letters go (`Zürich`, `Zurich`, and the
//! same written with combining marks), so do those of Greek (capitals have none), the dots of
//! `ё` (few people type them) and the breve of `й` (which is dropped where it is a combining
//! mark), full-width forms become ASCII, the final sigma an inner one. Marks that people leave out when they type a question (Hebrew points, Arabic
//! vowels, Thai tones, soft hyphens, joiners) are dropped.
//!
//! The case table is runs of letters at one distance from their small forms: a kilobyte,
//! where the one in `core` takes twelve. A test holds it equal to `core`'s, letter by letter.
//! Other accents stay, as those of old Greek or of Tajik: there a composed letter and one
//! written with a combining mark are two words.
//!
//! What it must never do: make a letter one that is folded further, or fold differently while
//! `RULES` in `tokens` stays: an index that was saved would not find its own words.

/// Runs of large letters: the first, the last, and what to add (modulo 2^16) to get the small
/// one. Where that is 1, only every second letter from the first is large.
#[rustfmt::skip]
const LARGE: [[u16; 3]; 176] = [
    [0x00c0, 0x00d6, 0x0020], [0x00d8, 0x00de, 0x0020], [0x0100, 0x012e, 0x0001],
    [0x0130, 0x0130, 0xff39], [0x0132, 0x0136, 0x0001], [0x0139, 0x0147, 0x0001],
    [0x014a, 0x0176, 0x0001], [0x0178, 0x0178, 0xff87], [0x0179, 0x017d, 0x0001],
    [0x0181, 0x0181, 0x00d2], [0x0182, 0x0184, 0x0001], [0x0186, 0x0186, 0x00ce],
    [0x0187, 0x0187, 0x0001], [0x0189, 0x018a, 0x00cd], [0x018b, 0x018b, 0x0001],
    [0x018e, 0x018e, 0x004f], [0x018f, 0x018f, 0x00ca], [0x0190, 0x0190, 0x00cb],
    [0x0191, 0x0191, 0x0001], [0x0193, 0x0193, 0x00cd], [0x0194, 0x0194, 0x00cf],
    [0x0196, 0x0196, 0x00d3], [0x0197, 0x0197, 0x00d1], [0x0198, 0x0198, 0x0001],
    [0x019c, 0x019c, 0x00d3], [0x019d, 0x019d, 0x00d5], [0x019f, 0x019f, 0x00d6],
    [0x01a0, 0x01a4, 0x0001], [0x01a6, 0x01a6, 0x00da], [0x01a7, 0x01a7, 0x0001],
    [0x01a9, 0x01a9, 0x00da], [0x01ac, 0x01ac, 0x0001], [0x01ae, 0x01ae, 0x00da],
    [0x01af, 0x01af, 0x0001], [0x01b1, 0x01b2, 0x00d9], [0x01b3, 0x01b5, 0x0001],
    [0x01b7, 0x01b7, 0x00db], [0x01b8, 0x01b8, 0x0001], [0x01bc, 0x01bc, 0x0001],
    [0x01c4, 0x01c4, 0x0002], [0x01c5, 0x01c5, 0x0001], [0x01c7, 0x01c7, 0x0002],
    [0x01c8, 0x01c8, 0x0001], [0x01ca, 0x01ca, 0x0002], [0x01cb, 0x01db, 0x0001],
    [0x01de, 0x01ee, 0x0001], [0x01f1, 0x01f1, 0x0002], [0x01f2, 0x01f4, 0x0001],
    [0x01f6, 0x01f6, 0xff9f], [0x01f7, 0x01f7, 0xffc8], [0x01f8, 0x021e, 0x0001],
    [0x0220, 0x0220, 0xff7e], [0x0222, 0x0232, 0x0001], [0x023a, 0x023a, 0x2a2b],
    [0x023b, 0x023b, 0x0001], [0x023d, 0x023d, 0xff5d], [0x023e, 0x023e, 0x2a28],
    [0x0241, 0x0241, 0x0001], [0x0243, 0x0243, 0xff3d], [0x0244, 0x0244, 0x0045],
    [0x0245, 0x0245, 0x0047], [0x0246, 0x024e, 0x0001], [0x0370, 0x0372, 0x0001],
    [0x0376, 0x0376, 0x0001], [0x037f, 0x037f, 0x0074], [0x0386, 0x0386, 0x0026],
    [0x0388, 0x038a, 0x0025], [0x038c, 0x038c, 0x0040], [0x038e, 0x038f, 0x003f],
    [0x0391, 0x03a1, 0x0020], [0x03a3, 0x03ab, 0x0020], [0x03cf, 0x03cf, 0x0008],
    [0x03d8, 0x03ee, 0x0001], [0x03f4, 0x03f4, 0xffc4], [0x03f7, 0x03f7, 0x0001],
    [0x03f9, 0x03f9, 0xfff9], [0x03fa, 0x03fa, 0x0001], [0x03fd, 0x03ff, 0xff7e],
    [0x0400, 0x040f, 0x0050], [0x0410, 0x042f, 0x0020], [0x0460, 0x0480, 0x0001],
    [0x048a, 0x04be, 0x0001], [0x04c0, 0x04c0, 0x000f], [0x04c1, 0x04cd, 0x0001],
    [0x04d0, 0x052e, 0x0001], [0x0531, 0x0556, 0x0030], [0x10a0, 0x10c5, 0x1c60],
    [0x10c7, 0x10c7, 0x1c60], [0x10cd, 0x10cd, 0x1c60], [0x13a0, 0x13ef, 0x97d0],
    [0x13f0, 0x13f5, 0x0008], [0x1c89, 0x1c89, 0x0001], [0x1c90, 0x1cba, 0xf440],
    [0x1cbd, 0x1cbf, 0xf440], [0x1e00, 0x1e94, 0x0001], [0x1e9e, 0x1e9e, 0xe241],
    [0x1ea0, 0x1efe, 0x0001], [0x1f08, 0x1f0f, 0xfff8], [0x1f18, 0x1f1d, 0xfff8],
    [0x1f28, 0x1f2f, 0xfff8], [0x1f38, 0x1f3f, 0xfff8], [0x1f48, 0x1f4d, 0xfff8],
    [0x1f59, 0x1f59, 0xfff8], [0x1f5b, 0x1f5b, 0xfff8], [0x1f5d, 0x1f5d, 0xfff8],
    [0x1f5f, 0x1f5f, 0xfff8], [0x1f68, 0x1f6f, 0xfff8], [0x1f88, 0x1f8f, 0xfff8],
    [0x1f98, 0x1f9f, 0xfff8], [0x1fa8, 0x1faf, 0xfff8], [0x1fb8, 0x1fb9, 0xfff8],
    [0x1fba, 0x1fbb, 0xffb6], [0x1fbc, 0x1fbc, 0xfff7], [0x1fc8, 0x1fcb, 0xffaa],
    [0x1fcc, 0x1fcc, 0xfff7], [0x1fd8, 0x1fd9, 0xfff8], [0x1fda, 0x1fdb, 0xff9c],
    [0x1fe8, 0x1fe9, 0xfff8], [0x1fea, 0x1feb, 0xff90], [0x1fec, 0x1fec, 0xfff9],
    [0x1ff8, 0x1ff9, 0xff80], [0x1ffa, 0x1ffb, 0xff82], [0x1ffc, 0x1ffc, 0xfff7],
    [0x2126, 0x2126, 0xe2a3], [0x212a, 0x212a, 0xdf41], [0x212b, 0x212b, 0xdfba],
    [0x2132, 0x2132, 0x001c], [0x2160, 0x216f, 0x0010], [0x2183, 0x2183, 0x0001],
    [0x24b6, 0x24cf, 0x001a], [0x2c00, 0x2c2f, 0x0030], [0x2c60, 0x2c60, 0x0001],
    [0x2c62, 0x2c62, 0xd609], [0x2c63, 0x2c63, 0xf11a], [0x2c64, 0x2c64, 0xd619],
    [0x2c67, 0x2c6b, 0x0001], [0x2c6d, 0x2c6d, 0xd5e4], [0x2c6e, 0x2c6e, 0xd603],
    [0x2c6f, 0x2c6f, 0xd5e1], [0x2c70, 0x2c70, 0xd5e2], [0x2c72, 0x2c72, 0x0001],
    [0x2c75, 0x2c75, 0x0001], [0x2c7e, 0x2c7f, 0xd5c1], [0x2c80, 0x2ce2, 0x0001],
    [0x2ceb, 0x2ced, 0x0001], [0x2cf2, 0x2cf2, 0x0001], [0xa640, 0xa66c, 0x0001],
    [0xa680, 0xa69a, 0x0001], [0xa722, 0xa72e, 0x0001], [0xa732, 0xa76e, 0x0001],
    [0xa779, 0xa77b, 0x0001], [0xa77d, 0xa77d, 0x75fc], [0xa77e, 0xa786, 0x0001],
    [0xa78b, 0xa78b, 0x0001], [0xa78d, 0xa78d, 0x5ad8], [0xa790, 0xa792, 0x0001],
    [0xa796, 0xa7a8, 0x0001], [0xa7aa, 0xa7aa, 0x5abc], [0xa7ab, 0xa7ab, 0x5ab1],
    [0xa7ac, 0xa7ac, 0x5ab5], [0xa7ad, 0xa7ad, 0x5abf], [0xa7ae, 0xa7ae, 0x5abc],
    [0xa7b0, 0xa7b0, 0x5aee], [0xa7b1, 0xa7b1, 0x5ad6], [0xa7b2, 0xa7b2, 0x5aeb],
    [0xa7b3, 0xa7b3, 0x03a0], [0xa7b4, 0xa7c2, 0x0001], [0xa7c4, 0xa7c4, 0xffd0],
    [0xa7c5, 0xa7c5, 0x5abd], [0xa7c6, 0xa7c6, 0x75c8], [0xa7c7, 0xa7c9, 0x0001],
    [0xa7cb, 0xa7cb, 0x5a99], [0xa7cc, 0xa7da, 0x0001], [0xa7dc, 0xa7dc, 0x59bf],
    [0xa7f5, 0xa7f5, 0x0001], [0xff21, 0xff3a, 0x0020],
];

/// The same for the plane above, less 0x10000.
#[rustfmt::skip]
const LARGE_ABOVE: [[u16; 3]; 12] = [
    [0x0400, 0x0427, 0x0028], [0x04b0, 0x04d3, 0x0028], [0x0570, 0x057a, 0x0027],
    [0x057c, 0x058a, 0x0027], [0x058c, 0x0592, 0x0027], [0x0594, 0x0595, 0x0027],
    [0x0c80, 0x0cb2, 0x0040], [0x0d50, 0x0d65, 0x0020], [0x18a0, 0x18bf, 0x0020],
    [0x6e40, 0x6e5f, 0x0020], [0x6ea0, 0x6eb8, 0x001b], [0xe900, 0xe921, 0x0022],
];

/// What U+00E0 to U+00FF are without their accents; `?` for those that are not one letter.
const LATIN_1: &[u8; 32] = b"aaaaaa?ceeeeiiiidnooooo?ouuuuy?y";
/// The same for U+0100 to U+017F.
const LATIN_A: &[u8; 128] = b"aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii??jjkkkllllllllll\
nnnnnnnnnoooooo??rrrrrrsssssssstttttt\
uuuuuuuuuuuuwwyyyzzzzzzs";
/// The same for U+1E00 to U+1EFF, two letters (large and small) at a time.
const LATIN_ADDITIONAL: &[u8; 128] =
    b"abbbcdddddeeeeefghhhhhiikkkllllmmmnnnnoooopprrrrsssssttttuuuuuvv\
wwwwwxxyzzz?????aaaaaaaaaaaaeeeeeeeeiioooooooooooouuuuuuuyyyy???";

/// Letters, and what each becomes: two letters, or one and 0.
#[rustfmt::skip]
const OTHERS: [[u16; 3]; 21] = codes([
    ['ß', 's', 's'], ['æ', 'a', 'e'], ['œ', 'o', 'e'], ['þ', 't', 'h'], ['ĳ', 'i', 'j'],
    ['ς', 'σ', '\0'], ['ά', 'α', '\0'], ['έ', 'ε', '\0'], ['ή', 'η', '\0'], ['ί', 'ι', '\0'],
    ['ϊ', 'ι', '\0'], ['ΐ', 'ι', '\0'], ['ό', 'ο', '\0'], ['ύ', 'υ', '\0'], ['ϋ', 'υ', '\0'],
    ['ΰ', 'υ', '\0'], ['ώ', 'ω', '\0'],
    ['ё', 'е', '\0'], ['й', 'и', '\0'], ['ї', 'і', '\0'], ['ў', 'у', '\0'],
]);

/// A table of letters in half the bytes.
const fn codes<const N: usize>(letters: [[char; 3]; N]) -> [[u16; 3]; N] {
    let (mut codes, mut i) = ([[0; 3]; N], 0);
    while i < 3 * N {
        codes[i / 3][i % 3] = letters[i / 3][i % 3] as u16;
        i += 1;
    }
    codes
}

/// Marks that are dropped where they stand in a word: first and last, ascending.
#[rustfmt::skip]
const DROPPED: [[u16; 2]; 24] = [
    [0x00AD, 0x00AD], [0x0300, 0x036F], [0x0483, 0x0489], [0x0591, 0x05BD], [0x05BF, 0x05BF],
    [0x05C1, 0x05C2], [0x05C4, 0x05C5], [0x05C7, 0x05C7], [0x0640, 0x0640], [0x064B, 0x065F],
    [0x0670, 0x0670], [0x0E47, 0x0E4E], [0x0EC8, 0x0ECE], [0x1037, 0x1037], [0x1039, 0x103A],
    [0x17C6, 0x17D3], [0x1AB0, 0x1AFF], [0x1DC0, 0x1DFF], [0x200C, 0x200D], [0x2060, 0x2060],
    [0x20D0, 0x20FF], [0xFE00, 0xFE0F], [0xFE20, 0xFE2F], [0xFEFF, 0xFEFF],
];

/// Whether this mark is dropped: a word goes on behind it as if it were not there.
pub fn is_dropped(c: char) -> bool {
    let code = c as u32;
    code >= 0xAD
        && DROPPED.iter().any(|&[first, last]| (first.into()..=last.into()).contains(&code))
}

/// The letter or letters that `c` is taken for; the second is there for a few only.
pub fn fold(c: char) -> (char, Option<char>) {
    if c.is_ascii() {
        return (c.to_ascii_lowercase(), None);
    }
    let c = match c {
        // Full-width forms stand in ASCII's order.
        '\u{FF01}'..='\u{FF5E}' => ((c as u32 - 0xFEE0) as u8 as char).to_ascii_lowercase(),
        c => without_accent(small(c)),
    };
    match OTHERS.iter().find(|other| u32::from(other[0]) == c as u32) {
        Some(&[_, first, second]) => {
            // The second one is ASCII.
            let second = Some(second as u8 as char).filter(|&c| c != '\0');
            (char::from_u32(first.into()).unwrap_or(c), second)
        }
        None => (c, None),
    }
}

/// The small form of a letter, as `char::to_lowercase` has it, of which only the first
/// character counts (that of one letter has two: `İ`, and its dot is dropped).
fn small(c: char) -> char {
    let code = c as u32;
    let (runs, plane): (&[[u16; 3]], u32) = match code >> 16 {
        0 => (&LARGE, 0),
        1 => (&LARGE_ABOVE, 1 << 16),
        _ => return c,
    };
    let code = code as u16;
    // Runs overlap where the letters of two alternate, so the last that begins here need not
    // be the one: but such runs step by one letter and end before the next begins.
    let after = runs.partition_point(|run| run[0] <= code);
    let Some(&[first, last, add]) = after.checked_sub(1).and_then(|i| runs.get(i)) else {
        return c;
    };
    let every_second = add == 1 && (code - first) % 2 == 1;
    if code > last || every_second {
        return c;
    }
    char::from_u32(plane | u32::from(code.wrapping_add(add))).unwrap_or(c)
}

/// The plain letter under a Latin one with an accent; any other stays.
fn without_accent(c: char) -> char {
    let code = c as u32 as usize;
    let plain = match code {
        0xE0..=0xFF => LATIN_1.get(code - 0xE0),
        0x100..=0x17F => LATIN_A.get(code - 0x100),
        0x1E00..=0x1EFF => LATIN_ADDITIONAL.get((code - 0x1E00) / 2),
        // Vietnamese, Pinyin, Romanian.
        0x1A1 => Some(&b'o'),
        0x1B0 => Some(&b'u'),
        0x1CD..=0x1DC => b"aiouuuuu".get((code - 0x1CD) / 2),
        0x219 => Some(&b's'),
        0x21B => Some(&b't'),
        _ => None,
    };
    match plain {
        Some(b'?') | None => c,
        Some(&plain) => plain as char,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    fn folded(text: &str) -> String {
        let mut out = String::new();
        for c in text.chars().filter(|&c| !is_dropped(c)) {
            let (first, second) = fold(c);
            out.push(first);
            out.extend(second);
        }
        out
    }

    /// All of them; an interpreter sees one in a thousand.
    fn letters(from: char) -> impl Iterator<Item = char> {
        (from..=char::MAX).step_by(if cfg!(miri) { 1009 } else { 1 })
    }

    #[test]
    fn small_letters_are_those_of_core() {
        for c in letters('\u{80}') {
            assert_eq!(Some(small(c)), c.to_lowercase().next(), "of U+{:04X}", c as u32);
        }
    }

    #[test]
    fn case_accents_and_width_do_not_matter() {
        for (text, plain) in [
            ("Straße STRASSE ẞ", "strasse strasse ss"),
            ("Zürich ZU\u{308}RICH", "zurich zurich"),
            ("Łódź Þórður İstanbul ı", "lodz thordur istanbul i"),
            ("Việt Nam, Tiê\u{301}ng", "viet nam, tieng"),
            ("București: știință", "bucuresti: stiinta"),
            ("ΟΔΟΣ οδος", "οδοσ οδοσ"),
            ("Ｆｕｌｌ　１２", "full\u{3000}12"),
            ("МОСКВА", "москва"),
            ("Ёлка ЙОД Е\u{308}лка и\u{306}од", "елка иод елка иод"),
            ("Їжак І\u{308}жак Ўсё У\u{306}се\u{308}", "іжак іжак усе усе"),
            ("Άέήίόύώ ΑΈΉΊΌΎΏ ϊϋΐΰ ΪΫ", "αεηιουω αεηιουω ιυιυ ιυ"),
            ("Α\u{301}θη\u{301}να Αθήνα ΑΘΗΝΑ", "αθηνα αθηνα αθηνα"),
            ("Ǎǐǔǜ Œuvre Ĳ", "aiuu oeuvre ij"),
        ] {
            assert_eq!(folded(text), plain);
        }
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for c in letters('\0') {
            let (first, second) = fold(c);
            assert_eq!(fold(first), (first, None), "of U+{:04X}", c as u32);
            if let Some(second) = second {
                assert_eq!(fold(second), (second, None), "of U+{:04X}", c as u32);
            }
        }
    }

    #[test]
    fn tables_ascend() {
        assert!(LARGE.is_sorted_by_key(|run| run[0]) && LARGE_ABOVE.is_sorted_by_key(|run| run[0]));
        assert!(DROPPED.iter().flatten().is_sorted());
    }
}
