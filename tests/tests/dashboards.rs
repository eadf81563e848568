//! The dashboard, the rules and the runbooks that ship: each query is of metrics that there are, with the labels that they have, and each alert
//! has a test and a page.

use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// What a scrape puts to everything, and what a histogram has.
const EVERYWHERE: [&str; 4] = ["job", "instance", "le", "alertname"];

fn file(path: &str) -> String {
    let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(whole).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The metrics of docs/operations.md with their labels. That the gateway has exactly these, `metrics.rs` sees.
fn documented() -> HashMap<String, HashSet<String>> {
    let mut metrics = HashMap::new();
    for line in file("docs/operations.md").lines().filter(|line| line.starts_with("| `callgate_")) {
        let cells: Vec<&str> = line.split('|').collect();
        let quoted =
            |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
        for name in quoted(cells[1]) {
            metrics.insert(name, quoted(cells[2]).into_iter().collect());
        }
    }
    assert!(metrics.len() > 60, "the table is found");
    // Those of the SDK, of which docs/sdk.md says that each has these.
    for (name, more) in
        [("calls_total", "code"), ("call_duration_seconds", "le"), ("calls_in_flight", "side")]
    {
        let name = format!("callgate_sdk_{name}");
        assert!(file("docs/sdk.md").contains(&format!("`{name}`")), "{name}");
        let labels = ["side", "service", "method", more].map(str::to_owned);
        metrics.insert(name, labels.into_iter().collect());
    }
    metrics
}

/// The names and the labels of a query: words, those in quotes left out.
fn words(query: &str) -> (Vec<String>, Vec<String>) {
    let (mut metrics, mut labels) = (Vec::new(), Vec::new());
    let unquoted: String = query.split('"').step_by(2).collect::<Vec<_>>().join("\"\"");
    for (at, part) in unquoted.split(['{', '}']).enumerate() {
        if at % 2 == 1 {
            let names = part.split(',').filter_map(|matcher| matcher.split(['=', '!']).next());
            labels.extend(names.map(|name| name.trim().to_owned()));
            continue;
        }
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        metrics.extend(
            part.split(|c: char| !is_word(c)).filter(|word| word.starts_with("callgate_")).map(str::to_owned),
        );
        for list in part.split("by (").skip(1) {
            let list = list.split(')').next().unwrap_or_default();
            labels.extend(list.split(',').map(|name| name.trim().to_owned()));
        }
    }
    (metrics, labels)
}

/// Every query of the rules, without those that go by what other rules record.
fn rules() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let text = file("deploy/prometheus/rules.yml");
    for rule in text.split("\n      - ").skip(1) {
        let name = rule.lines().next().unwrap_or_default().to_owned();
        let query = rule.split("expr: ").nth(1).expect("it has a query");
        let query = query
            .split("\n        ")
            .take_while(|line| !line.starts_with(['f', 'l', 'a']) || line.starts_with('|'));
        found.push((name, query.collect::<Vec<_>>().join(" ")));
    }
    found
}

fn dashboard() -> Vec<(String, String)> {
    let all: Value = serde_json::from_str(&file("deploy/grafana/callgate.json")).expect("JSON");
    let panels = all["panels"].as_array().expect("panels");
    let of = |panel: &Value| {
        let title = panel["title"].as_str().expect("a title").to_owned();
        let targets = panel["targets"].as_array().cloned().unwrap_or_default();
        targets
            .into_iter()
            .map(move |target| (title.clone(), target["expr"].as_str().expect("a query").to_owned()))
    };
    panels.iter().flat_map(of).collect()
}

#[test]
fn each_query_is_of_metrics_and_labels_that_there_are() {
    let metrics = documented();
    let queries = [dashboard(), rules()].concat();
    assert!(queries.len() > 50, "they are found: {}", queries.len());
    for (what, query) in queries {
        let (names, labels) = words(&query);
        let mut known: HashSet<&str> = EVERYWHERE.into_iter().collect();
        for name in &names {
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            let found = metrics.get(name.as_str()).or_else(|| metrics.get(base?));
            // What a rule records has the labels that its name begins with.
            let found = found.unwrap_or_else(|| panic!("{what}: there is no {name}"));
            known.extend(found.iter().map(String::as_str));
        }
        if names.is_empty() {
            assert!(query.contains("route:callgate_") || query.contains("up{"), "{what}: {query}");
            continue;
        }
        for label in labels {
            assert!(known.contains(label.as_str()), "{what}: {names:?} have no label `{label}`");
        }
    }
}

#[test]
fn words_are_found_in_queries() {
    let (metrics, labels) =
        words(r#"sum by (a, b) (rate(callgate_x_total{c=~"callgate_no{",d!="e"}[5m])) / callgate_y"#);
    assert_eq!(metrics, ["callgate_x_total", "callgate_y"]);
    assert_eq!(labels, ["a", "b", "c", "d"]);
}

#[test]
fn each_alert_has_a_test_that_it_fires_and_a_runbook() {
    let (tests, runbooks) = (file("deploy/prometheus/rules_test.yml"), file("docs/runbooks.md"));
    let text = file("deploy/prometheus/rules.yml");
    let alerts: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() >= 16, "{alerts:?}");
    for alert in alerts {
        let fires = format!("alertname: {alert}\n        exp_alerts:\n          - exp_labels:");
        assert!(tests.contains(&fires), "{alert} has no test in which it fires");
        assert!(runbooks.contains(&format!("\n## {alert}\n")), "{alert} has no runbook");
        assert!(text.contains(&format!("runbook: \"docs/runbooks.md#{}\"", alert.to_lowercase())), "{alert}");
    }
    for page in runbooks.lines().filter_map(|line| line.strip_prefix("## ")) {
        assert!(text.contains(&format!("- alert: {page}\n")), "{page} is no alert any more");
    }
}
