//! The client: calls methods as the gateway does, without the gateway between.
//!
//! [`Client`] is a handle; the connections belong to its [`Pool`]. `attempt` is one call's life: pick an endpoint, send, wait,
//! and perhaps try again elsewhere.
//!
//! ```text
//! pool         an endpoint for a call, or why there is none; choice, which one
//! members      who the endpoints are, and how things stand with them
//! follower     looks a name up again and again; listing, what the answers come to; resolve, who is asked
//! supervisor   keeps a member's connection up, and replaces what is old
//! connection   one connection; queue, what its task and its callers share; table, the calls under way on it
//! reviewer     which members are ejected, or tried again; trial, where attempts report that
//! attempt      one call; budget, how many may be sent again
//! ```

mod attempt;
mod budget;
mod choice;
mod connection;
mod follower;
mod listing;
mod members;
mod offers;
mod pool;
mod queue;
mod resolve;
mod reviewer;
mod schemas;
mod slot;
mod supervisor;
mod table;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod trial;

use crate::connection::{Address, AddressError, Dial, Port};
use crate::service::Method;
use crate::{Context, Status};
use attempt::Attempts;
use bincode::config::standard;
use callgate_protocol::call::key;
use callgate_protocol::schema::MethodSchema;
use callgate_protocol::{MetadataBuf, check};
use pool::{Pool, Settings};
use resolve::Resolve;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};
use tokio::time::Instant;

/// For a call without a deadline of its own.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// How old a connection becomes unless told.
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(1800);

/// The least and the greatest age that can be told: the second is a week.
const MAX_AGES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(7 * 24 * 3600));

/// From one look-up of a name to the next.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// The longest time that a call can say it has left: 49 days.
const LONGEST_TIMEOUT: Duration = Duration::from_millis(u32::MAX as u64);

/// Calls methods of services. Cheap to clone; all clones share their connections, which close with the last of them.
#[derive(Clone, Debug)]
pub struct Client {
    pool: Arc<Pool>,
    timeout: Duration,
    caller: Option<Arc<str>>,
}

/// A client under construction.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    endpoints: Vec<String>,
    timeout: Duration,
    max_age: Duration,
    caller: Option<Arc<str>>,
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
    /// There is no tokio runtime here, in which the connections could be kept up.
    NoRuntime(io::Error),
}

impl Client {
    /// A client without endpoints yet.
    pub fn builder() -> ClientBuilder {
        ClientBuilder {
            endpoints: Vec::new(),
            timeout: DEFAULT_TIMEOUT,
            max_age: DEFAULT_MAX_AGE,
            caller: None,
        }
    }

    /// The same client with another time limit for calls whose context has no earlier deadline.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Client {
        Client { timeout: timeout.min(LONGEST_TIMEOUT), ..self.clone() }
    }

    /// Calls a method. Client stubs do this; users call these.
    ///
    /// The call waits for a connection if none is ready, is sent to another endpoint if one has certainly not run it
    /// (or if it is idempotent and the connection was lost), and ends at the earlier of the client's time limit and
    /// `context`'s deadline. The request id and trace context of `context` go along. Dropping the future cancels the
    /// call: its handler is dropped too.
    ///
    /// # Errors
    /// The method's own [`Status`]; `deadline_exceeded` when the answer was not there in time, or when no time was left to
    /// send it; `unavailable` when no endpoint could be reached or the
    /// connection was lost and the call may have run; `unimplemented` when no endpoint offers the method with this
    /// schema; `resource_exhausted` when the arguments or the result are too long; `internal` when the result is not
    /// what the schema says. `not_executed` says that this call has certainly not run; it goes no further when a handler
    /// passes the status on to its own caller.
    pub async fn call<A, R>(
        &self,
        method: &'static Method,
        context: Option<&Context>,
        arguments: &A,
    ) -> Result<R, Status>
    where
        A: Serialize + Sync,
        R: DeserializeOwned,
    {
        self.reply(method, context, arguments).await.map_err(Status::as_heard)
    }

    async fn reply<A, R>(
        &self,
        method: &'static Method,
        context: Option<&Context>,
        arguments: &A,
    ) -> Result<R, Status>
    where
        A: Serialize + Sync,
        R: DeserializeOwned,
    {
        let (service, name) = (method.service, method.name);
        let schema = method.schema().map_err(|problem| {
            Status::internal(format!("{service}.{name} cannot be called: {problem}")).not_executed()
        })?;
        let payload = bincode::serde::encode_to_vec(arguments, standard()).map_err(|error| {
            Status::invalid_argument(format!("the arguments of {service}.{name} cannot be encoded: {error}"))
        })?;
        let now = Instant::now();
        let mut deadline = now + self.timeout;
        if let Some(earlier) = context.and_then(Context::deadline) {
            deadline = deadline.min(earlier.into());
        }
        if deadline <= now {
            return Err(table::late());
        }
        let metadata = self.metadata(context);
        let attempts =
            Attempts { pool: &self.pool, method, metadata: &metadata, payload: &payload, deadline };
        let reply = attempts.run().await?;
        decode(method, &schema.schema, &reply)
    }

    fn metadata(&self, context: Option<&Context>) -> MetadataBuf {
        let mut metadata = MetadataBuf::default();
        let passed_on = [key::REQUEST_ID, key::TRACEPARENT, key::TRACESTATE];
        if let Some(context) = context {
            for number in passed_on {
                if let Some(value) = key::name(number).and_then(|name| context.metadata(name)) {
                    metadata.push(number, value.as_bytes());
                }
            }
            let numbered = |name: &str| (1..=key::CALLER).any(|number| key::name(number) == Some(name));
            for (name, value) in context.added().iter().filter(|(name, _)| !numbered(name)) {
                metadata.push_named(name, value);
            }
        }
        if let Some(caller) = &self.caller {
            metadata.push(key::CALLER, caller.as_bytes());
        }
        metadata
    }
}

/// What a peer has sent is checked before bincode sees it.
fn decode<R: DeserializeOwned>(method: &Method, schema: &MethodSchema, reply: &[u8]) -> Result<R, Status> {
    let bad = |error: &dyn fmt::Display| {
        let (service, name) = (method.service, method.name);
        Status::internal(format!("the result of {service}.{name} is not what its schema says: {error}"))
    };
    check::value(schema, &schema.response, reply).map_err(|error| bad(&error))?;
    let (result, _) = bincode::serde::decode_from_slice(reply, standard()).map_err(|error| bad(&error))?;
    Ok(result)
}

impl ClientBuilder {
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

    /// Who calls: told to the servers as the metadata entry `caller`.
    pub fn caller(mut self, name: impl AsRef<str>) -> ClientBuilder {
        self.caller = Some(name.as_ref().into());
        self
    }

    /// The client. Its connections are made in the background; that an endpoint cannot be reached now is no error.
    ///
    /// # Errors
    /// When there is no endpoint, when an address cannot be read, or outside a tokio runtime.
    pub fn build(self) -> Result<Client, ClientError> {
        let mut addresses = Vec::new();
        for given in &self.endpoints {
            addresses.push(given.parse::<Address>().map_err(ClientError::BadAddress)?);
        }
        if addresses.is_empty() {
            return Err(ClientError::NoEndpoint);
        }
        let pool = self.pool(addresses, Dial::Sockets, &current_runtime()?);
        Ok(self.with(pool))
    }

    /// A client of a server of this process, which runs by `server` as long as the client is there.
    pub(crate) fn build_in_memory(
        self,
        port: Port,
        server: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Client, ClientError> {
        let runtime = current_runtime()?;
        let mut pool = self.pool(vec![Address::Tcp("in memory".into())], Dial::Memory(port), &runtime);
        pool.own(server, &runtime);
        Ok(self.with(pool))
    }

    fn pool(&self, addresses: Vec<Address>, dial: Dial, runtime: &tokio::runtime::Handle) -> Pool {
        let identity = match &self.caller {
            Some(caller) => format!("{caller} pid {}", std::process::id()),
            None => crate::connection::own_identity(),
        };
        let settings = Settings {
            identity: identity.into(),
            max_age: self.max_age,
            look_again: LOOK_AGAIN,
            resolve: Resolve::System,
            dial,
        };
        Pool::new(addresses, &settings, runtime)
    }

    fn with(self, pool: Pool) -> Client {
        Client { pool: Arc::new(pool), timeout: self.timeout, caller: self.caller }
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
            ClientError::NoEndpoint => None,
            ClientError::BadAddress(error) => Some(error),
            ClientError::NoRuntime(error) => Some(error),
        }
    }
}
