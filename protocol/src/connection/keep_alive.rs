//! Whether a peer is there of which nothing is heard.
//!
//! Silence is counted in looks at the connection, which come at a fixed pace. A process that had no processor for a while looks
//! once when it has it again, and so does not take its own absence for that of all its peers.

use core::time::Duration;

/// How long a peer has been silent.
#[derive(Debug, Default)]
pub struct KeepAlive {
    lasts: Duration,
    /// Since it was asked.
    unanswered: Option<Duration>,
}

/// What is to be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Nothing.
    Nothing,
    /// Ask whether it is there, by PING.
    Ask,
    /// Give it no calls that can go elsewhere.
    Doubt,
    /// Leave it.
    Leave,
}

/// How long silence may last.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Before the peer is asked, when no call waits.
    pub idle: Duration,
    /// The same when calls wait; never more than `idle`.
    pub busy: Duration,
    /// From the question until it is doubted; never more than half of `leave`.
    pub doubt: Duration,
    /// From the question until it is left.
    pub leave: Duration,
}

impl KeepAlive {
    /// Looks, `pace` after the last time. `alive`: something moved since then; `busy`: calls wait.
    ///
    /// Bytes that a peer takes are a sign of life as those that it sends are, as long as more wait to be written: the question
    /// would have to wait behind them.
    pub fn look(&mut self, alive: bool, busy: bool, pace: Duration, patience: Patience) -> Then {
        if alive {
            *self = KeepAlive::default();
            return Then::Nothing;
        }
        self.lasts += pace;
        match &mut self.unanswered {
            None => {
                let bound = if busy { patience.idle.min(patience.busy) } else { patience.idle };
                if self.lasts < bound {
                    return Then::Nothing;
                }
                self.unanswered = Some(Duration::ZERO);
                Then::Ask
            }
            Some(unanswered) => {
                *unanswered += pace;
                if *unanswered >= patience.leave {
                    Then::Leave
                } else if *unanswered >= patience.doubt.min(patience.leave / 2) {
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
    const PATIENCE: Patience = Patience {
        idle: Duration::from_secs(5),
        busy: Duration::from_millis(200),
        doubt: Duration::from_millis(200),
        leave: Duration::from_secs(2),
    };

    /// After how many looks without a sign of life each thing is done for the first time.
    fn after(busy: bool, patience: Patience) -> Vec<(u32, Then)> {
        let (mut keep_alive, mut done) = (KeepAlive::default(), Vec::<(u32, Then)>::new());
        for look in 1..200 {
            let then = keep_alive.look(false, busy, PACE, patience);
            if then != Then::Nothing && done.iter().all(|(_, known)| *known != then) {
                done.push((look, then));
            }
        }
        done
    }

    #[test]
    fn a_busy_peer_is_asked_soon_and_an_idle_one_later() {
        assert_eq!(after(true, PATIENCE), [(2, Then::Ask), (4, Then::Doubt), (22, Then::Leave)]);
        assert_eq!(after(false, PATIENCE), [(50, Then::Ask), (52, Then::Doubt), (70, Then::Leave)]);
    }

    #[test]
    fn what_is_longer_than_what_bounds_it_is_as_long_as_that() {
        let patience =
            Patience { busy: Duration::MAX, doubt: Duration::MAX, idle: Duration::from_secs(1), ..PATIENCE };
        assert_eq!(after(true, patience), [(10, Then::Ask), (20, Then::Doubt), (30, Then::Leave)]);
    }

    #[test]
    fn an_idle_connection_that_gets_a_call_is_asked_at_once_if_it_was_silent_for_long() {
        let mut keep_alive = KeepAlive::default();
        for _ in 0..20 {
            assert_eq!(keep_alive.look(false, false, PACE, PATIENCE), Then::Nothing);
        }
        assert_eq!(keep_alive.look(false, true, PACE, PATIENCE), Then::Ask);
    }

    #[test]
    fn any_sign_of_life_ends_the_silence() {
        let mut keep_alive = KeepAlive::default();
        for round in 0..10 {
            for _ in 0..21 {
                assert_ne!(keep_alive.look(false, true, PACE, PATIENCE), Then::Leave, "round {round}");
            }
            assert_eq!(keep_alive.look(true, true, PACE, PATIENCE), Then::Nothing);
        }
    }
}
