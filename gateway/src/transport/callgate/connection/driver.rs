//! The task of a connection: reads and writes until it ends. Whether the peer is there at all is the health reviewer's to find out.
//!
//! It is woken once, at the end of the worker's turn, and writes what all calls of that turn have put into the send buffer
//! in one system call. Under load it lets the runtime look at its sockets once more before: a write, and the instance that
//! wakes up for it, cost more than anything else on the way, and then serve twice as many calls. A call that is alone is
//! written at once.

use super::Connection;
use crate::stream::AsyncStream;
use crate::transport::callgate::farewell::say_why;
use crate::transport::callgate::handshake::Channel;
use crate::transport::callgate::in_flight::Machine;
use callgate_protocol::connection::MAX_BACKLOG;
use callgate_protocol::{Inbound, PIECES, ProtocolError};
use std::future::{Future, poll_fn};
use std::io::{ErrorKind, IoSlice};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::yield_now;
use tokio::time::{Instant, Sleep, sleep_until};

/// What is read at once, in bytes.
const READ_SIZE: usize = 64 * 1024;

/// Why a connection ended.
#[derive(Debug)]
pub enum End {
    /// It was to end, and nothing was left to answer.
    Drained,
    /// The peer closed it.
    Closed,
    /// The peer answered no PING.
    Silent,
    /// The socket failed.
    Io(std::io::Error),
    /// The peer broke the protocol.
    Protocol(ProtocolError),
}

/// The task of a connection: reads and writes until it ends, then settles the calls that are left.
pub fn drive(conn: Rc<Connection>, channel: Channel) -> impl Future<Output = End> {
    // Made here, because the future may be dropped before it has begun.
    let settled = Settled(conn.clone());
    async move {
        let _settled = settled;
        run(&conn, channel).await
    }
}

async fn run(conn: &Connection, channel: Channel) -> End {
    let Channel { stream, inbound, unread } = channel;
    let filled = unread.len();
    let mut buffer = unread;
    buffer.resize(filled.max(READ_SIZE), 0);
    let mut driver = Driver {
        conn,
        stream,
        inbound,
        buffer,
        filled,
        gathering: Gathering::Begun,
        deadline: Box::pin(sleep_until(Instant::now())),
        overdue: false,
    };
    let end = poll_fn(|cx| driver.poll(cx)).await;
    if let End::Protocol(error) = &end {
        // Whoever waits for a call need not wait for the peer to read.
        conn.on_end();
        let telling = say_why(&mut driver.stream, &mut conn.machine.borrow_mut(), &error.to_string());
        telling.await;
    }
    end
}

/// Settles what is left however the connection's task ends: even a panic in it must not leave calls waiting for their
/// deadlines, and further ones coming.
struct Settled(Rc<Connection>);

impl Drop for Settled {
    fn drop(&mut self) {
        self.0.on_end();
    }
}

/// How far the task is in waiting for more to write.
enum Gathering {
    /// Nothing waits, or for the runtime to look at its sockets.
    Begun,
    /// It looks.
    Looking,
    /// It has, and runs the tasks that became ready by it.
    Running,
}

struct Driver<'a> {
    conn: &'a Connection,
    stream: AsyncStream,
    inbound: Inbound,
    buffer: Vec<u8>,
    filled: usize,
    gathering: Gathering,
    /// For the first deadline of all calls in flight.
    deadline: Pin<Box<Sleep>>,
    /// It has come, and the socket is looked at once more.
    overdue: bool,
}

impl Driver<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        self.conn.writer.register(cx);
        let read = self.poll_read(cx);
        self.poll_deadlines(cx);
        let written = read.and_then(|()| self.poll_gather(cx));
        self.conn.give_turns();
        match written {
            Err(end) => Poll::Ready(end),
            Ok(()) if self.conn.liveness.is_given_up() => Poll::Ready(End::Silent),
            Ok(()) if self.conn.machine.borrow().is_done() => Poll::Ready(End::Drained),
            Ok(()) => Poll::Pending,
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        self.take_frames()?;
        loop {
            let mut space = ReadBuf::new(&mut self.buffer[self.filled..]);
            match Pin::new(&mut self.stream).poll_read(cx, &mut space) {
                Poll::Pending => return Ok(()),
                // An instance that was killed says no farewell inside TLS.
                Poll::Ready(Err(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                    return Err(End::Closed);
                }
                Poll::Ready(Err(error)) => return Err(End::Io(error)),
                Poll::Ready(Ok(())) => {
                    let read = space.filled().len();
                    if read == 0 {
                        return Err(End::Closed);
                    }
                    self.filled += read;
                    self.conn.hears(Instant::now());
                    self.take_frames()?;
                }
            }
        }
    }

    /// Takes all whole frames and leaves room for the rest of one that is not.
    fn take_frames(&mut self) -> Result<(), End> {
        let mut at = 0;
        loop {
            let (taken, event) = self.inbound.next(&self.buffer[at..self.filled]).map_err(End::Protocol)?;
            if taken == 0 {
                break;
            }
            at += taken;
            if let Some(event) = event {
                let long = self.conn.on_event(event).map_err(End::Protocol)?;
                if let Some(long) = long {
                    let (payload, room) = self.inbound.take_payload().unwrap_or_default();
                    self.conn.hand_over(long, payload, room);
                }
            }
        }
        if at > 0 {
            self.buffer.copy_within(at..self.filled, 0);
            self.filled -= at;
        }
        let wanted = Inbound::frame_size(&self.buffer[..self.filled]).unwrap_or(0).max(READ_SIZE);
        if wanted > self.buffer.len() || (self.buffer.len() > READ_SIZE && self.filled == 0) {
            self.buffer.resize(wanted, 0);
            self.buffer.shrink_to_fit();
        }
        Ok(())
    }

    /// Ends the calls whose time is up. Most are answered long before, so the timer is moved only when it has run out or
    /// an earlier deadline has come. After it has run out, the runtime looks at its sockets and what lies in this one is read:
    /// a gateway that was away for a while finds the deadlines over, but the answers came in time.
    fn poll_deadlines(&mut self, cx: &mut Context<'_>) {
        while let Some(first) = self.conn.first_deadline() {
            if self.deadline.is_elapsed() || first < self.deadline.deadline() {
                self.deadline.as_mut().reset(first);
            }
            if self.deadline.as_mut().poll(cx).is_pending() {
                break;
            }
            if !self.overdue {
                self.overdue = true;
                // Polled once, it has the task woken after the runtime has looked.
                let _ = pin!(yield_now()).poll(cx);
                return;
            }
            self.conn.expire(Instant::now());
        }
        self.overdue = false;
    }

    /// Writes at once; or, if other calls are in flight, so that there is probably more to write, when the runtime has
    /// looked at its sockets once more and run what became ready.
    fn poll_gather(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        let gathered = self.conn.writer.gathered();
        if gathered > 0 && gathered < self.conn.in_flight() {
            match self.gathering {
                Gathering::Begun => {
                    self.gathering = Gathering::Looking;
                    // Polled once, it has the task woken after the runtime has looked.
                    let _ = pin!(yield_now()).poll(cx);
                    return Ok(());
                }
                Gathering::Looking => {
                    self.gathering = Gathering::Running;
                    cx.waker().wake_by_ref();
                    return Ok(());
                }
                Gathering::Running => {}
            }
        }
        self.gathering = Gathering::Begun;
        self.conn.writer.writes();
        self.poll_write(cx)
    }

    /// Writes what the socket takes, and tells those that wait for room when there is some again.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        let mut machine = self.conn.machine.borrow_mut();
        let was_full = machine.backlog() >= MAX_BACKLOG;
        let written = poll_write_all(&mut self.stream, &mut machine, cx);
        let has_room = was_full && machine.backlog() < MAX_BACKLOG;
        drop(machine);
        if let Ok(true) = written {
            self.conn.has_flushed();
        }
        if has_room {
            self.conn.worker.room.notify_waiters();
        }
        written.map(drop)
    }
}

/// Writes what the socket takes. Says whether all that has left lies there.
fn poll_write_all(
    stream: &mut AsyncStream,
    machine: &mut Machine,
    cx: &mut Context<'_>,
) -> Result<bool, End> {
    while !machine.is_empty() {
        let chunk = machine.chunk();
        let written = match chunk.as_one() {
            Some(bytes) => Pin::new(&mut *stream).poll_write(cx, bytes),
            None => {
                let mut room = [IoSlice::new(&[]); PIECES];
                Pin::new(&mut *stream).poll_write_vectored(cx, chunk.io_slices(&mut room))
            }
        };
        match written {
            Poll::Pending => break,
            Poll::Ready(Err(error)) => return Err(End::Io(error)),
            Poll::Ready(Ok(n)) => machine.advance(n),
        }
    }
    // TLS keeps what its socket did not take, and has the task woken when there is room.
    match Pin::new(stream).poll_flush(cx) {
        Poll::Ready(Err(error)) => Err(End::Io(error)),
        Poll::Ready(Ok(())) => Ok(true),
        Poll::Pending => Ok(false),
    }
}
