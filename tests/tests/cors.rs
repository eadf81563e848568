//! Pages of other origins: preflights, and who may read which replies; with curl, and with Chromium as the judge.

use callgate_tests::{Answer, Backend, Client, Gateway, Setup, chromium, free_port};
use std::net::SocketAddr;
use std::process::Command;

const ROUTES: &str = r#"
[[routes]]
match = "GET /sum"
call = "calc.add"

[[routes]]
match = "PUT /sum"
call = "calc.add"
bind = { b = { header = "x-b" } }

[[routes]]
match = "GET /cookie"
call = "calc.add"
bind = { a = { cookie = "sid" } }

[[routes]]
match = "GET /limited"
respond = { body = "once" }
rate_limit = { rate = "1/h", burst = 1 }

[[routes]]
match = "GET /others"
respond = { body = "for others" }
cors = { origins = ["https://app.example.com"] }

[[routes]]
match = "GET /open"
respond = { body = "open" }
cors = { origins = ["*"] }

[[routes]]
match = "GET /closed"
respond = { body = "closed" }
cors = false
"#;

/// Serves the routes, which pages of that origin may call.
async fn serve(setup: &Setup, gateway: &Gateway, origin: &str) -> Backend {
    let backend = setup.backend("shop");
    let cors = format!(
        "cors = {{ origins = [{origin:?}], credentials = true, max_age = \"1m\", expose = [\"x-request-id\"] }}\n"
    );
    let backends =
        format!("security_headers = \"api\"\n[backends.shop]\nendpoints = [{:?}]\n", backend.endpoint());
    setup.write_routes("shop.toml", &format!("{cors}{backends}{ROUTES}"));
    gateway.takes_its_tables().await;
    gateway.connected(&backend).await;
    backend
}

/// The status of an answer, and what it says of CORS.
fn said(answer: &Answer) -> String {
    let of = |name: &str| {
        let all: Vec<&str> =
            answer.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        if all.is_empty() { String::new() } else { format!(" {name}: {}", all.join("|")) }
    };
    let names =
        ["origin", "credentials", "methods", "headers"].map(|name| format!("access-control-allow-{name}"));
    let more = ["access-control-max-age", "access-control-expose-headers", "vary"].map(str::to_owned);
    let all: String = names.iter().chain(&more).map(|name| of(name)).collect();
    format!("{}{}", answer.status, all.replace("access-control-", ""))
}

#[tokio::test]
async fn preflights_are_answered_before_all_steps_and_every_reply_says_who_may_read_it() {
    let plain_http2 = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let listener = format!("[[listeners]]\naddress = \"{plain_http2}\"\nhttp2 = \"prior_knowledge\"\n");
    let setup = Setup::new().section(&listener);
    let gateway = setup.gateway().await;
    let _backend = serve(&setup, &gateway, "https://*.example.com").await;
    let (page, other) = ("https://app.example.com", "https://app.example.net");
    let ask = async |client: &Client, method: &str, path: &str, origin: &str, more: &[(&str, &str)]| {
        let headers = [&[("origin", origin)], more].concat();
        client.send(method, path, &headers, "").await
    };
    let asks = [("access-control-request-method", "PUT"), ("access-control-request-headers", "x-b")];
    let of_calls = "content-type, grpc-timeout, traceparent, tracestate";
    let allowed = format!(
        "204 allow-origin: {page} allow-credentials: true allow-methods: GET, HEAD, PUT \
         allow-headers: {of_calls}, x-b, x-request-id, x-request-timeout max-age: 60 vary: origin"
    );
    let readable =
        format!(" allow-origin: {page} allow-credentials: true expose-headers: x-request-id vary: origin");
    for client in [gateway.client.clone(), Client::http2(plain_http2)] {
        for (method, path, origin, more, expected) in [
            ("OPTIONS", "/sum", page, &asks[..], allowed.clone()),
            ("OPTIONS", "/sum", other, &asks, "204 vary: origin".to_owned()),
            ("OPTIONS", "/sum", page, &[], "204".to_owned()),
            ("OPTIONS", "/nowhere", page, &asks, "404".to_owned()),
            ("GET", "/sum?a=1&b=2", page, &[], format!("200{readable}")),
            ("GET", "/sum?a=1&b=2", other, &[], "200 vary: origin".to_owned()),
            ("GET", "/sum?a=x&b=2", page, &[], format!("400{readable}")),
            ("DELETE", "/sum", page, &[], format!("405{readable}")),
            ("GET", "/nowhere", page, &[], "404".to_owned()),
            ("GET", "/open", other, &[], "200 allow-origin: *".to_owned()),
            ("GET", "/closed", page, &[], "200".to_owned()),
        ] {
            let answer = ask(&client, method, path, origin, more).await;
            assert_eq!(said(&answer), expected, "{method} {path} of {origin}");
        }
    }
    let preflight = [("access-control-request-method", "GET")];
    for _ in 0..3 {
        let answer = ask(&gateway.client, "OPTIONS", "/limited", page, &preflight).await;
        assert!(answer.status == 204 && answer.header("allow") == "GET, HEAD, OPTIONS", "{answer:?}");
    }
    for status in [200, 429] {
        let answer = ask(&gateway.client, "GET", "/limited", page, &[]).await;
        assert_eq!(said(&answer), format!("{status}{readable}"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    let shown = gateway.admin.get("/routes").await.json();
    assert_eq!(shown["routes"][0]["cors"]["origins"][0], "https://*.example.com");
    assert_eq!(shown["routes"][0]["security_headers"], "api");
    let curl = Command::new("curl")
        .args(["--silent", "--include", "--request", "OPTIONS", "--header", &format!("Origin: {page}")])
        .args(["--header", "Access-Control-Request-Method: PUT", &format!("http://{}/sum", gateway.addr)])
        .output()
        .expect("curl runs");
    let head = String::from_utf8_lossy(&curl.stdout).into_owned();
    assert!(head.contains(&format!("access-control-allow-origin: {page}\r\n")), "{head}");
}

#[tokio::test]
#[ignore = "needs Chromium, which `make clients` installs where Debian has it"]
async fn chromium_lets_a_page_read_what_cors_allows_and_nothing_else() {
    let api = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let setup = Setup::new().section(&format!("[[listeners]]\naddress = \"{api}\"\n"));
    let gateway = setup.gateway().await;
    let origin = format!("http://{}", gateway.addr);
    let page = include_str!("../clients/cors.html").replace("'API'", &format!("'http://{api}'"));
    setup.write_routes(
        "page.toml",
        &format!("[[routes]]\nmatch = \"GET /page\"\n[routes.respond]\ncontent_type = \"text/html\"\nbody = '''\n{page}'''\n"),
    );
    let _backend = serve(&setup, &gateway, &origin).await;
    let told = chromium(&setup.file("home"), "", &format!("{origin}/page")).await;
    let expected = "200 id 3; 200 id 42; TypeError; 400 id problem; 200 id 42; 400 id problem; TypeError; \
                    200 id once; 429 id problem; TypeError; TypeError";
    assert!(told.contains(&format!(">{expected}<")), "{told}");
}
