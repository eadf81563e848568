//! What the gateway reads by itself: queries and paths of requests, and the files of its operators.

use callgate::config::{Settings, Source, Tables};
use callgate::discovery::Lists;
use callgate::method::Method;
use callgate::routes::{Table, query_pairs};
use percent_encoding::percent_decode_str;
use std::fmt::Write;

/// The pairs of a query are those of another decoder, or both say that they are no UTF-8.
pub fn query(input: &[u8]) {
    let Ok(query) = std::str::from_utf8(input) else { return };
    let theirs: Option<Vec<(String, String)>> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(&name.replace('+', " "))?, decoded(&value.replace('+', " "))?))
        })
        .collect();
    let ours = query_pairs(query).ok().map(|pairs| {
        pairs.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned())).collect::<Vec<_>>()
    });
    assert_eq!(ours, theirs);
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned())
}

/// A path in the first line, a route's in each of the others: the route that is found is that of the rule, whatever the order of the
/// routes, and its parameters are what stands in the path.
pub fn routes(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut lines = text.lines();
    let Some(path) = lines.next().filter(|path| path.starts_with('/')) else { return };
    // None that could end the text in which it stands in the file.
    let fits =
        |line: &&str| line.starts_with('/') && !line.contains(|char: char| char == '\'' || char.is_control());
    let templates: Vec<&str> = lines.filter(fits).take(20).collect();
    let Some(table) = table_of(templates.iter().copied()) else { return };
    let expected = first_of(&templates, path).map(|at| templates[at]);
    let found = template_of(&table, path);
    assert_eq!(found, expected, "for {path}");
    let reversed = table_of(templates.iter().rev().copied()).expect("the order of routes is of no account");
    assert_eq!(template_of(&reversed, path), found, "in another order");
}

/// A table of these routes, if they can stand beside each other.
fn table_of<'a>(templates: impl Iterator<Item = &'a str>) -> Option<Table> {
    let mut file = String::new();
    for template in templates {
        let _ = writeln!(file, "[[routes]]\nmatch = 'GET {template}'\nrespond = {{ status = 204 }}");
    }
    let tables = Tables::parse(vec![Source::new("fuzz.toml", file)]).ok()?;
    Some(Table::next(&Table::empty(), tables, &Lists::default(), 1))
}

/// The template of the route that a path meets.
fn template_of<'t>(table: &'t Table, path: &str) -> Option<&'t str> {
    let (at, captured) = table.find(Method::Get, None, path)?;
    let template = table.routes[at].matcher.path.as_str();
    let raw = captured.raw();
    assert_eq!(filled(template, &raw), path, "the parameters are what stands in the path");
    let theirs: Option<Vec<String>> = raw.iter().map(|value| decoded(value)).collect();
    let ours = captured.decoded().ok();
    assert_eq!(ours.map(|values| values.into_iter().map(|value| value.into_owned()).collect()), theirs);
    Some(template)
}

/// A template with values in the places of its parameters.
fn filled(template: &str, values: &[&str]) -> String {
    let mut values = values.iter();
    let mut fill = |segment| match is_parameter(segment) {
        true => format!("{}{}", values.next().expect("one for each"), suffix(segment)),
        false => String::from(segment),
    };
    template.split('/').map(&mut fill).collect::<Vec<_>>().join("/")
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{')
}

/// The text behind the parameter of a segment.
fn suffix(segment: &str) -> &str {
    segment.split_once('}').map_or("", |(_, suffix)| suffix)
}

/// The rule: segment by segment, a literal goes before a parameter, of parameters the one with the longest text behind it, and that before a
/// tail. A parameter and a tail take a byte at least.
fn first_of(templates: &[&str], path: &str) -> Option<usize> {
    let split: Vec<(usize, Vec<&str>)> =
        templates.iter().map(|template| template[1..].split('/').collect()).enumerate().collect();
    search(&split, 0, path[1..].split('/').collect::<Vec<_>>().as_slice())
}

fn search(left: &[(usize, Vec<&str>)], at: usize, path: &[&str]) -> Option<usize> {
    if at == path.len() {
        return left.iter().find(|(_, template)| template.len() == at).map(|(index, _)| *index);
    }
    let of = |fits: &dyn Fn(&str) -> bool| -> Vec<(usize, Vec<&str>)> {
        let fits = |one: &&(usize, Vec<&str>)| one.1.get(at).is_some_and(|segment| fits(segment));
        left.iter().filter(fits).cloned().collect()
    };
    let segment = path[at];
    search(&of(&|own| own == segment && !is_parameter(own)), at + 1, path)
        .or_else(|| {
            let is_one = |own: &str| is_parameter(own) && !own.starts_with("{*");
            let own = left.iter().filter_map(|(_, template)| template.get(at)).filter(|own| is_one(own));
            let fits = |text: &&str| segment.len() > text.len() && segment.ends_with(text);
            let mut texts: Vec<&str> = own.map(|own| suffix(own)).filter(fits).collect();
            texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
            let with = |text: &str| of(&|own| is_one(own) && suffix(own) == text);
            texts.into_iter().find_map(|text| search(&with(text), at + 1, path))
        })
        .or_else(|| {
            let rest = path[at..].iter().any(|segment| !segment.is_empty()) || path.len() > at + 1;
            of(&|own| own.starts_with("{*")).first().filter(|_| rest).map(|(index, _)| *index)
        })
}

/// Table files, with a line of `---` between them: tables that can be put into force, or mistakes that can be shown. What does not change
/// stays the same object.
pub fn tables(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let sources = |name: &str| {
        let source = |(at, text): (usize, &str)| Source::new(format!("{name}{at}.toml"), text);
        text.split("\n---\n").enumerate().map(source).collect::<Vec<_>>()
    };
    match Tables::parse(sources("fuzz")) {
        Ok(tables) => {
            let first = Table::next(&Table::empty(), tables.clone(), &Lists::default(), 1);
            let second = Table::next(&first, tables, &Lists::default(), 1);
            assert_eq!(first.route_ids, second.route_ids, "nothing has changed");
        }
        Err(mistakes) => {
            assert!(!mistakes.render(false).is_empty() && !mistakes.render(true).is_empty());
            assert!(Tables::parse(sources("fuzz")).is_err(), "the same files have mistakes again");
        }
    }
}

/// The gateway's own file: settings, or mistakes that can be shown.
pub fn settings(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match Settings::parse(Source::new("/etc/callgate/gateway.toml", text), None) {
        Ok(settings) => assert!(!settings.listeners.is_empty() && settings.server.workers > 0),
        Err(mistakes) => assert!(!mistakes.render(false).is_empty() && !mistakes.render(true).is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise the target would compare nothing.
    #[test]
    fn the_rule_and_the_table_find_a_route() {
        let templates = ["/a/b/c", "/a/{x}/d", "/{*t}"];
        let table = table_of(templates.into_iter()).expect("they can stand beside each other");
        for (path, expected) in
            [("/a/b/c", Some("/a/b/c")), ("/a/b/d", Some("/a/{x}/d")), ("/a/b", Some("/{*t}")), ("/", None)]
        {
            assert_eq!(first_of(&templates, path).map(|at| templates[at]), expected, "{path}");
            assert_eq!(template_of(&table, path), expected, "{path}");
        }
    }
}
