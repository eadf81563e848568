//! A service that says who calls it: for the tests of TLS and tokens inside.

use callgate_sdk::{Context, Message, Status, service};
use serde::{Deserialize, Serialize};

/// Who has made a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Caller {
    /// Where it comes from.
    pub address: String,
    /// The subject of the certificate that it has shown.
    pub certificate: Option<String>,
    /// The DNS names of that.
    pub names: Vec<String>,
    /// Whose request it serves, as the gateway says by the certificate of its client.
    pub client: Option<String>,
}

/// The service.
#[service]
pub trait Sealed {
    /// Says who has made this call.
    #[idempotent]
    async fn caller(&self, cx: &Context) -> Result<Caller, Status>;
}

/// Says what it knows.
#[derive(Debug)]
pub struct Porter;

impl Sealed for Porter {
    async fn caller(&self, cx: &Context) -> Result<Caller, Status> {
        let peer = cx.peer().ok_or_else(|| Status::internal("nobody has called"))?;
        let shown = peer.certificate();
        Ok(Caller {
            address: peer.address().to_owned(),
            certificate: shown.map(|shown| shown.subject().to_owned()),
            names: shown.map(|shown| shown.dns_names().to_vec()).unwrap_or_default(),
            client: cx.metadata("client-subject").map(str::to_owned),
        })
    }
}
