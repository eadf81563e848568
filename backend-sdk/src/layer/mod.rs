//! Layers: what a program does around each call, of its server or of its client.
//!
//! A [`Layer`] is an async function around a call. It sees the [`Call`], may change its [`Context`], lets it go on by
//! [`Next::run`] or answers itself, and sees the [`Outcome`]. [`Server::layer`](crate::Server::layer) and
//! [`ClientBuilder::layer`](crate::ClientBuilder::layer) put one around all calls; the first that was added is the outermost.
//!
//! ```
//! use callgate_sdk::layer::{Call, Next, Outcome};
//!
//! /// Tells how long calls take.
//! async fn timing(call: Call, next: Next) -> Outcome {
//!     let (name, began) = (call.name(), std::time::Instant::now());
//!     let outcome = next.run(call).await;
//!     println!("{name} has taken {:?}", began.elapsed());
//!     outcome
//! }
//!
//! let server = callgate_sdk::Server::new().layer(timing);
//! ```
//!
//! A layer with state is a type, see [`Layer`]. Three come with the SDK: [`Tracing`], [`Metrics`] and [`ConcurrencyLimit`].
//!
//! A server or client without layers does nothing for them. With layers a server copies a call's arguments, because a layer
//! comes before they are read, and each layer costs a call an allocation.

mod by_method;
mod histogram;
mod limit;
mod metrics;
#[cfg(feature = "otlp")]
mod otlp;
mod spans;
mod stack;

pub use limit::ConcurrencyLimit;
pub use metrics::Metrics;
#[cfg(feature = "otlp")]
pub use otlp::{BadCollector, Otlp, OtlpBuilder};
pub use spans::Tracing;
pub use stack::{Layer, Next};
pub(crate) use stack::{Layers, Stack};

use crate::context::Extensions;
use crate::service::Method;
use crate::{Code, Context, Status};
use callgate_protocol::{Metadata, MetadataBuf};
use std::fmt;
use std::time::Instant;

/// How a call ends: with a reply, or with a failure.
pub type Outcome = Result<Reply, Status>;

/// At which end of a call a layer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The call has arrived, and a method of this process is about to run.
    Server,
    /// This process makes the call.
    Client,
}

impl Side {
    /// `server` or `client`.
    pub const fn name(self) -> &'static str {
        match self {
            Side::Server => "server",
            Side::Client => "client",
        }
    }
}

/// A call, as layers see it: which method, and in which context.
pub struct Call {
    side: Side,
    method: &'static Method,
    size: usize,
    pub(crate) context: Context,
}

impl Call {
    pub(crate) fn new(side: Side, method: &'static Method, size: usize, context: Context) -> Call {
        Call { side, method, size, context }
    }

    /// Whether this is the server's end of the call or the client's.
    pub fn side(&self) -> Side {
        self.side
    }

    /// The service's name: `orders`.
    pub fn service(&self) -> &'static str {
        self.method.service
    }

    /// The method's name: `quote`.
    pub fn method(&self) -> &'static str {
        self.method.name
    }

    /// Both, to be shown: `orders.quote`.
    pub fn name(&self) -> MethodName {
        MethodName(self.method)
    }

    /// Whether running the method twice does what running it once does.
    pub fn is_idempotent(&self) -> bool {
        self.method.idempotent
    }

    /// The length of the encoded arguments, in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Deadline, metadata, extensions, and who calls. At the client's end this is the context of the call that is made: its own
    /// deadline, and what the caller's context has set.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The same, to change it. At the server's end the method gets what it becomes. At the client's end the metadata that is
    /// set goes along.
    pub fn context_mut(&mut self) -> &mut Context {
        &mut self.context
    }

    /// Values for the method and for the layers within, by their types. A method takes them by
    /// [`Context::extension`].
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        self.context.extensions_mut()
    }

    pub(crate) fn target(&self) -> &'static Method {
        self.method
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Call");
        shown.field("side", &self.side).field("name", &format_args!("{}", self.name()));
        shown.field("size", &self.size).field("context", &self.context).finish()
    }
}

/// A method by its full name, to be shown: `orders.quote`.
#[derive(Clone, Copy)]
pub struct MethodName(&'static Method);

impl MethodName {
    pub(crate) fn of(method: &'static Method) -> MethodName {
        MethodName(method)
    }
}

impl fmt::Display for MethodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0.service, self.0.name)
    }
}

impl fmt::Debug for MethodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The result of a call that has succeeded. Layers see how long it is, and what the client's end has got beside it.
pub struct Reply {
    pub(crate) payload: Vec<u8>,
    pub(crate) metadata: MetadataBuf,
}

impl Reply {
    pub(crate) fn new(payload: Vec<u8>, metadata: Metadata<'_>) -> Reply {
        Reply { payload, metadata: metadata.into() }
    }

    /// The length of the encoded result, in bytes.
    pub fn size(&self) -> usize {
        self.payload.len()
    }

    /// At the client's end, the value of an entry of the metadata that has come with the result, if it is there and is UTF-8. At
    /// the server's end that metadata is in [`Context::reply`].
    pub fn metadata(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.metadata.as_metadata().get(name)?).ok()
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("size", &self.size()).finish_non_exhaustive()
    }
}

/// How a call has ended that was dropped: its time was up, or nobody waits for it any more.
fn dropped(deadline: Option<Instant>) -> Code {
    let late = deadline.is_some_and(|deadline| deadline <= Instant::now());
    if late { Code::DeadlineExceeded } else { Code::Cancelled }
}

#[cfg(test)]
mod testing;
