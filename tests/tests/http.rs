//! What an HTTP client sees: the shop's routes, and every kind of error in its envelope.

use callgate_tests::{Answer, Backend, Client, Gateway, Setup};
use serde_json::{Value, json};

struct Shop {
    _setup: Setup,
    _backends: Vec<Backend>,
    gateway: Gateway,
}

async fn shop_with(setup: Setup, extra: &str) -> Shop {
    let backends = vec![setup.backend("shop"), setup.backend("shop")];
    setup.write_shop(&backends.iter().collect::<Vec<_>>());
    setup.write_routes("extra.toml", extra);
    let gateway = setup.gateway().await;
    for backend in &backends {
        gateway.connected(backend).await;
    }
    Shop { _setup: setup, _backends: backends, gateway }
}

async fn shop() -> Shop {
    shop_with(Setup::new(), "").await
}

/// Asserts that an answer is a problem of that status and code, and gives its pointers.
fn problem(answer: &Answer, status: u16, code: &str) -> Vec<String> {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let body = answer.json();
    assert_eq!(body["status"], status);
    assert_eq!(body["code"], code, "{body}");
    assert_eq!(body["type"], "about:blank");
    assert!(body["title"].is_string() && body["detail"].is_string(), "{body}");
    assert_eq!(body["request_id"], answer.header("x-request-id"));
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    assert!(errors.iter().all(|error| error["detail"].is_string()), "{body}");
    errors.iter().map(|error| error["pointer"].as_str().unwrap_or("no pointer").to_owned()).collect()
}

fn order() -> Value {
    json!({
        "customer": "ada",
        "express": true,
        "items": [{"sku": "tea", "qty": 2, "unit_price": 4.5}, {"sku": "cup", "qty": 1, "unit_price": 10.25}],
    })
}

#[tokio::test]
async fn the_eight_routes_answer() {
    let shop = shop().await;
    let client = &shop.gateway.client;
    let answer = client.get("/v1/calc/add?a=1&b=2").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, r#"{"result":3}"#));
    assert_eq!(answer.header("content-type"), "application/json");
    let answer = client.post("/v1/calc/divide", r#"{"a":1,"b":4}"#).await;
    assert_eq!(answer.json(), json!({"result": 0.25}));
    problem(&client.post("/v1/calc/divide", r#"{"a":1,"b":0}"#).await, 400, "invalid_argument");
    let answer = client.post("/v1/orders/42/quote", order().to_string()).await;
    let expected = json!({
        "order_id": "42", "total": 19.25, "express": true,
        "lines": [{"sku": "tea", "qty": 2, "amount": 9.0}, {"sku": "cup", "qty": 1, "amount": 10.25}],
    });
    assert_eq!(answer.json(), expected);
    assert_eq!(client.get("/v1/orders/1001").await.status, 200);
    problem(&client.get("/v1/orders/nobody").await, 404, "not_found");
    let document = r#"{"any":[1,2.5,"x",null,{"deep":true}]}"#;
    assert_eq!(
        client.post("/v1/echo", document).await.json(),
        serde_json::from_str::<Value>(document).expect("JSON")
    );
    let types = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/shop/types.json"));
    let types = types.expect("the example of every type is there");
    let answer = client.post("/v1/echo/types", types.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let again = client.post("/v1/echo/types", answer.body.clone()).await;
    let sorted = |answer: &Answer| {
        // A hash set comes in any order.
        let mut json = answer.json();
        let set = json["containers"]["hash_set"].as_array_mut().expect("a list");
        set.sort_by_key(Value::as_i64);
        json
    };
    assert_eq!(sorted(&again), sorted(&answer), "an answer is itself a request that is answered alike");
    assert_eq!(client.get("/v1/delay/1").await.status, 200);
    problem(&client.get("/v1/fail/aborted").await, 409, "aborted");
}

#[tokio::test]
async fn every_canonical_code_has_its_status() {
    let shop = shop().await;
    let expected = [
        ("invalid_argument", 400),
        ("failed_precondition", 400),
        ("out_of_range", 400),
        ("unauthenticated", 401),
        ("permission_denied", 403),
        ("not_found", 404),
        ("already_exists", 409),
        ("aborted", 409),
        ("resource_exhausted", 429),
        ("cancelled", 499),
        ("unimplemented", 501),
        ("unavailable", 503),
        ("deadline_exceeded", 504),
        ("unknown", 500),
        ("internal", 500),
        ("data_loss", 500),
    ];
    for (code, status) in expected {
        let answer = shop.gateway.client.get(&format!("/v1/fail/{code}")).await;
        problem(&answer, status, code);
        assert_eq!(status == 503, !answer.header("retry-after").is_empty(), "{code}");
    }
}

#[tokio::test]
async fn what_the_request_line_gets_wrong_is_told() {
    let shop = shop().await;
    let client = &shop.gateway.client;
    problem(&client.get("/v1/nowhere").await, 404, "not_found");
    let answer = client.send("DELETE", "/v1/orders/1/quote", &[], "").await;
    problem(&answer, 405, "unimplemented");
    assert_eq!(answer.header("allow"), "POST, OPTIONS");
    let answer = client.send("PUT", "/v1/calc/add", &[], "").await;
    problem(&answer, 405, "unimplemented");
    assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS");
    problem(&client.send("BREW", "/v1/calc/add", &[], "").await, 501, "unimplemented");
    problem(&client.get("/v1/orders/%ff").await, 400, "invalid_argument");
}

#[tokio::test]
async fn what_the_fields_get_wrong_is_told_with_pointers() {
    let shop = shop().await;
    let client = &shop.gateway.client;
    let quote = async |body: &str| {
        problem(&client.post("/v1/orders/42/quote", body.to_owned()).await, 400, "invalid_argument")
    };
    let with = |pointer: &str, value: Value| {
        let mut body = order();
        *body.pointer_mut(pointer).expect("the order has it") = value;
        body.to_string()
    };
    assert_eq!(quote(&with("/items/1/qty", json!("two"))).await, ["/items/1/qty"], "wrong type");
    assert_eq!(quote(&with("/items/1/qty", json!(4294967296u64))).await, ["/items/1/qty"], "out of range");
    assert_eq!(quote(&with("/items/1/qty", json!(-1))).await, ["/items/1/qty"], "out of range");
    assert_eq!(quote(&with("/items/1/qty", json!(1.5))).await, ["/items/1/qty"], "no integer");
    assert_eq!(quote(&with("/customer", Value::Null)).await, ["/customer"], "null where a value must be");
    let mut missing = quote(r#"{"express":true}"#).await;
    missing.sort();
    assert_eq!(missing, ["/customer", "/items"], "all missing fields at once");
    let mut unknown = quote(r#"{"customer":"a","express":true,"items":[],"x":1,"y":{"z":[]}}"#).await;
    unknown.sort();
    assert_eq!(unknown, ["/x", "/y"], "all unknown fields at once");
    assert_eq!(
        quote(r#"{"order_id":"7","customer":"a","express":true,"items":[]}"#).await,
        ["/order_id"],
        "given twice"
    );
    assert_eq!(
        quote(r#"{"customer":"a","customer":"b","express":true,"items":[]}"#).await,
        ["/customer"],
        "given twice"
    );
    for text in ["", "{", "{\"customer\":}", "[1,2", "{\"customer\":\"a\"} x", "nul", "\u{feff}{}", "{'a':1}"]
    {
        let answer = client.post("/v1/orders/42/quote", text).await;
        problem(&answer, 400, "invalid_argument");
    }
    let get = async |path: &str| problem(&client.get(path).await, 400, "invalid_argument");
    assert_eq!(get("/v1/calc/add?a=1&b=x").await, ["/b"]);
    assert_eq!(get("/v1/calc/add?a=1").await, ["/b"]);
    assert_eq!(get("/v1/calc/add?a=1&b=2&c=3").await, ["/c"]);
    assert_eq!(get("/v1/calc/add?a=1&a=2&b=3").await, ["/a"]);
    assert_eq!(get("/v1/calc/add?a=9223372036854775808&b=0").await, ["/a"]);
    assert_eq!(get("/v1/delay/soon").await, ["/ms"]);
    assert_eq!(get("/v1/delay/1?ms=2").await, ["/ms"]);
    let answer = client.post("/v1/orders/42/quote", "{\n  \"customer\": \"a\",\n  \"express\": 1\n}").await;
    let error = &answer.json()["errors"][0];
    assert_eq!(
        (&error["pointer"], &error["line"], &error["column"]),
        (&json!("/express"), &json!(3), &json!(14))
    );
}

#[tokio::test]
async fn bodies_must_be_json_and_not_too_large() {
    let shop = shop_with(Setup::new().server("max_body = \"64KiB\""), "").await;
    let client = &shop.gateway.client;
    let plain = client.send("POST", "/v1/echo", &[("content-type", "text/plain")], "{}").await;
    problem(&plain, 415, "invalid_argument");
    let form = client
        .send("POST", "/v1/echo", &[("content-type", "application/x-www-form-urlencoded")], "a=1")
        .await;
    problem(&form, 415, "invalid_argument");
    let with_charset = [("content-type", "application/json; charset=utf-8")];
    assert_eq!(client.send("POST", "/v1/echo", &with_charset, "{}").await.status, 200);
    let fits = format!("\"{}\"", "x".repeat(64 * 1024 - 2));
    assert_eq!(client.post("/v1/echo", fits).await.status, 200);
    let large = format!("\"{}\"", "x".repeat(64 * 1024 - 1));
    problem(&client.post("/v1/echo", large).await, 413, "resource_exhausted");
    assert_eq!(client.get("/v1/calc/add?a=1&b=2").await.status, 200, "and the gateway goes on");
}

#[tokio::test]
async fn a_body_of_the_default_size_passes_and_one_byte_more_does_not() {
    let shop = shop().await;
    let body = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    let answer = shop.gateway.client.post("/v1/echo", body(4 << 20)).await;
    assert_eq!((answer.status, answer.body.len()), (200, 4 << 20));
    problem(&shop.gateway.client.post("/v1/echo", body((4 << 20) + 1)).await, 413, "resource_exhausted");
}

#[tokio::test]
async fn head_and_options_answer_as_http_says() {
    let shop = shop().await;
    let client = &shop.gateway.client;
    let get = client.get("/v1/calc/add?a=1&b=2").await;
    let head = client.send("HEAD", "/v1/calc/add?a=1&b=2", &[], "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), get.header("content-length"));
    assert_eq!(head.header("content-type"), "application/json");
    let options = client.send("OPTIONS", "/v1/calc/add", &[], "").await;
    assert_eq!((options.status, options.header("allow")), (204, "GET, HEAD, OPTIONS"));
    problem(&client.send("OPTIONS", "/v1/nowhere", &[], "").await, 404, "not_found");
}

#[tokio::test]
async fn request_ids_are_taken_or_made_and_returned() {
    let shop = shop().await;
    let client = &shop.gateway.client;
    let taken = client.send("GET", "/v1/calc/add?a=1&b=2", &[("x-request-id", "mine-1")], "").await;
    assert_eq!(taken.header("x-request-id"), "mine-1");
    let made = client.get("/v1/calc/add?a=1&b=2").await.header("x-request-id").to_owned();
    assert_eq!(made.len(), 32);
    assert_ne!(client.get("/v1/nowhere").await.header("x-request-id"), made);
}

#[tokio::test]
async fn no_instance_is_503_and_a_deadline_504() {
    let setup = Setup::new();
    let slow = "[[routes]]\nmatch = \"GET /slow/{ms}\"\ncall = \"echo.delay\"\nbackend = \"shop\"\ntimeout = \"50ms\"\n";
    setup.write_routes("slow.toml", slow);
    let (mut backend, gateway) = setup.shop().await;
    problem(&gateway.client.get("/slow/60000").await, 504, "deadline_exceeded");
    assert_eq!(gateway.client.get("/slow/0").await.status, 200, "the connection serves on");
    backend.stop().await;
    let answer = callgate_tests::eventually("a 503", || async {
        let answer = gateway.client.get("/v1/calc/add?a=1&b=2").await;
        (answer.status == 503).then_some(answer)
    });
    let answer = answer.await;
    problem(&answer, 503, "unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    backend.start();
    gateway.connected(&backend).await;
    assert_eq!(gateway.client.get("/v1/calc/add?a=1&b=2").await.status, 200);
}

#[tokio::test]
async fn integers_and_strings_survive_exactly() {
    let shop = shop().await;
    let client = &shop.gateway.client;
    for (a, b) in [(i64::MAX, 0), (i64::MIN, 0), (i64::MAX, i64::MIN), (9_007_199_254_740_993, 0)] {
        let answer = client.get(&format!("/v1/calc/add?a={a}&b={b}")).await;
        assert_eq!(answer.text(), format!("{{\"result\":{}}}", a + b));
    }
    let strings = ["", "plain", "né → 漢字 🦀", "\u{0}\u{1f}\"\\/\u{7f}", "\u{10ffff}\u{fffd}", "a%2Fb?&=+#"];
    for text in strings {
        let mut body = order();
        body["items"][0]["sku"] = json!(text);
        let answer = client.post("/v1/orders/42/quote", body.to_string()).await;
        assert_eq!(answer.json()["lines"][0]["sku"], json!(text));
    }
    for (path, id) in
        [("a%2Fb", "a/b"), ("%E6%BC%A2", "漢"), ("%2541", "%41"), ("a:b", "a:b"), ("a+b", "a+b")]
    {
        let answer = client.post(&format!("/v1/orders/{path}/quote"), order().to_string()).await;
        assert_eq!(answer.json()["order_id"], json!(id), "{path}");
    }
}

#[tokio::test]
async fn any_valid_json_comes_back_unchanged_and_any_invalid_is_refused() {
    let shop = shop().await;
    let client = &shop.gateway.client;
    let nested = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let valid = [
        "null",
        "true",
        "0",
        "-0",
        "-0.0",
        "1e308",
        "5e-324",
        "1.7976931348623157e308",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615",
        "0.1",
        "\"\"",
        "\"\\u0000\\ud83e\\udd80\\/\"",
        "[]",
        "{}",
        " [ 1 , {\"a\" : [ ] } ] ",
        "{\"\":{\"a b\":[[],{}]}}",
        nested.as_str(),
    ];
    for text in valid {
        let answer = client.post("/v1/echo", text.to_owned()).await;
        assert_eq!(answer.status, 200, "{text}: {}", answer.text());
        let sent: Value = serde_json::from_str(text).expect("valid");
        assert_eq!(answer.json(), sent, "{text}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let invalid = [
        "",
        " ",
        "nul",
        "tru",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "0x1",
        "NaN",
        "Infinity",
        "-",
        "'a'",
        "\"",
        "\"\u{1}\"",
        "\"\\x\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "[",
        "]",
        "{",
        "}",
        "[1}",
        "1 2",
        "[] []",
        "\u{feff}[]",
        "/**/1",
        "{\"a\":1,\"a\":2}",
        deep.as_str(),
    ];
    for text in invalid {
        problem(&client.post("/v1/echo", text.to_owned()).await, 400, "invalid_argument");
    }
    problem(&client.post("/v1/echo", &b"\"\xff\""[..]).await, 400, "invalid_argument");
}

#[tokio::test]
async fn a_routes_options_do_what_they_say() {
    let extra = r#"
        [[routes]]
        match = "POST /lenient/{order_id}"
        call = "orders.quote"
        backend = "shop"
        unknown_fields = "ignore"
        response = { field = "total" }
        [[routes]]
        match = "GET /strings/add"
        call = "calc.add"
        backend = "shop"
        int64 = "string"
        response = { wrap = "sum" }
        [[routes]]
        match = "POST /items/{order_id}"
        call = "orders.quote"
        backend = "shop"
        body = "items"
        [[routes]]
        match = "GET /echo/{*doc}"
        call = "echo.json"
        backend = "shop"
    "#;
    let shop = shop_with(Setup::new(), extra).await;
    let client = &shop.gateway.client;
    let mut body = order();
    body["more"] = json!({"is": "ignored"});
    assert_eq!(client.post("/lenient/1?other=2", body.to_string()).await.text(), "19.25");
    assert_eq!(client.get("/strings/add?a=1&b=2").await.text(), r#"{"sum":"3"}"#);
    let items = order()["items"].to_string();
    let answer = client.post("/items/9?customer=ada&express=false", items).await;
    assert_eq!((answer.status, answer.json()["total"].clone()), (200, json!(19.25)), "{}", answer.text());
    assert_eq!(client.get("/echo/1").await.text(), "1");
}

#[tokio::test]
async fn pages_for_operators_tell_what_is_in_force() {
    let shop = shop().await;
    let admin: &Client = &shop.gateway.admin;
    assert_eq!(admin.get("/healthz").await.status, 200);
    let routes = admin.get("/routes").await.json();
    let quote =
        routes["routes"].as_array().expect("a list").iter().find(|route| route["call"] == "orders.quote");
    let quote = quote.expect("the route is listed");
    assert_eq!((&quote["offered"], &quote["problem"]), (&json!(true), &Value::Null));
    let backends = admin.get("/backends").await.text();
    for word in ["orders.quote", "unit_price", "\"required\": false"] {
        assert!(backends.contains(word), "{word}: {backends}");
    }
    let config = admin.get("/config").await.json();
    assert_eq!(config["tables"]["last_error"], Value::Null);
    assert_eq!(
        (&config["settings"]["server"]["workers"], &config["settings"]["log"]["format"]),
        (&json!(2), &json!("json"))
    );
    shop.gateway.client.get("/v1/calc/add?a=1&b=2").await;
    shop.gateway.client.get("/v1/secret-path").await;
    shop.gateway.client.get("/v1/calc/add?a=x&b=2").await;
    let text = admin.get("/metrics").await.text();
    assert!(!text.contains("secret-path"), "label values come from the tables");
    for line in [
        r#"callgate_requests_total{route="/v1/calc/add",method="GET",status="200"} 1"#,
        r#"callgate_requests_total{route="none",method="none",status="404"} 1"#,
        r#"callgate_transcoding_errors_total{route="/v1/calc/add",method="GET",direction="request"} 1"#,
        r#"callgate_reloads_total{outcome="ok"} 1"#,
    ] {
        let expected: Vec<&str> = line.split(['{', ',', '}']).collect();
        let found = text.lines().any(|line| expected.iter().all(|part| line.contains(part)));
        assert!(found, "{line} in {text}");
    }
    assert_eq!(admin.send("POST", "/metrics", &[], "").await.status, 405);
    assert_eq!(admin.get("/nowhere").await.status, 404);
}
