//! The steady load: one call falls due after another whatever became of those before it, so that a gateway which answers
//! late is not spared.

use crate::client::{Client, judge};
use crate::tally::{Call, Ended, Tally};
use serde_json::json;
use std::net::SocketAddr;
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
    client: Arc<Client>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Load {
    /// Begins; times count from `began`.
    pub(crate) fn start(addr: SocketAddr, rate: u32, began: Instant) -> Load {
        let (tally, client) = (Arc::new(Tally::default()), Arc::new(Client::new(addr)));
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(go_on(rate, began, client.clone(), tally.clone(), stopped));
        Load { tally, client, stop, task }
    }

    /// Makes no more calls, and waits for those under way. Says what the connections were like.
    pub(crate) async fn stop(self) -> Result<(Arc<Tally>, String), crate::Failed> {
        // Fails only when the task has ended, which the next line tells.
        let _ = self.stop.send(());
        self.task.await?;
        let (connects, unsent) = (self.client.connects(), self.client.unsent());
        let word =
            format!("{connects} made; {unsent} requests found theirs closed and went to another, unsent");
        Ok((self.tally, word))
    }
}

async fn go_on(
    rate: u32,
    began: Instant,
    client: Arc<Client>,
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
        let (client, tally, room) = (client.clone(), tally.clone(), room.clone());
        let at = began.elapsed();
        calls.spawn(async move {
            let _room = room.acquire().await;
            let ended = one(&client, number, at, began).await;
            tally.note(ended);
        });
    }
    while calls.join_next().await.is_some() {}
}

/// One call: four in five are idempotent.
async fn one(client: &Client, number: u64, at: Duration, began: Instant) -> Ended {
    let (call, outcome) = match number % 5 {
        4 => {
            let answer = client.send("POST", "/count", json!({ "id": number }).to_string()).await;
            (Call::Count, judge(answer, &[("id", json!(number))]))
        }
        _ => {
            let factor = number % 1000;
            let path = format!("/lookup/k{number}?factor={factor}");
            let answer = client.send("GET", &path, String::new()).await;
            let expected = [("key", json!(format!("k{number}"))), ("product", json!(factor * 3))];
            (Call::Lookup, judge(answer, &expected))
        }
    };
    Ended { number, call, at, took: began.elapsed().saturating_sub(at), outcome }
}
