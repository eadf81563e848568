//! A backend whose method streams as it is told: so many numbers, and then its end, a failure, or nothing.

use callgate_sdk::{Bytes, Message, Server, ServerError, Status, Stream, Streaming, service};
use clap::Parser;
use serde::{Deserialize, Serialize};
use std::io::stderr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::time::SystemTime;

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    listen: String,
}

/// An item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
struct Number {
    /// Which one it is, from 1.
    n: u32,
}

/// Another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
struct Event {
    kind: Option<String>,
    seq: Option<String>,
    pause: Option<i32>,
    text: String,
}

/// Streams.
#[service]
trait Feeds {
    /// The numbers from 1 to that, and `then` an `end`, or to `fail`, or to `hang`.
    async fn feed(&self, to: u32, then: String)
    -> Result<impl Stream<Item = Result<Number, Status>>, Status>;

    /// An event with all that, and another one whose text is `after`.
    async fn events(
        &self,
        #[default] kind: Option<String>,
        #[default] seq: Option<String>,
        #[default] pause: Option<i32>,
        #[default] text: String,
        #[default] after: String,
    ) -> Result<impl Stream<Item = Result<Event, Status>>, Status>;

    /// How many numbers were made.
    async fn made(&self) -> Result<u64, Status>;

    /// How many of these are running.
    async fn running(&self) -> Result<u32, Status>;

    /// When the last one of these has ended, in microseconds since 1970.
    async fn ended(&self) -> Result<u64, Status>;

    /// The sum of what the caller streams.
    async fn sum(&self, from: u32, items: Streaming<Number>) -> Result<u32, Status>;

    /// Gives back what the caller streams, as it comes; fails behind 0.
    async fn talk(
        &self,
        items: Streaming<Number>,
    ) -> Result<impl Stream<Item = Result<Number, Status>>, Status>;

    /// Gives texts back.
    async fn text(
        &self,
        items: Streaming<String>,
    ) -> Result<impl Stream<Item = Result<String, Status>>, Status>;

    /// Gives bytes back.
    async fn bytes(
        &self,
        items: Streaming<Bytes>,
    ) -> Result<impl Stream<Item = Result<Bytes, Status>>, Status>;
}

#[derive(Clone, Default)]
struct Counting {
    running: Arc<AtomicU32>,
    made: Arc<AtomicU64>,
    ended: Arc<AtomicU64>,
}

impl Counting {
    fn begin(&self) -> Running {
        self.running.fetch_add(1, SeqCst);
        Running(self.clone())
    }
}

/// A call that is running, until it is dropped.
struct Running(Counting);

impl Drop for Running {
    fn drop(&mut self) {
        let now = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_micros() as u64);
        self.0.ended.fetch_max(now, SeqCst);
        self.0.running.fetch_sub(1, SeqCst);
    }
}

struct Feed {
    next: u32,
    to: u32,
    then: String,
    running: Running,
}

impl Stream for Feed {
    type Item = Result<Number, Status>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.next <= self.to {
            let n = self.next;
            self.next += 1;
            self.running.0.made.fetch_add(1, SeqCst);
            return Poll::Ready(Some(Ok(Number { n })));
        }
        match std::mem::replace(&mut self.then, "end".to_owned()).as_str() {
            "fail" => Poll::Ready(Some(Err(Status::not_found("there are no more numbers")))),
            "hang" => {
                self.then = "hang".to_owned();
                Poll::Pending
            }
            _ => Poll::Ready(None),
        }
    }
}

/// Events, the first one last.
struct Events(Vec<Event>);

impl Stream for Events {
    type Item = Result<Event, Status>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.pop().map(Ok))
    }
}

/// What the caller streams, back to it.
struct Talk {
    items: Streaming<Number>,
    _running: Running,
}

impl Stream for Talk {
    type Item = Result<Number, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match Pin::new(&mut self.items).poll_next(cx) {
            Poll::Ready(Some(Ok(Number { n: 0 }))) => {
                Poll::Ready(Some(Err(Status::not_found("0 is no number"))))
            }
            other => other,
        }
    }
}

impl Feeds for Counting {
    async fn feed(
        &self,
        to: u32,
        then: String,
    ) -> Result<impl Stream<Item = Result<Number, Status>>, Status> {
        Ok(Feed { next: 1, to, then, running: self.begin() })
    }

    async fn events(
        &self,
        kind: Option<String>,
        seq: Option<String>,
        pause: Option<i32>,
        text: String,
        after: String,
    ) -> Result<impl Stream<Item = Result<Event, Status>>, Status> {
        let last = Event { kind: None, seq: None, pause: None, text: after };
        Ok(Events(vec![last, Event { kind, seq, pause, text }]))
    }

    async fn made(&self) -> Result<u64, Status> {
        Ok(self.made.load(SeqCst))
    }

    async fn running(&self) -> Result<u32, Status> {
        Ok(self.running.load(SeqCst))
    }

    async fn ended(&self) -> Result<u64, Status> {
        Ok(self.ended.load(SeqCst))
    }

    async fn sum(&self, from: u32, mut items: Streaming<Number>) -> Result<u32, Status> {
        let _running = self.begin();
        let mut sum = from;
        while let Some(item) = items.next().await {
            sum += item?.n;
        }
        Ok(sum)
    }

    async fn talk(
        &self,
        items: Streaming<Number>,
    ) -> Result<impl Stream<Item = Result<Number, Status>>, Status> {
        Ok(Talk { items, _running: self.begin() })
    }

    async fn text(
        &self,
        items: Streaming<String>,
    ) -> Result<impl Stream<Item = Result<String, Status>>, Status> {
        Ok(items)
    }

    async fn bytes(
        &self,
        items: Streaming<Bytes>,
    ) -> Result<impl Stream<Item = Result<Bytes, Status>>, Status> {
        Ok(items)
    }
}

#[tokio::main]
async fn main() -> Result<(), ServerError> {
    tracing_subscriber::fmt().with_writer(stderr).with_ansi(false).init();
    let arguments = Arguments::parse();
    let counting = Counting::default();
    Server::new().service(FeedsServer::new(counting)).listen(&arguments.listen).run().await
}
