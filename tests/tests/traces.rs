//! Traces: what a collector is sent of requests, and that one which takes nothing costs nobody anything.

use callgate_tests::collector::{Collector, Mood, Sent};
use callgate_tests::provider::Provider;
use callgate_tests::tls::Ca;
use callgate_tests::websocket::{Frame, WebSocket};
use callgate_tests::{Backend, Gateway, Setup, eventually, free_port};
use serde_json::json;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{PARENT}-{flags}")
}

const TABLE: &str = r#"
[[routes]]
match = "POST /safe"
call = "unruly.safe"
backend = "unruly"

[[routes]]
match = "GET /nobody"
call = "unruly.safe"
backend = "gone"
body = false
unknown_fields = "ignore"

[backends.gone]
endpoints = ["127.0.0.1:GONE"]
hold = "0s"
"#;

/// Two instances behind a gateway with traces.
struct Traced {
    setup: Setup,
    gateway: Gateway,
    instances: [Backend; 2],
}

impl Traced {
    async fn start(url: &str, more: &str) -> Traced {
        let setup = Setup::new().workers(1);
        let log = format!("exec >>{}", setup.file("access.log").display());
        let setup = setup.script(&log).section("[access_log]\nsuccesses = \"100%\"\n");
        let setup = setup.section(&format!("[traces]\nendpoint = {url:?}\nservice = \"edge\"\n{more}"));
        let instances = [setup.backend("unruly"), setup.backend("unruly")];
        let endpoints = instances.each_ref().map(Backend::endpoint);
        let shop = format!(
            "[backends.unruly]\nendpoints = {endpoints:?}\nbalance = \"random\"\nretry_budget = \"100%\"\n"
        );
        setup.write_routes("t.toml", &format!("{}{shop}", TABLE.replace("GONE", &free_port().to_string())));
        let gateway = setup.gateway().await;
        for instance in &instances {
            gateway.connected(instance).await;
        }
        Traced { setup, gateway, instances }
    }

    async fn call(&self, how: &str, at: &str, headers: &[(&str, &str)]) -> u16 {
        let headers = [&[("content-type", "application/json")], headers].concat();
        let body = format!("{{\"how\": {how:?}, \"at\": {at:?}}}");
        self.gateway.client.send("POST", "/safe", &headers, body).await.status
    }

    async fn fate(&self, fate: &str) -> f64 {
        self.gateway.metric("callgate_trace_spans_total", &[&format!("fate={fate:?}")]).await
    }
}

/// So many spans of a trace, the one of the exchange first, and the others in their order.
async fn spans(collector: &Collector, trace: &str, count: usize) -> Vec<Sent> {
    let mut all = eventually("the spans of a trace", async || {
        let all = collector.of_trace(trace);
        (all.len() >= count).then_some(all)
    })
    .await;
    assert_eq!(all.len(), count, "{all:?}");
    all.sort_by_key(|sent| (sent.span.kind != 2, sent.span.start_time_unix_nano));
    all
}

#[tokio::test]
async fn a_call_is_a_span_of_the_exchange_with_one_of_its_attempt_and_joins_its_clients_trace() {
    let collector = Collector::start(Mood::Well).await;
    let traced =
        Traced::start(&collector.url, "sample = \"0%\"\nheaders = { x-scope-orgid = \"acme\" }").await;
    let (parent, headers) =
        (traceparent("01"), [("x-request-id", "r1"), ("tracestate", "a=1"), ("user-agent", "test/1")]);
    let headers = [&[("traceparent", &*parent)], &headers[..]].concat();
    assert_eq!(traced.call("well", "*", &headers).await, 200);
    let all = spans(&collector, TRACE, 2).await;
    let [exchange, attempt] = &all[..] else { panic!("{all:?}") };
    assert_eq!(
        (exchange.service.as_str(), exchange.span.name.as_str(), exchange.span.kind),
        ("edge", "POST /safe", 2)
    );
    assert_eq!((exchange.parent(), attempt.parent()), (PARENT.to_owned(), exchange.id()));
    assert_eq!((attempt.span.name.as_str(), attempt.span.kind), ("unruly/safe", 3));
    for (key, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/safe"),
        ("url.path", "/safe"),
        ("url.scheme", "http"),
        ("http.response.status_code", "200"),
        ("network.protocol.version", "1.1"),
        ("client.address", "127.0.0.1"),
        ("user_agent.original", "test/1"),
        ("callgate.request_id", "r1"),
    ] {
        assert_eq!(exchange.attribute(key).as_deref(), Some(value), "{key}");
    }
    for (key, value) in [
        ("rpc.system.name", "callgate"),
        ("rpc.method", "unruly/safe"),
        ("rpc.response.status_code", "ok"),
        ("server.address", "127.0.0.1"),
        ("callgate.backend", "unruly"),
        ("callgate.attempt", "1"),
    ] {
        assert_eq!(attempt.attribute(key).as_deref(), Some(value), "{key}");
    }
    let endpoint = format!("127.0.0.1:{}", attempt.attribute("server.port").expect("a port"));
    assert!(traced.instances.iter().any(|instance| instance.endpoint() == endpoint), "{endpoint}");
    assert!(exchange.span.start_time_unix_nano <= attempt.span.start_time_unix_nano);
    assert!(attempt.span.end_time_unix_nano <= exchange.span.end_time_unix_nano);
    assert!(all.iter().all(|one| one.span.trace_state == "a=1" && one.span.status.is_none()));
    assert!(exchange.attribute("error.type").is_none() && attempt.attribute("error.type").is_none());
    let head = &collector.requests()[0];
    assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
    assert!(
        head.contains("content-type: application/x-protobuf\r\n") && head.contains("x-scope-orgid: acme\r\n"),
        "{head}"
    );
    // Counted when the collector's answer was read; the log has a writer of its own.
    eventually("the spans to be counted", async || (traced.fate("sent").await == 2.0).then_some(())).await;
    let told = format!("\"trace_id\":\"{TRACE}\"");
    eventually("the line of the access log", async || {
        let lines = std::fs::read_to_string(traced.setup.file("access.log")).expect("an access log");
        lines.contains(&told).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_call_that_was_sent_again_has_a_span_of_each_attempt() {
    let collector = Collector::start(Mood::Well).await;
    let traced = Traced::start(&collector.url, "").await;
    let bad = traced.instances[0].endpoint();
    let mut all = Vec::new();
    // Which instance is asked first is chance.
    for number in 1..=40 {
        let trace = format!("{number:032x}");
        let parent = traceparent("01").replace(TRACE, &trace);
        assert_eq!(traced.call("fail", &bad, &[("traceparent", &parent)]).await, 200);
        let sent = || Some(collector.of_trace(&trace)).filter(|all| all.len() >= 2);
        all = eventually("its spans", async || sent()).await;
        if all.len() > 2 {
            break;
        }
    }
    let exchange = all.iter().find(|one| one.span.kind == 2).expect("one of the exchange");
    let mut attempts: Vec<&Sent> = all.iter().filter(|one| one.span.kind == 3).collect();
    attempts.sort_by_key(|one| one.attribute("callgate.attempt"));
    let [first, second] = attempts[..] else { panic!("{all:?}") };
    assert!(attempts.iter().all(|one| one.parent() == exchange.id()));
    assert_ne!(first.id(), second.id());
    assert_eq!(first.attribute("error.type").as_deref(), Some("unavailable"));
    assert_eq!(first.span.status.as_ref().map(|status| status.code), Some(2));
    assert_eq!(second.attribute("rpc.response.status_code").as_deref(), Some("ok"));
    assert_eq!(exchange.attribute("http.response.status_code").as_deref(), Some("200"));
}

#[tokio::test]
async fn what_fails_says_why_and_whoever_began_the_trace_decides_whether_it_has_spans() {
    let collector = Collector::start(Mood::Well).await;
    let traced = Traced::start(&collector.url, "").await;
    let unsampled = [("traceparent", &*traceparent("00"))];
    assert_eq!(traced.call("well", "*", &unsampled).await, 200);
    let answer = traced.gateway.client.get("/nobody").await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    let failed = eventually("the span of a failure", async || collector.sent().into_iter().next()).await;
    assert_eq!(failed.attribute("error.type").as_deref(), Some("no_instance"));
    assert_eq!(
        (failed.parent().as_str(), failed.span.status.as_ref().map(|status| status.code)),
        ("", Some(2))
    );
    assert!(collector.of_trace(TRACE).is_empty(), "nobody wants spans of that");
}

#[tokio::test]
async fn a_collector_that_takes_nothing_changes_nothing_for_requests_and_is_counted() {
    let away = format!("http://127.0.0.1:{}/v1/traces", free_port());
    for mood in [
        None,
        Some(Mood::Status(503)),
        Some(Mood::Status(429)),
        Some(Mood::Status(400)),
        Some(Mood::Silent),
        Some(Mood::Deaf),
    ] {
        let collector = match mood {
            Some(mood) => Some(Collector::start(mood).await),
            None => None,
        };
        let url = collector.as_ref().map_or(&away, |collector| &collector.url);
        let traced = Traced::start(url, "").await;
        // The queue holds 8,192 requests.
        let mut lost = false;
        while !lost {
            for _ in 0..500 {
                assert_eq!(traced.gateway.client.get("/nowhere").await.status, 404, "{mood:?}");
            }
            let fates = ["full", "unreachable", "busy", "refused"];
            for fate in fates {
                lost |= traced.fate(fate).await > 0.0;
            }
        }
        assert_eq!(traced.fate("sent").await, 0.0, "{mood:?}");
    }
}

#[tokio::test]
async fn spans_are_sent_inside_tls_to_whom_the_ca_vouches_for_with_a_secret_out_of_a_file() {
    let setup = Setup::new();
    let (ca, other) = (Ca::new("collectors"), Ca::new("others"));
    let [file, secret] = ["ca.pem", "secret"].map(|name| setup.file(name));
    std::fs::write(&secret, "Bearer s3cret\n").expect("it can be written");
    // At first its certificate is another CA's.
    std::fs::write(&file, other.pem()).expect("it can be written");
    let certificate = ca.server(&["localhost"]).write(setup.folder(), "collector");
    let mut collector = Provider::new(&setup, "collector", Some(certificate));
    collector.answers(&json!({ "status": 200 }));
    collector.start().await;
    let url = collector.url("/v1/traces");
    let setup = setup.section(&format!(
        "[traces]\nendpoint = {{ url = {url:?}, ca = {file:?} }}\nheaders = {{ authorization = {{ file = {secret:?} }} }}\n"
    ));
    setup.write_routes("t.toml", "[[routes]]\nmatch = \"GET /fixed\"\nrespond = { status = 204 }\n");
    let gateway = setup.gateway().await;
    assert_eq!(gateway.client.get("/fixed").await.status, 204);
    gateway.told("spans are not taken", "error").await;
    assert!(collector.asked().is_empty());
    // The CAs are read again.
    std::fs::write(&file, ca.pem()).expect("it can be written");
    let asked = eventually("spans", async || {
        gateway.client.get("/fixed").await;
        collector.asked().into_iter().next()
    })
    .await;
    assert_eq!((&asked["method"], &asked["path"]), (&json!("POST"), &json!("/v1/traces")));
    let headers = asked["headers"].as_array().expect("headers");
    assert!(headers.contains(&json!(["authorization", "Bearer s3cret"])), "{headers:?}");
    let config = gateway.admin.get("/config").await.text();
    assert!(config.contains("/v1/traces") && !config.contains("s3cret"), "{config}");
}

/// The span of that kind and mode.
fn of_mode<'s>(all: &'s [Sent], mode: &str) -> &'s Sent {
    let found = all.iter().find(|one| one.attribute("callgate.mode").as_deref() == Some(mode));
    found.unwrap_or_else(|| panic!("{mode}: {all:?}"))
}

/// So many spans of all, and the one of the exchange.
async fn all_of(collector: &Collector, count: usize) -> (Vec<Sent>, Sent) {
    let sent = || Some(collector.sent()).filter(|all| all.len() >= count);
    let all = eventually("the spans of all", async || sent()).await;
    assert_eq!(all.len(), count, "{all:?}");
    let exchange = all.iter().find(|one| one.service == "callgate" && one.span.kind == 2);
    let exchange = exchange.unwrap_or_else(|| panic!("{all:?}")).clone();
    (all, exchange)
}

/// A gateway before a chain of one service that has spans of its own, and such a route.
async fn before_a_service(collector: &Collector, service: &str, route: &str) -> (Setup, Gateway, Backend) {
    let setup = Setup::new().workers(1).section(&format!("[traces]\nendpoint = {:?}\n", collector.url));
    let folder = setup.file("").display().to_string();
    let words = ["--folder", &folder, "--otlp", &collector.url, service];
    let service = setup.backend_told("chain", format!("127.0.0.1:{}", free_port()), &words);
    setup.write_routes("t.toml", &route.replace("SERVICE", &service.endpoint()));
    std::fs::write(setup.file("open"), "").expect("a file can be written");
    let gateway = setup.gateway().await;
    gateway.connected(&service).await;
    (setup, gateway, service)
}

#[tokio::test]
async fn a_notified_call_has_spans_that_end_when_it_ends() {
    let collector = Collector::start(Mood::Well).await;
    let route = "[backends.one]\nendpoints = [\"SERVICE\"]\n\
                 [[routes]]\nmatch = \"POST /hold/{until}\"\ncall = \"chain.hold\"\nmode = \"notify\"\ntimeout = \"60s\"\n";
    let (setup, gateway, _service) = before_a_service(&collector, "one", route).await;
    let answer = gateway.client.post("/hold/later", "").await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    // The exchange is over, and its call is not.
    let (_, exchange) = all_of(&collector, 1).await;
    std::fs::write(setup.file("later"), "").expect("a file can be written");
    let (all, _) = all_of(&collector, 3).await;
    let attempt = of_mode(&all, "notify");
    assert_eq!((attempt.parent(), attempt.trace()), (exchange.id(), exchange.trace()));
    assert_eq!(attempt.attribute("rpc.response.status_code").as_deref(), Some("ok"));
    assert!(attempt.span.end_time_unix_nano > exchange.span.end_time_unix_nano);
    let served = all.iter().find(|one| one.service == "one").expect("what the service has sent");
    assert_eq!(served.parent(), attempt.id());
}

#[tokio::test]
async fn a_copy_has_a_span_beside_those_of_its_call() {
    let collector = Collector::start(Mood::Well).await;
    let route = "[backends.one]\nendpoints = [\"SERVICE\"]\n\
                 [backends.two]\nendpoints = [\"SERVICE\"]\n\
                 [[routes]]\nmatch = \"POST /hold/{until}\"\ncall = \"chain.hold\"\nbackend = \"one\"\n\
                 shadow = { backend = \"two\", share = \"100%\" }\n";
    let (_setup, gateway, _service) = before_a_service(&collector, "one", route).await;
    eventually("the shadow is connected", async || {
        (gateway.metric("callgate_backend_connections", &["backend=\"two\""]).await > 0.0).then_some(())
    })
    .await;
    let answer = gateway.client.post("/hold/open", "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let (all, exchange) = all_of(&collector, 5).await;
    let copy = of_mode(&all, "shadow");
    let is_call = |one: &&Sent| one.span.kind == 3 && one.attribute("callgate.mode").is_none();
    let call = all.iter().find(is_call).expect("one of the call");
    assert_eq!((copy.parent(), call.parent()), (exchange.id(), exchange.id()));
    assert_eq!(copy.attribute("rpc.response.status_code").as_deref(), Some("ok"));
    let mut parents: Vec<String> = all.iter().filter(|one| one.service == "one").map(Sent::parent).collect();
    let mut ids = vec![copy.id(), call.id()];
    parents.sort();
    ids.sort();
    assert_eq!(parents, ids, "each is the parent of what its instance has sent");
}

#[tokio::test]
async fn a_websocket_has_a_span_of_its_call_that_ends_with_it() {
    let collector = Collector::start(Mood::Well).await;
    let setup = Setup::new().workers(1).section(&format!("[traces]\nendpoint = {:?}\n", collector.url));
    let shop = setup.backend("shop");
    let route = format!(
        "[backends.shop]\nendpoints = [{:?}]\n[[routes]]\nmatch = \"GET /chat\"\ncall = \"echo.chat\"\nwebsocket = {{ messages = \"text\" }}\n",
        shop.endpoint()
    );
    setup.write_routes("t.toml", &route);
    let gateway = setup.gateway().await;
    gateway.connected(&shop).await;
    let mut open = WebSocket::ask(gateway.addr, "/chat", "").await.expect("it opens");
    open.say("a").await;
    assert_eq!(open.next().await, Some(Frame::text("a")));
    open.send(Frame::close(1000, "")).await;
    assert_eq!(open.next().await.and_then(|frame| frame.code()), Some(1000));
    let (all, exchange) = all_of(&collector, 2).await;
    let attempt = of_mode(&all, "websocket");
    assert_eq!(exchange.attribute("http.response.status_code").as_deref(), Some("101"));
    assert_eq!((attempt.parent(), attempt.span.name.as_str()), (exchange.id(), "echo/chat"));
    assert!(attempt.attribute("error.type").is_none(), "{attempt:?}");
    // One whose instance goes away.
    let mut open = WebSocket::ask(gateway.addr, "/chat", "").await.expect("it opens");
    open.say("a").await;
    assert_eq!(open.next().await, Some(Frame::text("a")));
    let mut shop = shop;
    shop.kill();
    assert!(open.next().await.and_then(|frame| frame.code()).is_some_and(|code| code != 1000));
    let sent = || Some(collector.sent()).filter(|all| all.len() >= 3);
    let all = eventually("the span of a call that was lost", async || sent()).await;
    let lost = all.iter().filter(|one| one.attribute("callgate.mode").is_some()).next_back().expect("one");
    assert_eq!(lost.attribute("error.type").as_deref(), Some("lost"), "{lost:?}");
}

#[tokio::test]
async fn the_end_of_the_gateway_sends_what_is_left() {
    let collector = Collector::start(Mood::Well).await;
    let mut traced = Traced::start(&collector.url, "").await;
    for _ in 0..20 {
        assert_eq!(traced.call("well", "*", &[]).await, 200);
    }
    traced.gateway.signal(nix::sys::signal::Signal::SIGTERM);
    assert!(traced.gateway.ended().await);
    assert_eq!(collector.sent().len(), 40);
    drop(traced.setup);
}

#[tokio::test]
async fn a_call_through_two_services_is_one_trace_with_the_right_parents() {
    let collector = Collector::start(Mood::Well).await;
    let setup = Setup::new().section(&format!("[traces]\nendpoint = {:?}\n", collector.url));
    let folder = setup.file("").display().to_string();
    let at = || format!("127.0.0.1:{}", free_port());
    let told = |service: &str, more: &[&str]| -> Vec<String> {
        let base = ["--folder", &folder, "--otlp", &collector.url, service];
        base.iter().chain(more).map(|word| (*word).to_owned()).collect()
    };
    let words = told("second", &[]);
    let second = setup.backend_told("chain", at(), &words.iter().map(String::as_str).collect::<Vec<_>>());
    let words = told("first", &["--next", &second.endpoint()]);
    let first = setup.backend_told("chain", at(), &words.iter().map(String::as_str).collect::<Vec<_>>());
    let route = "[[routes]]\nmatch = \"POST /pass/{ms}/{until}\"\ncall = \"chain.pass\"\nresponse = { wrap = \"left\" }\n";
    setup.write_routes("t.toml", &format!("[backends.first]\nendpoints = [{:?}]\n{route}", first.endpoint()));
    std::fs::write(setup.file("open"), "").expect("a file can be written");
    let gateway = setup.gateway().await;
    gateway.connected(&first).await;
    // Nobody records what its beginning does not.
    let unsampled = traceparent("00");
    let answer = gateway.client.send("POST", "/pass/0/open", &[("traceparent", &unsampled)], "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = gateway.client.post("/pass/0/open", "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let all =
        eventually("the spans of all", async || Some(collector.sent()).filter(|all| all.len() >= 5)).await;
    let find = |service: &str, kind: i32| -> &Sent {
        let found = all.iter().find(|one| one.service == service && one.span.kind == kind);
        found.unwrap_or_else(|| panic!("{service} {kind}: {all:?}"))
    };
    let chain =
        [find("callgate", 2), find("callgate", 3), find("first", 2), find("first", 3), find("second", 2)];
    assert_eq!((all.len(), chain[0].parent().as_str()), (5, ""));
    for pair in chain.windows(2) {
        assert_eq!((pair[1].parent(), pair[1].trace()), (pair[0].id(), pair[0].trace()), "{pair:?}");
    }
    let names: Vec<&str> = chain.iter().map(|one| one.span.name.as_str()).collect();
    assert_eq!(names, ["POST /pass/{ms}/{until}", "chain/pass", "chain/pass", "chain/hold", "chain/hold"]);
}
