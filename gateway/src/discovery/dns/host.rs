//! What is known of one host: a state machine without socket and clock. What the servers said goes in, the addresses come out,
//! and when to ask again.
//!
//! Three kinds of answer mean three things. Addresses are believed at once. No answer, or one that says that the server has
//! failed, says nothing of the name: the last good answer stays, however long that takes. That there is no such name, or
//! that it has no address, may be so, but a server that has just started or a zone that was loaded by half says it as well,
//! of services that run; so it has to be said for as long as any answer may be believed (`max_ttl`) before it counts.

use super::MAX_LISTED;
use crate::config::DnsSettings;
use crate::discovery::{Report, Said};
use crate::telemetry::Resolution;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::Instant;

/// Bounds of the time until a server is asked again that has failed.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// What the servers said to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::discovery) enum Answer<T> {
    /// These, for so long.
    Found(Vec<T>, Duration),
    /// There is no such name, or it has no such record; for so long, if they said.
    Missing(Option<Duration>),
    /// They said nothing of it.
    Failed(String),
}

/// The answers to both questions for a host: IPv4 and IPv6.
pub(in crate::discovery) type Answers = [Answer<IpAddr>; 2];

/// What is known of a host.
#[derive(Clone, Debug, Default)]
pub(super) struct Host {
    /// By family.
    found: [Vec<IpAddr>; 2],
    /// Since when the host is said to have no address.
    missing_since: Option<Instant>,
    /// Answers in a row that were no good.
    in_vain: u32,
}

impl Host {
    /// What is known of a host when it was not asked for yet.
    pub(super) fn known(addresses: Vec<IpAddr>) -> Host {
        let (four, six) = addresses.into_iter().partition(IpAddr::is_ipv4);
        Host { found: [four, six], ..Host::default() }
    }

    /// Takes two answers in.
    pub(super) fn hear(&mut self, answers: Answers, now: Instant, settings: &DnsSettings) -> Report {
        let error = answers.iter().find_map(|answer| match answer {
            Answer::Failed(error) => Some(error.clone()),
            _ => None,
        });
        if let Some(ttl) = answers.iter().filter_map(Answer::good_for).min() {
            self.believe(answers);
            let (addresses, left_out) = self.addresses();
            let outcome = if error.is_some() { Resolution::Failed } else { Resolution::Ok };
            let said = Said::Lists(addresses.into_iter().map(Into::into).collect());
            let again = ttl.clamp(settings.min_ttl, settings.max_ttl);
            return Report { said, outcome, again, ttl: Some(ttl), left_out, error };
        }
        self.in_vain = self.in_vain.saturating_add(1);
        let nothing = |outcome, again, error| Report {
            said: Said::Nothing,
            outcome,
            again,
            ttl: None,
            left_out: 0,
            error: Some(error),
        };
        if let Some(error) = error {
            return nothing(Resolution::Failed, retry(self.in_vain), error);
        }
        let again = answers.iter().filter_map(Answer::missing_for).min();
        let again = again.unwrap_or_else(|| retry(self.in_vain)).clamp(settings.min_ttl, settings.max_ttl);
        let report = nothing(Resolution::Missing, again, "no such name, or it has no address".to_owned());
        let since = *self.missing_since.get_or_insert(now);
        if now - since < settings.max_ttl {
            return report;
        }
        self.found = Default::default();
        Report { said: Said::Gone, ..report }
    }

    /// Where one family has addresses, the other family's answer is good as well.
    fn believe(&mut self, answers: Answers) {
        self.missing_since = None;
        self.in_vain = 0;
        for (found, answer) in self.found.iter_mut().zip(answers) {
            match answer {
                Answer::Found(addresses, _) => *found = addresses,
                Answer::Missing(_) => found.clear(),
                Answer::Failed(_) => {}
            }
        }
    }

    /// The addresses that are used: sorted, each once, the lowest ones; and how many more there would be.
    pub(super) fn addresses(&self) -> (Vec<IpAddr>, usize) {
        let mut all: Vec<IpAddr> = self.found.iter().flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        let left_out = all.len().saturating_sub(MAX_LISTED);
        all.truncate(MAX_LISTED);
        (all, left_out)
    }
}

impl<T> Answer<T> {
    fn good_for(&self) -> Option<Duration> {
        match self {
            Answer::Found(_, ttl) => Some(*ttl),
            _ => None,
        }
    }

    pub(super) fn missing_for(&self) -> Option<Duration> {
        match self {
            Answer::Missing(ttl) => *ttl,
            _ => None,
        }
    }
}

/// Doubles with each answer in vain, and is spread over its upper half so that names and gateways do not ask all at once.
pub(super) fn retry(in_vain: u32) -> Duration {
    let most = FIRST_RETRY.saturating_mul(1 << in_vain.saturating_sub(1).min(10)).min(LAST_RETRY);
    most.mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn found(addresses: &[&str], ttl: u64) -> Answer<IpAddr> {
        let addresses = addresses.iter().map(|text| text.parse().expect("an address")).collect();
        Answer::Found(addresses, SECOND * u32::try_from(ttl).expect("a small number"))
    }

    fn failed() -> Answer<IpAddr> {
        Answer::Failed("silence".to_owned())
    }

    const NONE: Answer<IpAddr> = Answer::Missing(None);

    fn settings() -> DnsSettings {
        DnsSettings { min_ttl: SECOND * 2, max_ttl: SECOND * 60, ..DnsSettings::default() }
    }

    fn lists(report: &Report) -> Vec<String> {
        match &report.said {
            Said::Lists(all) => all.iter().map(|one| one.ip.to_string()).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn both_families_are_used_sorted_and_each_address_once() {
        let mut host = Host::default();
        let four = found(&["10.0.0.9", "10.0.0.2", "10.0.0.9"], 5);
        let report = host.hear([four.clone(), found(&["::1"], 3)], Instant::now(), &settings());
        assert_eq!(
            (report.outcome, report.again, report.ttl),
            (Resolution::Ok, SECOND * 3, Some(SECOND * 3))
        );
        assert_eq!(lists(&report), ["10.0.0.2", "10.0.0.9", "::1"]);
        let turned = found(&["10.0.0.2", "10.0.0.9"], 5);
        let again = host.hear([turned, found(&["::1"], 3)], Instant::now(), &settings());
        assert_eq!(lists(&again), lists(&report), "another order is no change");
        let report = host.hear([four, NONE], Instant::now(), &settings());
        assert_eq!(lists(&report), ["10.0.0.2", "10.0.0.9"], "beside a good answer none is believed");
    }

    #[test]
    fn a_name_is_asked_for_again_by_its_ttl_within_bounds() {
        for (ttl, again) in [(0, 2), (2, 2), (7, 7), (60, 60), (86_400, 60)] {
            let report = Host::default().hear([found(&["10.0.0.1"], ttl), NONE], Instant::now(), &settings());
            assert_eq!(report.again, SECOND * again, "{ttl}");
        }
        let report = Host::default().hear(
            [Answer::Missing(Some(SECOND * 9)), Answer::Missing(Some(SECOND * 300))],
            Instant::now(),
            &settings(),
        );
        assert_eq!((report.outcome, report.again), (Resolution::Missing, SECOND * 9));
    }

    #[test]
    fn a_failing_server_leaves_the_last_good_answer_and_is_asked_less_and_less_often() {
        let mut host = Host::default();
        host.hear([found(&["10.0.0.1"], 5), found(&["::1"], 5)], Instant::now(), &settings());
        for round in 0..50 {
            let later = Instant::now() + SECOND * 3600 * round;
            let report =
                host.hear([failed(), if round % 2 == 0 { failed() } else { NONE }], later, &settings());
            assert_eq!((report.outcome, report.said), (Resolution::Failed, Said::Nothing));
            assert_eq!(report.error.as_deref(), Some("silence"));
            let most = (FIRST_RETRY * 2_u32.pow(round.min(10))).min(LAST_RETRY);
            assert!(report.again >= most / 2 && report.again <= most, "{round}: {:?}", report.again);
        }
        let report = host.hear([found(&["10.0.0.2"], 5), failed()], Instant::now(), &settings());
        assert_eq!((report.outcome, report.again), (Resolution::Failed, SECOND * 5));
        assert_eq!(lists(&report), ["10.0.0.2", "::1"], "the family that failed stays as it was");
        let report = host.hear([found(&["10.0.0.2"], 5), NONE], Instant::now(), &settings());
        assert_eq!((lists(&report), report.error), (vec!["10.0.0.2".to_owned()], None));
    }

    #[test]
    fn what_was_known_before_stays_where_the_servers_fail() {
        let mut host = Host::known(vec!["10.0.0.1".parse().expect("one"), "::1".parse().expect("one")]);
        let report = host.hear([found(&["10.0.0.2"], 5), failed()], Instant::now(), &settings());
        assert_eq!(lists(&report), ["10.0.0.2", "::1"]);
    }

    #[test]
    fn a_name_that_is_gone_is_believed_when_it_was_gone_for_the_longest_ttl() {
        let mut host = Host::default();
        let began = Instant::now();
        let mut at = |seconds: u32, answers: Answers| {
            let report = host.hear(answers, began + SECOND * seconds, &settings());
            (report.outcome, report.said)
        };
        let good = || [found(&["10.0.0.1"], 5), NONE];
        let listed = Said::Lists(vec![IpAddr::from([10, 0, 0, 1]).into()]);
        assert_eq!(at(0, good()), (Resolution::Ok, listed.clone()));
        assert_eq!(at(100, [NONE, NONE]), (Resolution::Missing, Said::Nothing));
        assert_eq!(at(130, [failed(), failed()]), (Resolution::Failed, Said::Nothing));
        assert_eq!(at(159, [NONE, NONE]), (Resolution::Missing, Said::Nothing));
        assert_eq!(at(160, [NONE, NONE]), (Resolution::Missing, Said::Gone));
        assert_eq!(at(170, [NONE, NONE]), (Resolution::Missing, Said::Gone));
        assert_eq!(at(180, good()), (Resolution::Ok, listed));
        assert_eq!(at(200, [NONE, NONE]), (Resolution::Missing, Said::Nothing), "it counts anew");
    }

    #[test]
    fn of_too_many_addresses_the_lowest_are_used() {
        let many = (0..=255).flat_map(|a| (0..2).map(move |b| IpAddr::from([10, 0, b, a]))).collect();
        let report = Host::default().hear([Answer::Found(many, SECOND), NONE], Instant::now(), &settings());
        let used = lists(&report);
        assert_eq!((used.len(), report.left_out), (MAX_LISTED, 256));
        assert!(used.iter().all(|ip| ip.starts_with("10.0.0.")));
    }
}
