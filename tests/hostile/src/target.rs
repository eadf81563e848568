//! The gateway that cases and floods meet: the shop's routes and some more, on a listener that speaks HTTP/2 without TLS, and on one with
//! TLS.

use crate::tls::Tls;
use callgate_tests::{Backend, Gateway, Setup, free_port};
use std::net::SocketAddr;

/// A fixed reply, one without a body, one that is larger than a window, a call that hangs, and one that gives back what it is given.
const ROUTES: &str = r#"
[[routes]]
match = "GET /up"
respond = { body = "up" }

[[routes]]
match = "GET /nothing"
respond = { status = 204 }

[[routes]]
match = "GET /big"
respond = { body = "BIG" }

[[routes]]
match = "GET /hang/{ms}"
call = "echo.delay"
backend = "shop"
timeout = "1h"

[[routes]]
match = "POST /echo"
call = "echo.json"
body = "doc"
backend = "shop"
"#;

/// A byte more than a window has, and as much as a fixed reply may.
const BIG: usize = 65_536;

/// A gateway with a backend.
pub struct Target {
    /// Its process.
    pub gateway: Gateway,
    /// Where it speaks HTTP/2 without TLS.
    pub http2: SocketAddr,
    /// Where it speaks TLS, and how a client does.
    pub https: SocketAddr,
    /// How a client does that.
    pub tls: Tls,
    _backend: Backend,
    _setup: Setup,
}

impl Target {
    /// Starts it with these lines of `[server]`, and waits until it serves.
    pub async fn start(server: &str) -> Target {
        let [http2, https] = [free_port(), free_port()].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let listeners = format!(
            "[[listeners]]\nid = \"http2\"\naddress = \"{http2}\"\nhttp2 = \"prior_knowledge\"\n\
             [[listeners]]\nid = \"https\"\naddress = \"{https}\"\ntls = true\n"
        );
        let setup = Setup::new().server(server).section(&listeners);
        let tls = Tls::make(&setup);
        let backend = setup.backend("shop");
        setup.write_shop(&[&backend]);
        setup.write_routes("more.toml", &ROUTES.replace("BIG", &"x".repeat(BIG)));
        let gateway = setup.gateway().await;
        gateway.connected(&backend).await;
        Target { gateway, http2, https, tls, _backend: backend, _setup: setup }
    }
}
