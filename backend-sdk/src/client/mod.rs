//! The client: calls methods as the gateway does, without the gateway between.
//!
//! [`Client`] is a handle; the connections belong to its [`Pool`]. `attempt` is one call's life: pick an endpoint, send, wait,
//! and perhaps try again elsewhere.
//!
//! ```text
//! builder      what a client is told before it is one
//! layered      a call that goes through layers first
//! pool         an endpoint for a call, or why there is none; choice, which one
//! members      who the endpoints are, and how things stand with them; outage, when none is left
//! follower     looks a name up again and again; listing, what the answers come to; resolve, who is asked
//! supervisor   keeps a member's connection up, and replaces what is old
//! introduction what a client says of itself at the beginning of each connection
//! connection   one connection, and the calls on it; queue, what its task and its callers share; driver, the task, from the
//!              handshake to the end
//! reviewer     which members are ejected, or tried again; trial, where attempts report that
//! attempt      one call; progress, how far it has come; race, attempts side by side; outcome, how one ends; in_flight, how
//!              its caller hears of it; budget, how many may be sent again
//! streamed     one call that streams, from where an attempt has begun it
//! news         what people are told once
//! ```

mod attempt;
mod budget;
mod builder;
mod choice;
mod connection;
mod driver;
mod follower;
mod in_flight;
mod introduction;
mod layered;
mod listing;
mod members;
mod news;
mod offers;
mod outage;
mod outcome;
mod pool;
mod progress;
mod queue;
mod race;
mod resolve;
#[cfg(test)]
mod retry_tests;
mod reviewer;
mod schemas;
#[cfg(test)]
mod silence_tests;
mod slot;
mod streamed;
mod supervisor;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod trial;

pub use builder::{ClientBuilder, ClientError};
pub use streamed::Outgoing;

use crate::codec;
use crate::context::metadata_of_call;
use crate::layer::{Layers, Reply};
use crate::service::{Method, Schema};
use crate::{Context, Status};
use attempt::Attempts;
use builder::LONGEST_TIMEOUT;
use pool::Pool;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Calls methods of services. Cheap to clone; all clones share their connections, which close with the last of them.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use callgate_sdk::Client;
/// use std::time::Duration;
///
/// let client = Client::builder().endpoint("orders.internal:7101").caller("billing").build()?;
/// let patient = client.with_timeout(Duration::from_secs(60));
/// // Stubs of `#[service]` are made of it: `OrdersClient::new(client)`.
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    pool: Arc<Pool>,
    timeout: Duration,
    caller: Option<Arc<str>>,
    layers: Option<Layers>,
}

impl Client {
    /// A client without endpoints yet.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// The same client with another time limit for calls whose context has no earlier deadline.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Client {
        Client { timeout: timeout.min(LONGEST_TIMEOUT), ..self.clone() }
    }

    /// Calls a method. Client stubs do this; users call these.
    ///
    /// The call waits for a connection if none is ready. It is sent to another endpoint if one has certainly not run it, and
    /// if it is idempotent, also when the connection was lost, the endpoint has answered `unavailable`, or gives no sign of
    /// life; then the first answer counts. It ends at the earlier of the client's time limit and `context`'s deadline. The request id and trace context of `context` go
    /// along. Dropping the future cancels the call: its handler is dropped too.
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
        self.reply(method, context, arguments).await.map_err(Status::into_heard)
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
        let (schema, payload) = encode(method, arguments)?;
        let deadline = self.deadline(context)?;
        let outcome = match &self.layers {
            None => self.send(method, context, &payload, deadline).await,
            // On the heap, so that calls without layers stay as small as they are.
            Some(layers) => Box::pin(self.send_through(layers, method, context, payload, deadline)).await,
        };
        if let Some(context) = context {
            let beside =
                outcome.as_ref().map_or_else(Status::all_metadata, |reply| reply.metadata.as_metadata());
            context.heard(beside);
        }
        decode(method, schema, &outcome?.payload)
    }

    /// Makes the call through the layers.
    async fn send_through(
        &self,
        layers: &Layers,
        method: &'static Method,
        context: Option<&Context>,
        payload: Vec<u8>,
        deadline: Instant,
    ) -> Result<Reply, Status> {
        let client = self.clone();
        layered::call(layers, method, context, payload.len(), deadline, move |context, deadline| async move {
            client.send(method, Some(&context), &payload, deadline).await
        })
        .await
    }

    /// The deadline of a call that is made now.
    fn deadline(&self, context: Option<&Context>) -> Result<Instant, Status> {
        let now = Instant::now();
        let mut deadline = now + self.timeout;
        if let Some(earlier) = context.and_then(|context| context.deadline_of_calls(now.into_std())) {
            deadline = deadline.min(earlier.into());
        }
        if deadline > now { Ok(deadline) } else { Err(outcome::late()) }
    }

    /// Makes the call, when its layers have let it through.
    async fn send(
        &self,
        method: &'static Method,
        context: Option<&Context>,
        payload: &[u8],
        deadline: Instant,
    ) -> Result<Reply, Status> {
        let metadata = metadata_of_call(context, self.caller.as_deref());
        let metadata =
            metadata.map_err(|error| Status::resource_exhausted(error.to_string()).not_executed())?;
        Attempts { pool: &self.pool, method, metadata: &metadata, payload, deadline }.run().await
    }
}

/// The method's schema, and the arguments as they are sent.
fn encode<A: Serialize>(
    method: &'static Method,
    arguments: &A,
) -> Result<(&'static Schema, Vec<u8>), Status> {
    let (service, name) = (method.service, method.name);
    let schema = method.schema().map_err(|problem| {
        Status::internal(format!("{service}.{name} cannot be called: {problem}")).not_executed()
    })?;
    let mut payload = Vec::new();
    codec::write(arguments, &mut payload).map_err(|error| {
        Status::invalid_argument(format!("the arguments of {service}.{name} cannot be encoded: {error}"))
    })?;
    Ok((schema, payload))
}

/// What a peer has sent is read within the bounds of the guard.
fn decode<R: DeserializeOwned>(method: &Method, schema: &Schema, reply: &[u8]) -> Result<R, Status> {
    let bad = |error: &dyn fmt::Display| {
        let (service, name) = (method.service, method.name);
        Status::internal(format!("the result of {service}.{name} is not what its schema says: {error}"))
    };
    match schema.read(&schema.schema.response, reply).map_err(|error| bad(&error))? {
        Some(result) => Ok(result),
        None => codec::read(reply).map_err(|error| bad(&error)),
    }
}
