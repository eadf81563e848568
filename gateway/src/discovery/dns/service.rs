//! What is known of one service (`srv:name`, RFC 2782): a state machine without socket and clock. SRV records say at which
//! hosts its instances are, at which ports, and which part each has; the hosts are looked up like all others.
//!
//! Weights are brought into the range that tables have, priority by priority: weights of 1 to 1000 are taken as they are. Where one
//! is 0 or more than 1000, all are scaled so that the largest is 1000, and none becomes less than 1. So a weight of 0 gets
//! the least share, as the RFC wants it; where all are 0 they are alike. Priorities are numbered: the lowest is 0.

use super::MAX_LISTED;
use super::host::{Answer, Answers, Host, retry};
use crate::config::DnsSettings;
use crate::discovery::{Listed, Report, Said};
use crate::telemetry::Resolution;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::Instant;

/// The range of weights, as tables have it.
const MAX_WEIGHT: u32 = 1000;

/// One SRV record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::discovery) struct Record {
    /// Those of the lowest priority are used as long as they can.
    pub(super) priority: u16,
    pub(super) weight: u16,
    pub(super) port: u16,
    /// The host, in lower case.
    pub(super) target: String,
}

/// What is known of a service.
#[derive(Clone, Debug, Default)]
pub(super) struct Service {
    /// The addresses of the hosts that the last records name.
    hosts: BTreeMap<String, Host>,
    /// What was listed last.
    listed: Vec<Listed>,
    /// Since when the service is said to have no records.
    missing_since: Option<Instant>,
    /// Answers in a row that were no good.
    in_vain: u32,
}

impl Service {
    /// What is known of a service when it was not asked for yet.
    pub(super) fn known(listed: Vec<Listed>) -> Service {
        Service { listed, ..Service::default() }
    }

    /// Takes the records in, and what the servers say of the hosts that they name.
    pub(super) fn hear(
        &mut self,
        records: Answer<Record>,
        hosts: Vec<(String, Answers)>,
        now: Instant,
        settings: &DnsSettings,
    ) -> Report {
        let (records, ttl) = match records {
            Answer::Found(records, ttl) => (records, ttl),
            Answer::Failed(error) => {
                self.in_vain = self.in_vain.saturating_add(1);
                return nothing(Resolution::Failed, retry(self.in_vain), error);
            }
            Answer::Missing(ttl) => return self.is_missing(ttl, now, settings),
        };
        (self.missing_since, self.in_vain) = (None, 0);
        self.hosts.retain(|host, _| hosts.iter().any(|(other, _)| other == host));
        let mut again = ttl;
        let (mut error, mut unknown) = (None, false);
        for (name, answers) in hosts {
            let host = self.hosts.entry(name.clone()).or_default();
            let report = host.hear(answers, now, settings);
            again = again.min(report.again);
            unknown |= report.said == Said::Nothing && host.addresses().0.is_empty();
            error = error.or(report.error.map(|error| format!("{name}: {error}")));
        }
        let (mut listed, left_out) = listed(&records, &self.hosts);
        if unknown {
            // Who is not there any more, and who only was not found, cannot be told apart.
            let known: BTreeSet<(IpAddr, Option<u16>)> = listed.iter().map(Listed::at).collect();
            listed.extend(self.listed.iter().filter(|one| !known.contains(&one.at())));
            listed.sort_unstable();
            listed.truncate(MAX_LISTED);
        }
        self.listed.clone_from(&listed);
        let outcome = if error.is_some() { Resolution::Failed } else { Resolution::Ok };
        let again = again.clamp(settings.min_ttl, settings.max_ttl);
        Report { said: Said::Lists(listed), outcome, again, ttl: Some(ttl), left_out, error }
    }

    /// As with a host, this is believed when it has been said for as long as any answer may be believed.
    fn is_missing(&mut self, ttl: Option<Duration>, now: Instant, settings: &DnsSettings) -> Report {
        self.in_vain = self.in_vain.saturating_add(1);
        let again = ttl.unwrap_or_else(|| retry(self.in_vain)).clamp(settings.min_ttl, settings.max_ttl);
        let report = nothing(Resolution::Missing, again, "no such service, or it has no records".to_owned());
        let since = *self.missing_since.get_or_insert(now);
        if now - since < settings.max_ttl {
            return report;
        }
        self.listed.clear();
        Report { said: Said::Gone, ..report }
    }
}

fn nothing(outcome: Resolution, again: Duration, error: String) -> Report {
    Report { said: Said::Nothing, outcome, again, ttl: None, left_out: 0, error: Some(error) }
}

/// The instances by these records: sorted, each once; and how many more there would be.
fn listed(records: &[Record], hosts: &BTreeMap<String, Host>) -> (Vec<Listed>, usize) {
    let mut by_priority: BTreeMap<u16, Vec<&Record>> = BTreeMap::new();
    records.iter().for_each(|record| by_priority.entry(record.priority).or_default().push(record));
    let mut all: Vec<Listed> = Vec::new();
    let mut known = BTreeSet::new();
    for (records, priority) in by_priority.into_values().zip(0..) {
        let weights = scaled(&records.iter().map(|record| record.weight).collect::<Vec<_>>());
        for (record, weight) in records.into_iter().zip(weights) {
            let addresses = hosts.get(&record.target).map(|host| host.addresses().0).unwrap_or_default();
            let port = Some(record.port);
            let new = addresses.into_iter().filter(|ip| known.insert((*ip, port)));
            all.extend(new.map(|ip| Listed { ip, port, weight: Some(weight), priority }));
        }
    }
    // Those of the lowest priorities come first so far.
    let left_out = all.len().saturating_sub(MAX_LISTED);
    all.truncate(MAX_LISTED);
    all.sort_unstable();
    (all, left_out)
}

/// Weights of one priority, in the range that tables have.
fn scaled(weights: &[u16]) -> Vec<u32> {
    let most = u32::from(weights.iter().copied().max().unwrap_or_default());
    let fits = |weight: &u16| (1..=MAX_WEIGHT).contains(&u32::from(*weight));
    if weights.iter().all(fits) {
        return weights.iter().copied().map(u32::from).collect();
    }
    let scale =
        |weight: u16| (u32::from(weight) * MAX_WEIGHT + most / 2).checked_div(most).unwrap_or(1).max(1);
    weights.iter().copied().map(scale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn settings() -> DnsSettings {
        DnsSettings { min_ttl: SECOND * 2, max_ttl: SECOND * 60, ..DnsSettings::default() }
    }

    fn record(priority: u16, weight: u16, port: u16, target: &str) -> Record {
        Record { priority, weight, port, target: target.to_owned() }
    }

    fn found(records: &[Record]) -> Answer<Record> {
        Answer::Found(records.to_vec(), SECOND * 5)
    }

    fn host(name: &str, addresses: &[&str]) -> (String, Answers) {
        let addresses = addresses.iter().map(|text| text.parse().expect("an address")).collect();
        (name.to_owned(), [Answer::Found(addresses, SECOND * 3), Answer::Missing(None)])
    }

    fn silent(name: &str) -> (String, Answers) {
        (name.to_owned(), [Answer::Failed("silence".to_owned()), Answer::Failed("silence".to_owned())])
    }

    /// What is listed, as text.
    fn lists(report: &Report) -> Vec<String> {
        match &report.said {
            Said::Lists(all) => all.iter().map(ToString::to_string).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn weights_are_brought_into_the_range_of_tables() {
        for (weights, expected) in [
            (&[][..], &[][..]),
            (&[0, 0], &[1, 1]),
            (&[1, 1000], &[1, 1000]),
            (&[60, 20, 20], &[60, 20, 20]),
            (&[0, 1], &[1, 1000]),
            (&[0, 5, 10], &[1, 500, 1000]),
            (&[1, 65_535], &[1, 1000]),
            (&[100, 50_000], &[2, 1000]),
            (&[1001, 1001], &[1000, 1000]),
        ] {
            assert_eq!(scaled(weights), expected, "{weights:?}");
        }
    }

    #[test]
    fn each_address_of_each_host_is_an_instance_at_its_port() {
        let records = [
            record(20, 0, 7103, "c."),
            record(10, 5, 7101, "a."),
            record(10, 10, 7102, "b."),
            record(20, 0, 7101, "a."),
        ];
        let hosts =
            vec![host("a.", &["10.0.0.2", "10.0.0.1"]), host("b.", &["10.0.0.1"]), host("c.", &["10.0.0.3"])];
        let report = Service::default().hear(found(&records), hosts, Instant::now(), &settings());
        assert_eq!((report.outcome, report.again), (Resolution::Ok, SECOND * 3));
        assert_eq!((report.ttl, report.error.as_deref()), (Some(SECOND * 5), None));
        let expected = ["10.0.0.1 7101 5 0", "10.0.0.1 7102 10 0", "10.0.0.2 7101 5 0", "10.0.0.3 7103 1 1"];
        assert_eq!(lists(&report), expected, "the lower priority counts where one is listed twice");
    }

    #[test]
    fn a_failing_server_leaves_the_last_good_answer() {
        let mut service = Service::default();
        service.hear(
            found(&[record(0, 1, 1, "a.")]),
            vec![host("a.", &["10.0.0.1"])],
            Instant::now(),
            &settings(),
        );
        let failed = Answer::Failed("silence".to_owned());
        let report = service.hear(failed, Vec::new(), Instant::now(), &settings());
        assert_eq!((report.said, report.outcome), (Said::Nothing, Resolution::Failed));
        let report =
            service.hear(found(&[record(0, 1, 1, "a.")]), vec![silent("a.")], Instant::now(), &settings());
        assert_eq!(lists(&report), ["10.0.0.1 1 1 0"], "the host keeps its address");
        assert_eq!(report.error.as_deref(), Some("a.: silence"));
    }

    #[test]
    fn nobody_goes_while_it_is_not_known_who_has_come() {
        let mut service = Service::default();
        let mut hear = |records: &[Record], hosts: Vec<(String, Answers)>| {
            lists(&service.hear(found(records), hosts, Instant::now(), &settings()))
        };
        let one = "10.0.0.1 1 1 0";
        assert_eq!(hear(&[record(0, 1, 1, "a.")], vec![host("a.", &["10.0.0.1"])]), [one]);
        let next = [record(0, 1, 1, "b."), record(0, 1, 1, "c.")];
        assert_eq!(hear(&next, vec![silent("b."), host("c.", &["10.0.0.3"])]), [one, "10.0.0.3 1 1 0"]);
        let missing = ("b.".to_owned(), [Answer::Missing(None), Answer::Missing(None)]);
        assert_eq!(hear(&next, vec![missing, host("c.", &["10.0.0.3"])]), [one, "10.0.0.3 1 1 0"]);
        let known = hear(&next, vec![host("b.", &["10.0.0.2"]), host("c.", &["10.0.0.3"])]);
        assert_eq!(known, ["10.0.0.2 1 1 0", "10.0.0.3 1 1 0"]);
    }

    #[test]
    fn what_was_known_before_stays_while_the_hosts_are_not_found() {
        let known = Listed { port: Some(1), weight: Some(1), ..IpAddr::from([10, 0, 0, 9]).into() };
        let mut service = Service::known(vec![known]);
        let report =
            service.hear(found(&[record(0, 1, 1, "a.")]), vec![silent("a.")], Instant::now(), &settings());
        assert_eq!(lists(&report), ["10.0.0.9 1 1 0"]);
    }

    #[test]
    fn a_service_that_is_gone_is_believed_when_it_was_gone_for_the_longest_ttl() {
        let mut service = Service::default();
        let began = Instant::now();
        let mut at = |seconds: u32, records: Answer<Record>| {
            let hosts = vec![host("a.", &["10.0.0.1"])];
            service.hear(records, hosts, began + SECOND * seconds, &settings()).said
        };
        assert!(matches!(at(0, found(&[record(0, 1, 1, "a.")])), Said::Lists(_)));
        assert_eq!(at(100, Answer::Missing(None)), Said::Nothing);
        assert_eq!(at(159, Answer::Missing(None)), Said::Nothing);
        assert_eq!(at(160, Answer::Missing(None)), Said::Gone);
    }

    #[test]
    fn of_too_many_instances_those_of_the_lowest_priorities_are_used() {
        let many: Vec<String> = (0..=255).map(|last| format!("10.0.0.{last}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let records = [record(2, 1, 1, "a."), record(1, 1, 2, "a.")];
        let report =
            Service::default().hear(found(&records), vec![host("a.", &many)], Instant::now(), &settings());
        let used = lists(&report);
        assert_eq!((used.len(), report.left_out), (MAX_LISTED, 256));
        assert!(used.iter().all(|one| one.ends_with(" 2 1 0")), "{used:?}");
    }
}
