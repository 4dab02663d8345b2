//! Whether a text from elsewhere tells the assistant what to do.
//!
//! A person's manual commands a person. What is meant for an assistant betrays itself otherwise: it
//! speaks to an assistant or of "the user" as a third one, it wants something done to instructions,
//! memories, answers, tools or secrets, it asks for silence, it plays a role of the protocol, or it
//! hides. Each sign is worth points; no single one is enough but hiding.
//!
//! Words of English are known best, of German, Spanish, French and Chinese the commonest.
//!
//! Why: a quotation is left out, as one who discusses a command gives none; where roles
//! or veils are there, quotation marks are markup, and all of it counts. A command may be cut in
//! two, so a whole line counts as its sentences do, less two points.
//!
//! What it must never do: hand on a word of the text: points and a mark are all that leaves
//! it, as the log has no texts.

use alloc::string::String;
use alloc::vec::Vec;

use clawft_store::lexical::fold;

use crate::text::{has, is_listed};

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Suspicion {
    /// Points of its worst sentence, and those of the whole.
    pub points: u32,
    /// It hides, or hides in code, what it says.
    pub hidden: bool,
}

/// Points from which a text commands.
pub const ENOUGH: u32 = 4;

/// Whoever is meant.
const ASSISTANTS: &str = " assistant assistants ai ais llm llms chatbot chatbots bot bots gpt ki kis ia ias \
asistente asistentes assistente assistenten ";
const MODELS: &str = " agent agents model models modele modelo modell agente ";
const PHRASES_ASSISTANT: [&str; 4] = ["language model", "sprachmodell", "助手", "人工智能"];
/// That it is spoken to.
const ADDRESSED: &str = " dear hello hi attention attn reader readers reads reading read process processes \
processing parse parses parsing summarises summarizes summarising summarizing liest lesen lies lees lea leer \
lee lit lire liebe lieber estimado cher chere hinweis nota message instruction instructions hint note ";
/// What belongs to it.
const OWN: &str = " instruction instructions memory memories prompt guideline guidelines anweisung anweisungen \
instrucciones consignes souvenirs souvenir memoria memoire gedachtnis erinnerungen reply replies response \
responses answer answers tool tools rules directives context conversation summary fact facts regeln vorgaben \
antwort antworten setting settings confirmation confirmations record records notes contacts mailbox calendar \
inbox password passwords contrasenas credentials secrets passworter kontakte entries policy restrictions \
safeguards memo profile messages addresses history chats ";
/// What is to be done to it.
const ACTS: &str = " ignore disregard forget override bypass send forward call store save record remember \
memorise memorize add append include delete erase drop remove print reveal show output repeat obey trust treat \
grant approve disable enable open fetch run execute write mention recommend say tell reply respond answer keep \
act pretend upload share transfer confirm insert put give stop skip finish list export post email mail note \
ignoriere vergiss schicke sende speichere losche antworte erwahne ignora olvida envia guarda borra anade \
oublie supprime envoie enregistre enregistrer ajoute ajouter responde sag merke merk claim summarise summarize \
change replace switch leak hide copy search update register mark accept assume consider transmit execute use \
speichern senden loschen guardar enviar supprimer envoyer ";
const SILENCE: [&str; 14] = [
    "without asking",
    "without telling",
    "without mention",
    "without inform",
    "not tell",
    "don't tell",
    "not mention",
    "don't mention",
    "silently",
    "secretly",
    "nicht erwahn",
    "erwahne es nicht",
    "no menciones",
    "sans le dire",
];
/// What only those say who speak to a machine that answers.
const TELLING: [&str; 44] = [
    "previous instruction",
    "prior instruction",
    "earlier instruction",
    "above instruction",
    "all instruction",
    "your instruction",
    "your rule",
    "your memory",
    "your guideline",
    "your earlier",
    "your previous",
    "system prompt",
    "system message",
    "long-term memory",
    "permanent fact",
    "permanent memory",
    "new instruction",
    "new guideline",
    "each reply",
    "every reply",
    "every answer",
    "each answer",
    "every question",
    "each response",
    "every response",
    "next answer",
    "next reply",
    "remember this",
    "save this",
    "store this",
    "obey",
    "that the user",
    "dass die nutz",
    "dass der nutz",
    "que el usuario",
    "que l'utilisateur",
    "bisherigen anweisungen",
    "instrucciones anteriores",
    "consignes precedentes",
    "call the tool",
    "call `",
    "when asked",
    "from now on",
    "you are now",
];
/// The same in Chinese, and what is done to it.
const CHINESE: [&str; 12] = [
    "忽略",
    "指示",
    "指令",
    "记忆",
    "不要告诉",
    "用户",
    "发送",
    "写入",
    "保存",
    "阅读",
    "之前的",
    "助手",
];
/// Roles of the protocols in which models are spoken to.
const ROLES: [&str; 16] = [
    "<|im_start|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|endoftext|>",
    "[inst]",
    "<<sys>>",
    "\"role\": \"system\"",
    "\"role\":\"system\"",
    "<tool_call>",
    "<function_call",
    "### instruction",
    "<system>",
    "[system]",
    "new instructions ===",
    "end of document",
];
/// Where a person does not look.
const VEILS: [&str; 12] = [
    "<!--",
    "font-size:0",
    "font-size: 0",
    "display:none",
    "display: none",
    "visibility:hidden",
    "visibility: hidden",
    "opacity:0",
    "opacity: 0",
    "color:white",
    "color:#fff",
    "![",
];
const USER: [&str; 5] = ["the user", "user's", "nutzer", "usuario", "utilisateur"];

/// What a text looks like to whom it is meant for: without what is not seen, and what is not seen.
struct Layers {
    shown: String,
    hidden: String,
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// Takes hidden characters apart. Joiners inside words are counted: emoji and some scripts need a few.
fn layers(text: &str) -> (Layers, bool) {
    let mut layers = Layers { shown: String::new(), hidden: String::new() };
    let (mut joiners, mut last) = (0, ' ');
    for c in text.chars() {
        match c {
            '\u{e0020}'..='\u{e007e}' => {
                layers.hidden.extend(char::from_u32(c as u32 - 0xe0000));
            }
            c if is_joiner(c) => joiners += usize::from(last.is_ascii_alphanumeric()),
            c => layers.shown.push(c),
        }
        last = c;
    }
    // A flag is made of six tags at most.
    let hides = joiners >= 4 || layers.hidden.len() > 8;
    (layers, hides)
}

/// The texts that stand in it in base64 or in hexadecimal.
fn decoded(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let is_code = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '-' | '_');
    for run in text.split(|c| !is_code(c)).filter(|run| run.len() >= 20) {
        let hexed = run.bytes().all(|b| b.is_ascii_hexdigit()) && run.len() % 2 == 0;
        let bytes = if hexed { of_hex(run) } else { of_base64(run) };
        if let Ok(plain) = String::from_utf8(bytes)
            && plain.chars().all(|c| !c.is_control() || c.is_whitespace())
            && plain.contains(' ')
        {
            all.push(plain);
        }
    }
    all
}

fn of_hex(run: &str) -> Vec<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).unwrap_or(0) as u8;
    run.as_bytes().chunks_exact(2).map(|two| digit(two[0]) << 4 | digit(two[1])).collect()
}

fn of_base64(run: &str) -> Vec<u8> {
    let (mut out, mut bits, mut held) = (Vec::new(), 0u32, 0);
    for b in run.bytes() {
        let digit = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    out
}

/// Letters with blanks between them, put together again.
fn closed_up(text: &str) -> Option<String> {
    let letters = text.split(' ').filter(|part| part.chars().count() == 1).count();
    (letters >= 12).then(|| {
        let mut out = String::new();
        for part in text.split("  ") {
            let single = part.split(' ').all(|one| one.chars().count() <= 1);
            out.extend(part.chars().filter(|&c| !single || c != ' '));
            out.push(' ');
        }
        out
    })
}

/// Points of one sentence, in small letters without accents.
fn points(sentence: &str) -> u32 {
    let words: Vec<&str> =
        sentence.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let any = |list: &str| words.iter().any(|word| is_listed(list, word));
    let said =
        |phrases: &[&str]| phrases.iter().filter(|phrase| has(sentence, phrase)).count() as u32;
    let addressed = any(ADDRESSED);
    // Whoever owns an assistant is a person.
    let owned = has(sentence, "your assistant") || has(sentence, "your agent");
    let assistant = !owned
        && (any(ASSISTANTS)
            || said(&PHRASES_ASSISTANT) > 0
            || addressed
                && any(MODELS)
                && any(" this these dies diesen dieser este esto ce cette "));
    let (own, acts) = (any(OWN), any(ACTS));
    let commands = words.iter().take(4).any(|word| is_listed(ACTS, word));
    let user = said(&USER) > 0;
    let you = any(" you your yours ");
    let mut points = 2 * said(&TELLING).min(2) + said(&CHINESE).min(5);
    points += 2 * u32::from(said(&SILENCE) > 0);
    if assistant {
        points += u32::from(acts) + u32::from(own) + u32::from(you);
        points += u32::from(user) + 3 * u32::from(addressed);
    }
    points += u32::from(own && acts) + 2 * u32::from(own && commands);
    points += u32::from(user && acts) + u32::from(user && (commands || you));
    points
}

/// A text without what it quotes: what is discussed commands nobody. An address before a quotation
/// mark, or a sign, is markup.
fn unquoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['"', '“']) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let mark = after.chars().next().map_or(1, char::len_utf8);
        let after = &after[mark..];
        let last = before.trim_end().rsplit(char::is_whitespace).next().unwrap_or("");
        let prose = before.ends_with(' ')
            && last.ends_with(|c: char| c.is_alphabetic() || c == ',' || c == ':')
            && !has(last, "/")
            && !last.starts_with(['{', '"', '(']);
        match after.find(['"', '”']) {
            Some(end) if prose => {
                let mark = after[end..].chars().next().map_or(1, char::len_utf8);
                rest = &after[end + mark..];
            }
            _ => rest = after,
        }
    }
    out.push_str(rest);
    out
}

/// What of a text speaks for its being meant for an assistant.
#[must_use]
pub fn suspicion(text: &str) -> Suspicion {
    let (layers, hides) = layers(text);
    let lower = |text: &str| -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            let (one, two) = fold(c);
            out.push(one);
            out.extend(two);
        }
        out
    };
    let shown = lower(&layers.shown);
    let worst = |text: &str| {
        text.split(['.', '!', '?', '\n', ';', '。', '\u{ff01}']).map(points).max().unwrap_or(0)
    };
    let plain = unquoted(&shown);
    // Many a small sign together are one: a sentence may be cut in two.
    let in_all = plain.split('\n').map(points).max().unwrap_or(0);
    let mut found =
        Suspicion { points: worst(&plain).max(in_all.saturating_sub(2)), hidden: hides };
    let count = |marks: &[&str]| marks.iter().filter(|mark| has(&shown, mark)).count() as u32;
    let roles = count(&ROLES).min(2)
        + u32::from(
            shown.lines().any(|line| line.starts_with("system:") || line.starts_with("assistant:")),
        );
    let veiled = count(&VEILS).min(1);
    if roles + veiled > 0 {
        found.points = found.points.max(worst(&shown));
        found.points += 2 * roles + if found.points > 1 { 2 * veiled } else { 0 };
    }
    let mut inner: Vec<String> = decoded(&layers.shown);
    inner.push(layers.hidden);
    inner.extend(closed_up(&shown));
    for plain in &inner {
        let points = worst(&lower(plain));
        if points >= 2 {
            found.hidden = true;
            found.points = found.points.max(points + 2);
        }
    }
    found
}
