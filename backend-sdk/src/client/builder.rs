//! What a client is told before it is one.

use super::Client;
use super::introduction::Introduction;
use super::pool::{Pool, Settings};
use super::resolve::Resolve;
use crate::connection::{Address, AddressError, Dial, Port};
use crate::fresh::Fresh;
use crate::layer::{Layer, Stack};
use crate::token::Token;
use callgate_protocol::Tokens;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

/// For a call without a deadline of its own.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// How old a connection becomes unless told.
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(1800);

/// The least and the greatest age that can be told: the second is a week.
const MAX_AGES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(7 * 24 * 3600));

/// From one look-up of a name to the next.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// The longest time that a call can say it has left: 49 days.
pub(super) const LONGEST_TIMEOUT: Duration = Duration::from_millis(u32::MAX as u64);

/// A client under construction.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    endpoints: Vec<String>,
    timeout: Duration,
    max_age: Duration,
    hedge_after: Option<Duration>,
    caller: Option<Arc<str>>,
    layers: Stack,
    token: Option<Token>,
    #[cfg(feature = "tls")]
    tls: Option<crate::tls::ClientTls>,
}

/// Why a client cannot be built.
///
/// `Debug` says the same as `Display`: a `main` that returns it shows it so.
#[non_exhaustive]
pub enum ClientError {
    /// No endpoint was given.
    NoEndpoint,
    /// An endpoint's address cannot be read.
    BadAddress(AddressError),
    /// TLS cannot be spoken as it was told: what is wrong, with the file.
    Tls(String),
    /// The token cannot be read: why.
    Token(String),
    /// A token is to be brought along to an endpoint that is neither a Unix socket nor reached by TLS.
    TokenInTheClear(Address),
    /// There is no tokio runtime here, in which the connections could be kept up.
    NoRuntime(io::Error),
}

impl ClientBuilder {
    pub(super) fn new() -> ClientBuilder {
        ClientBuilder {
            endpoints: Vec::new(),
            timeout: DEFAULT_TIMEOUT,
            max_age: DEFAULT_MAX_AGE,
            hedge_after: None,
            caller: None,
            layers: Stack::default(),
            token: None,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// One more server that offers the services: `host:port` or `unix:/path`. A name stands for a server at each of its
    /// addresses, 64 at most. It is looked up again every half minute, and when a connection is lost.
    pub fn endpoint(mut self, address: impl Into<String>) -> ClientBuilder {
        self.endpoints.push(address.into());
        self
    }

    /// How long a call may take, with everything, when its context has no earlier deadline; 10 s unless told.
    pub fn timeout(mut self, timeout: Duration) -> ClientBuilder {
        self.timeout = timeout.min(LONGEST_TIMEOUT);
        self
    }

    /// After so long, less up to a fifth by chance, a connection is replaced; half an hour unless told, a second to a week. The
    /// new one is there before the old one takes no more calls, so no call notices. Behind a virtual address this
    /// brings the client to new servers.
    pub fn max_age(mut self, max_age: Duration) -> ClientBuilder {
        self.max_age = max_age.clamp(MAX_AGES.0, MAX_AGES.1);
        self
    }

    /// An idempotent call that has no answer after so long is sent to another endpoint as well, and again after as long, four
    /// times in all. The first answer counts, and the others are cancelled. Not done unless told: it helps against endpoints that
    /// are slow or do not answer some calls, and costs the work of a second call. It is bounded as retries are.
    ///
    /// An endpoint that is silent altogether needs no hedge: its idempotent calls are sent elsewhere after half a second.
    pub fn hedge_after(mut self, time: Duration) -> ClientBuilder {
        self.hedge_after = Some(time);
        self
    }

    /// Who calls: told to the servers as the metadata entry `caller`, unless the context of a call has set another.
    pub fn caller(mut self, name: impl AsRef<str>) -> ClientBuilder {
        self.caller = Some(name.as_ref().into());
        self
    }

    /// Speaks TLS with all endpoints.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: crate::tls::ClientTls) -> ClientBuilder {
        self.tls = Some(tls);
        self
    }

    /// Brings a token along to each server, which may let in only who does. It never goes over plain TCP: with an endpoint that is no
    /// Unix socket, call `tls` as well (feature `tls`), or `build` is an error.
    pub fn token(mut self, token: Token) -> ClientBuilder {
        self.token = Some(token);
        self
    }

    /// Puts a [layer](crate::layer) around all calls that the client makes. The first one that is added is the outermost. A layer
    /// is passed once a call, however often the call is sent.
    ///
    /// ```
    /// use callgate_sdk::layer::Tracing;
    ///
    /// let builder = callgate_sdk::Client::builder().layer(Tracing::new());
    /// ```
    pub fn layer(mut self, layer: impl Layer) -> ClientBuilder {
        self.layers.add(layer);
        self
    }

    /// The client. Its connections are made in the background; that an endpoint cannot be reached now is no error.
    ///
    /// # Errors
    /// When there is no endpoint, when an address, a certificate or a token cannot be read, when a token would go over plain TCP,
    /// or outside a tokio runtime.
    pub fn build(mut self) -> Result<Client, ClientError> {
        let mut addresses = Vec::new();
        for given in &self.endpoints {
            addresses.push(given.parse::<Address>().map_err(ClientError::BadAddress)?);
        }
        if addresses.is_empty() {
            return Err(ClientError::NoEndpoint);
        }
        let (runtime, dial) = (current_runtime()?, self.dial(&addresses)?);
        let in_the_clear = |address: &&Address| matches!((address, &dial), (Address::Tcp(_), Dial::Sockets));
        if self.token.is_some()
            && let Some(address) = addresses.iter().find(in_the_clear)
        {
            return Err(ClientError::TokenInTheClear(address.clone()));
        }
        let pool = self.pool(addresses, dial, &runtime)?;
        Ok(self.with(pool))
    }

    /// How the endpoints are connected to.
    fn dial(&mut self, _endpoints: &[Address]) -> Result<Dial, ClientError> {
        #[cfg(feature = "tls")]
        if let Some(tls) = self.tls.take() {
            let tls = tls.open(_endpoints).map_err(ClientError::Tls)?;
            return Ok(Dial::Tls(Arc::new(tls)));
        }
        Ok(Dial::Sockets)
    }

    /// A client of a server of this process, which runs by `server` as long as the client is there.
    pub(crate) fn build_in_memory(
        self,
        port: Port,
        server: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Client, ClientError> {
        let runtime = current_runtime()?;
        let mut pool = self.pool(vec![Address::Tcp("in memory".into())], Dial::Memory(port), &runtime)?;
        pool.own(server, &runtime);
        Ok(self.with(pool))
    }

    fn pool(
        &self,
        addresses: Vec<Address>,
        dial: Dial,
        runtime: &tokio::runtime::Handle,
    ) -> Result<Pool, ClientError> {
        let identity = match &self.caller {
            Some(caller) => format!("{caller} pid {}", std::process::id()),
            None => crate::connection::own_identity(),
        };
        let tokens: Option<Result<Arc<Fresh<Tokens>>, String>> = self.token.as_ref().map(Token::open);
        let tokens = tokens.transpose().map_err(ClientError::Token)?;
        let settings = Settings {
            introduction: Introduction { identity: identity.into(), tokens },
            max_age: self.max_age,
            look_again: LOOK_AGAIN,
            hedge_after: self.hedge_after,
            resolve: Resolve::System,
            dial,
        };
        Ok(Pool::new(addresses, &settings, runtime))
    }

    fn with(self, pool: Pool) -> Client {
        let layers = self.layers.share();
        Client { pool: Arc::new(pool), timeout: self.timeout, caller: self.caller, layers }
    }
}

fn current_runtime() -> Result<tokio::runtime::Handle, ClientError> {
    tokio::runtime::Handle::try_current().map_err(|error| ClientError::NoRuntime(io::Error::other(error)))
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::NoEndpoint => write!(f, "no endpoint was given: call `endpoint`"),
            ClientError::BadAddress(error) => write!(f, "{error}"),
            ClientError::Tls(why) => write!(f, "TLS cannot be spoken: {why}"),
            ClientError::Token(why) => write!(f, "the token cannot be read: {why}"),
            ClientError::TokenInTheClear(address) => write!(
                f,
                "the token would go to {address} over plain TCP, where others can read it: call `tls`, or use a Unix socket"
            ),
            ClientError::NoRuntime(error) => write!(f, "a client needs a tokio runtime: {error}"),
        }
    }
}

impl fmt::Debug for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ClientError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ClientError::NoEndpoint
            | ClientError::Tls(_)
            | ClientError::Token(_)
            | ClientError::TokenInTheClear(_) => None,
            ClientError::BadAddress(error) => Some(error),
            ClientError::NoRuntime(error) => Some(error),
        }
    }
}
