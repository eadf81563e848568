//! Tools for agents: what a route with `tools` answers by the Model Context Protocol, in both of its eras. What is asked here is written by hand;
//! `tools_programs.rs` has the clients that people use.

use callgate_tests::{Answer, Backend, Client, Gateway, Raw, Setup, binary, eventually, free_port};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::Command;

const MODERN: &str = "2026-07-28";

const TABLE: &str = r#"
auth = "anonymous"

[backends.shop]
endpoints = ["SHOP"]

[[routes]]
match = "POST /mcp"
tools = { name = "shop", instructions = "Prices come from quotes." }

[[routes]]
match = "POST /v1/orders/{order_id}/quote"
call = "orders.quote"
tool = { name = "price", hints = { idempotent = true } }

[[routes]]
match = "GET /v1/orders/{order_id}"
call = "orders.get"
tool = true

[[routes]]
match = "GET /v1/orders/mine"
respond = { body = "mine" }

[[routes]]
match = "GET /v1/calc/add"
call = "calc.add"
bind = { b = { query = "second", default = 40 } }
body = false
tool = true
rate_limit = { rate = "2/h", burst = 2, by = "route" }

[[routes]]
match = "POST /v1/echo"
call = "echo.json"
auth = "machines"
tool = true

[[routes]]
match = "GET /v1/count"
call = "echo.count"
tool = true

[[routes]]
match = "GET /v1/delay/{ms}"
call = "echo.delay"
tool = { description = "Waits." }

[[routes]]
match = "GET /v1/fail/{code}"
call = "echo.fail"
tool = true

[[routes]]
match = "POST /v1/calc/divide"
call = "calc.divide"
"#;

/// SHA-256 of `let-me-in`.
const KEYS: &str = "[[key]]\nname = \"agent\"\nsha256 = \"a3ee786b5707c27d42570785081ec17f5c7db9262a01366af362a1aa61a420b9\"\n";

struct Shop {
    _setup: Setup,
    gateway: Gateway,
    _backend: Backend,
    http2: SocketAddr,
}

impl Shop {
    async fn start() -> Shop {
        let http2 = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let listener = format!("[[listeners]]\naddress = \"{http2}\"\nhttp2 = \"prior_knowledge\"\n");
        let setup = Setup::new().section(&listener);
        let backend = setup.backend("shop");
        std::fs::write(setup.file("keys.toml"), KEYS).expect("a file");
        let keys = setup.file("keys.toml");
        let auth = format!("[auth.machines]\ntype = \"api_key\"\nfile = {keys:?}\n");
        setup.write_routes("auth.toml", &auth);
        setup.write_routes("shop.toml", &TABLE.replace("SHOP", &backend.endpoint()));
        setup.write_routes(
            "other.toml",
            "auth = \"anonymous\"\n[[routes]]\nmatch = \"POST /other\"\ntools = { routes = \"all\" }\n\
             [[routes]]\nmatch = \"POST /none\"\ntools = true\n",
        );
        let gateway = setup.gateway().await;
        gateway.connected(&backend).await;
        let shop = Shop { _setup: setup, gateway, _backend: backend, http2 };
        // As soon as the instance has said what it offers, the list says so.
        eventually("the schemas of the tools", async || {
            let tools = shop.tools("/mcp").await;
            tools.iter().all(|tool| tool["title"].is_string()).then_some(())
        })
        .await;
        shop
    }

    /// Asks as a client of the current revision does.
    async fn modern(&self, path: &str, headers: &[(&str, &str)], method: &str, params: Value) -> Answer {
        let mut params = params;
        params["_meta"]["io.modelcontextprotocol/protocolVersion"] = MODERN.into();
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
        let name = params["name"].as_str().unwrap_or("none").to_owned();
        let body = json!({ "jsonrpc": "2.0", "id": "q-1", "method": method, "params": params });
        let mut all = vec![
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", MODERN),
            ("mcp-method", method),
        ];
        if method == "tools/call" {
            all.push(("mcp-name", &name));
        }
        all.extend_from_slice(headers);
        self.gateway.client.send("POST", path, &all, body.to_string()).await
    }

    /// The result of a request of the current revision.
    async fn result(&self, path: &str, method: &str, params: Value) -> Value {
        let answer = self.modern(path, &[], method, params).await;
        let answered = answer.json();
        assert_eq!((answer.status, &answered["id"]), (200, &json!("q-1")), "{answered}");
        assert_eq!(answered["result"]["resultType"], "complete", "{answered}");
        answered["result"].clone()
    }

    async fn tools(&self, path: &str) -> Vec<Value> {
        self.result(path, "tools/list", json!({})).await["tools"].as_array().expect("tools").clone()
    }

    /// What a tool gives.
    async fn call(&self, tool: &str, arguments: Value) -> Value {
        self.result("/mcp", "tools/call", json!({ "name": tool, "arguments": arguments })).await
    }
}

fn named<'v>(tools: &'v [Value], name: &str) -> &'v Value {
    tools.iter().find(|tool| tool["name"] == name).expect("it is there")
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}

fn order() -> Value {
    json!({
        "order_id": "a/7", "customer": "ada", "express": false,
        "items": [{ "sku": "tea", "qty": 2, "unit_price": 4.5 }],
    })
}

#[tokio::test]
async fn an_agent_sees_what_is_declared_and_nothing_else() {
    let shop = Shop::start().await;
    let tools = shop.tools("/mcp").await;
    let names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    assert_eq!(
        names,
        ["price", "orders_get", "calc_add", "echo_json", "echo_count", "echo_delay", "echo_fail"]
    );
    assert_eq!(shop.tools("/other").await, tools, "of all files");
    assert!(shop.tools("/none").await.is_empty(), "of its own file");

    let price = named(&tools, "price");
    assert_eq!(
        (&price["title"], &price["inputSchema"]["type"]),
        (&json!("Prices an order"), &json!("object"))
    );
    assert_eq!(price["inputSchema"]["properties"]["note"]["description"], "Anything else; may be left out.");
    assert_eq!(price["inputSchema"]["properties"]["order_id"]["type"], "string");
    let mut required: Vec<&str> =
        price["inputSchema"]["required"].as_array().expect("some").iter().filter_map(Value::as_str).collect();
    required.sort_unstable();
    assert_eq!(required, ["customer", "express", "items", "order_id"]);
    assert_eq!(price["inputSchema"]["properties"]["items"]["items"]["$ref"], "#/$defs/ItemInput");
    assert!(price["inputSchema"]["$defs"]["ItemInput"]["properties"]["qty"].is_object());
    assert_eq!(price["outputSchema"]["type"], "object");
    assert!(price["outputSchema"]["properties"]["total"].is_object(), "{price}");
    assert_eq!(price["annotations"], json!({ "readOnlyHint": false, "idempotentHint": true }));

    let add = named(&tools, "calc_add");
    assert_eq!(add["inputSchema"]["required"], json!(["a"]));
    assert_eq!(add["inputSchema"]["properties"]["second"]["default"], 40);
    assert_eq!(add["outputSchema"]["required"], json!(["result"]));
    assert_eq!(
        add["annotations"],
        json!({ "readOnlyHint": true, "destructiveHint": false, "idempotentHint": true })
    );
    assert!(named(&tools, "echo_delay")["description"].as_str().expect("a text").starts_with("Waits."));
    assert_eq!(named(&tools, "echo_count")["outputSchema"]["properties"]["items"]["type"], "array");
    assert!(named(&tools, "echo_fail").get("outputSchema").is_none(), "it gives nothing");

    // What is declared elsewhere, or not at all, is unknown.
    for (path, name) in [("/mcp", "calc_divide"), ("/mcp", "nobody"), ("/none", "price")] {
        let answer = shop.modern(path, &[], "tools/call", json!({ "name": name, "arguments": {} })).await;
        let error = answer.json()["error"].clone();
        assert_eq!((answer.status, &error["code"]), (400, &json!(-32602)));
        assert_eq!(error["message"], format!("Unknown tool: {name}"));
    }
}

#[tokio::test]
async fn a_call_is_that_of_its_route_and_what_is_wrong_is_told_by_name() {
    let shop = Shop::start().await;
    let quote = shop.call("price", order()).await;
    assert_eq!(quote["isError"], false, "{quote}");
    assert_eq!(
        (&quote["structuredContent"]["order_id"], &quote["structuredContent"]["total"]),
        (&json!("a/7"), &json!(9.0))
    );
    assert_eq!(serde_json::from_str::<Value>(text(&quote)).expect("JSON"), quote["structuredContent"]);

    // The field is named, wherever the argument goes: body, path, query.
    let wrong = |name: &str, value: Value| {
        let mut order = order();
        order[name] = value;
        order
    };
    for (tool, arguments, pointer) in [
        ("price", wrong("items", json!([{ "sku": "tea", "qty": -1, "unit_price": 1.0 }])), "/items/0/qty"),
        ("price", wrong("colour", json!("red")), "/colour"),
        ("price", json!({ "order_id": "1" }), "/customer"),
        ("price", json!({}), "/order_id"),
        ("echo_delay", json!({ "ms": "soon" }), "/ms"),
        ("echo_count", json!({ "from": 1, "to": 2, "step": [] }), "/step"),
    ] {
        let refused = shop.call(tool, arguments).await;
        assert_eq!(refused["isError"], true, "{refused}");
        assert!(text(&refused).contains(&format!("`{pointer}`")), "{refused}");
        let problem = &refused["_meta"]["callgate/problem"];
        assert_eq!((&problem["status"], &problem["errors"][0]["pointer"]), (&json!(400), &json!(pointer)));
        assert!(refused.get("structuredContent").is_none());
    }
    let refused = shop.call("echo_fail", json!({ "code": "not_found" })).await;
    assert_eq!(refused["isError"], true);
    assert!(text(&refused).starts_with("Not Found: as "), "{refused}");
    // An argument leads to no other route.
    let elsewhere = shop.call("orders_get", json!({ "order_id": "mine" })).await;
    assert_eq!(elsewhere["isError"], true, "{elsewhere}");
    assert_eq!(shop.call("orders_get", json!({ "order_id": "1001" })).await["isError"], false);
    assert_eq!(shop.call("orders_get", json!({ "order_id": "../count" })).await["isError"], true);

    // A result that is no object is the member of one, and a query has what the route binds there.
    let sum = shop.call("calc_add", json!({ "a": 2 })).await;
    assert_eq!(sum["structuredContent"], json!({ "result": 42 }));
    assert_eq!(
        shop.call("calc_add", json!({ "a": 2, "second": "3" })).await["structuredContent"]["result"],
        5
    );
    // The limits are those of the route, whoever calls it.
    let limited = shop.call("calc_add", json!({ "a": 1 })).await;
    assert!(text(&limited).starts_with("Too Many Requests"), "{limited}");
    assert_eq!(shop.gateway.client.get("/v1/calc/add?a=1").await.status, 429);
    // They are counted there, with the status that clients by HTTP would have had.
    let requests = async |route: &str, status: &str| {
        let labels = [format!("route=\"{route}\""), format!("status=\"{status}\"")];
        shop.gateway.metric("callgate_requests_total", &[&labels[0], &labels[1]]).await
    };
    assert_eq!(requests("/v1/orders/{order_id}/quote", "200").await, 1.0);
    assert_eq!(requests("/v1/orders/{order_id}/quote", "400").await, 4.0);
    assert_eq!(requests("/v1/calc/add", "429").await, 2.0);
}

#[tokio::test]
async fn who_may_not_call_a_route_may_not_call_its_tool() {
    let shop = Shop::start().await;
    let params = json!({ "name": "echo_json", "arguments": { "doc": { "a": [1, null] } } });
    let refused = shop.modern("/mcp", &[], "tools/call", params.clone()).await;
    assert_eq!(refused.status, 401, "{}", refused.text());
    assert!(!refused.header("www-authenticate").is_empty());
    let error = refused.json()["error"].clone();
    assert_eq!((&error["code"], &error["data"]["status"]), (&json!(401), &json!(401)));
    let direct = shop.gateway.client.post("/v1/echo", "{}").await;
    assert_eq!((direct.status, direct.header("www-authenticate")), (401, refused.header("www-authenticate")));
    let key = [("x-api-key", "let-me-in")];
    let called = shop.modern("/mcp", &key, "tools/call", params).await;
    assert_eq!(called.status, 200, "{}", called.text());
    assert_eq!(
        called.json()["result"]["structuredContent"],
        json!({ "result": { "a": [1, null] } }),
        "{}",
        called.text()
    );
}

#[tokio::test]
async fn older_clients_begin_with_initialize_and_get_the_same() {
    let shop = Shop::start().await;
    let ask = async |headers: &[(&str, &str)], body: Value| {
        let mut all =
            vec![("content-type", "application/json"), ("accept", "application/json, text/event-stream")];
        all.extend_from_slice(headers);
        shop.gateway.client.send("POST", "/mcp", &all, body.to_string()).await
    };
    let request = |method: &str, params: Value| json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
    for (asked, agreed) in
        [("2025-11-25", "2025-11-25"), ("2025-03-26", "2025-03-26"), ("2031-01-01", "2025-11-25")]
    {
        let params = json!({ "protocolVersion": asked, "capabilities": {}, "clientInfo": { "name": "x", "version": "1" } });
        let begun = ask(&[], request("initialize", params)).await;
        assert_eq!((begun.status, begun.header("mcp-session-id")), (200, ""));
        let result = begun.json()["result"].clone();
        assert_eq!(
            (&result["protocolVersion"], &result["serverInfo"]["name"]),
            (&json!(agreed), &json!("shop"))
        );
        assert_eq!(
            (&result["capabilities"], &result["instructions"]),
            (&json!({ "tools": {} }), &json!("Prices come from quotes."))
        );
    }
    let version = [("mcp-protocol-version", "2025-11-25")];
    let noted = ask(&version, json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
    assert_eq!((noted.status, noted.body.len()), (202, 0));
    assert_eq!(ask(&version, request("ping", json!({}))).await.json()["result"], json!({}));
    let listed = ask(&version, request("tools/list", json!({}))).await.json()["result"].clone();
    assert_eq!(listed["tools"].as_array().map(Vec::as_slice), Some(shop.tools("/mcp").await.as_slice()));
    assert!(
        listed.get("resultType").is_none() && listed.get("ttlMs").is_none(),
        "it would not know what that is"
    );
    let called =
        ask(&version, request("tools/call", json!({ "name": "price", "arguments": order() }))).await.json();
    assert_eq!((&called["id"], &called["result"]["structuredContent"]["total"]), (&json!(7), &json!(9.0)));
    // What is not there: a session, a stream of the server's own, a method.
    for method in ["GET", "DELETE"] {
        let refused = shop.gateway.client.send(method, "/mcp", &[], "").await;
        assert_eq!((refused.status, refused.header("allow")), (405, "POST, OPTIONS"));
    }
    let refused = ask(&version, request("resources/list", json!({}))).await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (200, &json!(-32601)));
    let refused = shop.modern("/mcp", &[], "resources/list", json!({})).await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (404, &json!(-32601)));
    for body in [json!([request("ping", json!({}))]), json!({ "jsonrpc": "2.0", "id": 1, "result": {} })] {
        let refused = ask(&version, body).await;
        assert_eq!((refused.status, &refused.json()["error"]["code"]), (400, &json!(-32600)));
    }
}

#[tokio::test]
async fn the_current_revision_is_one_request_whose_headers_say_what_it_is() {
    let shop = Shop::start().await;
    let found = shop.result("/mcp", "server/discover", json!({})).await;
    assert_eq!(found["supportedVersions"][0], MODERN);
    assert_eq!(found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "shop");
    assert!(found["ttlMs"].is_u64() && found["cacheScope"] == "private");
    let params = json!({ "name": "price", "arguments": order() });
    // Whoever lets requests through by their headers is not deceived.
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "price", "arguments": order(),
        "_meta": { "io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {} },
    }});
    let headers =
        [("mcp-protocol-version", MODERN), ("mcp-method", "tools/call"), ("mcp-name", "orders_get")];
    let refused = shop.gateway.client.send("POST", "/mcp", &headers, body.to_string()).await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (400, &json!(-32020)));
    let refused = shop.modern("/mcp", &[("mcp-method", "tools/call")], "tools/call", params).await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (400, &json!(-32020)), "twice");
    let other = body.to_string().replace(MODERN, "1900-01-01");
    let refused =
        shop.gateway.client.send("POST", "/mcp", &[("mcp-protocol-version", "1900-01-01")], other).await;
    let error = refused.json()["error"].clone();
    assert_eq!(
        (refused.status, &error["code"], &error["data"]["supported"][0]),
        (400, &json!(-32022), &json!(MODERN))
    );
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let shop = Shop::start().await;
    let addr = shop.gateway.addr.to_string();
    for (host, origin, status) in [
        (addr.as_str(), format!("http://{addr}"), 200),
        (&addr, "https://evil.example".to_owned(), 403),
        (&addr, "null".to_owned(), 403),
        // Its own name leads here.
        ("rebound.example", "http://rebound.example".to_owned(), 403),
    ] {
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let mut raw = Raw::connect(shop.gateway.addr).await;
        raw.write(format!(
            "POST /mcp HTTP/1.1\r\nhost: {host}\r\norigin: {origin}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
        .await;
        let (head, _) = raw.answer().await.expect("an answer");
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{host} {origin}: {head}");
    }
}

#[tokio::test]
async fn a_stream_is_told_as_it_comes_and_given_whole_at_the_end() {
    let shop = Shop::start().await;
    let events = |text: &str| -> Vec<Value> {
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|data| serde_json::from_str(data).expect("JSON")).collect()
    };
    let count = json!({ "name": "echo_count", "arguments": { "from": 1, "to": 3 }, "_meta": { "progressToken": "t" } });
    let answer = shop.modern("/mcp", &[], "tools/call", count).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "text/event-stream"),
        "{}",
        answer.text()
    );
    let told = events(&answer.text());
    let progress: Vec<Value> = told[..3].iter().map(|one| one["params"].clone()).collect();
    let expected = |n: u32| json!({ "progressToken": "t", "progress": n, "message": n.to_string() });
    assert_eq!(progress, (1..=3).map(expected).collect::<Vec<_>>());
    assert_eq!((told.len(), &told[3]["id"]), (4, &json!("q-1")));
    assert_eq!(told[3]["result"]["structuredContent"], json!({ "items": [1, 2, 3] }));
    let count = json!({ "name": "echo_count", "arguments": { "from": 1, "to": 2 } });
    let told = events(&shop.modern("/mcp", &[], "tools/call", count).await.text());
    assert_eq!(told.len(), 1, "nobody wants to know how it goes on");
    // What is more than an agent would read is cut, and said.
    let count = json!({ "name": "echo_count", "arguments": { "from": 0, "to": 10_000_000 } });
    let told = events(&shop.modern("/mcp", &[], "tools/call", count).await.text());
    assert_eq!(told[0]["result"]["isError"], true);
    let said = told[0]["result"]["content"][1]["text"].as_str().expect("a text");
    assert!(said.starts_with("The stream was cut after ") && said.contains("1048576 bytes"), "{said}");
}

#[tokio::test]
async fn an_agent_that_leaves_cancels_the_call() {
    let shop = Shop::start().await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo_count","arguments":{"from":1,"to":1000000,"pause_ms":5},"_meta":{"progressToken":1}}}"#;
    let mut raw = Raw::connect(shop.gateway.addr).await;
    raw.write(format!("POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await;
    raw.read_until(|seen| seen.contains("\"progress\":2")).await;
    drop(raw);
    eventually("a cancelled stream", async || {
        let left = shop.gateway.metric("callgate_stream_ends_total", &["outcome=\"left\""]).await;
        (left == 1.0).then_some(())
    })
    .await;
    // Before there is an answer, too.
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo_delay","arguments":{"ms":25000}}}"#;
    let mut raw = Raw::connect(shop.gateway.addr).await;
    raw.write(format!("POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await;
    eventually("a call that runs", async || {
        let running = shop.gateway.metric("callgate_calls_in_flight", &[]).await;
        (running == 1.0).then_some(())
    })
    .await;
    drop(raw);
    eventually("a request of nobody", async || {
        let labels = ["route=\"/v1/delay/{ms}\"", "status=\"499\""];
        (shop.gateway.metric("callgate_requests_total", &labels).await == 1.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn it_is_the_same_by_http_2() {
    let shop = Shop::start().await;
    let client = Client::http2(shop.http2);
    let call = |name: &str, arguments: Value| {
        let params = json!({ "name": name, "arguments": arguments, "_meta": { "progressToken": 9 } });
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string()
    };
    let quote = client.post("/mcp", call("price", order())).await;
    assert_eq!(quote.json()["result"]["structuredContent"]["total"], 9.0, "{}", quote.text());
    let counted = client.post("/mcp", call("echo_count", json!({ "from": 7, "to": 8 }))).await.text();
    assert_eq!(counted.matches("notifications/progress").count(), 2);
    assert!(counted.contains("\"structuredContent\":{\"items\":[7,8]}"), "{counted}");
    let refused = client.post("/mcp", call("echo_json", json!({ "doc": 1 }))).await;
    assert_eq!((refused.status, refused.header("www-authenticate").is_empty()), (401, false));
    // What comes behind a call on the same connection is read as it was sent.
    assert_eq!(client.get("/v1/orders/mine").await.text(), "mine");
    let kept = Client::new(shop.gateway.addr);
    for _ in 0..3 {
        assert_eq!(kept.post("/mcp", call("price", order())).await.status, 200);
        assert_eq!(kept.get("/v1/orders/mine").await.text(), "mine");
    }
}

#[tokio::test]
async fn what_would_become_of_a_call_is_explained_by_its_own_route() {
    let shop = Shop::start().await;
    let why = async |arguments: Value| {
        let params = json!({ "name": "price", "arguments": arguments });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
        let mut command = Command::new(binary("callgate"));
        command.args([
            "why",
            "--admin",
            &format!("http://{}", shop.gateway.admin_addr),
            "POST",
            "/mcp",
            "-d",
            &body,
        ]);
        let ran = tokio::task::spawn_blocking(move || command.output());
        let output = ran.await.expect("it ends").expect("callgate runs");
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let (status, said) = why(order()).await;
    assert_eq!(status, Some(0), "{said}");
    for expected in
        ["would be sent to `orders.quote`", "tool passed: price", "route: POST /v1/orders/{order_id}/quote"]
    {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let (status, said) = why(json!({ "order_id": "1", "customer": 7 })).await;
    assert!(status == Some(1) && said.contains("/customer"), "{said}");
    let calls =
        shop.gateway.metric("callgate_requests_total", &["route=\"/v1/orders/{order_id}/quote\""]).await;
    assert_eq!(calls, 0.0, "nothing was sent");
}

#[tokio::test]
async fn wrong_tables_are_told_where_they_are_wrong() {
    let setup = Setup::new();
    std::fs::write(setup.file("gateway.toml"), "[tables]\nwatch = ['routes']\n").expect("it can be written");
    for (table, expected) in [
        ("[[routes]]\nmatch = 'GET /mcp'\ntools = true\n", "agents ask with POST"),
        ("[[routes]]\nmatch = 'POST /mcp'\ntools = { origin = [] }\n", "unknown key `origin` in `tools`"),
        ("[[routes]]\nmatch = 'GET /a'\nrespond = {}\ntool = true\n", "`tool` has no effect"),
        (
            "[[routes]]\nmatch = 'GET /a'\ncall = 'a.b'\ntool = true\nresponse = { raw = true }\n",
            "a route with such a `response` is no tool",
        ),
        (
            "[[routes]]\nmatch = 'POST /a'\ncall = 'a.b'\ntool = true\nbody = { stream = true }\n",
            "a route with such a `body` is no tool",
        ),
        (
            "[[routes]]\nmatch = 'GET /a'\ncall = 'a.b'\ntool = true\nwebsocket = true\n",
            "a route with such a `websocket` is no tool",
        ),
        ("[[routes]]\nmatch = 'GET /a'\ncall = 7\ntool = true\n", "a tool has a name"),
        ("[[routes]]\nmatch = 'GET /a'\ncall = 'a.b'\ntool = { name = 'a b' }\n", "`a b` cannot name a tool"),
        (
            "[[routes]]\nmatch = ['GET /a', 'GET /b']\ncall = 'a.b'\ntool = true\n",
            "the tool `a_b` is declared twice",
        ),
    ] {
        setup.write_routes("a.toml", &format!("[backends.x]\nendpoints = ['127.0.0.1:1']\n{table}"));
        let mut command = Command::new(binary("callgate"));
        command.args(["check", "--config"]).arg(setup.file("gateway.toml"));
        let output = command.output().expect("it runs");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(
            !output.status.success() && said.contains(expected) && said.contains("a.toml:"),
            "{table}: {said}"
        );
    }
}
