//! Comments, messages and pages are free of turns that read as translated.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Each turn with a better one. A turn is matched as whole words, whatever its case and wherever its line breaks.
const TURNS: &[(&str, &str)] = &[
    ("whoever", "name the role: the caller, a reader"),
    ("anew", "again, or from scratch"),
    ("for ever", "forever, or name the limit"),
    ("on and on", "without end"),
    ("nobody was told", "was never acknowledged"),
    ("goes on behind", "continues after"),
    ("one behind the other", "one after the other"),
    ("right behind", "directly after"),
    ("behind a position", "after a position"),
    ("behind the position", "after the position"),
    ("behind this position", "after this position"),
    ("behind that position", "after that position"),
    ("behind all others", "after all others"),
    ("digits behind", "digits after"),
    ("it is none", "it is not one"),
    ("that is none", "that is not one, or invalid"),
    ("is none of", "is not one of"),
    ("comes to the same", "gives the same result"),
    ("and be it", "even if it is"),
    ("so that it be", "so that it is"),
    ("has its turn", "is next"),
    ("is told as", "is sent as"),
    ("leaves a note", "records"),
    ("less than nothing", "negative"),
    ("reckoned", "computed"),
    ("gives how many", "returns how many"),
    ("says whether", "returns whether"),
    ("at most so many", "at most this many"),
    ("at most so long", "at most this long"),
    ("as if nothing had been", "as if nothing had happened"),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    /// Comments and string literals are prose.
    Rust,
    /// Only comments are prose.
    TypeScript,
    /// All text but code is prose.
    Markdown,
}

#[test]
fn texts_are_free_of_turns_that_read_as_translated() {
    let mut faults = Vec::new();
    for (file, language) in texts() {
        let text = fs::read_to_string(&file).unwrap();
        let place = file.strip_prefix(root()).unwrap().display().to_string();
        faults.extend(found(&text, language).iter().map(|(line, turn, better)| format!("{place}:{line}: \"{turn}\"; better: {better}")));
    }
    assert!(faults.is_empty(), "{} turns to rewrite:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn a_turn_is_found_in_prose_and_as_whole_words_only() {
    let turns = |text: &str, language| found(text, language).into_iter().map(|(line, turn, _)| (line, turn)).collect::<Vec<_>>();
    assert_eq!(turns("fn f() {}\n/// For Whoever asks.", Language::Rust), [(2, "whoever")]);
    assert_eq!(turns("/// Everything behind\n    /// the position.", Language::Rust), [(1, "behind the position")]);
    assert_eq!(turns("let a = \"made anew\"; // and\nlet b = r#\"for \"ever\" and\nanew\"#;", Language::Rust), [(1, "anew"), (3, "anew")]);
    assert_eq!(turns("let anew = behind.the.position; let c = '\"'; whoever(c)", Language::Rust), []);
    assert_eq!(turns("// whoeverelse, `anew_index`, behind the views", Language::Rust), []);
    assert_eq!(turns("const a = 'anew'; // made anew\n/* for\n * ever */", Language::TypeScript), [(1, "anew"), (2, "for ever")]);
    assert_eq!(turns("Built anew, `anew`.\n```\nanew\n```\nWhoever.", Language::Markdown), [(1, "anew"), (5, "whoever")]);
}

/// Line, turn and better turn of every match.
fn found(text: &str, language: Language) -> Vec<(usize, &'static str, &'static str)> {
    let (words, lines) = squeezed(&prose(text, language));
    let mut found = Vec::new();
    for (turn, better) in TURNS {
        for (at, _) in words.match_indices(turn) {
            let is_word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
            if !is_word(words[..at].chars().next_back()) && !is_word(words[at + turn.len()..].chars().next()) {
                found.push((lines[at], *turn, *better));
            }
        }
    }
    found.sort_unstable();
    found
}

/// The text in small letters with single spaces, and the line of each byte.
fn squeezed(text: &str) -> (String, Vec<usize>) {
    let (mut words, mut lines, mut line) = (String::new(), Vec::new(), 1);
    for letter in text.chars() {
        if !letter.is_whitespace() || !words.ends_with(' ') {
            words.push(if letter.is_whitespace() { ' ' } else { letter.to_ascii_lowercase() });
            lines.resize(words.len(), line);
        }
        line += usize::from(letter == '\n');
    }
    (words, lines)
}

/// Replaces anything that is not prose, so that no turn reaches across it.
const CODE: char = '\0';

/// The prose of a text with its line breaks; all else but blanks becomes [`CODE`].
fn prose(text: &str, language: Language) -> String {
    if language == Language::Markdown {
        return markdown(text);
    }
    let (mut prose, mut rest) = (String::new(), text);
    while let Some(letter) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            prose.push_str(rest[..end].trim_start_matches(['/', '!']));
            end
        } else if rest.starts_with("/*") {
            let end = rest.find("*/").map_or(rest.len(), |end| end + 2);
            prose.push_str(&rest[..end].replace(['*', '/'], " "));
            end
        } else if language == Language::Rust {
            rust(rest, &mut prose)
        } else if matches!(letter, '"' | '\'' | '`') {
            prose.push(CODE);
            // A quote within a regular expression must not swallow more than its line.
            let end = closing(rest, letter);
            if letter == '`' { end } else { end.min(rest.find('\n').unwrap_or(end)) }
        } else {
            prose.push(if letter.is_whitespace() { letter } else { CODE });
            letter.len_utf8()
        };
        if language == Language::TypeScript && rest.starts_with('`') {
            prose.extend(rest[..length].matches('\n'));
        }
        rest = &rest[length..];
    }
    prose
}

/// Adds the prose of the next bit of Rust, and returns its length.
fn rust(rest: &str, prose: &mut String) -> usize {
    let letter = rest.chars().next().unwrap();
    let hashes = rest.bytes().skip(1).take_while(|byte| *byte == b'#').count();
    if letter == 'r' && rest[1 + hashes..].starts_with('"') {
        let start = 2 + hashes;
        let end = rest[start..].find(&format!("\"{}", "#".repeat(hashes))).map_or(rest.len(), |end| start + end);
        add_quoted(&rest[start..end], prose);
        return rest.len().min(end + 1 + hashes);
    }
    if letter == '"' {
        let end = closing(rest, '"');
        add_quoted(&rest[1..end.saturating_sub(1).max(1)].replace("\\\n", " \n").replace("\\n", "  "), prose);
        return end;
    }
    // A character, which may be a quote; a lifetime has no second quote.
    if letter == '\'' {
        let is_char = rest[1..].starts_with('\\') || rest[1..].chars().nth(1) == Some('\'');
        prose.push(CODE);
        return if is_char { closing(rest, '\'') } else { 1 };
    }
    prose.push(if letter.is_whitespace() { letter } else { CODE });
    letter.len_utf8()
}

fn add_quoted(text: &str, prose: &mut String) {
    prose.push(CODE);
    prose.push_str(text);
    prose.push(CODE);
}

/// The length of a quoted text, with both quotes.
fn closing(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in text[1..].char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return 1 + at + quote.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// A page without its code blocks and code spans.
fn markdown(page: &str) -> String {
    let (mut prose, mut fenced) = (String::new(), false);
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            prose.push(CODE);
        } else if !fenced {
            for (index, part) in line.split('`').enumerate() {
                if index % 2 == 0 {
                    prose.push_str(part);
                } else {
                    prose.push(CODE);
                }
            }
        }
        prose.push('\n');
    }
    prose
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file to read: the history of changes, generated types and fixtures are left out, and this file, which names the turns.
fn texts() -> Vec<(PathBuf, Language)> {
    let mut texts = Vec::new();
    for folder in ["src", "load", "tests", "benches", "crates"] {
        texts.extend(files(&root().join(folder), "rs").into_iter().map(|file| (file, Language::Rust)));
    }
    texts.extend(files(&root().join("docs"), "md").into_iter().map(|file| (file, Language::Markdown)));
    texts.extend(files(&root().join("web/src"), "ts").into_iter().map(|file| (file, Language::TypeScript)));
    let pages = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    texts.extend(pages.filter(|page| page.extension().is_some_and(|end| end == "md")).map(|page| (page, Language::Markdown)));
    let left_out = ["tests/words.rs", "web/src/live/types.ts", "CHANGELOG.md"].map(|file| root().join(file));
    texts.retain(|(file, _)| !left_out.contains(file));
    texts.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
    assert!(texts.len() > 100, "the sources are there");
    texts
}

/// The files below a folder with an ending, fixtures and installed packages left out.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("fixtures") && !path.ends_with("node_modules") {
                files.extend(self::files(&path, ending));
            }
        } else if path.extension().is_some_and(|end| end == ending) {
            files.push(path);
        }
    }
    files
}
