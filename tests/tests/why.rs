//! `callgate why`: what it says of a request is what that request then gets, and asking leaves no trace.

use callgate_tests::tls::{Ca, TlsClient};
use callgate_tests::tokens::{token, write};
use callgate_tests::{Backend, Gateway, Raw, Setup, binary, eventually, free_port};
use serde_json::{Value, json};
use std::process::Output;
use tokio::process::Command;

const AUTH: &str = r#"
[auth.machines]
type = "api_key"
file = "KEYS"

[auth.staff]
type = "jwt"
secret = { file = "SECRET" }
algorithms = ["HS256"]
issuer = "https://id.example"
audience = "orders"

[auth.others]
type = "http"
url = "http://127.0.0.1:1/who"
name = "x-user"
headers = ["x-ticket"]
"#;

const TABLE: &str = r#"
auth = "anonymous"

[backends.shop]
endpoints = ["SHOP"]

[backends.both]
endpoints = ["SHOP", "NEXT"]

[backends.next]
endpoints = ["NEXT"]

[backends.spare]
endpoints = ["SPARE"]

[backends.gone]
endpoints = ["127.0.0.1:GONE"]

[[routes]]
match = "GET /v1/add"
call = "calc.add"
backend = "shop"

[[routes]]
match = "POST /v1/orders/{order_id}/quote"
call = "orders.quote"
backend = "shop"
auth = "machines"
rules = ["args.customer == claims.who"]

[[routes]]
match = "GET /v1/orders/{order_id}"
call = "orders.get"
backend = "shop"
auth = "staff"
require = { scopes = ["orders:read"] }

[[routes]]
match = "GET /v1/limited"
call = "calc.add"
backend = "shop"
rate_limit = { rate = "1/h", by = "route" }

[[routes]]
match = "GET /v1/nobody"
call = "calc.add"
backend = "gone"

[[routes]]
match = "GET /v1/misfit/{c}"
call = "calc.add"
backend = "shop"

[[routes]]
match = "POST /v1/both/{order_id}/quote"
call = "orders.quote"
backend = "both"

[[routes]]
match = "GET /v1/both/{order_id}"
call = "orders.get"
backend = "both"

[[routes]]
match = "GET /v1/next/{order_id}"
call = "orders.get"
backend = "next"

[[routes]]
match = "GET /v1/spare"
call = "calc.add"
backend = "spare"

[[routes]]
match = "GET /v1/asked"
call = "calc.add"
backend = "shop"
auth = "others"

[[routes]]
match = "GET /v1/fixed"
respond = { status = 204 }
"#;

const QUOTE: &str = r#"{"customer":"ada","express":false,"items":[]}"#;

struct Explained {
    setup: Setup,
    gateway: Gateway,
    shop: Backend,
    next: Backend,
    spare: Backend,
}

/// What a run of `callgate why` has said.
struct Said {
    code: Option<i32>,
    text: String,
}

impl Explained {
    async fn start() -> Explained {
        let setup = Setup::new();
        let (shop, next, spare) = (setup.backend("shop"), setup.backend("shop-next"), setup.backend("shop"));
        // The SHA-256 of `key`.
        let hash = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";
        let key = format!("[[key]]\nname = \"billing\"\nsha256 = \"{hash}\"\nclaims = {{ who = \"ada\" }}\n");
        let keys = write(&setup, "keys.toml", &key);
        let secret = write(&setup, "secret", "a secret of the tests, 32 bytes!\n");
        let auth = AUTH.replace("KEYS", &keys.display().to_string());
        setup.write_routes("auth.toml", &auth.replace("SECRET", &secret.display().to_string()));
        let table = TABLE
            .replace("SHOP", &shop.endpoint())
            .replace("NEXT", &next.endpoint())
            .replace("SPARE", &spare.endpoint())
            .replace("GONE", &free_port().to_string());
        setup.write_routes("shop.toml", &table);
        let gateway = setup.gateway().await;
        for backend in [&shop, &next, &spare] {
            gateway.connected(backend).await;
        }
        Explained { setup, gateway, shop, next, spare }
    }

    /// Runs `callgate why` with these arguments.
    async fn why(&self, arguments: &[&str]) -> Said {
        let admin = format!("http://{}", self.gateway.admin_addr);
        let run =
            Command::new(binary("callgate")).arg("why").args(["--admin", &admin]).args(arguments).output();
        let Output { status, stdout, stderr } = run.await.expect("callgate runs");
        Said { code: status.code(), text: String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned() }
    }

    /// What it says of a request, for programs.
    async fn asked(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (Option<i32>, Value) {
        let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let mut arguments = vec!["--json", method, path];
        headers.iter().for_each(|line| arguments.extend(["-H", line.as_str()]));
        if !body.is_empty() {
            arguments.extend(["-d", body]);
        }
        let Said { code, text } = self.why(&arguments).await;
        (code, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
    }

    /// It says that a request would be refused so, and how; and so it is.
    async fn refuses(
        &self,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: &'static str,
        expected: (u16, &str),
    ) {
        let json = [("content-type", "application/json")];
        let headers = if body.is_empty() { headers.to_vec() } else { [headers, &json[..]].concat() };
        let (code, mut said) = self.asked(method, path, &headers, body).await;
        let what = format!("{method} {path}: {said:#}");
        assert_eq!((code, &said["verdict"]), (Some(1), &json!("refused")), "{what}");
        assert_eq!((&said["status"], &said["reason"]), (&expected.0.into(), &expected.1.into()), "{what}");
        let real = self.gateway.client.send(method, path, &headers, body).await;
        let mut problem = real.json();
        // Each has an id of its own.
        for id in [&mut problem["request_id"], &mut said["problem"]["request_id"]] {
            *id = Value::Null;
        }
        assert_eq!((real.status, &problem), (expected.0, &said["problem"]), "{what}");
        let headers = said["headers"].as_object().expect("headers");
        for (name, value) in headers {
            assert_eq!(Some(real.header(name)), value.as_str(), "{what}");
        }
    }

    /// It says that a request would be sent.
    async fn sends(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Value {
        let (code, said) = self.asked(method, path, headers, body).await;
        assert_eq!((code, &said["verdict"]), (Some(0), &json!("sent")), "{method} {path}: {said:#}");
        said
    }

    /// What it says of the instance at that address.
    fn instance<'s>(said: &'s Value, backend: &Backend) -> &'s Value {
        let all = said["instances"].as_array().expect("instances");
        all.iter().find(|one| one["endpoint"] == backend.endpoint()).unwrap_or_else(|| panic!("{said:#}"))
    }
}

#[tokio::test]
async fn what_it_says_of_a_refusal_is_what_the_request_gets() {
    let explained = Explained::start().await;
    let secret = explained.setup.file("secret");
    let claims = |exp: u64, scope: &str| json!({ "sub": "ada", "iss": "https://id.example", "aud": "orders", "exp": exp, "scope": scope });
    let expired = token("HS256", &secret, claims(1_000_000_000, "orders:read")).await;
    let poor = token("HS256", &secret, claims(4_102_444_800, "other")).await;
    let key = ("x-api-key", "key");
    let quote = ("POST", "/v1/orders/7/quote");
    for (request, headers, body, expected) in [
        (("GET", "/v1/none"), &[][..], "", (404, "no_route")),
        (("PUT", "/v1/add"), &[], "", (405, "wrong_method")),
        (("GET", "/v1/add?a=x&b=1"), &[], "", (400, "invalid_value")),
        (("GET", "/v1/add?a=1"), &[], "", (400, "missing_field")),
        (("GET", "/v1/%2e%2e/add"), &[], "", (400, "dot_segment")),
        (("GET", "/v1/add?a=1&b=2"), &[("x-request-timeout", "soon")], "", (400, "invalid_timeout")),
        (quote, &[], QUOTE, (401, "no_credentials")),
        (quote, &[("x-api-key", "guessed")], QUOTE, (401, "bad_credentials")),
        (quote, &[key], r#"{"customer":"bob","express":false,"items":[]}"#, (403, "denied_by_rule")),
        (quote, &[key], r#"{"customer":"ada","express":false,"items":[],"x":1}"#, (400, "unknown_field")),
        (quote, &[key], "{", (400, "malformed_json")),
        (("GET", "/v1/orders/7"), &[("authorization", &*expired)], "", (401, "bad_credentials")),
        (("GET", "/v1/orders/7"), &[("authorization", &*poor)], "", (403, "insufficient_scope")),
        (("GET", "/v1/nobody?a=1&b=2"), &[], "", (503, "no_instance")),
        (("GET", "/v1/misfit/3"), &[], "", (500, "misfit")),
        (("GET", "/v1/next/7"), &[], "", (501, "not_offered")),
    ] {
        explained.refuses(request, headers, body, expected).await;
    }
    let drain = format!("/-/drain?endpoint={}", explained.spare.endpoint());
    explained.sends("GET", "/v1/spare?a=1&b=2", &[], "").await;
    assert_eq!(explained.gateway.admin.send("POST", &drain, &[], "").await.status, 200);
    explained.refuses(("GET", "/v1/spare?a=1&b=2"), &[], "", (503, "draining")).await;
    let (_, said) = explained.asked("GET", "/v1/spare?a=1&b=2", &[], "").await;
    assert_eq!(Explained::instance(&said, &explained.spare)["why_not"], "it is being drained");
    // Who is asked, and what is wrong.
    let (_, said) = explained.asked("GET", "/v1/orders/7", &[("authorization", &expired)], "").await;
    let steps = said["steps"].as_array().expect("steps");
    let told = steps.iter().find(|step| step["step"] == "authenticator").expect("it was asked");
    assert_eq!(
        (&told["verdict"], &told["detail"]),
        (&"refused".into(), &"`staff` (jwt): what the request shows is bad: expired".into())
    );
    assert!(said["route"]["defined"].as_str().is_some_and(|at| at.contains("shop.toml:")), "{said}");
}

#[tokio::test]
async fn asking_takes_counts_and_sends_nothing() {
    let explained = Explained::start().await;
    let path = "/v1/limited?a=1&b=2";
    for _ in 0..3 {
        explained.sends("GET", path, &[], "").await;
    }
    assert_eq!(explained.gateway.client.get(path).await.status, 200, "its only token was there");
    for _ in 0..2 {
        let (code, said) = explained.asked("GET", path, &[], "").await;
        assert_eq!(
            (code, &said["reason"], &said["status"]),
            (Some(1), &"rate_limited".into(), &429.into()),
            "{said}"
        );
    }
    assert_eq!(explained.gateway.client.get(path).await.status, 429);
    let (code, said) = explained.asked("GET", "/v1/none", &[], "").await;
    assert_eq!((code, &said["reason"]), (Some(1), &"no_route".into()));
    let count = async |name: &str| explained.gateway.metric(name, &[]).await;
    assert_eq!(count("callgate_requests_total").await, 2.0);
    assert_eq!(count("callgate_failures_total").await, 1.0);
    let kept = eventually("the failure", async || {
        let page = explained.gateway.admin.get("/failures").await.json();
        (page["failures"][0]["reason"] == "rate_limited").then_some(page)
    })
    .await;
    assert_eq!(kept["failures"].as_array().map(Vec::len), Some(1), "{kept}");
}

#[tokio::test]
async fn of_two_versions_it_says_which_takes_a_request() {
    let explained = Explained::start().await;
    let path = "/v1/both/7/quote";
    let json = [("content-type", "application/json")];
    let said = explained.sends("POST", path, &json, QUOTE).await;
    for (backend, version) in [(&explained.shop, "1.0"), (&explained.next, "2.0")] {
        let one = Explained::instance(&said, backend);
        assert_eq!((&one["could_take_it"], &one["version"]), (&true.into(), &version.into()), "{said:#}");
    }
    let gift =
        r#"{"customer":"ada","express":false,"items":[{"sku":"a","qty":1,"unit_price":1.5,"gift":true}]}"#;
    let (code, said) = explained.asked("POST", path, &json, gift).await;
    assert_eq!(
        (code, &said["verdict"], &said["status"], &said["reason"]),
        (Some(1), &"may_be_refused".into(), &400.into(), &"unknown_field".into()),
        "{said:#}"
    );
    let old = Explained::instance(&said, &explained.shop)["request_misfits"].as_str().unwrap_or_default();
    assert!(old.starts_with("400 unknown_field: /items/0/gift: "), "{old}");
    assert!(Explained::instance(&said, &explained.next)["request_misfits"].is_null());
    // A method that one of them has not: its calls go to the other.
    let said = explained.sends("GET", "/v1/both/1001", &[], "").await;
    let lacks = Explained::instance(&said, &explained.next);
    assert_eq!(
        (&lacks["could_take_it"], &lacks["why_not"]),
        (&false.into(), &"it does not offer `orders.get`".into())
    );
    assert_eq!(explained.gateway.client.get("/v1/both/1001").await.status, 200);
}

#[tokio::test]
async fn people_read_it_in_one_step() {
    let explained = Explained::start().await;
    let key = "x-api-key: key";
    let said = explained.why(&["POST", "/v1/orders/7/quote", "-d", QUOTE, "-H", key]).await;
    assert_eq!(said.code, Some(0), "{}", said.text);
    assert!(said.text.starts_with("would be sent to `orders.quote` of shop: 127.0.0."), "{}", said.text);
    let bad = QUOTE.replace("[]", "[{\"qty\":\"x\"}]");
    let said = explained.why(&["POST", "/v1/orders/7/quote", "-d", &bad, "-H", key]).await;
    assert_eq!(said.code, Some(1));
    assert!(
        said.text.starts_with("would be refused: 400 ") && said.text.contains("\n  /items/0/qty: "),
        "{}",
        said.text
    );
    assert!(said.text.contains("route: POST /v1/orders/{order_id}/quote ("), "{}", said.text);
    let said = explained.why(&["GET", "/v1/fixed"]).await;
    assert_eq!(
        (said.code, said.text.lines().next()),
        (Some(0), Some("would be answered by the gateway itself: 204"))
    );
    // What a service says that is not asked, nobody knows.
    let said = explained.why(&["GET", "/v1/asked?a=1&b=2", "-H", "x-ticket: 1"]).await;
    assert!(said.code == Some(2) && said.text.contains("not asked"), "{}", said.text);
    for (arguments, told) in [
        (&["GET", "/", "--listener", "nowhere"][..], "there is no listener `nowhere`"),
        (&["GET", "/", "-H", "x: a\r\nhost: b"], "the end of a line"),
        (&["0123"], "no failure of that id is kept"),
    ] {
        let said = explained.why(arguments).await;
        assert!(said.code == Some(2) && said.text.contains(told), "{arguments:?}: {}", said.text);
    }
    let none =
        Command::new(binary("callgate")).args(["why", "0123", "--admin", "http://127.0.0.1:1"]).output();
    assert_eq!(none.await.expect("callgate runs").status.code(), Some(2), "nobody is there");
}

#[tokio::test]
async fn a_request_that_has_failed_is_explained_by_its_id() {
    let explained = Explained::start().await;
    let answer = explained.gateway.client.get("/v1/both/9999").await;
    assert_eq!(answer.status, 404);
    let id = answer.header("x-request-id");
    let said = eventually("its record", async || {
        Some(explained.why(&[id]).await).filter(|said| said.code == Some(1))
    })
    .await;
    assert!(said.text.starts_with("failed: 404 method_failed\n  "), "{}", said.text);
    assert!(
        said.text.contains("asked: GET /v1/both/9999 at ") && said.text.contains("why: not_found"),
        "{}",
        said.text
    );
    let attempt = format!("attempt 1: sent to {} after ", explained.shop.endpoint());
    assert!(said.text.contains(&attempt) && said.text.contains("ended as not_found"), "{}", said.text);
    let said: Value = serde_json::from_str(&explained.why(&[id, "--json"]).await.text).expect("JSON");
    assert_eq!(
        (&said["verdict"], &said["record"]["route"]),
        (&"failed".into(), &"/v1/both/{order_id}".into())
    );
}

/// Routes whose calls do not just go to their backend, and bounds.
const LED: &str = r#"
auth = "anonymous"

[backends.absent]
endpoints = ["127.0.0.1:GONE"]
hold = "0s"

[backends.narrow]
endpoints = ["SHOP"]
max_in_flight = 1
queue = false

[[routes]]
match = "GET /old/{what}"
rewrite = "/v1/{what}"
rate_limit = { rate = "2/h", burst = 2, by = "route" }

[[routes]]
match = "GET /v1/moved"
rewrite = "/v1/add"

[[routes]]
match = "GET /led/split"
call = "calc.add"
split = [{ backend = "shop", weight = 1 }, { backend = "absent", weight = 0, header = "x-absent: yes" }]

[[routes]]
match = "GET /led/called"
call = "calc.add"
backend = "absent"
fallback = { backend = "spare" }

[[routes]]
match = "GET /led/said"
call = "calc.add"
backend = "absent"
fallback = { status = 203, body = "later" }

[[routes]]
match = "GET /led/one/{ms}"
call = "echo.delay"
backend = "shop"
max_in_flight = 1
timeout = "60s"

[[routes]]
match = "GET /led/narrow/{ms}"
call = "echo.delay"
backend = "narrow"
timeout = "60s"
"#;

impl Explained {
    /// With those routes as well.
    async fn led() -> Explained {
        let explained = Explained::start().await;
        let table = LED.replace("SHOP", &explained.shop.endpoint()).replace("GONE", &free_port().to_string());
        explained.setup.write_routes("led.toml", &table);
        explained.gateway.takes_its_tables().await;
        eventually("the narrow backend is connected", async || {
            let connected =
                explained.gateway.metric("callgate_backend_connections", &["backend=\"narrow\""]).await;
            (connected > 0.0).then_some(())
        })
        .await;
        explained
    }

    /// What a step of that name has said.
    fn step<'s>(said: &'s Value, name: &str) -> &'s str {
        let steps = said["steps"].as_array().expect("steps");
        let found = steps.iter().find(|step| step["step"] == name);
        found.and_then(|step| step["detail"].as_str()).unwrap_or_else(|| panic!("{name}: {said:#}"))
    }
}

#[tokio::test]
async fn a_rewrite_is_followed_and_both_routes_have_their_say() {
    let explained = Explained::led().await;
    let said = explained.sends("GET", "/old/add?a=1&b=2", &[], "").await;
    assert_eq!(
        (&said["route"]["match"], Explained::step(&said, "rewrite")),
        (&"GET /v1/add".into(), "to /v1/add")
    );
    assert!(Explained::step(&said, "limit").contains("r=1;"), "the first route's limit: {said:#}");
    explained.refuses(("GET", "/old/none"), &[], "", (404, "rewrite_unmatched")).await;
    let (code, said) = explained.asked("GET", "/old/moved", &[], "").await;
    assert_eq!((code, &said["reason"]), (Some(1), &"rewrite_loop".into()), "{said:#}");
    // The one that was sent has taken a token, and none of those that were asked about.
    let said = explained.sends("GET", "/old/add?a=1&b=2", &[], "").await;
    assert!(Explained::step(&said, "limit").contains("r=0;"), "{said:#}");
}

#[tokio::test]
async fn a_split_says_which_target_and_a_fallback_where_the_call_goes_instead() {
    let explained = Explained::led().await;
    let said = explained.sends("GET", "/led/split?a=1&b=2", &[], "").await;
    let split = Explained::step(&said, "split");
    assert_eq!(split, "shop by weight, of shop (weight 1), absent (weight 0)");
    let absent = [("x-absent", "yes")];
    explained.refuses(("GET", "/led/split?a=1&b=2"), &absent, "", (503, "no_instance")).await;
    let (_, said) = explained.asked("GET", "/led/split?a=1&b=2", &absent, "").await;
    assert!(Explained::step(&said, "split").starts_with("absent by header"), "{said:#}");
    let why_not = said["instances"][0]["why_not"].as_str().unwrap_or_default();
    assert!(why_not.starts_with("it is not connected: "), "{said:#}");
    let said = explained.sends("GET", "/led/called?a=1&b=2", &[], "").await;
    assert_eq!(Explained::step(&said, "fallback"), "spare");
    assert!(said["sent_to"].as_str().is_some_and(|to| to.contains(&explained.spare.endpoint())), "{said:#}");
    let (code, said) = explained.asked("GET", "/led/said?a=1&b=2", &[], "").await;
    assert_eq!(
        (code, &said["verdict"], &said["status"]),
        (Some(0), &"answered".into(), &203.into()),
        "{said:#}"
    );
    assert_eq!(Explained::step(&said, "fallback"), "answer");
    // A request that does not fit is no reason to go elsewhere.
    explained.refuses(("GET", "/led/split?a=x&b=2"), &[], "", (400, "invalid_value")).await;
    // Nothing of all that is counted but what was sent.
    let sent = explained.gateway.metric("callgate_route_split_total", &[]).await;
    let fallbacks = explained.gateway.metric("callgate_fallbacks_total", &[]).await;
    assert_eq!((sent, fallbacks), (2.0, 0.0));
}

#[tokio::test]
async fn a_route_or_a_backend_without_room_says_so_before_and_when_it_has_some_again() {
    let explained = Explained::led().await;
    for (path, reason, counted) in [
        ("/led/one/60000", "shed_route", "callgate_requests_in_flight"),
        ("/led/narrow/60000", "shed_backend", "callgate_calls_in_flight"),
    ] {
        explained.sends("GET", path, &[], "").await;
        let mut held = Raw::connect(explained.gateway.addr).await;
        held.write(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        eventually("it is under way", async || {
            (explained.gateway.metric(counted, &[]).await == 1.0).then_some(())
        })
        .await;
        explained.refuses(("GET", path), &[], "", (503, reason)).await;
        drop(held);
        eventually("there is room again", async || {
            (explained.asked("GET", path, &[], "").await.0 == Some(0)).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn by_a_listener_with_tls_it_comes_as_from_a_client_that_asked_for_that_host() {
    let (setup, ca) = (Setup::new(), Ca::new("a test's CA"));
    let tls = format!("127.0.0.1:{}", free_port());
    let clients = write(&setup, "clients.pem", Ca::new("clients").pem());
    let setup = setup.section(&format!(
        "[[listeners]]\nid = \"tls\"\naddress = \"{tls}\"\ntls = {{ client_certificates = \"optional\", ca = {clients:?} }}\n"
    ));
    let (cert, key) = ca.server(&["a.example"]).write(setup.folder(), "a");
    let table = format!(
        "[[certificates]]\nnames = [\"a.example\"]\ncert = {cert:?}\nkey = {key:?}\n\
         [[routes]]\nmatch = \"GET /open\"\nrespond = {{}}\n\
         [[routes]]\nmatch = \"GET /inner\"\nrespond = {{}}\nclient_certificate = \"required\"\n"
    );
    setup.write_routes("t.toml", &table);
    let gateway = setup.gateway().await;
    let admin = format!("http://{}", gateway.admin_addr);
    let why = async |arguments: &[&str]| {
        let mut command = Command::new(binary("callgate"));
        command.args(["why", "--admin", &admin, "--json"]).args(arguments);
        let output = command.output().await.expect("callgate runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        serde_json::from_str::<Value>(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    };
    let client = TlsClient::new(&ca);
    let tls = tls.parse().expect("an address");
    for (path, host, expected) in [
        ("/open", "a.example", (200, Value::Null)),
        ("/open", "b.example", (421, "misdirected".into())),
        ("/inner", "a.example", (403, "no_client_certificate".into())),
    ] {
        let said = why(&["--listener", "tls", "GET", &format!("https://{host}{path}")]).await;
        assert_eq!((&said["status"], &said["reason"]), (&expected.0.into(), &expected.1), "{said:#}");
        assert!(Explained::step(&said, "listener").ends_with("as by TLS"), "{said:#}");
        // So it is for a client that has asked for the one certificate that there is.
        let mut raw = client.raw(tls, "a.example").await;
        raw.write(format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n")).await;
        assert_eq!(raw.status().await, expected.0, "{host}{path}");
    }
    let said = why(&["GET", "/open"]).await;
    assert!(!Explained::step(&said, "listener").contains("TLS"), "{said:#}");
}

/// It says whether a credential is good, so it is for those who may change something.
#[tokio::test]
async fn where_tokens_are_set_it_asks_for_the_one_that_may_change_something() {
    let (all, read) =
        ("a-token-for-all-of-32-characters-or-more", "a-token-for-reading-of-32-characters-or-more");
    let setup = Setup::new().admin(&format!("token = \"{all}\"\nread_token = \"{read}\"\n"));
    setup.write_routes("fixed.toml", "[[routes]]\nmatch = \"GET /a\"\nrespond = {}\n");
    let gateway = setup.gateway().await;
    let run = async |token: Option<&str>| {
        let mut command = Command::new(binary("callgate"));
        command.args(["why", "GET", "/a", "--admin", &format!("http://{}", gateway.admin_addr)]);
        command.envs(token.map(|token| ("CALLGATE_ADMIN_TOKEN", token)));
        command.output().await.expect("callgate runs").status.code()
    };
    assert_eq!((run(None).await, run(Some(read)).await, run(Some(all)).await), (Some(2), Some(2), Some(0)));
}

#[tokio::test]
async fn a_question_is_bounded_and_what_is_none_is_told_so() {
    let setup = Setup::new();
    setup.write_routes("fixed.toml", "[[routes]]\nmatch = \"GET /a\"\nrespond = {}\n");
    let gateway = setup.gateway().await;
    let ask = async |body: String| {
        let headers = [("content-type", "application/json")];
        gateway.admin.send("POST", "/-/why", &headers, body).await.status
    };
    assert_eq!(ask("{".to_owned()).await, 400);
    assert_eq!(ask(format!("{{\"method\":\"{}\"}}", "x".repeat(2 << 20))).await, 413);
    assert_eq!(ask(r#"{"method":"GET","target":"/a"}"#.to_owned()).await, 200);
    assert_eq!(gateway.admin.get("/-/why").await.status, 405);
}
