//! One client connection, as its worker sees it: whose it is, what it waits for and since when, and the exchanges that are open on it.
//!
//! Time limits and marks are the connection's. What belongs to one request is its exchange's: there may be several at a time.

mod echo;
mod idle;
mod open;
mod over;
mod requests;
mod streams;
mod unsent;

pub(super) use open::OpenConnections;
pub(super) use over::Over;
pub(super) use requests::RequestBound;
pub(super) use streams::{Awaited, Due, Http2, LEAVES_WITHIN, OpenStream, Stream};
pub(super) use unsent::Hold;

use super::client_certificate::ShownCertificate;
use super::pace::Pace;
use super::peer::TlsPeer;
use crate::auth::{KnownPeer, Peer};
use crate::worker::{Listener, Place};
use std::cell::{Cell, OnceCell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use tokio::sync::oneshot;

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Phase {
    /// For the end of what comes before the first request: a PROXY header, a TLS handshake.
    Handshake,
    /// For a request: no exchange is open.
    Idle,
    /// For the rest of a request's head.
    Head,
    /// For the rest of a request's body, wanted or not.
    Body,
    /// For us, or for the client to take its reply: exchanges are open.
    Busy,
    /// For either side of its WebSocket, which keeps its own time limits.
    WebSocket,
    /// For the end of what it still sends after its last reply.
    Lingering,
    /// For nothing: it is off the books.
    Closed,
}

/// One connection, as the sweep and the drain see it.
pub(super) struct Connection {
    pub(super) open: Rc<OpenConnections>,
    /// Its number among them.
    key: usize,
    /// The client's address, if that is known: the other end's, or what a PROXY header has said. An IPv4 address as such, whatever
    /// kind of socket it came by.
    pub(super) client: Cell<Option<IpAddr>>,
    /// The other end is a proxy, whose requests say who their clients are.
    pub(super) is_proxy: Cell<bool>,
    /// How many requests may still come.
    requests_left: Cell<u32>,
    /// Which listener it came by.
    pub(super) listener: Arc<Listener>,
    /// The user of the process that has connected, of a Unix socket.
    user: Option<u32>,
    /// What authenticators have said of its other end.
    known: KnownPeer,
    /// What is known of its client by TLS, once that has shaken hands.
    pub(super) tls: OnceCell<Box<TlsPeer>>,
    /// How many exchanges are open.
    exchanges: Cell<u32>,
    pub(super) phase: Cell<Phase>,
    /// The sweep at which the phase began.
    pub(super) since: Cell<u64>,
    waker: RefCell<Option<Waker>>,
    /// It waited too long for what it waits for.
    pub(super) expired: Cell<bool>,
    /// It has been idle for a while: its task is to keep as little as it can.
    pub(super) resting: Cell<bool>,
    /// How fast bytes go over it.
    pub(super) pace: Pace,
    /// There are too many handshakes, and its own is to end.
    pub(super) crowded_out: Cell<bool>,
    /// It takes its reply too slowly: what the kernel still has of that is not kept either.
    pub(super) slow: Cell<bool>,
    /// Its place among all connections.
    pub(super) place: Cell<Option<Place>>,
    /// Who is to have that if it is still idle.
    heir: RefCell<Option<oneshot::Sender<Place>>>,
    /// What it has if it is one of HTTP/2.
    pub(super) http2: OnceCell<Box<Http2>>,
}

impl Connection {
    /// One that has just been made, put on the books.
    pub(super) fn register(
        open: &Rc<OpenConnections>,
        listener: Arc<Listener>,
        client: Option<IpAddr>,
        user: Option<u32>,
    ) -> Rc<Connection> {
        let mut all = open.all.borrow_mut();
        let entry = all.vacant_entry();
        let connection = Rc::new(Connection::new(open.clone(), entry.key(), listener, (client, user)));
        connection.list();
        entry.insert(connection.clone());
        connection
    }

    /// Takes it off the books, and gives its place back, or to whoever is to have it.
    pub(super) fn strike(&self) {
        // Its number may be another's soon.
        self.phase.set(Phase::Closed);
        self.open.idle.borrow_mut().remove(self.key);
        self.open.all.borrow_mut().remove(self.key);
        self.open.closed.notify_waiters();
        self.give_place();
    }

    /// Gives its place back, or to whoever is to have it, before it has ended.
    pub(super) fn give_place(&self) {
        let (place, heir) = (self.place.take(), self.heir.take());
        if let (Some(place), Some(heir)) = (place, heir) {
            // Nobody may wait for it any more; then it is given back.
            let _ = heir.send(place);
        }
    }

    fn new(
        open: Rc<OpenConnections>,
        key: usize,
        listener: Arc<Listener>,
        (client, user): (Option<IpAddr>, Option<u32>),
    ) -> Connection {
        let is_preceded = listener.tls.is_some() || listener.clients.proxy_protocol.is_some();
        let first = if is_preceded { Phase::Handshake } else { Phase::Idle };
        Connection {
            key,
            client: Cell::new(client),
            is_proxy: Cell::new(listener.clients.is_proxy(client)),
            requests_left: Cell::new(open.requests.draw()),
            listener,
            user,
            known: KnownPeer::default(),
            tls: OnceCell::new(),
            exchanges: Cell::new(0),
            phase: Cell::new(first),
            since: Cell::new(open.sweeps.get()),
            waker: RefCell::new(None),
            expired: Cell::new(false),
            resting: Cell::new(false),
            pace: Pace::default(),
            crowded_out: Cell::new(false),
            slow: Cell::new(false),
            place: Cell::new(None),
            heir: RefCell::new(None),
            http2: OnceCell::new(),
            open,
        }
    }

    /// Its client is who has that address.
    pub(super) fn set_client(&self, client: Option<IpAddr>) {
        self.client.set(client);
        self.is_proxy.set(self.listener.clients.is_proxy(client));
    }

    /// Whether it has had as many requests as it may have: the reply to the last one is its own last one.
    pub(super) fn is_used_up(&self) -> bool {
        self.requests_left.get() == 0
    }

    /// From now on it waits for something else.
    pub(super) fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        self.since.set(self.open.sweeps.get());
        self.expired.set(false);
        self.pace.rest();
        self.list();
    }

    /// Puts it last among the idle ones, or takes it out.
    fn list(&self) {
        let mut idle = self.open.idle.borrow_mut();
        if self.phase.get() == Phase::Idle {
            idle.put_last(self.key);
        } else {
            idle.remove(self.key);
        }
    }

    /// Its handshake begins. Where more are in progress than `most`, the one that has waited longest is told to end.
    pub(super) fn begin_handshake(&self, most: usize) {
        let open = &self.open;
        open.shaking.set(open.shaking.get() + 1);
        open.handshakes.borrow_mut().put_last(self.key);
        if open.shaking.get() <= most {
            return;
        }
        let oldest = open.handshakes.borrow().first();
        if let Some(oldest) = oldest.and_then(|key| open.all.borrow().get(key).cloned()) {
            open.handshakes.borrow_mut().remove(oldest.key);
            oldest.crowded_out.set(true);
            oldest.wake();
        }
    }

    /// Its handshake has ended.
    pub(super) fn end_handshake(&self) {
        self.open.shaking.set(self.open.shaking.get() - 1);
        self.open.handshakes.borrow_mut().remove(self.key);
    }

    /// A request's head is there: the exchange is open until what is given here is dropped, which may be after others have begun and
    /// ended.
    #[inline]
    pub(super) fn begin_exchange(self: &Rc<Self>) -> OpenExchange {
        let others = self.exchanges.replace(self.exchanges.get() + 1);
        self.requests_left.set(self.requests_left.get().saturating_sub(1));
        // Whoever does not take a reply gets no more time by asking for another one.
        if others == 0 {
            self.enter(Phase::Busy);
        }
        OpenExchange(self.clone())
    }

    /// Has an idle connection close, and its place given to `heir`; unless a request is there first, then `heir` is dropped.
    pub(super) fn ask_to_go(&self, heir: oneshot::Sender<Place>) {
        // A request may have come since it was chosen.
        if self.phase.get() != Phase::Idle {
            return;
        }
        self.open.idle.borrow_mut().remove(self.key);
        *self.heir.borrow_mut() = Some(heir);
        self.wake();
    }

    /// Whether it was asked to go.
    pub(super) fn is_asked(&self) -> bool {
        self.heir.borrow().is_some()
    }

    /// It stays, whoever has asked; and may be asked again.
    pub(super) fn stay(&self) {
        if self.heir.take().is_some() {
            self.list();
        }
    }

    /// Its other end, as authenticators see it.
    #[inline]
    pub(super) fn peer(&self) -> Peer<'_> {
        let certificate = self.shown_certificate().map(|shown| &shown.identity);
        Peer { certificate, user: self.user, known: &self.known }
    }

    /// The certificate that its client has shown, which was verified.
    pub(super) fn shown_certificate(&self) -> Option<&ShownCertificate> {
        self.tls.get()?.shown.as_ref()
    }

    /// Whether its client speaks plain HTTP where TLS is spoken.
    pub(super) fn is_stray(&self) -> bool {
        self.listener.tls.is_some() && self.tls.get().is_none()
    }

    /// The lines that its listener gives each reply. They speak of TLS: who comes without does not get them (RFC 6797, 7.2).
    #[inline]
    pub(super) fn reply_lines(&self) -> &[u8] {
        self.tls.get().map_or(&[], |_| &self.listener.lines)
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

/// An exchange that is open on a connection, which is not idle for as long as there is one.
pub(super) struct OpenExchange(Rc<Connection>);

impl OpenExchange {
    /// Its connection.
    pub(super) fn connection(&self) -> &Rc<Connection> {
        &self.0
    }
}

impl Drop for OpenExchange {
    fn drop(&mut self) {
        let connection = &self.0;
        let left = connection.exchanges.get() - 1;
        connection.exchanges.set(left);
        // A reply may be dropped after its connection has ended.
        let is_over = matches!(connection.phase.get(), Phase::Busy | Phase::Body);
        if left == 0 && is_over {
            connection.enter(Phase::Idle);
        }
    }
}

/// Connections of no worker.
#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::config::{HalfClose, Http2, ListenAddress, ListenerClients, Protocol};
    use crate::telemetry::{Counter, RefusedConnections};
    use callgate_http1::Limits;

    /// None yet.
    pub(in crate::front) fn open() -> Rc<OpenConnections> {
        let limits = Limits { max_head: 8192, max_target: 4096, max_fields: 100, max_trailers: 1024 };
        Rc::new(OpenConnections::new(limits, RequestBound::new(0), Rc::default()))
    }

    /// One more.
    pub(in crate::front) fn register(open: &Rc<OpenConnections>, half_close: HalfClose) -> Rc<Connection> {
        let listener = Listener { half_close, ..listener() };
        Connection::register(open, Arc::new(listener), None, None)
    }

    /// One at a listener that says this of its clients.
    pub(in crate::front) fn register_of(
        open: &Rc<OpenConnections>,
        clients: ListenerClients,
    ) -> Rc<Connection> {
        Connection::register(open, Arc::new(Listener { clients, ..listener() }), None, None)
    }

    fn listener() -> Listener {
        Listener {
            id: "x".to_owned(),
            address: ListenAddress::Abstract("x".to_owned()),
            protocol: Protocol::Http1,
            http2: Http2::Off,
            half_close: HalfClose::Cancel,
            clients: ListenerClients::default(),
            per_client: None,
            tls: None,
            https_redirect: None,
            lines: Vec::new(),
            accepted: Counter::default(),
            refused: RefusedConnections::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HalfClose;
    use callgate_http1::Limits;

    fn register(open: &Rc<OpenConnections>) -> Rc<Connection> {
        testing::register(open, HalfClose::Cancel)
    }

    #[test]
    fn a_connection_is_idle_when_no_exchange_is_open() {
        let open = testing::open();
        let connection = register(&open);
        let is_idle = || {
            let listed = open.longest_idle().is_some();
            assert_eq!(listed, connection.phase.get() == Phase::Idle);
            listed
        };
        assert!(is_idle());
        let (one, two) = (connection.begin_exchange(), connection.begin_exchange());
        assert!(!is_idle());
        drop(one);
        assert!(!is_idle(), "the other is open");
        let three = connection.begin_exchange();
        drop(two);
        assert!(!is_idle());
        open.sweeps.set(7);
        drop(three);
        assert!(is_idle());
        assert_eq!(connection.since.get(), 7, "it has been idle since the last one ended");
    }

    #[test]
    fn one_that_is_busy_when_it_is_asked_to_go_stays() {
        let open = testing::open();
        let connection = register(&open);
        let busy = connection.begin_exchange();
        let (heir, mut place) = oneshot::channel();
        connection.ask_to_go(heir);
        assert!(!connection.is_asked());
        assert!(matches!(place.try_recv(), Err(oneshot::error::TryRecvError::Closed)));
        drop(busy);
        let (heir, _place) = oneshot::channel();
        connection.ask_to_go(heir);
        assert!(connection.is_asked() && open.longest_idle().is_none());
    }

    #[test]
    fn one_that_stays_can_be_asked_again() {
        let open = testing::open();
        let connection = register(&open);
        let (heir, mut place) = oneshot::channel();
        connection.ask_to_go(heir);
        connection.stay();
        assert!(matches!(place.try_recv(), Err(oneshot::error::TryRecvError::Closed)));
        assert!(open.longest_idle().is_some(), "it is as idle as before");
    }

    #[test]
    fn a_handshake_more_than_there_may_be_has_the_oldest_end() {
        let open = testing::open();
        let all: Vec<_> = (0..4).map(|_| register(&open)).collect();
        let crowded = || all.iter().map(|one| one.crowded_out.get()).collect::<Vec<_>>();
        all[..3].iter().for_each(|one| one.begin_handshake(2));
        assert_eq!(crowded(), [true, false, false, false]);
        // It has not seen it yet: the next one has another end.
        all[3].begin_handshake(2);
        assert_eq!(crowded(), [true, true, false, false]);
        all.iter().for_each(|one| one.end_handshake());
        all[1].begin_handshake(1);
        assert_eq!(crowded(), [true, true, false, false]);
        assert_eq!(open.shaking.get(), 1);
    }

    #[test]
    fn a_connection_is_used_up_with_its_last_request() {
        let limits = Limits { max_head: 8192, max_target: 4096, max_fields: 100, max_trailers: 1024 };
        let open = Rc::new(OpenConnections::new(limits, RequestBound::new(2), Rc::default()));
        let connection = register(&open);
        drop(connection.begin_exchange());
        assert!(!connection.is_used_up());
        let last = connection.begin_exchange();
        assert!(connection.is_used_up());
        drop(last);
        drop(connection.begin_exchange());
        assert!(connection.is_used_up());
    }

    #[test]
    fn an_exchange_that_ends_after_its_connection_is_not_taken_for_another_one() {
        let open = testing::open();
        let gone = register(&open);
        let exchange = gone.begin_exchange();
        gone.strike();
        let next = register(&open);
        assert_eq!(next.key, gone.key);
        let busy = next.begin_exchange();
        drop(exchange);
        assert!(open.longest_idle().is_none());
        drop(busy);
        assert!(open.longest_idle().is_some());
    }
}
