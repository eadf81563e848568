//! The chaos rig: a real client at a steady rate against a real gateway, or a caller by the SDK without it, while the instances die,
//! hang, drain and change.
//!
//! The client never retries, so what it sees is what the gateway, or the SDK, promises. Three trials, each with a verdict:
//! [`storm`] (many faults at once, by seed), [`outage`] (everything fails, then one instance recovers) and [`netns`]
//! (packets that vanish). Exit status: 0 the promises held, 1 they did not, 2 the rig itself failed.

mod admin;
mod caller;
mod client;
mod faults;
mod gateway;
mod instance;
mod journal;
mod load;
mod netns;
mod options;
mod outage;
mod plan;
mod ports;
mod probe;
mod relay;
mod report;
mod rig;
mod storm;
mod tables;
mod tally;
mod verdict;

use clap::Parser;
use options::Options;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use verdict::Verdict;

/// What goes wrong with the rig itself, for people.
type Failed = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let options = Options::parse();
    // Whatever was started is ended when its owner is dropped, so an interrupt only has to leave by the door.
    let verdict = tokio::select! {
        verdict = run(options) => verdict,
        () = told_to_end() => Err("interrupted".into()),
    };
    match verdict {
        Ok(verdict) => verdict.conclude(),
        Err(error) => {
            eprintln!("chaos: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run(options: Options) -> Result<Verdict, Failed> {
    match (options.outage, options.netns) {
        (true, _) => outage::run(options).await,
        (_, true) => netns::run(options).await,
        _ => storm::run(options).await,
    }
}

async fn told_to_end() {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => terminate.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate => {}
    }
}
