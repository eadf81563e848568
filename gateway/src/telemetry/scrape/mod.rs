//! A scrape: the counters added up and written as Prometheus reads them.

mod auth;
mod calls;
mod certificates;
mod changes;
mod failures;
mod front;
mod health;
mod http2;
mod limits;
mod notified;
mod overload;
mod requests;
mod retries;
mod streams;
mod traces;
mod upkeep;
mod websockets;

use super::auth::AuthScrape;
use super::fetches::FetchScrape;
use super::limits::LimitScrape;
use super::log::LogStats;
use super::names::{NameScrape, names};
use super::process::process;
use super::refused::RefusedConnections;
use super::retries::BackendStats;
use super::stats::{CertificateStats, EndpointStats, FrontStats, ReloadStats, RouteStats, UpgradeStats};
use super::tls::{TlsScrape, tls};
use super::traffic::{TrafficScrape, traffic};
use prometheus::{Encoder, TextEncoder};

/// All that a scrape shows, borrowed from where it is counted.
pub struct Scrape<'a> {
    /// The front's counters.
    pub front: &'a FrontStats,
    /// The listeners.
    pub listeners: Vec<ListenerScrape<'a>>,
    /// Those of them that speak TLS.
    pub tls: Vec<TlsScrape<'a>>,
    /// How many client connections there may be.
    pub max_connections: usize,
    /// Newcomers that were refused because there were as many.
    pub refused_connections: u64,
    /// What long answers take, in bytes.
    pub answer_memory: usize,
    /// The reloads' counters.
    pub reloads: &'a ReloadStats,
    /// Certificates in force: the first name, and when it expires, in seconds since 1970.
    pub certificates: Vec<(String, u64)>,
    /// Backends whose instances are shown a certificate, and when it expires.
    pub backend_certificates: Vec<(String, u64)>,
    /// Listeners that have lists of revoked certificates, and when the first of these is out of date.
    pub revoked: Vec<(String, u64)>,
    /// The certificates' counters.
    pub certificate_stats: &'a CertificateStats,
    /// The upgrades' counters.
    pub upgrades: &'a UpgradeStats,
    /// What the log has lost.
    pub log: &'a LogStats,
    /// What the access log has lost, where there is one.
    pub access_log: Option<&'a LogStats>,
    /// What has become of spans, where traces are on: how many, by its name.
    pub spans: Vec<(&'static str, u64)>,
    /// How often each task has panicked.
    pub panics: Vec<(&'static str, u64)>,
    /// The hash of the tables in force.
    pub table_hash: &'a str,
    /// Routes that no call can be made of, by what is wrong with them.
    pub unfit: [(&'static str, usize); 2],
    /// Routes: template, method, counters.
    pub routes: Vec<(&'a str, &'static str, &'a RouteStats)>,
    /// The rate limits of all routes.
    pub limits: Vec<LimitScrape<'a>>,
    /// The authenticators.
    pub authenticators: Vec<AuthScrape<'a>>,
    /// The keys that authenticators fetch.
    pub fetches: Vec<FetchScrape<'a>>,
    /// Rewrites: template, method, requests.
    pub rewrites: Vec<(&'a str, &'static str, u64)>,
    /// How much the calls of each of these matter.
    pub priorities: Vec<&'static str>,
    /// The routes whose calls do not just go to their backend.
    pub traffic: Vec<TrafficScrape<'a>>,
    /// Backends: name, counters.
    pub backends: Vec<(&'a str, &'a BackendStats)>,
    /// For each of these its adaptive limit, while that is in force.
    pub concurrency_limits: Vec<Option<usize>>,
    /// The endpoints of all backends.
    pub endpoints: Vec<EndpointScrape<'a>>,
    /// The names that are looked up.
    pub names: Vec<NameScrape<'a>>,
}

/// What a scrape shows of a listener.
pub struct ListenerScrape<'a> {
    /// Its id.
    pub id: &'a str,
    /// The connections that it has handed to a worker.
    pub accepted: u64,
    /// Those that it has turned away.
    pub refused: &'a RefusedConnections,
}

/// What a scrape shows of an endpoint.
pub struct EndpointScrape<'a> {
    /// The backend's name.
    pub backend: &'a str,
    /// Where it is.
    pub address: String,
    /// No new calls go to it.
    pub draining: bool,
    /// Its counters.
    pub stats: &'a EndpointStats,
}

/// The text of a scrape, in the Prometheus text format 0.0.4.
pub fn render(scrape: &Scrape<'_>) -> String {
    let mut families = Vec::new();
    requests::requests(scrape, &mut families);
    streams::streams(scrape, &mut families);
    notified::notified(scrape, &mut families);
    websockets::websockets(scrape, &mut families);
    failures::failures(scrape, &mut families);
    limits::limits(scrape, &mut families);
    auth::auth(scrape, &mut families);
    traffic(&scrape.traffic, &mut families);
    calls::calls(scrape, &mut families);
    health::health(scrape, &mut families);
    retries::retries(scrape, &mut families);
    names(&scrape.names, &mut families);
    overload::overload(scrape, &mut families);
    front::front(scrape, &mut families);
    tls(&scrape.tls, &mut families);
    http2::http2(scrape.front, &mut families);
    changes::reloads(scrape, &mut families);
    changes::upgrades(scrape, &mut families);
    certificates::certificates(scrape, &mut families);
    upkeep::upkeep(scrape, &mut families);
    traces::traces(scrape, &mut families);
    process(&mut families);
    families.retain(|family| !family.get_metric().is_empty());
    let mut text = Vec::new();
    // Writing to memory fails for families without metrics only, and those were taken out.
    if let Err(error) = TextEncoder::new().encode(&families, &mut text) {
        tracing::error!(%error, "the metrics cannot be written");
    }
    String::from_utf8_lossy(&text).into_owned()
}
