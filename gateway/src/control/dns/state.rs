//! What is known of one name: a state machine without socket and clock. What the servers said goes in, the addresses in use
//! come out, and when to ask again.
//!
//! Three kinds of answer mean three things. Addresses are believed at once. No answer, or one that says that the server has
//! failed, says nothing of the name: the last good answer stays, however long that takes. That there is no such name, or
//! that it has no address, may be so, but a server that has just started or a zone that was loaded by half says it as well,
//! of services that run; so it has to be said for as long as any answer may be believed (`max_ttl`) before it counts.

use crate::config::DnsSettings;
use crate::telemetry::Resolution;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// Addresses of one name that are used, the lowest ones. Each is an instance with a connection from every worker.
pub(super) const MAX_ADDRESSES: usize = 256;

/// Bounds of the time until a server is asked again that has failed.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// What the servers said to one question: for the addresses of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// These, for so long.
    Found(Vec<IpAddr>, Duration),
    /// There is no such name, or it has no address of the family; for so long, if they said.
    Missing(Option<Duration>),
    /// They said nothing of it.
    Failed(String),
}

/// The answers to both questions: IPv4 and IPv6.
pub(super) type Answers = [Answer; 2];

/// What is known of a name.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// By family.
    found: [Vec<IpAddr>; 2],
    /// The addresses in use: sorted, each once, at most [`MAX_ADDRESSES`].
    pub(super) addresses: Vec<IpAddr>,
    /// How many more there would be.
    pub(super) left_out: usize,
    /// What the last good answer said, before it is brought within bounds.
    pub(super) ttl: Option<Duration>,
    /// When that was.
    pub(super) answered_at: Option<SystemTime>,
    /// What was wrong with the last answers.
    pub(super) error: Option<String>,
    /// Since when the name is said to have no address.
    missing_since: Option<Instant>,
    /// Answers in a row that were no good.
    in_vain: u32,
}

/// What comes of two answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) outcome: Resolution,
    /// When to ask again.
    pub(super) again: Duration,
    /// Other addresses are in use than before.
    pub(super) moved: bool,
}

impl State {
    /// Takes two answers in.
    pub(super) fn hear(&mut self, answers: Answers, now: Instant, settings: &DnsSettings) -> Heard {
        self.error = answers.iter().find_map(|answer| match answer {
            Answer::Failed(error) => Some(error.clone()),
            _ => None,
        });
        let failed = self.error.is_some();
        let good = answers.iter().filter_map(Answer::good_for).min();
        let (outcome, again) = if good.is_some() {
            self.believe(answers);
            (self.ttl, self.answered_at) = (good, Some(SystemTime::now()));
            (if failed { Resolution::Failed } else { Resolution::Ok }, good)
        } else if failed {
            self.in_vain = self.in_vain.saturating_add(1);
            return Heard { outcome: Resolution::Failed, again: retry(self.in_vain), moved: false };
        } else {
            self.error = Some("no such name, or it has no address".to_owned());
            self.in_vain = self.in_vain.saturating_add(1);
            let since = *self.missing_since.get_or_insert(now);
            if now - since >= settings.max_ttl {
                self.found = Default::default();
            }
            (Resolution::Missing, answers.iter().filter_map(Answer::missing_for).min())
        };
        let again = again.unwrap_or_else(|| retry(self.in_vain));
        let moved = self.settle();
        Heard { outcome, again: again.clamp(settings.min_ttl, settings.max_ttl), moved }
    }

    /// Where one family has addresses, the other one's word is good as well.
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

    /// Puts what was found into use; whether that is something else.
    fn settle(&mut self) -> bool {
        let mut all: Vec<IpAddr> = self.found.iter().flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        self.left_out = all.len().saturating_sub(MAX_ADDRESSES);
        all.truncate(MAX_ADDRESSES);
        let moved = all != self.addresses;
        self.addresses = all;
        moved
    }
}

impl Answer {
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
fn retry(in_vain: u32) -> Duration {
    let most = FIRST_RETRY.saturating_mul(1 << in_vain.saturating_sub(1).min(10)).min(LAST_RETRY);
    most.mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn found(addresses: &[&str], ttl: u64) -> Answer {
        let addresses = addresses.iter().map(|text| text.parse().expect("an address")).collect();
        Answer::Found(addresses, SECOND * u32::try_from(ttl).expect("a small number"))
    }

    fn failed() -> Answer {
        Answer::Failed("silence".to_owned())
    }

    const NONE: Answer = Answer::Missing(None);

    fn settings() -> DnsSettings {
        DnsSettings { min_ttl: SECOND * 2, max_ttl: SECOND * 60, ..DnsSettings::default() }
    }

    fn uses(state: &State) -> Vec<String> {
        state.addresses.iter().map(IpAddr::to_string).collect()
    }

    #[test]
    fn both_families_are_used_sorted_and_each_address_once() {
        let mut state = State::default();
        let four = found(&["10.0.0.9", "10.0.0.2", "10.0.0.9"], 5);
        let heard = state.hear([four.clone(), found(&["::1"], 3)], Instant::now(), &settings());
        assert_eq!(heard, Heard { outcome: Resolution::Ok, again: SECOND * 3, moved: true });
        assert_eq!(uses(&state), ["10.0.0.2", "10.0.0.9", "::1"]);
        let turned = found(&["10.0.0.2", "10.0.0.9"], 5);
        let heard = state.hear([turned, found(&["::1"], 3)], Instant::now(), &settings());
        assert!(!heard.moved, "another order is no change");
        assert!(state.hear([four, NONE], Instant::now(), &settings()).moved);
        assert_eq!(uses(&state), ["10.0.0.2", "10.0.0.9"], "beside a good answer none is believed");
    }

    #[test]
    fn a_name_is_asked_for_again_by_its_ttl_within_bounds() {
        for (ttl, again) in [(0, 2), (2, 2), (7, 7), (60, 60), (86_400, 60)] {
            let heard = State::default().hear([found(&["10.0.0.1"], ttl), NONE], Instant::now(), &settings());
            assert_eq!(heard.again, SECOND * again, "{ttl}");
        }
        let heard = State::default().hear(
            [Answer::Missing(Some(SECOND * 9)), Answer::Missing(Some(SECOND * 300))],
            Instant::now(),
            &settings(),
        );
        assert_eq!((heard.outcome, heard.again), (Resolution::Missing, SECOND * 9));
    }

    #[test]
    fn a_failing_server_leaves_the_last_good_answer_and_is_asked_less_and_less_often() {
        let mut state = State::default();
        state.hear([found(&["10.0.0.1"], 5), found(&["::1"], 5)], Instant::now(), &settings());
        for round in 0..50 {
            let later = Instant::now() + SECOND * 3600 * round;
            let heard =
                state.hear([failed(), if round % 2 == 0 { failed() } else { NONE }], later, &settings());
            assert_eq!((heard.outcome, heard.moved), (Resolution::Failed, false));
            let most = (FIRST_RETRY * 2_u32.pow(round.min(10))).min(LAST_RETRY);
            assert!(heard.again >= most / 2 && heard.again <= most, "{round}: {:?}", heard.again);
        }
        assert_eq!(uses(&state), ["10.0.0.1", "::1"]);
        assert_eq!(state.error.as_deref(), Some("silence"));
        let heard = state.hear([found(&["10.0.0.2"], 5), failed()], Instant::now(), &settings());
        assert_eq!(heard, Heard { outcome: Resolution::Failed, again: SECOND * 5, moved: true });
        assert_eq!(uses(&state), ["10.0.0.2", "::1"], "the family that failed stays as it was");
        assert!(state.hear([found(&["10.0.0.2"], 5), NONE], Instant::now(), &settings()).moved);
        assert_eq!(state.error, None);
    }

    #[test]
    fn a_name_that_is_gone_keeps_its_addresses_until_it_was_gone_for_the_longest_ttl() {
        let mut state = State::default();
        let began = Instant::now();
        let at = |state: &mut State, seconds: u32, answers: Answers| {
            let heard = state.hear(answers, began + SECOND * seconds, &settings());
            (heard.outcome, heard.moved, state.addresses.len())
        };
        assert_eq!(at(&mut state, 0, [found(&["10.0.0.1"], 5), NONE]), (Resolution::Ok, true, 1));
        assert_eq!(at(&mut state, 100, [NONE, NONE]), (Resolution::Missing, false, 1));
        assert_eq!(at(&mut state, 130, [failed(), failed()]), (Resolution::Failed, false, 1));
        assert_eq!(at(&mut state, 159, [NONE, NONE]), (Resolution::Missing, false, 1));
        assert_eq!(at(&mut state, 160, [NONE, NONE]), (Resolution::Missing, true, 0));
        assert_eq!(at(&mut state, 170, [NONE, NONE]), (Resolution::Missing, false, 0));
        assert_eq!(at(&mut state, 180, [found(&["10.0.0.1"], 5), NONE]), (Resolution::Ok, true, 1));
        assert_eq!(at(&mut state, 200, [NONE, NONE]), (Resolution::Missing, false, 1), "it counts anew");
    }

    #[test]
    fn of_too_many_addresses_the_lowest_are_used() {
        let many = (0..=255).flat_map(|a| (0..2).map(move |b| IpAddr::from([10, 0, b, a]))).collect();
        let mut state = State::default();
        state.hear([Answer::Found(many, SECOND), NONE], Instant::now(), &settings());
        assert_eq!((state.addresses.len(), state.left_out), (MAX_ADDRESSES, 256));
        assert!(state.addresses.iter().all(|ip| ip.to_string().starts_with("10.0.0.")));
    }
}
