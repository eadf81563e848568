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
             [[routes]]\nmatch = \"POST /echo\"\ncall = \"conformance.echo\"\ntimeout = \"1m\"\n\
             [[routes]]\nmatch = \"POST /chat\"\ncall = \"conformance.chat\"\ntimeout = \"1m\"\n\
             body = {{ stream = true }}\n",
            options.connect
        ),
    );
    let gateway = setup.gateway().await;
    let call = |text, time: Duration| echo(gateway.client.clone(), text, format!("{}ms", time.as_millis()));
    let stream =
        |items, time: Duration| chat(gateway.client.clone(), items, format!("{}ms", time.as_millis()));
    drive(call, stream).await;
}

/// Streams the items as lines; how many come back.
async fn chat(client: Client, items: Vec<String>, time: String) -> Result<usize, String> {
    let lines: String = items.iter().map(|item| format!("{item:?}\n")).collect();
    // What is not there has no type.
    let kind = Some(("content-type", "application/x-ndjson")).filter(|_| !items.is_empty());
    let accept = ("accept", "application/x-ndjson, application/json;q=0.5");
    let headers: Vec<_> = [accept, ("x-request-timeout", &time)].into_iter().chain(kind).collect();
    let answer = client.try_send("POST", "/chat", &headers, lines).await.map_err(|_| "-".to_owned())?;
    if answer.status != 200 {
        return Err(answer.json()["code"].as_str().unwrap_or("-").to_owned());
    }
    let text = answer.text();
    let items: Result<Vec<String>, _> = serde_json::Deserializer::from_str(&text).into_iter().collect();
    items.map(|items| items.len()).map_err(|_| "-".to_owned())
}

async fn echo(client: Client, text: String, time: String) -> Result<usize, String> {
    let body = format!("{{\"text\": \"{text}\"}}");
    let answer = client.try_send("POST", "/echo", &[("x-request-timeout", &time)], body).await?;
    if answer.status == 200 {
        return Ok(answer.json().as_str().map_or(0, str::len));
    }
    Err(answer.json()["code"].as_str().unwrap_or("-").to_owned())
}
