//! A worker's thread: its runtime, the commands that it obeys, and how it keeps in line with each new table.

use super::{Command, Ending};
use crate::front::Connections;
use crate::supervise::{Task, supervised};
use crate::worker::{Shared, Worker};
use std::rc::Rc;
use std::sync::Arc;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

/// Runs worker number `id` on the calling thread until it has drained.
pub(super) fn run(id: usize, shared: Arc<Shared>, commands: mpsc::Receiver<Command>) -> std::io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    runtime.block_on(async {
        let worker = Rc::new(Worker::new(id, shared));
        worker.table();
        let follower = tokio::task::spawn_local(follow_tables(worker.clone()));
        serve(&worker, commands).await;
        follower.abort();
        worker.pool.retire();
    });
    // Without waiting: a name that is being looked up in a thread of its own cannot be told to stop.
    runtime.shutdown_background();
    Ok(())
}

async fn serve(worker: &Rc<Worker>, mut commands: mpsc::Receiver<Command>) {
    let connections = Connections::new(worker.clone());
    let supervisor = &worker.shared.supervisor;
    let ending = supervised!(supervisor, Task::Worker, serve_until_told(worker, &connections, &mut commands));
    if ending == Some(Ending::HandOver) {
        let told = async {
            // With less patience, or never again.
            supervised!(supervisor, Task::Worker, serve_until_told(worker, &connections, &mut commands))
        };
        tokio::select! {
            () = connections.leave() => {}
            _ = told => {}
        }
    }
    connections.drain().await;
}

/// Serves what has connected until the word to drain, which is also what the end of all commands means.
async fn serve_until_told(
    worker: &Worker,
    connections: &Connections,
    commands: &mut mpsc::Receiver<Command>,
) -> Ending {
    loop {
        match commands.recv().await {
            Some(Command::Serve(accepted)) => connections.serve(accepted),
            Some(Command::MakeRoom(heir)) => connections.make_room(heir),
            Some(Command::Replay(tell)) => {
                // Nobody may wait for it any more.
                let _ = tell.send(worker.replay.as_ref().map(|replay| replay.all()).unwrap_or_default());
            }
            Some(Command::Explain(question, tell)) => connections.explain(question, tell),
            Some(Command::Drain(ending)) => return ending,
            None => return Ending::Stop,
        }
    }
}

/// Brings an idle worker in line with each new table, with changes of members and with what operators say of drains, so that
/// connections are made before they are needed, and left before anybody asks. A request looks at the table only: members that
/// change while it runs are there for its next attempt.
async fn follow_tables(worker: Rc<Worker>) {
    // Said once, however often this is begun.
    let mut settled = false;
    let supervisor = &worker.shared.supervisor;
    supervised!(supervisor, Task::TableFollower, follow_tables_and_drains(&worker, &mut settled));
}

async fn follow_tables_and_drains(worker: &Worker, settled: &mut bool) {
    let mut changed = worker.shared.table_changed.subscribe();
    let mut members = worker.shared.members_changed.subscribe();
    let mut drains = worker.shared.drains.listen();
    // What was told before, or to a run that has panicked.
    worker.table();
    worker.pool.follow_all_members();
    loop {
        worker.table();
        tokio::select! {
            result = changed.changed() => if result.is_err() { return },
            result = members.recv() => match result {
                Ok(backend) => worker.pool.follow_members(backend),
                Err(RecvError::Lagged(_)) => worker.pool.follow_all_members(),
                Err(RecvError::Closed) => return,
            },
            result = drains.changed() => {
                if result.is_err() {
                    return;
                }
                let word = *drains.borrow_and_update();
                worker.table();
                worker.pool.follow_drains();
                worker.shared.drains.heeded(worker.id, word);
            }
            () = settle(worker), if !*settled => {
                *settled = true;
                worker.shared.unsettled.send_modify(|unsettled| *unsettled -= 1);
            }
        }
    }
}

/// Waits until every endpoint was tried, those among them that sources list.
async fn settle(worker: &Worker) {
    worker.shared.names_have_begun().await;
    worker.table();
    worker.pool.follow_all_members();
    loop {
        let changed = worker.pool.changed().notified();
        if !worker.pool.is_settling() {
            return;
        }
        changed.await;
    }
}
