//! One client connection, as its worker sees it: what it waits for and since when, and its socket, which notes that.

use super::idle::IdleList;
use super::pace::Pace;
use crate::worker::Place;
use hyper::body::Bytes;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use slab::Slab;
use socket2::SockRef;
use std::cell::{Cell, RefCell};
use std::io;
use std::mem::MaybeUninit;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};

/// How much of what a client sends on is read past after its last answer, in bytes.
const MAX_LINGER: usize = 1024 * 1024;

/// Head and body of an answer up to this many bytes are copied together: one plain write costs the kernel less than a
/// vectored one, and more than the copy.
const SMALL_ANSWER: usize = 1024;

/// The connections that are open, and what concerns all of them.
#[derive(Default)]
pub(super) struct Open {
    pub(super) clients: RefCell<Slab<Rc<Client>>>,
    /// Those that wait for a request, and for nothing else.
    pub(super) idle: RefCell<IdleList>,
    /// Set when also those without a request are to be closed.
    pub(super) stopping: Cell<bool>,
    /// Sweeps since the worker began: the clock of the limits.
    pub(super) sweeps: Cell<u64>,
    pub(super) closed: Notify,
}

impl Open {
    /// The connection that has been idle for the longest time.
    pub(super) fn longest_idle(&self) -> Option<Rc<Client>> {
        let first = self.idle.borrow().first()?;
        self.clients.borrow().get(first).cloned()
    }
}

/// What a connection waits for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Phase {
    /// For a request, or for the client to take its answer.
    Idle,
    /// For the rest of a request's head.
    Head,
    /// For us: a request is being answered.
    Busy,
    /// For the end of what it still sends after its last answer.
    Lingering,
}

/// One connection, as the sweep and the drain see it.
pub(super) struct Client {
    pub(super) open: Rc<Open>,
    /// Its number among them.
    key: usize,
    /// Whose it is, if that is known; an IPv4 address as such, whatever kind of socket it came by.
    pub(super) addr: Option<IpAddr>,
    pub(super) phase: Cell<Phase>,
    /// The sweep at which the phase began.
    pub(super) since: Cell<u64>,
    waker: RefCell<Option<Waker>>,
    /// It waited too long.
    pub(super) expired: Cell<bool>,
    /// It is to rest, or does: hyper is to let go of the socket without closing it.
    pub(super) resting: Cell<bool>,
    /// How fast it takes its answers.
    pub(super) pace: Pace,
    /// It takes its answer too slowly: what the kernel still has of that is not kept either.
    pub(super) slow: Cell<bool>,
    /// Who is to have its place if it is still idle.
    heir: RefCell<Option<oneshot::Sender<Place>>>,
}

impl Client {
    /// A client that has just connected, put on the books.
    pub(super) fn register(open: &Rc<Open>, addr: Option<IpAddr>) -> Rc<Client> {
        let mut clients = open.clients.borrow_mut();
        let entry = clients.vacant_entry();
        let client = Rc::new(Client::new(open.clone(), entry.key(), addr));
        client.list();
        entry.insert(client.clone());
        client
    }

    /// Takes it off the books. Gives whoever is to have its place.
    pub(super) fn strike(&self) -> Option<oneshot::Sender<Place>> {
        self.open.idle.borrow_mut().remove(self.key);
        self.open.clients.borrow_mut().remove(self.key);
        self.open.closed.notify_waiters();
        self.heir.take()
    }

    fn new(open: Rc<Open>, key: usize, addr: Option<IpAddr>) -> Client {
        Client {
            key,
            addr,
            phase: Cell::new(Phase::Idle),
            since: Cell::new(open.sweeps.get()),
            waker: RefCell::new(None),
            expired: Cell::new(false),
            resting: Cell::new(false),
            pace: Pace::default(),
            slow: Cell::new(false),
            heir: RefCell::new(None),
            open,
        }
    }

    fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        self.since.set(self.open.sweeps.get());
        self.list();
    }

    /// Puts it last among the idle ones, or takes it out.
    fn list(&self) {
        let mut idle = self.open.idle.borrow_mut();
        if self.phase.get() == Phase::Idle && !self.pace.is_blocked() {
            idle.put_last(self.key);
        } else {
            idle.remove(self.key);
        }
    }

    /// A request's head is there.
    pub(super) fn busy(&self) {
        self.enter(Phase::Busy);
    }

    /// The answer is made.
    pub(super) fn answered(&self) {
        self.enter(Phase::Idle);
    }

    /// Has an idle connection close, and its place given to `heir`; unless a request is there first, then `heir` is dropped.
    pub(super) fn ask_to_go(&self, heir: oneshot::Sender<Place>) {
        self.open.idle.borrow_mut().remove(self.key);
        *self.heir.borrow_mut() = Some(heir);
        // hyper is to let go of the socket first, which is then looked at once more.
        self.resting.set(true);
        self.wake();
    }

    /// Whether it was asked to go.
    pub(super) fn is_asked(&self) -> bool {
        self.heir.borrow().is_some()
    }

    /// It stays, whoever has asked.
    pub(super) fn stay(&self) {
        *self.heir.borrow_mut() = None;
    }

    /// Notes whom to wake when one of the marks is set.
    pub(super) fn remember(&self, waker: &Waker) {
        let mut place = self.waker.borrow_mut();
        match place.as_mut() {
            Some(known) => known.clone_from(waker),
            None => *place = Some(waker.clone()),
        }
    }

    /// Has the connection look at its marks.
    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }
}

/// A client's socket, which notes what goes over it.
pub(super) struct ClientIo {
    stream: TokioIo<TcpStream>,
    /// What was read before the connection rested and not yet taken.
    pub(super) unread: Bytes,
    pub(super) client: Rc<Client>,
    /// Bytes read past since the end of the last answer.
    lingered: usize,
}

impl ClientIo {
    pub(super) fn new(stream: TcpStream, client: Rc<Client>) -> ClientIo {
        ClientIo { stream: TokioIo::new(stream), unread: Bytes::new(), client, lingered: 0 }
    }

    /// Waits until something can be read, if only the end.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.unread.is_empty() {
            return Poll::Ready(());
        }
        // An error is found by whoever reads.
        self.stream.inner().poll_read_ready(cx).map(drop)
    }

    /// Whether bytes have come, of which the runtime may not have heard yet.
    pub(super) fn has_come(&self) -> bool {
        let mut one = [MaybeUninit::uninit()];
        !self.unread.is_empty()
            || SockRef::from(self.stream.inner()).peek(&mut one).is_ok_and(|read| read > 0)
    }

    /// Closing with bytes unread would reset the connection, and the last answer with it (RFC 9112, 9.6). A client that is
    /// still sending, a head that is too long as a rule, is read past until it ends, within a head's time.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut scratch = [0; 4096];
        while self.lingered < MAX_LINGER {
            let mut space = ReadBuf::new(&mut scratch);
            match Pin::new(self.stream.inner_mut()).poll_read(cx, &mut space) {
                Poll::Ready(Ok(())) if !space.filled().is_empty() => {
                    if self.lingered == 0 {
                        self.client.enter(Phase::Lingering);
                    }
                    self.lingered += space.filled().len();
                }
                Poll::Pending if self.lingered > 0 && !self.client.expired.get() => return Poll::Pending,
                _ => break,
            }
        }
        Poll::Ready(())
    }

    /// A client that takes its answer slowly is not idle.
    fn progress(&self, written: &Poll<io::Result<usize>>) {
        let was_blocked = self.client.pace.is_blocked();
        self.client.pace.wrote(written);
        if self.client.phase.get() == Phase::Idle {
            if written.is_ready() {
                self.client.enter(Phase::Idle);
            } else if !was_blocked {
                self.client.list();
            }
        }
    }
}

impl Drop for ClientIo {
    fn drop(&mut self) {
        if self.client.slow.get() {
            // Closed so, the connection is reset and the kernel's memory is free at once.
            let _ = self.stream.inner().set_zero_linger();
        }
    }
}

impl Read for ClientIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.unread.is_empty() {
            let length = self.unread.len().min(buf.remaining());
            buf.put_slice(&self.unread.split_to(length));
            self.client.enter(Phase::Head);
            return Poll::Ready(Ok(()));
        }
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        // The limit runs from a head's first byte: a byte now and then does not prolong it.
        if read.is_ready() && self.client.phase.get() == Phase::Idle {
            self.client.enter(Phase::Head);
        }
        read
    }
}

impl Write for ClientIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.progress(&written);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.client.resting.get() {
            return Poll::Ready(Ok(()));
        }
        ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        self.poll_linger(cx).map(Ok)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut whole = [0; SMALL_ANSWER];
        let written = match joined(bufs, &mut whole) {
            Some(whole) => Pin::new(&mut self.stream).poll_write(cx, whole),
            None => Pin::new(&mut self.stream).poll_write_vectored(cx, bufs),
        };
        self.progress(&written);
        written
    }
}

/// The buffers in one, if they fit.
fn joined<'a>(bufs: &[io::IoSlice<'_>], whole: &'a mut [u8; SMALL_ANSWER]) -> Option<&'a [u8]> {
    let mut length = 0;
    for buf in bufs {
        whole.get_mut(length..length + buf.len())?.copy_from_slice(buf);
        length += buf.len();
    }
    Some(&whole[..length])
}
