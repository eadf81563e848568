//! What can be read off the documents: links lead somewhere, and every decision can be found.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The documents in a folder of the workspace, with their texts.
fn documents(folder: &str) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(workspace().join(folder)).unwrap();
    let files = entries.map(|entry| entry.unwrap().path());
    let documents: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect();
    assert!(!documents.is_empty(), "{folder} has documents");
    documents
}

/// The lines that are no code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    })
}

/// Where the links of a document lead.
fn links(text: &str) -> Vec<&str> {
    prose(text)
        .flat_map(|line| line.split("](").skip(1).filter_map(|rest| rest.split(')').next()))
        .filter(|link| !link.starts_with("http"))
        .collect()
}

/// The anchors of a document, as GitHub makes them of its headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let kept = heading.trim_start_matches('#').trim().chars().filter_map(|char| match char {
            ' ' => Some('-'),
            '-' | '_' => Some(char),
            _ => char.is_alphanumeric().then_some(char),
        });
        kept.collect::<String>().to_lowercase()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    for folder in [".", "docs", "docs/decisions", "deploy", "bench"] {
        for (path, text) in documents(folder) {
            for link in links(&text) {
                let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
                let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
                assert!(target.exists(), "{}: nothing is at {link}", path.display());
                if !anchor.is_empty() {
                    let target = fs::read_to_string(&target).unwrap();
                    assert!(anchors(&target).contains(anchor), "{}: no heading for {link}", path.display());
                }
            }
        }
    }
}

/// GitHub leaves cells out that are too many, and shows empty ones where some are missing.
#[test]
fn each_row_of_a_table_has_as_many_cells_as_its_head() {
    for folder in [".", "docs", "docs/decisions", "deploy", "bench"] {
        for (path, text) in documents(folder) {
            let mut head = None;
            for line in prose(&text) {
                let cells = line.matches('|').count() - line.matches("\\|").count();
                match line.starts_with('|') {
                    true => assert_eq!(*head.get_or_insert(cells), cells, "{}: {line}", path.display()),
                    false => head = None,
                }
            }
        }
    }
}

#[test]
fn every_decision_has_its_sections_and_one_line_in_the_index() {
    let (indexes, decisions): (Vec<_>, Vec<_>) =
        documents("docs/decisions").into_iter().partition(|(path, _)| path.ends_with("README.md"));
    let mut listed = links(&indexes[0].1);
    listed.sort_unstable();
    let mut names = Vec::new();
    for (path, text) in &decisions {
        let sections: Vec<&str> = prose(text).filter_map(|line| line.strip_prefix("## ")).collect();
        assert!(
            sections == ["Context", "Decision", "Consequences"]
                || sections == ["Context", "Decision", "Measured", "Consequences"],
            "{}: {sections:?}",
            path.display()
        );
        names.push(path.file_name().unwrap().to_str().unwrap());
    }
    names.sort_unstable();
    assert_eq!(names, listed, "the files of docs/decisions, and its README.md");
}

/// What strangers look for first must be where they look, and say what they ask.
#[test]
fn security_md_names_who_is_trusted_and_leads_to_the_bounds() {
    let text = fs::read_to_string(workspace().join("SECURITY.md")).unwrap();
    let sections: Vec<&str> = prose(&text).filter_map(|line| line.strip_prefix("## ")).collect();
    let expected =
        ["Reporting", "Versions", "Who is trusted with what", "What protects", "Where it comes from"];
    assert_eq!(sections, expected);
    for who in ["clients", "instances", "operators", "files", "the admin port", "peers of an upgrade"] {
        assert!(text.contains(&format!("| **{who}**")), "{who}");
    }
    assert!(links(&text).contains(&"docs/operations.md#bounds"));
    assert!(links(&fs::read_to_string(workspace().join("README.md")).unwrap()).contains(&"SECURITY.md"));
}

/// Each bound of `[server]` in the sample of gateway.toml.
#[test]
fn the_table_of_bounds_has_each_bound_of_the_server() {
    let operations = fs::read_to_string(workspace().join("docs/operations.md")).unwrap();
    let table = operations.split("\n## Bounds\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let sample = fs::read_to_string(workspace().join("config/gateway.toml")).unwrap();
    let server = sample.split("[server]").nth(1).unwrap().split("\n[").next().unwrap();
    let keys = server.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key);
    let bounds: Vec<&str> = keys
        .filter(|key| {
            let times = ["handshake_timeout", "header_timeout", "body_timeout", "idle_timeout"];
            key.starts_with("max_") || key.ends_with("_rate") || times.contains(key)
        })
        .collect();
    assert!(bounds.len() > 8, "{bounds:?}");
    for key in bounds {
        assert!(table.contains(&format!("`{key}`")), "{key} has no line in the table of bounds");
    }
}
