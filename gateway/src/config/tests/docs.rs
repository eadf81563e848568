//! docs/routes.md shows what is so: its tables hold, and its mistakes are told as it says.

use super::super::shape::{Entry, Shape};
use super::*;

const DOCS: &str = include_str!("../../../../docs/routes.md");

/// The fenced blocks of a language, each with the line before it.
fn blocks<'d>(language: &str) -> Vec<(&'d str, &'d str)> {
    let fence = format!("\n\n```{language}\n");
    let block = |(at, _): (usize, &str)| {
        let before = DOCS[..at].rsplit('\n').next().unwrap_or_default();
        let text = DOCS[at + fence.len()..].split("```").next().unwrap_or_default();
        (before, text)
    };
    DOCS.match_indices(fence.as_str()).map(block).collect()
}

#[test]
fn the_mistakes_are_told_as_the_page_says() {
    let (named, others): (Vec<_>, Vec<_>) =
        blocks("toml").into_iter().partition(|(line, _)| line.ends_with(".toml`:"));
    let sources =
        named.iter().map(|(line, text)| Source::new(line.trim_matches(['`', ':']), *text)).collect();
    let seen = super::judge::read_tables(sources).unwrap_err().to_string();
    assert_eq!(seen.trim(), blocks("text")[0].1.trim());
    assert!(!others.is_empty());
    for (_, text) in others {
        tables(text).unwrap();
    }
}

/// The other pages that explain keys.
const PAGES: [&str; 4] = [
    DOCS,
    include_str!("../../../../docs/auth.md"),
    include_str!("../../../../docs/openapi.md"),
    include_str!("../../../../docs/mcp.md"),
];

/// Keys that the pages explain in sentences, and not in a table's row that has the words.
const IN_SENTENCES: [&str; 24] = [
    "env",
    "file",
    "claim",
    "time",
    "bytes",
    "allow",
    "deny",
    "origins",
    "messages",
    "scopes",
    "claims",
    "load_factor",
    "type",
    "event",
    "id",
    "retry",
    "heartbeat",
    "field",
    "max_age",
    "include_subdomains",
    "preload",
    "from",
    "optional",
    "header",
];

/// Every key of a shape, behind those that lead to it.
fn keys_of(
    shape: &'static Shape,
    path: &[&'static str],
    found: &mut Vec<(Vec<&'static str>, &'static Entry)>,
) {
    let entries = match shape {
        Shape::Table(entries) | Shape::Names(entries, _) => entries,
        Shape::Made(entries) => entries(),
        _ => &[],
    };
    keys_of_table(entries, path, found);
    match shape {
        Shape::OneOf(all) => all.iter().for_each(|one| keys_of(one, path, found)),
        Shape::List(inner, _) | Shape::Names(_, inner) | Shape::Tree(inner) => keys_of(inner, path, found),
        _ => {}
    }
}

fn keys_of_table(
    entries: &'static [Entry],
    path: &[&'static str],
    found: &mut Vec<(Vec<&'static str>, &'static Entry)>,
) {
    for entry in entries {
        let own = [path, &[entry.key]].concat();
        found.push((own.clone(), entry));
        keys_of(&entry.shape, &own, found);
    }
}

/// A text without the addresses of its links.
fn without_links(text: &str) -> String {
    let mut parts = text.split("](");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain += part.split_once(')').map_or(part, |(_, rest)| rest);
    }
    plain.replace('[', "")
}

/// What the declarations say of a key in a few words, for the schemas, the pages say too.
#[test]
fn every_key_is_explained_with_its_words() {
    let mut keys = Vec::new();
    keys_of_table(super::super::file_keys::entries(), &[], &mut keys);
    keys_of_table(super::super::settings::SECTIONS, &[], &mut keys);
    let rows = PAGES.iter().flat_map(|page| page.lines()).filter(|line| line.starts_with("| `"));
    let rows: Vec<(String, String)> = rows
        .map(|row| (row[1..].split(" | ").next().unwrap_or_default().to_owned(), without_links(row)))
        .collect();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut unused = IN_SENTENCES.to_vec();
    // Those of a file itself are sections, and what is compared elsewhere.
    for (path, entry) in keys.iter().filter(|(path, _)| path.len() > 1) {
        let key = entry.key;
        let names_it = |cell: &str| cell.split(|c| !is_word(c)).any(|word| word == key);
        let is_explained = rows.iter().any(|(cell, row)| names_it(cell) && row.contains(entry.words));
        assert!(is_explained || IN_SENTENCES.contains(&key), "{}: {}", path.join("."), entry.words);
        unused.retain(|one| is_explained || *one != key);
        let is_named = PAGES.iter().any(|page| {
            page.contains(&format!("`{key}`"))
                || page.contains(&format!("{key} = "))
                || page.contains(&format!(".{key}`"))
        });
        assert!(is_named, "{key}");
    }
    assert!(unused.is_empty(), "they have rows: {unused:?}");
}

/// The rows of the table behind a line: key, default and meaning; where the table has two columns, the default is empty.
fn rows(behind: &str) -> Vec<[&'static str; 3]> {
    let text = DOCS.split_once(&format!("\n{behind}\n")).map(|(_, text)| text).unwrap_or_default();
    let lines =
        text.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let row = |line: &'static str| -> [&'static str; 3] {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        match cells.as_slice() {
            [key, meaning] => [key, "", meaning],
            cells => std::array::from_fn(|at| cells.get(at).copied().unwrap_or_default()),
        }
    };
    // Behind its head.
    lines.skip(2).map(row).collect()
}

/// The names in backquotes.
fn names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn the_keys_of_a_route_are_those_of_the_table_with_their_words() {
    let (routes, others) = (rows("### `[[routes]]`"), rows("### Routes that call nothing"));
    let explained: Vec<&[&str; 3]> = routes.iter().chain(&others).collect();
    for [key, default, meaning] in &explained {
        let key = names(key).next().unwrap();
        let declared = route_keys::all().find(|declared| declared.name == key).unwrap();
        assert!(meaning.contains(declared.words), "{key}: {meaning}");
        let of_file = default.starts_with("the file's") || default.starts_with("the [file's]");
        assert_eq!(of_file, declared.at_top, "{key}");
    }
    assert_eq!(explained.len(), route_keys::all().count(), "each once");
    let top = rows("### At the top of a file");
    let mut top: Vec<&str> = top.iter().flat_map(|[key, ..]| names(key)).collect();
    let mut declared = keys::at_top().to_vec();
    top.sort_unstable();
    declared.sort_unstable();
    assert_eq!(top, declared);
}

#[test]
fn what_routes_that_call_nothing_take_is_said_where_they_are_explained() {
    let section = DOCS.split("### Routes that call nothing").nth(1).and_then(|text| text.split("```").next());
    let keys = route_keys::of_action(keys::REWRITE.name).iter().map(|entry| entry.key);
    for key in keys.filter(|key| *key != keys::MATCH.name) {
        assert!(section.unwrap().contains(&format!("`{key}`")), "{key}");
    }
}
