//! Keeps one member's connection up: connects, hands the connection out, replaces it when it is old, and connects again when it
//! is over.
//!
//! The supervisor's task owns the tasks of its connections; there may be several while old ones finish their calls.

use super::connection::Connection;
use super::introduction::Introduction;
use super::members::{Member, Members, State};
use super::pool::Settings;
use crate::connection::Dial;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A connection that was up for this long was a good one: the next is made without a pause.
const GOOD_AFTER: Duration = Duration::from_secs(1);

/// What the supervisor of a member needs.
pub(crate) struct Supervision {
    member: Arc<Member>,
    members: Arc<Members>,
    introduction: Introduction,
    max_age: Duration,
    dial: Dial,
    /// Told when it may be that the member's name stands for others by now.
    look_again: Arc<Notify>,
}

impl Supervision {
    pub(crate) fn new(
        member: Arc<Member>,
        members: Arc<Members>,
        settings: &Settings,
        look_again: Arc<Notify>,
    ) -> Supervision {
        let Settings { introduction, max_age, dial, .. } = settings.clone();
        Supervision { member, members, introduction, max_age, dial, look_again }
    }

    /// Keeps the member connected until it is `retired`. Then its connections finish their calls, which have deadlines. Whoever
    /// retires it has taken it out of the members before.
    pub(crate) async fn supervise(self, retired: impl Future<Output = ()>) {
        let mut connections = JoinSet::new();
        tokio::select! {
            biased;
            () = retired => {}
            () = self.keep_connected(&mut connections) => {}
        }
        while connections.join_next().await.is_some() {}
    }

    /// Never returns.
    async fn keep_connected(&self, connections: &mut JoinSet<()>) {
        let (member, mut failures) = (&self.member, 0);
        // People know that it is away.
        let mut told = false;
        loop {
            match self.connect(connections).await {
                Ok(connection) => {
                    tracing::debug!(endpoint = %member, "connected");
                    let since = Instant::now();
                    member.judged().health.connected(since.into_std());
                    self.hand_out(&connection);
                    if std::mem::take(&mut told) {
                        tracing::info!(endpoint = %member, "an endpoint is connected");
                    }
                    let reason = self.hold(connection, connections).await;
                    tracing::info!(endpoint = %member, reason, "an endpoint is gone; connecting again");
                    told = true;
                    self.members.set(member.id, State::Connecting(Some(reason)));
                    self.look_again.notify_one();
                    failures = if since.elapsed() < GOOD_AFTER { failures + 1 } else { 0 };
                }
                Err(error) => {
                    if std::mem::replace(&mut told, true) {
                        tracing::debug!(endpoint = %member, error, "cannot connect");
                    } else {
                        tracing::info!(endpoint = %member, error, "an endpoint cannot be connected to; trying again and again");
                    }
                    self.members.set(member.id, State::Down(error));
                    failures += 1;
                    // An address that is never reached is no news.
                    if failures == 1 {
                        self.look_again.notify_one();
                    }
                }
            }
            sleep(pause(failures)).await;
        }
    }

    /// Keeps the member connected as long as connections end by their age only: then the next one is there before the old one
    /// takes no more calls. So a client comes to instances that were not there when it connected, where one address leads to
    /// several. Says why the last one takes no more calls.
    async fn hold(&self, mut connection: Arc<Connection>, connections: &mut JoinSet<()>) -> String {
        let (mut readiness, mut age) = (connection.readiness(), lifetime(self.max_age));
        let mut told = Told { standing: Standing::of(&connection), silence: false };
        loop {
            let old = sleep(age);
            tokio::pin!(old);
            loop {
                tokio::select! {
                    () = connection.retired() => return connection.why_retired().to_owned(),
                    // The sender is the connection's; it does not go away meanwhile.
                    _ = readiness.changed() => {
                        self.tell(&mut told, Standing::of(&connection));
                        self.members.tell_change();
                    }
                    () = &mut old => break,
                }
            }
            match self.connect(connections).await {
                Ok(next) => {
                    tracing::debug!(endpoint = %self.member, "an old connection is replaced");
                    self.hand_out(&next);
                    connection.stop();
                    (readiness, connection, age) = (next.readiness(), next, lifetime(self.max_age));
                    told = Told { standing: Standing::of(&connection), silence: false };
                }
                // The old one does still.
                Err(error) => {
                    tracing::debug!(endpoint = %self.member, error, "an old connection is not replaced yet");
                    age = lifetime(self.max_age / 10);
                }
            }
        }
    }

    /// Tells people what is new.
    fn tell(&self, told: &mut Told, now: Standing) {
        let member = &self.member;
        let before = std::mem::replace(&mut told.standing, now);
        match (before.ready, now.ready) {
            (true, false) => tracing::info!(endpoint = %member, "an endpoint wants no calls for now"),
            (false, true) => tracing::info!(endpoint = %member, "an endpoint wants calls again"),
            _ => {}
        }
        match told.silence(before, now, || member.silent.is_new()) {
            Some(true) => {
                tracing::warn!(endpoint = %member, "an endpoint does not answer: others get its calls if there are some");
            }
            Some(false) => tracing::info!(endpoint = %member, "an endpoint answers again"),
            None => {}
        }
    }

    async fn connect(&self, connections: &mut JoinSet<()>) -> Result<Arc<Connection>, String> {
        while connections.try_join_next().is_some() {}
        let (connection, link) = Connection::open(&self.dial, &self.member, &self.introduction).await?;
        connections.spawn(connection.clone().drive(link));
        Ok(connection)
    }

    /// Calls go on that connection from now on, unless the member was retired in this moment.
    fn hand_out(&self, connection: &Arc<Connection>) {
        if !self.members.set(self.member.id, State::Ready(connection.clone())) {
            connection.stop();
        }
    }
}

/// What people know of a connection's peer.
struct Told {
    standing: Standing,
    /// That it does not answer.
    silence: bool,
}

impl Told {
    /// What they are told now: that it does not answer, or that it answers again. The second is news only for who knows the first.
    fn silence(&mut self, before: Standing, now: Standing, is_new: impl FnOnce() -> bool) -> Option<bool> {
        let tell = match (before.silent, now.silent) {
            (false, true) => is_new(),
            (true, false) => self.silence,
            _ => false,
        };
        self.silence = now.silent && (tell || self.silence);
        tell.then_some(now.silent)
    }
}

/// What a connection shows of its peer.
#[derive(Clone, Copy)]
struct Standing {
    ready: bool,
    silent: bool,
}

impl Standing {
    fn of(connection: &Connection) -> Standing {
        Standing { ready: connection.is_ready(), silent: connection.is_silent() }
    }
}

/// Spread over a fifth, so that what began together does not end together.
fn lifetime(max_age: Duration) -> Duration {
    max_age.mul_f64(0.8 + fastrand::f64() / 5.0)
}

/// Exponential backoff with full jitter: clients that lost their server together do not come back together.
fn pause(failures: u32) -> Duration {
    if failures == 0 {
        return Duration::ZERO;
    }
    let longest = SHORTEST_PAUSE.saturating_mul(1 << (failures - 1).min(16)).min(LONGEST_PAUSE);
    longest.mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_bound_and_the_first_try_has_none() {
        assert_eq!(pause(0), Duration::ZERO);
        for failures in 1..200 {
            let bound = SHORTEST_PAUSE * 2u32.pow((failures - 1).min(7));
            assert!(pause(failures) <= bound.min(LONGEST_PAUSE));
        }
    }

    #[test]
    fn that_a_peer_answers_again_is_told_to_who_knows_that_it_did_not() {
        let standing = |silent| Standing { ready: true, silent };
        let mut told = Told { standing: standing(false), silence: false };
        let mut silence = |before, now, new| told.silence(standing(before), standing(now), || new);
        assert_eq!(silence(false, true, true), Some(true));
        assert_eq!(silence(true, true, true), None);
        assert_eq!(silence(true, false, true), Some(false));
        assert_eq!(silence(false, true, false), None, "it was told a moment ago");
        assert_eq!(silence(true, false, false), None);
        assert_eq!(silence(false, true, true), Some(true));
        assert_eq!(silence(true, false, false), Some(false));
    }

    #[test]
    fn connections_of_one_age_are_replaced_over_a_fifth_of_it() {
        let hour = Duration::from_secs(3600);
        assert!((0..1000).all(|_| (hour.mul_f64(0.8)..=hour).contains(&lifetime(hour))));
    }
}
