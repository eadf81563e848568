//! The SDK's client as a tested connector.

use callgate_sdk::{Client, ClientError, Status, service};
use callgate_tests::driver::drive;
use clap::Parser;

/// The one method that is called. It is not idempotent.
#[service]
trait Conformance {
    /// The text.
    async fn echo(&self, text: String) -> Result<String, Status>;
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
    drive(|text, time| {
        let client = ConformanceClient::new(client.with_timeout(time));
        async move {
            let answer = client.echo(text).await;
            answer.map(|text| text.len()).map_err(|status| status.code.name().to_owned())
        }
    })
    .await;
    Ok(())
}
