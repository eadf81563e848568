//! The queries that ship, of the dashboard and of the rules; and as much of Prometheus as says whether a scrape has what they ask for.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// A query that ships.
#[derive(Clone, Debug)]
pub struct Shipped {
    /// Whose it is: the title of a panel, or the first line of a rule, which has its name.
    pub of: String,
    /// The query, with Grafana's variables in it.
    pub text: String,
}

/// Those of the dashboard.
pub fn dashboard() -> Vec<Shipped> {
    let all: Value = serde_json::from_str(&file("deploy/grafana/callgate.json")).expect("JSON");
    let mut found = Vec::new();
    for panel in all["panels"].as_array().expect("panels") {
        let of = panel["title"].as_str().expect("a title");
        for target in panel["targets"].as_array().into_iter().flatten() {
            let text = target["expr"].as_str().expect("a query").to_owned();
            found.push(Shipped { of: of.to_owned(), text });
        }
    }
    found
}

/// Those of the rules.
pub fn rules() -> Vec<Shipped> {
    let mut found = Vec::new();
    for rule in file("deploy/prometheus/rules.yml").split("\n      - ").skip(1) {
        // `alert: …` or `record: …`
        let of = rule.lines().next().unwrap_or_default().to_owned();
        let query = rule.split("expr: ").nth(1).expect("it has a query");
        let lines = query
            .split("\n        ")
            .take_while(|line| !line.starts_with(['f', 'l', 'a']) || line.starts_with('|'));
        found.push(Shipped { of, text: lines.collect::<Vec<_>>().join(" ") });
    }
    found
}

/// A file of the repository.
pub fn file(path: &str) -> String {
    let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(whole).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A sample of a page of metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// All samples of a page in Prometheus's text format.
pub fn samples(page: &str) -> Vec<Sample> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| selectors(line.rsplit_once(' ')?.0).pop()).map(Selector::sample).collect()
}

/// What a query asks for by a name and by labels: `callgate_requests_total{route="/a"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// The name.
    pub name: String,
    /// Labels, how they are compared (`=`, `!=`, `=~`), and with what.
    pub matchers: Vec<(String, String, String)>,
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let matchers: Vec<String> =
            self.matchers.iter().map(|(label, how, value)| format!("{label}{how}{value:?}")).collect();
        write!(f, "{}{{{}}}", self.name, matchers.join(","))
    }
}

impl Selector {
    /// Whether it finds that sample. What depends on Grafana's variables finds all.
    pub fn finds(&self, sample: &Sample) -> bool {
        let finds = |(label, how, wanted): &(String, String, String)| {
            let value = sample.labels.get(label).map_or("", String::as_str);
            match how.as_str() {
                "=" => value == wanted,
                "!=" => value != wanted,
                "=~" => wanted.contains('$') || is_like(value, wanted),
                other => panic!("{other}: this reader does not know it"),
            }
        };
        sample.name == self.name && self.matchers.iter().all(finds)
    }

    fn sample(self) -> Sample {
        let labels = self.matchers.into_iter().map(|(label, _, value)| (label, value)).collect();
        Sample { name: self.name, labels }
    }
}

/// Whether a text is as this expression says, in which a dot is any character, and nothing else is special.
fn is_like(text: &str, expression: &str) -> bool {
    assert!(
        !expression.contains(['*', '+', '[', '(', '|', '\\']),
        "{expression}: this reader does not know it"
    );
    text.len() == expression.len()
        && text.chars().zip(expression.chars()).all(|(c, like)| like == '.' || c == like)
}

/// All selectors of the gateway's and the SDK's metrics in a query.
pub fn selectors(query: &str) -> Vec<Selector> {
    let (mut found, mut rest) = (Vec::new(), query);
    while let Some(at) = rest.find("callgate_") {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        // A rule records under a name with colons.
        let is_recorded = rest[..at].ends_with(|c: char| is_word(c) || c == ':');
        let name: String = rest[at..].chars().take_while(|c| is_word(*c)).collect();
        rest = &rest[at + name.len()..];
        let mut matchers = Vec::new();
        if let Some(inside) = rest.strip_prefix('{') {
            rest = inside;
            while let Some((label, after)) = rest.split_once(['=', '!']).filter(|_| !rest.starts_with('}')) {
                let how: String = rest[label.len()..].chars().take_while(|c| *c != '"').collect();
                let (value, behind) = quoted(&after[how.len()..]);
                matchers.push((label.trim().trim_start_matches(',').trim().to_owned(), how, value));
                rest = behind;
                if let Some(end) = rest.trim_start_matches([',', ' ']).strip_prefix('}') {
                    rest = end;
                    break;
                }
            }
        }
        if !is_recorded {
            found.push(Selector { name, matchers });
        }
    }
    found
}

/// The text of which the opening quote was read, and what follows it.
fn quoted(text: &str) -> (String, &str) {
    let (mut value, mut chars) = (String::new(), text.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, other)) => value.push(other),
                None => break,
            },
            c => value.push(c),
        }
    }
    panic!("{text}: a quote without an end")
}

/// The labels by which a query adds up.
pub fn grouped(query: &str) -> Vec<String> {
    let lists = query.split("by (").skip(1).filter_map(|rest| rest.split_once(')'));
    lists.flat_map(|(list, _)| list.split(',')).map(|label| label.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_and_labels_are_found_in_a_query() {
        let query = r#"sum by (a, b) (rate(callgate_x_total{c=~"callgate_no{", d!="e}"}[5m])) / callgate_y > route:callgate_z:rate5m"#;
        let matcher =
            |label: &str, how: &str, value: &str| (label.to_owned(), how.to_owned(), value.to_owned());
        let x = vec![matcher("c", "=~", "callgate_no{"), matcher("d", "!=", "e}")];
        let expected = [
            Selector { name: "callgate_x_total".to_owned(), matchers: x },
            Selector { name: "callgate_y".to_owned(), matchers: vec![] },
        ];
        assert_eq!(selectors(query), expected);
        assert_eq!(grouped(query), ["a", "b"]);
    }

    #[test]
    fn a_selector_finds_samples_of_a_page() {
        let page = "# HELP callgate_x x\n# TYPE callgate_x counter\ncallgate_x{a=\"1\",b=\"q\\\"\"} 3\ncallgate_x 4\nup 1\n";
        let all = samples(page);
        assert_eq!((all.len(), all[0].labels["b"].as_str()), (2, "q\""));
        for (query, expected) in [
            ("callgate_x", [true, true]),
            (r#"callgate_x{a="1"}"#, [true, false]),
            (r#"callgate_x{a!="1"}"#, [false, true]),
            (r#"callgate_x{a=~"."}"#, [true, false]),
            (r#"callgate_x{a=~"$route",b=""}"#, [false, true]),
            ("callgate_y", [false, false]),
        ] {
            let selector = &selectors(query)[0];
            assert_eq!([selector.finds(&all[0]), selector.finds(&all[1])], expected, "{query}");
        }
    }
}
