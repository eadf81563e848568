//! Routes of hosts: which requests they take, by HTTP/1.1 and HTTP/2, and how they are counted.

use callgate_tests::{Gateway, Raw, Setup, free_port};
use std::net::SocketAddr;
use std::process::Command;

const ROUTES: &str = r#"
hosts = ["api.example.com"]

[[routes]]
match = "GET /v1/{x}"
respond = { body = "api" }

[[routes]]
match = "GET /v1/{x}"
hosts = ["*.example.com"]
respond = { body = "wild" }

[[routes]]
match = "GET /v1/{x}"
hosts = ["*"]
respond = { body = "all" }

[[routes]]
match = "PUT /v1/{x}"
hosts = ["*"]
respond = { body = "put" }

[[routes]]
match = "GET /only"
respond = { body = "only" }
"#;

async fn start(setup: &Setup) -> Gateway {
    setup.write_routes("routes.toml", ROUTES);
    setup.gateway().await
}

/// The status of a reply and its body, to a request with these lines.
async fn asked(gateway: &Gateway, line: &str, host: &str) -> (u16, String) {
    let mut raw = Raw::connect(gateway.addr).await;
    let host = if host.is_empty() { String::new() } else { format!("Host: {host}\r\n") };
    raw.write(format!("{line}\r\n{host}\r\n").as_bytes()).await;
    let (head, body) = raw.answer().await.expect("an answer");
    (head[9..12].parse().expect("a status"), body)
}

#[tokio::test]
async fn a_request_meets_the_route_of_its_host_whatever_its_port_and_case() {
    let setup = Setup::new();
    let gateway = start(&setup).await;
    for (line, host, status, body) in [
        ("GET /v1/a HTTP/1.1", "api.example.com", 200, "api"),
        ("GET /v1/a HTTP/1.1", "API.Example.com.:8080", 200, "api"),
        ("GET http://api.example.com/v1/a HTTP/1.1", "api.example.com", 200, "api"),
        ("GET /v1/a HTTP/1.1", "www.example.com", 200, "wild"),
        ("GET /v1/a HTTP/1.1", "a.b.example.com", 200, "all"),
        ("GET /v1/a HTTP/1.1", "example.com", 200, "all"),
        ("GET /v1/a HTTP/1.1", "127.0.0.1", 200, "all"),
        ("GET /v1/a HTTP/1.0", "", 200, "all"),
        ("PUT /v1/a HTTP/1.1", "api.example.com", 200, "put"),
        ("GET /only HTTP/1.1", "api.example.com", 200, "only"),
        ("GET /only HTTP/1.1", "www.example.com", 404, "no route matches /only"),
        ("GET /only HTTP/1.0", "", 404, "no route matches /only"),
        ("POST /v1/a HTTP/1.1", "api.example.com", 405, "possible: GET, HEAD, PUT, OPTIONS"),
        ("PUT /only HTTP/1.1", "api.example.com", 405, "possible: GET, HEAD, OPTIONS"),
        ("PUT /only HTTP/1.1", "www.example.com", 404, "no route"),
    ] {
        let (seen, text) = asked(&gateway, line, host).await;
        assert!(seen == status && text.contains(body), "{line} of {host}: {seen} {text}");
    }
    let counted = async |route: &str| {
        let labels = [&*format!("route=\"{route}\""), "method=\"GET\"", "status=\"200\""];
        gateway.metric("callgate_requests_total", &labels).await
    };
    assert_eq!(counted("api.example.com/v1/{x}").await, 3.0);
    assert_eq!(counted("*.example.com/v1/{x}").await, 1.0);
    assert_eq!(counted("/v1/{x}").await, 4.0);
    let shown = gateway.admin.get("/routes").await.json();
    assert_eq!(shown["routes"][1]["match"], "GET *.example.com/v1/{x}");
    assert_eq!(shown["routes"][1]["hosts"], serde_json::json!(["*.example.com"]));
}

#[tokio::test]
async fn the_authority_of_http_2_is_the_host() {
    let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let listener = format!("[[listeners]]\naddress = \"{addr}\"\nhttp2 = \"prior_knowledge\"\n");
    let setup = Setup::new().section(&listener);
    let _gateway = start(&setup).await;
    for (host, body) in [("api.example.com", "api"), ("x.example.com", "wild"), ("example.org", "all")] {
        let output = Command::new("curl")
            .args(["--silent", "--http2-prior-knowledge", "--resolve"])
            .arg(format!("{host}:{}:127.0.0.1", addr.port()))
            .arg(format!("http://{host}:{}/v1/a", addr.port()))
            .output()
            .expect("curl runs");
        assert_eq!(String::from_utf8_lossy(&output.stdout), body, "{host}");
    }
}

#[tokio::test]
async fn a_reload_that_gives_a_path_to_another_host_keeps_what_stays() {
    let setup = Setup::new();
    let gateway = start(&setup).await;
    assert_eq!(asked(&gateway, "GET /only HTTP/1.1", "api.example.com").await.0, 200);
    setup.write_routes("routes.toml", &ROUTES.replace("[\"api.example.com\"]", "[\"new.example.com\"]"));
    gateway.takes_its_tables().await;
    assert_eq!(asked(&gateway, "GET /only HTTP/1.1", "api.example.com").await.0, 404);
    assert_eq!(asked(&gateway, "GET /only HTTP/1.1", "new.example.com").await.0, 200);
    assert_eq!(asked(&gateway, "GET /v1/a HTTP/1.1", "api.example.com").await.1, "wild");
}
