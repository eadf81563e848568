//! pingora's own proxy before the service, as its quick start sets one up: a server, a proxy service and one peer. No TLS, no log.

use async_trait::async_trait;
use clap::Parser;
use pingora_core::Result;
use pingora_core::server::Server;
use pingora_core::server::configuration::ServerConf;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_proxy::{ProxyHttp, Session, http_proxy_service};
use std::net::SocketAddr;

/// Passes all requests on over HTTP/1.1, on connections that are kept.
#[derive(Parser)]
struct Options {
    /// Where to listen.
    #[arg(long)]
    listen: SocketAddr,
    /// The service that it stands before.
    #[arg(long)]
    upstream: SocketAddr,
    /// How many threads serve.
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

/// One service for all requests.
struct Proxy {
    upstream: SocketAddr,
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = ();

    fn new_ctx(&self) -> Self::CTX {}

    async fn upstream_peer(&self, _session: &mut Session, _ctx: &mut Self::CTX) -> Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.upstream, false, String::new())))
    }
}

fn main() {
    let options = Options::parse();
    let conf = ServerConf {
        threads: options.threads,
        // As many as nginx keeps.
        upstream_keepalive_pool_size: 1024,
        // It ends at once when it is told to; the default waits for five minutes.
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(0),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let mut proxy = http_proxy_service(&server.configuration, Proxy { upstream: options.upstream });
    proxy.add_tcp(&options.listen.to_string());
    server.add_service(proxy);
    server.run_forever();
}
