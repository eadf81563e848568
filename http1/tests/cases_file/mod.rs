//! Reads the files in `cases/`; their README.md says how they are written.
#![allow(dead_code, reason = "each test uses a part of it")]

use crate::common::text;
use std::path::Path;

/// One raw request, or several, and what is read of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Case {
    /// The file's, the case's, and what stands for `\@`.
    pub(crate) name: String,
    pub(crate) rule: String,
    pub(crate) bytes: Vec<u8>,
    /// So many bytes decide the refusal.
    pub(crate) decided: Option<usize>,
    pub(crate) expected: Vec<Expected>,
    pub(crate) waits_head: bool,
}

/// What is read.
#[derive(Clone, Debug)]
pub(crate) enum Expected {
    /// Method, target, and the other words in any order.
    Request {
        words: Vec<String>,
        body: Vec<u8>,
        fields: Vec<(String, Vec<u8>)>,
    },
    Refusal {
        status: u16,
        name: String,
    },
}

/// All cases of all files.
pub(crate) fn all() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files
        .iter()
        .flat_map(|path| {
            let file = path.file_stem().unwrap().to_str().unwrap();
            of_file(file, &std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// The cases of one file.
fn of_file(file: &str, text: &str) -> Vec<Case> {
    let lines: Vec<(&str, &str)> = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once(' ').unwrap_or((line, "")))
        .collect();
    lines
        .chunk_by(|_, (next, _)| *next != "case")
        .flat_map(|lines| {
            let with: Vec<&str> =
                lines.iter().filter(|(word, _)| *word == "with").map(|(_, text)| *text).collect();
            let with = if with.is_empty() { vec![None] } else { with.into_iter().map(Some).collect() };
            with.into_iter().map(|with| of_lines(file, lines, with)).collect::<Vec<_>>()
        })
        .collect()
}

fn of_lines(file: &str, lines: &[(&str, &str)], with: Option<&str>) -> Case {
    let mut case = Case::default();
    let mut send = String::new();
    for (word, text) in lines {
        let text = text.replace("\\@", with.unwrap_or("\\@"));
        match *word {
            "case" => {
                case.name = [&format!("{file}: {text}"), with.unwrap_or_default()].join(" ").trim_end().into()
            }
            "rule" => case.rule = text,
            "send" => send += &text,
            "with" => {}
            "gets" => case.expected.push(expected(&text)),
            "waits" if text == "head" => case.waits_head = true,
            "body" | "field" => match case.expected.last_mut() {
                Some(Expected::Request { body, .. }) if *word == "body" => *body = text::bytes(&text).0,
                Some(Expected::Request { fields, .. }) => fields.push(field(&text)),
                _ => panic!("{}: {word} belongs to a request", case.name),
            },
            other => panic!("{file}: {other} is no word of a case"),
        }
    }
    assert!(!case.name.is_empty() && case.rule.starts_with("RFC ") && !send.is_empty(), "{case:?}");
    (case.bytes, case.decided) = text::bytes(&send);
    case
}

fn expected(line: &str) -> Expected {
    let words: Vec<String> =
        line.split(' ').map(|word| String::from_utf8(text::bytes(word).0).unwrap()).collect();
    assert!(words.len() >= 2, "{line}");
    match words[0].parse() {
        Ok(status) => Expected::Refusal { status, name: words[1].clone() },
        Err(_) => Expected::Request { words, body: Vec::new(), fields: Vec::new() },
    }
}

fn field(line: &str) -> (String, Vec<u8>) {
    let (name, value) = line.split_once(':').unwrap();
    let name = String::from_utf8(text::bytes(name).0).unwrap();
    (name, text::bytes(value).0.trim_ascii().to_vec())
}
