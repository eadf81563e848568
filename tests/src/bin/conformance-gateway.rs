//! The gateway as a tested connector: starts one, and calls through it by HTTP.

use callgate_tests::driver::drive;
use callgate_tests::{Client, Setup};
use clap::Parser;
use std::time::Duration;

/// A tested connector.
#[derive(Parser)]
struct Options {
    /// Where its backend listens.
    #[arg(long)]
    connect: String,
}

#[tokio::main]
async fn main() {
    let options = Options::parse();
    // One worker is one connection. What is tested is the connection, so calls wait for it as long as they may.
    let setup = Setup::new().workers(1).server("max_body = \"64MiB\"");
    setup.write_routes(
        "conformance.toml",
        &format!(
            "[backends.conformance]\nendpoints = [{:?}]\nhold = \"1m\"\nconnect_timeout = \"1m\"\n\
             [[routes]]\nmatch = \"POST /echo\"\ncall = \"conformance.echo\"\ntimeout = \"1m\"\n",
            options.connect
        ),
    );
    let gateway = setup.gateway().await;
    let call = |text, time: Duration| echo(gateway.client.clone(), text, format!("{}ms", time.as_millis()));
    // It has no streams, and so is not asked for any.
    drive(call, |_, _| std::future::ready(Err("-".to_owned()))).await;
}

async fn echo(client: Client, text: String, time: String) -> Result<usize, String> {
    let body = format!("{{\"text\": \"{text}\"}}");
    let answer = client.try_send("POST", "/echo", &[("x-request-timeout", &time)], body).await?;
    if answer.status == 200 {
        return Ok(answer.json().as_str().map_or(0, str::len));
    }
    Err(answer.json()["code"].as_str().unwrap_or("-").to_owned())
}
