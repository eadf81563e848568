//! Bodies of any length that are bytes as they are, both ways: whole, at the pace of who reads them, and seen to be cut where they are.

use callgate_tests::pipes::{self, Check};
use callgate_tests::{Backend, Client, Gateway, Http2, Raw, Setup, eventually, free_port, header};
use hyper::body::Bytes;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

const ROUTES: &str = r#"
[[routes]]
match = "GET /get/{bytes}"
call = "pipes.get"
max_stream = "12h"
response = { raw = true, content_type = "application/x-pipe", filename = "{path.bytes}.bin" }

[[routes]]
match = "GET /short/{bytes}"
call = "pipes.get"
max_stream = { bytes = "1MiB" }
response = { raw = true }

[[routes]]
match = "POST /say"
call = "pipes.say"
body = "words"
response = { raw = true, content_type = "text/plain; charset=utf-8" }

[[routes]]
match = "GET /typed/{then}/{bytes}"
call = "pipes.get"
response = { raw = true, content_type = "image/{path.then}" }

[[routes]]
match = "PUT /put/{name}"
call = "pipes.put"
max_stream = "12h"
body = { stream = true, raw = true, content_type = "kind" }

[[routes]]
match = "POST /pictures"
call = "pipes.put"
max_stream = { bytes = "1MiB" }
body = { stream = true, raw = true, content_type = "kind", filename = "name", accept = ["image/*"] }

[[routes]]
match = "POST /form"
call = "pipes.put"
body = { stream = "file" }
bind = { kind = { content_type = "file" } }
max_stream = { bytes = "32MiB" }

[[routes]]
match = "POST /wait"
call = "pipes.wait"
body = { stream = true, raw = true }

[[routes]]
match = "POST /read"
call = "pipes.read"
body = { stream = true, raw = true }

[[routes]]
match = "POST /items"
call = "pipes.read"
body = { stream = true }

[[routes]]
match = "POST /echo"
call = "pipes.echo"
body = { stream = true, raw = true }
response = { raw = true }

[[routes]]
match = "POST /go"
call = "pipes.go"

[[routes]]
match = "GET /counts"
call = "pipes.counts"
"#;

const MIB: u64 = 1 << 20;

/// What curl is told to speak each version of HTTP, and its exit status when a body of that is torn.
const VERSIONS: [(&str, i32); 2] = [("--http1.1", 18), ("--http2-prior-knowledge", 92)];

struct Pipes {
    setup: Setup,
    gateway: Gateway,
    backend: Backend,
    /// Where it speaks HTTP/2.
    http2: SocketAddr,
}

impl Pipes {
    async fn start() -> Pipes {
        Pipes::with("").await
    }

    /// The same, with lines of `[server]`.
    async fn with(server: &str) -> Pipes {
        let http2 = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let listener = format!("[[listeners]]\naddress = \"{http2}\"\nhttp2 = \"prior_knowledge\"\n");
        let setup = Setup::new().server(server).section(&listener);
        let backend = setup.backend("pipes");
        let backends = format!("[backends.pipes]\nendpoints = [{:?}]\n", backend.endpoint());
        setup.write_routes("pipes.toml", &format!("{backends}{ROUTES}"));
        let gateway = setup.gateway().await;
        gateway.connected(&backend).await;
        Pipes { setup, gateway, backend, http2 }
    }

    /// Clients of both versions of HTTP.
    fn clients(&self) -> [Client; 2] {
        [Client::new(self.gateway.addr), Client::http2(self.http2)]
    }

    async fn counts(&self) -> Value {
        self.gateway.client.get("/counts").await.json()
    }

    async fn count(&self, name: &str) -> u64 {
        self.counts().await[name].as_u64().expect("a number")
    }

    /// Waits until the backend says that.
    async fn says(&self, name: &str, expected: u64) {
        eventually(&format!("{name} that is {expected}"), async || {
            (self.count(name).await == expected).then_some(())
        })
        .await;
    }

    /// curl, by that version of HTTP.
    fn curl(&self, version: &str, path: &str, arguments: &[&str]) -> Command {
        let addr = if version == "--http1.1" { self.gateway.addr } else { self.http2 };
        let mut command = Command::new("curl");
        command
            .args(["-sSN", "--max-time", "3000", version])
            .args(arguments)
            .arg(format!("http://{addr}{path}"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }

    /// What has come of bytes that curl brings through a pipe, of which it knows no length.
    async fn brought(&self, version: &str, bytes: u64) -> Value {
        let curl = self.curl(version, "/put/long", &["-T", "-"]).spawn().expect("curl runs");
        let (status, said) = write(curl, bytes).await;
        assert_eq!(status, Some(0), "{said}");
        serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"))
    }
}

/// Runs what blocks.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("no panic")
}

/// Writes so many bytes to a program. Its exit status, and what it has said.
async fn write(mut program: Child, bytes: u64) -> (Option<i32>, String) {
    blocking(move || {
        let mut pipe = program.stdin.take().expect("a pipe");
        let mut place = 0;
        while place < bytes {
            let part = pipes::from(place, (bytes - place).min(64 * 1024) as usize);
            if pipe.write_all(part).is_err() {
                break;
            }
            place += part.len() as u64;
        }
        drop(pipe);
        let output = program.wait_with_output().expect("it ends");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    })
    .await
}

/// Reads all that a program writes. Its exit status, and what that was.
async fn read(mut program: Child) -> (Option<i32>, Check) {
    blocking(move || {
        let mut pipe = program.stdout.take().expect("a pipe");
        let (mut check, mut buffer) = (Check::default(), vec![0; 256 * 1024]);
        loop {
            match pipe.read(&mut buffer).expect("it writes") {
                0 => break,
                bytes => check.next(&buffer[..bytes]),
            }
        }
        (program.wait().expect("it ends").code(), check)
    })
    .await
}

#[tokio::test]
async fn many_mebibytes_are_the_same_behind_the_gateway_both_ways() {
    let pipes = Pipes::start().await;
    for (version, _) in VERSIONS {
        let curl = pipes.curl(version, &format!("/get/{}", 32 * MIB + 7), &[]).spawn().expect("curl runs");
        let (status, check) = read(curl).await;
        assert_eq!((status, check.read, check.differs), (Some(0), 32 * MIB + 7, false), "{version}");
        let expected = json!({ "bytes": 32 * MIB + 7, "same": true, "kind": null, "name": "long" });
        assert_eq!(pipes.brought(version, 32 * MIB + 7).await, expected, "{version}");
    }
    // A file, whose length is known, and which is sent when the gateway asks for it.
    let path = pipes.setup.file("file.bin");
    std::fs::write(&path, pipes::bytes(0, 3_000_000)).expect("it can be written");
    for (version, _) in VERSIONS {
        let file = path.display().to_string();
        let arguments = ["-T", &file, "-H", "expect: 100-continue", "-H", "content-type: image/png"];
        let curl = pipes.curl(version, "/put/file", &arguments).spawn().expect("curl runs");
        let (status, said) = write(curl, 0).await;
        assert_eq!(status, Some(0), "{said}");
        let expected = json!({ "bytes": 3_000_000, "same": true, "kind": "image/png", "name": "file" });
        assert_eq!(serde_json::from_str::<Value>(&said).expect("JSON"), expected);
    }
    pipes.says("running", 0).await;
    assert_eq!(pipes.count("ended").await, 4);
}

#[tokio::test]
async fn a_download_says_what_it_is_and_nothing_of_its_length() {
    let pipes = Pipes::start().await;
    for client in pipes.clients() {
        let answer = client.send("GET", "/get/100000", &[("range", "bytes=0-9")], "").await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/x-pipe"));
        assert_eq!(answer.header("content-disposition"), "attachment; filename=\"100000.bin\"");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!((answer.header("accept-ranges"), answer.header("content-length")), ("", ""));
        assert!(answer.body == pipes::bytes(0, 100_000), "all bytes, and no part of them");
        let empty = client.get("/get/0").await;
        assert_eq!((empty.status, empty.body.len()), (200, 0));
        let refused = client.send("GET", "/get/1", &[("accept", "text/html")], "").await;
        assert_eq!(refused.status, 406);
        let typed = client.get("/typed/png/7").await;
        assert_eq!((typed.status, typed.header("content-type")), (200, "image/png"));
        let refused = client.send("GET", "/typed/png/7", &[("accept", "text/html")], "").await;
        assert_eq!(refused.status, 406);
        let failed = client.get("/get/0?then=fail").await;
        assert_eq!((failed.status, failed.json()["detail"].as_str()), (404, Some("the rest is missing")));
        let head = client.send("HEAD", "/get/5?then=hang", &[], "").await;
        assert_eq!(
            (head.status, head.header("content-type"), head.body.len()),
            (200, "application/x-pipe", 0)
        );
        let said = client.post("/say", "[\"Gr\u{fc}\u{df}e\", \"\", \", \\\"you\\\"\"]").await;
        assert_eq!(said.text(), "Gr\u{fc}\u{df}e, \"you\"");
        assert_eq!(said.header("content-type"), "text/plain; charset=utf-8");
    }
    pipes.says("running", 0).await;
}

#[tokio::test]
async fn an_upload_is_taken_as_it_is_whatever_it_is() {
    let pipes = Pipes::start().await;
    let taken = |bytes: u64, kind: Option<&str>, name: Option<&str>| json!({ "bytes": bytes, "same": true, "kind": kind, "name": name });
    for client in pipes.clients() {
        for length in [0, 1, 70_000] {
            let answer = client.send("PUT", "/put/a%20b", &[], pipes::bytes(0, length)).await;
            assert_eq!((answer.status, answer.json()), (200, taken(length as u64, None, Some("a b"))));
        }
        let about =
            [("content-type", "image/png"), ("content-disposition", "attachment; filename=\"c.png\"")];
        let answer = client.send("POST", "/pictures", &about, pipes::bytes(0, 10)).await;
        assert_eq!((answer.status, answer.json()), (200, taken(10, Some("image/png"), Some("c.png"))));
        for (about, status) in [
            (&[("content-type", "text/csv")][..], 415),
            (&[], 415),
            (&[("content-type", "image/png"), ("content-encoding", "gzip")], 415),
        ] {
            assert_eq!(client.send("POST", "/pictures", about, "x").await.status, status, "{about:?}");
        }
        let text = "\u{20ac}\u{10348}".repeat(20_000);
        let answer = client.send("POST", "/read", &[], text.clone()).await;
        assert_eq!((answer.status, answer.json()), (200, json!(text)), "no character is cut");
        let json_items =
            client.send("POST", "/items", &[("content-type", "application/json")], "[\"a\", \"b\"]").await;
        assert_eq!(json_items.json(), json!("ab"), "the same method by JSON");
        for (body, place) in [(&b"ab\xffcd"[..], 0), (b"ab\xe2\x82", 2)] {
            let answer = client.send("POST", "/read", &[], body.to_vec()).await;
            assert_eq!((answer.status, &answer.json()["errors"][0]["pointer"]), (400, &json!("")));
            let expected = format!("what the body has behind its byte {place} is not UTF-8");
            assert_eq!(answer.json()["detail"], expected);
        }
    }
}

/// A form with these parts before its file, of which so many bytes come, and this behind it.
fn form(before: &str, bytes: usize, behind: &str) -> Vec<u8> {
    let file =
        "--b\r\nContent-Disposition: form-data; name=file; filename=x.bin\r\nContent-Type: image/png\r\n\r\n";
    [before.as_bytes(), file.as_bytes(), &pipes::bytes(0, bytes), b"\r\n--b", behind.as_bytes()].concat()
}

#[tokio::test]
async fn a_forms_file_is_a_stream_and_its_other_fields_are_fields() {
    const NAME: &str = "--b\r\nContent-Disposition: form-data; name=name\r\n\r\nAda\r\n";
    let pipes = Pipes::with("max_body = \"1KiB\"").await;
    let path = pipes.setup.file("file.bin");
    std::fs::write(&path, pipes::bytes(0, 20 << 20)).expect("it can be written");
    for (version, _) in VERSIONS {
        let file = format!("file=@{};type=image/gif", path.display());
        let curl = pipes.curl(version, "/form", &["-F", "name=Ada", "-F", &file]).spawn().expect("curl runs");
        let (status, said) = write(curl, 0).await;
        assert_eq!(status, Some(0), "{said}");
        let expected = json!({ "bytes": 20 << 20, "same": true, "kind": "image/gif", "name": "Ada" });
        assert_eq!(serde_json::from_str::<Value>(&said).expect("JSON"), expected);
    }
    let kind = [("content-type", "multipart/form-data; boundary=b")];
    let long = format!("--b\r\nContent-Disposition: form-data; name=name\r\n\r\n{}\r\n", "x".repeat(1024));
    for client in pipes.clients() {
        for bytes in [0, 1, 200_000] {
            let answer = client.send("POST", "/form", &kind, form(NAME, bytes, "--\r\n")).await;
            let expected = json!({ "bytes": bytes, "same": true, "kind": "image/png", "name": "Ada" });
            assert_eq!((answer.status, answer.json()), (200, expected));
        }
        pipes.says("running", 0).await;
        let ended = pipes.count("ended").await;
        let wrong = NAME.replace("name=name", "name=nmae");
        for (body, status, told) in [
            (form(&wrong, 7, "--"), 400, "unknown field `nmae`, did you mean `name`?"),
            (form(&long, 7, "--"), 413, "1024 bytes"),
            (format!("{NAME}--b--").into_bytes(), 400, "the file that is expected is not there"),
            (NAME.into(), 400, "it ends without the file that is expected"),
            (b"{}".to_vec(), 400, "it does not begin with the boundary"),
            (form(NAME, 70_000, ""), 400, "it ends without its last boundary"),
            (form(NAME, 70_000, "\r\n"), 400, "something follows the file"),
            (form(NAME, 70_000, "--x"), 400, "something follows its last boundary"),
        ] {
            let answer = client.send("POST", "/form", &kind, body).await;
            assert_eq!(answer.status, status, "{told}: {}", answer.text());
            assert!(answer.text().contains(told), "{told}: {}", answer.text());
        }
        for kind in ["application/json", "application/x-www-form-urlencoded"] {
            let answer = client.send("POST", "/form", &[("content-type", kind)], "name=x").await;
            assert_eq!((answer.status, answer.header("accept")), (415, "multipart/form-data"), "{kind}");
        }
        let answer = client.send("POST", "/form", &kind, form(NAME, 33 << 20, "--")).await;
        assert_eq!(answer.status, 413, "{}", answer.text());
        pipes.says("running", 0).await;
        assert_eq!(pipes.count("ended").await, ended, "no method takes what was cut for whole");
    }
}

#[tokio::test]
async fn max_stream_bounds_a_body_and_max_body_does_not() {
    let pipes =
        Pipes::with("max_body = \"1KiB\"\nmin_body_rate = \"1MiB/s\"\nmin_body_rate_window = \"1ms\"").await;
    // With a length, and without one.
    let file = pipes.setup.file("long.bin");
    std::fs::write(&file, pipes::bytes(0, MIB as usize + 1)).expect("it can be written");
    let data = format!("@{}", file.display());
    for more in [&["--data-binary", &data][..], &["-X", "POST", "-T", "-"]] {
        let mut curl = pipes.curl("--http1.1", "/pictures", more);
        let curl = curl.args(["-H", "content-type: image/png"]).spawn().expect("curl runs");
        let (_, said) = write(curl, MIB + 1).await;
        assert!(said.contains("1048576 bytes"), "{more:?}: {said}");
    }
    let mut http2 = Http2::connect(pipes.http2).await;
    let mut request = Http2::request("POST", "/pictures");
    request.headers_mut().insert("content-type", http::HeaderValue::from_static("image/png"));
    let mut sent = http2.begin(request, true).await;
    sent.send.send_data(pipes::bytes(0, MIB as usize + 1).into(), true).expect("it is open");
    assert_eq!(sent.answer().await.expect("an answer").status, 413);
    for (version, torn) in VERSIONS {
        let curl = pipes.curl(version, &format!("/short/{}", 2 * MIB), &[]).spawn().expect("curl runs");
        let (status, check) = read(curl).await;
        assert_eq!((status, check.differs), (Some(torn), false), "{version}");
        assert!(check.read <= MIB, "{} bytes", check.read);
        let all = pipes.brought(version, 5 * MIB).await;
        assert_eq!((&all["bytes"], &all["same"]), (&json!(5 * MIB), &json!(true)));
    }
    pipes.says("running", 0).await;
}

#[tokio::test]
async fn a_reader_that_takes_nothing_stops_its_writer() {
    let pipes = Pipes::start().await;
    let before = pipes.gateway.resident_bytes();
    let mut curls = Vec::new();
    for (version, _) in VERSIONS {
        let mut curl = pipes.curl(version, &format!("/get/{}", 512 * MIB), &["--limit-rate", "1k"]);
        curls.push(curl.spawn().expect("curl runs"));
    }
    pipes.says("running", 2).await;
    // While another reader takes all of its own, no more is made for these than what all buffers on the way hold.
    let other = pipes.curl("--http1.1", &format!("/get/{}", 64 * MIB), &[]).spawn().expect("curl runs");
    assert_eq!(read(other).await.1.read, 64 * MIB);
    let made = pipes.count("made").await - 64 * MIB;
    assert!(made < 32 * MIB, "{made} bytes were made for clients that take none");
    assert!(pipes.gateway.resident_bytes() < before + 16 * MIB);
    for mut curl in curls {
        curl.kill().expect("it runs");
        curl.wait().expect("it ends");
    }
    pipes.says("running", 0).await;
}

#[tokio::test]
async fn a_method_that_takes_nothing_stops_its_client() {
    let pipes = Pipes::start().await;
    let before = pipes.gateway.resident_bytes();
    let writers: Vec<_> = VERSIONS
        .iter()
        .map(|(version, _)| {
            let curl = pipes.curl(version, "/wait", &["-X", "POST", "-T", "-"]).spawn().expect("curl runs");
            tokio::spawn(write(curl, 32 * MIB))
        })
        .collect();
    pipes.says("running", 2).await;
    assert_eq!(pipes.count("taken").await, 0);
    assert!(
        writers.iter().all(|writer| !writer.is_finished()),
        "32 MiB are more than all buffers on the way"
    );
    assert!(pipes.gateway.resident_bytes() < before + 16 * MIB);
    pipes.gateway.client.post("/go", "").await;
    for writer in writers {
        let (status, said) = writer.await.expect("no panic");
        assert_eq!(status, Some(0));
        let taken: Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!((&taken["bytes"], &taken["same"]), (&json!(32 * MIB), &json!(true)));
    }
}

#[tokio::test]
async fn a_client_that_leaves_in_mid_body_is_no_end_of_it() {
    let pipes = Pipes::start().await;
    for (head, body) in [("content-length: 100000", "half"), ("transfer-encoding: chunked", "4\r\nhalf\r\n")]
    {
        let mut raw = Raw::connect(pipes.gateway.addr).await;
        raw.write(format!("PUT /put/x HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n{body}")).await;
        pipes.says("running", 1).await;
        drop(raw);
        pipes.says("running", 0).await;
    }
    let mut http2 = Http2::connect(pipes.http2).await;
    let mut sent = http2.begin(Http2::request("PUT", "/put/x"), true).await;
    sent.send.send_data(Bytes::from_static(b"half"), false).expect("it is open");
    pipes.says("running", 1).await;
    sent.send.send_reset(h2::Reason::CANCEL);
    pipes.says("running", 0).await;
    assert_eq!(pipes.count("ended").await, 0);
}

#[tokio::test]
async fn bytes_go_both_ways_at_once() {
    let pipes = Pipes::start().await;
    let mut raw = Raw::connect(pipes.gateway.addr).await;
    raw.write("POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").await;
    for n in 1..=20 {
        raw.write("5\r\nhello\r\n").await;
        raw.read_until(|text| text.matches("hello").count() == n).await;
    }
    raw.write("0\r\n\r\n").await;
    let text = raw.read_until(|text| text.ends_with("\r\n0\r\n\r\n")).await;
    assert_eq!(header(&text, "content-type"), Some("application/octet-stream"));
}

#[tokio::test]
async fn an_instance_that_is_killed_leaves_a_body_that_nobody_takes_for_whole() {
    let pipes = Pipes::start().await;
    let python = "import http.client, sys\n\
        connection = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=60)\n\
        connection.request('GET', sys.argv[2])\n\
        try:\n\
        \x20   connection.getresponse().read()\n\
        \x20   print('whole')\n\
        except http.client.IncompleteRead as error:\n\
        \x20   print('cut', len(error.partial))\n";
    let path = format!("/get/{}?then=hang", 3 * MIB);
    let mut curls = Vec::new();
    for (version, torn) in VERSIONS {
        let out = pipes.setup.file(&format!("out-{torn}"));
        let mut curl = pipes.curl(version, &path, &["-o", &out.display().to_string()]);
        curls.push((curl.spawn().expect("curl runs"), torn, out));
    }
    let mut reader = Command::new("python3");
    reader.args(["-c", python, &pipes.gateway.addr.port().to_string(), &path]).stdout(Stdio::piped());
    let reader = reader.spawn().expect("python3 runs");
    let length = |out: &PathBuf| std::fs::metadata(out).map_or(0, |metadata| metadata.len());
    for (_, _, out) in &curls {
        eventually("three MiB", async || (length(out) == 3 * MIB).then_some(())).await;
    }
    pipes.says("made", 9 * MIB).await;
    pipes.backend.signal(Signal::SIGKILL);
    for (curl, torn, out) in curls {
        let output = blocking(move || curl.wait_with_output()).await.expect("it ends");
        assert_eq!((output.status.code(), length(&out)), (Some(torn), 3 * MIB));
    }
    let output = blocking(move || reader.wait_with_output()).await.expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("cut {}\n", 3 * MIB));
}

#[tokio::test]
async fn check_says_where_routes_and_methods_do_not_agree_on_bytes() {
    let setup = Setup::new();
    let backend = setup.backend("pipes");
    for (route, told) in [
        ("match = 'POST /a'\ncall = 'pipes.go'\nbody = { stream = true, raw = true }", "streams nothing"),
        (
            "match = 'POST /a'\ncall = 'pipes.put'\nbody = { raw = 'name' }",
            "body = { stream = true, raw = true }",
        ),
        ("match = 'GET /a'\ncall = 'pipes.counts'\nresponse = { raw = true }", "only bytes and strings"),
        (
            "match = 'GET /a'\ncall = 'pipes.get'\netag = true\nresponse = { raw = true }",
            "a reply in items has no entity tag",
        ),
    ] {
        let backends = format!("[backends.pipes]\nendpoints = [{:?}]\n", backend.endpoint());
        setup.write_routes("pipes.toml", &format!("{backends}[[routes]]\n{route}\n"));
        let said = eventually(told, async || {
            let (_, said) = setup.check_against_backend(&backend).await;
            said.contains(told).then_some(said)
        })
        .await;
        assert!(said.contains("pipes.toml:"), "{said}");
    }
}

/// The most memory that a process has had, in bytes.
fn most_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it is told");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

/// Long: `CALLGATE_TEST_MIB=2048 cargo test --test raw_streams -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn gigabytes_flow_both_ways_in_little_memory_while_others_are_served() {
    let size =
        std::env::var("CALLGATE_TEST_MIB").map_or(512, |text| text.parse::<u64>().expect("a number")) * MIB;
    let pipes = Pipes::start().await;
    let (gateway, backend) = (pipes.gateway.pid(), pipes.backend.pid());
    pipes.brought("--http1.1", MIB).await;
    let before = [most_memory(gateway), most_memory(backend)];
    let asks = tokio::spawn({
        let client = Client::new(pipes.gateway.addr);
        async move {
            let mut took = Vec::new();
            while took.len() < 100_000 {
                let begun = Instant::now();
                assert_eq!(client.get("/counts").await.status, 200);
                took.push(begun.elapsed());
                let longest = took.len().is_multiple_of(1000).then(|| took.iter().max().copied());
                if let Some(longest) = longest {
                    println!("{} small calls, the longest {longest:?}", took.len());
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
    });
    for (version, _) in VERSIONS {
        let begun = Instant::now();
        let curl = pipes.curl(version, &format!("/get/{size}"), &[]).spawn().expect("curl runs");
        let (status, check) = read(curl).await;
        assert_eq!((status, check.read, check.differs), (Some(0), size, false), "{version}");
        println!("{version}: down in {:?}", begun.elapsed());
        let begun = Instant::now();
        let taken = pipes.brought(version, size).await;
        assert_eq!((&taken["bytes"], &taken["same"]), (&json!(size), &json!(true)), "{version}");
        println!("{version}: up in {:?}", begun.elapsed());
    }
    asks.abort();
    for (name, pid, before) in [("gateway", gateway, before[0]), ("instance", backend, before[1])] {
        let grown = most_memory(pid) - before;
        println!("the {name} had {before} bytes at most, and then {grown} more");
        assert!(grown <= 64 * MIB, "the {name} has grown by {grown} bytes");
    }
}
