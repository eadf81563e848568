//! Listening sockets. A new connection goes to the worker with the fewest; where there is no room for it, it takes the place
//! of the connection that has been idle longest, or is refused: by a reply, or with TLS by the end of its connection.

use super::socket::{AsyncSocket, Socket};
use crate::descriptors::{Spare, are_used_up};
use crate::front::Accepted;
use crate::front::goodbye::{self, MAX_GOODBYES};
use crate::stream::Stream;
use crate::supervise::{Task, supervised};
use crate::worker::{Listener, Place, Shared};
use crate::workers::{Command, Ending};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// How long accepting pauses after an error that is not one connection's own.
const PAUSE: Duration = Duration::from_millis(20);

/// How often the log says that a connection cannot be accepted, at most.
const COMPLAINTS: Duration = Duration::from_secs(10);

/// How many connections are taken from the kernel's queue at the end: as many as it holds ([`super::BACKLOG`]).
const LAST: usize = 4096;

/// Accepts until it is told to stop, or until a worker is gone. What the kernel has accepted by then is served too, its
/// request may have come already; unless a successor is there to do it.
pub async fn accept(
    socket: Socket,
    listener: Arc<Listener>,
    shared: Arc<Shared>,
    workers: Vec<mpsc::Sender<Command>>,
    mut stop: watch::Receiver<Option<Ending>>,
) {
    let supervisor = shared.supervisor.clone();
    let socket = match socket.into_async() {
        Ok(socket) => socket,
        Err(error) => {
            tracing::error!(%error, listener = listener.id, "a listener cannot be served");
            return;
        }
    };
    let mut door = Door::new(shared, listener, workers);
    let told = supervised!(supervisor, Task::Acceptor, accept_until_told(&socket, &mut door, &mut stop));
    let Some(Ok(ending)) = told else { return };
    if ending != Some(Ending::HandOver)
        && let Ok(socket) = socket.into_std()
    {
        for _ in 0..LAST {
            let Ok(stream) = socket.accept() else { break };
            if stream.set_nonblocking().is_ok() && door.admit(stream).await.is_err() {
                return;
            }
        }
    }
    door.close().await;
}

/// What it is told, which is nothing when whoever tells is gone.
async fn accept_until_told(
    socket: &AsyncSocket,
    door: &mut Door,
    stop: &mut watch::Receiver<Option<Ending>>,
) -> Result<Option<Ending>, Gone> {
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            // Fails only when the sender is gone, which is as good as being told.
            stop = stop.wait_for(Option::is_some) => return Ok(stop.map_or(None, |ending| *ending)),
        };
        match accepted {
            Ok(stream) => door.admit(stream).await?,
            // Errors of the one connection that was about to be accepted.
            Err(error) if is_of_connection(&error) => {}
            Err(error) => door.make_good(socket, error).await?,
        }
    }
}

/// A worker has gone, and the process with it.
struct Gone;

/// Where newcomers are let in or refused.
struct Door {
    shared: Arc<Shared>,
    listener: Arc<Listener>,
    workers: Vec<mpsc::Sender<Command>>,
    /// Newcomers that are being refused; at most [`MAX_GOODBYES`].
    goodbyes: JoinSet<()>,
    /// One descriptor, so that a newcomer can be refused when there is none left.
    spare: Spare,
    complained: Option<Instant>,
}

impl Door {
    fn new(shared: Arc<Shared>, listener: Arc<Listener>, workers: Vec<mpsc::Sender<Command>>) -> Door {
        Door { shared, listener, workers, goodbyes: JoinSet::new(), spare: Spare::new(1), complained: None }
    }

    /// Hands a newcomer to a worker, or refuses it. Whom the listener does not let in gets no answer: he is no client of ours, or
    /// takes more than his share.
    async fn admit(&mut self, stream: Stream) -> Result<(), Gone> {
        let Ok(client_place) = self.listener.let_in(|| stream.peer()) else { return Ok(()) };
        stream.do_not_delay();
        let place = match self.shared.room.take() {
            Some(place) => Some(place),
            None => self.place_of_an_idle_one().await,
        };
        match place {
            Some(place) => {
                self.listener.accepted.increment();
                let worker = &self.workers[place.worker()];
                let accepted = Accepted { stream, listener: self.listener.clone(), place, client_place };
                worker.send(Command::Serve(accepted)).await.map_err(|_| Gone)
            }
            None => {
                self.refuse(stream).await;
                Ok(())
            }
        }
    }

    /// Has the connection close that has been idle longest, and takes its place; none when no connection is idle.
    async fn place_of_an_idle_one(&self) -> Option<Place> {
        for worker in self.shared.room.by_idleness() {
            let (heir, place) = oneshot::channel();
            if self.workers[worker].send(Command::MakeRoom(heir)).await.is_ok()
                && let Ok(place) = place.await
            {
                return Some(place);
            }
        }
        None
    }

    async fn refuse(&mut self, stream: Stream) {
        self.count_refused();
        // Nothing can be told in the clear to a client that waits for a handshake.
        if self.listener.tls.is_some() {
            return;
        }
        while self.goodbyes.try_join_next().is_some() {}
        if self.goodbyes.len() < MAX_GOODBYES {
            let supervisor = self.shared.supervisor.clone();
            self.goodbyes.spawn(async move {
                supervisor.guard(Task::Refusal, goodbye::say(stream)).await;
            });
        } else {
            goodbye::say_at_once(stream).await;
        }
    }

    fn count_refused(&mut self) {
        self.shared.room.count_refused();
        let refused = self.shared.room.refused();
        if self.may_complain() {
            let bound = self.shared.room.bound();
            tracing::warn!(
                bound,
                refused,
                "as many client connections as there may be: newcomers are refused"
            );
        }
    }

    /// What can be done about an error of accepting. Where there is no descriptor left, an idle connection gives its own,
    /// or the newcomer is accepted by the spare one and refused.
    async fn make_good(&mut self, socket: &AsyncSocket, error: io::Error) -> Result<(), Gone> {
        if self.may_complain() {
            tracing::warn!(%error, "cannot accept connections");
        }
        if !are_used_up(&error) {
            sleep(PAUSE).await;
            return Ok(());
        }
        if self.place_of_an_idle_one().await.is_some() {
            return Ok(());
        }
        if self.spare.give_up()
            && let Some(stream) = socket.accept_now()
        {
            self.count_refused();
            // Its request comes meanwhile; after the end it would have the connection reset, and the answer lost.
            sleep(PAUSE).await;
            if self.listener.tls.is_none() {
                goodbye::say_at_once(stream).await;
            }
        } else {
            sleep(PAUSE).await;
        }
        self.spare.refill();
        Ok(())
    }

    /// Whether the log has not heard of trouble for a while.
    fn may_complain(&mut self) -> bool {
        let now = Instant::now();
        let may = self.complained.is_none_or(|last| now - last >= COMPLAINTS);
        if may {
            self.complained = Some(now);
        }
        may
    }

    /// Waits until those have their answer that are being refused.
    async fn close(mut self) {
        while self.goodbyes.join_next().await.is_some() {}
    }
}

fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
