//! Header fields that come in several lines, byte by byte: what must have a single value is refused by name, of a list all lines
//! count, and no limit is got round.

use callgate_tests::{Backend, Gateway, Raw, Setup, header};
use serde_json::Value;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// `{"sub":"ada"}` and `{"sub":"grace"}`, signed by HS256 with the secret of the tests.
const ADA: &str = "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEiLCJleHAiOjQxMDI0NDQ4MDAsImp0aSI6IjEifQ.oOr048QeuqtNiF4qsK0XbkHu4R68jZqUG6JDIiCrOkU";
const GRACE: &str = "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJncmFjZSIsImV4cCI6NDEwMjQ0NDgwMH0.zy7DQo9Ddiv4k3DUBQkZvwifjt0K2wrVXZoFMuk_GEU";
const SECRET: &str = "a secret of the tests, 32 bytes!";

const ROUTES: &str = r#"
[auth.staff]
type = "jwt"
secret = { env = "JWT_SECRET" }
algorithms = ["HS256"]
[[routes]]
auth = "anonymous"
match = "POST /echo"
call = "echo.json"
body = "doc"
backend = "shop"

[[routes]]
auth = "anonymous"
match = "GET /user"
call = "calc.add"
backend = "shop"
rate_limit = { rate = "1/h", burst = 3, by = "header:X-User" }

[[routes]]
auth = "anonymous"
match = "GET /counted"
call = "calc.add"
backend = "shop"
rate_limit = { rate = "1/h", burst = 3, by = "header:X-User", dry_run = true }

[[routes]]
auth = "anonymous"
match = "GET /key"
call = "calc.add"
backend = "shop"
rate_limit = { rate = "1/h", burst = 3, by = "api_key" }

[[routes]]
auth = ["staff", "anonymous"]
match = "GET /claim"
call = "calc.add"
backend = "shop"
rate_limit = { rate = "1/h", burst = 3, by = "claim:sub" }

[[routes]]
auth = "anonymous"
match = "GET /hashed"
call = "calc.add"
backend = "hashed"

[[routes]]
auth = "anonymous"
match = "GET /split"
call = "calc.add"
split = [{ backend = "shop", weight = 1 }, { backend = "hashed", header = "x-canary: yes" }]

[[routes]]
auth = "anonymous"
match = "GET /metadata/{name}"
call = "chain.metadata"
backend = "chain"
metadata = ["x-user", "cookie"]
response = { wrap = "value" }
"#;

struct Fields {
    gateway: Gateway,
    _setup: Setup,
    _backends: [Backend; 2],
}

impl Fields {
    async fn start() -> Fields {
        let setup = Setup::new().env("JWT_SECRET", SECRET);
        let folder = setup.file("").display().to_string();
        let shop = setup.backend("shop");
        let chain = setup.backend_told(
            "chain",
            format!("127.0.0.1:{}", callgate_tests::free_port()),
            &["--folder", &folder],
        );
        let backend = |name: &str, backend: &Backend, more: &str| {
            format!("[backends.{name}]\nendpoints = [{:?}]\n{more}\n", backend.endpoint())
        };
        let backends = backend("shop", &shop, "")
            + &backend("hashed", &shop, "balance = { hash = \"header:x-user\" }")
            + &backend("chain", &chain, "");
        setup.write_routes("fields.toml", &(backends + ROUTES));
        let gateway = setup.gateway().await;
        gateway.connected(&shop).await;
        gateway.connected(&chain).await;
        Fields { gateway, _setup: setup, _backends: [shop, chain] }
    }

    /// Sends a request with these lines, on a connection of its own; its head and body.
    async fn ask(&self, request_line: &str, lines: &[&str], body: &str) -> (String, String) {
        let mut raw = Raw::connect(self.gateway.addr).await;
        let mut request = format!("{request_line} HTTP/1.1\r\n");
        for line in lines {
            request += &format!("{line}\r\n");
        }
        if !body.is_empty() {
            request += &format!("content-length: {}\r\n", body.len());
        }
        raw.write(format!("{request}\r\n{body}")).await;
        raw.answer().await.unwrap_or_else(|| panic!("no answer to {request_line} {lines:?}"))
    }

    async fn get(&self, path: &str, lines: &[&str]) -> (String, String) {
        self.ask(&format!("GET {path}"), &[&["host: x"], lines].concat(), "").await
    }

    /// What a handler sees under that name.
    async fn seen(&self, name: &str, lines: &[&str]) -> Value {
        let (head, body) = self.get(&format!("/metadata/{name}?hops=0"), lines).await;
        assert_eq!(status(&head), 200, "{body}");
        let mut body: Value = serde_json::from_str(&body).expect("JSON");
        body["value"].take()
    }
}

fn status(head: &str) -> u16 {
    head[9..12].parse().expect("a status of three digits")
}

/// What is wrong with an answer that must refuse a request for that field, or answer it where none is given.
fn wrong((head, body): &(String, String), field: Option<&str>) -> Option<String> {
    let Some(field) = field else {
        return (status(head) >= 300).then(|| format!("{head}{body}"));
    };
    let problem: Value = serde_json::from_str(body).unwrap_or_default();
    let detail = problem["detail"].as_str().unwrap_or_default();
    let fits = status(head) == 400
        && header(head, "content-type") == Some("application/problem+json")
        && problem["code"] == "invalid_argument"
        && detail.contains(field)
        // A header has no JSON Pointer.
        && problem["errors"] == Value::Null;
    (!fits).then(|| format!("expected 400 that names {field}, got {} {body}", status(head)))
}

#[tokio::test]
async fn a_field_with_a_single_value_is_refused_by_name_when_it_has_several() {
    let fields = Fields::start().await;
    let mut all = Vec::new();
    let two_bearers = "Authorization: Bearer a, Bearer b";
    // A body's fields.
    for (lines, field) in [
        (&["Content-Type: application/json"][..], None),
        (&["Content-Type: application/json", "Content-Type: text/plain"], Some("Content-Type")),
        (&["Content-Type: application/json", "Content-Type: application/json"], Some("Content-Type")),
        (&["Content-Type:", "Content-Type: application/json"], Some("Content-Type")),
        (&["Content-Type: application/json; q=1, text/plain"], Some("Content-Type")),
        (&["Content-Type: application/json; q=\"a,b\""], None),
        (&["Content-Encoding: identity", "Content-Encoding: identity"], None),
        (&["Content-Encoding: identity, identity", "Content-Encoding:"], None),
    ] {
        let answer = fields.ask("POST /echo", &[&["host: x"], lines].concat(), "{}").await;
        all.extend(wrong(&answer, field).map(|wrong| format!("{lines:?}: {wrong}")));
    }
    for second in ["Content-Encoding: compress", "Content-Encoding: identity, compress"] {
        let lines = ["host: x", "Content-Encoding: identity", second];
        let (head, _) = fields.ask("POST /echo", &lines, "{}").await;
        if status(&head) != 415 {
            all.push(format!("{lines:?}: expected 415, got {head}"));
        }
    }
    let (head, _) =
        fields.ask("POST /echo", &["host: x", "Expect: 100-continue", "Expect: something"], "{}").await;
    if status(&head) != 417 {
        all.push(format!("expected 417, got {head}"));
    }
    // Everybody's.
    for (path, lines, field) in [
        ("/hashed", &["X-Request-Timeout: 5s", "X-Request-Timeout: 100ms"][..], Some("X-Request-Timeout")),
        ("/hashed", &["X-Request-Timeout: 5s", "X-Request-Timeout: 5s"], Some("X-Request-Timeout")),
        ("/hashed", &["X-Request-Timeout: 5s, 100ms"], Some("X-Request-Timeout")),
        ("/hashed", &["Grpc-Timeout: 5S", "Grpc-Timeout: 100m"], Some("Grpc-Timeout")),
        ("/hashed", &["X-Request-Timeout: 5s", "Grpc-Timeout: 5S"], None),
        ("/hashed", &["X-User: a", "X-User: b"], Some("x-user")),
        ("/hashed", &["X-User: a", "X-User: a"], Some("x-user")),
        ("/hashed", &["X-User: a, b"], None),
        ("/user", &["X-User: a", "X-User: b"], Some("x-user")),
        ("/user", &["X-User: a", "X-User: a"], Some("x-user")),
        ("/user", &["X-User:", "X-User: a"], Some("x-user")),
        ("/user", &["X-User: CN=a,O=b"], None),
        ("/user", &["Authorization: Bearer a", "Authorization: Bearer b"], None),
        ("/counted", &["X-User: a", "X-User: b"], None),
        ("/key", &["X-Api-Key: a", "X-Api-Key: b"], Some("X-Api-Key")),
        ("/key", &["X-Api-Key: a, b"], Some("X-Api-Key")),
        ("/key", &["Authorization: Bearer a", "Authorization: Bearer b"], Some("Authorization")),
        ("/key", &["Authorization: Basic YTpi", "Authorization: Bearer b"], Some("Authorization")),
        ("/key", &[two_bearers], Some("Authorization")),
        ("/key", &["Authorization: Digest a=\"b\", c=d"], None),
        ("/claim", &["Authorization: Bearer a.b.c", &format!("Authorization: {ADA}")], Some("Authorization")),
        ("/hashed", &["Host: y"], Some("Host")),
        ("/hashed", &["Host: x"], Some("Host")),
        ("/hashed", &["Accept: text/html", "Accept: */*", "X-User: a"], None),
    ] {
        let answer = fields.get(&format!("{path}?a=1&b=2"), lines).await;
        all.extend(wrong(&answer, field).map(|wrong| format!("{path} {lines:?}: {wrong}")));
    }
    let hosts = fields.ask("GET /hashed?a=1&b=2", &["Host: x, y"], "").await;
    all.extend(wrong(&hosts, Some("Host")));
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[tokio::test]
async fn no_second_line_gets_round_a_limit_or_into_anothers_bucket() {
    let fields = Fields::start().await;
    let keys = [
        ("/user", "X-User: bob", "X-User: r7"),
        ("/key", "X-Api-Key: bob", "X-Api-Key: r7"),
        ("/key", "Authorization: Bearer carl", "Authorization: Bearer r8"),
        ("/claim", &format!("Authorization: {ADA}"), &format!("Authorization: {GRACE}")),
    ];
    for (path, limited, fresh) in keys {
        let path = format!("{path}?a=1&b=2");
        let ask = async |lines: &[&str]| status(&fields.get(&path, lines).await.0);
        let mut used = Vec::new();
        for _ in 0..4 {
            used.push(ask(&[limited]).await);
        }
        assert_eq!(used, [200, 200, 200, 429], "{limited}");
        for _ in 0..4 {
            for both in [[fresh, limited], [limited, fresh], [fresh, fresh]] {
                assert_eq!(ask(&both).await, 400, "{both:?}");
            }
        }
        assert_eq!(ask(&[limited]).await, 429, "{limited}");
        // Nobody else has paid for it: neither the other one nor those without a key.
        for lines in [&[fresh][..], &[]] {
            assert_eq!(ask(lines).await, 200, "{lines:?}");
        }
    }
}

#[tokio::test]
async fn a_repeated_traceparent_begins_a_new_trace_and_never_fails() {
    let fields = Fields::start().await;
    let parent = format!("traceparent: {TRACE}");
    let other = parent.replace("4bf9", "5bf9");
    let joined = format!("{parent}, {TRACE}");
    for (lines, trace, state) in [
        (&[parent.as_str(), "tracestate: a=1"][..], Some(TRACE), Some("a=1")),
        (&["tracestate: a=1", &parent, "tracestate: b=2"], Some(TRACE), Some("a=1,b=2")),
        (&[&parent, &other, "tracestate: a=1"], None, None),
        (&[&parent, &parent, "tracestate: a=1"], None, None),
        (&[&joined, "tracestate: a=1"], None, None),
    ] {
        assert_eq!(fields.seen("traceparent", lines).await.as_str(), trace, "{lines:?}");
        assert_eq!(fields.seen("tracestate", lines).await.as_str(), state, "{lines:?}");
    }
}

#[tokio::test]
async fn of_several_request_ids_none_is_taken() {
    let fields = Fields::start().await;
    let id = |head: &str| header(head, "x-request-id").unwrap_or_default().to_owned();
    let (head, _) = fields.get("/hashed?a=1&b=2", &["X-Request-Id: one"]).await;
    assert_eq!(id(&head), "one");
    for second in ["X-Request-Id: two", "X-Request-Id: one", "X-Request-Id:"] {
        let (head, _) = fields.get("/hashed?a=1&b=2", &["X-Request-Id: one", second]).await;
        assert_eq!((status(&head), id(&head).len()), (200, 32), "{second}");
        let seen = fields.seen("request-id", &["X-Request-Id: one", second]).await;
        assert_ne!(seen, "one", "the handler sees none of them either");
    }
}

#[tokio::test]
async fn of_a_list_all_lines_count() {
    let fields = Fields::start().await;
    let seen = async |name: &str| {
        let lines = ["Cookie: a=1", "X-User: a", "Cookie: b=2; c=3", "X-User: b"];
        fields.seen(name, &lines).await
    };
    assert_eq!(seen("cookie").await, "a=1; b=2; c=3");
    assert_eq!(seen("x-user").await, "a, b", "a handler is told of both");
    // An arm is borne by any of the lines.
    let split = [
        (&["X-Canary: no", "X-Canary: yes"][..], true),
        (&["X-Canary: yes", "X-Canary: no"], true),
        (&["X-Canary: yes", "X-Canary: yes"], true),
        (&["X-Canary: no", "X-Canary:"], false),
        (&["X-Canary: yes, no"], false),
    ];
    let mut borne = 0.0;
    for (lines, bears) in split {
        assert_eq!(status(&fields.get("/split?a=1&b=2", lines).await.0), 200);
        borne += f64::from(u8::from(bears));
        let labels = ["arm=\"hashed\"", "by=\"header\""];
        assert_eq!(fields.gateway.metric("callgate_route_split_total", &labels).await, borne, "{lines:?}");
    }
    // Its backend goes by a key of its own, which the other arm's does not ask for.
    let users = ["X-User: a", "X-User: b"];
    assert_eq!(status(&fields.get("/split?a=1&b=2", &users).await.0), 200);
    let answer = fields.get("/split?a=1&b=2", &[&users[..], &["X-Canary: yes"]].concat()).await;
    assert_eq!(wrong(&answer, Some("x-user")), None);
}
