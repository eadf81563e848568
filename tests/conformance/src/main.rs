//! The program: which side is tested, which cases are played.

use callgate_conformance::cases::{Case, acceptor, connector};
use callgate_conformance::driver::Driver;
use callgate_conformance::run::{Summary, side_by_side};
use callgate_conformance::socket;
use callgate_conformance::tested::{Acceptor, Connector};
use clap::{ArgGroup, Parser};
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

/// Tests a program that speaks the wire protocol, and says which promises of docs/protocol.md it breaks.
///
/// The exit status is 0 when none is broken, 1 when some are, 2 when the cases cannot be played.
#[derive(Parser)]
#[command(group(ArgGroup::new("side").required(true).args(["connect", "listen", "list"])))]
struct Options {
    /// Test an acceptor (a backend) that listens there, host:port.
    #[arg(long, value_name = "ADDR")]
    connect: Option<String>,
    /// Test a connector (a caller): listen there, and start the command that follows, with {} for the address.
    #[arg(long, value_name = "ADDR", requires = "command")]
    listen: Option<String>,
    /// How many such commands are started, each with an address of its own: as many cases are played at once. With port 0 only.
    #[arg(long, default_value_t = 1, requires = "listen")]
    drivers: usize,
    /// Only list the cases of both sides.
    #[arg(long)]
    list: bool,
    /// Only the cases whose name contains this; may be given more than once.
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Not the case of this name; may be given more than once.
    #[arg(long, value_name = "NAME")]
    except: Vec<String>,
    /// How many seconds anything may take.
    #[arg(long, default_value_t = 10)]
    patience: u64,
    /// The driver of a tested connector, and its arguments.
    #[arg(last = true)]
    command: Vec<String>,
}

impl Options {
    fn chosen<T>(&self, cases: Vec<&'static Case<T>>) -> Vec<&'static Case<T>> {
        let wanted = |case: &&Case<T>| {
            let meant = self.only.is_empty() || self.only.iter().any(|text| case.name.contains(text));
            meant && !self.except.iter().any(|name| name == case.name)
        };
        cases.into_iter().filter(wanted).collect()
    }
}

/// How many cases are played at once against an acceptor.
const THREADS: usize = 4;

fn main() -> ExitCode {
    let options = Options::parse();
    if options.list {
        list("acceptor", &options.chosen(acceptor()));
        list("connector", &options.chosen(connector()));
        return ExitCode::SUCCESS;
    }
    match play(&options) {
        Ok(summary) if summary.kept + summary.broken + summary.left_out == 0 => {
            eprintln!("no case has such a name");
            ExitCode::from(2)
        }
        Ok(summary) => {
            println!("{}", summary.line());
            ExitCode::from(u8::from(summary.broken > 0))
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}

fn play(options: &Options) -> Result<Summary, Box<dyn Error>> {
    let patience = Duration::from_secs(options.patience);
    if let Some(address) = &options.connect {
        let tested = vec![Acceptor { address: address.clone(), patience }; THREADS];
        return Ok(side_by_side(&options.chosen(acceptor()), tested, |_| Ok(())));
    }
    let tested: Result<_, Box<dyn Error>> = (0..options.drivers.max(1))
        .map(|_| {
            let listener = socket::listen(options.listen.as_deref().unwrap_or_default())?;
            let driver = Driver::start(&options.command, &listener.local_addr()?.to_string())?;
            Ok(Connector::new(listener, driver, patience))
        })
        .collect();
    Ok(side_by_side(&options.chosen(connector()), tested?, Connector::clear))
}

fn list<T>(side: &str, cases: &[&Case<T>]) {
    for case in cases {
        println!("{side:<9} {:<28} \"{}\": {}", case.name, case.section, case.promise);
    }
}
