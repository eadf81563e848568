//! The OpenAPI document of a gateway that runs: made of the routes in force and of what instances offer, and of nothing else.

use callgate_tests::{Gateway, Setup, binary, eventually};
use serde_json::{Value, json};
use std::process::{Command, Output};

async fn document(gateway: &Gateway) -> Value {
    let answer = gateway.admin.get("/openapi.json").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    answer.json()
}

#[tokio::test]
async fn the_demo_is_described_as_it_is_and_a_client_that_has_the_document_gets_it_once() {
    let setup = Setup::new();
    let backend = setup.backend("shop");
    setup.write_demo(&backend);
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    let document = document(&gateway).await;
    let quote = &document["paths"]["/v1/orders/{order_id}/quote"]["post"];
    assert_eq!((&quote["operationId"], &quote["tags"]), (&json!("orders.quote"), &json!(["orders"])));
    assert_eq!(quote["summary"], "Prices an order");
    let body = &quote["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["required"], json!(["customer", "express", "items"]));
    assert_eq!(body["properties"]["note"]["description"], "Anything else; may be left out.");
    assert_eq!(body["properties"]["items"]["items"]["$ref"], "#/components/schemas/ItemInput");
    let answered = &quote["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(answered["$ref"], "#/components/schemas/Quote");
    let unknown: Vec<&String> = document["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .filter(|(_, item)| {
            item.as_object()
                .is_some_and(|item| item.values().any(|one| one.get("x-callgate-unknown").is_some()))
        })
        .map(|(path, _)| path)
        .collect();
    assert!(unknown.is_empty(), "an instance has all methods: {unknown:?}");

    let first = gateway.admin.get("/openapi.json").await;
    let known = [("if-none-match", first.header("etag"))];
    let again = gateway.admin.send("GET", "/openapi.json", &known, "").await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    // A route more is there as soon as its file is.
    setup.write_routes("more.toml", "[[routes]]\nmatch = \"GET /more\"\nrespond = {}\n");
    let again = eventually("the next document", || async {
        let again = gateway.admin.send("GET", "/openapi.json", &known, "").await;
        Some(again).filter(|again| again.status == 200)
    })
    .await;
    assert!(again.json()["paths"]["/more"]["get"].is_object());
}

#[tokio::test]
async fn the_command_writes_the_document_to_a_file_and_says_what_it_lacks() {
    let setup = Setup::new().admin("token = \"all-of-it\"\nread_token = \"for-reading\"");
    setup.write_routes("a.toml", "[[routes]]\nmatch = \"GET /a\"\nrespond = {}\n");
    let gateway = setup.gateway().await;
    let file = setup.file("openapi.json");
    let admin = format!("http://{}", gateway.admin_addr);
    let run = async |token: &str| {
        let mut command = Command::new(binary("callgate"));
        command.args(["openapi", "--admin", &admin, "-o"]).arg(&file).env("CALLGATE_ADMIN_TOKEN", token);
        let ran = tokio::task::spawn_blocking(move || command.output());
        let Output { status, stdout, stderr } = ran.await.expect("it ends").expect("callgate runs");
        (status.code(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
    };
    let (status, said) = run("for-reading").await;
    assert_eq!(status, Some(0), "{said}");
    let written: Value = serde_json::from_slice(&std::fs::read(&file).expect("it is there")).expect("JSON");
    assert!(written["paths"]["/a"]["get"].is_object());
    let (status, said) = run("another").await;
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("CALLGATE_ADMIN_TOKEN"), "{said}");
}

#[tokio::test]
async fn clients_get_the_document_of_their_file_and_a_page_that_shows_it() {
    let setup = Setup::new();
    let backend = setup.backend("shop");
    let table = format!(
        "[backends.shop]\nendpoints = [{:?}]\n\
         [[routes]]\nmatch = \"GET /add\"\ncall = \"calc.add\"\n\
         [[routes]]\nmatch = \"GET /openapi.json\"\nopenapi = {{ title = \"Sums\" }}\nrate_limit = {{ rate = \"1000/s\" }}\n\
         [[routes]]\nmatch = \"GET /all.json\"\nopenapi = {{ routes = \"all\" }}\n\
         [[routes]]\nmatch = \"GET /explore\"\nexplore = \"/openapi.json\"\n\
         [[routes]]\nmatch = \"GET /elsewhere\"\nrespond = {{}}\nhosts = [\"elsewhere.example\"]\n",
        backend.endpoint()
    );
    setup.write_routes("sums.toml", &table);
    setup.write_routes("other.toml", "[[routes]]\nmatch = \"GET /inside\"\nrespond = {}\n");
    let gateway = setup.gateway().await;
    let paths = async |path: &str| {
        let answer = gateway.client.get(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{path}");
        let document = answer.json();
        let paths: Vec<String> = document["paths"].as_object().expect("paths").keys().cloned().collect();
        let known = document["paths"]["/add"]["get"]["responses"]["200"]["content"].is_object();
        (paths, known, answer.header("etag").to_owned())
    };
    // As soon as an instance has said what it offers, the document says so.
    let (own, _, tag) = eventually("the instance's schema", || async {
        Some(paths("/openapi.json").await).filter(|(_, known, _)| *known)
    })
    .await;
    assert_eq!(own, ["/add", "/elsewhere"]);
    assert_eq!(paths("/all.json").await.0, ["/add", "/elsewhere", "/inside"]);
    let again = gateway.client.send("GET", "/openapi.json", &[("if-none-match", &tag)], "").await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_ne!(again.header("ratelimit"), "", "what holds for routes holds for it");

    let page = gateway.client.get("/explore").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.text().contains("content=\"/openapi.json\""));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'; script-src 'sha256-"));
    let page = gateway.admin.get("/explore").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
}
