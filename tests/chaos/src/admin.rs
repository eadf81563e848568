//! The gateway's admin port, as far as the rig asks it.

use crate::Failed;
use crate::client::Client;
use serde_json::Value;
use std::net::SocketAddr;

/// How one endpoint stands, all workers together.
#[derive(Clone, Debug, Default)]
pub(crate) struct EndpointState {
    /// Connections that are open.
    pub(crate) connections: u64,
    /// Calls sent to it so far, whatever became of them.
    pub(crate) calls: u64,
    /// Attempts to connect so far.
    pub(crate) connects: u64,
}

/// Asks the gateway's admin port. Makes a connection for each question, as the process behind it may change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admin(pub(crate) SocketAddr);

impl Admin {
    /// Whether the gateway is ready.
    pub(crate) async fn is_ready(self) -> bool {
        matches!(self.ask("GET", "/readyz").await, Ok((200, _)))
    }

    /// Has the tables read again; an error when they are refused.
    pub(crate) async fn reload(self) -> Result<(), Failed> {
        match self.ask("POST", "/-/reload").await? {
            (200, _) => Ok(()),
            (status, text) => Err(format!("the tables are refused: {status}: {text}").into()),
        }
    }

    /// How the endpoint at that address stands.
    pub(crate) async fn endpoint(self, address: &str) -> Result<EndpointState, Failed> {
        let page: Value = serde_json::from_str(&self.ask("GET", "/backends").await?.1)?;
        let backends = page["backends"].as_array().into_iter().flatten();
        let mut endpoints = backends.filter_map(|backend| backend["endpoints"].as_array()).flatten();
        let Some(found) = endpoints.find(|endpoint| endpoint["address"] == address) else {
            return Ok(EndpointState::default());
        };
        let number = |name: &str| found[name].as_u64().unwrap_or_default();
        let ended = found["calls"].as_object().into_iter().flat_map(|calls| calls.values());
        let ended: u64 = ended.filter_map(Value::as_u64).sum();
        Ok(EndpointState {
            connections: number("connections"),
            calls: ended + number("calls_in_flight"),
            connects: number("connects") + number("connect_failures"),
        })
    }

    /// A metric, summed over its samples.
    pub(crate) async fn metric(self, name: &str) -> Result<f64, Failed> {
        let text = self.ask("GET", "/metrics").await?.1;
        let samples =
            text.lines().filter(|line| line.strip_prefix(name).is_some_and(|l| l.starts_with(['{', ' '])));
        Ok(samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }

    async fn ask(self, method: &str, path: &str) -> Result<(u16, String), Failed> {
        let (status, body) = Client::new(self.0).send(method, path, String::new()).await?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}
