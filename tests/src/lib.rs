//! The harness of the end-to-end tests: real gateways and backends as child processes, and a real HTTP client.
//!
//! Whatever a test starts is ended when it is dropped. Nothing sleeps and hopes: [`eventually`] asks again until what is
//! waited for holds, with a deadline so generous that only a real failure meets it.

pub mod books;
mod browser;
mod client;
pub mod collector;
pub mod command;
mod demo;
mod devtools;
pub mod dns;
pub mod driver;
pub mod faults;
pub mod gate;
mod http2;
pub mod live;
pub mod market;
pub mod modules;
pub mod moody;
pub mod openmetrics;
pub mod pipes;
mod process;
pub mod provider;
pub mod queries;
mod raw;
pub mod sealed;
pub mod stock;
pub mod tls;
pub mod tokens;
pub mod uploads;
pub mod websocket;

pub use browser::chromium;
pub use client::{Answer, Client};
pub use demo::demo;
pub use devtools::Browser;
pub use http2::{Http2, Sent};
pub use process::{Backend, Gateway, Old, Setup, binary, free_port, is_alive};
pub use raw::{Raw, header};

use std::future::Future;
use std::time::Duration;

/// How long anything may take that is waited for. Long, because the machine may be slow; never used as a measure.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until the answer is there; panics with `what` when it does not come within [`PATIENCE`].
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let asked = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answer) => answer,
        Err(_) => panic!("not within {PATIENCE:?}: {what}"),
    }
}
