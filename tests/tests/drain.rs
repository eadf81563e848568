//! Instances that are taken out of service, by the table, by an operator or by SIGTERM: no new call goes there, those in
//! flight finish, and no client notices.

use callgate_tests::{Answer, Backend, Client, Gateway, Raw, Setup, eventually, free_port};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

const ROUTES: &str = "\
[[routes]]\nmatch = \"POST /once/{id}\"\ncall = \"chain.once\"\nbackend = \"links\"\nresponse = { wrap = \"id\" }\n\
[[routes]]\nmatch = \"GET /hold/{until}\"\ncall = \"chain.hold\"\nbackend = \"links\"\nresponse = { wrap = \"left\" }\n\
timeout = \"1h\"\n";

fn link(setup: &Setup) -> Backend {
    let folder = setup.file("").display().to_string();
    setup.backend_told("chain", format!("127.0.0.1:{}", free_port()), &["--folder", &folder])
}

/// An endpoint as the table writes it.
fn plain(backend: &Backend) -> String {
    format!("{:?}", backend.endpoint())
}

fn drained(backend: &Backend) -> String {
    format!("{{ address = {:?}, drain = true }}", backend.endpoint())
}

fn write(setup: &Setup, endpoints: &[String]) {
    let table = format!("[backends.links]\nendpoints = [{}]\n{ROUTES}", endpoints.join(", "));
    setup.write_routes("links.toml", &table);
}

async fn start(setup: &Setup, backends: &[&Backend]) -> Gateway {
    write(setup, &backends.iter().map(|backend| plain(backend)).collect::<Vec<_>>());
    let gateway = setup.gateway().await;
    for backend in backends {
        gateway.connected(backend).await;
    }
    gateway
}

/// The endpoint as `/backends` shows it.
async fn shown(gateway: &Gateway, backend: &Backend) -> Value {
    let page = gateway.admin.get("/backends").await.json();
    let endpoints = page["backends"][0]["endpoints"].as_array().cloned().unwrap_or_default();
    let found = endpoints.into_iter().find(|one| one["address"] == backend.endpoint().as_str());
    found.unwrap_or(Value::Null)
}

/// Waits until the endpoint has that many connections and calls in flight.
async fn settles(gateway: &Gateway, backend: &Backend, connections: u64, calls: u64) {
    let what = format!("{connections} connections and {calls} calls at {}", backend.endpoint());
    eventually(&what, async || {
        let shown = shown(gateway, backend).await;
        (shown["connections"] == connections && shown["calls_in_flight"] == calls).then_some(())
    })
    .await;
}

/// Begins a call that ends when the file is there.
async fn hold(gateway: &Gateway, backend: &Backend, until: &str) -> Raw {
    let mut raw = Raw::connect(gateway.addr).await;
    raw.write(format!("GET /hold/{until} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
    eventually("the call in flight", async || {
        (shown(gateway, backend).await["calls_in_flight"] == 1).then_some(())
    })
    .await;
    raw
}

/// Calls that ended at the endpoint.
async fn ended(gateway: &Gateway, backend: &Backend) -> f64 {
    gateway.metric("callgate_calls_total", &[&backend.endpoint()]).await
}

async fn order(gateway: &Gateway, what: &str, backend: &Backend) -> Answer {
    let path = format!("/-/{what}?endpoint={}", backend.endpoint());
    gateway.admin.send("POST", &path, &[], "").await
}

/// Many calls, none of which may be at that instance.
async fn none_goes_to(gateway: &Gateway, backend: &Backend) {
    let before = ended(gateway, backend).await;
    for id in 0..100 {
        let answer = gateway.client.post(&format!("/once/{id}"), "").await;
        assert_eq!((answer.status, answer.json()), (200, json!({ "id": id })));
    }
    assert_eq!(ended(gateway, backend).await, before);
    assert!(shown(gateway, backend).await["calls_in_flight"].as_u64() <= Some(1));
}

#[tokio::test]
async fn an_operators_drain_outlives_an_upgrade_and_so_does_its_end() {
    let setup = Setup::new();
    let (kept, serviced) = (link(&setup), link(&setup));
    let mut gateway = start(&setup, &[&kept, &serviced]).await;
    assert_eq!(order(&gateway, "drain", &serviced).await.status, 200);
    let _first = gateway.upgrade().await;
    let now = shown(&gateway, &serviced).await;
    assert_eq!((&now["draining"], &now["drained_by"]), (&json!(true), &json!(["admin"])));
    none_goes_to(&gateway, &serviced).await;
    assert_eq!(shown(&gateway, &serviced).await["connects"], 0, "the successor has never connected to it");
    assert_eq!(order(&gateway, "undrain", &serviced).await.status, 200);
    gateway.connected(&serviced).await;
    let _second = gateway.upgrade().await;
    let now = shown(&gateway, &serviced).await;
    assert_eq!((&now["draining"], &now["drained_by"]), (&json!(false), &json!([])));
}

#[tokio::test]
async fn an_endpoint_that_the_table_drains_finishes_its_calls_and_can_be_taken_back() {
    let setup = Setup::new();
    let (old, new) = (link(&setup), link(&setup));
    let gateway = start(&setup, &[&old]).await;
    let mut held = hold(&gateway, &old, "open").await;
    let connects = gateway.metric("callgate_backend_connects_total", &[&old.endpoint()]).await;
    write(&setup, &[drained(&old), plain(&new)]);
    assert_ne!(gateway.reload().await, "failed");
    gateway.connected(&new).await;
    none_goes_to(&gateway, &old).await;
    // The worker that has the call keeps its connection for it, the other has none.
    settles(&gateway, &old, 1, 1).await;
    let now = shown(&gateway, &old).await;
    assert_eq!((&now["draining"], &now["drained_by"]), (&json!(true), &json!(["table"])));
    assert_eq!(gateway.metric("callgate_endpoint_draining", &[&old.endpoint()]).await, 1.0);
    assert_eq!(gateway.metric("callgate_endpoint_draining", &[&new.endpoint()]).await, 0.0);
    fs::write(setup.file("open"), "").expect("a file can be written");
    assert_eq!(held.status().await, 200, "the call in flight has its answer");
    settles(&gateway, &old, 0, 0).await;
    let ok = async || gateway.metric("callgate_calls_total", &[&old.endpoint(), "outcome=\"ok\""]).await;
    assert_eq!(ok().await, 1.0, "it is the endpoint that it was, and counts on");
    assert_eq!(
        gateway.metric("callgate_backend_connects_total", &[&old.endpoint()]).await,
        connects,
        "nobody connects to it meanwhile"
    );
    write(&setup, &[plain(&old), plain(&new)]);
    assert_ne!(gateway.reload().await, "failed");
    gateway.connected(&old).await;
    let now = shown(&gateway, &old).await;
    assert_eq!((&now["draining"], &now["drained_by"]), (&json!(false), &json!([])));
    eventually("a call there", async || {
        gateway.client.post("/once/1", "").await;
        (ok().await > 1.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_that_is_removed_finishes_its_calls() {
    let setup = Setup::new();
    let (old, new) = (link(&setup), link(&setup));
    let gateway = start(&setup, &[&old]).await;
    let mut held = hold(&gateway, &old, "open").await;
    write(&setup, &[plain(&new)]);
    assert_ne!(gateway.reload().await, "failed");
    gateway.connected(&new).await;
    for id in 0..20 {
        assert_eq!(gateway.client.post(&format!("/once/{id}"), "").await.status, 200);
    }
    let notes = fs::read_to_string(setup.file("notes")).expect("it was written");
    assert!(!notes.contains("dropped") && !notes.contains("cancelled"), "{notes}");
    fs::write(setup.file("open"), "").expect("a file can be written");
    assert_eq!(held.status().await, 200, "the call in flight has its answer");
}

#[tokio::test]
async fn an_operators_drain_lasts_until_it_is_taken_back_whatever_is_reloaded() {
    let setup = Setup::new();
    let (old, new) = (link(&setup), link(&setup));
    let gateway = start(&setup, &[&old]).await;
    let mut held = hold(&gateway, &old, "open").await;
    write(&setup, &[plain(&old), plain(&new)]);
    gateway.reload().await;
    gateway.connected(&new).await;
    let told = order(&gateway, "drain", &old).await;
    assert_eq!(told.status, 200, "{}", told.text());
    let state = &told.json()["endpoints"][0];
    assert_eq!((&state["backend"], &state["draining"]), (&json!("links"), &json!(true)));
    assert_eq!((&state["drained_by"], &state["calls_in_flight"]), (&json!(["admin"]), &json!(1)));
    none_goes_to(&gateway, &old).await;
    settles(&gateway, &old, 1, 1).await;
    // Other routes, then other settings of the very backend: the operator's word holds.
    setup.write_routes(
        "more.toml",
        "[[routes]]\nmatch = \"GET /x\"\ncall = \"chain.once\"\nbackend = \"links\"\n",
    );
    assert_ne!(gateway.reload().await, "failed");
    none_goes_to(&gateway, &old).await;
    let with_calls =
        format!("[backends.links]\nmax_calls = 7\nendpoints = [{}, {}]\n{ROUTES}", plain(&old), plain(&new));
    setup.write_routes("links.toml", &with_calls);
    assert_ne!(gateway.reload().await, "failed");
    gateway.connected(&new).await;
    none_goes_to(&gateway, &old).await;
    assert_eq!(shown(&gateway, &old).await["drained_by"], json!(["admin"]));
    fs::write(setup.file("open"), "").expect("a file can be written");
    assert_eq!(held.status().await, 200, "the call in flight has its answer");
    settles(&gateway, &old, 0, 0).await;
    let told = order(&gateway, "undrain", &old).await;
    assert_eq!(told.json()["endpoints"][0]["drained_by"], json!([]));
    gateway.connected(&old).await;
}

#[tokio::test]
async fn an_operators_word_does_not_lift_the_tables_and_the_answer_says_so() {
    let setup = Setup::new();
    let (old, new) = (link(&setup), link(&setup));
    let gateway = start(&setup, &[&old, &new]).await;
    write(&setup, &[drained(&old), plain(&new)]);
    gateway.reload().await;
    let both = order(&gateway, "drain", &old).await.json();
    assert_eq!(both["endpoints"][0]["drained_by"], json!(["table", "admin"]));
    let one = order(&gateway, "undrain", &old).await.json();
    assert_eq!(one["endpoints"][0]["drained_by"], json!(["table"]));
    assert_eq!(one["endpoints"][0]["draining"], json!(true));
    none_goes_to(&gateway, &old).await;
}

#[tokio::test]
async fn a_client_is_told_when_every_instance_is_being_drained() {
    let setup = Setup::new();
    let (one, other) = (link(&setup), link(&setup));
    let gateway = start(&setup, &[&one, &other]).await;
    for backend in [&one, &other] {
        assert_eq!(order(&gateway, "drain", backend).await.status, 200);
    }
    let answer = gateway.client.post("/once/1", "").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"));
    assert_eq!(answer.json()["detail"], "every instance of the service is being drained");
    // Taken back, the very next call waits for the connection that is being made.
    assert_eq!(order(&gateway, "undrain", &one).await.status, 200);
    assert_eq!(gateway.client.post("/once/1", "").await.status, 200);
}

#[tokio::test]
async fn an_order_that_cannot_be_meant_is_refused_and_says_what_can() {
    let setup = Setup::new();
    let backend = link(&setup);
    let gateway = start(&setup, &[&backend]).await;
    let send = async |method, path: &str| gateway.admin.send(method, path, &[], "").await;
    for path in ["/-/drain", "/-/undrain"] {
        let unknown = send("POST", &format!("{path}?endpoint={}0", backend.endpoint())).await;
        assert_eq!(unknown.status, 400, "a port past the last: {}", unknown.text());
        let unknown = send("POST", &format!("{path}?endpoint=127.0.0.2:1")).await;
        assert_eq!(unknown.status, 404);
        assert!(unknown.text().contains(&backend.endpoint()), "{}", unknown.text());
        let read = send("GET", &format!("{path}?endpoint={}", backend.endpoint())).await;
        assert_eq!((read.status, read.header("allow")), (405, "POST"));
    }
    assert_eq!(shown(&gateway, &backend).await["draining"], json!(false));
}

/// Calls that may not be sent twice, each with an id of its own, until they are told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    next_id: Arc<AtomicU64>,
    tasks: tokio::task::JoinSet<Vec<String>>,
}

impl Load {
    fn start(client: &Client, tasks: usize) -> Load {
        let (stop, next_id) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut running = tokio::task::JoinSet::new();
        for _ in 0..tasks {
            let (client, stop, next_id) = (client.clone(), stop.clone(), next_id.clone());
            running.spawn(async move {
                let mut wrong = Vec::new();
                while !stop.load(Relaxed) {
                    let id = next_id.fetch_add(1, Relaxed);
                    match client.try_send("POST", &format!("/once/{id}"), &[], "").await {
                        Ok(answer) if answer.status == 200 && answer.json() == json!({ "id": id }) => {}
                        Ok(answer) => wrong.push(format!("{id}: {} {}", answer.status, answer.text())),
                        Err(error) => wrong.push(format!("{id}: {error}")),
                    }
                }
                wrong
            });
        }
        Load { stop, next_id, tasks: running }
    }

    /// Waits until that many more calls were made.
    async fn goes_on(&self, calls: u64) {
        let until = self.next_id.load(Relaxed) + calls;
        eventually("the load to go on", async || (self.next_id.load(Relaxed) >= until).then_some(())).await;
    }

    /// Stops; panics if a call was lost, or ran twice or never.
    async fn finish(mut self, setup: &Setup) {
        self.stop.store(true, Relaxed);
        let mut wrong = Vec::new();
        while let Some(result) = self.tasks.join_next().await {
            wrong.extend(result.expect("a task that collects"));
        }
        let calls = self.next_id.load(Relaxed);
        let few: Vec<_> = wrong.iter().take(5).collect();
        assert!(wrong.is_empty(), "{} of {calls} calls were lost: {few:#?}", wrong.len());
        let mut runs: HashMap<u64, u32> = HashMap::new();
        let notes = fs::read_to_string(setup.file("notes")).expect("it was written");
        for id in notes.lines().filter_map(|note| note.strip_prefix("once ")) {
            *runs.entry(id.parse().expect("a number")).or_default() += 1;
        }
        let odd: Vec<_> = (0..calls).filter(|id| runs.get(id) != Some(&1)).take(5).collect();
        assert!(odd.is_empty(), "of {calls} calls these did not run once: {odd:?}");
        println!("{calls} calls, each run once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rolling_restarts_of_all_instances_lose_no_call_and_run_none_twice() {
    let setup = Setup::new();
    let mut backends = [link(&setup), link(&setup), link(&setup)];
    let gateway = start(&setup, &backends.iter().collect::<Vec<_>>()).await;
    let load = Load::start(&gateway.client, 16);
    for _ in 0..4 {
        for backend in &mut backends {
            load.goes_on(50).await;
            backend.stop().await;
            load.goes_on(50).await;
            backend.start();
            gateway.connected(backend).await;
        }
    }
    load.finish(&setup).await;
    let refused = gateway.metric("callgate_calls_total", &["outcome=\"refused\""]).await;
    println!("{refused} calls were refused and went elsewhere");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_that_are_drained_first_may_be_killed() {
    let setup = Setup::new();
    let mut backends = [link(&setup), link(&setup), link(&setup)];
    let gateway = start(&setup, &backends.iter().collect::<Vec<_>>()).await;
    let load = Load::start(&gateway.client, 16);
    for round in 0..6 {
        let by_table = round % 2 == 1;
        for at in 0..backends.len() {
            load.goes_on(50).await;
            if by_table {
                let line = |other: usize| match other == at {
                    true => drained(&backends[other]),
                    false => plain(&backends[other]),
                };
                write(&setup, &(0..backends.len()).map(line).collect::<Vec<_>>());
                assert_ne!(gateway.reload().await, "failed");
            } else {
                assert_eq!(order(&gateway, "drain", &backends[at]).await.status, 200);
            }
            settles(&gateway, &backends[at], 0, 0).await;
            backends[at].kill();
            load.goes_on(50).await;
            backends[at].start();
            if by_table {
                write(&setup, &backends.iter().map(plain).collect::<Vec<_>>());
                assert_ne!(gateway.reload().await, "failed");
            } else {
                assert_eq!(order(&gateway, "undrain", &backends[at]).await.status, 200);
            }
            gateway.connected(&backends[at]).await;
        }
    }
    load.finish(&setup).await;
}
