//! Who calls: an HTTP client of the gateway, or a caller by the SDK, which finds and judges the instances itself.

use crate::Failed;
use crate::client::{Client, judge};
use crate::probe::{Probe, ProbeClient};
use crate::tally::Outcome;
use callgate_sdk::Status;
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;

/// After so long an idempotent call that was not answered is sent to another instance too: some answer all but calls (`hang`).
const HEDGE_AFTER: Duration = Duration::from_secs(1);

/// Makes the calls. None is tried again by what stands here.
pub(crate) enum Caller {
    /// Through the gateway.
    Http(Client),
    /// Without it.
    Sdk(ProbeClient),
}

impl Caller {
    /// An HTTP client of the gateway.
    pub(crate) fn http(gateway: SocketAddr) -> Caller {
        Caller::Http(Client::new(gateway))
    }

    /// A caller by the SDK, of these instances.
    pub(crate) fn sdk(endpoints: &[String], timeout: Duration) -> Result<Caller, Failed> {
        let client = callgate_sdk::Client::builder().caller("chaos").timeout(timeout);
        let client = client.hedge_after(HEDGE_AFTER);
        let client = endpoints.iter().fold(client, |client, endpoint| client.endpoint(endpoint));
        Ok(Caller::Sdk(ProbeClient::new(client.build()?)))
    }

    /// The idempotent call.
    pub(crate) async fn lookup(&self, key: String, factor: u32) -> Outcome {
        let product = u64::from(factor) * 3;
        match self {
            Caller::Http(client) => {
                let path = format!("/lookup/{key}?factor={factor}");
                let answer = client.send("GET", &path, String::new()).await;
                judge(answer, &[("key", json!(key)), ("product", json!(product))])
            }
            Caller::Sdk(probe) => match probe.lookup(key.clone(), factor).await {
                Ok(found) if found.key == key && found.product == product => Outcome::Good,
                Ok(found) => Outcome::Wrong(format!("{}: {}", found.key, found.product)),
                Err(status) => failed(status),
            },
        }
    }

    /// The call that must not run twice.
    pub(crate) async fn count(&self, id: u64) -> Outcome {
        match self {
            Caller::Http(client) => {
                let answer = client.send("POST", "/count", json!({ "id": id }).to_string()).await;
                judge(answer, &[("id", json!(id))])
            }
            Caller::Sdk(probe) => match probe.count(id).await {
                Ok(counted) if counted.id == id => Outcome::Good,
                Ok(counted) => Outcome::Wrong(counted.id.to_string()),
                Err(status) => failed(status),
            },
        }
    }

    /// What its connections were like, as far as it can tell.
    pub(crate) fn connections(&self) -> String {
        match self {
            Caller::Http(client) => {
                let (connects, unsent) = (client.connects(), client.unsent());
                format!("{connects} made; {unsent} requests found theirs closed and went to another, unsent")
            }
            Caller::Sdk(_) => "the SDK's, one to each instance".to_owned(),
        }
    }
}

fn failed(status: Status) -> Outcome {
    Outcome::Error(status.code.name().to_owned(), status.message)
}
