//! One connection: reads, writes, and notices when its peer is gone. Its owner handles the events.
//!
//! An owner calls [`turn`](Link::turn) and then [`events`](Link::events), again and again. A turn writes what is queued,
//! all in one write, and reads once; it ends as soon as there is something to react to. It reads on when the peer does not read:
//! two sides that each wait for the other to read would wait for ever. What waits to be written is bounded by the rules of
//! [`Acceptor`](callgate_protocol::Acceptor) and [`Connector`](callgate_protocol::Connector), and when a write makes no progress
//! for long the connection is given up.
//!
//! What has been read is handled for [`TURN`] at most before something is written: on a runtime of one thread methods run
//! meanwhile, and answers and PONGs must not wait for all of them.
//!
//! Before it writes, the task goes once to the end of the runtime's queue: a runtime runs a task that was just woken
//! before others that are ready, so that without this each of many handlers that are ready together would have its
//! answer written alone.

use super::input::Input;
use super::queue::Machine;
use super::{Queue, Stream};
use callgate_protocol::connection::{KeepAlive, Patience, Then};
use callgate_protocol::{Event, Inbound, ProtocolError};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use std::{fmt, io};
use tokio::time::{Instant, Sleep, sleep_until, timeout};

/// From connecting to the peer's HELLO.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How often it is looked whether the peer is there.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Without a byte from the peer for 20 s it is asked whether it is there, and 10 s later it is gone.
const PATIENCE: Patience = Patience {
    idle: Duration::from_secs(20),
    busy: Duration::from_secs(20),
    doubt: Duration::from_secs(10),
    leave: Duration::from_secs(10),
};

/// So long events are handled before it is written and read again.
const TURN: Duration = Duration::from_millis(1);

/// A write that makes no progress for this long ends the connection.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// For the last bytes at the end of a connection, and again for the peer to close its side.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(1);

/// What a turn has brought. In each case events may be there to handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Bytes have arrived.
    Received,
    /// Queued bytes were written, at least in part.
    Sent,
    /// The time that was given to [`Link::wake_at`] has come.
    Alarm,
}

/// Whether handling an event may have taken long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Took {
    /// It did not: the next one follows.
    Nothing,
    /// It may have: the clock is asked.
    Time,
    /// However long it took, no other follows in this turn.
    Turn,
}

/// Why a connection cannot go on.
#[derive(Debug)]
pub(crate) enum Lost {
    /// The peer closed it.
    Closed,
    /// The system reports an error.
    Io(io::Error),
    /// The peer broke the protocol.
    Protocol(ProtocolError),
    /// No HELLO in time.
    NoHandshake,
    /// The peer did not answer a PING.
    Silent,
    /// The peer does not read.
    Stalled,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lost::Closed => write!(f, "the peer closed the connection"),
            Lost::Io(error) => write!(f, "{error}"),
            Lost::Protocol(error) => write!(f, "{error}"),
            Lost::NoHandshake => write!(f, "no HELLO within {} s", HANDSHAKE_TIMEOUT.as_secs()),
            Lost::Silent => write!(f, "no sign of life for {} s", (PATIENCE.idle + PATIENCE.leave).as_secs()),
            Lost::Stalled => write!(f, "the peer has not read for {} s", WRITE_TIMEOUT.as_secs()),
        }
    }
}

impl From<io::Error> for Lost {
    fn from(error: io::Error) -> Lost {
        Lost::Io(error)
    }
}

/// A connection under its owner's hand. `M` is its state machine.
#[derive(Debug)]
pub(crate) struct Link<M> {
    stream: Stream,
    inbound: Inbound,
    input: Input,
    queue: Arc<Queue<M>>,
    /// What is being written, from `written` on; no longer under the queue's lock.
    output: Vec<u8>,
    written: usize,
    /// The others that were ready had their turn since something was queued.
    gathered: bool,
    /// The last turn has left events.
    unfinished: bool,
    started_at: Instant,
    opened: bool,
    keep_alive: KeepAlive,
    look_at: Instant,
    /// Something was read, or written, since the last look.
    alive: bool,
    blocked_since: Option<Instant>,
    alarm: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl<M: Machine> Link<M> {
    /// Starts with the handshake.
    pub(crate) fn new(stream: Stream, inbound: Inbound, queue: Arc<Queue<M>>) -> Link<M> {
        let now = Instant::now();
        Link {
            stream,
            inbound,
            input: Input::new(),
            queue,
            output: Vec::new(),
            written: 0,
            gathered: false,
            unfinished: false,
            started_at: now,
            opened: false,
            keep_alive: KeepAlive::default(),
            look_at: now + LOOK_EVERY,
            alive: true,
            blocked_since: None,
            alarm: None,
            timer: Box::pin(sleep_until(now + LOOK_EVERY)),
        }
    }

    /// Waits until there is something to react to. Nothing is lost when the future is dropped.
    pub(crate) async fn turn(&mut self) -> Result<Turn, Lost> {
        poll_fn(|cx| self.poll_turn(cx)).await
    }

    /// Handles the events that have arrived, for [`TURN`] or until `handle` says that it is enough. What is left is there after
    /// the next turn.
    pub(crate) fn events(
        &mut self,
        mut handle: impl FnMut(Event<'_>) -> Result<Took, ProtocolError>,
    ) -> Result<(), Lost> {
        let began = std::time::Instant::now();
        self.unfinished = false;
        loop {
            let (taken, event) = self.inbound.next(self.input.unread()).map_err(Lost::Protocol)?;
            let took = match event {
                Some(event) => {
                    self.opened |= matches!(event, Event::Hello(_));
                    handle(event).map_err(Lost::Protocol)?
                }
                None if taken == 0 => return Ok(()),
                None => Took::Nothing,
            };
            self.input.consume(taken);
            if took == Took::Turn || (took == Took::Time && began.elapsed() >= TURN) {
                self.unfinished = true;
                return Ok(());
            }
        }
    }

    /// Asks for a [`Turn::Alarm`] at that time, or earlier if it was asked for before.
    pub(crate) fn wake_at(&mut self, time: Instant) {
        if self.alarm.is_none_or(|alarm| time < alarm) {
            self.alarm = Some(time);
            self.wake_timer_by(time);
        }
    }

    /// Whether everything that was queued is written.
    pub(crate) fn is_flushed(&self) -> bool {
        self.written == self.output.len() && self.queue.is_empty()
    }

    /// The receiving half.
    pub(crate) fn inbound(&mut self) -> &mut Inbound {
        &mut self.inbound
    }

    /// Ends the connection so that the last bytes reach the peer: writes what is queued, closes this side, and reads on
    /// until the peer closes its own. To close with unread bytes would be a reset, which destroys what is under way.
    pub(crate) async fn farewell(mut self) {
        let flushed = timeout(FAREWELL_TIMEOUT, poll_fn(|cx| self.poll_flush(cx))).await;
        if !matches!(flushed, Ok(Ok(()))) {
            return;
        }
        let _ = timeout(FAREWELL_TIMEOUT, async {
            poll_fn(|cx| self.stream.poll_shutdown(cx)).await?;
            loop {
                self.input.clear();
                if poll_fn(|cx| self.input.poll_fill(&mut self.stream, cx)).await? == 0 {
                    return io::Result::Ok(());
                }
            }
        })
        .await;
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<Turn, Lost>> {
        if (self.unfinished || !self.is_flushed()) && !std::mem::replace(&mut self.gathered, true) {
            cx.waker().wake_by_ref();
            if self.unfinished {
                // What was read before comes first.
                return Poll::Pending;
            }
        } else {
            let wrote = self.poll_write(cx)?;
            self.alive |= wrote && !self.is_flushed();
            if wrote || self.unfinished {
                self.gathered = false;
                return Poll::Ready(Ok(Turn::Sent));
            }
        }
        match self.input.poll_fill(&mut self.stream, cx)? {
            Poll::Ready(0) => return Poll::Ready(Err(Lost::Closed)),
            Poll::Ready(_) => {
                self.alive = true;
                return Poll::Ready(Ok(Turn::Received));
            }
            Poll::Pending => {}
        }
        loop {
            ready!(self.timer.as_mut().poll(cx));
            if self.on_timer()? {
                return Poll::Ready(Ok(Turn::Alarm));
            }
        }
    }

    /// Writes until the socket takes no more or nothing is queued; says whether anything was written. In either case
    /// the task is woken when it can go on.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut progress = false;
        loop {
            if self.written == self.output.len() {
                self.written = 0;
                self.output.clear();
                if !self.queue.take(cx, &mut self.output) {
                    return Ok(progress);
                }
            }
            match self.stream.poll_write(cx, &self.output[self.written..])? {
                Poll::Ready(0) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(n) => {
                    self.written += n;
                    self.blocked_since = None;
                    progress = true;
                }
                Poll::Pending => {
                    if self.blocked_since.is_none() {
                        let now = Instant::now();
                        self.blocked_since = Some(now);
                        self.wake_timer_by(now + WRITE_TIMEOUT);
                    }
                    return Ok(progress);
                }
            }
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_write(cx)?;
        if self.is_flushed() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// Reacts to the timer and sets it anew; says whether the owner's alarm was among the reasons.
    fn on_timer(&mut self) -> Result<bool, Lost> {
        let now = Instant::now();
        let mut next = now + LOOK_EVERY;
        let mut due = |time: Instant| {
            if time > now {
                next = next.min(time);
            }
            time <= now
        };
        if self.blocked_since.is_some_and(|since| due(since + WRITE_TIMEOUT)) {
            return Err(Lost::Stalled);
        }
        if !self.opened && due(self.started_at + HANDSHAKE_TIMEOUT) {
            return Err(Lost::NoHandshake);
        }
        if due(self.look_at) {
            self.look_at = now + LOOK_EVERY;
            let alive = std::mem::replace(&mut self.alive, false) || !self.opened;
            match self.keep_alive.look(alive, false, LOOK_EVERY, PATIENCE) {
                Then::Ask => self.queue.push(Machine::ping),
                Then::Leave => return Err(Lost::Silent),
                Then::Nothing | Then::Doubt => {}
            }
        }
        let alarm = self.alarm.is_some_and(&mut due);
        if alarm {
            self.alarm = None;
        }
        self.timer.as_mut().reset(next);
        Ok(alarm)
    }

    fn wake_timer_by(&mut self, time: Instant) {
        if time < self.timer.deadline() {
            self.timer.as_mut().reset(time);
        }
    }
}
