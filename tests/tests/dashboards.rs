//! The dashboard, the rules and the runbooks that ship: each query is of metrics that there are, with the labels that they have, and each alert
//! has a test and a page.

use callgate_tests::eventually;
use callgate_tests::live::Live;
use callgate_tests::queries::{Sample, Shipped, dashboard, file, grouped, rules, samples, selectors};
use std::collections::{HashMap, HashSet};

/// What a scrape puts to everything, and what a histogram has.
const EVERYWHERE: [&str; 4] = ["job", "instance", "le", "alertname"];

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

#[test]
fn each_query_is_of_metrics_and_labels_that_there_are() {
    let metrics = documented();
    let queries = [dashboard(), rules()].concat();
    assert!(queries.len() > 50, "they are found: {}", queries.len());
    for Shipped { of: what, text: query } in queries {
        let selectors = selectors(&query);
        let names: Vec<&String> = selectors.iter().map(|one| &one.name).collect();
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
        let compared = selectors.iter().flat_map(|one| &one.matchers).map(|(label, ..)| label.clone());
        for label in compared.chain(grouped(&query)) {
            assert!(known.contains(label.as_str()), "{what}: {names:?} have no label `{label}`");
        }
    }
}

/// What a query lacks on these pages: samples that it asks for, or a label by which it adds them up.
fn lacks(query: &Shipped, all: &[Sample]) -> Option<String> {
    let mut known: HashSet<&str> = EVERYWHERE.into_iter().collect();
    for selector in selectors(&query.text) {
        let mut found = all.iter().filter(|sample| selector.finds(sample)).peekable();
        if found.peek().is_none() {
            return Some(format!("{}: nothing is like {selector:?}", query.of));
        }
        known.extend(found.flat_map(|sample| sample.labels.keys()).map(String::as_str));
    }
    if selectors(&query.text).is_empty() {
        return None;
    }
    let unknown = grouped(&query.text).into_iter().find(|label| !known.contains(label.as_str()));
    unknown.map(|label| format!("{}: no sample has a label `{label}`", query.of))
}

#[tokio::test]
async fn each_query_finds_samples_with_its_labels_in_a_scrape_of_a_gateway_with_traffic() {
    let live = Live::start().await;
    let queries = [dashboard(), rules()].concat();
    let service = callgate_tests::Client::new(live.service);
    // That a limit is in force takes a while, and the pages are told by threads of their own.
    eventually("samples for each query", async || {
        live.traffic().await;
        let pages = [live.gateway.admin.get("/metrics").await.text(), service.get("/metrics").await.text()];
        let all: Vec<Sample> = pages.iter().flat_map(|page| samples(page)).collect();
        assert!(all.len() > 300, "{}", all.len());
        let lacking: Vec<String> = queries.iter().filter_map(|query| lacks(query, &all)).collect();
        if !lacking.is_empty() {
            eprintln!("not yet: {lacking:#?}");
        }
        lacking.is_empty().then_some(())
    })
    .await;
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
