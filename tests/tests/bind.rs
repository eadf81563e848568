//! Fields that a route binds: filled from query, headers, cookies, the connection and the table, and from nowhere else.

use callgate_tests::{Backend, Gateway, Setup};
use serde_json::json;

const ROUTES: &str = r#"
[[routes]]
match = "POST /sum"
call = "calc.add"
bind = { a = { query = "filter[a]", default = 20 }, b = { header = "X-B" } }

[[routes]]
match = "GET /cookie"
call = "calc.add"
bind = { a = { cookie = "sid" }, b = { value = 5 } }

[[routes]]
match = "PUT /version/{b}"
call = "calc.add"
bind = { a = { header = "if-match" } }

[[routes]]
match = "GET /doc"
call = "echo.json"
body = false
bind = { doc = { header = "x-doc" } }
"#;

async fn start(setup: &Setup, routes: &str) -> (Backend, Gateway) {
    let backend = setup.backend("shop");
    let backends = format!("[backends.shop]\nendpoints = [{:?}]\n", backend.endpoint());
    setup.write_routes("shop.toml", &format!("{backends}{routes}"));
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    (backend, gateway)
}

#[tokio::test]
async fn a_field_is_filled_from_where_its_route_says_and_from_nowhere_else() {
    let setup = Setup::new();
    let (_backend, gateway) = start(&setup, ROUTES).await;
    for (method, path, headers, body, expected) in [
        ("POST", "/sum", &[("x-b", "2")][..], "", json!(22)),
        ("POST", "/sum?filter%5Ba%5D=40", &[("x-b", "2")], "{}", json!(42)),
        ("GET", "/cookie", &[("cookie", "x=1; sid=7"), ("cookie", "sid=9")], "", json!(12)),
        ("PUT", "/version/1", &[("If-Match", "\"41\"")], "", json!(42)),
        ("GET", "/doc", &[("x-doc", "[1, {\"a\": null}]")], "", json!([1, {"a": null}])),
    ] {
        let answer = gateway.client.send(method, path, headers, body).await;
        assert_eq!((answer.status, answer.json()), (200, expected), "{method} {path}");
    }
    for (method, path, headers, body, pointer, expected) in [
        ("POST", "/sum", &[][..], "", "/b", "header `x-b` is missing"),
        ("POST", "/sum", &[], r#"{"b": 1}"#, "/b", "filled by header `x-b` only"),
        ("POST", "/sum?a=1", &[("x-b", "2")], "", "/a", "filled by query parameter `filter[a]` only"),
        ("POST", "/sum", &[("x-b", "two")], "", "/b", "header `x-b`: "),
        ("GET", "/cookie", &[("cookie", "SID=7")], "", "/a", "cookie `sid` is missing"),
        ("GET", "/cookie?b=1", &[("cookie", "sid=7")], "", "/b", "filled by the route itself only"),
        ("PUT", "/version/1", &[("if-match", "W/\"41\"")], "", "/a", "header `if-match`: "),
    ] {
        let answer = gateway.client.send(method, path, headers, body).await;
        let told = answer.json();
        assert_eq!((answer.status, &told["code"]), (400, &json!("invalid_argument")), "{told}");
        let errors = told["errors"].as_array().expect("errors");
        let is_it = |error: &serde_json::Value| {
            error["pointer"] == pointer
                && error["detail"].as_str().is_some_and(|text| text.contains(expected))
        };
        assert!(errors.iter().any(is_it), "{expected}: {told}");
    }
    let page = gateway.admin.get("/routes").await.json();
    let first = page["routes"].as_array().and_then(|routes| routes.first()).expect("a route");
    let bound = json!({ "a": { "query": "filter[a]", "default": "20" }, "b": { "header": "x-b" } });
    assert_eq!((&first["bind"], &first["compress"]), (&bound, &json!(false)));
    let twice = gateway.client.send("POST", "/sum", &[("x-b", "1"), ("x-b", "1")], "").await;
    assert_eq!(twice.status, 400);
    assert!(twice.text().contains("x-b"), "{}", twice.text());
}

#[tokio::test]
async fn a_field_that_the_method_does_not_have_is_told_with_its_place() {
    let setup = Setup::new();
    let route = "[[routes]]\nmatch = \"GET /sum\"\ncall = \"calc.add\"\nbind = { a = { value = 1 }, c = { header = \"x-c\" } }\n";
    let (backend, _gateway) = start(&setup, route).await;
    let (status, told) = setup.check_against_backend(&backend).await;
    assert_ne!(status, Some(0), "{told}");
    assert!(told.contains("shop.toml:6:29") && told.contains("unknown field `c`"), "{told}");
}
