//! A service behind a gate: calls come in, and end when a test lets them; so that tests know how many run at once, and in
//! which order they came. Tests open the gate directly, not through the gateway.

use callgate_sdk::{Client, Status, service};

/// The service.
#[service]
pub trait Gate {
    /// Comes in under that name, and waits until it is let out.
    async fn enter(&self, name: String) -> Result<u32, Status>;

    /// Lets so many out, of those that are in or will be.
    async fn open(&self, calls: u32) -> Result<(), Status>;

    /// Who has come in so far, in order.
    async fn entered(&self) -> Result<Vec<String>, Status>;

    /// The most that were in at once.
    async fn most(&self) -> Result<u32, Status>;
}

/// A way to one instance beside the gateway.
pub fn beside(endpoint: &str) -> GateClient {
    let client = Client::builder().endpoint(endpoint).build();
    GateClient::new(client.expect("an endpoint of the harness is well-formed"))
}
