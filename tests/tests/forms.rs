//! Forms: whose fields they fill, by curl and Python, and which are refused.

use callgate_tests::uploads::kept;
use callgate_tests::{Backend, Gateway, Setup};
use serde_json::{Value, json};
use std::process::Command;

const ROUTES: &str = r#"
[[routes]]
match = "POST /books"
call = "uploads.enter"
body = { accept = ["json", "form"] }
bind = { cover_name = { filename = "cover" }, cover_kind = { content_type = "cover" } }

[[routes]]
match = "POST /forms/{title}"
call = "uploads.enter"
body = { accept = ["form"] }
bind = { tags = { form = "labels", split = "," }, cover = { form = "file[]" } }

[[routes]]
match = "POST /json"
call = "uploads.enter"
"#;

async fn start(setup: &Setup) -> (Backend, Gateway) {
    let backend = setup.backend("uploads");
    let backends = format!("[backends.uploads]\nendpoints = [{:?}]\n", backend.endpoint());
    setup.write_routes("uploads.toml", &format!("{backends}{ROUTES}"));
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    (backend, gateway)
}

/// A book with that title, of which nothing else is known but that.
fn book(title: &str, more: Value) -> Value {
    let mut all = json!({
        "title": title, "tags": [], "pages": null, "author": null, "sold": false, "cover": null, "pictures": [],
    });
    let more = more.as_object().expect("an object").clone();
    all.as_object_mut().expect("an object").extend(more);
    all
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
async fn a_form_of_either_kind_fills_the_fields_of_its_names() {
    let setup = Setup::new();
    let (_backend, gateway) = start(&setup).await;
    let encoded = [
        "--data-urlencode",
        "title=a & b=é",
        "-d",
        "tags=x&tags=y%2Cz",
        "-d",
        "pages=&sold=true",
        "-d",
        "author.name=N",
    ];
    let expected = json!({ "tags": ["x", "y,z"], "sold": true, "author": { "name": "N" } });
    assert_eq!(curl(&gateway, &encoded, "/books"), book("a & b=é", expected.clone()));
    let parts = [
        "-F",
        "title=a & b=é",
        "-F",
        "tags=x",
        "-F",
        "tags=y,z",
        "-F",
        "pages=",
        "-F",
        "sold=true",
        "-F",
        "author.name=N",
    ];
    assert_eq!(curl(&gateway, &parts, "/books"), book("a & b=é", expected));
    let json = ["-H", "content-type: application/json", "-d", r#"{"title": "t", "pages": 7}"#];
    assert_eq!(curl(&gateway, &json, "/books"), book("t", json!({ "pages": 7 })));
    let bound = ["-F", "labels=x,y", "-F", "file[]=abc"];
    let expected = json!({ "tags": ["x", "y"], "cover": kept(b"abc", None, None) });
    assert_eq!(curl(&gateway, &bound, "/forms/t"), book("t", expected));
}

#[tokio::test]
async fn files_of_a_form_are_their_fields_bytes_with_what_is_said_of_them() {
    let setup = Setup::new();
    let (_backend, gateway) = start(&setup).await;
    let long: Vec<u8> = (0..2_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let path = setup.file("cover \"1\".png");
    std::fs::write(&path, &long).expect("it can be written");
    let file = format!("cover=@\"{}\"", path.display().to_string().replace('"', "\\\""));
    let told = curl(&gateway, &["-F", "title=t", "-F", &file], "/books");
    let name = told["cover"]["name"].as_str().expect("a name").to_owned();
    assert!(name.starts_with("cover ") && name.ends_with(".png"), "{name}");
    assert_eq!(told, book("t", json!({ "cover": kept(&long, Some("image/png"), Some(&name)) })));
    let pictures = [
        "-F",
        "title=t",
        "-F",
        "pictures=one;filename=a",
        "-F",
        "pictures=;filename=b",
        "-F",
        "cover=x;type=a/b;filename=/etc/c",
    ];
    let expected = json!({
        "pictures": [kept(b"one", None, None), kept(b"", None, None)],
        "cover": kept(b"x", Some("a/b"), Some("c")),
    });
    assert_eq!(curl(&gateway, &pictures, "/books"), book("t", expected));
    // What browsers send where nobody has chosen a file.
    let body = "--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nt\r\n\
                --b\r\nContent-Disposition: form-data; name=\"cover\"; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n\r\n--b--\r\n";
    let kind = [("content-type", "multipart/form-data; boundary=b")];
    let answer = gateway.client.send("POST", "/books", &kind, body).await;
    assert_eq!((answer.status, answer.json()), (200, book("t", json!({}))));
}

#[tokio::test]
async fn a_form_that_does_not_fit_is_refused_by_field() {
    let setup = Setup::new();
    let (_backend, gateway) = start(&setup).await;
    for (arguments, path, pointer, expected) in [
        (
            &["-F", "titel=t"][..],
            "/books",
            "/titel",
            "form field `titel`: unknown field `titel`, did you mean `title`?",
        ),
        (&["-d", "pages=many&title=t"], "/books", "/pages", "form field `pages`: expected an integer"),
        (&["-d", "sold=on&title=t"], "/books", "/sold", "form field `sold`: expected `true` or `false`"),
        (&["-d", "title=a&title=b"], "/books", "/title", "given twice: by form field `title`"),
        (
            &["-d", "title=b"],
            "/books?title=a",
            "/title",
            "given twice: by query parameter `title` and by form field `title`",
        ),
        (&["-d", "pages=1"], "/books", "/title", "missing field `title`"),
        (
            &["-F", "title=t", "-F", "cover_name=x"],
            "/books",
            "/cover_name",
            "the file name of part `cover` only",
        ),
        (&["-d", "title=x"], "/forms/t", "/title", "by path parameter `title`"),
        (&["-d", "tags=x"], "/forms/t", "/tags", "filled by form field `labels` only"),
    ] {
        let told = curl(&gateway, arguments, path);
        let errors = told["errors"].as_array().unwrap_or_else(|| panic!("{told}"));
        let is_it = |error: &Value| {
            error["pointer"] == pointer
                && error["detail"].as_str().is_some_and(|text| text.contains(expected))
        };
        assert!(errors.iter().any(is_it), "{expected}: {told}");
    }
    for (kind, body, expected) in [
        ("multipart/form-data", "--b--", "its Content-Type must have one boundary"),
        ("multipart/form-data; boundary=c", "--b--", "it does not begin with the boundary"),
        ("multipart/form-data; boundary=b", "--b\r\n\r\nx\r\n--b--", "each part needs one"),
        ("application/x-www-form-urlencoded", "title=%ff", "the form is not UTF-8"),
    ] {
        let answer = gateway.client.send("POST", "/books", &[("content-type", kind)], body).await;
        assert_eq!(answer.status, 400, "{kind}");
        assert!(answer.text().contains(expected), "{}", answer.text());
    }
    let many = "tags=x&".repeat(1001);
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let answer = gateway.client.send("POST", "/books", &kind, many).await;
    assert!(answer.status == 400 && answer.text().contains("more than 1000 fields"), "{}", answer.text());
}

#[tokio::test]
async fn forms_are_read_only_where_the_route_says_so() {
    let setup = Setup::new();
    let (_backend, gateway) = start(&setup).await;
    for kind in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/plain"] {
        let answer = gateway.client.send("POST", "/json", &[("content-type", kind)], "title=t").await;
        assert_eq!((answer.status, answer.header("accept")), (415, "application/json"), "{kind}");
    }
    for headers in [&[][..], &[("content-type", "application/json")]] {
        let answer = gateway.client.send("POST", "/forms/t", headers, "{}").await;
        let accept = "application/x-www-form-urlencoded, multipart/form-data";
        assert_eq!((answer.status, answer.header("accept")), (415, accept));
    }
    let answer = gateway.client.send("POST", "/forms/t", &[], "").await;
    assert_eq!((answer.status, answer.json()), (200, book("t", json!({}))), "no body is no form");
}

#[tokio::test]
async fn python_sends_forms_and_files() {
    let setup = Setup::new();
    let (_backend, gateway) = start(&setup).await;
    let script = "import json, sys, requests\n\
        url = sys.argv[1]\n\
        one = requests.post(url, data={'title': 'a b', 'tags': ['x', 'y'], 'pages': 3}, timeout=60)\n\
        two = requests.post(url, data={'title': 't'}, files={'cover': ('a b.png', bytes(range(256)), 'image/png')}, timeout=60)\n\
        print(json.dumps([one.json(), two.json()]))\n";
    let url = format!("http://{}/books", gateway.addr);
    let Ok(output) = Command::new("python3").args(["-c", script, &url]).output() else {
        return eprintln!("NOT RUN: there is no python3");
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if said.contains("No module named 'requests'") {
        return eprintln!("NOT RUN: Python has no requests");
    }
    assert!(output.status.success(), "{said}");
    let told: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{:?}", output.stdout));
    let bytes: Vec<u8> = (0..=255).collect();
    let expected = json!([
        book("a b", json!({ "tags": ["x", "y"], "pages": 3 })),
        book("t", json!({ "cover": kept(&bytes, Some("image/png"), Some("a b.png")) })),
    ]);
    assert_eq!(told, expected);
}
