//! The server: offers services on some addresses, and goes down without losing a call.
//!
//! [`Server`] collects what is wished for, [`Bound`] holds the listeners and serves, each connection is a task of its
//! own (`connection`), and so is each call that waits (`calls`, `call`). Tasks are owned: when a server's future is dropped, its
//! connections end, and when a connection ends, so do its calls.

mod bound;
mod call;
mod calls;
mod connection;
mod error;
mod items;
mod layered;
mod mailbox;
mod place;
mod registry;
mod slots;
mod streamed;
mod waker;

pub use bound::{Bound, Handle};
pub use error::ServerError;
pub use items::Items;

use crate::connection::{Address, Listener, Port, own_identity};
use crate::layer::{Layer, Stack};
use crate::service::Dispatch;
use crate::token::Token;
use callgate_protocol::{Limits, limits};
use connection::Shared;
use registry::Registry;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::RuntimeFlavor;
use tokio::signal::unix::{SignalKind, signal};

/// How far a server's life has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Accepts connections and calls.
    Serving,
    /// Finishes the calls that it has accepted.
    Draining,
    /// Drops what is not finished.
    Stopping,
}

/// What a server's connections are told from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Orders {
    phase: Phase,
    /// Whether calls are welcome; callers are told.
    ready: bool,
}

/// A server under construction.
///
/// ```no_run
/// # use callgate_sdk::{Server, ServerError, service::Dispatch};
/// # async fn example(calc: impl Dispatch) -> Result<(), ServerError> {
/// Server::new().service(calc).listen("127.0.0.1:7101").run().await
/// # }
/// ```
#[must_use = "a server does nothing until it is run"]
pub struct Server {
    services: Vec<Arc<dyn Dispatch>>,
    layers: Stack,
    addresses: Vec<String>,
    identity: String,
    grace: Duration,
    max_calls: u32,
    max_connections: usize,
    max_buffered: usize,
    tokens: Vec<(Option<Arc<str>>, Token)>,
    speakers: Option<connection::Speakers>,
    #[cfg(feature = "tls")]
    tls: Option<crate::tls::ServerTls>,
}

impl Default for Server {
    fn default() -> Server {
        Server::new()
    }
}

impl Server {
    /// A server without services and addresses.
    pub fn new() -> Server {
        Server {
            services: Vec::new(),
            layers: Stack::default(),
            addresses: Vec::new(),
            identity: own_identity(),
            grace: Duration::from_secs(30),
            max_calls: 4096,
            max_connections: 1024,
            max_buffered: 1 << 30,
            tokens: Vec::new(),
            speakers: None,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Offers a service too.
    pub fn service(mut self, service: impl Dispatch) -> Server {
        self.services.push(Arc::new(service));
        self
    }

    /// Puts a [layer](crate::layer) around all calls, of all services. The first one that is added is the outermost.
    ///
    /// ```
    /// use callgate_sdk::layer::{ConcurrencyLimit, Tracing};
    ///
    /// let server = callgate_sdk::Server::new().layer(Tracing::new()).layer(ConcurrencyLimit::new(64));
    /// ```
    pub fn layer(mut self, layer: impl Layer) -> Server {
        self.layers.add(layer);
        self
    }

    /// Listens there too: `host:port`, where port 0 lets the system choose, or `unix:/path`.
    pub fn listen(mut self, address: impl Into<String>) -> Server {
        self.addresses.push(address.into());
        self
    }

    /// Speaks TLS with whoever connects over TCP. A Unix socket stays as it is: its file's permissions say who may connect.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: crate::tls::ServerTls) -> Server {
        self.tls = Some(tls);
        self
    }

    /// Lets in only callers that bring this token along, over TLS or a Unix socket, or another one that is said so. The others are told why, and do
    /// not hear which services there are.
    pub fn token(mut self, token: Token) -> Server {
        self.tokens.push((None, token));
        self
    }

    /// The same, for callers of that name: [`Peer::token`](crate::Peer::token) says it of whoever brings this one along. There may be several, and
    /// no two should share a token.
    pub fn named_token(mut self, name: impl Into<Arc<str>>, token: Token) -> Server {
        self.tokens.push((Some(name.into()), token));
        self
    }

    /// Whose word counts that says for whom it calls ([`Context::identity`](crate::Context::identity), [`Context::client`](crate::Context::client)):
    /// gateways. All others call for themselves, and `Context::identity` is who they are by what their connection has proven: by a name of their
    /// certificate (the first URI, or the first DNS name, or the common name), by the name of their [token](Self::named_token), or by the number of
    /// their user at a Unix socket, whichever is there first. It is asked once for each connection.
    ///
    /// Without it the word of everybody counts who is let in, and a caller without a gateway has no identity of its own.
    ///
    /// ```
    /// use callgate_sdk::{Server, Token};
    ///
    /// let server = Server::new()
    ///     .named_token("gateway", Token::file("/run/secrets/gateway-token"))
    ///     .named_token("billing", Token::file("/run/secrets/billing-token"))
    ///     .speaks_for_others(|peer| peer.token() == Some("gateway"));
    /// ```
    pub fn speaks_for_others(mut self, who: impl Fn(&crate::Peer) -> bool + Send + Sync + 'static) -> Server {
        self.speakers = Some(Arc::new(who));
        self
    }

    /// How many calls may run at once in the whole server; 4096 unless told. Each connection may use at most 1024 of
    /// them. A call too many is refused at once, as one that has not run, so that its caller can go elsewhere;
    /// it is told to come again after as long as calls have taken of late, 20 ms to 5 s.
    pub fn max_calls(mut self, calls: u32) -> Server {
        self.max_calls = calls.max(1);
        self
    }

    /// How many connections may be open at once; 1024 unless told. Further ones wait, not accepted, until one closes.
    pub fn max_connections(mut self, connections: usize) -> Server {
        self.max_connections = connections.max(1);
        self
    }

    /// How many bytes all messages longer than 64 KiB may have together, in the whole server: while they arrive, while their
    /// call is running, and while results wait to be read; 1 GiB unless told. Each connection may have at most 64 MiB
    /// arriving, and takes no further calls while 64 MiB of its results wait. What finds no room is refused, and its caller
    /// told. Shorter messages are bounded by the number of calls and connections.
    pub fn max_buffered(mut self, bytes: usize) -> Server {
        self.max_buffered = bytes;
        self
    }

    /// How long calls that are running when the server is told to go down may take to finish; 30 s unless told.
    pub fn grace(mut self, grace: Duration) -> Server {
        self.grace = grace;
        self
    }

    /// Who the server is, for the logs and status pages of its callers; the program's name and process id unless told.
    pub fn identity(mut self, identity: impl Into<String>) -> Server {
        self.identity = identity.into();
        self
    }

    /// Serves until SIGTERM or SIGINT, then drains and returns. A second signal ends the grace.
    ///
    /// # Errors
    /// When the server cannot start; nothing that a peer does is an error here.
    pub async fn run(self) -> Result<(), ServerError> {
        let mut terminate = signal(SignalKind::terminate()).map_err(ServerError::Signals)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(ServerError::Signals)?;
        let bound = self.bind().await?;
        let handle = bound.handle();
        let signals = async {
            for tell in [Handle::drain, Handle::stop] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                tell(&handle);
            }
            std::future::pending().await
        };
        tokio::select! {
            () = bound.serve() => Ok(()),
            () = signals => Ok(()),
        }
    }

    /// Checks the services and opens the addresses: from here on connections are queued by the system, and
    /// [`Bound::serve`] takes them.
    ///
    /// # Errors
    /// When services contradict each other, a certificate or a token cannot be read, a token would be asked for over plain TCP, or an
    /// address cannot be opened.
    pub async fn bind(mut self) -> Result<Bound, ServerError> {
        let addresses = std::mem::take(&mut self.addresses);
        let (speaks_tls, mut over_tcp) = (self.speaks_tls(), false);
        let in_the_clear = !self.tokens.is_empty() && !speaks_tls;
        let mut bound = self.bound()?;
        if addresses.is_empty() {
            return Err(ServerError::NoAddress);
        }
        for given in &addresses {
            let address: Address = given.parse().map_err(ServerError::BadAddress)?;
            if in_the_clear && matches!(address, Address::Tcp(_)) {
                return Err(ServerError::TokenInTheClear(address));
            }
            over_tcp |= matches!(address, Address::Tcp(_));
            let listener = Listener::bind(&address).await;
            bound.listen(listener.map_err(|source| ServerError::Bind { address, source })?);
        }
        if speaks_tls && !over_tcp {
            return Err(ServerError::Tls(
                "it is spoken over TCP, and no such address is listened on".to_owned(),
            ));
        }
        Ok(bound)
    }

    /// The same for clients of this process, and for nobody else.
    pub(crate) fn bind_in_memory(self) -> Result<(Bound, Port), ServerError> {
        let mut bound = self.bound()?;
        let (listener, port) = Listener::in_memory();
        bound.listen(listener);
        Ok((bound, port))
    }

    #[cfg(feature = "tls")]
    fn speaks_tls(&self) -> bool {
        self.tls.is_some()
    }

    #[cfg(not(feature = "tls"))]
    fn speaks_tls(&self) -> bool {
        false
    }

    /// Checks the services, and reads what the server knows its callers by.
    fn bound(self) -> Result<Bound, ServerError> {
        let limits = Limits { max_calls: self.max_calls.min(limits::MAX_CALLS), ..Limits::default() };
        let registry = Registry::new(self.services, self.identity, limits)?;
        let slots = Arc::new(slots::Slots::new(self.max_calls as usize, self.max_buffered));
        let runtime = tokio::runtime::Handle::current();
        let one_thread =
            runtime.runtime_flavor() == RuntimeFlavor::CurrentThread || runtime.metrics().num_workers() < 2;
        let open = |(name, token): &(Option<Arc<str>>, Token)| {
            Ok((name.clone(), token.open().map_err(ServerError::Token)?))
        };
        let tokens = self.tokens.iter().map(open).collect::<Result<_, ServerError>>()?;
        let shared = Arc::new(Shared {
            registry,
            slots,
            layers: self.layers.share(),
            one_thread,
            tokens,
            speakers: self.speakers,
            #[cfg(feature = "tls")]
            tls: self.tls.map(crate::tls::ServerTls::open).transpose().map_err(ServerError::Tls)?,
        });
        Ok(Bound::new(shared, self.grace, self.max_connections))
    }
}
