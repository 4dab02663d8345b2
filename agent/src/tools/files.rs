//! Files inside the folders of the config.
//!
//! A path is looked at as it is written: `..` is refused, an absolute path must begin with one of
//! the folders, a relative one starts at the first of them. Links inside the folders are followed
//! by the platform, which in WebAssembly keeps to the folders that it was given. The data folder is
//! for none of these tools, wherever it lies and whatever it is called: its config says what they may
//! do.
//!
//! A new file is written at once. Before one that is there is written over the person is asked, and
//! without a person it stays as it is.
//!
//! What it must never do: write over what is there without a yes, come into the data folder,
//! or ask about a path that moves the cursor.

use alloc::format;
use alloc::string::{String, ToString};

use super::{Arguments, Bench, Outcome, refused};
use crate::config::folder;
use crate::failure::Failure;
use crate::platform::{FileError, FileSystem};
use crate::provider::Tool;
use crate::{room, text};

pub(super) const ALL: [Tool; 4] = [
    Tool {
        name: "file_read",
        description: "Reads a text file.",
        parameters: r#"{"type":"object","properties":{"path":{"type":"string"}},"required":["path"],"additionalProperties":false}"#,
    },
    Tool {
        name: "file_write",
        description: "Writes a text file. Before one of the same name is written over, the person is \
                      asked.",
        parameters: r#"{"type":"object","properties":{"path":{"type":"string"},"text":{"type":"string"}},"required":["path","text"],"additionalProperties":false}"#,
    },
    Tool {
        name: "file_edit",
        description: "Replaces a text that stands exactly once in a file. The person is asked first.",
        parameters: r#"{"type":"object","properties":{"path":{"type":"string"},"old":{"type":"string"},"new":{"type":"string"}},"required":["path","old","new"],"additionalProperties":false}"#,
    },
    Tool {
        name: "file_list",
        description: "Lists a folder; folders end in /.",
        parameters: r#"{"type":"object","properties":{"path":{"type":"string"}},"required":["path"],"additionalProperties":false}"#,
    },
];

/// Most bytes of a file that is read or written.
const MOST: u64 = 1 << 20;
/// Most entries of a folder that are listed.
const MOST_ENTRIES: usize = 1000;
/// Characters of a new text that a confirmation shows.
const SHOWN: usize = 80;

/// The place of a path inside one of the folders.
fn inside(path: &str, folders: &[String]) -> Outcome {
    let within = |path: &str, folder: &str| {
        path.strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || folder.ends_with('/') || rest.starts_with('/'))
    };
    // It is shown where the person is asked.
    let plain = !path.chars().any(|c| c.is_control() || c == '\\')
        && !text::parts(path, b"/").contains(&"..");
    let place = match (path.starts_with('/'), folders.first()) {
        (false, Some(first)) => format!("{}/{path}", text::without_end(first, b"/")),
        _ => path.to_string(),
    };
    if plain && !path.is_empty() && folders.iter().any(|folder| within(&place, folder)) {
        return Ok(place);
    }
    Err(refused(format!("a path without `..` inside {} expected", folders.join(", "))))
}

/// A path as one may compare it. Many systems do not tell capitals apart.
fn plain(path: &str) -> String {
    let mut out = String::from("/");
    for step in text::parts(path, b"/") {
        if !matches!(step, "" | ".") {
            out.push_str(step);
            out.push('/');
        }
    }
    out.make_ascii_lowercase();
    out
}

/// Whether a place is in the data folder, as both are written. Where one begins that is no absolute
/// path is not known: it may be anywhere.
fn is_own(place: &str, data: &str) -> bool {
    let (place, own) = (plain(place), plain(data));
    if data.starts_with('/') { place.starts_with(&own) } else { text::has(&place, &own) }
}

/// Whether the way to a place leads through the data folder under another name: through a link, or
/// because the host gave the folder twice.
fn leads_into(files: &dyn FileSystem, place: &str, data: &str) -> bool {
    let sessions = format!("{data}/sessions");
    (1..=place.len()).any(|end| {
        let is_end = matches!(place.as_bytes().get(end), None | Some(b'/'));
        let way = place.get(..end).filter(|_| is_end);
        way.is_some_and(|way| files.is_same(way, data) || files.is_same(way, &sessions))
    })
}

impl Bench<'_, '_> {
    /// Asks the person before a file that is there gets another text.
    fn may_replace(&self, what: &str, path: &str, text: &str) -> Result<(), Failure> {
        let text = text::short(text, SHOWN);
        let question = format!("\n{what} {path}: {text}\nType yes to write: ");
        match self.platform.terminal.confirms(&question) {
            true => Ok(()),
            false => {
                Err(refused(format!("{path} is there, and nobody said yes: it was left as it is")))
            }
        }
    }

    pub(super) fn file(&mut self, name: &str, arguments: &Arguments) -> Outcome {
        let files = self.platform.files;
        let path = inside(arguments.text("path")?, &self.config.folders)?;
        let data = folder(self.platform.environment);
        if is_own(&path, &data) || leads_into(files, &path, &data) {
            let sentence =
                format!("{path} is in the data folder: it is not for the tools of files");
            return Err(refused(sentence));
        }
        let said = |error: FileError| Failure::of_file(&path, &error);
        let read = || -> Outcome {
            let bytes = files.read(&path, MOST).map_err(said)?;
            String::from_utf8(bytes).map_err(|_| refused("text in UTF-8 expected").of(&path))
        };
        let write = |text: &str, what: &str, shown: &str, before: Option<&str>| -> Outcome {
            if text.len() as u64 > MOST {
                let sentence = format!("at most {MOST} bytes expected, found {}", text.len());
                return Err(refused(sentence));
            }
            if !matches!(files.entry(&path), Err(FileError::NotFound)) {
                self.may_replace(what, &path, shown)?;
            }
            if let Some(before) = before
                && read()? != before
            {
                return Err(refused(format!("{path} was changed meanwhile: read it again")));
            }
            files.replace(&path, text.as_bytes()).map_err(said)?;
            Ok(format!("{path}: {} bytes written", text.len()))
        };
        match name {
            "file_read" => read(),
            "file_write" => {
                let text = arguments.text("text")?;
                write(text, "Write over", text, None)
            }
            "file_edit" => {
                let (old, new) = (arguments.text("old")?, arguments.text("new")?);
                let text = read()?;
                let found = text::find(&text, old).zip(old.chars().next());
                // Places that overlap are several.
                let again = |(at, c): (usize, char)| text::find(&text[at + c.len_utf8()..], old);
                room::ask(text.len() + new.len())?;
                match (found, found.and_then(again)) {
                    (Some(_), None) => {
                        write(&text::replaced(&text, old, new), "Change", new, Some(&text))
                    }
                    (None, _) => Err(refused("`old` expected once, not found").of(&path)),
                    (Some(_), Some(_)) => {
                        Err(refused("`old` expected once, found several times").of(&path))
                    }
                }
            }
            _ => {
                let mut entries = files.list(&path).map_err(said)?;
                let more = entries.len().saturating_sub(MOST_ENTRIES);
                entries.truncate(MOST_ENTRIES);
                let bytes = entries.iter().map(|entry| entry.name.len() + 2).sum();
                room::ask(bytes)?;
                let mut lines = String::with_capacity(bytes);
                for entry in &entries {
                    lines.push_str(&entry.name);
                    lines.push_str(if entry.is_folder { "/\n" } else { "\n" });
                }
                if more > 0 {
                    lines.push_str(&format!("and {more} more\n"));
                }
                Ok(lines)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        let folders = ["/data/notes".to_string(), "/tmp/x/".to_string()];
        for (path, place) in [
            ("a.txt", "/data/notes/a.txt"),
            ("/data/notes", "/data/notes"),
            ("/data/notes/b/c", "/data/notes/b/c"),
            ("/tmp/x/y", "/tmp/x/y"),
            (".", "/data/notes/."),
        ] {
            assert_eq!(inside(path, &folders).as_deref(), Ok(place), "{path}");
        }
        for path in [
            "",
            "..",
            "a/../../b",
            "/data/notes2",
            "/etc/passwd",
            "/tmp",
            "a\\..\\b",
            "a\u{1b}[8m",
            "/data/notes/..",
        ] {
            assert!(inside(path, &folders).is_err(), "{path}");
        }
        assert!(inside("a", &[]).is_err());
    }
    #[test]
    fn the_data_folder_is_known_however_it_is_written() {
        for (place, data, own) in [
            ("/home/u/.clawft", "/home/u/.clawft", true),
            ("/home/u//./.Clawft/config.toml", "/home/u/.clawft/", true),
            ("/home/u/.clawft2/a", "/home/u/.clawft", false),
            ("/home/u", "/home/u/.clawft", false),
            ("/x/home/u/.clawft/a", "/home/u/.clawft", false),
            ("./.clawft/sessions/a.json", ".clawft", true),
            ("/data/.clawft/a", ".clawft", true),
            ("/data/clawft/a", ".clawft", false),
        ] {
            assert_eq!(is_own(place, data), own, "{place} in {data}");
        }
    }
}
