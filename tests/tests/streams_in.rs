//! Bodies that are streams of items: each goes to the method as it comes, and nobody has to wait for the end.

use callgate_tests::{Backend, Client, Gateway, Http2, Raw, Setup, eventually, free_port, header};
use hyper::body::Bytes;
use serde_json::{Value, json};
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

const ROUTES: &str = r#"
[[routes]]
match = "POST /sum/{from}"
call = "takers.sum"
body = { stream = true }

[[routes]]
match = "PUT /sum/{from}"
call = "takers.sum"
body = { stream = true }

[[routes]]
match = "POST /first"
call = "takers.first"
body = { stream = true }

[[routes]]
match = "POST /wait"
call = "takers.wait"
body = { stream = true }

[[routes]]
match = "POST /chat"
call = "takers.chat"
body = { stream = true }

[[routes]]
match = "POST /go"
call = "takers.go"

[[routes]]
match = "GET /running"
call = "takers.running"

[[routes]]
match = "GET /taken"
call = "takers.taken"

[[routes]]
match = "GET /ended"
call = "takers.ended"
"#;

const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");

struct Takers {
    gateway: Gateway,
    backend: Backend,
    /// A listener that takes HTTP/2 without TLS.
    http2: SocketAddr,
}

impl Takers {
    async fn start() -> Takers {
        Takers::with("").await
    }

    /// The same, with lines of `[server]`.
    async fn with(server: &str) -> Takers {
        let http2 = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let listener = format!("[[listeners]]\naddress = \"{http2}\"\nhttp2 = \"prior_knowledge\"\n");
        let setup = Setup::new().server(server).section(&listener);
        let backend = setup.backend("takers");
        let backends = format!("[backends.takers]\nendpoints = [{:?}]\n", backend.endpoint());
        setup.write_routes("takers.toml", &format!("{backends}{ROUTES}"));
        let gateway = setup.gateway().await;
        gateway.connected(&backend).await;
        Takers { gateway, backend, http2 }
    }

    /// Clients of both versions of HTTP.
    fn clients(&self) -> [Client; 2] {
        [Client::new(self.gateway.addr), Client::http2(self.http2)]
    }

    async fn ask(&self, path: &str) -> Value {
        self.gateway.client.get(path).await.json()
    }

    /// Waits until the backend says that.
    async fn says(&self, path: &str, expected: u32) {
        eventually(&format!("{path} that says {expected}"), async || {
            (self.ask(path).await == expected).then_some(())
        })
        .await;
    }

    /// A request that has begun to stream by HTTP/1.1.
    async fn begin(&self, path: &str, lines: &str) -> Raw {
        let mut raw = Raw::connect(self.gateway.addr).await;
        raw.write(format!("POST {path} HTTP/1.1\r\nhost: x\r\n{lines}transfer-encoding: chunked\r\n\r\n"))
            .await;
        raw
    }
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

const LINES: &str = "content-type: application/x-ndjson\r\n";

fn request(path: &str) -> http::Request<()> {
    let mut request = Http2::request("POST", path);
    request.headers_mut().insert("content-type", http::HeaderValue::from_static("application/x-ndjson"));
    request
}

#[tokio::test]
async fn items_come_on_lines_and_in_an_array_by_both_versions_of_http() {
    let takers = Takers::start().await;
    let json = ("content-type", "application/json");
    let many: String = (1..=2000).map(|n| format!("{{\"n\": {n}}}\n")).collect();
    let array = format!("[{}]", many.trim_end().replace('\n', ", "));
    for client in takers.clients() {
        for (kind, body, sum) in [
            (NDJSON, "", 7),
            (NDJSON, "{\"n\": 1}\n\r\n{\"n\": 2}\r\n{\"n\":\t3}", 13),
            (NDJSON, &many, 2_001_007),
            (("content-type", "application/jsonl"), "{\"n\": 1}", 8),
            (json, "", 7),
            (json, " [ ] ", 7),
            (json, "[{\"n\": 1}, {\"n\": 2,\n\"pad\": \"]\"}]\n", 10),
            (json, &array, 2_001_007),
        ] {
            let answer = client.send("POST", "/sum/7", &[kind], body.to_owned()).await;
            assert_eq!((answer.status, answer.text()), (200, sum.to_string()), "{kind:?} {body:.40}");
        }
        let answer = client.send("POST", "/sum/7", &[], "[{\"n\": 1}]").await;
        assert_eq!((answer.status, answer.json()), (200, json!(8)), "without a type it is JSON");
    }
    let sent = ["direction=\"request\""];
    assert_eq!(takers.gateway.metric("callgate_stream_items_total", &sent).await, 8014.0);
}

#[tokio::test]
async fn a_body_of_another_type_or_coding_is_refused_with_what_can_be_sent() {
    let takers = Takers::start().await;
    for client in takers.clients() {
        let answer = client.send("POST", "/sum/0", &[("content-type", "text/csv")], "1").await;
        assert_eq!(answer.status, 415);
        assert_eq!(answer.header("accept"), "application/x-ndjson, application/json");
        let answer = client.send("POST", "/sum/0", &[NDJSON, ("content-encoding", "lzma")], "1").await;
        assert_eq!(answer.status, 415);
    }
}

#[tokio::test]
async fn a_bad_item_is_a_problem_whose_pointer_begins_with_its_place() {
    let takers = Takers::start().await;
    let json = ("content-type", "application/json");
    for client in takers.clients() {
        for (kind, body, pointer, detail) in [
            (NDJSON, "{\"n\": 1}\n{\"n\": \"x\"}\n", "/1/n", "expected"),
            (NDJSON, "{\"n\": 1}\n\n{\"n\": 1, \"m\": 2}", "/1/m", "unknown field `m`"),
            (NDJSON, "{\"n\": 1}\n{\"n\": 1", "/1/n", "the end of the document"),
            (json, "[{\"n\": 1}, {\"n\": -1}]", "/1/n", "-1"),
            (json, "[{\"n\": 1}, ]", "/1", "expected an item"),
            (json, "[{\"n\": 1}", "/1", "the body ends before its array does"),
            (json, "{\"n\": 1}", "", "the body is not an array of items"),
        ] {
            let answer = client.send("POST", "/sum/0", &[kind], body).await;
            let problem = answer.json();
            assert_eq!(
                (answer.status, &problem["errors"][0]["pointer"]),
                (400, &json!(pointer)),
                "{problem}"
            );
            let told = problem["errors"][0]["detail"].as_str().unwrap_or_default();
            assert!(told.contains(detail), "{body}: {told}");
        }
    }
    takers.says("/running", 0).await;
}

#[tokio::test]
async fn curl_streams_what_a_pipe_brings() {
    let takers = Takers::start().await;
    for (version, addr) in [("--http1.1", takers.gateway.addr), ("--http2-prior-knowledge", takers.http2)] {
        let url = format!("http://{addr}/sum/0");
        let before = takers.ask("/taken").await.as_u64().expect("a number") as u32;
        let mut curl = Command::new("curl");
        curl.args(["-sS", version, "-T", "-", "-H", "content-type: application/x-ndjson", &url]);
        let mut curl = curl.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("curl runs");
        let mut pipe = curl.stdin.take().expect("a pipe");
        for n in 1..=3 {
            writeln!(pipe, "{{\"n\": {n}}}").expect("curl reads");
            pipe.flush().expect("curl reads");
            takers.says("/taken", before + n).await;
        }
        drop(pipe);
        let output = tokio::task::spawn_blocking(move || curl.wait_with_output()).await.expect("no panic");
        assert_eq!(String::from_utf8_lossy(&output.expect("curl ends").stdout), "6", "{version}");
    }
}

#[tokio::test]
async fn python_streams_a_body_in_chunks() {
    let takers = Takers::start().await;
    let program = "import http.client, json, sys\n\
        connection = http.client.HTTPConnection(sys.argv[1])\n\
        for round in range(2):\n\
        \x20   lines = (json.dumps({'n': n}).encode() + b'\\n' for n in range(100))\n\
        \x20   connection.request('POST', '/sum/1', lines, {'Content-Type': 'application/x-ndjson'}, encode_chunked=True)\n\
        \x20   print(connection.getresponse().read().decode())\n";
    let mut python = Command::new("python3");
    python.args(["-c", program, &takers.gateway.addr.to_string()]);
    let output = tokio::task::spawn_blocking(move || python.output()).await.expect("no panic");
    let output = output.expect("python3 runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said, "4951\n4951\n", "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn a_connection_goes_on_behind_a_stream() {
    let takers = Takers::start().await;
    let mut raw = takers.begin("/sum/1", LINES).await;
    let next = "GET /taken HTTP/1.1\r\nhost: x\r\n\r\n";
    raw.write(format!("{}{}0\r\n\r\n{next}", chunk("{\"n\": 1}\n{\"n\""), chunk(": 2}"))).await;
    let (head, body) = raw.answer().await.expect("an answer");
    assert_eq!((header(&head, "connection"), body.as_str()), (None, "4"));
    assert_eq!(raw.answer().await.expect("the next").1, "2");
}

#[tokio::test]
async fn neither_the_size_of_a_body_nor_its_pace_is_bounded() {
    let takers = Takers::with("max_body = \"1KiB\"\nmax_body_memory = \"1MiB\"\nmin_body_rate = \"1MiB/s\"\nmin_body_rate_window = \"1ms\"").await;
    let line = format!("{{\"n\": 1, \"pad\": {:?}}}\n", "x".repeat(20_000));
    let body = line.repeat(300);
    for client in takers.clients() {
        let answer = client.send("POST", "/sum/0", &[NDJSON], body.clone()).await;
        assert_eq!((answer.status, answer.json()), (200, json!(300)));
    }
    // An item is.
    let item = format!("{{\"n\": 1, \"pad\": {:?}}}\n", "x".repeat(2 << 20));
    for client in takers.clients() {
        let answer = client.send("POST", "/sum/0", &[NDJSON], item.clone()).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (503, Some("unavailable")));
    }
}

#[tokio::test]
async fn a_client_that_is_silent_for_too_long_has_its_call_cancelled() {
    let takers = Takers::with("body_timeout = \"300ms\"").await;
    let mut raw = takers.begin("/sum/1", LINES).await;
    raw.write(chunk("{\"n\": 1}\n")).await;
    let (head, body) = raw.answer().await.expect("an answer");
    assert!(head.starts_with("HTTP/1.1 408 ") && body.contains("did not arrive in time"), "{head}{body}");
    let mut http2 = Http2::connect(takers.http2).await;
    let mut sent = http2.begin(request("/sum/1"), true).await;
    sent.send.send_data(Bytes::from_static(b"{\"n\": 1}\n"), false).expect("it is open");
    assert_eq!(sent.answer().await.expect("an answer").status, 408);
    takers.says("/running", 0).await;
    assert_eq!(takers.ask("/ended").await, 0);
}

#[tokio::test]
async fn a_client_that_leaves_cancels_the_method_and_is_never_taken_for_one_that_has_ended() {
    let takers = Takers::start().await;
    for path in ["/sum/1", "/chat", "/wait"] {
        let mut raw = takers.begin(path, LINES).await;
        raw.write(chunk("{\"n\": 1}\n{\"n\": 2}\n")).await;
        takers.says("/running", 1).await;
        drop(raw);
        takers.says("/running", 0).await;
        let mut http2 = Http2::connect(takers.http2).await;
        let mut sent = http2.begin(request(path), true).await;
        sent.send.send_data(Bytes::from_static(b"{\"n\": 1}\n{\"n\": 2}\n"), false).expect("it is open");
        takers.says("/running", 1).await;
        sent.send.send_reset(h2::Reason::CANCEL);
        takers.says("/running", 0).await;
        assert!(http2.is_open().await);
    }
    assert_eq!(takers.ask("/ended").await, 0);
}

#[tokio::test]
async fn a_client_that_leaves_while_nothing_is_read_of_it_is_seen() {
    let takers = Takers::start().await;
    let mut raw = takers.begin("/wait", LINES).await;
    // More items than the method's credit and the queue: its end lies behind what nobody takes.
    raw.write(chunk(&"{\"n\": 1}\n".repeat(1000))).await;
    takers.says("/running", 1).await;
    drop(raw);
    takers.says("/running", 0).await;
    assert_eq!(takers.ask("/ended").await, 0);
}

#[tokio::test]
async fn a_method_that_is_slow_slows_its_client_down() {
    let takers = Takers::start().await;
    let line = format!("{{\"n\": 1, \"pad\": {:?}}}\n", "x".repeat(10_000));
    // By HTTP/2 the client's window says how much is not taken.
    let mut http2 = Http2::connect(takers.http2).await;
    let mut sent = http2.begin(request("/wait"), true).await;
    let body = Bytes::from(line.repeat(2000));
    sent.send.send_data(body.clone(), true).expect("it is open");
    let before = takers.gateway.resident_bytes();
    let url = format!("http://{}/wait", takers.gateway.addr);
    let mut curl = Command::new("curl");
    curl.args([
        "-sS",
        "--http1.1",
        "-T",
        "-",
        "-X",
        "POST",
        "-H",
        "content-type: application/x-ndjson",
        &url,
    ]);
    let mut curl = curl.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("curl runs");
    let mut pipe = curl.stdin.take().expect("a pipe");
    let writes = tokio::task::spawn_blocking(move || pipe.write_all(&body));
    takers.says("/running", 2).await;
    assert_eq!(takers.ask("/taken").await, 0);
    assert!(!writes.is_finished(), "20 MB are more than all buffers on the way");
    assert!(takers.gateway.resident_bytes() < before + (8 << 20));
    takers.gateway.client.post("/go", "").await;
    let answer = sent.answer().await.expect("an answer");
    assert_eq!((answer.status, answer.json()), (200, json!(2000)));
    writes.await.expect("no panic").expect("curl reads all");
    let output = tokio::task::spawn_blocking(move || curl.wait_with_output()).await.expect("no panic");
    assert_eq!(String::from_utf8_lossy(&output.expect("curl ends").stdout), "2000");
}

#[tokio::test]
async fn a_client_that_waits_to_be_told_to_send_is_told() {
    let takers = Takers::start().await;
    let mut raw = takers.begin("/sum/1", &format!("{LINES}expect: 100-continue\r\n")).await;
    raw.read_until(|text| text.ends_with("100 Continue\r\n\r\n")).await;
    raw.write(format!("{}0\r\n\r\n", chunk("{\"n\": 1}\n"))).await;
    let text = raw.read_until(|text| text.ends_with("\r\n\r\n2")).await;
    assert!(text.contains("\r\n\r\nHTTP/1.1 200 "), "{text}");
    let mut http2 = Http2::connect(takers.http2).await;
    let mut head = request("/sum/1");
    head.headers_mut().insert("expect", http::HeaderValue::from_static("100-continue"));
    let mut sent = http2.begin(head, true).await;
    let told = sent.informed().await.expect("a word").expect("it is open");
    assert_eq!(told.status(), 100);
    sent.send.send_data(Bytes::from_static(b"{\"n\": 1}"), true).expect("it is open");
    assert_eq!(sent.answer().await.expect("an answer").json(), json!(2));
}

#[tokio::test]
async fn a_method_may_answer_before_the_body_ends() {
    let takers = Takers::start().await;
    let mut raw = takers.begin("/first", LINES).await;
    raw.write(chunk("{\"n\": 7}\n")).await;
    let (head, body) = raw.answer().await.expect("an answer");
    assert_eq!((header(&head, "connection"), body.as_str()), (Some("close"), "7"), "nobody knows its length");
    assert!(raw.ended().await);
    // What is left of this one is little.
    let mut raw = Raw::connect(takers.gateway.addr).await;
    raw.write(format!("POST /first HTTP/1.1\r\nhost: x\r\n{LINES}content-length: 18\r\n\r\n{{\"n\": 7}}\n"))
        .await;
    let (head, body) = raw.answer().await.expect("an answer");
    assert_eq!((header(&head, "connection"), body.as_str()), (None, "7"));
    raw.write("{\"n\": 8}\nGET /running HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(raw.answer().await.expect("the next").1, "0");
    let mut http2 = Http2::connect(takers.http2).await;
    let mut sent = http2.begin(request("/first"), true).await;
    sent.send.send_data(Bytes::from_static(b"{\"n\": 7}\n"), false).expect("it is open");
    assert_eq!(sent.answer().await.expect("an answer").json(), json!(7));
    assert_eq!(http2.get("/running").await.json(), json!(0));
}

/// How many items are in what has come, whatever stands between them.
fn items(text: &str) -> usize {
    text.matches("{\"n\":").count()
}

#[tokio::test]
async fn items_come_back_while_others_are_sent_by_http_1() {
    let takers = Takers::start().await;
    let mut raw =
        takers.begin("/chat", &format!("{LINES}accept: application/x-ndjson, application/json\r\n")).await;
    for n in 1..=20 {
        raw.write(chunk(&format!("{{\"n\": {n}}}\n"))).await;
        let text = raw.read_until(|text| items(text) == n).await;
        assert!(text.starts_with("HTTP/1.1 200 ") && items(&text) == n, "{text}");
    }
    raw.write("0\r\n\r\n").await;
    let text = raw.read_until(|text| text.ends_with("\r\n0\r\n\r\n")).await;
    assert!(text.ends_with("\r\n0\r\n\r\n"), "{text}");
    takers.says("/ended", 1).await;
    // The connection goes on.
    raw.write("GET /running HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let text = raw.read_until(|text| text.matches("HTTP/1.1 200").count() == 2).await;
    assert_eq!(text.matches("HTTP/1.1 200").count(), 2, "{text}");
}

#[tokio::test]
async fn items_come_back_while_others_are_sent_by_http_2() {
    let takers = Takers::start().await;
    let mut http2 = Http2::connect(takers.http2).await;
    let mut head = request("/chat");
    let accept = http::HeaderValue::from_static("application/x-ndjson, application/json");
    head.headers_mut().insert("accept", accept);
    let mut sent = http2.begin(head, true).await;
    sent.send.send_data(Bytes::from_static(b"{\"n\": 1}\n"), false).expect("it is open");
    let (mut send, reply) = sent.head().await.expect("a head");
    let (mut incoming, mut text) = (reply.into_body(), String::new());
    for n in 2..=20 {
        send.send_data(Bytes::from(format!("{{\"n\": {n}}}\n")), false).expect("it is open");
        while items(&text) < n {
            let bytes = incoming.data().await.expect("more comes").expect("it is open");
            text.push_str(&String::from_utf8_lossy(&bytes));
            incoming.flow_control().release_capacity(bytes.len()).expect("it is open");
        }
    }
    send.send_data(Bytes::new(), true).expect("it is open");
    while incoming.data().await.is_some_and(|data| data.is_ok()) {}
    takers.says("/ended", 1).await;
    takers.says("/running", 0).await;
}

#[tokio::test]
async fn a_bad_item_behind_the_beginning_of_the_reply_breaks_it_off() {
    let takers = Takers::start().await;
    let mut raw = takers.begin("/chat", LINES).await;
    raw.write(chunk("{\"n\": 1}\n")).await;
    raw.read_until(|text| items(text) == 1).await;
    raw.write(chunk("{\"m\": 1}\n")).await;
    let text = raw.read_until(|_| false).await;
    assert!(!text.ends_with("\r\n0\r\n\r\n"), "{text}");
    takers.says("/running", 0).await;
    assert_eq!(takers.ask("/ended").await, 0);
}

#[tokio::test]
async fn a_call_is_not_sent_again_when_some_of_its_stream_is_gone() {
    let mut takers = Takers::start().await;
    let mut raw = takers.begin("/sum/1", LINES).await;
    raw.write(chunk("{\"n\": 1}\n")).await;
    takers.says("/taken", 1).await;
    takers.backend.kill();
    let (head, body) = raw.answer().await.expect("an answer");
    assert!(
        head.starts_with("HTTP/1.1 503 ") && body.contains("was lost while the call ran"),
        "{head}{body}"
    );
}

#[tokio::test]
async fn a_route_and_a_method_that_differ_in_whether_a_stream_comes_are_told() {
    let setup = Setup::new();
    let backend = setup.backend("takers");
    setup.write_routes(
        "takers.toml",
        &format!(
            "[backends.takers]\nendpoints = [{:?}]\n\
             [[routes]]\nmatch = \"POST /sum/{{from}}\"\ncall = \"takers.sum\"\nbody = false\n\
             [[routes]]\nmatch = \"POST /go\"\ncall = \"takers.go\"\nbody = {{ stream = true }}\n",
            backend.endpoint()
        ),
    );
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    let (status, said) = setup.check_against_backend(&backend).await;
    assert_eq!(status, Some(1), "{said}");
    for told in [
        "takers.toml:6:8",
        "write body = { stream = true }",
        "takers.toml:10:8",
        "leave `stream` out of `body`",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    let answer = gateway.client.send("POST", "/go", &[NDJSON], "1").await;
    assert_eq!(answer.status, 500, "{}", answer.text());
}
