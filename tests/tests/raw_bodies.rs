//! Bodies that are taken as they are: which field they fill, what is known of them, and which are refused.

use callgate_tests::uploads::kept;
use callgate_tests::{Backend, Gateway, Setup};
use serde_json::{Value, json};
use std::process::Command;

const ROUTES: &str = r#"
[[routes]]
match = "PUT /files/{name}"
call = "uploads.keep"
body = { raw = "content", content_type = "kind" }

[[routes]]
match = "POST /pictures"
call = "uploads.keep"
body = { raw = "content", content_type = "kind", filename = "name", accept = ["image/png", "text/*"] }

[[routes]]
match = "POST /texts"
call = "uploads.say"
body = { raw = "text" }
"#;

async fn start(setup: &Setup, routes: &str) -> (Backend, Gateway) {
    let backend = setup.backend("uploads");
    let backends = format!("[backends.uploads]\nendpoints = [{:?}]\n", backend.endpoint());
    setup.write_routes("uploads.toml", &format!("{backends}{routes}"));
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    (backend, gateway)
}

/// What curl gets.
fn curl(gateway: &Gateway, arguments: &[&str], path: &str) -> Value {
    let url = format!("http://{}{path}", gateway.addr);
    let output = Command::new("curl").args(["-sS", "--max-time", "60"]).args(arguments).arg(&url).output();
    let output = output.expect("curl runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{:?}", output.stdout))
}

#[tokio::test]
async fn a_body_fills_its_field_as_it_is_whatever_it_is() {
    let setup = Setup::new();
    let (_backend, gateway) = start(&setup, ROUTES).await;
    let long: Vec<u8> = (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for content in [&b"\xff\0{\r\n"[..], b"{\"a\":", b"", &long] {
        let kind = [("content-type", "application/x-thing; v=1")];
        let answer = gateway.client.send("PUT", "/files/a%20b", &kind, content.to_vec()).await;
        let expected = kept(content, Some("application/x-thing; v=1"), Some("a b"));
        assert_eq!((answer.status, answer.json()), (200, expected));
    }
    let answer = gateway.client.send("PUT", "/files/x", &[], "untyped").await;
    assert_eq!((answer.status, answer.json()), (200, kept(b"untyped", None, Some("x"))));
    let path = setup.file("thing.bin");
    std::fs::write(&path, &long).expect("it can be written");
    let expected = kept(&long, None, Some("thing.bin"));
    assert_eq!(curl(&gateway, &["-T", &path.display().to_string()], "/files/"), expected, "curl -T");
    let data = format!("@{}", path.display());
    let kind = ["-X", "PUT", "-H", "content-type: image/x", "--data-binary", &data];
    assert_eq!(curl(&gateway, &kind, "/files/y"), kept(&long, Some("image/x"), Some("y")));
    let chunked = [
        "-X",
        "PUT",
        "-H",
        "content-type: image/x",
        "-H",
        "transfer-encoding: chunked",
        "--data-binary",
        &data,
    ];
    assert_eq!(curl(&gateway, &chunked, "/files/y"), kept(&long, Some("image/x"), Some("y")));
    for text in ["{\"no\": json", "\u{feff}é", ""] {
        let answer = gateway.client.send("POST", "/texts", &[], text).await;
        assert_eq!((answer.status, answer.json()), (200, json!(text)));
    }
    let told = gateway.client.send("POST", "/texts", &[], b"ab\xff".to_vec()).await;
    assert_eq!(told.status, 400);
    assert_eq!(told.json()["errors"][0]["pointer"], "/text");
    assert_eq!(told.json()["errors"][0]["detail"], "the body: not UTF-8 behind byte 2");
}

#[tokio::test]
async fn only_the_types_that_the_route_accepts_are_read_and_a_name_comes_along() {
    let setup = Setup::new();
    let (_backend, gateway) = start(&setup, ROUTES).await;
    for (disposition, name) in [
        (&[][..], None),
        (&[("content-disposition", "attachment; filename=\"../a b.png\"")], Some("a b.png")),
        (&[("content-disposition", "attachment; filename=x; filename*=UTF-8''%C3%A9.png")], Some("é.png")),
        (&[("content-disposition", "inline")], None),
    ] {
        let headers = [&[("content-type", "image/png")], disposition].concat();
        let answer = gateway.client.send("POST", "/pictures", &headers, "x").await;
        assert_eq!((answer.status, answer.json()), (200, kept(b"x", Some("image/png"), name)));
    }
    for kind in ["text/csv; charset=latin1", "Image/PNG"] {
        let answer = gateway.client.send("POST", "/pictures", &[("content-type", kind)], "x").await;
        assert_eq!((answer.status, answer.json()), (200, kept(b"x", Some(kind), None)));
    }
    for headers in [&[][..], &[("content-type", "image/jpeg")], &[("content-type", "application/json")]] {
        let answer = gateway.client.send("POST", "/pictures", headers, "x").await;
        assert_eq!((answer.status, answer.header("accept")), (415, "image/png, text/*"), "{}", answer.text());
    }
    let routes = gateway.admin.get("/routes").await.json();
    let shown: Vec<&Value> =
        routes["routes"].as_array().expect("routes").iter().map(|route| &route["body"]).collect();
    let expected = [
        json!({ "raw": "content", "accept": ["*/*"] }),
        json!({ "raw": "content", "accept": ["image/png", "text/*"] }),
        json!({ "raw": "text", "accept": ["*/*"] }),
    ];
    assert!(expected.iter().all(|one| shown.contains(&one)), "{shown:?}");
}

#[tokio::test]
async fn a_field_that_takes_no_bytes_is_told_with_its_place() {
    let setup = Setup::new();
    let route = "[[routes]]\nmatch = \"POST /x\"\ncall = \"uploads.enter\"\nbody = { raw = \"pages\" }\n";
    let (backend, _gateway) = start(&setup, route).await;
    let (status, told) = setup.check_against_backend(&backend).await;
    assert_ne!(status, Some(0), "{told}");
    assert!(told.contains("uploads.toml:6:8") && told.contains("no bytes and no text"), "{told}");
}
