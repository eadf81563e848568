//! The one question that the system is asked: which addresses a name stands for.

use std::io;
use std::net::SocketAddr;

/// Who is asked.
#[derive(Clone, Debug)]
pub(crate) enum Resolve {
    /// The system: its file of hosts, its DNS servers, whatever it is set up with.
    System,
    /// A test.
    #[cfg(test)]
    Script(super::testing::Script),
}

impl Resolve {
    /// The addresses of a `host:port`, without a bound of its own.
    pub(crate) async fn lookup(&self, host_and_port: &str) -> io::Result<Vec<SocketAddr>> {
        match self {
            Resolve::System => Ok(tokio::net::lookup_host(host_and_port).await?.collect()),
            #[cfg(test)]
            Resolve::Script(script) => script.answer(),
        }
    }
}
