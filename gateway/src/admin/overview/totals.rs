//! The counters that say how traffic goes, added up over all routes: those that `/metrics` has, at one time.

use super::rows::durations;
use crate::control::Plane;
use crate::failure::Reason;
use crate::telemetry::{ConnectionRefusal, Distribution, HandshakeResult};
use crate::worker::Shared;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// The counters at one time.
#[derive(Clone)]
pub(in crate::admin) struct Totals {
    /// In milliseconds since 1970.
    at: u64,
    /// Answers: 2xx, 3xx, 4xx, 5xx.
    answers: [u64; 4],
    /// By the number of the reason.
    failures: Box<[u64]>,
    durations: Distribution,
    /// Connections that came to no request, by why; those that there were.
    turned_away: BTreeMap<&'static str, u64>,
}

impl Totals {
    /// Those of now.
    pub(in crate::admin) fn of(plane: &Plane) -> Totals {
        let (table, front) = (plane.shared.table.load(), &plane.shared.front);
        let (mut answers, mut durations) = ([0; 4], Distribution::default());
        for stats in table.routes.iter().map(|route| &*route.stats).chain([&front.unmatched]) {
            answers.iter_mut().zip(stats.by_class()).for_each(|(sum, n)| *sum += n);
            stats.durations(&mut durations);
        }
        let refused = plane.shared.room.refused();
        let failures = Reason::ALL.iter().map(|reason| front.failed(*reason, refused)).collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let turned_away = turned_away(&plane.shared);
        Totals { at: now.as_millis() as u64, answers, failures, durations, turned_away }
    }

    /// As the page reads them.
    pub(in crate::admin) fn shown(&self) -> Value {
        let failed = Reason::ALL.iter().zip(&self.failures).filter(|(_, n)| **n > 0);
        let failures: Map<String, Value> =
            failed.map(|(of, n)| (of.name().to_owned(), (*n).into())).collect();
        json!({
            "at": self.at,
            "answers": self.answers,
            "failures": failures,
            "durations": durations(&self.durations),
            "turned_away": self.turned_away,
        })
    }
}

fn turned_away(shared: &Shared) -> BTreeMap<&'static str, u64> {
    let mut all = BTreeMap::new();
    for listener in &shared.listeners {
        let refused = ConnectionRefusal::ALL.iter().map(|why| (why.name(), listener.refused.of(*why)));
        let failed = HandshakeResult::ALL.iter().filter(|result| **result != HandshakeResult::Ok);
        let handshakes =
            listener.tls.iter().flat_map(|tls| failed.clone().map(|one| (one.name(), tls.stats.ended(*one))));
        refused
            .chain(handshakes)
            .filter(|(_, n)| *n > 0)
            .for_each(|(why, n)| *all.entry(why).or_default() += n);
    }
    all
}
