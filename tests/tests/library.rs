//! The demo's library, by the demo's own table: what a REST client expects of things that are made, found, changed and removed.

use callgate_tests::{Backend, Gateway, Setup};
use serde_json::{Value, json};
use std::path::Path;

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
