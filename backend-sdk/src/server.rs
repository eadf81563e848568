//! Stand-in for the runtime's server, with the methods that a backend calls.

use crate::service::Dispatch;
use std::fmt;

/// Offers services.
#[derive(Debug, Default)]
pub struct Server(());

/// Why a server does not serve.
#[derive(Debug)]
pub struct ServerError(());

impl Server {
    /// A server without services.
    pub fn new() -> Server {
        Server::default()
    }

    /// Offers a service.
    pub fn service(self, _service: impl Dispatch) -> Server {
        self
    }

    /// Listens there.
    pub fn listen(self, _address: impl Into<String>) -> Server {
        self
    }

    /// Serves until a signal comes.
    pub async fn run(self) -> Result<(), ServerError> {
        Err(ServerError(()))
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("under construction")
    }
}

impl std::error::Error for ServerError {}
