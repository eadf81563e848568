//! Twelve faults of the kind that people look for: each is made, a request runs into it, and whoever wants to shows that it is found.
//!
//! What finds it is not known here. So the log, the admin port, `callgate why` and the page for browsers are asked about the same faults.

use crate::tls::Ca;
use crate::tokens::{token, write};
use crate::{Answer, Backend, Gateway, Raw, Setup, eventually, free_port};
use nix::sys::signal::Signal;
use serde_json::json;

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
endpoints = ["SEALED"]
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
call = "sealed.caller"
backend = "sealed"
auth = "anonymous"
"#;

/// Where the gateway's standard output goes.
const ACCESS_LOG: &str = "access.log";

/// A gateway in front of instances, of which something is wrong with some.
pub struct Faults {
    setup: Setup,
    /// The gateway.
    pub gateway: Gateway,
    hangs: Backend,
    _others: [Backend; 3],
}

/// A request that has run into a fault.
#[derive(Clone, Copy, Debug)]
pub struct Fault<'r> {
    /// What is wrong.
    pub name: &'static str,
    /// The path that was asked for, by GET.
    pub path: &'r str,
    /// What the route is called, or the path where there is none.
    pub route: &'r str,
    /// What came along.
    pub headers: &'r [(&'r str, &'r str)],
    /// The reason, by its name.
    pub reason: &'static str,
    /// What more is said of it, where something is.
    pub why: Option<&'r str>,
    /// Whether somebody who asks before finds the same. A method that is slow is only found when it was called.
    pub is_foreseen: bool,
    /// What somebody hears as well who asks before.
    pub told: &'r [&'r str],
}

impl<'r> Fault<'r> {
    fn new(name: &'static str, path: &'r str, reason: &'static str) -> Fault<'r> {
        let route = path.split('?').next().unwrap_or(path);
        Fault { name, path, route, headers: &[], reason, why: None, is_foreseen: true, told: &[] }
    }
}

impl Faults {
    /// Starts all of it, and waits until those are connected that can be.
    pub async fn start() -> Faults {
        let folder = Setup::new();
        let out = folder.file(ACCESS_LOG).display().to_string();
        let setup = folder.script(&format!("exec >>'{out}'"));
        let (shop, next) = (setup.backend("shop"), setup.backend("shop-next"));
        let hangs = setup.backend("shop");
        let secret = write(&setup, "secret", "a secret of the tests, 32 bytes!\n");
        let ca = write(&setup, "ca.pem", Ca::new("another").pem());
        let (cert, key) = Ca::new("its own").server(&["shop.example"]).write(setup.folder(), "sealed");
        let [cert, key] = [cert, key].map(|file| file.display().to_string());
        let at = format!("127.0.0.1:{}", free_port());
        let sealed = setup.backend_told("sealed", at, &["--cert", &cert, "--key", &key]);
        let table = TABLE
            .replace("SHOP", &shop.endpoint())
            .replace("NEXT", &next.endpoint())
            .replace("SEALED", &sealed.endpoint())
            .replace("HANGS", &hangs.endpoint())
            .replace("GONE", &free_port().to_string())
            .replace("SECRET", &secret.display().to_string())
            .replace("CA", &ca.display().to_string());
        setup.write_routes("shop.toml", &table);
        let gateway = setup.gateway().await;
        for backend in [&shop, &next, &hangs] {
            gateway.connected(backend).await;
        }
        for backend in ["down", "sealed"] {
            eventually("a connection that has failed", async || {
                let page = gateway.admin.get(&format!("/backends?backend={backend}")).await.json();
                let error = page["backends"][0]["endpoints"][0]["error"].as_str()?.to_owned();
                // Before it listens, that cannot be connected to either.
                (backend == "down" || error.contains("certificate")).then_some(())
            })
            .await;
        }
        Faults { setup, gateway, hangs, _others: [shop, next, sealed] }
    }

    /// What it was started with.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The lines of its access log so far.
    pub fn access_log(&self) -> String {
        std::fs::read_to_string(self.setup.file(ACCESS_LOG)).unwrap_or_default()
    }

    /// Makes the faults one after the other. Each is there as long as `look` looks at it, with the answer of the request that has met it.
    pub async fn each(&self, mut look: impl AsyncFnMut(Fault<'_>, &Answer)) {
        let mut met = async |fault: Fault<'_>| {
            let answer = self.gateway.client.send("GET", fault.path, fault.headers, "").await;
            assert_eq!(answer.json()["reason"], fault.reason, "{}: {}", fault.name, answer.text());
            look(fault, &answer).await;
        };
        let wrong = Fault::new("a wrong field", "/v1/add?a=x&b=1", "invalid_value");
        met(Fault { why: Some("/a"), ..wrong }).await;
        met(Fault::new("an unknown route", "/v1/none", "no_route")).await;
        let missing = Fault::new("a method that one version lacks", "/v1/next/7", "not_offered");
        met(Fault { route: "/v1/next/{order_id}", ..missing }).await;
        let down = Fault::new("a backend that is down", "/v1/down?a=1&b=2", "no_instance");
        met(Fault { why: Some("Connection refused"), ..down }).await;
        let slow = Fault::new("a method that is slow", "/v1/slow/5000", "deadline");
        met(Fault { route: "/v1/slow/{ms}", is_foreseen: false, ..slow }).await;
        let held = self.hold().await;
        let sheds = Fault::new("a route that sheds", "/v1/shed/1", "shed_route");
        met(Fault { route: "/v1/shed/{ms}", ..sheds }).await;
        drop(held);
        assert_eq!(self.gateway.client.get("/v1/limited?a=1&b=2").await.status, 200);
        met(Fault::new("a limit that is used up", "/v1/limited?a=1&b=2", "rate_limited")).await;
        let secret = self.setup.file("secret");
        let claims = |exp: u64| json!({ "sub": "ada", "iss": "https://id.example", "aud": "orders", "exp": exp, "order": "8" });
        let expired = token("HS256", &secret, claims(1_000_000_000)).await;
        let good = token("HS256", &secret, claims(4_102_444_800)).await;
        let order = |name, reason| Fault {
            route: "/v1/orders/{order_id}",
            ..Fault::new(name, "/v1/orders/7", reason)
        };
        let headers = [("authorization", expired.as_str())];
        let fault = order("a token that has expired", "bad_credentials");
        met(Fault { headers: &headers, why: Some("expired"), ..fault }).await;
        let headers = [("authorization", good.as_str())];
        let why = Some("args.order_id == claims.order");
        met(Fault { headers: &headers, why, ..order("a rule that denies", "denied_by_rule") }).await;
        let sealed = Fault::new("a certificate that nobody vouches for", "/v1/sealed", "no_instance");
        met(Fault { why: Some("certificate"), told: &["it is not connected: ", "certificate"], ..sealed })
            .await;
        // The route that is missing stands in tables that have a mistake.
        self.setup.write_routes("new.toml", "[[routes]]\nmatch = \"GET /v1/new\"\ncal = \"calc.add\"\n");
        assert_eq!(self.gateway.admin.post("/-/reload", "").await.status, 422);
        let refused = Fault::new("tables with a mistake", "/v1/new", "no_route");
        let (why, told) =
            (Some("the newest tables are refused"), ["tables refused: the files have mistakes"]);
        met(Fault { why, told: &told, ..refused }).await;
        self.hangs.signal(Signal::SIGSTOP);
        let hangs = Fault::new("an instance that hangs", "/v1/hangs?a=1&b=2", "deadline");
        met(Fault { is_foreseen: false, told: &[&self.hangs.endpoint()], ..hangs }).await;
        self.hangs.signal(Signal::SIGCONT);
    }
    /// A request that takes all the room of its route, as long as it is open.
    async fn hold(&self) -> Raw {
        let mut held = Raw::connect(self.gateway.addr).await;
        held.write("GET /v1/shed/60000 HTTP/1.1\r\nhost: x\r\n\r\n").await;
        eventually("a request in flight", async || {
            (self.gateway.metric("callgate_requests_in_flight", &[]).await > 0.0).then_some(())
        })
        .await;
        held
    }
}
