//! The admin port's connections: at most so many, of which the one that has waited for its client longest makes room for a
//! newcomer; and likewise where too much lies there that nobody reads. So nobody keeps an operator out by connecting and saying nothing, and
//! browsers that stand still hold little.

use super::unread::Unread;
use super::{Port, Stop, requests};
use crate::descriptors::{Spare, are_used_up};
use crate::supervise::{Task, supervised};
use crate::workers::Ending;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::cell::Cell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};

/// Connections to the admin port at once. More than there may be requests, so that one of them always waits.
const MAX_CONNECTIONS: usize = 64;

/// Bytes of replies that clients have not read, over all connections. One reply may be longer.
const MAX_UNREAD: usize = 64 << 20;

/// How long a client that has connected may take for its first request's head.
const SILENT: Duration = Duration::from_secs(5);

/// How long a client may take to read its reply and to send its next request: longer than the usual time between scrapes.
const IDLE: Duration = Duration::from_secs(30);

/// Descriptors that are kept for when the process has none left.
const SPARE: usize = 4;

/// How long accepting pauses after an error.
const PAUSE: Duration = Duration::from_millis(100);

/// How often the log says that a connection cannot be accepted, at most.
const COMPLAINTS: Duration = Duration::from_secs(10);

/// Serves until the future is dropped; or until a successor has the listening sockets, and what is open here is answered.
pub(super) async fn serve(listener: Arc<std::net::TcpListener>, port: Rc<Port>) -> io::Result<()> {
    let own = TcpListener::from_std(listener.try_clone()?)?;
    // Not kept longer than it is listened to.
    drop(listener);
    let mut seats = Seats::new(port.clone());
    tokio::select! {
        () = accept(&mut seats, &own) => {}
        () = handed_over(port.stop.clone()) => {}
    }
    drop(own);
    while seats.tasks.join_next().await.is_some() {}
    Ok(())
}

async fn accept(seats: &mut Seats, listener: &TcpListener) {
    let supervisor = seats.port.plane.shared.supervisor.clone();
    supervised!(supervisor, Task::Admin, seats.accept(listener));
}

/// Waits until a successor has the listening sockets. An operator's eyes stay on a process that is told to stop.
async fn handed_over(mut stop: Stop) {
    if stop.wait_for(|ending| *ending == Some(Ending::HandOver)).await.is_err() {
        std::future::pending().await
    }
}

/// Since when a connection has waited for its client, and until when it may; none while its request is being answered.
type Waiting = Rc<Cell<Option<(Instant, Instant)>>>;

/// A connection.
struct Seat {
    waiting: Waiting,
    unread: Unread,
    task: AbortHandle,
}

/// The connections that are open.
struct Seats {
    port: Rc<Port>,
    open: HashMap<Id, Seat>,
    /// Told when a reply has been made, which lies there until it is read.
    replied: Rc<Notify>,
    tasks: JoinSet<()>,
    spare: Spare,
    /// Whether connections are to close with their next reply, because there is no descriptor left.
    short: Rc<Cell<bool>>,
    complained: Option<Instant>,
}

impl Seats {
    fn new(port: Rc<Port>) -> Seats {
        let spare = Spare::new(SPARE);
        let (open, tasks) = (HashMap::new(), JoinSet::new());
        let (replied, short) = (Rc::default(), Rc::default());
        Seats { port, open, replied, tasks, spare, short, complained: None }
    }

    async fn accept(&mut self, listener: &TcpListener) {
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => self.seat(stream),
                    Err(error) => self.make_good(&error).await,
                },
                () = self.replied.notified() => self.make_room_for_replies(),
                Some(ended) = self.tasks.join_next_with_id() => {
                    let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                    self.open.remove(&id);
                    self.spare.refill();
                    self.short.set(!self.spare.is_full());
                }
            }
        }
    }

    fn seat(&mut self, stream: TcpStream) {
        if self.open.len() >= MAX_CONNECTIONS {
            self.make_room();
        }
        let waiting: Waiting = Rc::default();
        wait(&waiting, SILENT);
        let supervisor = self.port.plane.shared.supervisor.clone();
        let (unread, waits) = (Unread::default(), waiting.clone());
        let seated = Seated {
            port: self.port.clone(),
            waiting: waits,
            unread: unread.clone(),
            replied: self.replied.clone(),
            short: self.short.clone(),
        };
        let served = serve_connection(stream, seated);
        let task = self.tasks.spawn_local(async move {
            supervisor.guard(Task::AdminConnection, served).await;
        });
        self.open.insert(task.id(), Seat { waiting, unread, task });
    }

    /// Closes the connection that has waited for its client longest.
    fn make_room(&mut self) {
        self.close_longest(|_| true);
    }

    /// The same, while too much lies there that clients do not read. The last of them may have it all.
    fn make_room_for_replies(&mut self) {
        loop {
            let unread = self.open.values().map(|seat| seat.unread.bytes()).filter(|bytes| *bytes > 0);
            let (lie, bytes) = unread.fold((0, 0), |(lie, sum), bytes| (lie + 1, sum + bytes));
            if lie < 2 || bytes <= MAX_UNREAD || !self.close_longest(|seat| seat.unread.bytes() > 0) {
                return;
            }
        }
    }

    /// Of such connections closes the one that has waited for its client longest; whether there was one.
    fn close_longest(&mut self, is_meant: impl Fn(&Seat) -> bool) -> bool {
        let meant = self.open.iter().filter(|(_, seat)| is_meant(seat));
        let waiting = meant.filter_map(|(id, seat)| Some((seat.waiting.get()?.0, *id)));
        let longest = waiting.min_by_key(|(since, _)| *since);
        let closed = longest.and_then(|(_, id)| self.open.remove(&id));
        closed.inspect(|seat| seat.task.abort()).is_some()
    }

    /// Where there is no descriptor left, the next connection gets a spare one, or another connection's.
    async fn make_good(&mut self, error: &io::Error) {
        let used_up = are_used_up(error);
        if used_up && self.spare.give_up() {
            self.short.set(true);
            return;
        }
        let now = Instant::now();
        if self.complained.is_none_or(|last| now - last >= COMPLAINTS) {
            self.complained = Some(now);
            tracing::warn!(%error, "the admin port cannot accept");
        }
        if used_up {
            self.make_room();
        }
        sleep(PAUSE).await;
    }
}

fn wait(waiting: &Waiting, limit: Duration) {
    let now = Instant::now();
    waiting.set(Some((now, now + limit)));
}

/// What a connection shares with all of them, and what is known of it there.
struct Seated {
    port: Rc<Port>,
    waiting: Waiting,
    unread: Unread,
    replied: Rc<Notify>,
    short: Rc<Cell<bool>>,
}

async fn serve_connection(stream: TcpStream, seated: Seated) {
    let Seated { port, waiting, unread, replied, short } = &seated;
    let service = service_fn(|request| async move {
        waiting.set(None);
        let mut reply = unread.counted(requests::reply(request, port).await).await;
        if short.get() {
            reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        wait(waiting, IDLE);
        replied.notify_one();
        Ok::<_, Infallible>(reply)
    });
    let mut connection = pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = overdue(waiting) => return,
        () = handed_over(port.stop.clone()) => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                served = connection.as_mut() => served,
                () = overdue(waiting) => return,
            }
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "an admin connection ended early");
    }
}

/// Waits until a client has kept its connection waiting for too long.
async fn overdue(waiting: &Waiting) {
    loop {
        match waiting.get() {
            Some((_, until)) if until <= Instant::now() => return,
            Some((_, until)) => sleep_until(until).await,
            // A request is being answered, which has limits of its own.
            None => sleep(SILENT).await,
        }
    }
}
