//! A scrape: the counters added up and written as Prometheus reads them.

use super::failures::failures;
use super::families::{COUNTER, GAUGE, HISTOGRAM, counter, family, gauge, histogram};
use super::health::{Disconnect, EjectionReason, Standing};
use super::limits::{LimitScrape, limits};
use super::log::LogStats;
use super::names::{NameScrape, names};
use super::process::process;
use super::retries::BackendStats;
use super::stats::{EndpointStats, FrontStats, ReloadStats, RouteStats, UpgradeStats};
use super::traffic::{TrafficScrape, traffic};
use super::upkeep::upkeep;
use prometheus::proto::MetricFamily;
use prometheus::{Encoder, TextEncoder};

/// All that a scrape shows, borrowed from where it is counted.
pub struct Scrape<'a> {
    /// The front's counters.
    pub front: &'a FrontStats,
    /// Listeners: id, connections.
    pub listeners: Vec<(&'a str, u64)>,
    /// How many client connections there may be.
    pub max_connections: usize,
    /// Newcomers that were refused because there were as many.
    pub refused_connections: u64,
    /// What long answers take, in bytes.
    pub answer_memory: usize,
    /// The reloads' counters.
    pub reloads: &'a ReloadStats,
    /// The upgrades' counters.
    pub upgrades: &'a UpgradeStats,
    /// What the log has lost.
    pub log: &'a LogStats,
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
    requests(scrape, &mut families);
    failures(scrape, &mut families);
    limits(scrape, &mut families);
    traffic(&scrape.traffic, &mut families);
    calls(scrape, &mut families);
    health(scrape, &mut families);
    retries(scrape, &mut families);
    names(&scrape.names, &mut families);
    super::overload::scrape(scrape, &mut families);
    front(scrape, &mut families);
    reloads(scrape, &mut families);
    upgrades(scrape, &mut families);
    upkeep(scrape, &mut families);
    process(&mut families);
    families.retain(|family| !family.get_metric().is_empty());
    let mut text = Vec::new();
    // Writing to memory fails for families without metrics only, and those were taken out.
    if let Err(error) = TextEncoder::new().encode(&families, &mut text) {
        tracing::error!(%error, "the metrics cannot be written");
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn requests(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    // Requests that no route matched have no method of the tables to name.
    let unmatched = ("none", "none", &scrape.front.unmatched);
    let all: Vec<_> = scrape.routes.iter().copied().chain([unmatched]).collect();
    let mut by_status =
        family("callgate_requests_total", "Requests answered, by route, method and status.", COUNTER);
    let mut durations =
        family("callgate_request_duration_seconds", "Time from the request's head to the answer.", HISTOGRAM);
    let mut transcoding = family(
        "callgate_transcoding_errors_total",
        "Requests (direction=request) and replies (direction=reply) that did not fit the method's schema.",
        COUNTER,
    );
    for (route, method, stats) in all {
        let labels = [("route", route), ("method", method)];
        for (status, n) in stats.by_status() {
            let status = status.to_string();
            counter(&mut by_status, &[labels[0], labels[1], ("status", &status)], n as f64);
        }
        if let Some(metric) = histogram(&labels, stats.0.iter().map(|one| &one.duration)) {
            durations.mut_metric().push(metric);
        }
        let errors = [
            ("request", stats.0.sum(|one| &one.bad_requests)),
            ("reply", stats.0.sum(|one| &one.bad_replies)),
        ];
        for (direction, n) in errors.into_iter().filter(|(_, n)| *n > 0) {
            counter(&mut transcoding, &[labels[0], labels[1], ("direction", direction)], n as f64);
        }
    }
    let mut rewrites = family(
        "callgate_rewrites_total",
        "Requests that a route has sent to another one, which counts their answers.",
        COUNTER,
    );
    for (route, method, n) in &scrape.rewrites {
        counter(&mut rewrites, &[("route", *route), ("method", *method)], *n as f64);
    }
    families.extend([by_status, durations, transcoding, rewrites]);
}

fn calls(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let mut outcomes = family(
        "callgate_calls_total",
        "Calls to backends that ended, by outcome: ok, a canonical code, refused or lost.",
        COUNTER,
    );
    let mut in_flight =
        family("callgate_calls_in_flight", "Calls that were sent and not yet answered.", GAUGE);
    let mut connections =
        family("callgate_backend_connections", "Connections to the endpoint, of all workers.", GAUGE);
    let mut connects = family("callgate_backend_connects_total", "Attempts to connect, by outcome.", COUNTER);
    let mut draining = family(
        "callgate_endpoint_draining",
        "1 while no new calls go to the endpoint, by the table's or an operator's word.",
        GAUGE,
    );
    for EndpointScrape { backend, address, draining: drains, stats } in &scrape.endpoints {
        let labels = [("backend", *backend), ("endpoint", address.as_str())];
        gauge(&mut draining, &labels, f64::from(u8::from(*drains)));
        for (outcome, n) in stats.outcomes() {
            counter(&mut outcomes, &[labels[0], labels[1], ("outcome", outcome)], n as f64);
        }
        gauge(&mut in_flight, &labels, stats.0.sum(|one| &one.in_flight) as f64);
        gauge(&mut connections, &labels, stats.0.sum(|one| &one.connections) as f64);
        let attempts =
            [("ok", stats.0.sum(|one| &one.connects)), ("failed", stats.0.sum(|one| &one.connect_failures))];
        for (outcome, n) in attempts {
            counter(&mut connects, &[labels[0], labels[1], ("outcome", outcome)], n as f64);
        }
    }
    families.extend([outcomes, in_flight, connections, connects, draining]);
}

fn health(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let mut states = family("callgate_endpoint_state", "In how many workers the endpoint stands so.", GAUGE);
    let mut latencies = family(
        "callgate_endpoint_latency_seconds",
        "The moving average of the endpoint's answers, mean of the workers.",
        GAUGE,
    );
    let mut ejections = family(
        "callgate_ejections_total",
        "Times that the endpoint was left for failing or being slow.",
        COUNTER,
    );
    let mut recoveries =
        family("callgate_recoveries_total", "Times that the endpoint was found well again.", COUNTER);
    let mut last_resorts = family(
        "callgate_last_resort_calls_total",
        "Calls given to the endpoint though it was ejected or silent, because there was no other.",
        COUNTER,
    );
    let mut disconnects =
        family("callgate_backend_disconnects_total", "Connections that ended, by reason.", COUNTER);
    for EndpointScrape { backend, address, stats, .. } in &scrape.endpoints {
        let labels = [("backend", *backend), ("endpoint", address.as_str())];
        for state in Standing::ALL {
            let value = stats.standing_with(*state) as f64;
            gauge(&mut states, &[labels[0], labels[1], ("state", state.name())], value);
        }
        if let Some(latency) = stats.latency() {
            gauge(&mut latencies, &labels, latency);
        }
        for reason in EjectionReason::ALL {
            let n = stats.ejections(*reason) as f64;
            counter(&mut ejections, &[labels[0], labels[1], ("reason", reason.name())], n);
        }
        counter(&mut recoveries, &labels, stats.0.sum(|one| &one.health.recoveries) as f64);
        counter(&mut last_resorts, &labels, stats.0.sum(|one| &one.health.last_resorts) as f64);
        for why in Disconnect::ALL {
            let n = stats.disconnects(*why) as f64;
            counter(&mut disconnects, &[labels[0], labels[1], ("reason", why.name())], n);
        }
    }
    families.extend([states, latencies, ejections, recoveries, last_resorts, disconnects]);
}

fn retries(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let mut again =
        family("callgate_retries_total", "Calls that were sent again, by what had failed.", COUNTER);
    let mut exhausted = family(
        "callgate_retry_budget_exhausted_total",
        "Failures that were not retried because the backend's retry budget was used up.",
        COUNTER,
    );
    let mut hedges = family(
        "callgate_hedges_total",
        "Calls whose first try was slow: which try answered, or that no second one was sent.",
        COUNTER,
    );
    let mut held = family("callgate_calls_held", "Calls that wait for an instance.", GAUGE);
    let mut holds =
        family("callgate_held_calls_total", "Calls that waited for an instance, by how that ended.", COUNTER);
    let mut diverted = family(
        "callgate_calls_diverted_total",
        "Calls that went elsewhere than if all were well: out of the zone, or not to their key's instance.",
        COUNTER,
    );
    for (name, stats) in &scrape.backends {
        let backend = ("backend", *name);
        stats.diverted().for_each(|(why, n)| counter(&mut diverted, &[backend, ("reason", why)], n as f64));
        stats.retries().for_each(|(reason, n)| counter(&mut again, &[backend, ("reason", reason)], n as f64));
        stats
            .hedges()
            .for_each(|(outcome, n)| counter(&mut hedges, &[backend, ("outcome", outcome)], n as f64));
        stats
            .holds()
            .for_each(|(outcome, n)| counter(&mut holds, &[backend, ("outcome", outcome)], n as f64));
        counter(&mut exhausted, &[backend], stats.0.sum(|one| &one.budget_exhausted) as f64);
        gauge(&mut held, &[backend], stats.0.sum(|one| &one.held) as f64);
    }
    families.extend([again, exhausted, hedges, held, holds, diverted]);
}

fn front(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let workers = &scrape.front.workers;
    let mut open = family("callgate_connections_open", "Open client connections.", GAUGE);
    gauge(&mut open, &[], workers.sum(|one| &one.connections) as f64);
    let mut accepted = family("callgate_connections_total", "Client connections accepted.", COUNTER);
    counter(&mut accepted, &[], workers.sum(|one| &one.accepted) as f64);
    let mut by_listener = family(
        "callgate_listener_connections_total",
        "Client connections accepted, by the listener that they came by.",
        COUNTER,
    );
    for (id, n) in &scrape.listeners {
        counter(&mut by_listener, &[("listener", id)], *n as f64);
    }
    let mut most = family("callgate_max_connections", "Client connections that there may be.", GAUGE);
    gauge(&mut most, &[], scrape.max_connections as f64);
    let mut evicted = family(
        "callgate_connections_evicted_total",
        "Idle client connections closed because there was no room for a new one.",
        COUNTER,
    );
    counter(&mut evicted, &[], workers.sum(|one| &one.evicted) as f64);
    let mut refused = family(
        "callgate_connections_refused_total",
        "New client connections answered 503 and closed because there was no room and none was idle.",
        COUNTER,
    );
    counter(&mut refused, &[], scrape.refused_connections as f64);
    let mut closing = family(
        "callgate_closing_answers_total",
        "Answers with Connection: close because room for connections was short.",
        COUNTER,
    );
    counter(&mut closing, &[], workers.sum(|one| &one.told_to_close) as f64);
    let mut in_flight = family("callgate_requests_in_flight", "Requests being answered.", GAUGE);
    gauge(&mut in_flight, &[], workers.sum(|one| &one.in_flight) as f64);
    let mut slow = family(
        "callgate_slow_clients_total",
        "Client connections ended because the client took its answer more slowly than min_send_rate.",
        COUNTER,
    );
    counter(&mut slow, &[], workers.sum(|one| &one.slow_clients) as f64);
    let mut answers = family(
        "callgate_answer_memory_bytes",
        "What long answers, and the replies that they are made from, take of max_answer_memory.",
        GAUGE,
    );
    gauge(&mut answers, &[], scrape.answer_memory as f64);
    families.extend([open, accepted, by_listener, most, evicted, refused, closing, in_flight, slow, answers]);
}

fn reloads(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let stats = scrape.reloads;
    let mut total = family(
        "callgate_reloads_total",
        "Reloads of the tables, by outcome: ok, failed, unchanged, or waited.",
        COUNTER,
    );
    let outcomes = [
        ("ok", &stats.succeeded),
        ("failed", &stats.failed),
        ("unchanged", &stats.unchanged),
        ("waited", &stats.waited),
    ];
    for (outcome, n) in outcomes {
        counter(&mut total, &[("outcome", outcome)], n.get() as f64);
    }
    let mut taken =
        family("callgate_tables_taken_timestamp_seconds", "When the tables in force were taken.", GAUGE);
    gauge(&mut taken, &[], stats.taken_at.get() as f64);
    let mut hash = family("callgate_tables_info", "The hash of the tables in force.", GAUGE);
    gauge(&mut hash, &[("hash", scrape.table_hash)], 1.0);
    let mut build = family("callgate_build_info", "The version that runs.", GAUGE);
    gauge(&mut build, &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    let mut unfit = family(
        "callgate_routes_unfit",
        "Routes that no call can be made of: whose method no instance offers, or whose fields do not fit an instance.",
        GAUGE,
    );
    for (reason, n) in scrape.unfit {
        gauge(&mut unfit, &[("reason", reason)], n as f64);
    }
    families.extend([total, taken, hash, build, unfit]);
}

fn upgrades(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let stats = scrape.upgrades;
    let mut total = family(
        "callgate_upgrades_total",
        "Upgrades in place since the first process was started, by outcome: ok or failed.",
        COUNTER,
    );
    for (outcome, n) in [("ok", &stats.succeeded), ("failed", &stats.failed)] {
        counter(&mut total, &[("outcome", outcome)], n.get() as f64);
    }
    families.push(total);
}
