//! Why a command has nothing good to tell, and what its exit status is then.

use super::json;
use crate::config::Diagnostics;
use crate::telemetry::log;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// What could not be found out, whatever the command.
const NOT_ASKED: u8 = 2;

/// Why there is nothing good to tell.
#[derive(Debug)]
pub(super) enum Failure {
    /// The files have mistakes, or do not fit: 1.
    Mistakes(Diagnostics),
    /// What was asked for was found, and it is not well, which stands on standard output: 1.
    Found(String),
    /// What was asked for has failed, in words: 1.
    Failed(String),
    /// The same as a document for programs, which stands on standard error: 1.
    Problem(String),
    /// It could not be found out: 2.
    NotAsked(String),
}

impl From<Diagnostics> for Failure {
    fn from(mistakes: Diagnostics) -> Failure {
        Failure::Mistakes(mistakes)
    }
}

impl Failure {
    /// The same for programs: mistakes as a document on standard output.
    pub(super) fn into_json(self) -> Failure {
        match self {
            Failure::Mistakes(mistakes) => Failure::Found(json::text(&mistakes.as_json())),
            other => other,
        }
    }

    /// Tells people, and gives the exit status.
    pub(super) fn tell(self) -> ExitCode {
        match self {
            Failure::Mistakes(diagnostics) => report(&diagnostics),
            Failure::Found(text) => drop(print(&text)),
            Failure::Failed(why) => complain(&why),
            Failure::Problem(document) => {
                let _ = writeln!(io::stderr().lock(), "{document}");
            }
            Failure::NotAsked(why) => {
                complain(&why);
                return ExitCode::from(NOT_ASKED);
            }
        }
        ExitCode::FAILURE
    }
}

fn complain(why: &str) {
    let _ = writeln!(io::stderr().lock(), "error: {why}");
}

/// Shows diagnostics on standard error, in colour where it is a terminal that wants any.
pub fn report(diagnostics: &Diagnostics) {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let color = io::stderr().is_terminal() && !plain;
    log::complain(&diagnostics.render(color));
}

/// Standard output may be a pipe that its reader has closed (`callgate routes | head`), which is no failure.
pub(super) fn print(text: &str) -> ExitCode {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}
