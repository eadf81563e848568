//! A service that does what it is told to, so that tests can have an instance fail, hesitate or want no calls. Tests tell it
//! directly, not through the gateway.

use callgate_sdk::{Client, Context, Message, Status, service};
use serde::{Deserialize, Serialize};

/// How the instance behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Message)]
pub enum Mood {
    /// As it should.
    #[default]
    Well,
    /// Every call runs and fails with `unavailable`.
    Failing,
    /// Every call takes so many milliseconds longer.
    Slow(u32),
    /// Every call blocks its thread for so many milliseconds.
    Blocking(u32),
}

/// The service.
#[service]
pub trait Moody {
    /// Which process this is, unless its mood is against it.
    #[idempotent]
    async fn ask(&self, cx: &Context) -> Result<u32, Status>;

    /// How often it was asked.
    async fn asked(&self) -> Result<u64, Status>;

    /// How often it was asked by what says that it is a copy.
    async fn copied(&self) -> Result<u64, Status>;

    /// Has it behave so from now on.
    async fn be(&self, mood: Mood) -> Result<(), Status>;

    /// Has it say whether it wants calls.
    async fn set_ready(&self, ready: bool) -> Result<(), Status>;
}

/// Where an instance that listens on a loopback address takes orders: a server of its own, which wants calls even if the
/// instance does not.
pub fn orders(endpoint: &str) -> String {
    endpoint.replace("127.0.0.", "127.0.1.")
}

/// A way to one instance beside the gateway.
pub fn beside(endpoint: &str) -> MoodyClient {
    let client = Client::builder().endpoint(orders(endpoint)).build();
    MoodyClient::new(client.expect("an endpoint of the harness is well-formed"))
}
