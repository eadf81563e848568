//! A gateway with something of everything that dashboards show, and traffic on all of it; and a service with the SDK's own metrics.

use crate::collector::{Collector, Mood};
use crate::provider::{Provider, SigningKey, jwks};
use crate::tls::{Ca, TlsClient};
use crate::websocket::WebSocket;
use crate::{Backend, Gateway, Raw, Setup, eventually, free_port};
use callgate_sdk::layer::Metrics;
use callgate_sdk::{Client, Server, Status, service};
use serde_json::json;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// In a file of their own: the other one says who comes in where a route does not.
const AUTH: &str = r#"
[auth.keys]
type = "api_key"
file = "KEYS"

[auth.staff]
type = "jwt"
jwks = "JWKS"
algorithms = ["RS256"]
issuer = "https://id.example"
audience = "shop"
"#;

const TABLE: &str = r#"
auth = "anonymous"

[backends.shop]
endpoints = ["SHOP"]
adaptive = { when = "always", min = 10 }

[backends.gone]
endpoints = ["127.0.0.1:GONE"]
hold = "0s"

[backends.mortal]
endpoints = ["MORTAL"]

[[certificates]]
names = ["a.example"]
cert = "CERT"
key = "PRIVATE"

[[routes]]
match = "GET /add"
call = "calc.add"
backend = "shop"
retry = { hedge = "p90" }
rate_limit = { rate = "1000/s" }

[[routes]]
match = "GET /keyed"
call = "calc.add"
backend = "shop"
auth = "keys"

[[routes]]
match = "GET /staff"
call = "calc.add"
backend = "shop"
auth = "staff"

[[routes]]
match = "GET /gone"
call = "calc.add"
backend = "gone"

[[routes]]
match = "GET /fail/{code}"
call = "echo.fail"
backend = "shop"

[[routes]]
match = "GET /late/{ms}"
call = "echo.delay"
backend = "shop"
timeout = "1ms"

[[routes]]
match = "GET /held/{ms}"
call = "echo.delay"
backend = "shop"
max_in_flight = 1
timeout = "1h"

[[routes]]
match = "GET /count"
call = "echo.count"
backend = "shop"

[[routes]]
match = "GET /chat"
call = "echo.chat"
backend = "shop"
websocket = { messages = "text" }

[[routes]]
match = "POST /die"
call = "unruly.once"
backend = "mortal"
"#;

/// What the service in this process does.
#[service]
trait Metered {
    /// Does nothing.
    async fn work(&self) -> Result<(), Status>;

    /// Fails.
    async fn fail(&self) -> Result<(), Status>;
}

struct Works;

impl Metered for Works {
    async fn work(&self) -> Result<(), Status> {
        Ok(())
    }

    async fn fail(&self) -> Result<(), Status> {
        Err(Status::not_found("as it is told"))
    }
}

/// All of it, until it is dropped.
pub struct Live {
    /// The gateway.
    pub gateway: Gateway,
    /// Where the service's metrics are, at `/metrics`.
    pub service: SocketAddr,
    setup: Setup,
    tls: (SocketAddr, TlsClient),
    metered: MeteredClient,
    _held: (Raw, WebSocket),
    _backends: [Backend; 2],
    _collector: Collector,
    _provider: Provider,
    _tasks: JoinSet<()>,
}

impl Live {
    /// Starts it, and has all happen that happens once.
    pub async fn start() -> Live {
        let (ca, collector) = (Ca::new("a test's CA"), Collector::start(Mood::Well).await);
        let tls = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let setup = Setup::new()
            .workers(1)
            .section(&format!("[[listeners]]\nid = \"tls\"\naddress = \"{tls}\"\ntls = true\n"))
            .section(&format!("[traces]\nendpoint = {:?}\n", collector.url));
        let mut provider = Provider::new(&setup, "provider", None);
        let key = SigningKey::new(&setup, "one").await;
        provider.answers(&json!({ "status": 200, "body": jwks(&[&key]) }));
        provider.start().await;
        let backends = [setup.backend("shop"), setup.backend("unruly")];
        let (cert, private) = ca.server(&["a.example"]).write(setup.folder(), "a");
        let keys = setup.file("keys.toml");
        // The SHA-256 of `key`.
        let hash = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";
        std::fs::write(&keys, format!("[[key]]\nname = \"billing\"\nsha256 = \"{hash}\"\n"))
            .expect("it can be written");
        let table = TABLE
            .replace("SHOP", &backends[0].endpoint())
            .replace("MORTAL", &backends[1].endpoint())
            .replace("GONE", &free_port().to_string())
            .replace("CERT", &cert.display().to_string())
            .replace("PRIVATE", &private.display().to_string());
        setup.write_routes("live.toml", &table);
        let auth = AUTH.replace("KEYS", &keys.display().to_string()).replace("JWKS", &provider.url("/keys"));
        setup.write_routes("auth.toml", &auth);
        let gateway = setup.gateway().await;
        for backend in &backends {
            gateway.connected(backend).await;
        }
        let mut tasks = JoinSet::new();
        let (metered, service) = serve(&mut tasks).await;
        let mut held = Raw::connect(gateway.addr).await;
        held.write("GET /held/3600000 HTTP/1.1\r\nhost: x\r\n\r\n").await;
        eventually("a request that is held", async || {
            (gateway.metric("callgate_requests_in_flight", &[]).await > 0.0).then_some(())
        })
        .await;
        let open = WebSocket::connect(gateway.addr, "/chat").await;
        let die = gateway.client.send(
            "POST",
            "/die",
            &[("content-type", "application/json")],
            r#"{"how":"die","at":"*"}"#,
        );
        assert_eq!(die.await.status, 503);
        Live {
            gateway,
            service,
            setup,
            tls: (tls, TlsClient::new(&ca)),
            metered,
            _held: (held, open),
            _backends: backends,
            _collector: collector,
            _provider: provider,
            _tasks: tasks,
        }
    }

    /// Its files.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// A little of all traffic.
    pub async fn traffic(&self) {
        let client = &self.gateway.client;
        for (path, headers, status) in [
            ("/add?a=1&b=2", &[][..], 200),
            ("/keyed?a=1&b=2", &[("x-api-key", "key")], 200),
            ("/staff?a=1&b=2", &[("authorization", "Bearer a.b.c")], 401),
            ("/gone?a=1&b=2", &[], 503),
            ("/fail/not_found", &[], 404),
            ("/held/1", &[], 503),
            ("/count?from=1&to=3", &[], 200),
            ("/nowhere", &[], 404),
        ] {
            let answer = client.send("GET", path, headers, "").await;
            assert_eq!(answer.status, status, "{path}: {}", answer.text());
        }
        // So that the limit learns.
        for _ in 0..20 {
            client.get("/late/1000").await;
        }
        let (addr, tls) = &self.tls;
        let mut raw = tls.raw(*addr, "a.example").await;
        raw.write("GET /add?a=1&b=2 HTTP/1.1\r\nhost: a.example\r\n\r\n").await;
        assert_eq!(raw.status().await, 200);
        self.metered.work().await.expect("it works");
        self.metered.fail().await.expect_err("it fails");
    }
}

/// Serves the service and its metrics.
async fn serve(tasks: &mut JoinSet<()>) -> (MeteredClient, SocketAddr) {
    let (metrics, endpoint) = (Metrics::new(), format!("127.0.0.1:{}", free_port()));
    let server = Server::new().layer(metrics.clone()).service(MeteredServer::new(Works)).listen(&endpoint);
    tasks.spawn(async move { drop(server.run().await) });
    let client = Client::builder().endpoint(&endpoint).build().expect("an endpoint");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let addr = listener.local_addr().expect("an address");
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (mut asked, mut buffer) = (Vec::new(), [0; 4096]);
            while !asked.ends_with(b"\r\n\r\n") {
                match stream.read(&mut buffer).await {
                    Ok(n @ 1..) => asked.extend_from_slice(&buffer[..n]),
                    _ => break,
                }
            }
            let page = metrics.render();
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/plain; version=0.0.4\r\n";
            let reply = format!("{head}content-length: {}\r\n\r\n{page}", page.len());
            // One that has gone needs none.
            let _ = stream.write_all(reply.as_bytes()).await;
        }
    });
    (MeteredClient::new(client), addr)
}
