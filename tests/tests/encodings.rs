//! Bodies that are compressed: which are read, what bounds what comes out of them, and which spellings of UTF-8 there are.

use callgate_tests::{Backend, Gateway, Setup};
use serde_json::json;
use std::io::Write;
use std::process::{Command, Stdio};

const JSON: &str = r#"{"a": 84, "b": 2}"#;
const DIVIDE: &str = "/v1/calc/divide";

async fn start(settings: &str) -> (Setup, Backend, Gateway) {
    let setup = Setup::new().server(settings);
    let (backend, gateway) = setup.shop().await;
    (setup, backend, gateway)
}

/// What a program makes of these bytes.
fn piped(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program} cannot be started: {error}"));
    let mut stdin = child.stdin.take().expect("it has one");
    let input = input.to_vec();
    let feed = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("it can be waited for");
    feed.join().expect("no panic").expect("it reads all");
    assert!(output.status.success(), "{program}");
    output.stdout
}

fn gzip(input: &[u8]) -> Vec<u8> {
    piped("gzip", &["-c"], input)
}

/// The brotli stream of one byte less than it has room for, uncompressed: RFC 7932, section 9.2.
fn brotli(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len() - 1).expect("it is short");
    // WBITS 16; not the last meta-block, 4 nibbles of length, uncompressed, up to the next byte; an empty last one.
    let bits = u32::from(length) << 4 | 1 << 20;
    let head = bits.to_le_bytes();
    [&head[..3], text.as_bytes(), &[3]].concat()
}

#[tokio::test]
async fn bodies_in_the_usual_codings_are_read() {
    let (_setup, _backend, gateway) = start("").await;
    let json = [("content-type", "application/json")];
    let twice = [gzip(&JSON.as_bytes()[..5]), gzip(&JSON.as_bytes()[5..])].concat();
    for (coding, body) in [
        ("gzip", gzip(JSON.as_bytes())),
        ("x-gzip", gzip(JSON.as_bytes())),
        ("GZIP", twice),
        ("zstd", piped("zstd", &["-c"], JSON.as_bytes())),
        ("br", brotli(JSON)),
        ("identity", JSON.into()),
    ] {
        let headers = [json[0], ("content-encoding", coding)];
        let answer = gateway.client.send("POST", DIVIDE, &headers, body).await;
        assert_eq!((answer.status, answer.json()), (200, json!({ "result": 42.0 })), "{coding}");
    }
    for coding in ["gzip, gzip", "deflate", "compress", "gzip, br", "x"] {
        let headers = [json[0], ("content-encoding", coding)];
        let answer = gateway.client.send("POST", DIVIDE, &headers, gzip(JSON.as_bytes())).await;
        assert_eq!((answer.status, answer.header("accept-encoding")), (415, "gzip, br, zstd"), "{coding}");
    }
    for (coding, body) in [
        ("gzip", JSON.into()),
        ("gzip", [gzip(JSON.as_bytes()), b"x".to_vec()].concat()),
        ("gzip", gzip(JSON.as_bytes())[..30].to_vec()),
        ("zstd", gzip(JSON.as_bytes())),
        ("br", JSON.into()),
    ] {
        let headers = [json[0], ("content-encoding", coding)];
        let answer = gateway.client.send("POST", DIVIDE, &headers, body).await;
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("invalid_argument")), "{coding}");
    }
    let failures = gateway.metric("callgate_failures_total", &["reason=\"malformed_encoding\""]).await;
    assert_eq!(failures, 5.0);
}

#[tokio::test]
async fn what_gzip_pipes_into_curl_is_read_with_a_length_and_in_chunks() {
    let (_setup, _backend, gateway) = start("").await;
    let url = format!("http://{}{DIVIDE}", gateway.addr);
    let headers = ["-H", "content-encoding: gzip", "-H", "content-type: application/json"];
    for framing in [&[][..], &["-H", "transfer-encoding: chunked"]] {
        let arguments =
            [&["-sS", "--max-time", "60", "--data-binary", "@-", &url], &headers[..], framing].concat();
        let told = piped("curl", &arguments, &gzip(JSON.as_bytes()));
        assert_eq!(String::from_utf8_lossy(&told), r#"{"result":42.0}"#);
    }
}

#[tokio::test]
async fn a_bomb_is_413_within_the_bound() {
    const MIB: usize = 1 << 20;
    let (_setup, _backend, gateway) = start("max_body = \"2MiB\"\nmax_body_memory = \"32MiB\"").await;
    let bombs = [
        ("gzip", gzip(&vec![b' '; 64 * MIB])),
        ("zstd", piped("zstd", &["-c", "-19"], &vec![b' '; 64 * MIB])),
    ];
    let before = gateway.resident_bytes();
    for (coding, bomb) in &bombs {
        assert!(bomb.len() < MIB, "{}", bomb.len());
        let headers = [("content-type", "application/json"), ("content-encoding", *coding)];
        let sent = (0..16).map(|_| gateway.client.send("POST", DIVIDE, &headers, bomb.clone()));
        let mut tasks = Vec::new();
        for one in sent {
            tasks.push(one.await.status);
        }
        assert_eq!(tasks, [413; 16], "{coding}");
    }
    let grown = gateway.resident_bytes().saturating_sub(before);
    assert!(grown < 48 * MIB as u64, "{grown} bytes for bodies of 2 MiB");
    // What fits is read: the JSON stands behind blanks.
    let body = [vec![b' '; MIB], JSON.into()].concat();
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let answer = gateway.client.send("POST", DIVIDE, &headers, gzip(&body)).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "result": 42.0 })));
}

#[tokio::test]
async fn compressed_bodies_are_refused_where_the_settings_say_so() {
    let (_setup, _backend, gateway) = start("compressed_bodies = false").await;
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let answer = gateway.client.send("POST", DIVIDE, &headers, gzip(JSON.as_bytes())).await;
    assert_eq!((answer.status, answer.header("accept-encoding")), (415, "identity"));
    let headers = [("content-type", "application/json"), ("content-encoding", "identity")];
    assert_eq!(gateway.client.send("POST", DIVIDE, &headers, JSON).await.status, 200);
}

#[tokio::test]
async fn utf8_has_many_names_and_no_other_charset_is_read() {
    let (_setup, _backend, gateway) = start("").await;
    for charset in ["utf8", "UTF-8", "\"utf-8\"", "Utf8", "unicode-1-1-utf-8", "x-unicode20utf8"] {
        let kind = format!("application/json; charset={charset}");
        let answer = gateway.client.send("POST", DIVIDE, &[("content-type", &kind)], JSON).await;
        assert_eq!(answer.status, 200, "{charset}");
    }
    for charset in ["latin1", "utf-16", "us-ascii"] {
        let kind = format!("application/json; charset={charset}");
        let answer = gateway.client.send("POST", DIVIDE, &[("content-type", &kind)], JSON).await;
        let told = format!("the body must be in UTF-8, not in `{charset}`");
        assert_eq!((answer.status, &answer.json()["detail"]), (415, &json!(told)));
    }
}
