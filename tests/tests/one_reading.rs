//! One reading of a path: no spelling of it reaches a method past the route that guards it.

use callgate_tests::{Gateway, Raw, Setup, free_port};

/// One method behind two routes: anybody may ask for most names, nobody from here for those below `secret`.
const ROUTES: &str = r#"
[[routes]]
match = "GET /v1/names/{*name}"
call = "chain.metadata"
response = { wrap = "value" }

[[routes]]
match = "GET /v1/names/secret/{*name}"
call = "chain.metadata"
clients = { allow = ["192.0.2.0/24"] }

[[routes]]
match = "GET /v1/users/{name}"
call = "chain.metadata"
response = { wrap = "value" }

[[routes]]
match = "GET /v1/users/admin"
respond = { body = "the keys" }
clients = { allow = ["192.0.2.0/24"] }
"#;

/// Paths that somebody would take for one of a guarded route.
const TRICKS: &[&str] = &[
    // Its own spellings.
    "/v1/names/secret/a",
    "/v1/names/%73ecret/a",
    "/v1/n%61mes/secret/a",
    "/%76%31/names/%73%65%63%72%65%74/a",
    "/v1/users/admin",
    "/v1/users/%61dmin",
    "/v1/users/%61%64%6D%69%6e",
    // Encoded slashes.
    "/v1/names/secret%2Fa",
    "/v1/names/secret%2fa",
    "/v1/names/%2Fsecret/a",
    "/v1/names/secret/%2Fa",
    "/v1/names/secret%2F%2Fa",
    "/v1/names/x%2F..%2Fsecret%2Fa",
    "/v1/names/x/..%2Fsecret/a",
    "/v1/names/.%2Fsecret/a",
    "/v1/names/secret%5Ca",
    "/v1/names/secret%5ca",
    // Slashes.
    "/v1/names//secret/a",
    "/v1/names///secret//a",
    "/v1/names/secret//a",
    "/v1/names/secret/a/",
    "/v1/users/admin/",
    "/v1/users/admin//",
    "//v1/users/admin",
    // Dots.
    "/v1/names/./secret/a",
    "/v1/names/x/../secret/a",
    "/v1/names/%2e/secret/a",
    "/v1/names/x/%2E%2e/secret/a",
    "/v1/names/x/.%2e/secret/a",
    "/v1/users/./admin",
    "/v1/users/x/../admin",
    "/v1/names/../users/admin",
    "/v1/names/..%2Fusers/admin",
    "/v1/names/%2e%2e%2Fusers%2Fadmin",
    "/../v1/users/admin",
    "/v1/users/admin.",
    "/v1/users/admin...",
    "/v1/users/admin%2E",
    "/v1/names/secret./a",
    "/v1/names/.%20/secret/a",
    // Decoded twice, and more often.
    "/v1/names/%2573ecret/a",
    "/v1/names/secret%252Fa",
    "/v1/names/secret%25252Fa",
    "/v1/names/%25%37%33ecret/a",
    "/v1/users/%2561dmin",
    "/v1/users/%25%36%31dmin",
    "/v1/users/%%361dmin",
    // Capitals.
    "/v1/names/Secret/a",
    "/v1/names/SECRET/a",
    "/v1/names/s%45cret/a",
    "/v1/users/Admin",
    "/v1/users/ADMIN",
    "/v1/users/%41dmin",
    // What is behind a mark.
    "/v1/users/admin;a=b",
    "/v1/users/admin%3Ba=b",
    "/v1/users/admin%00",
    "/v1/users/admin%00.png",
    "/v1/users/admin%2500",
    "/v1/names/secret;x/a",
    // Blanks.
    "/v1/users/admin%20",
    "/v1/users/%20admin",
    "/v1/users/admin%09",
    "/v1/users/admin%0a",
    "/v1/users/admin%0D%0A",
    "/v1/users/%C2%A0admin",
    "/v1/names/secret%20/a",
    // What HTTP does not take for a path.
    "/v1/users/admin#a",
    "/v1/users\\admin",
    "/v1/users/ad\tmin",
    "http://a/v1/users/%61dmin",
];

async fn start(setup: Setup) -> (Gateway, impl Sized) {
    let folder = setup.file("").display().to_string();
    let address = format!("127.0.0.1:{}", free_port());
    let chain = setup.backend_told("chain", address, &["--folder", &folder]);
    let table = format!("[backends.chain]\nendpoints = [{:?}]\n{ROUTES}", chain.endpoint());
    setup.write_routes("paths.toml", &table);
    let gateway = setup.gateway().await;
    gateway.connected(&chain).await;
    (gateway, (setup, chain))
}

async fn status(gateway: &Gateway, path: &str) -> u16 {
    let mut raw = Raw::connect(gateway.addr).await;
    raw.write(format!("GET {path}?hops=0 HTTP/1.1\r\nhost: a\r\n\r\n")).await;
    raw.status().await
}

#[tokio::test]
async fn no_spelling_of_a_path_passes_the_route_that_guards_it() {
    assert!(TRICKS.len() >= 60);
    let (gateway, _rest) = start(Setup::new()).await;
    for path in TRICKS {
        let status = status(&gateway, path).await;
        assert!([400, 403, 404].contains(&status), "{path}: {status}");
    }
    assert_eq!(gateway.metric("callgate_calls_total", &[]).await, 0.0, "nothing was called");
    for path in [
        "/v1/names/a/b",
        "/v1/names/A%2FB",
        "/v1/names/secrets/a",
        "/v1/users/administrator",
        "/v1/users/a.b",
    ] {
        assert_eq!(status(&gateway, path).await, 200, "{path}");
    }
    assert!(gateway.metric("callgate_calls_total", &[]).await > 0.0);
}
