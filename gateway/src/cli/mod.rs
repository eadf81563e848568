//! The command line: run the gateway, check its files, show what they say.
//!
//! `check` and `routes` read the same files through the same code as the running gateway, so that what they say holds. Each command has a
//! file of its own, with its arguments and what it does.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may fail so"))]

mod admin;
mod call;
mod check;
mod completions;
mod describe;
mod diff;
mod failure;
mod init;
mod instance;
mod json;
mod key;
mod list;
mod listing;
mod man;
mod openapi;
mod plan;
mod run;
mod schema;
mod signature;
mod why;

pub use check::Check;
pub use failure::report;
pub use run::Run;

use crate::config::{Diagnostics, Settings, Tables};
use clap::{Args, CommandFactory, Parser, Subcommand};
use failure::{Failure, print};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What the command line asks for, with the gateway's file.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve until told to stop
    ///
    /// Routes and backends are watched and taken up while it runs. SIGTERM lets requests in flight end first. SIGUSR2
    /// starts its successor: the same program with the same arguments and `--upgrade`.
    #[command(after_help = run::EXAMPLES)]
    Run(Run),
    /// Check all files and say what is wrong with them
    ///
    /// Reads the gateway's file and all tables as `run` would, without serving. Exits with 0 and one line on standard
    /// output, after which it says who may call as soon as some route does; or with 1 and every mistake on standard error. With --against it also asks a living backend what it offers.
    #[command(after_help = check::EXAMPLES)]
    Check(Check),
    /// List the routes with the methods they call
    ///
    /// One line a route: what it matches, the method, its Call ID (the number on the wire) and the backend, or what it
    /// does instead of a call; the steps that its requests pass before, in their order; and the rules that are asked of it.
    #[command(after_help = listing::EXAMPLES)]
    Routes(Routes),
    /// Ask a running gateway why a request fails, or would fail, without sending it
    ///
    /// `callgate why METHOD PATH` with curl's words for the rest says which route would take the request, what each step says of it,
    /// which instances could take its call and why others not, and the answer if the gateway would refuse it. `callgate why ID` says
    /// what has become of a request that has failed lately, by the id that its client was told (X-Request-Id). The token of the port
    /// is in CALLGATE_ADMIN_TOKEN: the one that may change something, because the answer says whether a credential is good. Exits with 0
    /// if it would be sent, 1 if it would be refused or has failed, 2 where the gateway cannot be asked or cannot say.
    #[command(after_help = why::EXAMPLES)]
    Why(why::Why),
    /// Ask a running gateway what these files would change there, before they go in
    ///
    /// Says which routes and backends would change and how, whose connections would close, what would open or close to whom, which routes
    /// would not fit living instances, and, where the gateway keeps some (`[replay] keep`), what would become of its last requests.
    /// The token of the port is in CALLGATE_ADMIN_TOKEN. Exits with 0 if nothing that works now would break, 1 if something would or the
    /// files have mistakes, 2 where the gateway cannot be asked.
    #[command(after_help = plan::EXAMPLES)]
    Plan(plan::Plan),
    /// Write what clients can ask, as an OpenAPI document
    ///
    /// Asks the admin port of a gateway that runs: its document is made of the routes in force and of what instances offer.
    #[command(name = "openapi", after_help = openapi::EXAMPLES)]
    OpenApi(openapi::OpenApi),
    /// List what an instance offers
    ///
    /// Connects as a gateway does, and shows services and methods with what they take, what they give, and their documentation.
    #[command(after_help = list::EXAMPLES)]
    List(list::List),
    /// Describe a method of an instance
    ///
    /// Shows its signature, its documentation, its types with all that is asked of their fields, and a request to begin with. All of it
    /// is what the instance itself says.
    #[command(after_help = describe::EXAMPLES)]
    Describe(describe::Describe),
    /// Call a method
    ///
    /// Straight to an instance, whose own schema says how JSON becomes a call, or through a gateway. The result is printed to standard
    /// output; what a method streams, a line for each item as it comes.
    #[command(after_help = call::EXAMPLES)]
    Call(call::Call),
    /// Write a table for what an instance offers
    ///
    /// Each method becomes a route, in the manner of REST as far as its name and its marks say what that is, and each route fits its
    /// method. Where there is no file of the gateway, one is written too: `callgate run` serves it then.
    #[command(after_help = init::EXAMPLES)]
    Init(init::Init),
    /// Say what a new version of an instance breaks
    ///
    /// Compares all methods of two instances: for callers with compiled types (wire), for clients that write JSON (requests), and for
    /// clients that read it (answers).
    #[command(after_help = diff::EXAMPLES)]
    Diff(diff::Diff),
    /// Make API keys
    #[command(subcommand, after_help = key::EXAMPLES)]
    Key(key::Key),
    /// Print the JSON Schema of a kind of file, for editors
    ///
    /// It is made of the declarations by which the files are read. An editor with a plugin for TOML (Even Better TOML, tombi) completes
    /// keys and words by it, and marks what `callgate check` would refuse for its keys, types and words.
    #[command(after_help = schema::EXAMPLES)]
    Schema(schema::Schema),
    /// Print the script for completion in a shell
    ///
    /// It completes commands and options, and methods and fields of the instance that the line names, which is asked for them.
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::Completions),
    /// Make the pages of the manual
    #[command(after_help = man::EXAMPLES)]
    Man(man::Pages),
}

/// Whose routes to list.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Routes {
    /// Where the gateway's file is
    #[command(flatten)]
    pub config: Config,
    /// How it is said
    #[command(flatten)]
    pub output: json::Output,
}

/// Where the gateway's file is.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The gateway's own file; it names the tables
    #[arg(
        long = "config",
        value_name = "FILE",
        env = "CALLGATE_CONFIG",
        default_value = "config/gateway.toml"
    )]
    pub file: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  callgate run                                    serve what config/gateway.toml says
  callgate run --config /etc/callgate/config/gateway.toml
  callgate run --upgrade                          the same in place of the one that runs, without a gap
  callgate check && git commit                    commit only tables that hold
  callgate check --against 127.0.0.1:7101         do the routes fit what that backend offers?
  callgate check --diff http://127.0.0.1:8081     would that gateway take these tables?
  callgate routes | grep orders                   which method is behind a path
  callgate plan && git push                       what would these tables change there, and would something break?
  callgate why POST /v1/orders/7/quote -d @body.json -H 'authorization: Bearer ...'
                                                  would that be sent, and where? if not, why?
  callgate why 9e588077266fd68ce8a0308a485aae61   what has become of that request
  callgate list 127.0.0.1:7101                    what does that backend offer?
  callgate describe 127.0.0.1:7101 orders.quote   what does a method take and give?
  callgate call 127.0.0.1:7101 calc.add a=2 b=3   call it
  callgate init 127.0.0.1:7101 && callgate run    a gateway for it
  callgate diff 127.0.0.1:7101 127.0.0.1:7102     what does the new version break?
  callgate key new billing --scope orders:read    an API key, and what its file has of it
  callgate schema tables > tables.schema.json     what editors need to complete and check tables

Environment:
  CALLGATE_CONFIG  the gateway's file, where --config does not name it
  CALLGATE_ADMIN   the admin port that `why`, `plan` and `openapi` ask
  CALLGATE_ADMIN_TOKEN  the token of the admin port that these and --diff ask
  CALLGATE_LOG     overrides log.level: \"debug\", or \"info,callgate=trace\"
  NO_COLOR         no colours in diagnostics

Exit status: 0 well, 1 the files, the gateway or what was asked for failed, 2 the command line is wrong, or who is
named cannot be asked.";

/// An API gateway that turns REST and JSON into compact calls over long-lived connections
#[derive(Debug, Parser)]
#[command(name = "callgate", version, after_help = EXAMPLES)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

/// Reads the process's command line. Ends the process after `--help`, `--version` and mistakes.
pub fn parse() -> Command {
    Line::parse().command
}

/// Does what the command line asks for; `run` is what serves.
pub fn main(run: impl FnOnce(Run) -> ExitCode) -> ExitCode {
    completions::answer(Line::command);
    let done = match parse() {
        Command::Run(how) => return run(how),
        Command::Check(what) => check::run(&what),
        Command::Routes(what) => routes(&what),
        Command::Why(what) => verdict(why::run(&what)),
        Command::Plan(what) => verdict(plan::run(&what)),
        Command::OpenApi(what) => openapi::run(&what),
        Command::List(what) => list::run(&what),
        Command::Describe(what) => describe::run(&what),
        Command::Call(what) => call::run(&what),
        Command::Init(what) => init::run(&what),
        Command::Diff(what) => diff::run(&what),
        Command::Key(key) => key::run(&key),
        Command::Schema(what) => schema::run(&what),
        Command::Completions(what) => completions::run(&what),
        Command::Man(pages) => man::run(&pages, Line::command()),
    };
    match done {
        // It has printed what there was.
        Ok(text) if text.is_empty() => ExitCode::SUCCESS,
        Ok(text) => print(&text),
        Err(failure) => failure.tell(),
    }
}

/// What was found, and whether that is well.
fn verdict(found: Result<(String, bool), Failure>) -> Result<String, Failure> {
    found.and_then(|(text, is_well)| if is_well { Ok(text) } else { Err(Failure::Found(text)) })
}

fn load(file: &Path) -> Result<Tables, Diagnostics> {
    Tables::load(&Settings::load(file)?.tables.watch)
}

fn routes(what: &Routes) -> Result<String, Failure> {
    let tables = load(&what.config.file).map_err(Failure::from);
    if !what.output.json {
        return Ok(listing::routes(&tables?));
    }
    tables.map(|tables| json::text(&listing::routes_json(&tables))).map_err(Failure::into_json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Line::command().debug_assert();
    }

    #[test]
    fn each_command_takes_the_gateways_file() {
        let file = PathBuf::from("x.toml");
        for (name, expected) in [
            ("run", Command::Run(Run { config: Config { file: file.clone() }, upgrade: None })),
            (
                "check",
                Command::Check(Check {
                    config: Config { file: file.clone() },
                    against: None,
                    diff: None,
                    backend: None,
                    output: json::Output::default(),
                }),
            ),
            (
                "routes",
                Command::Routes(Routes {
                    config: Config { file: file.clone() },
                    output: json::Output::default(),
                }),
            ),
        ] {
            let line = Line::try_parse_from(["callgate", name, "--config", "x.toml"]).unwrap();
            assert_eq!(line.command, expected);
        }
    }

    #[test]
    fn an_upgrade_may_name_the_running_gateways_socket() {
        for (argument, expected) in [("--upgrade", None), ("--upgrade=@x", Some("@x".to_owned()))] {
            let line = Line::try_parse_from(["callgate", "run", argument, "--config", "x.toml"]).unwrap();
            assert!(
                matches!(line.command, Command::Run(Run { upgrade: Some(name), .. }) if name == expected)
            );
        }
    }
}
