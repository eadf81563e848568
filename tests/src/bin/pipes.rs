//! A backend through which bytes flow: methods that stream them, and methods whose callers do.

use callgate_sdk::{Bytes, Message, Server, ServerError, Status, Stream, Streaming, service};
use callgate_tests::pipes::{self, Check};
use clap::Parser;
use serde::{Deserialize, Serialize};
use std::io::stderr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::task::{Context, Poll};
use tokio::sync::Semaphore;

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    listen: String,
}

/// An item that is made at a time has so many bytes.
const ITEM: u64 = 48 * 1024;

/// What has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
struct Taken {
    /// How many bytes.
    bytes: u64,
    /// They are those of [`pipes`].
    same: bool,
    /// In which media type, as it was said.
    kind: Option<String>,
    /// Under which name.
    name: Option<String>,
}

/// What is going on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
struct Counts {
    /// Calls that are running.
    running: u32,
    /// Bytes that were taken of callers.
    taken: u64,
    /// Bytes that were made.
    made: u64,
    /// Callers' streams that have come to their end.
    ended: u32,
}

/// Streams of bytes.
#[service]
trait Pipes {
    /// So many bytes, and `then` an end, or to `fail`, or to `hang`.
    async fn get(
        &self,
        bytes: u64,
        #[default] then: String,
    ) -> Result<impl Stream<Item = Result<Bytes, Status>>, Status>;

    /// These words, one by one.
    async fn say(&self, words: Vec<String>) -> Result<impl Stream<Item = Result<String, Status>>, Status>;

    /// Takes bytes.
    async fn put(
        &self,
        name: Option<String>,
        kind: Option<String>,
        content: Streaming<Bytes>,
    ) -> Result<Taken, Status>;

    /// Takes bytes, but none before `go`.
    async fn wait(&self, content: Streaming<Bytes>) -> Result<Taken, Status>;

    /// Lets all that wait go on.
    async fn go(&self) -> Result<(), Status>;

    /// Takes a text, and gives it back.
    async fn read(&self, content: Streaming<String>) -> Result<String, Status>;

    /// Gives bytes back, as they come.
    async fn echo(
        &self,
        content: Streaming<Bytes>,
    ) -> Result<impl Stream<Item = Result<Bytes, Status>>, Status>;

    /// What is going on.
    async fn counts(&self) -> Result<Counts, Status>;
}

#[derive(Default)]
struct State {
    running: AtomicU32,
    taken: AtomicU64,
    made: AtomicU64,
    ended: AtomicU32,
}

#[derive(Clone)]
struct Flow {
    state: Arc<State>,
    gate: Arc<Semaphore>,
}

/// A call that is running, until it is dropped.
struct Running(Arc<State>);

impl Running {
    fn begin(state: &Arc<State>) -> Running {
        state.running.fetch_add(1, SeqCst);
        Running(state.clone())
    }

    async fn take(&self, mut content: Streaming<Bytes>) -> Result<Taken, Status> {
        let mut check = Check::default();
        while let Some(bytes) = content.next().await {
            let bytes = bytes?;
            check.next(&bytes);
            self.0.taken.fetch_add(bytes.len() as u64, SeqCst);
        }
        self.0.ended.fetch_add(1, SeqCst);
        Ok(Taken { bytes: check.read, same: !check.differs, kind: None, name: None })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, SeqCst);
    }
}

/// Bytes that are being made.
struct Made {
    running: Running,
    place: u64,
    bytes: u64,
    then: String,
}

impl Stream for Made {
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ITEM.min(self.bytes - self.place);
        if next > 0 {
            let item = pipes::bytes(self.place, next as usize);
            self.place += next;
            self.running.0.made.fetch_add(next, SeqCst);
            return Poll::Ready(Some(Ok(item.into())));
        }
        match self.then.as_str() {
            "hang" => Poll::Pending,
            "fail" => {
                self.then.clear();
                Poll::Ready(Some(Err(Status::not_found("the rest is missing"))))
            }
            _ => Poll::Ready(None),
        }
    }
}

/// Words that are said.
struct Said(std::vec::IntoIter<String>);

impl Stream for Said {
    type Item = Result<String, Status>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.next().map(Ok))
    }
}

impl Pipes for Flow {
    async fn get(
        &self,
        bytes: u64,
        then: String,
    ) -> Result<impl Stream<Item = Result<Bytes, Status>>, Status> {
        Ok(Made { running: Running::begin(&self.state), place: 0, bytes, then })
    }

    async fn say(&self, words: Vec<String>) -> Result<impl Stream<Item = Result<String, Status>>, Status> {
        Ok(Said(words.into_iter()))
    }

    async fn put(
        &self,
        name: Option<String>,
        kind: Option<String>,
        content: Streaming<Bytes>,
    ) -> Result<Taken, Status> {
        let taken = Running::begin(&self.state).take(content).await?;
        Ok(Taken { kind, name, ..taken })
    }

    async fn wait(&self, content: Streaming<Bytes>) -> Result<Taken, Status> {
        let running = Running::begin(&self.state);
        let _gone = self.gate.acquire().await;
        running.take(content).await
    }

    async fn go(&self) -> Result<(), Status> {
        self.gate.close();
        Ok(())
    }

    async fn read(&self, mut content: Streaming<String>) -> Result<String, Status> {
        let mut text = String::new();
        while let Some(part) = content.next().await {
            text.push_str(&part?);
        }
        Ok(text)
    }

    async fn echo(
        &self,
        content: Streaming<Bytes>,
    ) -> Result<impl Stream<Item = Result<Bytes, Status>>, Status> {
        Ok(content)
    }

    async fn counts(&self) -> Result<Counts, Status> {
        let State { running, taken, made, ended } = &*self.state;
        Ok(Counts {
            running: running.load(SeqCst),
            taken: taken.load(SeqCst),
            made: made.load(SeqCst),
            ended: ended.load(SeqCst),
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), ServerError> {
    tracing_subscriber::fmt().with_writer(stderr).with_ansi(false).init();
    let arguments = Arguments::parse();
    let flow = Flow { state: Arc::default(), gate: Arc::new(Semaphore::new(0)) };
    Server::new().service(PipesServer::new(flow)).listen(&arguments.listen).run().await
}
