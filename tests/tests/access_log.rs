//! The access log of a running gateway: which requests have lines, what those say, and that one which cannot be written costs nobody anything.

use callgate_tests::websocket::{Frame, WebSocket};
use callgate_tests::{Backend, Gateway, Raw, Setup, eventually, free_port};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Output;
use tokio::process::Command;

const TABLE: &str = r#"
[auth.machines]
type = "api_key"
file = "FILE"

[[routes]]
match = "GET /v1/calc/add"
call = "calc.add"
auth = "anonymous"

[[routes]]
match = "POST /v1/orders/{order_id}/quote"
call = "orders.quote"
auth = "machines"
rules = ["args.customer == claims.who"]

[[routes]]
match = "GET /v1/fail/{code}"
call = "echo.fail"
auth = "anonymous"

[[routes]]
match = "GET /v1/limited"
call = "calc.add"
auth = "anonymous"
rate_limit = { rate = "1/h", by = "route" }

[[routes]]
match = "GET /v1/delay/{ms}"
call = "echo.delay"
auth = "anonymous"
timeout = "300ms"

[[routes]]
match = "GET /v1/slow/{ms}"
call = "echo.delay"
auth = "anonymous"
timeout = "60s"

[[routes]]
match = "GET /v1/count"
call = "echo.count"
auth = "anonymous"
max_stream.bytes = 8

[[routes]]
match = "GET /v1/nobody"
call = "calc.add"
backend = "gone"
auth = "anonymous"

[backends.gone]
endpoints = ["127.0.0.1:GONE"]
"#;

struct Logged {
    _setup: Setup,
    gateway: Gateway,
    backend: Backend,
    file: PathBuf,
}

impl Logged {
    async fn start(section: &str) -> Logged {
        let setup = Setup::new();
        let file = setup.file("access.log");
        let setup = setup.script(&format!("exec >>{}", file.display())).section(section);
        let backend = setup.backend("shop");
        let keys = setup.file("keys.toml");
        // The SHA-256 of `key`.
        let hash = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";
        let key = format!("[[key]]\nname = \"billing\"\nsha256 = \"{hash}\"\nclaims = {{ who = \"ada\" }}\n");
        std::fs::write(&keys, key).expect("it can be written");
        let table =
            TABLE.replace("FILE", &keys.display().to_string()).replace("GONE", &free_port().to_string());
        let shop = format!("[backends.shop]\nendpoints = [{:?}]\n", backend.endpoint());
        let table = table
            .replace("[[routes]]\n", "[[routes]]\nbackend = \"shop\"\n")
            .replace("backend = \"shop\"\nmatch = \"GET /v1/nobody\"", "match = \"GET /v1/nobody\"");
        setup.write_routes("shop.toml", &format!("{shop}{table}"));
        let gateway = setup.gateway().await;
        gateway.connected(&backend).await;
        Logged { _setup: setup, gateway, backend, file }
    }

    /// The lines so far.
    fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(str::to_owned).collect()
    }

    /// The line of a request.
    async fn line(&self, id: &str) -> Value {
        eventually(&format!("the line of {id}"), async || {
            let lines = self.lines();
            let found = lines.iter().find(|line| line.contains(id))?;
            Some(serde_json::from_str(found).expect("a line is JSON"))
        })
        .await
    }

    /// Sends what is no request. Gives the id of the answer.
    async fn refused(&self, head: &str) -> String {
        let mut raw = Raw::connect(self.gateway.addr).await;
        raw.write(head).await;
        let (answer, _) = raw.answer().await.expect("an answer");
        let id = answer.lines().find_map(|line| line.strip_prefix("x-request-id: "));
        id.unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Asks, and has the line of that.
    async fn asked(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &'static str,
    ) -> (u16, Value) {
        let answer = self.gateway.client.send(method, path, headers, body).await;
        let line = self.line(answer.header("x-request-id")).await;
        if answer.status >= 400 {
            assert_eq!(answer.json()["reason"], line["reason"], "one word in both: {line}");
        }
        assert_eq!(line["status"], answer.status, "{line}");
        (answer.status, line)
    }
}

#[tokio::test]
async fn each_failure_has_a_line_that_says_why_and_where_its_call_went() {
    let logged = Logged::start("[access_log]\nheaders = [\"User-Agent\"]\n").await;
    let quote = r#"{"customer":"ada","express":false,"items":[]}"#;
    let key = ("x-api-key", "key");
    let path = "/v1/orders/7/quote?secret=s3cret";
    let json = ("content-type", "application/json");
    for (method, path, headers, body, reason, why) in [
        ("GET", "/v1/none", &[][..], "", "no_route", Value::Null),
        ("PUT", "/v1/calc/add", &[], "", "wrong_method", Value::Null),
        ("GET", "/v1/calc/add?a=x&b=1", &[], "", "invalid_value", "/a".into()),
        ("POST", "/v1/orders/7/quote", &[json], quote, "no_credentials", Value::Null),
        (
            "POST",
            "/v1/orders/7/quote",
            &[json, ("x-api-key", "guessed")],
            quote,
            "bad_credentials",
            "unknown".into(),
        ),
        (
            "POST",
            "/v1/orders/7/quote",
            &[json, key],
            r#"{"customer":"bob","express":false,"items":[]}"#,
            "denied_by_rule",
            "args.customer == claims.who".into(),
        ),
        ("POST", path, &[json, key], quote, "unknown_field", "/secret".into()),
        ("GET", "/v1/fail/not_found", &[], "", "method_failed", "not_found".into()),
        ("GET", "/v1/nobody?a=1&b=2", &[], "", "no_instance", Value::Null),
        ("GET", "/v1/delay/5000", &[("user-agent", "probe \"1\"")], "", "deadline", Value::Null),
    ] {
        let (_, line) = logged.asked(method, path, headers, body).await;
        assert_eq!(line["reason"], reason, "{line}");
        // Of a deadline the instance may tell first, whose clock runs out at the same time.
        let why_none = || line["why"].as_str().is_some_and(|why| why.contains("it is not connected"));
        assert!(
            line["why"] == why || reason == "deadline" || (reason == "no_instance" && why_none()),
            "{line}"
        );
        assert_eq!((&line["method"], &line["client"]), (&Value::from(method), &Value::from("127.0.0.1")));
        assert_eq!((&line["protocol"], line.get("path")), (&Value::from("HTTP/1.1"), None), "{line}");
        assert!(line["duration_ms"].as_f64() >= line["head_ms"].as_f64(), "{line}");
    }
    assert_eq!(logged.gateway.client.get("/v1/limited?a=1&b=2").await.status, 200);
    let (_, line) = logged.asked("GET", "/v1/limited?a=1&b=2", &[], "").await;
    assert_eq!(line["reason"], "rate_limited", "{line}");
    // Where they went.
    let (_, line) = logged.asked("GET", "/v1/fail/not_found", &[], "").await;
    assert_eq!(
        (&line["route"], &line["call"], &line["backend"]),
        (&"/v1/fail/{code}".into(), &"echo.fail".into(), &"shop".into())
    );
    assert_eq!(
        (&line["tries"][0]["endpoint"], &line["tries"][0]["end"]),
        (&logged.backend.endpoint().into(), &"not_found".into()),
        "{line}"
    );
    assert!(line["version"].is_string() && line["wait_ms"].is_number(), "{line}");
    let (_, line) = logged.asked("POST", "/v1/orders/7/quote", &[json, key], "{").await;
    assert_eq!(
        (&line["auth"], &line["identity"], &line["bytes_in"]),
        (&"machines".into(), &"billing".into(), &1.into())
    );
    // A head that is no request.
    let id = logged.refused("GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n").await;
    let line = logged.line(&id).await;
    assert_eq!(
        (&line["status"], &line["reason"], line.get("method")),
        (&400.into(), &"bad_host".into(), None),
        "{line}"
    );
    assert!(line["why"].is_string(), "{line}");
    // None of those that were successes, and nothing that is a secret.
    assert_eq!(logged.gateway.client.get("/v1/calc/add?a=1&b=2").await.status, 200);
    let (_, line) = logged.asked("GET", "/v1/none", &[("user-agent", "u"), ("user-agent", "v")], "").await;
    assert_eq!(line["header.user-agent"], "u");
    let all = logged.lines().concat();
    assert!(!all.contains("\"status\":200") && !all.contains("s3cret") && !all.contains("guessed"), "{all}");
    assert!(!logged.gateway.log().contains("guessed"));
}

#[tokio::test]
async fn successes_have_lines_as_long_as_somebody_wants_them() {
    let logged = Logged::start(
        "[access_log]\nfields = [\"request_id\", \"status\", \"bytes_out\", \"path\", \"query\"]\n",
    )
    .await;
    let admin = |path: &'static str| logged.gateway.admin.send("POST", path, &[], "");
    assert_eq!(admin("/-/log?successes=100").await.status, 400);
    let told = admin("/-/log?successes=100%25&failures=false").await;
    assert_eq!((told.status, &told.json()["successes"]), (200, &"100%".into()), "{}", told.text());
    let answer = logged.gateway.client.get("/v1/calc/add?a=1&b=2").await;
    let id = answer.header("x-request-id").to_owned();
    let expected = serde_json::json!({ "request_id": id, "status": 200, "path": "/v1/calc/add", "query": "a=1&b=2", "bytes_out": answer.body.len() });
    assert_eq!(logged.line(&id).await, expected);
    let none = logged.gateway.client.get("/v1/none").await;
    assert_eq!(admin("/-/log").await.status, 200);
    assert_eq!(logged.gateway.client.get("/v1/calc/add?a=1&b=2").await.status, 200);
    let last = logged.gateway.client.get("/v1/also/none").await;
    logged.line(last.header("x-request-id")).await;
    let all = logged.lines();
    assert_eq!((all.len(), all.concat().contains(none.header("x-request-id"))), (2, false), "{all:?}");
}

#[tokio::test]
async fn what_was_cut_and_who_has_left_have_lines_too() {
    let http2 = format!("127.0.0.1:{}", free_port());
    let section = format!("[[listeners]]\naddress = \"{http2}\"\nhttp2 = \"prior_knowledge\"\n");
    let logged = Logged::start(&section).await;
    // A stream that is longer than it may be: its head was a success.
    let url = format!("http://{}/v1/count?from=1&to=100", logged.gateway.addr);
    let cut = curl(&["-H", "x-request-id: cut", &url]).await;
    assert!(!cut.status.success(), "it was torn");
    let line = logged.line("cut").await;
    assert_eq!((&line["status"], &line["reason"]), (&200.into(), &"stream_too_long".into()), "{line}");
    assert!(line["bytes_out"].as_u64() > Some(0), "{line}");
    // Clients that leave, by each version of HTTP.
    for (number, addr) in [logged.gateway.addr.to_string(), http2].iter().enumerate() {
        let id = format!("left-{number}");
        let header = format!("x-request-id: {id}");
        let version = if number == 0 { "--http1.1" } else { "--http2-prior-knowledge" };
        let url = format!("http://{addr}/v1/slow/60000");
        let mut leaves =
            Command::new("curl").args(["-sS", version, "-H", &header, &url]).spawn().expect("curl runs");
        eventually("a call that runs", async || {
            let calls = logged.gateway.metric("callgate_calls_in_flight", &["backend=\"shop\""]).await;
            (calls == 1.0).then_some(())
        })
        .await;
        leaves.kill().await.expect("it can be ended");
        let line = logged.line(&id).await;
        assert_eq!((&line["status"], &line["reason"]), (&499.into(), &"client_gone".into()), "{line}");
        assert_eq!(line["tries"][0]["end"], "given_up", "{line}");
    }
}

/// Routes of which there is more to say.
const MORE: &str = r#"
[backends.twin]
endpoints = ["SHOP"]

[backends.away]
endpoints = ["127.0.0.1:GONE"]
hold = "0s"

[backends.narrow]
endpoints = ["SHOP"]
max_in_flight = 1
queue = { timeout = "1m" }

[[routes]]
match = "GET /split"
call = "calc.add"
auth = "anonymous"
split = [{ backend = "shop", weight = 1 }, { backend = "twin", weight = 0, header = "x-twin: yes" }]

[[routes]]
match = "GET /fallback"
call = "calc.add"
backend = "away"
auth = "anonymous"
fallback = { backend = "twin" }

[[routes]]
match = "GET /fixed"
call = "calc.add"
backend = "away"
auth = "anonymous"
fallback = { status = 200, body = "later" }

[[routes]]
match = "GET /counted"
call = "calc.add"
backend = "shop"
auth = "anonymous"
rate_limit = [{ rate = "100/h", burst = 100, by = "route" }, { rate = "1/h", by = "client", dry_run = true }]

[[routes]]
match = "GET /narrow/{ms}"
call = "echo.delay"
backend = "narrow"
auth = "anonymous"
timeout = "60s"

[[routes]]
match = "POST /sum"
call = "echo.sum"
backend = "shop"
auth = "anonymous"
body = { stream = true }

[[routes]]
match = "GET /chat"
call = "echo.chat"
backend = "shop"
auth = "anonymous"
websocket = { messages = "text" }

[[routes]]
match = "POST /notify/{ms}"
call = "echo.delay"
backend = "shop"
auth = "anonymous"
mode = "notify"
timeout = "60s"
"#;

impl Logged {
    /// With those routes, and a line for each request.
    async fn more() -> Logged {
        let logged = Logged::start("[access_log]\nsuccesses = \"100%\"\n").await;
        let more = MORE.replace("SHOP", &logged.backend.endpoint()).replace("GONE", &free_port().to_string());
        logged._setup.write_routes("more.toml", &more);
        logged.gateway.takes_its_tables().await;
        for backend in ["twin", "narrow"] {
            let label = format!("backend={backend:?}");
            eventually("it is connected", async || {
                (logged.gateway.metric("callgate_backend_connections", &[&label]).await > 0.0).then_some(())
            })
            .await;
        }
        logged
    }

    async fn is_counted(&self, name: &str) {
        eventually(name, async || {
            (self.gateway.metric(name, &["backend=\"narrow\""]).await == 1.0).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_line_says_where_the_call_was_directed_and_what_limits_have_said() {
    let logged = Logged::more().await;
    for (path, headers, target, by) in [
        ("/split?a=1&b=2", &[][..], "shop".into(), "weight".into()),
        ("/split?a=1&b=2", &[("x-twin", "yes")], "twin".into(), "header".into()),
        ("/fallback?a=1&b=2", &[], "twin".into(), "fallback".into()),
        ("/fixed?a=1&b=2", &[], "answer".into(), "fallback".into()),
        ("/v1/calc/add?a=1&b=2", &[], Value::Null, Value::Null),
    ] {
        let (status, line) = logged.asked("GET", path, headers, "").await;
        assert_eq!((status, &line["target"], &line["target_by"]), (200, &target, &by), "{line}");
    }
    for (left, would_limit) in [(99, Value::Null), (98, "client:1/h".into())] {
        let answer = logged.gateway.client.get("/counted?a=1&b=2").await;
        let line = logged.line(answer.header("x-request-id")).await;
        let limits = line["limits"].as_str().unwrap_or_default();
        assert!(limits.starts_with(&format!("route:100/h;r={left};t=")), "{line}");
        assert_eq!(limits, answer.header("ratelimit").replace('"', ""), "as its client was told");
        assert_eq!(line["would_limit"], would_limit, "{line}");
    }
    // One that is refused says it too.
    assert_eq!(logged.gateway.client.get("/v1/limited?a=1&b=2").await.status, 200);
    let (_, line) = logged.asked("GET", "/v1/limited?a=1&b=2", &[], "").await;
    assert!(line["limits"].as_str().is_some_and(|limits| limits.contains(";r=0;t=")), "{line}");
}

#[tokio::test]
async fn a_line_says_what_its_call_has_waited_for() {
    let logged = Logged::more().await;
    let mut first = Raw::connect(logged.gateway.addr).await;
    first.write("GET /narrow/60000 HTTP/1.1\r\nhost: x\r\n\r\n").await;
    logged.is_counted("callgate_calls_in_flight").await;
    let client = logged.gateway.client.clone();
    let second = tokio::spawn(async move { client.get("/narrow/1").await });
    logged.is_counted("callgate_calls_queued").await;
    drop(first);
    let answer = second.await.expect("it has an answer");
    let line = logged.line(answer.header("x-request-id")).await;
    assert_eq!((&line["status"], &line["waited_for"]), (&200.into(), &"permit".into()), "{line}");
    let (_, line) = logged.asked("GET", "/narrow/1", &[], "").await;
    assert_eq!((&line["status"], line.get("waited_for")), (&200.into(), None), "{line}");
}

#[tokio::test]
async fn bytes_of_streams_and_of_messages_are_counted_in_both_directions() {
    let logged = Logged::more().await;
    let lines = ("content-type", "application/x-ndjson");
    let (_, line) = logged.asked("POST", "/sum", &[lines], "1\n2\n3\n").await;
    assert_eq!((&line["bytes_in"], &line["bytes_out"]), (&6.into(), &1.into()), "{line}");
    // One whose items are wrong from the second on.
    let (status, line) = logged.asked("POST", "/sum", &[lines], "1\nx\n").await;
    assert_eq!((status, &line["bytes_in"]), (400, &4.into()), "{line}");
    let id = "x-request-id: talk\r\n";
    let mut open = WebSocket::ask(logged.gateway.addr, "/chat", id).await.expect("it opens");
    for text in ["abc", "defg"] {
        open.say(text).await;
        assert_eq!(open.next().await, Some(Frame::text(text)));
    }
    open.send(Frame::close(1000, "")).await;
    assert_eq!(open.next().await.and_then(|frame| frame.code()), Some(1000));
    let line = logged.line("talk").await;
    assert_eq!(
        (&line["status"], &line["bytes_in"], &line["bytes_out"]),
        (&101.into(), &7.into(), &7.into()),
        "{line}"
    );
    let tried = json!({ "endpoint": logged.backend.endpoint(), "end": "sent" });
    let has = |line: &Value| {
        let one = &line["tries"][0];
        json!({ "endpoint": one["endpoint"], "end": one["end"] }) == tried
    };
    assert!(has(&line) && line["backend"] == "shop", "{line}");
    // Nobody waits for its end, so this is as it was when its client was told.
    let (status, line) = logged.asked("POST", "/notify/1", &[], "").await;
    assert!(status == 202 && has(&line) && line["wait_ms"].is_number(), "{line}");
}

async fn curl(arguments: &[&str]) -> Output {
    let curl = Command::new("curl").args(["-sS"]).args(arguments).output();
    curl.await.expect("curl runs")
}

#[tokio::test]
async fn lines_are_logfmt_where_the_settings_say_so() {
    let logged = Logged::start("[access_log]\nformat = \"logfmt\"\n").await;
    let answer = logged.gateway.client.get("/v1/calc/add?a=x&b=1").await;
    let id = answer.header("x-request-id").to_owned();
    let line =
        eventually("the line", async || logged.lines().into_iter().find(|line| line.contains(&id))).await;
    assert!(
        line.contains(" method=GET route=/v1/calc/add status=400 reason=invalid_value why=/a "),
        "{line}"
    );
}

/// The failures that are kept, once one of that id is among them.
async fn failures(gateway: &Gateway, id: &str) -> Vec<Value> {
    eventually(&format!("the failure {id}"), async || {
        let page = gateway.admin.get("/failures").await.json();
        let all = page["failures"].as_array().expect("a list").clone();
        all.iter().any(|one| one["request_id"] == id).then_some(all)
    })
    .await
}

/// Whatever the log says, and even if it cannot be written.
#[tokio::test]
async fn the_last_failures_are_kept_whether_they_are_logged_or_not() {
    let logged = Logged::start(
        "[access_log]\nfailures = false\nsuccesses = \"100%\"\nfields = [\"status\"]\nheaders = [\"user-agent\"]\n",
    )
    .await;
    let client = &logged.gateway.client;
    let key = ("x-api-key", "guessed");
    assert_eq!(client.get("/v1/calc/add?a=1&b=2").await.status, 200);
    let first = client.send("POST", "/v1/orders/7/quote?a=s3cret", &[key, ("user-agent", "u")], "").await;
    let last = client.get("/v1/fail/not_found").await;
    let id = last.header("x-request-id");
    let all = failures(&logged.gateway, id).await;
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(
        (&all[0]["request_id"], &all[1]["request_id"]),
        (&id.into(), &first.header("x-request-id").into())
    );
    assert_eq!((&all[0]["reason"], &all[0]["why"]), (&"method_failed".into(), &"not_found".into()));
    assert_eq!(
        (&all[0]["path"], &all[0]["route"]),
        (&"/v1/fail/not_found".into(), &"/v1/fail/{code}".into())
    );
    assert_eq!(all[0]["tries"][0]["end"], "not_found");
    assert!(all[0]["duration_ms"].is_number() && all[1].get("query").is_none(), "{all:?}");
    let text = serde_json::to_string(&all).expect("JSON");
    assert!(!text.contains("guessed") && !text.contains("s3cret") && !text.contains("header."), "{text}");
    // One whose answer had begun, and a head that is no request.
    let url = format!("http://{}/v1/count?from=1&to=100", logged.gateway.addr);
    assert!(!curl(&["-H", "x-request-id: cut", &url]).await.status.success(), "it was torn");
    assert_eq!(failures(&logged.gateway, "cut").await[0]["reason"], "stream_too_long");
    let id = logged.refused("GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n").await;
    assert_eq!(failures(&logged.gateway, &id).await[0]["reason"], "bad_host");
    let lines = logged.lines().concat();
    assert!(!lines.contains("404") && !lines.contains("401"), "none of them was logged: {lines}");
    assert_eq!(logged.gateway.admin.get("/failures").await.json()["dropped"], 0);
}

#[tokio::test]
async fn a_client_that_fails_often_and_at_length_fills_no_memory() {
    let setup = Setup::new().script("exec >/dev/full");
    setup.write_routes("fixed.toml", "[[routes]]\nmatch = \"GET /a\"\nrespond = {}\n");
    let gateway = setup.gateway().await;
    let long = format!("/{}", "x".repeat(4000));
    for _ in 0..1100 {
        assert_eq!(gateway.client.get(&long).await.status, 404);
    }
    let last = gateway.client.get(&long).await;
    let all = failures(&gateway, last.header("x-request-id")).await;
    assert_eq!(all.len(), 1000, "the last of them");
    assert!(all.iter().all(|one| one["path"].as_str().is_some_and(|path| path.len() == 512)));
}

/// A device that takes nothing: requests go on, and lines are lost and counted.
#[tokio::test]
async fn a_log_that_cannot_be_written_holds_up_no_request() {
    let setup = Setup::new().script("exec >/dev/full").section("[access_log]\nsuccesses = \"100%\"\n");
    setup.write_routes(
        "fixed.toml",
        "[[routes]]\nmatch = \"GET /a\"\nrespond = { status = 200, body = \"a\" }\n",
    );
    let gateway = setup.gateway().await;
    eventually("lost lines", async || {
        for _ in 0..200 {
            assert_eq!(gateway.client.get("/a").await.status, 200);
        }
        (gateway.metric("callgate_access_log_dropped_total", &[]).await > 0.0).then_some(())
    })
    .await;
}
