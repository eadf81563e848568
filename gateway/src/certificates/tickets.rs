//! The ticket keys in force: from a file that gateways share, or the gateway's own, which it rotates.

use arc_swap::ArcSwap;
use callgate_tls::{TicketKeys, UnixTime};
use std::sync::Arc;

/// How long the gateway's own keys seal tickets. The last three open them, so that a ticket is of use for 12 hours at least, and for
/// 18 at most.
const ROTATION: u64 = 6 * 3600;

/// The keys, since when the first of them seals, and what is wrong with their file.
#[derive(Debug)]
pub struct Tickets(ArcSwap<Made>);

/// Keys with their age.
#[derive(Clone, Debug)]
pub struct Made {
    /// The keys.
    pub keys: TicketKeys,
    /// Since when the first seals, in seconds since 1970.
    pub since: u64,
    /// They are the gateway's own.
    pub own: bool,
    /// What is wrong with their file as it is now.
    pub error: Option<String>,
}

impl Default for Tickets {
    /// New keys of its own.
    fn default() -> Tickets {
        let made =
            Made { keys: TicketKeys::random(), since: UnixTime::now().as_secs(), own: true, error: None };
        Tickets(ArcSwap::from_pointee(made))
    }
}

impl Tickets {
    /// The keys in force.
    pub fn keys(&self) -> TicketKeys {
        self.0.load().keys.clone()
    }

    /// The keys with what is known of them.
    pub fn all(&self) -> Arc<Made> {
        self.0.load_full()
    }

    /// Takes keys of its own that the gateway before has handed over.
    pub fn take_over(&self, keys: TicketKeys, since: u64) {
        self.0.store(Arc::new(Made { keys, since, own: true, error: None }));
    }

    /// Takes what a file says now. A file that is bad leaves the keys in force.
    pub fn read(&self, file: Result<TicketKeys, String>, now: UnixTime) {
        let made = self.0.load_full();
        let is_kept = file.as_ref().is_ok_and(|keys| *keys == made.keys && !made.own);
        let next = match file {
            Ok(_) if is_kept => Made { error: None, ..(*made).clone() },
            Ok(keys) => Made { keys, since: now.as_secs(), own: false, error: None },
            Err(error) => Made { error: Some(error), ..(*made).clone() },
        };
        if is_kept && made.error.is_none() || next.error.is_some() && next.error == made.error {
            return;
        }
        let next = Arc::new(next);
        // In force first and told then.
        self.0.store(next.clone());
        match &next.error {
            Some(error) => {
                tracing::error!(error, "the ticket keys are refused, and those in force stay");
            }
            None if is_kept => tracing::info!("the ticket keys are sound again, and as they were"),
            None => tracing::info!(keys = ?next.keys, "ticket keys taken"),
        }
    }

    /// Rotates keys of its own when they are old enough, or from a time that is yet to come: the clock was set back, and nobody knows
    /// how old they are.
    pub fn rotate(&self, now: UnixTime) {
        let made = self.0.load_full();
        let age = now.as_secs().checked_sub(made.since);
        if made.own && age.is_none_or(|age| age >= ROTATION) {
            let mut keys = made.keys.clone();
            keys.rotate();
            self.0.store(Arc::new(Made { keys, since: now.as_secs(), own: true, error: None }));
            tracing::debug!("ticket keys rotated");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::log::testing::seen_when_told;
    use std::time::Duration;

    fn at(secs: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(secs))
    }

    #[test]
    fn own_keys_are_rotated_after_six_hours_and_a_files_are_not() {
        let tickets = Tickets::default();
        let first = TicketKeys::random();
        tickets.take_over(first.clone(), 1000);
        tickets.rotate(at(1000 + ROTATION - 1));
        assert_eq!(tickets.keys(), first);
        tickets.rotate(at(1000 + ROTATION));
        let second = tickets.keys();
        assert_ne!(second, first);
        tickets.rotate(at(1000 + ROTATION));
        assert_eq!(tickets.keys(), second, "once");
        tickets.read(Ok(first.clone()), at(2000));
        assert_eq!((tickets.keys(), tickets.all().since), (first.clone(), 2000));
        tickets.rotate(at(2000 + 10 * ROTATION));
        assert_eq!(tickets.keys(), first);
    }

    #[test]
    fn a_key_of_a_time_that_is_yet_to_come_does_not_seal_until_then() {
        let (tickets, first) = (Tickets::default(), TicketKeys::random());
        tickets.take_over(first.clone(), 100 * ROTATION);
        tickets.rotate(at(1000));
        let second = tickets.keys();
        assert_ne!(second, first, "the clock was set back");
        tickets.rotate(at(1000 + ROTATION - 1));
        assert_eq!(tickets.keys(), second);
        tickets.rotate(at(1000 + ROTATION));
        assert_ne!(tickets.keys(), second);
    }

    #[test]
    fn a_bad_file_leaves_the_keys_in_force() {
        let (tickets, keys) = (Tickets::default(), TicketKeys::random());
        tickets.read(Ok(keys.clone()), at(1));
        tickets.read(Err("torn".to_owned()), at(2));
        let made = tickets.all();
        assert_eq!((&made.keys, made.since, made.error.as_deref()), (&keys, 1, Some("torn")));
        tickets.read(Ok(keys), at(3));
        assert_eq!((tickets.all().since, tickets.all().error.clone()), (1, None), "as they were");
    }

    #[test]
    fn what_the_log_says_of_ticket_keys_holds_by_then() {
        let (tickets, keys) = (Arc::new(Tickets::default()), TicketKeys::random());
        let steps = [Ok(keys.clone()), Ok(keys.clone()), Err("torn"), Err("torn"), Err("short"), Ok(keys)];
        let seen = steps.map(|file| {
            let theirs = tickets.clone();
            let act = || tickets.read(file.map_err(str::to_owned), at(1));
            seen_when_told(act, move || (theirs.all().since, theirs.all().error.clone()))
        });
        let (good, bad) = ((1, None), |why: &str| (1, Some(why.to_owned())));
        assert_eq!(
            seen,
            [vec![good.clone()], vec![], vec![bad("torn")], vec![], vec![bad("short")], vec![good]]
        );
    }
}
