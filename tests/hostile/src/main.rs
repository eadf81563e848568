//! The program: lists the cases, plays them against a server, and runs the floods in their long form.

use callgate_hostile::case::{self, Case};
use callgate_hostile::floods::{self, Size};
use callgate_hostile::play::play;
use callgate_hostile::target::Target;
use clap::{Parser, Subcommand};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

/// HTTP/2 as strangers send it.
///
/// The exit status is 0 when all holds, 1 when something does not, 2 when nothing can be tried.
#[derive(Parser)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Prints the cases: their sections, names and verdicts.
    List {
        /// Only those whose name contains this.
        #[arg(long, default_value = "")]
        only: String,
    },
    /// Plays the cases against a gateway that it starts.
    Play {
        /// Plays them there instead: a server of HTTP/2 without TLS that has the routes of tests/hostile/src/target.rs.
        #[arg(long, value_name = "ADDR")]
        connect: Option<SocketAddr>,
        /// How many seconds anything may take.
        #[arg(long, default_value_t = 10)]
        patience: u64,
        /// Only those whose name contains this.
        #[arg(long, default_value = "")]
        only: String,
    },
    /// Starts a gateway, floods it in every way, and says what it cost.
    Floods {
        /// The form that every run of the tests has.
        #[arg(long)]
        short: bool,
        /// Only those whose name contains this.
        #[arg(long, default_value = "")]
        only: String,
    },
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    match run(Options::parse().command).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("hostile: {problem}");
            ExitCode::from(2)
        }
    }
}

async fn run(command: Command) -> Result<bool, String> {
    match command {
        Command::List { only } => {
            chosen(&only)?.iter().for_each(list);
            Ok(true)
        }
        Command::Play { connect, patience, only } => {
            let target = if connect.is_some() { None } else { Some(Target::start("").await) };
            let connect =
                connect.or(target.as_ref().map(|target| target.http2)).ok_or("there is no server")?;
            let mut all_hold = true;
            for case in chosen(&only)? {
                if let Some(difference) = play(&case, connect, Duration::from_secs(patience)).await {
                    println!("{} ({}): {difference}", case.name, case.rule);
                    all_hold = false;
                }
            }
            Ok(all_hold)
        }
        Command::Floods { short, only } => {
            let size = if short { Size::Short } else { Size::Long };
            println!("{}", floods::HEADING);
            let mut all_hold = true;
            for flood in floods::ALL.iter().filter(|flood| flood.name.contains(&only)) {
                let found = floods::run(flood, size).await;
                println!("{}", found.row(flood));
                all_hold &= found.complaint(flood).is_none_or(|complaint| {
                    println!("    {complaint}");
                    false
                });
            }
            Ok(all_hold)
        }
    }
}

fn chosen(only: &str) -> Result<Vec<Case>, String> {
    let mut cases = case::all()?;
    cases.retain(|case| case.name.contains(only));
    if cases.is_empty() { Err("no case has such a name".to_owned()) } else { Ok(cases) }
}

fn list(case: &Case) {
    println!("{:<15} {:<70} {}", case.rule, case.name, case.gets);
    if let Some((rfc, because)) = &case.differs {
        println!("{:<15} {:<70} the RFC: {rfc}; {because}", "", "");
    }
}
