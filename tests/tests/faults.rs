//! Twelve faults, each of which is found in one step, by the name of its reason, in three ways that do not know each other: the line of the
//! access log, the failures that the admin port keeps (of which its page is made), and `callgate why`, of the request's id and of the
//! request itself.

use callgate_tests::tls::Ca;
use callgate_tests::tokens::{token, write};
use callgate_tests::{Backend, Gateway, Raw, Setup, binary, eventually, free_port};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::process::Command;

const TABLE: &str = r#"
[backends.shop]
endpoints = ["SHOP"]
hold = "0s"

[backends.next]
endpoints = ["NEXT"]

[backends.down]
endpoints = ["127.0.0.1:GONE"]
hold = "0s"

[backends.hangs]
endpoints = ["HANGS"]
hold = "0s"

[backends.sealed]
endpoints = ["NEXT"]
hold = "0s"
tls = { ca = "CA", server_name = "shop.example" }

[auth.staff]
type = "jwt"
secret = { file = "SECRET" }
algorithms = ["HS256"]
issuer = "https://id.example"
audience = "orders"

[[routes]]
match = "GET /v1/add"
call = "calc.add"
backend = "shop"
auth = "anonymous"

[[routes]]
match = "GET /v1/next/{order_id}"
call = "orders.get"
backend = "next"
auth = "anonymous"

[[routes]]
match = "GET /v1/down"
call = "calc.add"
backend = "down"
auth = "anonymous"

[[routes]]
match = "GET /v1/hangs"
call = "calc.add"
backend = "hangs"
timeout = "300ms"
auth = "anonymous"

[[routes]]
match = "GET /v1/slow/{ms}"
call = "echo.delay"
backend = "shop"
timeout = "300ms"
auth = "anonymous"

[[routes]]
match = "GET /v1/shed/{ms}"
call = "echo.delay"
backend = "shop"
max_in_flight = 1
auth = "anonymous"

[[routes]]
match = "GET /v1/limited"
call = "calc.add"
backend = "shop"
rate_limit = { rate = "1/h", by = "route" }
auth = "anonymous"

[[routes]]
match = "GET /v1/orders/{order_id}"
call = "orders.get"
backend = "shop"
auth = "staff"
rules = ["args.order_id == claims.order"]

[[routes]]
match = "GET /v1/sealed"
call = "calc.add"
backend = "sealed"
auth = "anonymous"
"#;

/// Where the gateway's standard output goes.
const ACCESS_LOG: &str = "access.log";

struct Faulty {
    setup: Setup,
    gateway: Gateway,
    hangs: Backend,
    _others: [Backend; 2],
}

/// A request that fails.
struct Request<'r> {
    path: &'r str,
    headers: &'r [(&'r str, &'r str)],
    reason: &'r str,
    /// What more the log says.
    why: Option<&'r str>,
    /// Whether somebody who asks before finds the same. A method that is slow is only found when it was called.
    is_foreseen: bool,
}

impl<'r> Request<'r> {
    fn new(path: &'r str, reason: &'r str) -> Request<'r> {
        Request { path, headers: &[], reason, why: None, is_foreseen: true }
    }
}

impl Faulty {
    async fn start() -> Faulty {
        let folder = Setup::new();
        let out = folder.file(ACCESS_LOG).display().to_string();
        let setup = folder.script(&format!("exec >>'{out}'"));
        let (shop, next) = (setup.backend("shop"), setup.backend("shop-next"));
        let hangs = setup.backend("shop");
        let secret = write(&setup, "secret", "a secret of the tests, 32 bytes!\n");
        let ca = write(&setup, "ca.pem", Ca::new("another").pem());
        let table = TABLE
            .replace("SHOP", &shop.endpoint())
            .replace("NEXT", &next.endpoint())
            .replace("HANGS", &hangs.endpoint())
            .replace("GONE", &free_port().to_string())
            .replace("SECRET", &secret.display().to_string())
            .replace("CA", &ca.display().to_string());
        setup.write_routes("shop.toml", &table);
        let gateway = setup.gateway().await;
        for backend in [&shop, &next, &hangs] {
            gateway.connected(backend).await;
        }
        Faulty { setup, gateway, hangs, _others: [shop, next] }
    }

    /// What `callgate why` says first.
    async fn why(&self, arguments: &[&str]) -> String {
        let admin = format!("http://{}", self.gateway.admin_addr);
        let run =
            Command::new(binary("callgate")).arg("why").args(["--admin", &admin]).args(arguments).output();
        let output = run.await.expect("callgate runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The request fails so, and each of the ways says so.
    async fn is_found(&self, request: Request<'_>) {
        let Request { path, headers, reason, why, is_foreseen } = request;
        let answer = self.gateway.client.send("GET", path, headers, "").await;
        assert_eq!(answer.json()["reason"], reason, "{path}: {}", answer.text());
        let id = answer.header("x-request-id").to_owned();
        let line = self.logged(&id).await;
        assert_eq!(line["reason"], reason, "{line}");
        let says =
            |line: &Value| why.is_none_or(|why| line["why"].as_str().is_some_and(|text| text.contains(why)));
        assert!(says(&line), "{line}");
        let kept = eventually("the failure on the admin port", async || {
            let page = self.gateway.admin.get("/failures").await.json();
            let all = page["failures"].as_array().cloned().unwrap_or_default();
            all.into_iter().find(|one| one["request_id"] == *id)
        })
        .await;
        assert!(kept["reason"] == reason && says(&kept), "{kept}");
        let status = answer.status;
        let told = self.why(&[&id]).await;
        assert!(told.starts_with(&format!("failed: {status} {reason}\n")), "{told}");
        if is_foreseen {
            let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            let mut arguments = vec!["GET", path];
            lines.iter().for_each(|line| arguments.extend(["-H", line]));
            let told = self.why(&arguments).await;
            assert!(told.starts_with(&format!("would be refused: {status} {reason}\n")), "{path}: {told}");
        }
    }

    /// The line of the access log of that id.
    async fn logged(&self, id: &str) -> Value {
        eventually("a line of the access log", async || {
            let text = std::fs::read_to_string(self.setup.file(ACCESS_LOG)).unwrap_or_default();
            let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            lines.find(|line| line["request_id"] == id)
        })
        .await
    }
}

#[tokio::test]
async fn each_is_found_in_the_log_on_the_admin_port_and_by_asking() {
    let faulty = Faulty::start().await;
    let secret = faulty.setup.file("secret");
    let claims = |exp: u64| json!({ "sub": "ada", "iss": "https://id.example", "aud": "orders", "exp": exp, "order": "8" });
    let expired = token("HS256", &secret, claims(1_000_000_000)).await;
    let good = token("HS256", &secret, claims(4_102_444_800)).await;

    // A field that is wrong, a route that nobody knows, a method that one version does not have, an instance that is not there.
    faulty.is_found(Request { why: Some("/a"), ..Request::new("/v1/add?a=x&b=1", "invalid_value") }).await;
    faulty.is_found(Request::new("/v1/none", "no_route")).await;
    faulty.is_found(Request::new("/v1/next/7", "not_offered")).await;
    faulty.is_found(Request::new("/v1/down?a=1&b=2", "no_instance")).await;
    // A method that is slow.
    let slow = Request::new("/v1/slow/5000", "deadline");
    faulty.is_found(Request { is_foreseen: false, ..slow }).await;
    // One that has no room.
    let mut held = Raw::connect(faulty.gateway.addr).await;
    held.write("GET /v1/shed/60000 HTTP/1.1\r\nhost: x\r\n\r\n").await;
    eventually("a request in flight", async || {
        (faulty.gateway.metric("callgate_requests_in_flight", &[]).await > 0.0).then_some(())
    })
    .await;
    faulty.is_found(Request::new("/v1/shed/1", "shed_route")).await;
    drop(held);
    // A limit that is used up.
    assert_eq!(faulty.gateway.client.get("/v1/limited?a=1&b=2").await.status, 200);
    faulty.is_found(Request::new("/v1/limited?a=1&b=2", "rate_limited")).await;
    // A token that has expired, and a rule that denies.
    let headers = [("authorization", expired.as_str())];
    let request = Request {
        headers: &headers,
        why: Some("expired"),
        ..Request::new("/v1/orders/7", "bad_credentials")
    };
    faulty.is_found(request).await;
    let headers = [("authorization", good.as_str())];
    let rule = Some("args.order_id == claims.order");
    faulty
        .is_found(Request { headers: &headers, why: rule, ..Request::new("/v1/orders/7", "denied_by_rule") })
        .await;
    // A certificate that nobody of ours has signed.
    faulty.is_found(Request::new("/v1/sealed?a=1&b=2", "no_instance")).await;
    let told = faulty.why(&["GET", "/v1/sealed?a=1&b=2"]).await;
    assert!(told.contains("it is not connected: ") && told.to_lowercase().contains("tls"), "{told}");
    // Tables with a mistake: the route that is missing stands in them.
    faulty.setup.write_routes("new.toml", "[[routes]]\nmatch = \"GET /v1/new\"\ncal = \"calc.add\"\n");
    assert_eq!(faulty.gateway.admin.post("/-/reload", "").await.status, 422);
    let refused = Some("the newest tables are refused");
    faulty.is_found(Request { why: refused, ..Request::new("/v1/new", "no_route") }).await;
    let told = faulty.why(&["GET", "/v1/new"]).await;
    assert!(told.contains("tables refused: the files have mistakes"), "{told}");
    // An instance that hangs.
    faulty.hangs.signal(Signal::SIGSTOP);
    let hangs = Request { is_foreseen: false, ..Request::new("/v1/hangs?a=1&b=2", "deadline") };
    faulty.is_found(hangs).await;
    let told = faulty.why(&["GET", "/v1/hangs?a=1&b=2"]).await;
    faulty.hangs.signal(Signal::SIGCONT);
    assert!(told.contains(&faulty.hangs.endpoint()), "{told}");
}
