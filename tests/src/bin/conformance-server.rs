//! The SDK's server as a tested acceptor: offers the service that `tests/conformance` asks for, and listens again after it
//! has drained.

use callgate_sdk::{Bytes, Code, Handle, Server, ServerError, Status, Stream, Streaming, service};
use clap::Parser;
use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

/// See tests/conformance/README.md.
#[service]
trait Conformance {
    /// The text.
    #[idempotent]
    async fn echo(&self, text: String) -> Result<String, Status>;

    /// So many bytes.
    #[idempotent]
    async fn large(&self, size: u32) -> Result<Bytes, Status>;

    /// Fails with that code and that message.
    ///
    /// One of the schemas must be longer than the smallest max_frame, because a schema is never cut, whatever max_frame is.
    /// This one is, by what follows. The code is that of the page: 1 cancelled, 2 unknown, 3 invalid_argument,
    /// 4 deadline_exceeded, 5 not_found, 6 already_exists, 7 permission_denied, 8 resource_exhausted, 9 failed_precondition,
    /// 10 aborted, 11 out_of_range, 12 unimplemented, 13 internal, 14 unavailable, 15 data_loss, 16 unauthenticated. Any other
    /// number is read as `unknown`. The message is for people, and comes back as it was sent. The call has run when it fails
    /// so: its FAILURE does not say NOT_EXECUTED, whatever the code is. A caller that is refused has a FAILURE that says so,
    /// and may go elsewhere; a caller that is answered with a failure has an answer, and whether another attempt is of any
    /// use is for the caller to know. A message that is longer than the peer's max_frame is cut like any other message, and
    /// one that is longer than its max_message is not sent at all.
    #[idempotent]
    async fn fail(&self, code: u8, message: String) -> Result<(), Status>;

    /// Does not end by itself.
    async fn hold(&self, key: String) -> Result<(), Status>;

    /// How many calls of `hold` with that key are running.
    async fn held(&self, key: String) -> Result<u32, Status>;

    /// Says to all callers whether calls are wanted.
    async fn ready(&self, ready: bool) -> Result<(), Status>;

    /// Goes away.
    async fn drain(&self) -> Result<(), Status>;

    /// The numbers from 1 to that.
    async fn count(&self, to: u32) -> Result<impl Stream<Item = Result<u32, Status>>, Status>;

    /// The sum of what the caller streams.
    async fn sum(&self, items: Streaming<u32>) -> Result<u64, Status>;

    /// What the caller streams.
    async fn chat(
        &self,
        items: Streaming<String>,
    ) -> Result<impl Stream<Item = Result<String, Status>>, Status>;
}

#[derive(Clone, Default)]
struct Tested(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    server: Option<Handle>,
    held: HashMap<String, u32>,
}

impl Tested {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn server(&self) -> Result<Handle, Status> {
        self.state().server.clone().ok_or_else(|| Status::internal("there is no server"))
    }
}

/// A running `hold`; it ends by being dropped.
struct Held<'a>(&'a Tested, String);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(count) = self.0.state().held.get_mut(&self.1) {
            *count -= 1;
        }
    }
}

/// Counts.
struct Count(RangeInclusive<u32>);

impl Stream for Count {
    type Item = Result<u32, Status>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.next().map(Ok))
    }
}

impl Conformance for Tested {
    async fn echo(&self, text: String) -> Result<String, Status> {
        Ok(text)
    }

    async fn large(&self, size: u32) -> Result<Bytes, Status> {
        Ok(Bytes::from(vec![0; size as usize]))
    }

    async fn fail(&self, code: u8, message: String) -> Result<(), Status> {
        Err(Status::new(Code::from_number(code), message))
    }

    async fn hold(&self, key: String) -> Result<(), Status> {
        *self.state().held.entry(key.clone()).or_default() += 1;
        let _held = Held(self, key);
        std::future::pending().await
    }

    async fn held(&self, key: String) -> Result<u32, Status> {
        Ok(self.state().held.get(&key).copied().unwrap_or(0))
    }

    async fn ready(&self, ready: bool) -> Result<(), Status> {
        self.server()?.set_ready(ready);
        Ok(())
    }

    async fn drain(&self) -> Result<(), Status> {
        self.server()?.drain();
        Ok(())
    }

    async fn count(&self, to: u32) -> Result<impl Stream<Item = Result<u32, Status>>, Status> {
        Ok(Count(1..=to))
    }

    async fn sum(&self, mut items: Streaming<u32>) -> Result<u64, Status> {
        let mut sum = 0;
        while let Some(item) = items.next().await {
            sum += u64::from(item?);
        }
        Ok(sum)
    }

    async fn chat(
        &self,
        items: Streaming<String>,
    ) -> Result<impl Stream<Item = Result<String, Status>>, Status> {
        Ok(items)
    }
}

/// A tested acceptor.
#[derive(Parser)]
struct Options {
    /// Where to listen.
    #[arg(long)]
    listen: String,
}

#[tokio::main]
async fn main() -> Result<(), ServerError> {
    let options = Options::parse();
    let tested = Tested::default();
    loop {
        let server = Server::new().service(ConformanceServer::new(tested.clone())).listen(&options.listen);
        let bound = server.bind().await?;
        tested.state().server = Some(bound.handle());
        bound.serve().await;
    }
}
