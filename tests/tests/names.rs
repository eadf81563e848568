//! Backends by name: a real server on loopback says where `dns:host:port` leads, and traffic follows it without a request
//! lost, and without the server's help when that fails.

use callgate_tests::dns::{Dns, Mood};
use callgate_tests::moody::{self, Moody, beside};
use callgate_tests::{Backend, Client, Gateway, Setup, binary, eventually, free_port};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

const NAME: &str = "moody.test";

/// One instance of three: all have one port, each has an address of its own.
fn instance(setup: &Setup, last: u8, port: u16) -> Backend {
    setup.backend_at("moody", format!("127.0.0.{last}:{port}"))
}

/// Waits until it listens.
async fn listens(backend: &Backend) {
    let endpoint = backend.endpoint();
    eventually(&format!("{endpoint} listens"), async || {
        tokio::net::TcpStream::connect(&endpoint).await.ok().map(drop)
    })
    .await;
}

/// A backend that is reached by its name, and a route whose calls must not be sent twice.
fn write(setup: &Setup, endpoints: &str, lines: &str) {
    let table = format!(
        "[backends.moody]\nendpoints = [{endpoints}]\n{lines}\n[[routes]]\nmatch = \"POST /ask\"\nbackend = \"moody\"\n\
         call = \"moody.ask\"\nidempotent = false\nresponse = {{ wrap = \"pid\" }}\n"
    );
    setup.write_routes("moody.toml", &table);
}

fn setup(dns: &Dns, lines: &str) -> Setup {
    Setup::new().section(&format!("[dns]\nservers = [\"{}\"]\n{lines}", dns.addr()))
}

/// What `/backends` has of the first name.
async fn shown(gateway: &Gateway) -> Value {
    gateway.admin.get("/backends").await.json()["backends"][0]["names"][0].clone()
}

/// The connections to each endpoint of the first backend.
async fn connections(gateway: &Gateway) -> BTreeMap<String, u64> {
    let page = gateway.admin.get("/backends").await.json();
    let endpoints = page["backends"][0]["endpoints"].as_array().cloned().unwrap_or_default();
    let one = |one: &Value| Some((one["address"].as_str()?.to_owned(), one["connections"].as_u64()?));
    endpoints.iter().filter_map(one).collect()
}

/// Waits until these are the instances, and every worker is connected to all of them.
async fn leads_to(gateway: &Gateway, instances: &[&Backend]) {
    let expected: BTreeMap<String, u64> = instances.iter().map(|one| (one.endpoint(), 2)).collect();
    eventually(&format!("connections {expected:?}"), async || {
        (connections(gateway).await == expected).then_some(())
    })
    .await;
}

async fn outcomes(gateway: &Gateway, outcome: &str) -> f64 {
    let outcome = format!("outcome=\"{outcome}\"");
    gateway.metric("callgate_dns_resolutions_total", &[NAME, &outcome]).await
}

/// Waits until two more look-ups came to that.
async fn two_more(gateway: &Gateway, outcome: &str) {
    let before = outcomes(gateway, outcome).await;
    eventually(&format!("look-ups that are {outcome}"), async || {
        (outcomes(gateway, outcome).await >= before + 2.0).then_some(())
    })
    .await;
}

/// Clients that keep their connections and ask all the time; every answer must be good.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    tasks: tokio::task::JoinSet<Vec<String>>,
}

impl Load {
    fn start(gateway: &Gateway, clients: usize) -> Load {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..clients {
            let (client, stop, answered) = (Client::new(gateway.addr), stop.clone(), answered.clone());
            tasks.spawn(async move {
                let mut wrong = Vec::new();
                while !stop.load(Relaxed) {
                    match client.try_send("POST", "/ask", &[], "").await {
                        Ok(answer) if answer.status == 200 => {}
                        Ok(answer) => wrong.push(format!("{}: {}", answer.status, answer.text())),
                        Err(error) => wrong.push(error),
                    }
                    answered.fetch_add(1, Relaxed);
                }
                wrong
            });
        }
        Load { stop, answered, tasks }
    }

    /// Waits until so many more were answered.
    async fn more(&self, n: u64) {
        let until = self.answered.load(Relaxed) + n;
        eventually("answers", async || (self.answered.load(Relaxed) >= until).then_some(())).await;
    }

    /// Stops; how many were answered. Panics if any was not answered well.
    async fn finish(mut self) -> u64 {
        self.stop.store(true, Relaxed);
        let mut wrong = Vec::new();
        while let Some(result) = self.tasks.join_next().await {
            wrong.extend(result.expect("a task that collects"));
        }
        let answered = self.answered.load(Relaxed);
        let few: Vec<_> = wrong.iter().take(5).collect();
        assert!(wrong.is_empty(), "{} of {answered} requests were lost: {few:#?}", wrong.len());
        answered
    }
}

/// How often an instance was asked, by its own word.
async fn asked(instance: &Backend) -> u64 {
    beside(&instance.endpoint()).asked().await.expect("it runs")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_gains_and_loses_addresses_moves_traffic_without_a_lost_request() {
    let dns = Dns::start().await;
    let setup = setup(&dns, "");
    let port = free_port();
    let all = [1, 2, 3].map(|last| instance(&setup, last, port));
    for one in &all {
        listens(one).await;
        // So that calls are in flight wherever the name moves away from.
        beside(&one.endpoint()).be(moody::Mood::Slow(5)).await.expect("it runs");
    }
    dns.set(NAME, &["127.0.0.1"]);
    write(&setup, &format!("\"dns:{NAME}:{port}\""), "health = { max_ejected = 0, slow_start = \"1ms\" }");
    let gateway = setup.gateway().await;
    leads_to(&gateway, &[&all[0]]).await;
    let load = Load::start(&gateway, 12);
    let steps: [&[usize]; 8] = [&[0, 1], &[0, 1, 2], &[1, 2], &[2], &[0], &[0, 1, 2], &[1], &[0, 2]];
    for members in steps {
        let addresses: Vec<String> = members.iter().map(|at| format!("127.0.0.{}", at + 1)).collect();
        dns.set(NAME, &addresses.iter().map(String::as_str).collect::<Vec<_>>());
        let instances: Vec<&Backend> = members.iter().map(|at| &all[*at]).collect();
        leads_to(&gateway, &instances).await;
        assert_eq!(shown(&gateway).await["addresses"], json!(addresses));
        assert_eq!(gateway.metric("callgate_dns_addresses", &[NAME]).await, addresses.len() as f64);
        // What was in flight there has ended when as many calls again were answered.
        load.more(100).await;
        let mut before = Vec::new();
        for one in &all {
            before.push(asked(one).await);
        }
        load.more(200).await;
        for (at, one) in all.iter().enumerate() {
            let more = asked(one).await - before[at];
            assert_eq!(more > 0, members.contains(&at), "{} had {more} calls of {members:?}", one.endpoint());
        }
    }
    let answered = load.finish().await;
    let mut ran = 0;
    for one in &all {
        ran += asked(one).await;
    }
    println!("{answered} requests");
    assert_eq!(ran, answered, "each has run once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_are_silent_or_fail_leave_the_last_good_answer() {
    let dns = Dns::start().await;
    let setup = setup(&dns, "timeout = \"200ms\"");
    let port = free_port();
    let all = [1, 2].map(|last| instance(&setup, last, port));
    for one in &all {
        listens(one).await;
    }
    dns.set(NAME, &["127.0.0.1"]);
    write(&setup, &format!("\"dns:{NAME}:{port}\""), "");
    let gateway = setup.gateway().await;
    leads_to(&gateway, &[&all[0]]).await;
    let now = shown(&gateway).await;
    assert_eq!((&now["ttl_ms"], &now["error"]), (&json!(1000), &Value::Null));
    assert!(now["answered_at"].as_u64() > Some(1_700_000_000), "{now}");
    let load = Load::start(&gateway, 4);
    // What they would say meanwhile is not known.
    dns.set(NAME, &["127.0.0.2"]);
    for (mood, told) in
        [(Mood::Silent, "no answer"), (Mood::ServFail, "Server Failure"), (Mood::Refused, "Refused")]
    {
        dns.be(mood);
        eventually(told, async || {
            shown(&gateway).await["error"].as_str().is_some_and(|error| error.contains(told)).then_some(())
        })
        .await;
        load.more(100).await;
        leads_to(&gateway, &[&all[0]]).await;
        assert_eq!(shown(&gateway).await["addresses"], json!(["127.0.0.1"]));
    }
    dns.be(Mood::Well);
    leads_to(&gateway, &[&all[1]]).await;
    assert_eq!(shown(&gateway).await["error"], Value::Null);
    load.more(100).await;
    load.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_while_the_servers_fail_takes_the_last_good_answer_over() {
    let dns = Dns::start().await;
    let setup = setup(&dns, "timeout = \"200ms\"");
    let port = free_port();
    let all = [1, 2, 3].map(|last| instance(&setup, last, port));
    for one in &all {
        listens(one).await;
    }
    dns.set(NAME, &["127.0.0.1", "127.0.0.2"]);
    write(&setup, &format!("\"dns:{NAME}:{port}\""), "hold = \"0s\"");
    let mut gateway = setup.gateway().await;
    leads_to(&gateway, &[&all[0], &all[1]]).await;
    dns.be(Mood::Silent);
    let load = Load::start(&gateway, 4);
    let _old = gateway.upgrade().await;
    load.more(100).await;
    let shown = shown(&gateway).await;
    assert_eq!(shown["addresses"], json!(["127.0.0.1", "127.0.0.2"]));
    assert_eq!(shown["answered_at"], Value::Null, "this process has had no answer");
    dns.set(NAME, &["127.0.0.3"]);
    dns.be(Mood::Well);
    leads_to(&gateway, &[&all[2]]).await;
    load.more(100).await;
    load.finish().await;
}

#[tokio::test]
async fn a_name_that_is_gone_keeps_its_addresses_for_a_while_and_then_loses_them() {
    for gone in [None, Some(&[][..])] {
        let dns = Dns::start().await;
        let patient = setup(&dns, "max_ttl = \"1h\"");
        let hasty = setup(&dns, "max_ttl = \"1s\"");
        let one = instance(&patient, 1, free_port());
        listens(&one).await;
        dns.set(NAME, &["127.0.0.1"]);
        let port = one.endpoint().rsplit(':').next().expect("a port").to_owned();
        for setup in [&patient, &hasty] {
            write(setup, &format!("\"dns:{NAME}:{port}\""), "hold = \"0s\"");
        }
        let (patient, hasty) = (patient.gateway().await, hasty.gateway().await);
        for gateway in [&patient, &hasty] {
            leads_to(gateway, &[&one]).await;
        }
        match gone {
            None => dns.remove(NAME),
            Some(addresses) => dns.set(NAME, addresses),
        }
        leads_to(&hasty, &[]).await;
        // The page knows it a little before the worker of this connection does.
        let refused = eventually("no instance is called", async || {
            let answer = hasty.client.post("/ask", "").await;
            (answer.status != 200).then_some(answer)
        })
        .await;
        assert_eq!(
            (refused.status, refused.json()["detail"].clone()),
            (503, json!("no instance of the service is available"))
        );
        two_more(&patient, "missing").await;
        leads_to(&patient, &[&one]).await;
        assert_eq!(patient.client.post("/ask", "").await.status, 200);
        assert_eq!(shown(&patient).await["error"], "no such name, or it has no address");
        dns.set(NAME, &["127.0.0.1"]);
        for gateway in [&patient, &hasty] {
            leads_to(gateway, &[&one]).await;
            assert_eq!(gateway.client.post("/ask", "").await.status, 200);
        }
    }
}

/// A table in which the name leads to the port of that instance, whose calls wait for nothing.
fn named(setup: &Setup, one: &Backend) {
    let port = one.endpoint().rsplit(':').next().expect("a port").to_owned();
    write(setup, &format!("\"dns:{NAME}:{port}\""), "hold = \"0s\"");
}

#[tokio::test]
async fn a_gateway_is_ready_when_it_has_tried_what_its_names_lead_to() {
    let dns = Dns::start().await;
    let setup = setup(&dns, "timeout = \"30s\"");
    let one = instance(&setup, 1, free_port());
    listens(&one).await;
    dns.set(NAME, &["127.0.0.1"]);
    named(&setup, &one);
    for _ in 0..5 {
        let gateway = setup.gateway().await;
        assert_eq!(gateway.client.post("/ask", "").await.status, 200, "no call has to wait for an instance");
    }
}

#[tokio::test]
async fn a_gateway_is_ready_without_an_answer_when_the_servers_are_silent() {
    let dns = Dns::start().await;
    let setup = setup(&dns, "timeout = \"300ms\"");
    let one = instance(&setup, 1, free_port());
    listens(&one).await;
    dns.set(NAME, &["127.0.0.1"]);
    named(&setup, &one);
    dns.be(Mood::Silent);
    let gateway = setup.gateway().await;
    assert_eq!(gateway.client.post("/ask", "").await.status, 503);
    assert_eq!(shown(&gateway).await["addresses"], json!([]));
    dns.be(Mood::Well);
    leads_to(&gateway, &[&one]).await;
    assert_eq!(gateway.client.post("/ask", "").await.status, 200);
}

#[tokio::test]
async fn a_reload_that_adds_a_name_waits_for_its_answer_and_connects_to_nothing_again() {
    let dns = Dns::start().await;
    let setup = setup(&dns, "timeout = \"30s\"");
    let one = instance(&setup, 1, free_port());
    listens(&one).await;
    write(&setup, &format!("{:?}", one.endpoint()), "hold = \"0s\"");
    let gateway = setup.gateway().await;
    leads_to(&gateway, &[&one]).await;
    dns.set(NAME, &["127.0.0.1"]);
    named(&setup, &one);
    let connects = gateway.metric("callgate_backend_connects_total", &[]).await;
    assert_ne!(gateway.reload().await, "failed");
    assert_eq!(gateway.client.post("/ask", "").await.status, 200, "the answer was there before the table");
    leads_to(&gateway, &[&one]).await;
    assert_eq!(gateway.metric("callgate_backend_connects_total", &[]).await, connects);
}

#[tokio::test]
async fn a_reload_that_adds_a_name_without_an_answer_is_taken_and_its_calls_wait() {
    let dns = Dns::start().await;
    let setup = setup(&dns, "timeout = \"300ms\"");
    let one = instance(&setup, 1, free_port());
    listens(&one).await;
    dns.set(NAME, &["127.0.0.1"]);
    named(&setup, &one);
    let gateway = setup.gateway().await;
    leads_to(&gateway, &[&one]).await;
    dns.be(Mood::Silent);
    dns.set("other.test", &["127.0.0.1"]);
    let other = format!(
        "[backends.other]\nendpoints = [\"dns:other.test:{}\"]\nhold = \"1m\"\n[[routes]]\nmatch = \"POST /other\"\n\
         timeout = \"1m\"\nbackend = \"other\"\ncall = \"moody.ask\"\nresponse = {{ wrap = \"pid\" }}\n",
        one.endpoint().rsplit(':').next().expect("a port")
    );
    setup.write_routes("other.toml", &other);
    assert_ne!(gateway.reload().await, "failed");
    assert_eq!(gateway.client.post("/ask", "").await.status, 200, "the others are not hurt");
    let client = gateway.client.clone();
    let held = tokio::spawn(async move { client.post("/other", "").await });
    let holds = async || gateway.metric("callgate_calls_held", &["other"]).await;
    eventually("the call that waits", async || (holds().await == 1.0).then_some(())).await;
    dns.be(Mood::Well);
    assert_eq!(held.await.expect("no panic").status, 200);
    std::fs::remove_file(setup.routes().join("other.toml")).expect("it is there");
    assert_ne!(gateway.reload().await, "failed");
    assert_eq!(gateway.metric("callgate_dns_addresses", &["other.test"]).await, 0.0);
    let asked = dns.asked("other.test");
    two_more(&gateway, "ok").await;
    assert_eq!(dns.asked("other.test"), asked, "nobody asks for it any more");
}

#[tokio::test]
async fn an_operators_drain_holds_for_an_address_as_long_as_the_name_leads_there() {
    let dns = Dns::start().await;
    let setup = setup(&dns, "");
    let port = free_port();
    let all = [1, 2, 3].map(|last| instance(&setup, last, port));
    for one in &all {
        listens(one).await;
    }
    dns.set(NAME, &["127.0.0.1", "127.0.0.2"]);
    write(&setup, &format!("\"dns:{NAME}:{port}\""), "");
    let gateway = setup.gateway().await;
    leads_to(&gateway, &[&all[0], &all[1]]).await;
    let drain = format!("/-/drain?endpoint=127.0.0.2:{port}");
    assert_eq!(gateway.admin.send("POST", &drain, &[], "").await.status, 200);
    let draining = async || gateway.metric("callgate_endpoint_draining", &[&all[1].endpoint()]).await;
    dns.set(NAME, &["127.0.0.2", "127.0.0.3"]);
    let expected = BTreeMap::from([(all[1].endpoint(), 0), (all[2].endpoint(), 2)]);
    eventually("the move", async || (connections(&gateway).await == expected).then_some(())).await;
    assert_eq!(draining().await, 1.0);
    dns.set(NAME, &["127.0.0.3"]);
    leads_to(&gateway, &[&all[2]]).await;
    dns.set(NAME, &["127.0.0.2", "127.0.0.3"]);
    leads_to(&gateway, &[&all[1], &all[2]]).await;
    assert_eq!(draining().await, 0.0, "what the name leads to again is new");
}

#[tokio::test]
async fn aliases_are_followed_and_both_families_are_used() {
    let dns = Dns::start().await;
    let setup = setup(&dns, "");
    dns.alias(NAME, "real.test");
    dns.alias("real.test", "deep.test");
    dns.set("deep.test", &["::1", "127.0.0.1"]);
    write(&setup, &format!("\"dns:{NAME}:{}\"", free_port()), "");
    let gateway = setup.gateway().await;
    let both = json!(["127.0.0.1", "::1"]);
    eventually("both", async || (shown(&gateway).await["addresses"] == both).then_some(())).await;
    // More than fit a datagram: asked for again over TCP.
    let many: Vec<String> = (1..=250).map(|last| format!("127.0.1.{last}")).collect();
    dns.set("deep.test", &many.iter().map(String::as_str).collect::<Vec<_>>());
    eventually("all addresses", async || {
        (shown(&gateway).await["addresses"].as_array()?.len() == many.len()).then_some(())
    })
    .await;
}

/// The port of an instance.
fn port(one: &Backend) -> u16 {
    one.endpoint().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
}

/// What `/backends` has of each endpoint of the first backend: weight and priority.
async fn parts(gateway: &Gateway) -> BTreeMap<String, (u64, u64)> {
    let page = gateway.admin.get("/backends").await.json();
    let endpoints = page["backends"][0]["endpoints"].as_array().cloned().unwrap_or_default();
    let one = |one: &Value| {
        Some((one["address"].as_str()?.to_owned(), (one["weight"].as_u64()?, one["priority"].as_u64()?)))
    };
    endpoints.iter().filter_map(one).collect()
}

#[tokio::test]
async fn a_service_says_ports_and_weights_and_who_stands_by() {
    const SERVICE: &str = "_moody._tcp.test";
    let dns = Dns::start().await;
    let setup = setup(&dns, "");
    let mut all = [1, 1, 2].map(|last| instance(&setup, last, free_port()));
    for one in &all {
        listens(one).await;
    }
    dns.set("one.test", &["127.0.0.1"]);
    dns.set("two.test", &["127.0.0.2"]);
    let of = |at: usize, priority, weight, host| (priority, weight, port(&all[at]), host);
    let records = [of(0, 10, 0, "one.test"), of(1, 10, 500, "one.test"), of(2, 20, 7, "two.test")];
    dns.set_service(SERVICE, &records);
    write(&setup, &format!("\"srv:{SERVICE}\""), "");
    let gateway = setup.gateway().await;
    leads_to(&gateway, &[&all[0], &all[1], &all[2]]).await;
    let expected = [(0, (1, 0)), (1, (1000, 0)), (2, (7, 1))];
    assert_eq!(parts(&gateway).await, expected.map(|(at, part)| (all[at].endpoint(), part)).into());
    let name = format!("srv:{SERVICE}");
    assert_eq!(gateway.metric("callgate_dns_addresses", &[&name]).await, 3.0);
    let shown_name = shown(&gateway).await;
    assert_eq!((&shown_name["name"], &shown_name["ttl_ms"]), (&json!(name), &json!(1000)));
    for _ in 0..50 {
        assert_eq!(gateway.client.post("/ask", "").await.status, 200);
    }
    assert_eq!(asked(&all[2]).await, 0, "it stands by");
    assert!(asked(&all[1]).await > asked(&all[0]).await);
    for one in &mut all[..2] {
        one.kill();
    }
    let expected = BTreeMap::from([(all[0].endpoint(), 0), (all[1].endpoint(), 0), (all[2].endpoint(), 2)]);
    eventually("two that are away", async || (connections(&gateway).await == expected).then_some(())).await;
    assert_eq!(gateway.client.post("/ask", "").await.status, 200);
    assert_eq!(asked(&all[2]).await, 1);
    assert!(gateway.metric("callgate_calls_diverted_total", &["standby"]).await >= 1.0);
    dns.set_service(SERVICE, &records[2..]);
    leads_to(&gateway, &[&all[2]]).await;
    assert_eq!(parts(&gateway).await, BTreeMap::from([(all[2].endpoint(), (7, 0))]));
    dns.be(Mood::ServFail);
    eventually("an error", async || shown(&gateway).await["error"].as_str().map(drop)).await;
    leads_to(&gateway, &[&all[2]]).await;
    assert_eq!(gateway.client.post("/ask", "").await.status, 200);
}

/// A setup whose gateways keep what they know in one folder.
fn keeping(dns: &Dns) -> (Setup, std::path::PathBuf) {
    let setup = setup(dns, "timeout = \"200ms\"");
    let folder = setup.file("state");
    (setup.server(&format!("state = {folder:?}")), folder)
}

#[tokio::test]
async fn a_gateway_that_starts_while_the_servers_fail_serves_by_what_was_kept() {
    let dns = Dns::start().await;
    let (setup, folder) = keeping(&dns);
    let one = instance(&setup, 1, free_port());
    listens(&one).await;
    dns.set(NAME, &["127.0.0.1"]);
    dns.set_service("_moody._tcp.test", &[(1, 1, port(&one), NAME)]);
    let services = "[backends.service]\nendpoints = [\"srv:_moody._tcp.test\"]\nhold = \"0s\"\n[[routes]]\nmatch = \"POST /service\"\n\
         backend = \"service\"\ncall = \"moody.ask\"\nresponse = { wrap = \"pid\" }\n";
    named(&setup, &one);
    setup.write_routes("service.toml", services);
    let mut gateway = setup.gateway().await;
    leads_to(&gateway, &[&one]).await;
    let kept = folder.join("lists");
    eventually("both lists on disk", async || {
        let text = std::fs::read_to_string(&kept).ok()?;
        (text.contains(NAME) && text.contains("srv:_moody._tcp.test")).then_some(())
    })
    .await;
    gateway.signal(Signal::SIGTERM);
    assert!(gateway.ended().await);
    dns.be(Mood::Silent);
    let gateway = setup.gateway().await;
    for path in ["/ask", "/service"] {
        assert_eq!(gateway.client.post(path, "").await.status, 200, "{path}");
    }
    let told = "a name has no answer yet: its last good list is used";
    assert_eq!(gateway.told(told, "name").await, [json!("moody.test"), json!("srv:_moody._tcp.test")]);
    assert_eq!(shown(&gateway).await["answered_at"], Value::Null);
    dns.be(Mood::Well);
    eventually("an answer", async || shown(&gateway).await["answered_at"].as_u64()).await;
    assert_eq!(gateway.client.post("/ask", "").await.status, 200);
}

#[tokio::test]
async fn a_file_of_lists_that_cannot_be_read_is_not_used_and_not_in_the_way() {
    let dns = Dns::start().await;
    let (setup, folder) = keeping(&dns);
    let one = instance(&setup, 1, free_port());
    listens(&one).await;
    dns.set(NAME, &["127.0.0.1"]);
    named(&setup, &one);
    std::fs::create_dir(&folder).expect("it is not there yet");
    std::fs::write(folder.join("lists"), "callgate lists 1 00000000\nmoody.test 127.0.0.9\n")
        .expect("written");
    dns.be(Mood::Silent);
    let gateway = setup.gateway().await;
    assert_eq!(gateway.client.post("/ask", "").await.status, 503);
    let told = gateway.told("what names listed before cannot be read, and is not used", "error").await;
    assert_eq!(told, ["its checksum is wrong"]);
    dns.be(Mood::Well);
    leads_to(&gateway, &[&one]).await;
    eventually("a sound file in its place", async || {
        std::fs::read_to_string(folder.join("lists"))
            .is_ok_and(|text| text.ends_with("moody.test 127.0.0.1\n"))
            .then_some(())
    })
    .await;
}

/// The thread of a process that works aside and is still the same some looks later: it waits for something.
async fn hangs_aside(pid: u32) {
    let threads = || {
        let all = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it runs");
        let named =
            |thread: &std::path::Path| std::fs::read_to_string(thread.join("comm")).unwrap_or_default();
        all.filter_map(|thread| Some(thread.ok()?.path())).find(|thread| named(thread) == "tables\n")
    };
    let (mut known, mut looks) = (None, 0);
    eventually("a thread that hangs", || {
        let found = threads();
        looks = if found.is_some() && found == known { looks + 1 } else { 0 };
        known = found;
        std::future::ready((looks >= 20).then_some(()))
    })
    .await;
}

#[tokio::test]
async fn a_disk_that_hangs_keeps_neither_reloads_nor_members_waiting() {
    let dns = Dns::start().await;
    let (setup, folder) = keeping(&dns);
    let port = free_port();
    let all = [instance(&setup, 1, port), instance(&setup, 2, port)];
    for one in &all {
        listens(one).await;
    }
    dns.set(NAME, &["127.0.0.1"]);
    named(&setup, &all[0]);
    let gateway = setup.gateway().await;
    leads_to(&gateway, &[&all[0]]).await;
    eventually("the list on disk", async || folder.join("lists").exists().then_some(())).await;
    // Whoever opens it to write waits for a reader.
    let pipe = folder.join(format!("lists.{}", gateway.pid()));
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    dns.set(NAME, &["127.0.0.1", "127.0.0.2"]);
    leads_to(&gateway, &[&all[0], &all[1]]).await;
    hangs_aside(gateway.pid()).await;
    dns.set(NAME, &["127.0.0.2"]);
    leads_to(&gateway, &[&all[1]]).await;
    setup.write_routes("more.toml", "[[routes]]\nmatch = \"GET /more\"\nrespond = { status = 200 }\n");
    gateway.reload().await;
    assert_eq!(gateway.client.get("/more").await.status, 200);
}

#[test]
fn check_takes_names_without_looking_them_up() {
    let setup = Setup::new();
    write(&setup, "\"dns:nowhere.invalid:7101\", \"srv:_nothing._tcp.invalid\"", "");
    let config = setup.file("gateway.toml");
    std::fs::write(&config, "tables.watch = [\"routes\"]\ndns.servers = [\"127.0.0.1:1\"]\n")
        .expect("it can be written");
    let check = Command::new(binary("callgate")).args(["check", "--config"]).arg(&config).output();
    assert_eq!(check.expect("callgate runs").status.code(), Some(0));
}
