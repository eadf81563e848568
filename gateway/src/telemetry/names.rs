//! What is counted of names that are looked up, and how a scrape shows it.

use super::counter::Counter;
use super::families::{COUNTER, GAUGE, counter, family, gauge};
use prometheus::proto::MetricFamily;

/// What a look-up came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Addresses.
    Ok,
    /// There is no such name, or it has no address.
    Missing,
    /// No answer, or a server that says that it has failed; perhaps for one family of addresses only.
    Failed,
}

impl Resolution {
    /// All of them; the index of each is its number as `usize`.
    pub const ALL: [Resolution; 3] = [Resolution::Ok, Resolution::Missing, Resolution::Failed];

    /// Its label in the metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Resolution::Ok => "ok",
            Resolution::Missing => "missing",
            Resolution::Failed => "failed",
        }
    }
}

/// What is counted of one name. The task that follows the name is the only writer.
#[derive(Debug, Default)]
pub struct NameStats([Counter; Resolution::ALL.len()]);

impl NameStats {
    /// Counts a look-up.
    pub fn looked_up(&self, outcome: Resolution) {
        self.0[outcome as usize].increment();
    }

    /// Look-ups that came to that.
    pub fn count(&self, outcome: Resolution) -> u64 {
        self.0[outcome as usize].get()
    }
}

/// What a scrape shows of a name.
pub struct NameScrape<'a> {
    /// What is looked up.
    pub name: &'a str,
    /// How many addresses it lists.
    pub addresses: usize,
    /// Its counters.
    pub stats: &'a NameStats,
}

pub(super) fn names(names: &[NameScrape<'_>], families: &mut Vec<MetricFamily>) {
    let mut resolutions = family(
        "callgate_dns_resolutions_total",
        "Look-ups of a name that endpoints give, by outcome: ok, missing or failed.",
        COUNTER,
    );
    let mut addresses = family("callgate_dns_addresses", "Addresses of the name that are in use.", GAUGE);
    for NameScrape { name, addresses: in_use, stats } in names {
        let name = ("name", *name);
        gauge(&mut addresses, &[name], *in_use as f64);
        for outcome in Resolution::ALL {
            let n = stats.count(outcome) as f64;
            counter(&mut resolutions, &[name, ("outcome", outcome.name())], n);
        }
    }
    families.extend([resolutions, addresses]);
}
