//! Texts into pieces that are found on their own.
//!
//! Paragraphs are put together up to a size and cut at lines or sentences beyond it. In Markdown a
//! heading begins a piece, and stands before each piece of its section in one line with those above
//! it, `# Berlin office > Address`, which is often all that says what the piece is about.
//!
//! An imported memory has its id from its text, so where a text is cut goes by the text and
//! its format alone. Another size, or another place to cut at, makes pieces that no earlier
//! import knows. And it goes by the paragraphs around the place: every second one begins a piece
//! where that is long enough. Cut at sizes alone, a text with a sentence more at its top would give other
//! pieces down to its end, and an import after each change would bring all of it anew.
//!
//! What it must never do: lose a letter below a heading, or give more than a thousand bytes of
//! it in one piece, but for what stands in the place of a secret.

use alloc::string::String;
use alloc::vec::Vec;

use xxhash_rust::xxh64::xxh64;

use super::names::names_secret;
use super::redact::redact;

/// Bytes that a piece has at most, without its heading.
const MOST: usize = 1000;
/// Bytes from which on a paragraph may begin the next one.
const ENOUGH: usize = 400;
/// Bytes that are repeated of a heading and those above it.
const HEADING: usize = 200;

/// Takes lines, gives pieces.
#[derive(Default)]
pub(super) struct Chunker {
    markdown: bool,
    /// In one line with those above it.
    heading: String,
    /// It and those above it, as they stand in the text.
    headings: Vec<String>,
    /// What began the code that is being read: this byte, so often. 0 times: none.
    fence: (u8, usize),
    paragraph: String,
    piece: String,
    done: Vec<String>,
    /// Nothing stands below the heading yet.
    is_alone: bool,
    /// Taken out before a cut.
    secrets: usize,
}

/// The last place up to `most` where a text is cut: behind a line, which may be all of a fact, a
/// sentence, a blank, a character.
fn cut_at(text: &str, most: usize) -> usize {
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = &text.as_bytes()[..end];
    let last = |of: u8| head.iter().rposition(|&byte| byte == of);
    if let Some(at) = last(b'\n').filter(|at| *at > most / 3) {
        return at;
    }
    // The other marks are 。！？, which no blank follows.
    let is_end = |three: &[u8]| {
        matches!(
            three,
            [_, b'.' | b'!' | b'?', b' '] | [0xe3, 0x80, 0x82] | [0xef, 0xbc, 0x81 | 0x9f]
        )
    };
    match head.windows(3).rposition(is_end) {
        // Two bytes on is the blank, or the end of a mark.
        Some(at) if at >= most / 3 => at + 2 + usize::from(head[at + 2] != b' '),
        _ => last(b' ').filter(|at| *at > 0).unwrap_or(end),
    }
}

/// Every second paragraph does, by its text alone.
fn begins_piece(paragraph: &str) -> bool {
    !paragraph.is_empty() && xxh64(paragraph.as_bytes(), 0) & 1 == 0
}

/// Of a line: how often it begins with this byte.
fn run(line: &str, of: u8) -> usize {
    line.bytes().take_while(|&byte| byte == of).count()
}

/// Is this line a heading, as CommonMark has them? `#tag` and `#!/bin/sh` are none.
fn is_heading(line: &str) -> bool {
    let level = run(line, b'#');
    (1..=6).contains(&level) && matches!(line.as_bytes().get(level), None | Some(b' ' | b'\t'))
}

/// Headings in one line, without the outer ones that have no room in it.
fn path(headings: &[String]) -> String {
    let mut path = String::new();
    for heading in headings.iter().rev() {
        let inner = path.trim_start_matches('#').trim_start();
        if inner.is_empty() {
            path.clone_from(heading);
        } else if heading.len() + 3 + inner.len() <= HEADING {
            path = [heading, " > ", inner].concat();
        } else {
            break;
        }
    }
    path
}

impl Chunker {
    pub(super) fn new(markdown: bool) -> Self {
        Self { markdown, ..Self::default() }
    }

    /// Takes a line without its end.
    pub(super) fn line(&mut self, line: &str) {
        let mut line = line.trim_end();
        if self.markdown && !self.is_code(line) && is_heading(line) {
            let (heading, rest) = match line.len() > HEADING {
                true => line.split_at(cut_at(line, HEADING)),
                false => (line, ""),
            };
            let above = self.headings.len();
            let level = run(line, b'#');
            while self.headings.last().is_some_and(|last| run(last, b'#') >= level) {
                self.headings.pop();
            }
            self.headings.push(heading.into());
            let path = path(&self.headings);
            // One whose sections follow at once is their title, and said with them.
            self.is_alone &= self.headings.len() <= above || !path.starts_with(&self.heading);
            self.end();
            self.heading = path;
            self.is_alone = true;
            line = rest.trim_start();
        }
        if line.trim().is_empty() {
            self.end_paragraph();
            return;
        }
        if !self.paragraph.is_empty() {
            self.paragraph.push('\n');
        }
        self.paragraph.push_str(line);
        if self.paragraph.len() > MOST {
            // Before it is cut: a secret cut from its name is not known as one.
            let (text, secrets) = redact(&self.paragraph);
            self.paragraph = text;
            self.secrets += secrets;
        }
        while self.paragraph.len() > MOST {
            let at = cut_at(&self.paragraph, MOST);
            let rest = self.paragraph.split_off(at);
            self.end_paragraph();
            self.end_piece();
            self.paragraph = rest.trim_start().into();
        }
    }

    /// Does this line stand between fences, or is it one? In code, `#` begins a comment.
    fn is_code(&mut self, line: &str) -> bool {
        let (open, least) = self.fence;
        let line = line.trim_start();
        let byte = line.bytes().next().filter(|byte| b"`~".contains(byte)).unwrap_or(0);
        let marks = run(line, byte);
        let is_end = byte == open && marks >= least && marks == line.len();
        // In a line of text, `code` may stand between as many marks.
        let begins =
            marks >= 3 && (byte == b'~' || !line.bytes().skip(marks).any(|byte| byte == b'`'));
        match least {
            0 if begins => self.fence = (byte, marks),
            0 => return false,
            _ if is_end => self.fence = (0, 0),
            _ => {}
        }
        true
    }

    fn end_paragraph(&mut self) {
        let is_full = self.piece.len() + self.paragraph.len() + 2 > MOST;
        if is_full || self.piece.len() >= ENOUGH && begins_piece(&self.paragraph) {
            if names_secret(&self.piece).is_some() {
                self.redact_named();
            }
            self.end_piece();
        }
        if !self.piece.is_empty() && !self.paragraph.is_empty() {
            self.piece.push_str("\n\n");
        }
        self.piece.push_str(&self.paragraph);
        self.paragraph.clear();
    }

    /// Takes out the secret with which the paragraph begins, where the piece ends with its name: in
    /// a piece of its own it is not known as one.
    fn redact_named(&mut self) {
        let (mut piece, before) = redact(&self.piece);
        piece.push_str("\n\n");
        let (both, after) = redact(&[&*piece, &*self.paragraph].concat());
        let Some(paragraph) = both.strip_prefix(&*piece) else { return };
        self.paragraph = paragraph.into();
        piece.truncate(piece.len() - 2);
        self.piece = piece;
        self.secrets += before + after;
    }

    fn end_piece(&mut self) {
        let piece = core::mem::take(&mut self.piece);
        if piece.trim().is_empty() {
            return;
        }
        let mut text = self.heading.clone();
        self.is_alone = false;
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(piece.trim());
        self.done.push(text);
    }

    /// Ends what has begun.
    pub(super) fn end(&mut self) {
        self.end_paragraph();
        self.end_piece();
        // A heading of nothing says something by itself.
        if core::mem::take(&mut self.is_alone) {
            self.done.push(self.heading.clone());
        }
    }

    /// Secrets that were taken out since the last call.
    pub(super) fn secrets(&mut self) -> usize {
        core::mem::take(&mut self.secrets)
    }

    /// The pieces that are done.
    pub(super) fn take(&mut self) -> Vec<String> {
        core::mem::take(&mut self.done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn pieces(text: &str, markdown: bool) -> Vec<String> {
        let mut chunker = Chunker::new(markdown);
        text.lines().for_each(|line| chunker.line(line));
        chunker.end();
        chunker.take()
    }

    #[test]
    fn headings_stand_before_what_they_head() {
        let text = "# Tea\n\nOolong is tea.\n\n## Cups\nThree of them.\n";
        assert_eq!(pieces(text, true), ["# Tea\nOolong is tea.", "# Tea > Cups\nThree of them."]);
        let plain = ["# Tea\n\nOolong is tea.\n\n## Cups\nThree of them."];
        let alone = "# Cats\n## Anna is 9\n## Ben is 7\n\nHe reads.\n### Cleo\n";
        let each =
            ["# Cats > Anna is 9", "# Cats > Ben is 7\nHe reads.", "# Cats > Ben is 7 > Cleo"];
        assert_eq!(pieces(alone, true), each);
        let long = format!("# {}the end\n", "word ".repeat(60));
        let all = pieces(&long, true);
        assert!(all.len() == 1 && all[0].starts_with("# word") && all[0].ends_with("the end"));
        assert_eq!(pieces(text, false), plain);
    }

    #[test]
    fn headings_stand_below_those_above_them() {
        let office = "# Berlin office\n## Address\nUnter den Linden 1";
        assert_eq!(pieces(office, true), ["# Berlin office > Address\nUnter den Linden 1"]);
        let text = "## A\na\n#### B\nb\n### C\nc\n###\nd\n# An\n# Ann\n## An\n";
        let each = ["## A\na", "## A > B\nb", "## A > C\nc", "## A\nd", "# An", "# Ann > An"];
        assert_eq!(pieces(text, true), each);
    }

    #[test]
    fn headings_that_leave_no_room_for_those_above_are_below_none() {
        let [a, b, c] = ["a", "é", "c"].map(|letter| letter.repeat(90 / letter.len()));
        let text = format!("# {a}\n## {b}\n### {c}\n\ntext\n# Next\n");
        let each = [format!("# {a} > {b}"), format!("## {b} > {c}\ntext"), "# Next".into()];
        assert_eq!(pieces(&text, true), each);
    }

    #[test]
    fn what_is_no_heading_stays_in_its_section() {
        let code = "# Run\nSo:\n```sh\n# not a heading\n``` no end\n# nor this\n```\n# Next\ntext";
        let run = "# Run\nSo:\n```sh\n# not a heading\n``` no end\n# nor this\n```";
        assert_eq!(pieces(code, true), [run, "# Next\ntext"]);
        assert_eq!(
            pieces("~~~~\n~~~\n# a\n~~~~\n# b\nc", true),
            ["~~~~\n~~~\n# a\n~~~~", "# b\nc"]
        );
        let inline = "# a\n```not``` a fence\n# b\nc";
        assert_eq!(pieces(inline, true), ["# a\n```not``` a fence", "# b\nc"]);
        for line in ["#tag is text", "#!/bin/sh", "####### seven"] {
            assert_eq!(pieces(&format!("# Top\na\n{line}"), true), [format!("# Top\na\n{line}")]);
        }
        assert_eq!(pieces("# Top\n```\n# a", true), ["# Top\n```\n# a"]);
    }

    #[test]
    fn long_paragraphs_are_cut_at_sentences() {
        let all = pieces(&"This is a sentence. ".repeat(200), false);
        assert!(all.len() >= 4);
        assert!(all.iter().all(|piece| piece.len() <= MOST && piece.ends_with("sentence.")));
    }

    /// A list has one fact per line, and a name without its value is none.
    #[test]
    fn long_lists_are_cut_between_lines() {
        let lines: Vec<String> =
            (0..90).map(|n| format!("- Guest no. {n} Surname{n}: room {}", n + 100)).collect();
        let all = pieces(&lines.join("\n"), false);
        assert!(all.len() >= 3 && all.iter().all(|piece| piece.len() <= MOST));
        assert_eq!(all.join("\n"), lines.join("\n"));
        // A first line is not worth a piece.
        let all = pieces(&format!("Told:\n{}", "This is a sentence. ".repeat(60)), false);
        assert!(all.len() == 2 && all[0].len() > MOST / 2 && all[0].ends_with("sentence."));
    }

    #[test]
    fn sentences_end_without_blanks_too() {
        for mark in ['。', '！', '？'] {
            let text = format!("1 我们在柏林的办公室有三层{mark}").repeat(60);
            let all = pieces(&text, false);
            assert!(all.len() >= 3 && all.iter().all(|piece| piece.len() <= MOST));
            assert!(all.iter().all(|piece| piece.ends_with(mark)), "{all:?}");
            assert_eq!(all.concat(), text);
        }
    }

    /// An import after a change knows most of a text: what stands some paragraphs behind the change is cut as
    /// it was.
    #[test]
    fn a_change_is_not_felt_far_away() {
        let text: Vec<String> =
            (0..200).map(|n| format!("Of day {n} this is told. ").repeat(12)).collect();
        let before = pieces(&text.join("\n\n"), false);
        for at in [0, 50, 100] {
            let mut changed = text.clone();
            changed.insert(at, "A line that was not there.".into());
            changed[at + 3].push_str("And more.");
            let after = pieces(&changed.join("\n\n"), false);
            let new = after.iter().filter(|piece| !before.contains(piece)).count();
            assert!((1..=15).contains(&new), "{new} of {} at {at}", after.len());
        }
    }

    #[test]
    fn no_secret_is_cut_from_its_name() {
        for before in 960..1010 {
            let filler = "ab ".repeat(400);
            for gap in [' ', '\n'] {
                let before = filler[..before].trim();
                let text = format!("{before}{gap}password:{gap}hunter2x {filler}");
                let all: Vec<String> =
                    pieces(&text, false).iter().map(|text| redact(text).0).collect();
                assert!(all.len() > 2 && !all.concat().contains("hunter2x"), "{}", before.len());
            }
        }
    }

    #[test]
    fn no_secret_is_in_another_piece_than_its_name() {
        let filler = "ab ".repeat(400);
        for (name, secret) in [("Password:", "hunter2x"), ("The password is", "\"hunter2x y\"")] {
            for before in 960..1010 {
                let text =
                    alloc::format!("{}\n\n{name}\n\n{secret} {filler}", filler[..before].trim());
                let all: Vec<String> =
                    pieces(&text, false).iter().map(|text| redact(text).0).collect();
                assert!(all.len() > 2 && !all.concat().contains("hunter2x"), "{before}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn no_word_is_lost(
            text in "([a-zé]{1,9}[ .\n]{1,3}){0,400}", long in "[a-z]{0,2500}", markdown: bool,
        ) {
            let text = alloc::format!("{text} {long}");
            let all = pieces(&text, markdown);
            let letters = |text: &str| -> String {
                text.chars().filter(|c| c.is_alphanumeric()).collect()
            };
            prop_assert_eq!(letters(&all.concat()), letters(&text));
            prop_assert!(all.iter().all(|piece| piece.len() <= MOST));
        }

        #[test]
        fn no_heading_is_lost(lines in vec("#{0,7} ?[a-zé。]{0,30}[ >]{0,2}[a-zé]{0,20}", 0..60)) {
            let all = pieces(&lines.join("\n"), true);
            for line in &lines {
                let text = line.trim_start_matches('#').trim();
                prop_assert!(text.is_empty() || all.iter().any(|piece| piece.contains(text)));
            }
            prop_assert!(all.iter().all(|piece| piece.len() <= HEADING + 1 + MOST));
        }
    }
}
