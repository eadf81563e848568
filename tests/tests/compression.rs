//! Answers in a coding: which ones, for whom, with which tags, and that what comes out is what went in. curl and Python are the judges.

use callgate_tests::{Backend, Client, Gateway, Raw, Setup, eventually, free_port, header};
use std::net::SocketAddr;
use std::process::Command;

const ROUTES: &str = r#"
[[routes]]
match = "GET /rows/{rows}"
call = "files.list"
etag = true

[[routes]]
match = "GET /plain/{rows}"
call = "files.list"
compress = false

[[routes]]
match = "GET /cookie/{rows}"
call = "files.list"
response = { headers = { set-cookie = "a=b" } }

[[routes]]
match = "GET /fixed/{rows}"
call = "files.list"
response = { headers = { cache-control = "no-transform" } }

[[routes]]
match = "GET /files/{name}"
call = "files.get"
etag = "version"
response = { raw = "content", content_type = { field = "kind" } }

[[routes]]
match = "PUT /version"
call = "files.put"
body = false
bind = { version = { header = "if-match" } }

[[routes]]
match = "GET /fails/{bytes}"
call = "files.fail"

[[routes]]
match = "GET /fixed"
respond = { body = "LONG" }

[[routes]]
match = "GET /moved"
rewrite = "/rows/1000"
"#;

struct Running {
    _setup: Setup,
    _backend: Backend,
    gateway: Gateway,
    http2: Client,
}

async fn running(server: &str) -> Running {
    let port = free_port();
    let http2 = format!("[[listeners]]\naddress = \"127.0.0.1:{port}\"\nhttp2 = \"prior_knowledge\"\n");
    let setup = Setup::new().server(server).section(&http2);
    let backend = setup.backend("files");
    let backends = format!("compress = true\n[backends.files]\nendpoints = [{:?}]\n", backend.endpoint());
    let routes = ROUTES.replace("LONG", &"long ".repeat(1000));
    setup.write_routes("files.toml", &format!("{backends}{routes}"));
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    let http2 = Client::http2(SocketAddr::from(([127, 0, 0, 1], port)));
    Running { _setup: setup, _backend: backend, gateway, http2 }
}

/// The body that curl makes of an answer in that coding.
fn decoded(gateway: &Gateway, coding: &str, path: &str) -> Vec<u8> {
    let url = format!("http://{}{path}", gateway.addr);
    let accept = format!("accept-encoding: {coding}");
    let arguments = ["-sS", "--fail", "--max-time", "60", "--compressed", "-H", &accept, &url];
    let output = Command::new("curl").args(arguments).output().expect("curl runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[tokio::test]
async fn what_a_client_decodes_is_the_answer_in_each_coding_however_long_it_is() {
    let running = running("").await;
    for rows in [100, 1000, 100_000] {
        let path = format!("/rows/{rows}");
        let plain = running.gateway.client.get(&path).await;
        assert_eq!((plain.header("content-encoding"), plain.header("vary")), ("", "accept-encoding"));
        for coding in ["gzip", "br", "zstd"] {
            for client in [&running.gateway.client, &running.http2] {
                let answer = client.send("GET", &path, &[("accept-encoding", coding)], "").await;
                assert_eq!((answer.status, answer.header("content-encoding")), (200, coding), "{path}");
                assert_eq!(answer.header("vary"), "accept-encoding");
                assert_eq!(answer.header("content-type"), "application/json");
                assert_eq!(answer.header("content-length"), answer.body.len().to_string());
                assert!(answer.body.len() * 3 < plain.body.len(), "{} bytes of {coding}", answer.body.len());
            }
            assert!(decoded(&running.gateway, coding, &path) == plain.body, "{coding} of {path}");
        }
    }
    let held = || async { running.gateway.metric("callgate_answer_memory_bytes", &[]).await };
    eventually("the room comes back", || async { (held().await == 0.0).then_some(()) }).await;
}

#[tokio::test]
async fn a_client_chooses_and_head_says_the_same() {
    let running = running("").await;
    for (accept, expected) in [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip;q=1, br;q=0.5", "gzip"),
        ("*", "zstd"),
        ("identity, gzip;q=0.5", ""),
        ("deflate", ""),
        ("", ""),
    ] {
        let fields = [("accept-encoding", accept)];
        let answer = running.gateway.client.send("GET", "/rows/1000", &fields, "").await;
        assert_eq!(answer.header("content-encoding"), expected, "{accept}");
        let mut raw = Raw::connect(running.gateway.addr).await;
        raw.write(format!(
            "HEAD /rows/1000 HTTP/1.1\r\nhost: x\r\naccept-encoding: {accept}\r\nconnection: close\r\n\r\n"
        ))
        .await;
        let (head, body) = raw.head().await.expect("an answer");
        assert_eq!(body, 0);
        for name in ["content-encoding", "content-length", "content-type", "etag", "vary"] {
            assert_eq!(header(&head, name).unwrap_or_default(), answer.header(name), "{name} for {accept}");
        }
    }
    let short =
        running.gateway.client.send("GET", "/rows/1", &[("accept-encoding", "gzip, identity;q=0")], "").await;
    assert_eq!(short.header("content-encoding"), "", "it would become no shorter");
    let short = running.gateway.client.send("GET", "/rows/20", &[("accept-encoding", "gzip")], "").await;
    assert_eq!((short.header("content-encoding"), short.header("vary")), ("", "accept-encoding"));
    let short =
        running.gateway.client.send("GET", "/rows/20", &[("accept-encoding", "gzip, *;q=0")], "").await;
    assert_eq!(short.header("content-encoding"), "gzip");
}

#[tokio::test]
async fn each_coding_has_a_tag_of_its_own_by_which_its_client_is_told_that_nothing_has_changed() {
    let running = running("").await;
    let client = &running.gateway.client;
    for path in ["/rows/1000", "/files/a?bytes=5000&kind=text/plain&version=7"] {
        let mut tags = Vec::new();
        for coding in ["", "gzip", "br", "zstd"] {
            let accept = ("accept-encoding", coding);
            let answer = client.send("GET", path, &[accept], "").await;
            assert_eq!(answer.header("content-encoding"), coding, "{path}");
            let tag = answer.header("etag").to_owned();
            assert!(tag.starts_with('"') && !tags.contains(&tag), "{tag} of {tags:?}");
            let known = ("if-none-match", tag.as_str());
            let again = client.send("GET", path, &[accept, known], "").await;
            assert_eq!(
                (again.status, again.header("etag"), again.header("vary")),
                (304, &*tag, "accept-encoding")
            );
            assert_eq!(again.header("content-encoding"), "");
            for other in &tags {
                let answer = client.send("GET", path, &[accept, ("if-none-match", other)], "").await;
                assert_eq!(answer.status, 200, "{other} is not {tag}");
            }
            tags.push(tag);
        }
        if path.starts_with("/files") {
            assert_eq!(tags, ["\"7\"", "\"7-gzip\"", "\"7-br\"", "\"7-zstd\""]);
            for tag in &tags {
                let answer = client.send("PUT", "/version", &[("if-match", tag)], "").await;
                assert_eq!((answer.status, answer.text()), (200, "\"7\"".to_owned()), "{tag}");
            }
        }
    }
}

#[tokio::test]
async fn what_must_not_be_compressed_is_not_and_problems_and_fixed_replies_are() {
    let running = running("").await;
    let files = "/files/a?bytes=5000&kind=";
    for (path, status, coding, vary) in [
        ("/plain/1000", 200, "", ""),
        ("/cookie/1000", 200, "", "accept-encoding"),
        ("/fixed/1000", 200, "", "accept-encoding"),
        (&format!("{files}image/png"), 200, "", "accept-encoding"),
        (&format!("{files}text/event-stream"), 200, "", "accept-encoding"),
        (&format!("{files}text/x-log"), 200, "zstd", "accept-encoding"),
        ("/fails/5000", 404, "zstd", "accept-encoding"),
        ("/fails/50", 404, "", "accept-encoding"),
        ("/rows/x", 400, "", "accept-encoding"),
        ("/fixed", 200, "zstd", "accept-encoding"),
        ("/moved", 200, "zstd", "accept-encoding"),
        ("/nowhere", 404, "", ""),
    ] {
        for client in [&running.gateway.client, &running.http2] {
            let answer = client.send("GET", path, &[("accept-encoding", "zstd, br, gzip")], "").await;
            let seen = (answer.status, answer.header("content-encoding"), answer.header("vary"));
            assert_eq!(seen, (status, coding, vary), "{path}");
        }
    }
}

#[tokio::test]
async fn a_part_is_a_part_of_the_body_as_it_is() {
    let running = running("").await;
    let path = "/files/a?bytes=5000&kind=text/plain";
    let accept = ("accept-encoding", "gzip");
    let whole = running.gateway.client.send("GET", path, &[accept], "").await;
    assert_eq!((whole.header("content-encoding"), whole.header("accept-ranges")), ("gzip", ""));
    let part = running.gateway.client.send("GET", path, &[accept, ("range", "bytes=10-19")], "").await;
    assert_eq!((part.status, part.header("content-encoding")), (206, ""));
    assert_eq!((&part.body[..], part.header("etag")), (&(10..20).collect::<Vec<u8>>()[..], "\"1\""));
    let tag = whole.header("etag");
    let fields = [accept, ("range", "bytes=10-19"), ("if-range", tag)];
    let other = running.gateway.client.send("GET", path, &fields, "").await;
    assert_eq!((other.status, other.body.len()), (200, 5000), "{tag} is the tag of another body");
}

#[tokio::test]
async fn where_there_is_no_room_for_an_encoder_the_answer_is_sent_as_it_is() {
    let running = running("max_answer = \"5MiB\"\nmax_answer_memory = \"5MiB\"").await;
    let fields = [("accept-encoding", "gzip")];
    let long = running.gateway.client.send("GET", "/rows/60000", &fields, "").await;
    assert_eq!((long.status, long.header("content-encoding")), (200, ""));
    assert_eq!(long.json().as_array().map(Vec::len), Some(60_000));
    let short = running.gateway.client.send("GET", "/rows/1000", &fields, "").await;
    assert_eq!(short.header("content-encoding"), "gzip");
}

/// Python's own library is another reader of gzip, and knows no other coding.
#[tokio::test]
async fn python_reads_what_it_asks_for() {
    const SCRIPT: &str = "import gzip, json, sys, urllib.request\n\
        request = urllib.request.Request(sys.argv[1], headers={'Accept-Encoding': 'gzip'})\n\
        with urllib.request.urlopen(request) as answer:\n\
        \x20   assert answer.headers['Content-Encoding'] == 'gzip', answer.headers\n\
        \x20   body = answer.read()\n\
        \x20   assert len(body) == int(answer.headers['Content-Length'])\n\
        \x20   print(len(json.loads(gzip.decompress(body))))\n";
    let running = running("").await;
    for rows in ["1000", "100000"] {
        let url = format!("http://{}/rows/{rows}", running.gateway.addr);
        let output = Command::new("python3").args(["-c", SCRIPT, &url]).output().expect("python3 runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), rows);
    }
}
