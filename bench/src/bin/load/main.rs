//! The load generator for latency: requests at a fixed rate, whatever the answers do.
//!
//! A closed loop sends the next request when the last is answered, so that a server that stalls is asked less, and the
//! stall is measured once ("coordinated omission"). Here the n-th request is due at n / rate. It is sent then if a
//! connection is free, else as soon as one is; its latency counts from when it was due. Without `--rate` it is a closed
//! loop, for comparison with other generators.
//!
//! One thread and one epoll, so that it takes little of the machine from what it measures.

mod connection;
mod run;
mod tally;

use clap::Parser;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

/// Sends one request over and over and prints what came of it as a line of JSON.
#[derive(Parser)]
struct Options {
    /// The server.
    #[arg(long)]
    address: SocketAddr,
    /// The file with the whole request: line, headers, body.
    #[arg(long)]
    request: PathBuf,
    /// How many keep-alive connections to use.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Requests in a second, evenly spaced. Without it: as fast as they are answered.
    #[arg(long)]
    rate: Option<f64>,
    /// For how long requests are due.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let request = std::fs::read(&options.request)?;
    // The kernel wakes sleepers up to 50 µs late otherwise, which would be counted as the server's.
    rustix::thread::set_current_timer_slack(NonZeroU64::new(1))?;
    let duration = Duration::try_from_secs_f64(options.seconds)?;
    let tally = run::run(options.address, &request, options.connections, options.rate, duration)?;
    println!("{}", serde_json::to_string(&tally.summary())?);
    Ok(())
}
