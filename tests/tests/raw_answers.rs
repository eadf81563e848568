//! Answers that are no JSON: a field of the result as it is, its type, its name as a file, and parts of it. curl and Python are the judges.

use callgate_tests::{Backend, Client, Gateway, Raw, Setup, eventually, free_port, header};
use std::net::SocketAddr;
use std::process::Command;

const ROUTES: &str = r#"
[[routes]]
match = "GET /rows/{rows}"
call = "files.export"
response = { raw = "csv", content_type = "text/csv; charset=utf-8", filename = "rows-{rows}.csv", headers = { x-rows = "{rows}" } }

[[routes]]
match = "GET /files/{*name}"
call = "files.get"
etag = "version"
response = { raw = "content", content_type = { field = "kind" }, filename = "{name}", inline = true }

[[routes]]
match = "GET /hashed"
call = "files.get"
bind = { name = { value = "a" } }
etag = true
response = { raw = "content", headers = { x-content-type-options = "sniff" } }

[[routes]]
match = "POST /files/{*name}"
call = "files.get"
response = { raw = "content", content_type = { field = "kind" }, status = 201 }

[[routes]]
match = "GET /picture"
call = "files.picture"
response = { raw = true, content_type = "image/png" }

[[routes]]
match = "GET /fails/{bytes}"
call = "files.fail"
errors = { not_found = 410 }
"#;

struct Running {
    setup: Setup,
    _backend: Backend,
    gateway: Gateway,
    http2: Client,
}

async fn running() -> Running {
    let port = free_port();
    let http2 = format!("[[listeners]]\naddress = \"127.0.0.1:{port}\"\nhttp2 = \"prior_knowledge\"\n");
    let setup = Setup::new().section(&http2);
    let backend = setup.backend("files");
    setup.write_routes(
        "files.toml",
        &format!("[backends.files]\nendpoints = [{:?}]\n{ROUTES}", backend.endpoint()),
    );
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    let http2 = Client::http2(SocketAddr::from(([127, 0, 0, 1], port)));
    Running { setup, _backend: backend, gateway, http2 }
}

/// Bytes of a file, from one place to another.
fn bytes(from: usize, to: usize) -> Vec<u8> {
    (from..to).map(|at| at as u8).collect()
}

#[tokio::test]
async fn a_field_is_the_body_as_it_is_with_what_it_is() {
    let running = running().await;
    for client in [&running.gateway.client, &running.http2] {
        let csv = client.get("/rows/2").await;
        assert_eq!((csv.status, csv.text()), (200, "0,\"title 0\"\n1,\"title 1\"\n".to_owned()));
        for (name, expected) in [
            ("content-type", "text/csv; charset=utf-8"),
            ("x-content-type-options", "nosniff"),
            ("content-disposition", "attachment; filename=\"rows-2.csv\""),
            ("content-length", "24"),
            ("accept-ranges", "bytes"),
            ("x-rows", "2"),
            ("vary", ""),
        ] {
            assert_eq!(csv.header(name), expected, "{name}");
        }
        let none = client.get("/rows/0").await;
        assert_eq!((none.status, none.header("content-length"), none.body.len()), (200, "0", 0));
        assert_eq!(none.header("content-type"), "text/csv; charset=utf-8");
        let picture = client.get("/picture").await;
        assert_eq!(
            (picture.header("content-type"), &picture.body[..]),
            ("image/png", &b"\x89PNG\r\n\x1a\n"[..])
        );
        assert_eq!(picture.header("content-disposition"), "");
        let hashed = client.get("/hashed?bytes=3").await;
        assert_eq!(
            (hashed.header("content-type"), &hashed.body[..]),
            ("application/octet-stream", &[0, 1, 2][..])
        );
        assert_eq!(hashed.header("x-content-type-options"), "sniff");
        for (kind, expected) in [
            ("image/webp", "image/webp"),
            ("no%20type", "application/octet-stream"),
            ("a/b%0D%0Aset-cookie:%20c", "application/octet-stream"),
        ] {
            let file = client.get(&format!("/files/a?kind={kind}")).await;
            assert_eq!((file.status, file.header("content-type")), (200, expected));
            assert_eq!(file.header("set-cookie"), "");
        }
        let made = client.post("/files/a", r#"{"bytes": 4, "kind": "a/b"}"#).await;
        assert_eq!((made.status, made.header("content-type"), made.body.len()), (201, "a/b", 4));
        let failed = client.get("/fails/3").await;
        assert_eq!((failed.status, failed.header("content-type")), (410, "application/problem+json"));
    }
    let page = running.gateway.admin.get("/routes").await.json();
    let routes = page["routes"].as_array().expect("routes");
    let raw: Vec<_> = routes.iter().map(|route| &route["reply"]["raw"]["content_type"]).collect();
    let expected = ["text/csv; charset=utf-8".into(), serde_json::json!({ "field": "kind" })];
    assert!(expected.iter().all(|one| raw.contains(&one)), "{raw:?}");
}

#[tokio::test]
async fn an_answer_of_megabytes_lies_where_it_lies_and_gives_its_room_back() {
    let running = running().await;
    for client in [&running.gateway.client, &running.http2] {
        for length in [70_000, 300_000, 15_000_000] {
            let file = client.get(&format!("/files/a?bytes={length}")).await;
            assert_eq!((file.status, file.header("content-length")), (200, &*length.to_string()));
            assert!(file.body == bytes(0, length));
            let path = format!("/files/a?bytes={length}");
            let part = client.send("GET", &path, &[("range", "bytes=65530-65545")], "").await;
            assert_eq!((part.status, &part.body[..]), (206, &bytes(65_530, 65_546)[..]));
        }
    }
    let held = || async { running.gateway.metric("callgate_answer_memory_bytes", &[]).await };
    eventually("the room comes back", || async { (held().await == 0.0).then_some(()) }).await;
}

#[tokio::test]
async fn a_type_that_the_client_does_not_take_is_refused_and_names_what_there_is() {
    let running = running().await;
    let client = &running.gateway.client;
    for (method, path, accept, status, told) in [
        ("GET", "/rows/2", "text/*", 200, ""),
        ("GET", "/rows/2", "application/json", 406, "text/csv; charset=utf-8"),
        ("GET", "/files/a?kind=a/b", "a/b, text/html;q=0.5", 200, ""),
        ("GET", "/files/a?kind=a/b", "text/html", 406, "a/b"),
        ("GET", "/files/a", "text/html", 406, "application/octet-stream"),
        ("POST", "/files/a", "text/html", 201, ""),
    ] {
        let answer = client.send(method, path, &[("accept", accept)], "").await;
        assert_eq!(answer.status, status, "{method} {path} {accept}");
        if status == 406 {
            assert_eq!(answer.header("vary"), "accept");
            let detail = format!("this is answered in {told}, which Accept does not take");
            assert_eq!(answer.json()["detail"], detail, "{path}");
        }
    }
}

#[tokio::test]
async fn a_part_is_given_where_it_is_asked_for_by_one_range() {
    let running = running().await;
    let path = "/files/a?bytes=1000&version=3";
    for client in [&running.gateway.client, &running.http2] {
        for (range, if_range, expected) in [
            ("bytes=0-9", None, Some((0, 10))),
            ("bytes=990-", None, Some((990, 1000))),
            ("bytes=-1", None, Some((999, 1000))),
            ("bytes=0-5000", None, Some((0, 1000))),
            ("bytes=0-9", Some("\"3\""), Some((0, 10))),
            ("bytes=0-9", Some("\"2\""), None),
            ("bytes=0-9", Some("W/\"3\""), None),
            ("bytes=0-9", Some("Sun, 29 Nov 2026 21:00:00 GMT"), None),
            ("bytes=0-1,3-4", None, None),
            ("bytes=9-0", None, None),
            ("lines=0-9", None, None),
        ] {
            let mut fields = vec![("range", range)];
            fields.extend(if_range.map(|tag| ("if-range", tag)));
            let answer = client.send("GET", path, &fields, "").await;
            assert_eq!((answer.header("accept-ranges"), answer.header("etag")), ("bytes", "\"3\""));
            let Some((from, to)) = expected else {
                assert_eq!((answer.status, answer.body.len()), (200, 1000), "{range} {if_range:?}");
                assert_eq!(answer.header("content-range"), "");
                continue;
            };
            assert_eq!((answer.status, &answer.body[..]), (206, &bytes(from, to)[..]), "{range}");
            assert_eq!(answer.header("content-range"), format!("bytes {from}-{}/1000", to - 1));
            assert_eq!(answer.header("content-length"), (to - from).to_string());
        }
        let none = client.send("GET", path, &[("range", "bytes=1000-")], "").await;
        assert_eq!((none.status, none.header("content-range")), (416, "bytes */1000"));
        assert_eq!(none.json()["code"], "out_of_range");
        let known = client.send("GET", path, &[("range", "bytes=0-9"), ("if-none-match", "\"3\"")], "").await;
        assert_eq!((known.status, known.header("content-type")), (304, ""), "what it has goes first");
        let made = client.send("POST", path, &[("range", "bytes=0-1")], "").await;
        assert_eq!((made.status, made.header("accept-ranges")), (201, ""));
        let json = client.send("GET", "/fails/3", &[("range", "bytes=0-1")], "").await;
        assert_eq!(json.status, 410);
    }
    let mut raw = Raw::connect(running.gateway.addr).await;
    raw.write(format!("HEAD {path} HTTP/1.1\r\nhost: x\r\nrange: bytes=0-9\r\nconnection: close\r\n\r\n"))
        .await;
    let (head, body) = raw.head().await.expect("an answer");
    assert_eq!((header(&head, "content-length"), body), (Some("1000"), 0), "{head}");
    assert!(head.starts_with("HTTP/1.1 200 ") && header(&head, "content-range").is_none(), "{head}");
}

#[tokio::test]
async fn curl_keeps_a_file_by_its_name_goes_on_with_it_and_takes_a_part() {
    let running = running().await;
    let folder = running.setup.folder();
    let curl = |arguments: &[&str], path: &str| {
        let url = format!("http://{}{path}", running.gateway.addr);
        let fixed = ["-sS", "--fail", "--max-time", "60"];
        let output = Command::new("curl")
            .current_dir(folder)
            .args(fixed)
            .args(arguments)
            .arg(url)
            .output()
            .expect("curl runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    curl(&["-OJ"], "/files/a%20b.bin?bytes=1000");
    assert_eq!(std::fs::read(folder.join("a b.bin")).expect("the file"), bytes(0, 1000));
    // A folder in a name stays a part of the name.
    curl(&["-OJ"], "/files/..%2F..%2Fout.bin?bytes=10");
    assert_eq!(std::fs::read(folder.join(".._.._out.bin")).expect("the file"), bytes(0, 10));
    assert_eq!(curl(&["-r", "10-19"], "/files/a?bytes=1000"), bytes(10, 20));
    assert_eq!(curl(&["-r", "-5"], "/files/a?bytes=1000"), bytes(995, 1000));
    std::fs::write(folder.join("half.bin"), bytes(0, 500)).expect("a file");
    curl(&["-C", "-", "-o", "half.bin"], "/files/a?bytes=1000");
    assert_eq!(std::fs::read(folder.join("half.bin")).expect("the file"), bytes(0, 1000));
}

#[tokio::test]
async fn python_reads_the_name_of_a_file_whatever_it_is() {
    const SCRIPT: &str = "import email.message, email.utils, sys, urllib.request\n\
        with urllib.request.urlopen(sys.argv[1]) as answer:\n\
        \x20   message = email.message.Message()\n\
        \x20   message['Content-Disposition'] = answer.headers['Content-Disposition']\n\
        \x20   assert message.get_content_disposition() == 'inline'\n\
        \x20   fields = message.get_params(header='Content-Disposition')\n\
        \x20   names = [email.utils.collapse_rfc2231_value(value) for name, value in fields if name == 'filename']\n\
        \x20   sys.stdout.buffer.write(names[-1].encode())\n";
    let running = running().await;
    for (path, expected) in [
        ("plain.csv", "plain.csv"),
        ("Gr%C3%B6%C3%9Fe%20%E2%82%AC.csv", "Gr\u{f6}\u{df}e \u{20ac}.csv"),
        ("a%22b%25.csv", "a\"b%.csv"),
        ("a%0D%0Ab%00.csv", "ab.csv"),
        ("a;filename=b.csv", "a;filename=b.csv"),
    ] {
        let url = format!("http://{}/files/{path}", running.gateway.addr);
        let output = Command::new("python3").args(["-c", SCRIPT, &url]).output().expect("python3 runs");
        assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{path}");
    }
}

#[tokio::test]
async fn a_field_that_is_neither_bytes_nor_text_does_not_fit_and_is_shown_where_it_stands() {
    let setup = Setup::new();
    let backend = setup.backend("files");
    let route =
        "[[routes]]\nmatch = \"GET /x/{rows}\"\ncall = \"files.export\"\nresponse = { raw = \"rows\" }\n";
    setup.write_routes(
        "files.toml",
        &format!("[backends.files]\nendpoints = [{:?}]\n{route}", backend.endpoint()),
    );
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    let (status, told) = setup.check_against_backend(&backend).await;
    assert_ne!(status, Some(0), "{told}");
    assert!(
        told.contains("files.toml:6:12") && told.contains("only bytes and strings can be a body"),
        "{told}"
    );
    assert_eq!(gateway.client.get("/x/1").await.status, 500);
}
