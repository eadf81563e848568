//! Streams over HTTP, as clients see them: the forms that items come in, how a stream ends and how it is cut, and who it waits for.

use callgate_tests::{Answer, Backend, Gateway, Http2, PATIENCE, Raw, Setup, eventually, free_port};
use h2::Reason;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::{Child, Command};

const LINES: &str = "application/x-ndjson";
const EVENTS: &str = "text/event-stream";
const ARRAY: &str = "application/json";
const FORMS: [&str; 3] = [LINES, EVENTS, ARRAY];

struct Feeds {
    setup: Setup,
    gateway: Gateway,
    backend: Backend,
    /// Where it speaks HTTP/2.
    http2: SocketAddr,
}

/// What curl is told to speak each version of HTTP, and its exit status when a body of that is torn.
const VERSIONS: [(&str, i32); 2] = [("--http1.1", 18), ("--http2-prior-knowledge", 92)];

impl Feeds {
    async fn start() -> Feeds {
        Feeds::with(Setup::new(), "").await
    }

    /// A gateway with a backend whose method streams as the path says. Those lines of the route.
    async fn with(setup: Setup, route: &str) -> Feeds {
        let http2 = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let listener = format!("[[listeners]]\naddress = \"{http2}\"\nhttp2 = \"prior_knowledge\"\n");
        let setup = setup.section(&listener);
        let backend = setup.backend("feeds");
        setup.write_routes(
            "feeds.toml",
            &format!(
                "[backends.feeds]\nendpoints = [\"{}\"]\n\
                 [[routes]]\nmatch = \"GET /feed/{{to}}/{{then}}\"\ncall = \"feeds.feed\"\n{route}\n\
                 [[routes]]\nmatch = \"GET /events\"\ncall = \"feeds.events\"\n\
                 bind = {{ after = {{ header = \"last-event-id\" }} }}\n\
                 response = {{ stream = \"sse\", events = {{ event = \"kind\", id = \"seq\", retry = \"pause\" }} }}\n\
                 [[routes]]\nmatch = \"GET /running\"\ncall = \"feeds.running\"\n\
                 [[routes]]\nmatch = \"GET /made\"\ncall = \"feeds.made\"\n",
                backend.endpoint()
            ),
        );
        let gateway = setup.gateway().await;
        gateway.connected(&backend).await;
        Feeds { setup, gateway, backend, http2 }
    }

    async fn get(&self, path: &str, accept: &str) -> Answer {
        self.gateway.client.send("GET", path, &[("accept", accept)], "").await
    }

    /// A client that has sent its request.
    async fn ask(&self, path: &str, accept: &str) -> Raw {
        let mut raw = Raw::connect(self.gateway.addr).await;
        raw.write(format!("GET {path} HTTP/1.1\r\nhost: x\r\naccept: {accept}\r\n\r\n")).await;
        raw
    }

    /// curl, by that version of HTTP, which writes what comes.
    fn curl(&self, version: &str, path: &str, accept: &str) -> Curl {
        let out = self.setup.file(&format!("curl-{}", fastrand::u64(..)));
        let file = std::fs::File::create(&out).expect("a file");
        let mut command = Command::new("curl");
        command.args(["-sSN", "--max-time", "60", version, "-H", &format!("accept: {accept}")]);
        let addr = if version == "--http1.1" { self.gateway.addr } else { self.http2 };
        let url = format!("http://{addr}{path}");
        let child = command.arg(url).stdout(file).stderr(Stdio::null()).kill_on_drop(true).spawn();
        Curl { child: child.expect("curl runs"), out }
    }

    async fn number(&self, path: &str) -> u64 {
        self.gateway.client.get(path).await.json().as_u64().expect("a number")
    }

    /// Waits until so many calls of the method are running.
    async fn running(&self, expected: u64) {
        eventually(&format!("{expected} calls that run"), async || {
            let running = self.gateway.client.get("/running").await.json();
            (running == expected).then_some(())
        })
        .await;
    }

    /// Waits until so many streams have ended so.
    async fn ended(&self, outcome: &str, n: f64) {
        eventually(&format!("{n} streams that are {outcome}"), async || {
            let label = format!("outcome=\"{outcome}\"");
            (self.gateway.metric("callgate_stream_ends_total", &[&label]).await == n).then_some(())
        })
        .await;
    }
}

struct Curl {
    child: Child,
    out: PathBuf,
}

impl Curl {
    fn text(&self) -> String {
        std::fs::read_to_string(&self.out).unwrap_or_default()
    }

    /// Waits until it has written that.
    async fn has(&self, expected: &str) {
        eventually(expected, async || self.text().contains(expected).then_some(())).await;
    }

    /// Its exit status, and all that has come.
    async fn ended(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().await.expect("it can be waited for");
        (status.code(), self.text())
    }
}

/// What is said of three numbers in a form, without an end.
fn three(form: &str) -> &'static str {
    match form {
        LINES => "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n",
        EVENTS => "data: {\"n\":1}\n\ndata: {\"n\":2}\n\ndata: {\"n\":3}\n\n",
        _ => "[{\"n\":1},{\"n\":2},{\"n\":3}",
    }
}

/// What says in a form that all has come.
fn end(form: &str) -> &'static str {
    match form {
        LINES => "",
        EVENTS => "event: end\ndata: {}\n\n",
        _ => "]",
    }
}

/// The problem that last words say, in front of which stands what they begin with.
fn problem(form: &str, words: &str) -> Option<Value> {
    let json = match form {
        LINES => words.strip_prefix("error: ")?.strip_suffix('\n')?,
        EVENTS => words.strip_prefix("event: error\ndata: ")?.strip_suffix("\n\n")?,
        _ => return words.is_empty().then(|| json!({})),
    };
    serde_json::from_str(json).ok()
}

#[tokio::test]
async fn a_client_gets_the_form_that_it_names_by_either_version_of_http() {
    let feeds = Feeds::start().await;
    for (accept, form) in [
        ("*/*", LINES),
        ("application/*", LINES),
        (LINES, LINES),
        (EVENTS, EVENTS),
        (ARRAY, ARRAY),
        ("application/json;q=0.5, text/event-stream", EVENTS),
    ] {
        let mut http2 = Http2::connect(feeds.http2).await;
        let mut request = Http2::request("GET", "/feed/3/end");
        request.headers_mut().insert("accept", accept.parse().expect("a value"));
        let second = http2.try_get(request).await.expect("a reply");
        for answer in [feeds.get("/feed/3/end", accept).await, second] {
            assert_eq!((answer.status, answer.header("content-type")), (200, form), "{accept}");
            assert_eq!(answer.text(), format!("{}{}", three(form), end(form)), "{accept}");
            assert_eq!(answer.header("vary"), "accept");
            let of_events = [answer.header("cache-control"), answer.header("x-accel-buffering")];
            assert_eq!(of_events, if form == EVENTS { ["no-cache", "no"] } else { ["", ""] });
        }
    }
    let nothing = feeds.get("/feed/0/end", ARRAY).await;
    assert_eq!(nothing.text(), "[]");
    let none = feeds.get("/feed/3/end", "text/html").await;
    let detail = none.json()["detail"].as_str().expect("a text").to_owned();
    assert_eq!(none.status, 406);
    assert!(FORMS.iter().all(|form| detail.contains(form)), "{detail}");
    // A method that has one result has no other form of it.
    assert_eq!(feeds.get("/running", EVENTS).await.status, 406);
    feeds.ended("ok", 13.0).await;
    let head = feeds.gateway.client.send("HEAD", "/feed/3/hang", &[("accept", EVENTS)], "").await;
    assert_eq!((head.status, head.header("content-type"), head.body.len()), (200, EVENTS, 0));
    feeds.running(0).await;
}

#[tokio::test]
async fn a_route_may_say_the_form_and_then_nothing_depends_on_the_client() {
    let feeds = Feeds::with(Setup::new(), "response = { stream = \"ndjson\" }\ncompress = false").await;
    let answer = feeds.get("/feed/3/end", "*/*").await;
    assert_eq!((answer.header("content-type"), answer.header("vary")), (LINES, ""));
    let refused = feeds.get("/feed/3/end", EVENTS).await;
    assert_eq!((refused.status, refused.header("vary")), (406, "accept"));
    let routes = feeds.gateway.admin.get("/routes").await.json();
    let of = |call: &str| {
        let all = routes["routes"].as_array().expect("a list");
        all.iter().find(|route| route["call"] == call).expect("it is there").clone()
    };
    assert_eq!(of("feeds.feed")["reply"]["stream"], "ndjson");
    assert_eq!(of("feeds.feed")["max_stream"]["time_ms"], 3_600_000);
    let events = &of("feeds.events")["reply"]["events"];
    assert_eq!((&events["event"], &events["heartbeat_ms"]), (&json!("kind"), &json!(15_000)));
}

#[tokio::test]
async fn an_event_says_what_its_item_says_and_goes_on_behind_the_last_one() {
    let feeds = Feeds::start().await;
    let of = async |query: &str, last: &[(&str, &str)]| {
        let path = format!("/events?{query}");
        feeds.gateway.client.send("GET", &path, last, "").await.text()
    };
    let item = "{\"kind\":\"tick\",\"seq\":\"7\",\"pause\":250,\"text\":\"a\"}";
    let bare = |text: &str| format!("{{\"kind\":null,\"seq\":null,\"pause\":null,\"text\":\"{text}\"}}");
    assert_eq!(
        of("kind=tick&seq=7&pause=250&text=a", &[("last-event-id", "6")]).await,
        format!(
            "event: tick\nid: 7\nretry: 250\ndata: {item}\n\ndata: {}\n\nevent: end\ndata: {{}}\n\n",
            bare("6")
        )
    );
    // A line break in the text is none in the data.
    assert!(of("text=a%0Ab", &[]).await.starts_with(&format!("data: {}\n\n", bare("a\\nb"))));
    for query in
        ["kind=a%0Ab", "kind=a%0Db", "seq=%00", "pause=-1", "kind=end", "kind=error", "kind=reconnect"]
    {
        let curl = feeds.curl("--http1.1", &format!("/events?{query}"), EVENTS);
        let (status, text) = curl.ended().await;
        let told = problem(EVENTS, &text).unwrap_or_else(|| panic!("{query}: {text}"));
        assert_eq!((status, told["code"].as_str()), (Some(18), Some("internal")), "{query}");
    }
    feeds.ended("bad_reply", 7.0).await;
}

#[tokio::test]
async fn whoever_waits_for_an_event_hears_that_somebody_is_there() {
    let feeds = Feeds::with(Setup::new(), "response = { events = { heartbeat = \"100ms\" } }").await;
    let mut raw = feeds.ask("/feed/1/hang", EVENTS).await;
    let text = raw.read_until(|text| text.matches(":\n\n").count() >= 3).await;
    assert!(text.contains("data: {\"n\":1}\n\n"), "{text}");
    let curl = feeds.curl("--http2-prior-knowledge", "/feed/1/hang", EVENTS);
    curl.has("data: {\"n\":1}\n\n:\n\n:\n\n").await;
    // Lines have no word for that.
    let mut lines = feeds.ask("/feed/0/hang", LINES).await;
    let text = lines.read_until(|text| text.ends_with("\r\n\r\n")).await;
    assert!(text.contains(LINES), "the head does not wait for an item");
}

#[tokio::test]
async fn every_form_shows_that_it_was_cut() {
    let mut feeds = Feeds::start().await;
    // The method fails behind its last item.
    for (version, torn) in VERSIONS {
        for form in FORMS {
            let (status, text) = feeds.curl(version, "/feed/3/fail", form).ended().await;
            let words = text.strip_prefix(three(form)).unwrap_or_else(|| panic!("{version} {form}: {text}"));
            let told = problem(form, words).unwrap_or_else(|| panic!("{version} {form}: {text}"));
            assert_eq!(status, Some(torn), "{version} {form}");
            if form != ARRAY {
                assert_eq!((&told["status"], &told["code"]), (&json!(404), &json!("not_found")));
            }
        }
    }
    // Its instance is killed.
    let all = VERSIONS.iter().flat_map(|version| FORMS.map(|form| (*version, form)));
    let streams: Vec<_> =
        all.map(|((version, torn), form)| (feeds.curl(version, "/feed/3/hang", form), torn, form)).collect();
    for (curl, _, _) in &streams {
        curl.has("{\"n\":3}").await;
    }
    feeds.backend.kill();
    for (curl, torn, form) in streams {
        let (status, text) = curl.ended().await;
        let words = text.strip_prefix(three(form)).unwrap_or_else(|| panic!("{form}: {text}"));
        let told = problem(form, words).unwrap_or_else(|| panic!("{form}: {text}"));
        assert_eq!(status, Some(torn), "{form}");
        if form != ARRAY {
            assert_eq!(told["code"], "unavailable");
        }
    }
    feeds.ended("lost", 6.0).await;
}

#[tokio::test]
async fn a_client_of_http_2_hears_the_last_words_before_the_reset() {
    let feeds = Feeds::start().await;
    let mut http2 = Http2::connect(feeds.http2).await;
    for form in FORMS {
        let mut request = Http2::request("GET", "/feed/3/fail");
        request.headers_mut().insert("accept", form.parse().expect("a value"));
        let (_send, response) = http2.begin(request, false).await.head().await.expect("a head");
        let (mut body, mut text, mut ended) = (response.into_body(), Vec::new(), None);
        while let Some(data) = body.data().await {
            match data {
                Ok(data) => text.extend_from_slice(&data),
                Err(error) => {
                    ended = error.reason();
                    break;
                }
            }
        }
        let text = String::from_utf8(text).expect("text");
        assert_eq!(ended, Some(Reason::INTERNAL_ERROR), "{form}");
        let words = text.strip_prefix(three(form)).unwrap_or_else(|| panic!("{form}: {text}"));
        assert!(problem(form, words).is_some(), "{form}: {text}");
    }
    assert!(http2.is_open().await, "the connection goes on");
}

#[tokio::test]
async fn pythons_standard_library_sees_what_is_whole_and_what_was_cut() {
    let mut feeds = Feeds::start().await;
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/streams.py");
    let port = feeds.gateway.addr.port().to_string();
    let run = |path: &str| {
        let mut command = Command::new("python3");
        command.arg(&program).arg(&port).arg(path);
        command.stdout(Stdio::piped()).kill_on_drop(true);
        async move { String::from_utf8(command.output().await.expect("python3 runs").stdout).expect("text") }
    };
    assert_eq!(run("/feed/3/end").await, "first\nwhole None 3\nfirst\nwhole end 3\nfirst\nwhole None 3\n");
    assert_eq!(run("/feed/3/fail").await, "first\ncut - -\n".repeat(3));
    let hangs = tokio::spawn(run("/feed/3/hang"));
    for _ in FORMS {
        // One form after the other.
        feeds.running(1).await;
        feeds.backend.kill();
        feeds.backend.start();
        feeds.gateway.connected(&feeds.backend).await;
    }
    assert_eq!(hangs.await.expect("no panic"), "first\ncut - -\n".repeat(3));
}

#[tokio::test]
async fn a_client_that_leaves_cancels_the_method_in_every_form() {
    let feeds = Feeds::start().await;
    for form in FORMS {
        for path in ["/feed/2/hang", "/feed/4000000000/end"] {
            let mut raw = feeds.ask(path, form).await;
            raw.read_until(|text| text.contains("{\"n\":2}")).await;
            feeds.running(1).await;
            drop(raw);
            feeds.running(0).await;
            let curl = feeds.curl("--http2-prior-knowledge", path, form);
            curl.has("{\"n\":2}").await;
            feeds.running(1).await;
            drop(curl);
            feeds.running(0).await;
            // The stream alone, and not its connection.
            let mut http2 = Http2::connect(feeds.http2).await;
            let mut request = Http2::request("GET", path);
            request.headers_mut().insert("accept", form.parse().expect("a value"));
            let (send, response) = http2.begin(request, false).await.head().await.expect("a head");
            feeds.running(1).await;
            drop((send, response));
            feeds.running(0).await;
            assert!(http2.is_open().await);
        }
    }
    feeds.ended("left", 18.0).await;
}

#[tokio::test]
async fn a_reader_that_pauses_stops_its_writer_and_nobody_else() {
    let feeds = Feeds::with(Setup::new().server("min_send_rate_window = \"250ms\""), "").await;
    let mut raw = feeds.ask("/feed/3000000/end", LINES).await;
    // A window for those that do not pause.
    let builder = h2::client::Builder::new().initial_connection_window_size(1 << 20).to_owned();
    let mut http2 = Http2::connect_with(feeds.http2, &builder).await;
    let (_send, response) =
        http2.begin(Http2::request("GET", "/feed/3000000/end"), false).await.head().await.expect("a head");
    // Both writers stand still: what is made does not grow while others are served.
    let stand_still = async {
        loop {
            let before = feeds.number("/made").await;
            for _ in 0..50 {
                assert_eq!(http2.get("/feed/3/end").await.text(), three(LINES));
            }
            let made = feeds.number("/made").await;
            if before > 0 && made == before + 50 * 3 {
                return made;
            }
        }
    };
    let made = tokio::time::timeout(PATIENCE, stand_still).await.expect("writers that stand still");
    assert!(made < 2_000_000, "{made} items are far ahead of readers that read nothing");
    // And they go on where they were, though they have rested for longer than a reader of a whole answer may.
    let text = raw.read_until(|text| text.contains("{\"n\":200}")).await;
    assert!(text.starts_with("HTTP/1.1 200 "));
    let (mut body, mut read) = (response.into_body(), 0);
    while read < 1_000_000 {
        let data = body.data().await.expect("more comes").expect("it goes on");
        read += data.len();
        body.flow_control().release_capacity(data.len()).expect("it is open");
    }
}

#[tokio::test]
async fn a_stream_ends_where_its_route_says() {
    for (bounds, path, outcome, code) in [
        ("max_stream = \"3s\"", "/feed/3/hang", "late", "deadline_exceeded"),
        ("max_stream = { bytes = \"70B\" }", "/feed/4000000000/end", "too_long", "resource_exhausted"),
        ("stream_idle = \"300ms\"", "/feed/3/hang", "idle", "deadline_exceeded"),
    ] {
        let feeds = Feeds::with(Setup::new(), bounds).await;
        for (version, torn) in VERSIONS {
            for form in [LINES, EVENTS] {
                let (status, text) = feeds.curl(version, path, form).ended().await;
                assert_eq!(status, Some(torn), "{bounds} {version} {form}: {text}");
                let at = text.find("error: {").or(text.find("event: error")).expect("last words");
                let told = problem(form, &text[at..]).unwrap_or_else(|| panic!("{bounds}: {text}"));
                assert_eq!(told["code"], code, "{bounds}");
                assert!(at <= 70 && text.starts_with(&three(form)[..16]), "{bounds}: {text}");
            }
        }
        feeds.ended(outcome, 4.0).await;
        feeds.running(0).await;
    }
}

/// Streams of every form by either version, which hang behind their third item.
async fn hanging(feeds: &Feeds) -> Vec<(Curl, &'static str)> {
    let all = VERSIONS
        .iter()
        .flat_map(|(version, _)| FORMS.map(|form| (feeds.curl(version, "/feed/3/hang", form), form)));
    let streams: Vec<_> = all.collect();
    for (curl, _) in &streams {
        curl.has("{\"n\":3}").await;
    }
    streams
}

/// They end with a word that tells to come again. The connection may end with the last one, which curl tells otherwise than a reset.
async fn told_to_come_again(streams: Vec<(Curl, &'static str)>) {
    for (curl, form) in streams {
        let (status, text) = curl.ended().await;
        let words = text.strip_prefix(three(form)).unwrap_or_else(|| panic!("{form}: {text}"));
        match form {
            EVENTS => {
                assert!(words.starts_with("event: reconnect\nretry: "), "{text}");
                assert!(words.contains("\"code\":\"unavailable\"") && words.ends_with("\n\n"), "{text}");
            }
            LINES => assert_eq!(problem(form, words).expect("a problem")["code"], "unavailable"),
            _ => assert_eq!(words, ""),
        }
        assert_eq!(status == Some(0), form == EVENTS, "{form}: {status:?}");
    }
}

#[tokio::test]
async fn when_the_gateway_stops_streams_have_their_time_and_are_told_to_come_again() {
    let setup = Setup::new().server("drain_timeout = \"20s\"\nstream_drain = \"500ms\"");
    let mut feeds = Feeds::with(setup, "").await;
    let streams = hanging(&feeds).await;
    feeds.gateway.signal(Signal::SIGTERM);
    told_to_come_again(streams).await;
    assert!(feeds.gateway.ended().await, "{}", feeds.gateway.log());
    assert!(!feeds.gateway.log().contains("still busy"), "{}", feeds.gateway.log());
}

#[tokio::test]
async fn in_an_upgrade_streams_of_the_old_process_go_on_until_then() {
    let setup = Setup::new().server("stream_drain = \"500ms\"");
    let mut feeds = Feeds::with(setup, "").await;
    let streams = hanging(&feeds).await;
    let mut old = feeds.gateway.upgrade().await;
    told_to_come_again(streams).await;
    // The first by a connection to the old process, which ends with it.
    for _ in 0..2 {
        feeds.get("/running", "*/*").await;
    }
    assert!(old.ended().await);
    let again = feeds.get("/feed/3/end", LINES).await;
    assert_eq!(again.text(), three(LINES));
}

#[tokio::test]
async fn streams_of_an_instance_that_drains_run_on() {
    let feeds = Feeds::start().await;
    let mut raw = feeds.ask("/feed/100000/end", EVENTS).await;
    raw.read_until(|text| text.contains("{\"n\":1}")).await;
    let drain = format!("/-/drain?endpoint={}", feeds.backend.endpoint());
    let drained = feeds.gateway.admin.send("POST", &drain, &[], "").await;
    assert_eq!(drained.status, 200, "{}", drained.text());
    assert_eq!(feeds.get("/feed/3/end", LINES).await.status, 503);
    let text = raw.read_until(|text| text.ends_with("\r\n0\r\n\r\n")).await;
    assert!(text.contains("{\"n\":100000}") && text.contains("event: end\n"));
    feeds.ended("ok", 1.0).await;
}

#[tokio::test]
async fn what_says_something_of_streams_has_to_fit_the_method() {
    let setup = Setup::new();
    let backend = setup.backend("feeds");
    setup.write_routes(
        "feeds.toml",
        &format!(
            "[backends.feeds]\nendpoints = [\"{}\"]\n\
             [[routes]]\nmatch = \"GET /events\"\ncall = \"feeds.events\"\n\
             response = {{ events = {{ event = \"knd\" }} }}\n\
             [[routes]]\nmatch = \"GET /running\"\ncall = \"feeds.running\"\nresponse = {{ stream = \"sse\" }}\n",
            backend.endpoint()
        ),
    );
    let (status, said) = setup.check_against_backend(&backend).await;
    assert_eq!(status, Some(1), "{said}");
    for words in ["unknown field `knd`, did you mean `kind`?", "the method has one result and no items"] {
        assert!(said.contains(words), "{said}");
    }
}
