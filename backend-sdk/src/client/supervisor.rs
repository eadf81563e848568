//! Keeps one endpoint's connection up: connects, hands the connection out, and connects again when it is over.
//!
//! The supervisor's task owns the tasks of its connections; there may be several while old ones finish their calls.

use super::connection::Connection;
use super::pool::{Endpoint, State};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A connection that was up for this long was a good one: the next is made without a pause.
const GOOD_AFTER: Duration = Duration::from_secs(1);

/// Never returns; ends when it is aborted.
pub(crate) async fn supervise(endpoint: Arc<Endpoint>, identity: Arc<str>) {
    let mut connections = JoinSet::new();
    let mut failures = 0;
    loop {
        let address = &endpoint.address;
        match Connection::open(address, &identity).await {
            Ok((connection, link)) => {
                tracing::debug!(%address, "connected");
                let since = Instant::now();
                connections.spawn(connection.clone().drive(link));
                endpoint.set(State::Ready(connection.clone()));
                while_it_serves(&endpoint, &connection).await;
                tracing::info!(%address, "a connection has ended or accepts no more calls; connecting anew");
                endpoint.set(State::Connecting);
                failures = if since.elapsed() < GOOD_AFTER { failures + 1 } else { 0 };
            }
            Err(error) => {
                tracing::debug!(%address, error, "cannot connect");
                endpoint.set(State::Down(error));
                failures += 1;
            }
        }
        while connections.try_join_next().is_some() {}
        sleep(pause(failures)).await;
    }
}

/// Returns when the connection accepts no more calls, and tells meanwhile whether the peer wants some.
async fn while_it_serves(endpoint: &Endpoint, connection: &Connection) {
    let mut readiness = connection.readiness();
    let retired = connection.retired();
    tokio::pin!(retired);
    loop {
        tokio::select! {
            () = &mut retired => return,
            // The sender is the connection's; it does not go away meanwhile.
            _ = readiness.changed() => endpoint.tell_change(),
        }
    }
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
}
