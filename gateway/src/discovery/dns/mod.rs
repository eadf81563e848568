//! The source that asks DNS servers, for names that endpoints give as `dns:host:port`.
//!
//! ```text
//! host      what the answers for one host come to
//! ask       the questions
//! ```

mod ask;
mod host;

pub(super) use ask::Asker;

use super::{Listed, Report, Source};
use crate::config::DnsSettings;
use host::Host;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::time::Instant;

/// The most instances of one name that are used. Each has a connection from every worker.
const MAX_LISTED: usize = 256;

/// The addresses of one host.
pub(super) struct Addresses {
    name: String,
    known: Host,
    asker: Arc<Asker>,
    settings: DnsSettings,
}

impl Addresses {
    /// Of that host, of which so much was known before.
    pub(super) fn of(name: &str, known: &[Listed], asker: Arc<Asker>, settings: &DnsSettings) -> Addresses {
        let known: Vec<IpAddr> = known.iter().map(|one| one.ip).collect();
        Addresses { name: name.to_owned(), known: Host::known(known), asker, settings: settings.clone() }
    }
}

impl Source for Addresses {
    async fn ask(&mut self) -> Report {
        let answers = self.asker.addresses(&self.name).await;
        self.known.hear(answers, Instant::now(), &self.settings)
    }
}
