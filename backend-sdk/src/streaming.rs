//! Items that come one after another: what a method is given by a caller that streams, and what a client gets of a service that
//! does.

use crate::Status;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

pub use futures_core::Stream;

/// A stream of items, each of which may fail; after a failure none comes.
///
/// As an argument of a method it is what the caller streams, beside the other arguments, of which it is the last. A client makes
/// one of any [`Stream`] by [`Streaming::of`]. A method that streams itself returns `impl Stream`; its client stub gives a
/// `Streaming`.
///
/// ```
/// use callgate_sdk::{Server, Status, Stream, Streaming, service, testing};
/// use futures_util::stream;
///
/// #[service]
/// trait Numbers {
///     /// The numbers up to that one.
///     async fn count(&self, to: u32) -> Result<impl Stream<Item = Result<u32, Status>>, Status>;
///
///     /// The sum of what the caller streams.
///     async fn sum(&self, items: Streaming<u32>) -> Result<u64, Status>;
/// }
///
/// struct Plain;
///
/// impl Numbers for Plain {
///     async fn count(&self, to: u32) -> Result<impl Stream<Item = Result<u32, Status>>, Status> {
///         Ok(stream::iter((1..=to).map(Ok)))
///     }
///
///     async fn sum(&self, mut items: Streaming<u32>) -> Result<u64, Status> {
///         let mut sum = 0;
///         while let Some(item) = items.next().await {
///             sum += u64::from(item?);
///         }
///         Ok(sum)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Status> {
/// let numbers = NumbersClient::new(testing::client(Server::new().service(NumbersServer::new(Plain))));
/// let mut count = numbers.count(3).await?;
/// while let Some(item) = count.next().await {
///     println!("{}", item?);
/// }
/// assert_eq!(numbers.sum(Streaming::of(stream::iter([1, 2, 3]))).await?, 6);
/// # Ok(())
/// # }
/// ```
///
/// Whoever reads slowly slows the writer down, and nobody else. A client that drops the stream cancels the call, and so drops the
/// method's.
#[must_use = "a stream does nothing until it is read"]
pub struct Streaming<T, E = Status>(Pin<Box<dyn Stream<Item = Result<T, E>> + Send>>);

impl<T, E> Streaming<T, E> {
    /// These items, none of which fails.
    pub fn of(items: impl Stream<Item = T> + Send + 'static) -> Streaming<T, E>
    where
        T: 'static,
        E: 'static,
    {
        Streaming::of_results(Whole(Box::pin(items), std::marker::PhantomData))
    }

    /// The same of items that may fail. As an argument of a call, a failure ends the call: it is cancelled, and fails so.
    pub fn of_results(items: impl Stream<Item = Result<T, E>> + Send + 'static) -> Streaming<T, E> {
        Streaming(Box::pin(items))
    }

    /// The next item; `None` at the end. Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<T, E>> {
        poll_fn(|cx| self.0.as_mut().poll_next(cx)).await
    }
}

impl<T, E> Stream for Streaming<T, E> {
    type Item = Result<T, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<T, E>>> {
        self.0.as_mut().poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<T, E> fmt::Debug for Streaming<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streaming").finish_non_exhaustive()
    }
}

/// Items as results.
struct Whole<S, E>(Pin<Box<S>>, std::marker::PhantomData<fn() -> E>);

impl<S: Stream, E> Stream for Whole<S, E> {
    type Item = Result<S::Item, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx).map(|item| item.map(Ok))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}
