//! One endpoint's supervisor in one worker: keeps a connection to it, and tells who waits when that changes.

use super::connecting::Connecting;
use super::endpoint::Endpoint;
use super::endpoint_connection::{Surroundings, connect};
use super::local_endpoint::LocalEndpoint;
use crate::supervise::{Task, supervised};
use crate::transport::Link;
use crate::transport::callgate::Connection;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// Bounds of the time between two attempts to connect.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const LAST_BACKOFF: Duration = Duration::from_secs(1);

/// When a worker has reached an endpoint, the others attempt it again within this time.
const FOLLOW_WITHIN: Duration = Duration::from_millis(20);

/// A connection that ends before this is not a success: the next attempt waits as after a failure.
const SETTLED: Duration = Duration::from_secs(1);

/// Begins to connect to an endpoint, unless somebody does already. Must be called on the worker's runtime.
pub(super) fn start(local: &Rc<LocalEndpoint>, how: &Arc<Connecting>, surroundings: &Surroundings) {
    if !local.is_retired() {
        return;
    }
    #[cfg(test)]
    if surroundings.played {
        return super::testing::play(local);
    }
    let task = {
        let (local, how, surroundings) = (local.clone(), how.clone(), surroundings.clone());
        async move {
            let supervisor = &surroundings.supervisor;
            supervised!(supervisor, Task::Endpoint, supervise(&local, &how, &surroundings));
        }
    };
    local.set_supervisor(tokio::task::spawn_local(task).abort_handle());
}

/// Keeps a connection to the endpoint, for ever.
async fn supervise(local: &Rc<LocalEndpoint>, how: &Arc<Connecting>, surroundings: &Surroundings) {
    // What a run has left that has panicked.
    local.let_go();
    let mut reached = local.endpoint.signals.watch_reached();
    let mut failures = 0;
    loop {
        let began = Instant::now();
        reached.mark_unchanged();
        match connect(local, how, surroundings).await {
            Ok(connection) => {
                local.set_link(Some(Link::Callgate(connection.clone())));
                local.monitor.connected(Instant::now());
                local.set_hopeful(true);
                surroundings.tell_change(&local.monitor);
                local.endpoint.signals.raise_reached();
                hold(local, connection, how, surroundings).await;
                local.set_link(None);
                failures = if began.elapsed() < SETTLED { failures + 1 } else { 0 };
                // Calls wait for the next attempt only if it comes at once.
                local.set_hopeful(failures == 0);
                surroundings.tell_change(&local.monitor);
                if failures > 0 {
                    sleep(backoff(failures)).await;
                }
            }
            Err(error) => {
                failures += 1;
                is_out_of_reach(&local.endpoint, how, surroundings, error);
                local.set_hopeful(false);
                surroundings.tell_change(&local.monitor);
                pause(failures, &mut reached).await;
            }
        }
    }
}

/// What all workers find out is said once, and again when it is something else.
fn is_out_of_reach(endpoint: &Endpoint, how: &Arc<Connecting>, surroundings: &Surroundings, error: String) {
    let known = endpoint.error.load().as_ref().is_some_and(|known| **known == error);
    if !known {
        tracing::warn!(endpoint = %endpoint.addr, backend = how.backend, %error, "cannot reach an endpoint");
    }
    if endpoint.error.swap(Some(Arc::new(error))).is_none() {
        surroundings.offers.note(&how.backend);
    }
}

/// Waits before the next attempt to connect: until another worker has reached the endpoint, perhaps while this one was failing, or
/// else for the backoff.
async fn pause(failures: u32, reached: &mut watch::Receiver<()>) {
    tokio::select! {
        () = sleep(backoff(failures)) => {}
        // The sender is the endpoint's; it does not go away meanwhile.
        _ = reached.changed() => sleep(FOLLOW_WITHIN.mul_f64(fastrand::f64())).await,
    }
}

/// Keeps the endpoint connected as long as a connection ends by its age only: then the next one is there before the old one takes
/// no more calls. So long-lived connections come to instances that were not there when they were made, where one address leads to
/// several.
async fn hold(
    local: &Rc<LocalEndpoint>,
    mut connection: Rc<Connection>,
    how: &Arc<Connecting>,
    surroundings: &Surroundings,
) {
    let mut age = lifetime(how.max_age);
    loop {
        let closing = connection.closing().notified();
        if !connection.accepts() {
            return;
        }
        tokio::select! {
            () = closing => return,
            () = sleep(age) => {}
        }
        match connect(local, how, surroundings).await {
            Ok(next) => {
                local.set_link(Some(Link::Callgate(next.clone())));
                connection.stop_accepting();
                connection = next;
                age = lifetime(how.max_age);
                surroundings.tell_change(&local.monitor);
            }
            // The old one does still.
            Err(error) => {
                tracing::debug!(endpoint = %local.endpoint.addr, %error, "an old connection is not replaced yet");
                age = lifetime(how.max_age / 10);
            }
        }
    }
}

/// Spread over a fifth, so that what began together does not end together.
fn lifetime(max_age: Duration) -> Duration {
    max_age.mul_f64(0.8 + fastrand::f64() / 5.0)
}

/// Doubles with each failure, and is spread over its upper half so that workers and gateways do not come all at once.
fn backoff(failures: u32) -> Duration {
    let most = FIRST_BACKOFF.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LAST_BACKOFF);
    most.mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests;
