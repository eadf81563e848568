//! Tests of services without ports: a client that is connected to a server within the process.
//!
//! Everything is as between two processes, but for the socket: the client stub encodes a call, the server checks and decodes it,
//! deadlines and cancellation go along, and failures come back as a caller gets them.
//!
//! ```
//! use callgate_sdk::{Code, Server, Status, service, testing};
//!
//! #[service]
//! trait Greeter {
//!     async fn greet(&self, name: String) -> Result<String, Status>;
//! }
//!
//! struct Polite;
//!
//! impl Greeter for Polite {
//!     async fn greet(&self, name: String) -> Result<String, Status> {
//!         if name.is_empty() {
//!             return Err(Status::invalid_argument("who is there?"));
//!         }
//!         Ok(format!("Good morning, {name}"))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Status> {
//! let greeter = GreeterClient::new(testing::client(Server::new().service(GreeterServer::new(Polite))));
//! assert_eq!(greeter.greet("Ada".into()).await?, "Good morning, Ada");
//! assert_eq!(greeter.greet(String::new()).await.unwrap_err().code, Code::InvalidArgument);
//! # Ok(())
//! # }
//! ```

use crate::{Client, ClientBuilder, Handle, Server};

/// A client of a server that runs in this process. Addresses that the server was given are not opened. The server ends with the last
/// clone of the client.
///
/// # Panics
/// When the server cannot start, as [`Server::bind`] would say: two services of one name, for example. And outside a tokio
/// runtime.
#[track_caller]
pub fn client(server: Server) -> Client {
    connect(server, Client::builder()).0
}

/// The same with a client that is told more, as who it is and how long it waits; and with the server's [`Handle`], for tests of
/// readiness and of going down. Endpoints that the client was given are not called.
///
/// ```
/// use callgate_sdk::{Client, Code, Server, Status, service, testing};
/// use std::time::Duration;
///
/// #[service]
/// trait Clock {
///     async fn wait(&self, seconds: u64) -> Result<(), Status>;
/// }
///
/// struct Real;
///
/// impl Clock for Real {
///     async fn wait(&self, seconds: u64) -> Result<(), Status> {
///         tokio::time::sleep(Duration::from_secs(seconds)).await;
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Status> {
/// let server = Server::new().service(ClockServer::new(Real));
/// let builder = Client::builder().caller("billing").timeout(Duration::from_millis(50));
/// let (client, handle) = testing::connect(server, builder);
/// let clock = ClockClient::new(client);
/// clock.wait(0).await?;
/// assert_eq!(clock.wait(3600).await.unwrap_err().code, Code::DeadlineExceeded);
/// handle.drain();
/// # Ok(())
/// # }
/// ```
///
/// # Panics
/// As [`client`] does.
#[track_caller]
pub fn connect(server: Server, client: ClientBuilder) -> (Client, Handle) {
    let (bound, port) = match server.bind_in_memory() {
        Ok(bound) => bound,
        Err(error) => panic!("the server does not start: {error}"),
    };
    let handle = bound.handle();
    match client.build_in_memory(port, bound.serve()) {
        Ok(client) => (client, handle),
        Err(error) => panic!("the client does not start: {error}"),
    }
}
