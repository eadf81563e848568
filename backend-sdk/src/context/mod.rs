//! What a method may know of the call that it serves, and what goes along with the calls that it makes.

mod extensions;
mod identity;
mod metadata;
mod peer;
mod state;

pub use extensions::Extensions;
pub use identity::Identity;
pub use metadata::{BadMetadata, ReplyMetadata};
pub use peer::Peer;
pub(crate) use state::CallState;

use crate::Status;
use callgate_protocol::call::key;
use callgate_protocol::{Metadata, MetadataBuf, MetadataName, identity as entries};
use std::any::type_name;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Of the time that a served call has left, the calls that it makes get a twentieth less, at most so much.
const MOST_HELD_BACK: Duration = Duration::from_millis(20);

/// What goes along with every call that is made with a context, if it came with the call.
const PASSED_ON: [u8; 3] = [key::REQUEST_ID, key::TRACEPARENT, key::TRACESTATE];

/// A call's surroundings: its deadline, its metadata, who calls, and whether anybody still waits.
///
/// A method that wants it takes `&Context` as its first argument. Passed on to a [`Client`](crate::Client) it hands on the
/// deadline, the request id, the trace context, and what the program itself has [set](Self::set_metadata). Whatever else came
/// with the call stays here.
///
/// ```
/// # use callgate_sdk::{Context, Status};
/// # use std::time::Duration;
/// # fn example() -> Result<(), Status> {
/// let cx = Context::background()
///     .with_timeout(Duration::from_secs(2))
///     .with_metadata("x-tenant", "blue")?;
/// assert_eq!(cx.metadata("x-tenant"), Some("blue"));
/// # Ok(())
/// # }
/// # example().unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Context {
    deadline: Option<Instant>,
    call: Arc<CallState>,
    /// The entries that the program has set. They count before those that came, and go along with calls.
    set: MetadataBuf,
    extensions: Extensions,
    /// Takes what comes with the replies of calls that are made.
    hears: Option<ReplyMetadata>,
}

impl Context {
    /// A context for a call that a program starts of itself: no deadline, no metadata, never cancelled.
    pub fn background() -> Context {
        Context::of_call(None, Arc::new(CallState::own()))
    }

    /// The context of a call that has arrived.
    pub(crate) fn of_call(deadline: Option<Instant>, call: Arc<CallState>) -> Context {
        Context {
            deadline,
            call,
            set: MetadataBuf::default(),
            extensions: Extensions::default(),
            hears: None,
        }
    }

    /// The same with a deadline at most `timeout` from now; an earlier one stays.
    pub fn with_timeout(mut self, timeout: Duration) -> Context {
        if let Some(new) = Instant::now().checked_add(timeout) {
            self.set_deadline(new);
        }
        self
    }

    /// Ends it then, unless it ends earlier.
    pub(crate) fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = Some(self.deadline.map_or(deadline, |old| old.min(deadline)));
    }

    /// The moment after which nobody waits for the answer.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The time that is left; zero when the deadline has passed, `None` without one.
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// The deadline of a call that is made with this context. A served call keeps a little of its time for itself, so that it
    /// can still say why when a call further down is late.
    pub(crate) fn deadline_of_calls(&self, now: Instant) -> Option<Instant> {
        let deadline = self.deadline?;
        Some(match self.call.peer() {
            Some(_) => now + without_held_back(deadline.saturating_duration_since(now)),
            None => deadline,
        })
    }

    /// The value of a metadata entry, if it is there and is UTF-8: `request-id`, `traceparent`, `tracestate`, `caller`, `client`, and the
    /// headers that the gateway's table lists. What the program has set counts before what came with the call.
    ///
    /// ```
    /// # use callgate_sdk::{Context, Status};
    /// fn tenant(cx: &Context) -> Result<&str, Status> {
    ///     cx.metadata("x-tenant").ok_or_else(|| Status::invalid_argument("whose orders?"))
    /// }
    /// # tenant(&Context::background()).unwrap_err();
    /// ```
    pub fn metadata(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.metadata_bin(name)?).ok()
    }

    /// The value of a metadata entry, whatever its bytes, and whatever the case of `name`.
    pub fn metadata_bin(&self, name: &str) -> Option<&[u8]> {
        let name = metadata::sent(name);
        self.set.as_metadata().get(&name).or_else(|| self.call.metadata().get(&name))
    }

    /// All metadata entries, names in lower case.
    pub fn iter_metadata(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let set = self.set.as_metadata();
        let came = self.call.metadata().iter().filter(move |(name, _)| set.get(name).is_none());
        set.iter().chain(came)
    }

    /// Sets a metadata entry, which goes along with the calls that are made with this context. It takes the place of one of
    /// the same name, also of one that came with the call. The value may be text or bytes.
    ///
    /// # Errors
    /// When the name is not 1 to 255 ASCII letters, digits, `-`, `_` and `.`, or all entries that are set would be longer than
    /// 16 KiB. Nothing is changed then.
    pub fn set_metadata(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), BadMetadata> {
        metadata::set(&mut self.set, name, value.as_ref())
    }

    /// The same context with a metadata entry set, see [`set_metadata`](Self::set_metadata).
    ///
    /// ```
    /// # use callgate_sdk::{Context, Status};
    /// # fn example(cx: &Context) -> Result<(), Status> {
    /// // The next service sees it too.
    /// let cx = &cx.clone().with_metadata("x-tenant", "blue")?;
    /// # Ok(())
    /// # }
    /// # example(&Context::background()).unwrap();
    /// ```
    ///
    /// # Errors
    /// As there.
    pub fn with_metadata(mut self, name: &str, value: impl AsRef<[u8]>) -> Result<Context, BadMetadata> {
        self.set_metadata(name, value)?;
        Ok(self)
    }

    /// The value of that type which a [layer](crate::Layer) has left for the method. A method that cannot do without it takes it
    /// so; [`extensions`](Self::extensions) is for one that can.
    ///
    /// ```
    /// # use callgate_sdk::{Context, Status};
    /// struct User {
    ///     name: String,
    /// }
    ///
    /// fn greeting(cx: &Context) -> Result<String, Status> {
    ///     Ok(format!("hello {}", cx.extension::<User>()?.name))
    /// }
    /// # let mut cx = Context::background();
    /// # assert!(greeting(&cx).unwrap_err().message.contains("User"));
    /// # cx.extensions_mut().insert(User { name: "ann".into() });
    /// # assert_eq!(greeting(&cx).unwrap(), "hello ann");
    /// ```
    ///
    /// # Errors
    /// `internal` when no layer has left one: the program that starts the server has forgotten the layer.
    pub fn extension<T: Send + Sync + 'static>(&self) -> Result<&T, Status> {
        self.extensions.get().ok_or_else(|| {
            let missing = type_name::<T>();
            Status::internal(format!(
                "no layer has left a `{missing}` for the method: add the layer that does by `Server::layer`"
            ))
        })
    }

    /// What layers have left for the handler.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// The same, to change them.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.extensions
    }

    /// Who has made the call; `None` when it is the program's own.
    pub fn peer(&self) -> Option<&Peer> {
        self.call.peer()
    }

    /// The address of the client for whom a gateway has made the call, as the gateway knows it: metadata `client`. `None` where nobody
    /// knows it, and for calls that no gateway has made. It does not go along with calls that are made with this context.
    ///
    /// ```
    /// # use callgate_sdk::Context;
    /// fn is_inside(cx: &Context) -> bool {
    ///     cx.client().is_some_and(|address| address.is_loopback())
    /// }
    /// # assert!(is_inside(&Context::background().with_metadata("client", "::1").unwrap()));
    /// # assert!(!is_inside(&Context::background()));
    /// ```
    pub fn client(&self) -> Option<IpAddr> {
        self.said("client")?.parse().ok()
    }

    /// Who calls, by what a gateway has verified. `None` where nobody was asked, or the route lets callers in who show nothing; and for
    /// calls that no gateway has made. It does not go along with calls that are made with this context. Where the server says
    /// [whose word counts](crate::Server::speaks_for_others), all others are who they are by what their connection has proven.
    ///
    /// ```
    /// # use callgate_sdk::{Context, Status};
    /// fn tenant(cx: &Context) -> Result<String, Status> {
    ///     let caller = cx.identity().ok_or_else(|| Status::unauthenticated("who calls?"))?;
    ///     caller.claim("tenant").ok_or_else(|| Status::permission_denied("of no tenant"))
    /// }
    /// # let cx = Context::background().with_metadata("identity", "ada").unwrap();
    /// # assert!(tenant(&cx).unwrap_err().message.contains("no tenant"));
    /// # assert_eq!(tenant(&cx.with_metadata("identity-claims", r#"{"tenant":"acme"}"#).unwrap()).unwrap(), "acme");
    /// ```
    pub fn identity(&self) -> Option<Identity<'_>> {
        let text = |entry: MetadataName| self.said(entry.as_str()).unwrap_or_default();
        let Some(name) = self.said(entries::NAME.as_str()).filter(|name| !name.is_empty()) else {
            let (authenticator, name) = self.peer()?.itself()?;
            return Some(Identity { name, authenticator, scopes: "", claims: "" });
        };
        Some(Identity {
            name,
            authenticator: text(entries::BY),
            scopes: text(entries::SCOPES),
            claims: text(entries::CLAIMS),
        })
    }

    /// An entry that says for whom a call is made. It counts from whoever [may say it](crate::Server::speaks_for_others), and from the program itself.
    fn said(&self, name: &str) -> Option<&str> {
        match self.call.peer().is_none_or(Peer::speaks_for_others) {
            true => self.metadata(name),
            false => std::str::from_utf8(self.set.as_metadata().get(name)?).ok(),
        }
    }

    /// What goes back to the caller beside the result, or beside the failure. What is added after the method has returned
    /// comes too late.
    ///
    /// ```
    /// # use callgate_sdk::{Context, Status};
    /// async fn list(cx: &Context) -> Result<Vec<String>, Status> {
    ///     cx.reply().insert("x-total-count", "120")?;
    ///     Ok(vec!["1001".to_owned()])
    /// }
    /// ```
    pub fn reply(&self) -> &ReplyMetadata {
        self.call.reply()
    }

    /// The same context, with which calls put what comes beside their result or failure into `reply`, in the place of what was
    /// there.
    ///
    /// ```
    /// # use callgate_sdk::{Context, ReplyMetadata, Status};
    /// # async fn list(_: &Context) -> Result<Vec<String>, Status> { Ok(Vec::new()) }
    /// # async fn example(cx: &Context) -> Result<(), Status> {
    /// let reply = ReplyMetadata::new();
    /// let orders = list(&cx.clone().with_reply(&reply)).await?;
    /// println!("{} of {:?}", orders.len(), reply.get("x-total-count"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_reply(mut self, reply: &ReplyMetadata) -> Context {
        self.hears = Some(reply.clone());
        self
    }

    /// Whether nobody waits for the answer any more: the caller gave up or is gone, or the deadline has passed.
    pub fn is_cancelled(&self) -> bool {
        self.call.is_cancelled()
    }

    /// Waits until nobody waits for the answer any more. The handler's own future is dropped then; this is for what it
    /// has spawned. Never ends for a call that is answered, nor for a context that belongs to no call.
    pub async fn cancelled(&self) {
        self.call.cancelled().await;
    }

    /// A call that was made with this context has ended, and this came with its result or failure.
    pub(crate) fn heard(&self, metadata: Metadata<'_>) {
        if let Some(reply) = &self.hears {
            reply.replace(metadata);
        }
    }
}

/// The metadata of a call that is made with a context, by a client of that name.
///
/// # Errors
/// When all of it is longer than 16 KiB.
pub(crate) fn metadata_of_call(
    context: Option<&Context>,
    caller: Option<&str>,
) -> Result<MetadataBuf, BadMetadata> {
    let mut sent = context.map_or_else(MetadataBuf::default, |context| context.set.clone());
    let passed_on = context.into_iter().flat_map(|context| {
        PASSED_ON.into_iter().filter_map(|number| {
            let name = key::name(number)?;
            Some((number, name, context.call.metadata().get(name)?))
        })
    });
    let caller = caller.map(|caller| (key::CALLER, "caller", caller.as_bytes()));
    for (number, name, value) in passed_on.chain(caller) {
        let is_set = context.is_some_and(|context| context.set.as_metadata().get(name).is_some());
        if !is_set && !sent.push(number, value) {
            return Err(BadMetadata::TooLong { name: name.to_owned() });
        }
    }
    Ok(sent)
}

/// What is left for calls of a served call that has so much left.
fn without_held_back(left: Duration) -> Duration {
    left - (left / 20).min(MOST_HELD_BACK)
}

#[cfg(test)]
mod tests;
