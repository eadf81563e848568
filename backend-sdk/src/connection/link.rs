//! One connection: reads, writes, and notices when its peer is gone. Its owner handles the events.
//!
//! An owner calls [`turn`](Link::turn) and then [`events`](Link::events), again and again. A turn writes what is queued,
//! all in one write, and reads once; it ends as soon as there is something to react to. It reads on when the peer does not read:
//! two sides that each wait for the other to read would wait for ever. What waits to be written is bounded by the rules of
//! [`Acceptor`](callgate_protocol::Acceptor) and [`Connector`](callgate_protocol::Connector), and when a write makes no progress
//! for long the connection is given up.
//!
//! What other tasks have to send comes from several of them at a time. So before it writes that, the connection's task goes once to
//! the end of the runtime's queue: a runtime runs a task that was just woken before others that are ready, so that without
//! this each of many that are ready together would have its bytes written alone.

use super::input::Input;
use super::pace::Pace;
use super::watch::Watch;
use super::{Lost, Stream};
use callgate_protocol::connection::Patience;
use callgate_protocol::{Event, Inbound, ProtocolError};
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// For the last bytes at the end of a connection, and again for the peer to close its side.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(1);

/// The state machine of a connection's side, as far as whoever writes has to do with it.
pub(crate) trait Outgoing {
    /// Takes up what other tasks have left for the connection. Has `cx` woken when they leave more.
    fn gather(&mut self, cx: &Context<'_>);
    /// Whether other tasks, which may be ready now, are about to add to what is to be written.
    fn may_grow(&self) -> bool;
    /// Whether nothing waits to be written.
    fn is_empty(&self) -> bool;
    /// Moves what is to be written next into `buffer`, of which everything was written. If there is nothing, `cx` is woken when
    /// there is.
    fn take(&mut self, cx: &Context<'_>, buffer: &mut Vec<u8>);
    /// Asks the peer whether it is there.
    fn ping(&mut self);
    /// Whether calls wait for the peer.
    fn is_busy(&self) -> bool;
}

/// What a turn has brought. In each case events may be there to handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Bytes have arrived.
    Received,
    /// Queued bytes were written, at least in part.
    Sent,
    /// The time that was given to [`Link::wake_at`] has come.
    Alarm,
    /// The peer does not answer, and may be gone. Told again and again until it was heard of, or is given up.
    Doubt,
}

/// A connection under its owner's hand. The owner has its side's state machine.
#[derive(Debug)]
pub(crate) struct Link {
    stream: Stream,
    inbound: Inbound,
    input: Input,
    /// What is being written, from `written` on.
    output: Vec<u8>,
    written: usize,
    /// The others that were ready had their turn since something was queued.
    gathered: bool,
    /// The last turn has left events.
    unfinished: bool,
    watch: Watch,
}

impl Link {
    /// Starts with the handshake.
    pub(crate) fn new(stream: Stream, inbound: Inbound, patience: Patience) -> Link {
        Link {
            stream,
            inbound,
            input: Input::new(),
            output: Vec::new(),
            written: 0,
            gathered: false,
            unfinished: false,
            watch: Watch::new(patience),
        }
    }

    /// Waits until there is something to react to. Nothing is lost when the future is dropped.
    pub(crate) async fn turn(&mut self, side: &mut impl Outgoing) -> Result<Turn, Lost> {
        poll_fn(|cx| self.poll_turn(side, cx)).await
    }

    /// Handles the events that have arrived, until the turn's time is over. What is left is there after the next turn.
    pub(crate) fn events(
        &mut self,
        mut handle: impl FnMut(Event<'_>, &mut Pace) -> Result<(), ProtocolError>,
    ) -> Result<(), Lost> {
        let mut pace = Pace::begin();
        self.unfinished = false;
        loop {
            let (taken, event) = self.inbound.next(self.input.unread()).map_err(Lost::Protocol)?;
            match event {
                Some(event) => {
                    if let Event::Hello(_) = event {
                        self.watch.opened();
                    }
                    handle(event, &mut pace).map_err(Lost::Protocol)?;
                }
                None if taken == 0 => return Ok(()),
                None => {}
            }
            self.input.consume(taken);
            if pace.is_over() {
                self.unfinished = true;
                return Ok(());
            }
        }
    }

    /// Asks for a [`Turn::Alarm`] at that time, or earlier if it was asked for before.
    pub(crate) fn wake_at(&mut self, time: Instant) {
        self.watch.wake_at(time);
    }

    /// Whether everything that was queued is written.
    pub(crate) fn is_flushed(&self, side: &impl Outgoing) -> bool {
        self.written == self.output.len() && side.is_empty()
    }

    /// The receiving half.
    pub(crate) fn inbound(&mut self) -> &mut Inbound {
        &mut self.inbound
    }

    /// Ends the connection so that the last bytes reach the peer: writes what is queued, closes this side, and reads on
    /// until the peer closes its own. To close with unread bytes would be a reset, which destroys what is under way.
    pub(crate) async fn farewell(mut self, side: &mut impl Outgoing) {
        let flushed = timeout(FAREWELL_TIMEOUT, poll_fn(|cx| self.poll_flush(side, cx))).await;
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

    fn poll_turn(&mut self, side: &mut impl Outgoing, cx: &mut Context<'_>) -> Poll<Result<Turn, Lost>> {
        side.gather(cx);
        let others_first = self.unfinished || (side.may_grow() && !self.is_flushed(side));
        if others_first && !std::mem::replace(&mut self.gathered, true) {
            cx.waker().wake_by_ref();
            if self.unfinished {
                // What was read before comes first.
                return Poll::Pending;
            }
        } else {
            let wrote = self.poll_write(side, cx)?;
            if wrote && !self.is_flushed(side) {
                self.watch.alive();
            }
            if wrote || self.unfinished {
                self.gathered = false;
                return Poll::Ready(Ok(Turn::Sent));
            }
        }
        match self.input.poll_fill(&mut self.stream, cx)? {
            Poll::Ready(0) => return Poll::Ready(Err(Lost::Closed)),
            Poll::Ready(_) => {
                self.watch.alive();
                return Poll::Ready(Ok(Turn::Received));
            }
            Poll::Pending => {}
        }
        loop {
            let due = ready!(self.watch.poll(cx, || side.is_busy()))?;
            if due.ping {
                side.ping();
                // It is written in the next turn.
                cx.waker().wake_by_ref();
            }
            if due.alarm {
                return Poll::Ready(Ok(Turn::Alarm));
            }
            if due.doubt {
                return Poll::Ready(Ok(Turn::Doubt));
            }
        }
    }

    /// Writes until the socket takes no more or nothing is queued; says whether anything was written. In either case
    /// the task is woken when it can go on.
    fn poll_write(&mut self, side: &mut impl Outgoing, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut progress = false;
        loop {
            if self.written == self.output.len() {
                self.written = 0;
                self.output.clear();
                side.take(cx, &mut self.output);
                if self.output.is_empty() {
                    match self.stream.poll_flush(cx)? {
                        Poll::Ready(()) => self.watch.flows(),
                        Poll::Pending => self.watch.blocked(),
                    }
                    return Ok(progress);
                }
            }
            match self.stream.poll_write(cx, &self.output[self.written..])? {
                Poll::Ready(0) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(n) => {
                    self.written += n;
                    self.watch.flows();
                    progress = true;
                }
                Poll::Pending => {
                    self.watch.blocked();
                    return Ok(progress);
                }
            }
        }
    }

    fn poll_flush(&mut self, side: &mut impl Outgoing, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_write(side, cx)?;
        if self.is_flushed(side) { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}
