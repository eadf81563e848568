//! Whether a peer is there of which nothing is heard: a state machine without a clock.
//!
//! Silence is counted in looks at the connection, which come at a fixed pace. A gateway that had no processor for a while looks
//! once when it has it again, and so does not take its own absence for that of all its peers.

use std::time::Duration;

/// After so long without a byte the peer is asked, if calls wait for it. Short, because all that it is given before it is
/// doubted has to be sent again: together with [`DOUBT`], less than the share of the recent calls that retries may be.
const BUSY: Duration = Duration::from_millis(200);

/// So long after it was asked in vain it is given no more calls, as long as there is another instance.
const DOUBT: Duration = Duration::from_millis(200);

/// How long a peer has been silent.
#[derive(Debug, Default)]
pub(super) struct Silence {
    lasts: Duration,
    /// Since it was asked.
    unanswered: Option<Duration>,
}

/// What is to be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Nothing.
    Nothing,
    /// Ask whether it is there.
    Ask,
    /// Give it no calls that can go elsewhere.
    Doubt,
    /// Leave it.
    Leave,
}

/// How long silence may last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Before the peer is asked, when no call waits.
    pub(super) idle: Duration,
    /// From then on.
    pub(super) asked: Duration,
}

impl Silence {
    /// Looks, `pace` after the last time. `alive`: something moved since then; `busy`: calls wait.
    pub(super) fn look(&mut self, alive: bool, busy: bool, pace: Duration, limits: Limits) -> Then {
        if alive {
            *self = Silence::default();
            return Then::Nothing;
        }
        self.lasts += pace;
        match &mut self.unanswered {
            None => {
                let bound = if busy { limits.idle.min(BUSY) } else { limits.idle };
                if self.lasts < bound {
                    return Then::Nothing;
                }
                self.unanswered = Some(Duration::ZERO);
                Then::Ask
            }
            Some(unanswered) => {
                *unanswered += pace;
                if *unanswered >= limits.asked {
                    Then::Leave
                } else if *unanswered >= DOUBT.min(limits.asked / 2) {
                    Then::Doubt
                } else {
                    Then::Nothing
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Duration = Duration::from_millis(100);
    const PATIENCE: Limits = Limits { idle: Duration::from_secs(5), asked: Duration::from_secs(2) };

    /// After how many looks without a sign of life each thing is done for the first time.
    fn after(busy: bool) -> Vec<(u32, Then)> {
        let (mut silence, mut done) = (Silence::default(), Vec::<(u32, Then)>::new());
        for look in 1..200 {
            let then = silence.look(false, busy, PACE, PATIENCE);
            if then != Then::Nothing && done.iter().all(|(_, known)| *known != then) {
                done.push((look, then));
            }
        }
        done
    }

    #[test]
    fn a_busy_peer_is_asked_soon_and_an_idle_one_later() {
        assert_eq!(after(true), [(2, Then::Ask), (4, Then::Doubt), (22, Then::Leave)]);
        assert_eq!(after(false), [(50, Then::Ask), (52, Then::Doubt), (70, Then::Leave)]);
    }

    #[test]
    fn an_idle_connection_that_gets_a_call_is_asked_at_once_if_it_was_silent_for_long() {
        let mut silence = Silence::default();
        for _ in 0..20 {
            assert_eq!(silence.look(false, false, PACE, PATIENCE), Then::Nothing);
        }
        assert_eq!(silence.look(false, true, PACE, PATIENCE), Then::Ask);
    }

    #[test]
    fn any_sign_of_life_ends_the_silence() {
        let mut silence = Silence::default();
        for round in 0..10 {
            for _ in 0..21 {
                assert_ne!(silence.look(false, true, PACE, PATIENCE), Then::Leave, "round {round}");
            }
            assert_eq!(silence.look(true, true, PACE, PATIENCE), Then::Nothing);
        }
    }
}
