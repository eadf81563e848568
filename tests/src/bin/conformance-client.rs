//! The SDK's client as a tested connector.

use callgate_sdk::{Client, ClientError, Status, Stream, Streaming, service};
use callgate_tests::driver::drive;
use clap::Parser;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The methods that are called. They are not idempotent.
#[service]
trait Conformance {
    /// The text.
    async fn echo(&self, text: String) -> Result<String, Status>;

    /// What the caller streams.
    async fn chat(
        &self,
        items: Streaming<String>,
    ) -> Result<impl Stream<Item = Result<String, Status>>, Status>;
}

/// A tested connector.
#[derive(Parser)]
struct Options {
    /// Where to connect to.
    #[arg(long)]
    connect: String,
}

#[tokio::main]
async fn main() -> Result<(), ClientError> {
    let options = Options::parse();
    let client = Client::builder().endpoint(options.connect).caller("conformance").build()?;
    let stub = |time| ConformanceClient::new(client.with_timeout(time));
    let echo = |text, time| {
        let client = stub(time);
        async move {
            let answer = client.echo(text).await;
            answer.map(|text| text.len()).map_err(code)
        }
    };
    let chat = |items, time| {
        let client = stub(time);
        async move { chat(client, items).await.map_err(code) }
    };
    drive(echo, chat).await;
    Ok(())
}

/// Puts the items, reads what comes back, and counts it.
async fn chat(client: ConformanceClient, items: Vec<String>) -> Result<usize, Status> {
    let mut back = client.chat(Streaming::of(Items(items.into_iter()))).await?;
    let mut count = 0;
    while let Some(item) = back.next().await {
        item?;
        count += 1;
    }
    Ok(count)
}

struct Items(std::vec::IntoIter<String>);

impl Stream for Items {
    type Item = String;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<String>> {
        Poll::Ready(self.0.next())
    }
}

fn code(status: Status) -> String {
    status.code.name().to_owned()
}
