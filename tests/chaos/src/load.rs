//! The steady load: one call falls due after another whatever became of those before it, so that a gateway which answers
//! late is not spared.

use crate::caller::Caller;
use crate::tally::{Call, Ended, Tally};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval};

/// Connections open at once at most. A call that finds none waits, and that counts into its time.
const CONNECTIONS: usize = 1024;

/// A load that goes on until it is stopped.
pub(crate) struct Load {
    /// What becomes of the calls.
    pub(crate) tally: Arc<Tally>,
    caller: Arc<Caller>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Load {
    /// Begins; times count from `began`.
    pub(crate) fn start(caller: Caller, rate: u32, began: Instant) -> Load {
        let (tally, caller) = (Arc::new(Tally::default()), Arc::new(caller));
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(go_on(rate, began, caller.clone(), tally.clone(), stopped));
        Load { tally, caller, stop, task }
    }

    /// Makes no more calls, and waits for those under way. Says what the connections were like.
    pub(crate) async fn stop(self) -> Result<(Arc<Tally>, String), crate::Failed> {
        // Fails only when the task has ended, which the next line tells.
        let _ = self.stop.send(());
        self.task.await?;
        Ok((self.tally, self.caller.connections()))
    }
}

async fn go_on(
    rate: u32,
    began: Instant,
    caller: Arc<Caller>,
    tally: Arc<Tally>,
    mut stopped: oneshot::Receiver<()>,
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut due = interval(Duration::from_secs(1) / rate);
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut calls = JoinSet::new();
    for number in 0u64.. {
        tokio::select! {
            _ = due.tick() => {}
            _ = &mut stopped => break,
        }
        while calls.try_join_next().is_some() {}
        let (caller, tally, room) = (caller.clone(), tally.clone(), room.clone());
        let at = began.elapsed();
        calls.spawn(async move {
            let _room = room.acquire().await;
            let ended = one(&caller, number, at, began).await;
            tally.note(ended);
        });
    }
    while calls.join_next().await.is_some() {}
}

/// One call: four in five are idempotent.
async fn one(caller: &Caller, number: u64, at: Duration, began: Instant) -> Ended {
    let (call, outcome) = match number % 5 {
        4 => (Call::Count, caller.count(number).await),
        _ => (Call::Lookup, caller.lookup(format!("k{number}"), (number % 1000) as u32).await),
    };
    Ended { number, call, at, took: began.elapsed().saturating_sub(at), outcome }
}
