//! What the macros' output calls for methods that stream: at the server, from a method's stream to items and from items to its
//! argument; at the client the other way round.

use super::{heard, unreadable};
pub use crate::client::Outgoing;
use crate::codec::{self, spare};
use crate::service::{Answer, Items, Method};
use crate::{Client, Context, Error, Status, Stream, Streaming};
use callgate_protocol::schema::{MethodSchema, Type};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{self, Poll, ready};

/// A stream of a trait object's method.
pub type BoxedStream<'a, T> = Pin<Box<dyn Stream<Item = T> + Send + 'a>>;

/// The streams of a call. A server gives them to a method that streams.
pub fn streams(items: Option<Items>) -> Result<Items, Status> {
    items.ok_or_else(|| Status::internal("the server gives the method no streams"))
}

// The server.

/// What a method is given of its caller's items.
pub fn caller_items<T: DeserializeOwned + 'static>(method: &'static Method, items: &Items) -> Streaming<T> {
    Streaming::of_results(Coming { method, items: items.clone(), over: false, as_what: PhantomData })
}

struct Coming<T> {
    method: &'static Method,
    items: Items,
    over: bool,
    as_what: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Stream for Coming<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<Result<T, Status>>> {
        if self.over {
            return Poll::Ready(None);
        }
        let Some(payload) = ready!(self.items.poll_item(cx)) else {
            self.over = true;
            return Poll::Ready(None);
        };
        let item = payload.and_then(|payload| {
            let read = item(self.method, |schema| schema.request_items.as_ref(), &payload);
            read.map_err(|why| {
                let Method { service, name, .. } = self.method;
                let why = format!("an item for {service}.{name} cannot be read: {why}");
                let status = Status::invalid_argument(why);
                self.items.breaks(status.clone());
                status
            })
        });
        self.over = item.is_err();
        Poll::Ready(Some(item))
    }
}

impl<T> Drop for Coming<T> {
    fn drop(&mut self) {
        self.items.leave();
    }
}

/// An item, of bytes that come from the network: they are read as arguments are.
pub(crate) fn item<T: DeserializeOwned>(
    method: &'static Method,
    ty: impl FnOnce(&MethodSchema) -> Option<&Type>,
    payload: &[u8],
) -> Result<T, String> {
    let schema = method.schema().map_err(ToString::to_string)?;
    let ty = ty(&schema.schema).ok_or("the method has no such items")?;
    match schema.read(ty, payload).map_err(|error| error.to_string())? {
        Some(item) => Ok(item),
        None => codec::read(payload).map_err(|error| unreadable(&error).to_owned()),
    }
}

/// Runs a method whose caller streams. Something that is no item ends it, whatever it makes of that.
pub fn reading(items: Items, mut answer: Answer) -> Answer {
    Box::pin(poll_fn(move |cx| {
        let polled = answer.as_mut().poll(cx);
        match items.broken() {
            Some(status) => Poll::Ready(Err(status)),
            None => polled,
        }
    }))
}

/// Runs a method that streams: `handler` gives what [`put_all`] does.
pub fn streamed(handler: impl Future<Output = Result<(), Status>> + Send + 'static) -> Answer {
    Box::pin(async move { handler.await.map(|()| Vec::new()) })
}

/// Puts the items of a method's stream, or says why there is none. Ends when all had their turn.
pub async fn put_all<S, R, E>(items: Items, head: Result<S, E>) -> Result<(), Status>
where
    S: Stream<Item = Result<R, E>>,
    R: Serialize,
    E: Error,
{
    let mut stream = pin!(head.map_err(E::into_failure)?);
    let result = loop {
        poll_fn(|cx| items.poll_room(cx)).await;
        match poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
            None => break Ok(()),
            Some(Err(error)) => break Err(error.into_failure()),
            Some(Ok(item)) => match written(&item) {
                Ok(item) => items.put(item),
                Err(why) => break Err(Status::internal(format!("an item cannot be written: {why}"))),
            },
        }
    };
    poll_fn(|cx| items.poll_put(cx)).await;
    result
}

fn written(item: &impl Serialize) -> Result<Vec<u8>, String> {
    let mut written = spare::take();
    match codec::write(item, &mut written) {
        Ok(()) => Ok(written),
        Err(error) => Err(error.to_string()),
    }
}

// The client.

/// The caller's items as they are sent.
pub fn outgoing<T: Serialize + 'static>(method: &'static Method, items: Streaming<T>) -> Outgoing {
    Outgoing::new(Going { method, items })
}

struct Going<T> {
    method: &'static Method,
    items: Streaming<T>,
}

impl<T: Serialize> Stream for Going<T> {
    type Item = Result<Vec<u8>, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(Pin::new(&mut self.items).poll_next(cx));
        Poll::Ready(item.map(|item| {
            let mut out = Vec::new();
            codec::write(&item?, &mut out).map_err(|error| {
                let Method { service, name, .. } = self.method;
                Status::invalid_argument(format!("an item for {service}.{name} cannot be encoded: {error}"))
            })?;
            Ok(out)
        }))
    }
}

/// Calls a method of another process to which this one streams.
pub async fn remote_reading<A: Serialize + Sync, R: DeserializeOwned, E: Error>(
    client: &Client,
    method: &'static Method,
    context: Option<&Context>,
    arguments: &A,
    items: Outgoing,
) -> Result<R, E> {
    let reply = client.call_streaming(method, context, arguments, items).await;
    reply.map_err(|status| heard(method, context, status))
}

/// Calls a method of another process that streams.
pub async fn remote_streamed<A: Serialize + Sync, R: DeserializeOwned + 'static, E: Error>(
    client: &Client,
    method: &'static Method,
    context: Option<&Context>,
    arguments: &A,
    items: Option<Outgoing>,
) -> Result<Streaming<R, E>, E> {
    let opened = client.open(method, context, arguments, items).await;
    let mut opened = opened.map_err(|status| heard(method, context, status))?;
    let context = context.cloned();
    let mut over = false;
    Ok(Streaming::of_results(Polled(move |cx: &mut task::Context<'_>| {
        if over {
            return Poll::Ready(None);
        }
        let Some(payload) = ready!(opened.poll_item(cx)) else {
            over = true;
            return Poll::Ready(None);
        };
        let item = payload.and_then(|payload| {
            item(method, |schema| Some(&schema.response), &payload).map_err(|why| {
                let Method { service, name, .. } = method;
                Status::internal(format!("an item of {service}.{name} is not what its schema says: {why}"))
            })
        });
        if item.is_err() {
            over = true;
            opened.close();
        }
        Poll::Ready(Some(item.map_err(|status| heard(method, context.as_ref(), status))))
    })))
}

/// A stream by a function.
struct Polled<F>(F);

impl<T, F> Stream for Polled<F>
where
    F: FnMut(&mut task::Context<'_>) -> Poll<Option<T>> + Unpin,
{
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<T>> {
        (self.0)(cx)
    }
}

// Trait objects.

/// Where a [`Carrier`] leaves what its stream gives.
#[derive(Debug)]
struct Carried<T> {
    begun: bool,
    item: Option<T>,
}

/// Takes the items of a stream out of the future that holds what the stream borrows.
pub struct Carrier<T>(Arc<Mutex<Carried<T>>>);

impl<T> fmt::Debug for Carrier<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carrier").finish_non_exhaustive()
    }
}

impl<T> Carrier<T> {
    fn with<R>(&self, change: impl FnOnce(&mut Carried<T>) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Carries all items.
    pub async fn all(self, mut stream: BoxedStream<'_, T>) {
        self.with(|carried| carried.begun = true);
        poll_fn(|cx| {
            if self.with(|carried| carried.item.is_some()) {
                // Whoever takes it polls again.
                return Poll::Pending;
            }
            match ready!(stream.as_mut().poll_next(cx)) {
                None => Poll::Ready(()),
                Some(item) => {
                    self.with(|carried| carried.item = Some(item));
                    Poll::Pending
                }
            }
        })
        .await;
    }
}

/// The stream that a future carries out, which may borrow from what the future holds.
pub async fn carried<T, E, F, M>(make: M) -> Result<impl Stream<Item = T>, E>
where
    M: FnOnce(Carrier<T>) -> F,
    F: Future<Output = Result<(), E>>,
{
    let carrier = Carrier(Arc::new(Mutex::new(Carried { begun: false, item: None })));
    let mut future = Some(Box::pin(make(Carrier(carrier.0.clone()))));
    poll_fn(|cx| match future.as_mut().map(|future| future.as_mut().poll(cx)) {
        Some(Poll::Ready(Err(error))) => Poll::Ready(Err(error)),
        Some(Poll::Ready(Ok(()))) => {
            future = None;
            Poll::Ready(Ok(()))
        }
        _ if carrier.with(|carried| carried.begun) => Poll::Ready(Ok(())),
        _ => Poll::Pending,
    })
    .await?;
    Ok(Polled(move |cx: &mut task::Context<'_>| {
        let item = carrier.with(|carried| carried.item.take());
        if item.is_some() {
            return Poll::Ready(item);
        }
        if let Some(running) = &mut future
            && running.as_mut().poll(cx).is_ready()
        {
            future = None;
        }
        match carrier.with(|carried| carried.item.take()) {
            None if future.is_some() => Poll::Pending,
            item => Poll::Ready(item),
        }
    }))
}
