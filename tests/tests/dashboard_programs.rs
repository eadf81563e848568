//! The dashboard and the rules as Prometheus itself reads them, out of its own scrapes of a gateway and of a service with traffic: each query
//! has a result, and an alert fires. `make clients` installs it.

use callgate_tests::live::Live;
use callgate_tests::queries::{Shipped, dashboard, rules, selectors};
use callgate_tests::{Client, PATIENCE, eventually, free_port};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// Over how long rates go. It is scraped every second.
const RATES: &str = "10s";

/// A Prometheus, which ends when this is dropped.
struct Prometheus {
    client: Client,
    _process: Child,
}

impl Prometheus {
    /// One that scrapes them, and evaluates the rules that ship.
    async fn start(live: &Live) -> Prometheus {
        let program = std::env::var("CALLGATE_TEST_PROMETHEUS").expect("where Prometheus is");
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/prometheus/rules.yml");
        let rules = rules.canonicalize().expect("they are there");
        let config = live.setup().file("prometheus.yml");
        let targets = format!("[{:?}]", live.gateway.admin_addr.to_string());
        let service = format!("[{:?}]", live.service.to_string());
        let text = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [{rules:?}]\nscrape_configs:\n\
             \x20 - {{ job_name: callgate, static_configs: [{{ targets: {targets} }}] }}\n\
             \x20 - {{ job_name: service, static_configs: [{{ targets: {service} }}] }}\n"
        );
        std::fs::write(&config, text).expect("it can be written");
        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let process = Command::new(&program)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", live.setup().file("prometheus").display()))
            .arg(format!("--web.listen-address={addr}"))
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(live.setup().log("prometheus")).expect("a file"))
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{program} cannot be run: {error}"));
        let client = Client::new(addr);
        eventually("Prometheus is ready", async || {
            let answer = client.try_send("GET", "/-/ready", &[], "").await.ok()?;
            (answer.status == 200).then_some(())
        })
        .await;
        Prometheus { client, _process: process }
    }

    async fn api(&self, path: &str) -> Value {
        let answer = self.client.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()["data"].take()
    }

    /// How many series a query gives now.
    async fn series(&self, query: &str) -> usize {
        let encoded: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let data = self.api(&format!("/api/v1/query?query={encoded}")).await;
        data["result"].as_array().expect("a result").len()
    }

    /// How each alert stands: `inactive`, `pending` or `firing`.
    async fn alert(&self, name: &str) -> String {
        let data = self.api("/api/v1/rules?type=alert").await;
        let groups = data["groups"].as_array().expect("groups");
        let mut all = groups.iter().flat_map(|group| group["rules"].as_array().into_iter().flatten());
        let rule = all.find(|rule| rule["name"] == name).unwrap_or_else(|| panic!("there is no {name}"));
        assert_eq!(rule["health"], "ok", "{rule:#}");
        rule["state"].as_str().expect("a state").to_owned()
    }
}

/// A query as Grafana would send it, with all of everything.
fn filled(query: &str) -> String {
    let names = ["$job", "$instance", "$route"];
    let filled = query.replace("$__rate_interval", RATES).replace("[5m]", &format!("[{RATES}]"));
    names.iter().fold(filled, |query, name| query.replace(name, ".*"))
}

#[tokio::test]
#[ignore = "needs Prometheus, which `make clients` installs where Debian has it"]
async fn prometheus_has_a_result_for_each_query_and_an_alert_fires() {
    let live = Live::start().await;
    let prometheus = Prometheus::start(&live).await;
    let mut missing: Vec<(String, String)> = Vec::new();
    for Shipped { of, text } in dashboard() {
        missing.push((of, filled(&text)));
    }
    // Of the rules what they go by: that nothing is wrong has no result.
    for Shipped { of, text } in rules() {
        missing.extend(selectors(&text).iter().map(|selector| (of.clone(), selector.to_string())));
    }
    let recorded = rules().into_iter().filter_map(|rule| rule.of.strip_prefix("record: ").map(str::to_owned));
    missing.extend(recorded.map(|name| ("what a rule records".to_owned(), name)));
    assert!(missing.len() > 60, "{}", missing.len());
    let began = Instant::now();
    // What has a result once is not asked again: some only have one for a while.
    while !missing.is_empty() {
        live.traffic().await;
        let mut left = Vec::new();
        for (of, query) in missing {
            if prometheus.series(&query).await == 0 {
                left.push((of, query));
            }
        }
        missing = left;
        assert!(began.elapsed() < PATIENCE, "these have no result: {missing:#?}");
    }
    // A backend is away, and nothing else is wrong.
    for (alert, states) in [
        ("CallgateEndpointLost", &["pending", "firing"][..]),
        ("CallgateBackendLost", &["pending", "firing"]),
        ("CallgateDown", &["inactive"]),
        ("CallgateFull", &["inactive"]),
        ("CallgateReloadFailed", &["inactive"]),
        ("CallgateTaskPanicked", &["inactive"]),
        ("CallgateCertificateRefused", &["inactive"]),
    ] {
        let state = prometheus.alert(alert).await;
        assert!(states.contains(&state.as_str()), "{alert} is {state}");
    }
    live.setup().write_routes("bad.toml", "[[routes]]\n");
    assert_eq!(live.gateway.admin.post("/-/reload", "").await.status, 422);
    eventually("the alert of a reload that has failed", async || {
        (prometheus.alert("CallgateReloadFailed").await == "firing").then_some(())
    })
    .await;
}
