//! More calls than there may be: bounds that hold over all workers, who waits and who goes first, and what it costs to be
//! turned away.

use callgate_tests::gate::{Gate as _, GateClient, beside};
use callgate_tests::{Backend, Client, Gateway, Raw, Setup, eventually, free_port, header};
use nix::sys::signal::Signal;
use serde_json::json;

/// A gateway before instances of the gate, with those lines for their backend and for the route `/enter/{name}`; the same
/// methods under `/critical/{name}` and `/sheddable/{name}`, with these priorities.
struct Rig {
    // Dropped first.
    gateway: Gateway,
    backends: Vec<Backend>,
    _setup: Setup,
}

async fn start(instances: usize, backend: &str, route: &str) -> Rig {
    start_of(Setup::new(), instances, &[], backend, route).await
}

async fn start_of(setup: Setup, instances: usize, told: &[&str], backend: &str, route: &str) -> Rig {
    let backends = (0..instances)
        .map(|_| setup.backend_told("gate", format!("127.0.0.1:{}", free_port()), told))
        .collect::<Vec<_>>();
    let endpoints: Vec<String> = backends.iter().map(Backend::endpoint).collect();
    let mut table = format!("[backends.gate]\nendpoints = {endpoints:?}\n{backend}\n");
    for (path, lines) in
        [("enter", route), ("critical", "priority = 'critical'"), ("sheddable", "priority = 'sheddable'")]
    {
        table.push_str(&format!(
            "[[routes]]\nmatch = \"POST /{path}/{{name}}\"\ncall = \"gate.enter\"\ntimeout = \"120s\"\n\
             response = {{ wrap = \"pid\" }}\n{lines}\n"
        ));
    }
    setup.write_routes("gate.toml", &table);
    let gateway = setup.gateway().await;
    for backend in &backends {
        gateway.connected(backend).await;
    }
    Rig { gateway, backends, _setup: setup }
}

impl Rig {
    fn gate(&self, instance: usize) -> GateClient {
        beside(&self.backends[instance].endpoint())
    }

    /// A new connection. They go to the two workers in turn, the first to the first.
    async fn connect(&self) -> Raw {
        // Those that it has accepted: of the open ones an earlier one may close meanwhile.
        let accepted = async || self.gateway.metric("callgate_connections_total", &[]).await;
        let before = accepted().await;
        let raw = Raw::connect(self.gateway.addr).await;
        eventually("the connection", || async { (accepted().await > before).then_some(()) }).await;
        raw
    }

    async fn send(&self, path: &str) -> Raw {
        let mut raw = self.connect().await;
        raw.write(format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n")).await;
        raw
    }

    async fn queued(&self, n: usize) {
        eventually(&format!("{n} in the queue"), || async {
            (self.gateway.metric("callgate_calls_queued", &[]).await == n as f64).then_some(())
        })
        .await;
    }

    /// Waits until so many calls are in, in all instances together.
    async fn inside(&self, n: usize) {
        eventually(&format!("{n} in flight"), || async {
            (self.gateway.metric("callgate_calls_in_flight", &[]).await == n as f64).then_some(())
        })
        .await;
    }

    async fn shed(&self, labels: &[&str]) -> f64 {
        self.gateway.metric("callgate_shed_total", labels).await
    }
}

/// Sends so many requests at once over as many connections, and ends as many as are let in; how many of each status there
/// were, and what the others were told.
async fn flood(rig: &Rig, n: usize, fit: usize) -> (usize, usize) {
    let requests = (0..n).map(|name| {
        let client = Client::new(rig.gateway.addr);
        tokio::spawn(async move { client.send("POST", &format!("/enter/{name}"), &[], "").await })
    });
    let requests: Vec<_> = requests.collect();
    eventually("all others are turned away", || async {
        (rig.shed(&[]).await == (n - fit) as f64).then_some(())
    })
    .await;
    rig.inside(fit).await;
    for backend in &rig.backends {
        beside(&backend.endpoint()).open(n as u32).await.expect("it opens");
    }
    let (mut good, mut shed) = (0, 0);
    for request in requests {
        let answer = request.await.expect("no panic");
        match answer.status {
            200 => good += 1,
            503 => {
                assert_eq!(answer.header("retry-after"), "1");
                assert_eq!(answer.header("content-type"), "application/problem+json");
                assert_eq!(answer.json()["code"], "unavailable");
                shed += 1;
            }
            other => panic!("{other}: {}", answer.text()),
        }
    }
    (good, shed)
}

#[tokio::test]
async fn a_routes_bound_is_exact_over_all_workers() {
    let rig = start(1, "", "max_in_flight = 5").await;
    assert_eq!(flood(&rig, 32, 5).await, (5, 27));
    assert_eq!(rig.gate(0).most().await.expect("an answer"), 5);
    assert_eq!(
        rig.shed(&["reason=\"route\"", "route=\"/enter/{name}\"", "priority=\"default\""]).await,
        27.0
    );
    let routes = rig.gateway.admin.get("/routes").await.json();
    let route = routes["routes"].as_array().expect("a list").iter().find(|one| one["max_in_flight"] == 5);
    assert_eq!(route.expect("it is there")["in_flight"], 0, "all were counted off");
}

#[tokio::test]
async fn a_bound_holds_for_a_route_that_calls_nothing_until_its_requests_are_through() {
    let setup = Setup::new();
    let route = "[[routes]]\nmatch = \"POST /fixed\"\nrespond = { status = 202 }\nmax_in_flight = 1\n";
    setup.write_routes("fixed.toml", route);
    let gateway = setup.gateway().await;
    let open = async || {
        let page = gateway.admin.get("/routes").await.json();
        page["routes"][0]["in_flight"].as_u64().expect("a number")
    };
    let mut first = Raw::connect(gateway.addr).await;
    first.write("POST /fixed HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{").await;
    eventually("the first request", || async { (open().await == 1).then_some(()) }).await;
    let refused = gateway.client.post("/fixed", "{}").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "1"));
    let shed = ["reason=\"route\"", "route=\"/fixed\"", "priority=\"default\""];
    assert_eq!(gateway.metric("callgate_shed_total", &shed).await, 1.0);
    first.write("}").await;
    assert_eq!(first.status().await, 202);
    eventually("its end", || async { (open().await == 0).then_some(()) }).await;
    assert_eq!(gateway.client.post("/fixed", "{}").await.status, 202);
}

#[tokio::test]
async fn a_backends_bound_is_exact_over_all_workers_and_instances() {
    let rig = start(2, "max_in_flight = 5\nqueue = false", "").await;
    assert_eq!(flood(&rig, 32, 5).await, (5, 27));
    assert_eq!(rig.shed(&["reason=\"backend\""]).await, 27.0);
    let page = rig.gateway.admin.get("/backends").await.json();
    let overload = &page["backends"][0]["overload"];
    assert_eq!((&overload["max_in_flight"], &overload["in_flight"]), (&json!(5), &json!(0)));
}

#[tokio::test]
async fn the_bound_of_each_instance_is_exact_over_all_workers() {
    let rig = start(2, "max_in_flight_per_instance = 3\nqueue = false", "").await;
    assert_eq!(flood(&rig, 32, 6).await, (6, 26));
    for instance in 0..2 {
        assert_eq!(rig.gate(instance).most().await.expect("an answer"), 3);
    }
    assert_eq!(rig.shed(&["reason=\"instance\""]).await, 26.0);
}

#[tokio::test]
async fn the_newest_goes_first_and_the_oldest_has_to_leave() {
    let rig = start(1, "max_in_flight = 1\nqueue = { size = 3, timeout = '60s' }", "").await;
    let mut first = rig.send("/enter/first").await;
    rig.inside(1).await;
    let (mut waiting, mut other_worker) = (Vec::new(), Vec::new());
    for (n, name) in ["a", "b", "c"].iter().enumerate() {
        other_worker.push(rig.connect().await);
        waiting.push(rig.send(&format!("/enter/{name}")).await);
        rig.queued(n + 1).await;
    }
    other_worker.push(rig.connect().await);
    waiting.push(rig.send("/enter/d").await);
    assert_eq!(waiting[0].status().await, 503, "the oldest makes room");
    assert_eq!(rig.shed(&["reason=\"queue\""]).await, 1.0);
    rig.gate(0).open(4).await.expect("it opens");
    for raw in [&mut first].into_iter().chain(&mut waiting[1..]) {
        assert_eq!(raw.status().await, 200);
    }
    assert_eq!(rig.gate(0).entered().await.expect("an answer"), ["first", "d", "c", "b"]);
    assert_eq!(rig.gateway.metric("callgate_queued_calls_total", &[]).await, 3.0);
}

#[tokio::test]
async fn critical_calls_go_before_all_others_and_what_is_dispensable_does_not_wait() {
    let rig = start(1, "max_in_flight = 1\nqueue = { size = 8, timeout = '60s' }", "").await;
    let mut first = rig.send("/enter/first").await;
    rig.inside(1).await;
    let (mut waiting, mut other_worker) = (Vec::new(), Vec::new());
    for (n, path) in ["/enter/a", "/critical/b", "/enter/c", "/critical/d"].iter().enumerate() {
        other_worker.push(rig.connect().await);
        waiting.push(rig.send(path).await);
        rig.queued(n + 1).await;
    }
    assert_eq!(rig.send("/sheddable/e").await.status().await, 503);
    assert_eq!(rig.shed(&["priority=\"sheddable\"", "reason=\"backend\""]).await, 1.0);
    rig.gate(0).open(5).await.expect("it opens");
    for raw in [&mut first].into_iter().chain(&mut waiting) {
        assert_eq!(raw.status().await, 200);
    }
    assert_eq!(rig.gate(0).entered().await.expect("an answer"), ["first", "d", "b", "c", "a"]);
}

#[tokio::test]
async fn what_is_dispensable_gets_a_part_and_something_is_kept_for_what_is_critical() {
    let rig = start(1, "max_in_flight = 20\nqueue = false", "").await;
    let mut calls = vec![rig.send("/critical/0").await, rig.send("/critical/1").await];
    rig.inside(2).await;
    for (path, fit) in [("/sheddable/x", 16), ("/enter/x", 19), ("/critical/x", 20)] {
        for n in calls.len()..fit {
            calls.push(rig.send(path).await);
            rig.inside(n + 1).await;
        }
        let mut one_more = rig.send(path).await;
        assert_eq!(one_more.status().await, 503, "{path} beyond {fit}");
    }
    rig.gate(0).open(20).await.expect("it opens");
    for raw in &mut calls {
        assert_eq!(raw.status().await, 200);
    }
}

#[tokio::test]
async fn a_call_that_waits_hears_when_one_ends_in_another_worker() {
    for bound in ["max_in_flight = 1", "max_in_flight_per_instance = 1"] {
        let rig = start(1, &format!("{bound}\nqueue = {{ timeout = '60s' }}"), "").await;
        let mut first = rig.send("/enter/first").await;
        rig.inside(1).await;
        let mut second = rig.send("/enter/second").await;
        rig.queued(1).await;
        rig.gate(0).open(1).await.expect("it opens");
        assert_eq!(first.status().await, 200, "{bound}");
        rig.queued(0).await;
        rig.inside(1).await;
        rig.gate(0).open(1).await.expect("it opens");
        assert_eq!(second.status().await, 200, "{bound}");
    }
}

#[tokio::test]
async fn a_call_that_waits_hears_of_room_that_comes_without_the_end_of_another() {
    let setup = Setup::new().server("max_body = \"8MiB\"");
    let backend = setup.backend("unruly");
    let table = format!(
        "[backends.unruly]\nendpoints = [{:?}]\nping_timeout = \"1m\"\nqueue = {{ timeout = '20s' }}\n\
         [[routes]]\nmatch = \"POST /safe\"\ncall = \"unruly.safe\"\ntimeout = \"1h\"\n",
        backend.endpoint()
    );
    setup.write_routes("unruly.toml", &table);
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    let ask = |body: String| {
        let client = gateway.client.clone();
        tokio::spawn(async move { client.post("/safe", body).await.status })
    };
    let metric = async |name: &'static str| gateway.metric(name, &[]).await;
    // It reads nothing: what does not fit the system's buffers waits here, until that is so much that it is full.
    backend.signal(Signal::SIGSTOP);
    let mut waiting = Vec::new();
    let never = format!("{{\"how\": \"hang-{}\", \"at\": \"*\"}}", "0".repeat(4 << 20));
    while metric("callgate_calls_queued").await == 0.0 {
        waiting.push(ask(never.clone()));
        let sent = waiting.len() as f64;
        eventually("the call to be sent or to wait", async || {
            let all = metric("callgate_calls_in_flight").await + metric("callgate_calls_queued").await;
            (all == sent).then_some(())
        })
        .await;
    }
    let last = ask("{\"how\": \"well\", \"at\": \"*\"}".to_owned());
    eventually("two that wait", async || (metric("callgate_calls_queued").await == 2.0).then_some(())).await;
    backend.signal(Signal::SIGCONT);
    assert_eq!(last.await.expect("no panic"), 200, "though no other call has ended");
    let sent = waiting.len() as f64;
    eventually("all of them to be sent", async || {
        (metric("callgate_calls_in_flight").await == sent).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_call_that_waits_goes_to_an_instance_that_comes() {
    let lines = "max_in_flight_per_instance = 1\nqueue = { timeout = '20s' }";
    let mut rig = start(2, lines, "").await;
    rig.backends[1].stop().await;
    let _first = rig.send("/enter/first").await;
    rig.inside(1).await;
    let mut second = rig.send("/enter/second").await;
    rig.queued(1).await;
    rig.backends[1].start();
    rig.gateway.connected(&rig.backends[1]).await;
    rig.gate(1).open(1).await.expect("it opens");
    assert_eq!(second.status().await, 200, "though no other call has ended");
}

#[tokio::test]
async fn a_client_that_leaves_the_queue_leaves_nothing_behind() {
    let rig = start(1, "max_in_flight = 1\nqueue = { timeout = '60s' }", "").await;
    let mut first = rig.send("/enter/first").await;
    rig.inside(1).await;
    let waiting = rig.send("/enter/gone").await;
    rig.queued(1).await;
    drop(waiting);
    rig.queued(0).await;
    rig.gate(0).open(2).await.expect("it opens");
    assert_eq!(first.status().await, 200);
    assert_eq!(rig.send("/enter/next").await.status().await, 200);
    assert_eq!(rig.gate(0).entered().await.expect("an answer"), ["first", "next"]);
}

#[tokio::test]
async fn who_has_waited_too_long_is_turned_away() {
    let rig = start(1, "max_in_flight = 1\nqueue = { timeout = '1ms' }", "").await;
    let _first = rig.send("/enter/first").await;
    rig.inside(1).await;
    assert_eq!(rig.send("/enter/second").await.status().await, 503);
    assert_eq!(rig.shed(&["reason=\"queue\""]).await, 1.0);
    rig.queued(0).await;
}

#[tokio::test]
async fn a_request_is_turned_away_before_its_body_is_sent() {
    for (backend, route, path) in [
        ("", "max_in_flight = 1", "/enter/x"),
        ("max_in_flight = 1\nqueue = false", "", "/enter/x"),
        ("max_in_flight = 1", "", "/sheddable/x"),
    ] {
        let rig = start(1, backend, route).await;
        let _first = rig.send("/enter/first").await;
        rig.inside(1).await;
        let mut raw = rig.connect().await;
        let head = "host: x\r\nexpect: 100-continue\r\ncontent-length: 1000000";
        raw.write(format!("POST {path} HTTP/1.1\r\n{head}\r\n\r\n")).await;
        let (head, _) = raw.answer().await.expect("an answer");
        assert!(head.starts_with("HTTP/1.1 503"), "{backend} {route}: {head}");
        assert_eq!(header(&head, "retry-after"), Some("1"));
    }
}

#[tokio::test]
async fn long_bodies_share_a_bounded_memory() {
    let setup = Setup::new().server("max_body = \"1MiB\"\nmax_body_memory = \"1MiB\"");
    let rig = start_of(setup, 1, &[], "", "").await;
    let head = |bytes: usize| format!("POST /enter/x HTTP/1.1\r\nhost: x\r\ncontent-length: {bytes}\r\n\r\n");
    let mut holds = rig.connect().await;
    holds.write(head(700_000)).await;
    holds.write(vec![b' '; 1000]).await;
    let requests = async || rig.gateway.metric("callgate_requests_in_flight", &[]).await;
    eventually("the request", || async { (requests().await == 1.0).then_some(()) }).await;
    let mut other = rig.connect().await;
    other.write(head(700_000)).await;
    other.write(vec![b' '; 700_000]).await;
    let (answer, body) = other.answer().await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 503") && body.contains("bodies"), "{answer}{body}");
    assert_eq!(rig.shed(&["reason=\"memory\""]).await, 1.0);
    // Short ones are not counted, and what is left behind is given back.
    rig.gate(0).open(2).await.expect("it opens");
    assert_eq!(rig.send("/enter/short").await.status().await, 200);
    drop(holds);
    eventually("room", || async {
        let mut again = rig.connect().await;
        again.write(head(700_000)).await;
        again.write(vec![b' '; 700_000]).await;
        // White space is no JSON: it was read.
        (again.status().await == 400).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_instance_that_refuses_calls_lowers_the_limit_until_it_is_no_longer_asked() {
    let rig = start_of(
        Setup::new(),
        1,
        &["--max-calls", "20"],
        "adaptive = { min = 2 }\nqueue = false",
        "retry = false",
    )
    .await;
    let mut calls = Vec::new();
    for n in 0..20 {
        calls.push(rig.send("/enter/x").await);
        rig.inside(n + 1).await;
    }
    let refused = rig.gateway.client.send("POST", "/enter/y", &[], "").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "1"));
    assert_eq!(rig.gateway.metric("callgate_concurrency_limit", &[]).await, 0.0, "one says nothing");
    eventually("a limit in each worker", || async {
        for _ in 0..16 {
            let client = Client::new(rig.gateway.addr);
            assert_eq!(client.send("POST", "/enter/y", &[], "").await.status, 503);
        }
        (rig.gateway.metric("callgate_concurrency_limit", &[]).await > 0.0).then_some(())
    })
    .await;
    eventually("calls that are not sent", || async {
        rig.gateway.client.send("POST", "/enter/y", &[], "").await;
        (rig.shed(&["reason=\"adaptive\""]).await > 0.0).then_some(())
    })
    .await;
    drop(calls);
}
