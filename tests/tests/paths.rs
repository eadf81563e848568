//! Routes by their paths and headers: fixed answers, redirects, rewrites, prefixes, slashes, suffixes, and headers that go along with calls.

use callgate_tests::{Answer, Backend, Gateway, Raw, Setup, free_port, header};
use serde_json::{Value, json};

/// Two services in a chain behind a gateway with these routes.
struct Paths {
    setup: Setup,
    gateway: Gateway,
    first: Backend,
    _next: Backend,
}

const BACKEND: &str = "[backends.chain]\nendpoints = [\"ENDPOINT\"]\n";
const METADATA: &str = "[[routes]]\nmatch = \"GET /metadata/{name}\"\ncall = \"chain.metadata\"\nresponse = { wrap = \"value\" }\n";

impl Paths {
    async fn start(setup: Setup, routes: &str) -> Paths {
        let folder = setup.file("").display().to_string();
        let at = || format!("127.0.0.1:{}", free_port());
        let next = setup.backend_told("chain", at(), &["--folder", &folder]);
        let first = setup.backend_told("chain", at(), &["--folder", &folder, "--next", &next.endpoint()]);
        setup.write_routes("chain.toml", &BACKEND.replace("ENDPOINT", &first.endpoint()));
        setup.write_routes("routes.toml", routes);
        let gateway = setup.gateway().await;
        gateway.connected(&first).await;
        Paths { setup, gateway, first, _next: next }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.gateway.client.send("GET", path, headers, "").await
    }

    /// What a handler sees under that name, after so many calls further.
    async fn seen(&self, name: &str, hops: u32, headers: &[(&str, &str)]) -> Value {
        let answer = self.get(&format!("/metadata/{name}?hops={hops}"), headers).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["value"].take()
    }

    async fn counted(&self, route: &str, status: u16) -> f64 {
        let labels = [format!("route=\"{route}\""), format!("status=\"{status}\"")];
        self.gateway.metric("callgate_requests_total", &[&labels[0], &labels[1]]).await
    }
}

#[tokio::test]
async fn headers_go_along_by_list_and_no_others() {
    let routes = format!("metadata = [\"X-Tenant\", \"cookie\", \"x-passed\"]\n{METADATA}");
    let paths = Paths::start(Setup::new(), &routes).await;
    let headers = [
        ("X-Tenant", "blue"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
        ("x-passed", "on"),
        ("authorization", "Bearer secret"),
        ("caller", "root"),
        ("x-request-id", "r1"),
    ];
    for (name, expected) in [
        ("x-tenant", json!("blue")),
        ("X-Tenant", json!("blue")),
        ("cookie", json!("a=1; b=2")),
        ("authorization", Value::Null),
        ("caller", Value::Null),
        ("request-id", json!("r1")),
    ] {
        assert_eq!(paths.seen(name, 0, &headers).await, expected, "{name}");
    }
    assert_eq!(paths.seen("x-tenant", 0, &[]).await, Value::Null);
    assert_eq!(paths.seen("x-tenant", 0, &[("x-tenant", "")]).await, json!(""));
    // What came stays with the call; what a handler adds itself goes to the next.
    assert_eq!(paths.seen("x-tenant", 1, &headers).await, Value::Null);
    assert_eq!(paths.seen("passed", 1, &headers).await, json!("on"));
    assert_eq!(paths.seen("request-id", 1, &headers).await, json!("r1"));
    let page = paths.gateway.admin.get("/routes").await.json();
    assert_eq!(page["routes"][0]["metadata"], json!(["x-tenant", "cookie", "x-passed"]));
}

#[tokio::test]
async fn a_listed_header_that_no_handler_could_see_is_refused() {
    let setup = Setup::new().server("max_head = \"64KiB\"");
    let paths = Paths::start(setup, &format!("{METADATA}metadata = [\"x-tenant\"]\n")).await;
    let large = "x".repeat(20 * 1024);
    let answer = paths.get("/metadata/x?hops=0", &[("x-tenant", &large)]).await;
    assert_eq!((answer.status, &answer.json()["code"]), (431, &json!("resource_exhausted")));
    assert_eq!(paths.counted("/metadata/{name}", 431).await, 1.0);
    assert_eq!(paths.get("/metadata/x?hops=0", &[("x-other", &large)]).await.status, 200);
    let mut raw = Raw::connect(paths.gateway.addr).await;
    raw.write(b"GET /metadata/x?hops=0 HTTP/1.1\r\nhost: x\r\nx-tenant: \xff\r\n\r\n").await;
    let (head, body) = raw.answer().await.expect("an answer");
    assert!(head.starts_with("HTTP/1.1 400 ") && body.contains("x-tenant is not UTF-8"), "{head}{body}");
    raw.write(b"GET /metadata/x?hops=0 HTTP/1.1\r\nhost: x\r\nx-other: \xff\r\n\r\n").await;
    assert_eq!(raw.status().await, 200);
}

const FIXED: &str = r#"
[[routes]]
match = "GET /up"
respond = { body = "up\n", headers = { cache-control = "no-store" } }

[[routes]]
match = "DELETE /up"
respond = { status = 418, json = { error = "tea" } }

[[routes]]
match = "GET /v1/{*rest}"
redirect = { to = "/{*rest}", status = 307 }

[[routes]]
match = "GET /orders/{id}"
redirect = { to = "https://shop.example/o/{id}" }
"#;

#[tokio::test]
async fn fixed_answers_are_as_the_table_says() {
    let paths = Paths::start(Setup::new(), FIXED).await;
    let client = &paths.gateway.client;
    let answer = paths.get("/up?x=1", &[("x-request-id", "r1")]).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "up\n"));
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!((answer.header("cache-control"), answer.header("x-request-id")), ("no-store", "r1"));
    let answer = client.send("HEAD", "/up", &[], "").await;
    assert_eq!((answer.status, answer.text().as_str(), answer.header("content-length")), (200, "", "3"));
    let answer = client.send("OPTIONS", "/up", &[], "").await;
    assert_eq!((answer.status, answer.header("allow")), (204, "GET, HEAD, DELETE, OPTIONS"));
    let answer = client.send("PUT", "/up", &[], "").await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD, DELETE, OPTIONS"));
    // A body that nobody asked for is read past, whatever it is, and the connection goes on.
    let mut raw = Raw::connect(paths.gateway.addr).await;
    for _ in 0..2 {
        raw.write(
            "DELETE /up HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello",
        )
        .await;
        let (head, body) = raw.answer().await.expect("an answer");
        assert!(head.starts_with("HTTP/1.1 418 ") && header(&head, "connection").is_none(), "{head}");
        assert_eq!(
            (header(&head, "content-type"), body.as_str()),
            (Some("application/json"), r#"{"error":"tea"}"#)
        );
    }
    assert_eq!((paths.counted("/up", 200).await, paths.counted("/up", 418).await), (2.0, 2.0));
    assert_eq!(
        paths.gateway.metric("callgate_request_duration_seconds_count", &["route=\"/up\""]).await,
        4.0
    );
}

#[tokio::test]
async fn redirects_say_where_to_whatever_the_parameters_are() {
    let paths = Paths::start(Setup::new(), FIXED).await;
    let mut raw = Raw::connect(paths.gateway.addr).await;
    for (uri, expected) in [
        ("/v1/a%2Fb/c?q=%41", Some((307, "/a%2Fb/c?q=%41"))),
        ("/v1//evil.example", Some((307, "/%2Fevil.example"))),
        ("/v1/a%0d%0aset-cookie:x=1", Some((307, "/a%0D%0Aset-cookie:x=1"))),
        ("/v1/../admin", None),
        ("/orders/7?x=1", Some((308, "https://shop.example/o/7?x=1"))),
        ("/orders/%2e%2e", None),
    ] {
        raw.write(format!("GET {uri} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        let (head, body) = raw.answer().await.expect("an answer");
        let (status, location) = (&head[9..12], header(&head, "location"));
        match expected {
            Some((code, to)) => {
                assert_eq!((status, location, &*body), (&*code.to_string(), Some(to), ""), "{uri}")
            }
            None => assert_eq!((status, location), ("400", None), "{uri}"),
        }
        assert!(header(&head, "set-cookie").is_none());
    }
    assert_eq!(paths.counted("/v1/{*rest}", 307).await, 3.0);
    assert_eq!(
        (paths.counted("/orders/{id}", 308).await, paths.counted("/orders/{id}", 400).await),
        (1.0, 0.0),
        "dots lead to no route"
    );
}

const REWRITES: &str = r#"
prefix = "/api"

[[routes]]
match = "GET /v2/metadata/{name}"
call = "chain.metadata"
response = { wrap = "value" }
metadata = ["x-tenant"]

[[routes]]
match = "GET /v1/metadata/{key}"
rewrite = "/api/v2/metadata/{key}"

[[routes]]
match = "GET /v2/fixed"
respond = { body = "fixed" }

[[routes]]
match = "GET /any/{what}"
rewrite = "/api/v2/{what}"

[[routes]]
match = "GET /v2/twice"
rewrite = "/api/v2/fixed"
"#;

#[tokio::test]
async fn a_rewrite_is_looked_up_again_once() {
    let paths = Paths::start(Setup::new(), REWRITES).await;
    let answer = paths.get("/api/v1/metadata/x-tenant?hops=0", &[("x-tenant", "blue")]).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, r#"{"value":"blue"}"#));
    let answer = paths.get("/api/v1/metadata/a%2Fb?hops=x", &[]).await;
    assert_eq!((answer.status, &answer.json()["errors"][0]["pointer"]), (400, &json!("/hops")));
    assert_eq!(paths.get("/api/v1/metadata/%ff?hops=0", &[]).await.status, 400);
    let answer = paths.get("/api/any/fixed", &[]).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "fixed"));
    assert_eq!(paths.get("/api/any/nothing", &[]).await.status, 404);
    // A second one by its parameter: that can be seen only now.
    let answer = paths.get("/api/any/twice", &[("x-request-id", "r9")]).await;
    assert_eq!((answer.status, &answer.json()["code"]), (500, &json!("internal")));
    assert_eq!(paths.gateway.told("a rewrite has led to a rewrite", "request_id").await, ["r9"]);
    assert_eq!(paths.get("/api/v2/twice", &[]).await.text(), "fixed");
    for path in ["/v1/metadata/x", "/v2/fixed", "/api/v1/metadata/"] {
        assert_eq!(paths.get(path, &[]).await.status, 404, "{path}");
    }
    let answer = paths.gateway.client.post("/api/v1/metadata/x", "").await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD, OPTIONS"));
    // Whoever answers counts; what was sent on is counted apart.
    assert_eq!(paths.counted("/api/v2/metadata/{name}", 200).await, 1.0);
    assert_eq!(paths.counted("/api/v2/fixed", 200).await, 2.0);
    assert_eq!(paths.counted("/api/any/{what}", 404).await, 1.0);
    assert_eq!(paths.counted("/api/any/{what}", 500).await, 1.0);
    assert_eq!(paths.counted("/api/any/{what}", 200).await, 0.0);
    let rewrites = async |route| paths.gateway.metric("callgate_rewrites_total", &[route]).await;
    assert_eq!(rewrites("route=\"/api/v1/metadata/{key}\"").await, 2.0);
    assert_eq!(rewrites("route=\"/api/any/{what}\"").await, 1.0);
    assert_eq!(rewrites("route=\"/api/v2/twice\"").await, 1.0);
}

#[tokio::test]
async fn a_reload_turns_a_call_into_a_redirect_and_back() {
    let paths = Paths::start(Setup::new(), METADATA).await;
    assert_eq!(paths.get("/metadata/x?hops=0", &[]).await.status, 200);
    let moved = "[[routes]]\nmatch = \"GET /metadata/{name}\"\nredirect = { to = \"/moved/{name}\" }\n";
    paths.setup.write_routes("routes.toml", moved);
    assert!(["ok", "unchanged"].contains(&paths.gateway.reload().await.as_str()));
    let answer = paths.get("/metadata/x?hops=0", &[]).await;
    assert_eq!((answer.status, answer.header("location")), (308, "/moved/x?hops=0"));
    let page = paths.gateway.admin.get("/routes").await.json();
    assert_eq!(page["routes"][0]["redirect"], json!({ "to": "/moved/{name}", "status": 308 }));
    paths.setup.write_routes("routes.toml", METADATA);
    assert!(["ok", "unchanged"].contains(&paths.gateway.reload().await.as_str()));
    assert_eq!(paths.get("/metadata/x?hops=0", &[]).await.status, 200);
    assert!(!paths.first.endpoint().is_empty());
}

const LINKS: &str = r#"
trailing_slash = "redirect"
ignore_query = ["utm_*", "fbclid"]

[[routes]]
match = ["GET /books/{name}", "GET /titles/{name}/", "POST /books"]
call = "chain.metadata"
backend = "chain"
response = { wrap = "value" }
cors = { origins = ["*"] }

[[routes]]
match = "GET /files/{*rest}"
respond = { body = "file" }
"#;

#[tokio::test]
async fn links_from_elsewhere_are_let_in_where_the_file_says_so() {
    let paths = Paths::start(Setup::new(), LINKS).await;
    for (path, expected) in [
        ("/books/caller?hops=0&utm_source=news&fbclid=1", 200),
        ("/books/caller?hops=0&utm=1", 400),
        ("/titles/caller/?hops=0", 200),
        ("/books?hops=0&name=caller", 405),
        ("/files/a/", 200),
        ("/books/caller//?hops=0", 404),
    ] {
        let answer = paths.get(path, &[]).await;
        assert_eq!(answer.status, expected, "{path}: {}", answer.text());
    }
    let posted = paths.gateway.client.send("POST", "/books?name=caller", &[], r#"{"hops": 0}"#).await;
    assert_eq!(posted.status, 200, "{}", posted.text());
    let lacking = paths.gateway.client.send("POST", "/books", &[], r#"{"hops": 0}"#).await;
    assert_eq!((lacking.status, &lacking.json()["errors"][0]["pointer"]), (400, &json!("/name")));
    for (path, to) in [
        ("/books/a%20b/?hops=0&utm_source=x", "/books/a%20b?hops=0&utm_source=x"),
        ("/titles/a", "/titles/a/"),
    ] {
        let answer = paths.get(path, &[("origin", "https://a.example")]).await;
        assert_eq!((answer.status, answer.header("location")), (308, to), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
    assert_eq!(paths.counted("/titles/{name}/", 308).await, 1.0);
    let options = paths.gateway.client.send("OPTIONS", "/books/", &[], "").await;
    assert_eq!((options.status, options.header("allow")), (204, "POST, OPTIONS"));
    let wrong = paths.gateway.client.send("PUT", "/titles/a", &[], "").await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, "GET, HEAD, OPTIONS"));
    let other = paths.get("/files", &[]).await;
    assert_eq!(other.status, 404, "a tail takes at least one byte");
    paths.setup.write_routes("routes.toml", &LINKS.replace("\"redirect\"", "\"ignore\""));
    paths.gateway.takes_its_tables().await;
    for path in ["/books/caller/?hops=0", "/titles/caller?hops=0"] {
        let answer = paths.get(path, &[]).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn text_behind_a_parameter_tells_routes_apart() {
    let routes = ["GET /books/{name}", "GET /books/{name}.csv", "PUT /books/{name}:lend"]
        .map(|text| format!("[[routes]]\nmatch = \"{text}\"\ncall = \"chain.metadata\"\nresponse = {{ wrap = \"{text}\" }}\n"))
        .concat();
    let paths = Paths::start(Setup::new(), &routes).await;
    for (method, path, expected) in [
        ("GET", "/books/x?hops=0", "GET /books/{name}"),
        ("GET", "/books/x.csv?hops=0", "GET /books/{name}.csv"),
        ("GET", "/books/x%2Ecsv?hops=0", "GET /books/{name}.csv"),
        ("PUT", "/books/a:b:lend?hops=0", "PUT /books/{name}:lend"),
    ] {
        let answer = paths.gateway.client.send(method, path, &[], "").await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert!(answer.json().get(expected).is_some(), "{path}: {}", answer.text());
    }
    let wrong = paths.gateway.client.send("PUT", "/books/a", &[], "").await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, "GET, HEAD, OPTIONS"));
}
