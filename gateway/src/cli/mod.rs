//! The command line: run the gateway, check its files, show what they say.
//!
//! `check` and `routes` read the same files through the same code as the running gateway, so that what they say holds.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may fail so"))]

mod against;
mod diff;
mod key;
mod listing;
mod plan;
mod why;

use crate::config::{Diagnostics, Settings, Tables};
use crate::control;
use crate::telemetry::log;
use against::Failure;
use clap::{Args, Parser, Subcommand};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What the command line asks for, with the gateway's file.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve until told to stop
    ///
    /// Routes and backends are watched and taken up while it runs. SIGTERM lets requests in flight end first. SIGUSR2
    /// starts its successor: the same program with the same arguments and `--upgrade`.
    Run(Run),
    /// Check all files and say what is wrong with them
    ///
    /// Reads the gateway's file and all tables as `run` would, without serving. Exits with 0 and one line on standard
    /// output, after which it says who may call as soon as some route does; or with 1 and every mistake on standard error. With --against it also asks a living backend what it offers.
    Check(Check),
    /// List the routes with the methods they call
    ///
    /// One line a route: what it matches, the method, its Call ID (the number on the wire) and the backend, or what it
    /// does instead of a call; the steps that its requests pass before, in their order; and the rules that are asked of it.
    Routes(Config),
    /// Ask a running gateway why a request fails, or would fail, without sending it
    ///
    /// `callgate why METHOD PATH` with curl's words for the rest says which route would take the request, what each step says of it,
    /// which instances could take its call and why others not, and the answer if the gateway would refuse it. `callgate why ID` says
    /// what has become of a request that has failed lately, by the id that its client was told (X-Request-Id). The token of the port
    /// is in CALLGATE_ADMIN_TOKEN: the one that may change something, because the answer says whether a credential is good. Exits with 0
    /// if it would be sent, 1 if it would be refused or has failed, 2 where the gateway cannot be asked or cannot say.
    Why(why::Why),
    /// Ask a running gateway what these files would change there, before they go in
    ///
    /// Says which routes and backends would change and how, whose connections would close, what would open or close to whom, which routes
    /// would not fit living instances, and, where the gateway keeps some (`[replay] keep`), what would become of its last requests.
    /// The token of the port is in CALLGATE_ADMIN_TOKEN. Exits with 0 if nothing that works now would break, 1 if something would or the
    /// files have mistakes, 2 where the gateway cannot be asked.
    Plan(plan::Plan),
    /// Make API keys
    #[command(subcommand)]
    Key(key::Key),
}

/// How to serve.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Where the gateway's file is
    #[command(flatten)]
    pub config: Config,
    /// Take the listening sockets over from the gateway that runs, which then drains and ends
    ///
    /// No connection is refused and no request lost. If anything goes wrong, the running gateway goes on and this one
    /// says why. The running one is found by the settings (`socket` of `[upgrade]`); SOCKET names another, if it has been
    /// started with other settings.
    #[arg(long, value_name = "SOCKET", num_args = 0..=1, require_equals = true)]
    pub upgrade: Option<Option<String>>,
}

/// What to check.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Where the gateway's file is
    #[command(flatten)]
    pub config: Config,
    /// Connect to this backend too, and check whether the routes fit what it offers
    ///
    /// Checks the routes of those backends that have this endpoint: that it offers their methods, and that the fields of their
    /// paths, bodies and responses are the methods'. Exits with 2 where it cannot be asked.
    #[arg(long, value_name = "HOST:PORT")]
    pub against: Option<String>,
    /// Ask this gateway's admin port too, and say what the files would open that is closed there
    ///
    /// A change that lets more callers come to a method than before is refused with the line that accepts it. The token of the
    /// port is in CALLGATE_ADMIN_TOKEN. Exits with 2 where it cannot be asked.
    #[arg(long, value_name = "URL", conflicts_with = "against")]
    pub diff: Option<String>,
    /// Whose routes to check, where no backend of the tables has that endpoint
    #[arg(long, value_name = "NAME", requires = "against")]
    pub backend: Option<String>,
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
  callgate key new billing --scope orders:read    an API key, and what its file has of it

Environment:
  CALLGATE_CONFIG  the gateway's file, where --config does not name it
  CALLGATE_ADMIN   the admin port that `why` and `plan` ask
  CALLGATE_ADMIN_TOKEN  the token of the admin port that `why`, `plan` and --diff ask
  CALLGATE_LOG     overrides log.level: \"debug\", or \"info,callgate=trace\"
  NO_COLOR         no colours in diagnostics

Exit status: 0 well, 1 the files or the gateway failed, 2 the command line is wrong, or who is named by --against
or --diff cannot be asked.";

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
    let done = match parse() {
        Command::Run(how) => return run(how),
        Command::Check(what) => check(&what),
        Command::Routes(config) => routes(&config.file).map_err(Failure::from),
        Command::Key(key) => key::run(&key),
        Command::Why(what) => return told(why::run(&what)),
        Command::Plan(what) => return told(plan::run(&what)),
    };
    told(done.map(|text| (text, true)))
}

/// Prints what has come of it, and whether that is well.
fn told(done: Result<(String, bool), Failure>) -> ExitCode {
    match done {
        Ok((text, true)) => print(&text),
        Ok((text, false)) => {
            print(&text);
            ExitCode::FAILURE
        }
        Err(Failure::Mistakes(diagnostics)) => {
            report(&diagnostics);
            ExitCode::FAILURE
        }
        Err(Failure::NotAsked(why)) => {
            let _ = writeln!(io::stderr().lock(), "error: {why}");
            ExitCode::from(2)
        }
    }
}

/// Shows diagnostics on standard error, in colour where it is a terminal that wants any.
pub fn report(diagnostics: &Diagnostics) {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let color = io::stderr().is_terminal() && !plain;
    log::complain(&diagnostics.render(color));
}

/// Standard output may be a pipe that its reader has closed (`callgate routes | head`), which is no failure.
fn print(text: &str) -> ExitCode {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

fn load(file: &Path) -> Result<Tables, Diagnostics> {
    Tables::load(&Settings::load(file)?.tables.watch)
}

fn check(what: &Check) -> Result<String, Failure> {
    let tables = load(&what.config.file)?;
    if let Some(endpoint) = &what.against {
        tables.check_security(false, |_| false)?;
        return against::check(&tables, endpoint, what.backend.as_deref());
    }
    let tables = control::check(tables)?;
    if let Some(url) = &what.diff {
        diff::check(&tables, &Settings::load(&what.config.file)?, url)?;
    }
    Ok(listing::summary(&tables))
}

fn routes(file: &Path) -> Result<String, Diagnostics> {
    Ok(listing::routes(&load(file)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::Folder;
    use clap::CommandFactory;

    /// A gateway's file that watches one table of that text.
    fn folder(table: &str) -> (Folder, PathBuf) {
        let folder = Folder::new();
        folder.write("routes/t.toml", table);
        let file = folder.write("config/gateway.toml", "");
        (folder, file)
    }

    fn of_files(file: &Path) -> Check {
        Check { config: Config { file: file.to_owned() }, against: None, diff: None, backend: None }
    }

    /// How many mistakes a check finds.
    fn mistakes(file: &Path) -> usize {
        match check(&of_files(file)) {
            Err(Failure::Mistakes(found)) => found.len(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Line::command().debug_assert();
    }

    #[test]
    fn each_command_takes_the_gateways_file() {
        let file = PathBuf::from("x.toml");
        for (name, expected) in [
            ("run", Command::Run(Run { config: Config { file: file.clone() }, upgrade: None })),
            ("check", Command::Check(of_files(&file))),
            ("routes", Command::Routes(Config { file: file.clone() })),
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

    #[test]
    fn check_counts_what_holds_and_shows_what_does_not() {
        let (_folder, file) = folder("[backends.a]\nendpoints = ['x:1']\n");
        let text = check(&of_files(&file)).unwrap();
        assert!(text.starts_with("ok: 0 routes, 1 backend, hash "), "{text}");
        let (_folder, file) = folder("[[routes]]\n");
        assert_eq!(mistakes(&file), 3);
        assert_eq!(mistakes(Path::new("/nowhere/gateway.toml")), 1);
        let (_folder, file) = folder(
            "[backends.a]\nendpoints = ['x:1']\ntls = { ca = 'missing.pem' }\n\
             [[certificates]]\nnames = ['a.example']\ncert = 'a.pem'\nkey = 'a.key'\n",
        );
        assert_eq!(mistakes(&file), 2, "of all files that are named");
    }
}
