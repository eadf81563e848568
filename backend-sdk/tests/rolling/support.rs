//! Running instances of either version, and clients of them.

use crate::{earlier, later};
use callgate_sdk::{Client, Handle, Server};
use std::future::Future;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Longer than anything here takes; a test that waits for so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("happens soon")
}

pub(crate) fn earlier() -> Server {
    Server::new().service(earlier::LedgerServer::new(earlier::Book))
}

pub(crate) fn later() -> Server {
    Server::new().service(later::LedgerServer::new(later::Book))
}

/// A running instance.
pub(crate) struct Instance {
    pub(crate) address: String,
    handle: Handle,
    task: JoinHandle<()>,
}

impl Instance {
    pub(crate) async fn run(server: Server) -> Instance {
        Instance::run_at(server, "127.0.0.1:0").await
    }

    async fn run_at(server: Server, address: &str) -> Instance {
        let bound = server.listen(address).bind().await.expect("the address is free");
        Instance {
            address: bound.addresses()[0].to_string(),
            handle: bound.handle(),
            task: tokio::spawn(bound.serve()),
        }
    }

    /// Drains, ends, and begins again at the same address as another version.
    pub(crate) async fn replace(&mut self, server: Server) {
        self.handle.drain();
        soon(&mut self.task).await.expect("the server does not panic");
        *self = Instance::run_at(server, &self.address).await;
    }
}

pub(crate) fn client<'a>(instances: impl IntoIterator<Item = &'a Instance>) -> Client {
    let builder = instances.into_iter().fold(Client::builder(), |b, one| b.endpoint(&one.address));
    builder.timeout(PATIENCE).build().expect("the addresses are well-formed")
}
