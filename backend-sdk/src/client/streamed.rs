//! A call that streams, from where an attempt has begun it: items of the service are read, those of the caller put, and the call
//! ends by its outcome, by its deadline, or because nobody wants it any more.
//!
//! Nobody drives a stream but its reader: the caller's items are put while it waits for the service's, or for the result. So what is
//! dropped ends, and what nobody reads stands still.

use super::attempt::{Attempts, Done};
use super::race::Attempt;
use super::{Client, decode, encode, layered};
use crate::context::metadata_of_call;
use crate::layer::{Layers, MethodName, Outcome};
use crate::service::Method;
use crate::{Context, Status, Stream};
use callgate_protocol::StreamCredit;
use callgate_protocol::connection::streams::NotPut;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{self, Poll, ready};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep_until};

/// The caller's items, encoded.
pub struct Outgoing(Pin<Box<dyn Stream<Item = Result<Vec<u8>, Status>> + Send>>);

/// A call that streams.
pub(crate) struct Opened {
    /// Its connections live as long as the call.
    _client: Client,
    method: &'static Method,
    /// Hears what comes beside the end.
    context: Option<Context>,
    /// How it is under way; not there when it has ended.
    attempt: Option<Box<Attempt>>,
    outcome: Option<Outcome>,
    over: bool,
    outgoing: Option<Outgoing>,
    /// The next item of the caller, when it has to wait.
    pending: Option<Vec<u8>>,
    /// Items that were read and not told, and their bytes.
    used: (u32, usize),
    late: Pin<Box<Sleep>>,
    around: Option<Around>,
}

/// The layers around a call, and how they are told that it has ended.
struct Around {
    layers: Pin<Box<dyn Future<Output = Outcome> + Send>>,
    end: Option<oneshot::Sender<Outcome>>,
}

impl Client {
    /// Calls a method to which this side streams, and which answers with a result.
    pub(crate) async fn call_streaming<A, R>(
        &self,
        method: &'static Method,
        context: Option<&Context>,
        arguments: &A,
        outgoing: Outgoing,
    ) -> Result<R, Status>
    where
        A: Serialize + Sync,
        R: DeserializeOwned,
    {
        let mut opened = self.open(method, context, arguments, Some(outgoing)).await?;
        let reply = poll_fn(|cx| opened.poll_outcome(cx)).await.map_err(Status::into_heard)?;
        let schema = method.schema().map_err(|problem| Status::internal(problem.to_string()))?;
        decode(method, schema, &reply.payload)
    }

    /// Calls a method that streams. If only the service does, it is there when the first item, the end or a failure has come; until
    /// then the call is sent again as others are. If the caller streams it is there when the call was sent.
    pub(crate) async fn open<A: Serialize + Sync>(
        &self,
        method: &'static Method,
        context: Option<&Context>,
        arguments: &A,
        outgoing: Option<Outgoing>,
    ) -> Result<Opened, Status> {
        let (_, payload) = encode(method, arguments)?;
        let opened = async {
            let deadline = self.deadline(context)?;
            match &self.layers {
                None => self.open_now(method, context, &payload, deadline, outgoing).await,
                Some(layers) => self.open_through(layers, method, context, payload, deadline, outgoing).await,
            }
        };
        let mut opened = opened.await.map_err(|status| {
            if let Some(context) = context {
                context.heard(status.all_metadata());
            }
            status.into_heard()
        })?;
        opened.context = context.cloned();
        Ok(opened)
    }

    async fn open_now(
        &self,
        method: &'static Method,
        context: Option<&Context>,
        payload: &[u8],
        deadline: Instant,
        outgoing: Option<Outgoing>,
    ) -> Result<Opened, Status> {
        let metadata = metadata_of_call(context, self.caller.as_deref());
        let metadata =
            metadata.map_err(|error| Status::resource_exhausted(error.to_string()).not_executed())?;
        let attempts = Attempts { pool: &self.pool, method, metadata: &metadata, payload, deadline };
        let (attempt, outcome) = match attempts.begin().await? {
            Done::Begun(attempt) => (Some(attempt), None),
            Done::Reply(reply) => (None, Some(Ok(reply))),
        };
        Ok(Opened {
            _client: self.clone(),
            method,
            context: None,
            over: outcome.is_some(),
            attempt,
            outcome,
            outgoing,
            pending: None,
            used: (0, 0),
            late: Box::pin(sleep_until(deadline)),
            around: None,
        })
    }

    /// The layers see the call from its beginning to the end of its streams.
    async fn open_through(
        &self,
        layers: &Layers,
        method: &'static Method,
        context: Option<&Context>,
        payload: Vec<u8>,
        deadline: Instant,
        outgoing: Option<Outgoing>,
    ) -> Result<Opened, Status> {
        let (opened, mut opens) = oneshot::channel();
        let (end, ends) = oneshot::channel();
        let (client, layers, context, size) = (self.clone(), layers.clone(), context.cloned(), payload.len());
        let mut around: Pin<Box<dyn Future<Output = Outcome> + Send>> = Box::pin(async move {
            let within = move |context: Context, deadline| async move {
                let one = client.open_now(method, Some(&context), &payload, deadline, outgoing).await?;
                // Whoever has asked for it may be gone.
                let _ = opened.send(one);
                ends.await.unwrap_or_else(|_| Err(Status::cancelled("nobody reads the stream any more")))
            };
            layered::call(&layers, method, context.as_ref(), size, deadline, within).await
        });
        tokio::select! {
            biased;
            Ok(one) = &mut opens => Ok(Opened { around: Some(Around { layers: around, end: Some(end) }), ..one }),
            outcome = &mut around => {
                outcome?;
                Err(Status::internal(format!("a layer has answered {} itself", MethodName::of(method))))
            }
        }
    }
}

impl Opened {
    /// The next item of the service. `None` when it has no more. Not to be asked again after that or a failure.
    pub(crate) fn poll_item(&mut self, cx: &mut task::Context<'_>) -> Poll<Option<Result<Vec<u8>, Status>>> {
        if !self.over {
            match ready!(self.poll_next(cx)) {
                Ok(item) => return Poll::Ready(Some(Ok(item))),
                Err(outcome) => self.ends(outcome),
            }
        }
        match ready!(self.poll_end(cx)) {
            Ok(_) => Poll::Ready(None),
            Err(status) => Poll::Ready(Some(Err(status.into_heard()))),
        }
    }

    /// Nobody reads on.
    pub(crate) fn close(&mut self) {
        self.attempt = None;
        self.around = None;
    }

    /// The result of a call whose caller streams.
    fn poll_outcome(&mut self, cx: &mut task::Context<'_>) -> Poll<Outcome> {
        if !self.over {
            let outcome = match ready!(self.poll_next(cx)) {
                Ok(_) => Err(Status::internal("the endpoint streams, which was not asked for")),
                Err(outcome) => outcome,
            };
            self.ends(outcome);
        }
        self.poll_end(cx)
    }

    /// The next item, or how the call has ended.
    fn poll_next(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<Vec<u8>, Outcome>> {
        if let Some(Around { layers, .. }) = &mut self.around
            && let Poll::Ready(outcome) = layers.as_mut().poll(cx)
        {
            self.around = None;
            return Poll::Ready(Err(outcome));
        }
        self.put(cx).map_err(Err)?;
        let Some(attempt) = &self.attempt else {
            return Poll::Ready(Err(Err(Status::cancelled("the call is over"))));
        };
        match attempt.sent.poll_item(cx) {
            Poll::Ready(Ok(item)) => return Poll::Ready(self.read(item).map_err(Err)),
            Poll::Ready(Err(outcome)) => return Poll::Ready(Err(self.heard(outcome))),
            Poll::Pending => {}
        }
        // Again: a turn that came before the waker was left there has woken nobody.
        self.put(cx).map_err(Err)?;
        ready!(self.late.as_mut().poll(cx));
        let message = format!("{} was not over in time", MethodName::of(self.method));
        Poll::Ready(Err(Err(Status::deadline_exceeded(message))))
    }

    /// An item is read.
    fn read(&mut self, item: Vec<u8>) -> Result<Vec<u8>, Status> {
        let Some(attempt) = &mut self.attempt else { return Ok(item) };
        attempt.trial.begins();
        self.used.0 += 1;
        self.used.1 += item.len();
        let StreamCredit { items, bytes } = StreamCredit::default();
        // With less the service still has credit.
        if self.used.0 >= items / 2 || self.used.1 >= bytes as usize / 2 {
            let (items, bytes) = std::mem::take(&mut self.used);
            attempt.sent.used(items, bytes);
        }
        attempt.way.came(self.method, item).map_err(|failed| failed.status)
    }

    /// The endpoint has said how the call has ended.
    fn heard(&mut self, outcome: super::outcome::Outcome) -> Outcome {
        let Some(mut attempt) = self.attempt.take() else { return outcome.map_err(|failed| failed.status) };
        attempt.trial.streams(&outcome);
        attempt.way.outcome(self.method, outcome).map_err(|failed| failed.status)
    }

    /// Puts items of the caller, as long as it has some and it is their turn.
    fn put(&mut self, cx: &mut task::Context<'_>) -> Result<(), Status> {
        let (Some(attempt), Some(outgoing)) = (&self.attempt, &mut self.outgoing) else { return Ok(()) };
        loop {
            let item = match self.pending.take() {
                Some(item) => item,
                None => match outgoing.0.as_mut().poll_next(cx) {
                    Poll::Pending => return Ok(()),
                    Poll::Ready(None) => {
                        attempt.sent.end();
                        break;
                    }
                    Poll::Ready(Some(item)) => {
                        let item = attempt.way.item(self.method, item?, attempt.sent.max_message());
                        item.map_err(|failed| failed.status)?
                    }
                },
            };
            match attempt.sent.put(&item) {
                Ok(()) => {}
                Err(NotPut::Later) => {
                    self.pending = Some(item);
                    return Ok(());
                }
                Err(NotPut::TooLong { size, most }) => {
                    let message = format!("an item has {size} bytes; the endpoint accepts {most}");
                    return Err(Status::resource_exhausted(message));
                }
                Err(NotPut::Never | NotPut::Payload(_)) => break,
            }
        }
        self.outgoing = None;
        Ok(())
    }

    /// The call has ended.
    fn ends(&mut self, outcome: Outcome) {
        self.attempt = None;
        self.outgoing = None;
        self.outcome = Some(outcome);
        self.over = true;
    }

    /// How it has ended, as the layers let it pass.
    fn poll_end(&mut self, cx: &mut task::Context<'_>) -> Poll<Outcome> {
        if let Some(around) = &mut self.around {
            // What they make of it takes its place.
            if let Some(end) = around.end.take()
                && let Some(outcome) = self.outcome.take()
            {
                let _ = end.send(outcome);
            }
            let outcome = ready!(around.layers.as_mut().poll(cx));
            self.around = None;
            self.outcome = Some(outcome);
        }
        let over = || Err(Status::cancelled("the call is over"));
        let outcome = self.outcome.take().unwrap_or_else(over);
        if let Some(context) = &self.context {
            let beside =
                outcome.as_ref().map_or_else(Status::all_metadata, |reply| reply.metadata.as_metadata());
            context.heard(beside);
        }
        Poll::Ready(outcome)
    }
}

impl Outgoing {
    pub(crate) fn new(items: impl Stream<Item = Result<Vec<u8>, Status>> + Send + 'static) -> Outgoing {
        Outgoing(Box::pin(items))
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").finish_non_exhaustive()
    }
}
