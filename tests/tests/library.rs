//! The demo's library, by the demo's own table: what a REST client expects of things that are made, found, changed and removed.

use callgate_tests::{Backend, Gateway, Setup};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

async fn start(setup: &Setup) -> (Backend, Gateway) {
    let backend = setup.backend("shop");
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("../routes/library.toml");
    let table = std::fs::read_to_string(table).expect("the demo has the table");
    let endpoints = format!("endpoints = [{:?}]", backend.endpoint());
    let moved = table.replace("endpoints = [\"127.0.0.1:7102\"]", &endpoints);
    assert_ne!(moved, table, "the table names the instance that is replaced");
    setup.write_routes("library.toml", &moved);
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    (backend, gateway)
}

#[tokio::test]
async fn a_book_is_made_found_changed_and_removed() {
    let setup = Setup::new();
    let (_backend, gateway) = start(&setup).await;
    let client = &gateway.client;

    let made =
        client.post("/v1/books", r#"{"title": "Solaris", "author": "Stanisław Lem", "year": 1961}"#).await;
    assert_eq!((made.status, made.header("location")), (201, "/v1/books/4"), "{}", made.text());
    let path = made.header("location");

    let found = client.get(path).await;
    assert_eq!((found.status, found.header("etag"), found.json()), (200, "\"1\"", made.json()));
    let same = client.send("GET", path, &[("if-none-match", "\"1\"")], "").await;
    assert_eq!((same.status, same.text().as_str(), same.header("etag")), (304, "", "\"1\""));

    let change = r#"{"year": null, "tags": ["ocean"]}"#;
    let changed = client.send("PATCH", path, &[("if-match", "\"1\"")], change).await;
    assert_eq!((changed.status, changed.header("etag")), (200, "\"2\""));
    let book = changed.json();
    assert_eq!(
        (&book["title"], &book["year"], &book["tags"]),
        (&json!("Solaris"), &Value::Null, &json!(["ocean"]))
    );
    let late = client.send("PATCH", path, &[("if-match", "\"1\"")], change).await;
    assert_eq!((late.status, &late.json()["details"]["version"]), (412, &json!(2)), "{}", late.text());

    assert_eq!(client.send("DELETE", path, &[], "").await.status, 204);
    let gone = client.get(path).await;
    assert_eq!(gone.status, 404);
    assert!(
        gone.json()["type"].as_str().is_some_and(|kind| kind.ends_with("no_such_book")),
        "{}",
        gone.text()
    );
}

#[tokio::test]
async fn pages_lead_to_the_next_one_until_the_last() {
    let setup = Setup::new();
    let (_backend, gateway) = start(&setup).await;
    let (mut path, mut titles) = ("/v1/books?limit=2".to_owned(), Vec::new());
    loop {
        let page = gateway.client.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.text());
        titles
            .extend(page.json()["books"].as_array().expect("books").iter().map(|book| book["title"].clone()));
        let link = page.header("link").to_owned();
        let Some((next, relation)) = link.strip_prefix('<').and_then(|link| link.split_once('>')) else {
            assert_eq!(link, "", "a link, or none");
            break;
        };
        assert_eq!(relation, "; rel=\"next\"");
        path = next.to_owned();
    }
    assert_eq!(titles, ["Dune", "The Left Hand of Darkness", "Roadside Picnic"]);
    let classics = gateway.client.get("/v1/books?tag=classic&limit=1").await;
    assert_eq!(classics.header("link"), "</v1/books?after=1&limit=1&tag=classic>; rel=\"next\"");
}

#[tokio::test]
async fn all_that_is_wrong_with_a_new_book_is_said_at_once() {
    let setup = Setup::new();
    let (_backend, gateway) = start(&setup).await;
    let refused = gateway.client.post("/v1/books", r#"{"title": "", "autor": "x", "year": -1}"#).await;
    assert_eq!(refused.status, 400);
    let told = refused.json();
    let mut pointers: Vec<_> =
        told["errors"].as_array().expect("errors").iter().map(|error| &error["pointer"]).collect();
    pointers.sort_by_key(|pointer| pointer.to_string());
    assert_eq!(pointers, ["/autor", "/title", "/year"], "{told}");
}

/// Python's reader of CSV is the judge of the list, and curl sends the form.
#[tokio::test]
async fn the_list_is_a_file_and_a_cover_comes_by_a_form() {
    let setup = Setup::new();
    let (_backend, gateway) = start(&setup).await;
    let client = &gateway.client;
    let title = r#"{"title": "Say \"x\", y\n", "author": "z"}"#;
    assert_eq!(client.post("/v1/books", title).await.status, 201);
    let list = client.get("/v1/books.csv").await;
    let (kind, name) = (list.header("content-type"), list.header("content-disposition"));
    assert_eq!((list.status, kind), (200, "text/csv; charset=utf-8"));
    assert_eq!(name, "attachment; filename=\"books.csv\"");
    let read = "import csv,io,json,sys; print(json.dumps(list(csv.reader(io.TextIOWrapper(sys.stdin.buffer, newline=''), strict=True))))";
    let rows: Value = serde_json::from_slice(&run("python3", &["-c", read], &list.body)).expect("JSON");
    assert_eq!(rows[0], json!(["id", "title", "author", "year"]));
    assert_eq!(
        (&rows[4], rows.as_array().map(Vec::len)),
        (&json!(["4", "Say \"x\", y\n", "z", ""]), Some(5))
    );

    let picture: Vec<u8> = (0..=255).collect();
    let url = format!("http://{}/v1/books/1/cover", gateway.addr);
    let cover = |kind: &str| {
        let form = format!("cover=@-;filename=c.png;type={kind}");
        let told = run("curl", &["-sS", "-F", &form, "-o", "-", &url], &picture);
        String::from_utf8(told).expect("a text")
    };
    assert_eq!(client.get("/v1/books/1/cover").await.status, 404);
    assert!(cover("text/html").contains("\"/kind\""), "only pictures are kept");
    assert_eq!(cover("image/png"), "");
    let kept = client.get("/v1/books/1/cover").await;
    assert_eq!((kept.status, kept.header("content-type"), &kept.body[..]), (200, "image/png", &picture[..]));
}

/// What a program says to what it is given.
fn run(program: &str, arguments: &[&str], given: &[u8]) -> Vec<u8> {
    let mut command = Command::new(program);
    let mut child = command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    child.stdin.take().expect("it is there").write_all(given).expect("it reads");
    let done = child.wait_with_output().expect("it ends");
    assert!(done.status.success(), "{program} {arguments:?}");
    done.stdout
}
