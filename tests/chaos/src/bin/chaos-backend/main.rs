//! An instance that can be told to misbehave: the backend of the chaos rig.
//!
//! It offers one service in two schemas. Its faults are switched by lines on standard input (see [`faults`]), each
//! answered by a line on standard output, so that whoever switches knows when it is so. The end of standard input is the
//! end of the rig, and so of the instance.

mod faults;
mod ledger;
mod next;
mod old;
#[path = "../../probe.rs"]
mod probe;

use callgate_sdk::{Server, Status};
use clap::{Parser, ValueEnum};
use faults::{Call, Faults};
use ledger::Ledger;
use std::error::Error;
use std::io::stdin;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// How long calls may take to finish after SIGTERM. Longer than the calls that are only slow.
const GRACE: Duration = Duration::from_secs(4);

/// The longest that a piece of work takes.
const WORK_MS: u64 = 16;

/// Which schema the service has.
#[derive(Clone, Copy, ValueEnum)]
enum Schema {
    Old,
    Next,
}

/// An instance that can be told to misbehave.
#[derive(Parser)]
struct Options {
    /// Where to listen.
    #[arg(long)]
    listen: String,
    /// The file to which each run of `count` appends its id.
    #[arg(long)]
    ledger: PathBuf,
    /// Which schema to offer.
    #[arg(long, value_enum, default_value = "old")]
    schema: Schema,
}

/// What both schemas do with a call.
#[derive(Clone)]
struct Probed {
    faults: Arc<Faults>,
    ledger: Arc<Ledger>,
}

impl Probed {
    /// The answer to `lookup`.
    async fn lookup(&self, factor: u32) -> Result<u64, Status> {
        self.faults.before(Call::Lookup).await?;
        work().await;
        self.faults.after()?;
        Ok(u64::from(factor) * 3)
    }

    /// Runs `count`. The instance may die before the run, or between the run and the answer.
    async fn count(&self, id: u64) -> Result<(), Status> {
        self.faults.before(Call::Count).await?;
        work().await;
        self.ledger.ran(id).map_err(|error| Status::internal(format!("the ledger: {error}")))?;
        work().await;
        self.faults.after()
    }
}

/// Some time passes, as in a service that does something, so that there are calls in flight whenever a fault comes.
async fn work() {
    tokio::time::sleep(Duration::from_millis(fastrand::u64(0..=WORK_MS))).await;
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let faults = Arc::new(Faults::default());
    let probed = Probed { faults: faults.clone(), ledger: Arc::new(Ledger::open(&options.ledger)?) };
    let server = match options.schema {
        Schema::Old => Server::new().service(probe::ProbeServer::new(old::Old(probed))),
        Schema::Next => Server::new().service(next::ProbeServer::new(next::Next(probed))),
    };
    let mut terminate = signal(SignalKind::terminate())?;
    let bound = server.listen(options.listen).grace(GRACE).bind().await?;
    let handle = bound.handle();
    println!("listening");
    tokio::spawn(async move {
        terminate.recv().await;
        handle.drain();
    });
    // A thread of its own, which the process's end does not wait for.
    std::thread::spawn(move || obey(&faults));
    bound.serve().await;
    Ok(())
}

/// Takes commands until there are no more; then ends the process, which nobody owns any longer.
fn obey(faults: &Faults) {
    for line in stdin().lines().map_while(Result::ok) {
        println!("{}", faults.obey(&line));
    }
    std::process::exit(0);
}
