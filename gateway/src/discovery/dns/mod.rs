//! The sources that ask DNS servers: for the addresses of a host (`dns:host:port`), and for the instances of a service
//! (`srv:name`).
//!
//! ```text
//! host      what the answers for one host come to
//! service   what the records of a service come to, and the answers for the hosts that they name
//! ask       the questions
//! ```

mod ask;
mod host;
mod service;

pub(super) use ask::Asker;

use super::{Listed, Report, Source};
use crate::config::DnsSettings;
use host::Host;
use service::Service;
use std::sync::Arc;
use tokio::time::Instant;

/// The most instances of one name that are used. Each has a connection from every worker.
const MAX_LISTED: usize = 256;

/// Asks for one host.
pub(super) struct Hosts {
    name: String,
    known: Host,
    asker: Arc<Asker>,
    settings: DnsSettings,
}

impl Hosts {
    /// Of that host, of which so much was known before.
    pub(super) fn of(name: &str, known: &[Listed], asker: Arc<Asker>, settings: &DnsSettings) -> Hosts {
        let known = Host::known(known.iter().map(|one| one.ip).collect());
        Hosts { name: name.to_owned(), known, asker, settings: settings.clone() }
    }
}

impl Source for Hosts {
    async fn ask(&mut self) -> Report {
        let answers = self.asker.addresses(&self.name).await;
        self.known.hear(answers, Instant::now(), &self.settings)
    }
}

/// Asks for one service.
pub(super) struct Services {
    name: String,
    known: Service,
    asker: Arc<Asker>,
    settings: DnsSettings,
}

impl Services {
    /// Of that service, of which so much was known before.
    pub(super) fn of(name: &str, known: &[Listed], asker: Arc<Asker>, settings: &DnsSettings) -> Services {
        let known = Service::known(known.to_vec());
        Services { name: name.to_owned(), known, asker, settings: settings.clone() }
    }
}

impl Source for Services {
    async fn ask(&mut self) -> Report {
        let (records, hosts) = self.asker.service(&self.name).await;
        self.known.hear(records, hosts, Instant::now(), &self.settings)
    }
}
