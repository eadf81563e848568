//! Completion in shells: of commands and options by their declarations, and of methods and fields by the instance that the line names.
//!
//! A shell asks the program itself, which has the line then. So what is completed is what this version takes, and what the instance offers
//! at that moment. It is asked within a second, and where it cannot be asked nothing is completed.

use super::instance::{Instance, Ways, is_address};
use super::{Failure, signature};
use crate::config::{CallRef, Settings, Tables};
use crate::transport::callgate::{MethodEntry, Offer};
use clap::{Args, ValueEnum};
use clap_complete::CompletionCandidate;
use clap_complete::env::{Bash, CompleteEnv, EnvCompleter, Fish, Shells, Zsh};
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

pub(super) const EXAMPLES: &str = "\
Examples:
  source <(callgate completions bash)                          in ~/.bashrc
  source <(callgate completions zsh)                           in ~/.zshrc, behind compinit
  callgate completions fish > ~/.config/fish/completions/callgate.fish";

/// What tells the program that a shell asks.
const VARIABLE: &str = "COMPLETE";

/// How long an instance may take to say what it offers.
const PATIENCE: Duration = Duration::from_secs(1);

/// The shells that are served.
const SHELLS: Shells<'_> = Shells(&[&OurBash, &Zsh, &Fish]);

/// Which shell.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Completions {
    /// The shell whose script is printed
    pub shell: Shell,
}

/// The shells that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    fn name(self) -> &'static str {
        match self {
            Shell::Bash => "bash",
            Shell::Zsh => "zsh",
            Shell::Fish => "fish",
        }
    }
}

/// Prints the script by which a shell asks.
pub(super) fn run(completions: &Completions) -> Result<String, Failure> {
    let mut script = Vec::new();
    let failed = |error: io::Error| Failure::NotAsked(format!("no script can be made: {error}"));
    if let Some(shell) = SHELLS.completer(completions.shell.name()) {
        shell
            .write_registration(VARIABLE, "callgate", "callgate", "callgate", &mut script)
            .map_err(failed)?;
    }
    Ok(String::from_utf8_lossy(&script).trim_end().to_owned())
}

/// Answers a shell that asks, and ends the process then.
pub(super) fn answer(line: fn() -> clap::Command) {
    if std::env::var_os(VARIABLE).is_some() {
        CompleteEnv::with_factory(line)
            .var(VARIABLE)
            .bin("callgate")
            .completer("callgate")
            .shells(SHELLS)
            .complete();
    }
}

/// bash with words as they stand on the line, see the script.
struct OurBash;

impl EnvCompleter for OurBash {
    fn name(&self) -> &'static str {
        "bash"
    }

    fn is(&self, name: &str) -> bool {
        name == "bash"
    }

    fn write_registration(
        &self,
        var: &str,
        _name: &str,
        bin: &str,
        completer: &str,
        buf: &mut dyn Write,
    ) -> io::Result<()> {
        let script = include_str!("completions/callgate.bash");
        let script = script.replace("COMPLETER", completer).replace("VAR", var).replace("BIN", bin);
        buf.write_all(script.as_bytes())
    }

    fn write_complete(
        &self,
        cmd: &mut clap::Command,
        args: Vec<OsString>,
        current_dir: Option<&Path>,
        buf: &mut dyn Write,
    ) -> io::Result<()> {
        Bash.write_complete(cmd, args, current_dir, buf)
    }
}

/// Addresses that the tables name.
pub(super) fn addresses(current: &OsStr) -> Vec<CompletionCandidate> {
    candidates(endpoints(), current)
}

/// Methods of the instance that the line names.
pub(super) fn methods(current: &OsStr) -> Vec<CompletionCandidate> {
    let words = words();
    let names = offer(&words).map(|offer| method_names(&offer)).unwrap_or_default();
    candidates(names, current)
}

/// What may follow in a call: an address or a method, a method, a field.
pub(super) fn of_call(current: &OsStr) -> Vec<CompletionCandidate> {
    let words = words();
    let current_text = current.to_string_lossy();
    let before = words.iter().rev().skip_while(|word| **word == current_text).collect::<Vec<_>>();
    let method =
        before.iter().rev().find_map(|word| word.parse::<CallRef>().ok().filter(|_| !is_address(word)));
    let has_address = before.iter().any(|word| is_address(word));
    let names = match (has_address, method) {
        (_, Some(method)) => fields(&words, &method),
        (true, None) => offer(&words).map(|offer| method_names(&offer)).unwrap_or_default(),
        (false, None) => [endpoints(), of_tables()].concat(),
    };
    candidates(names, current)
}

type Named = (String, String);

fn candidates(names: Vec<Named>, current: &OsStr) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    let fitting = names.into_iter().filter(|(name, _)| name.starts_with(&*current));
    fitting.map(|(name, help)| CompletionCandidate::new(name).help(Some(help.into()))).collect()
}

/// The words of the line, without the program.
fn words() -> Vec<String> {
    let mut words = std::env::args().skip_while(|word| word != "--");
    words.nth(1);
    words.collect()
}

/// What the instance offers that the line names first.
fn offer(words: &[String]) -> Option<Offer> {
    let addr = words.iter().find(|word| is_address(word) && !word.starts_with('-'))?;
    let flag = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1).map(Into::into)
    };
    let ways = Ways {
        ca: flag("--ca"),
        cert: flag("--cert"),
        key: flag("--key"),
        server_name: flag("--server-name").map(|name: std::path::PathBuf| name.display().to_string()),
        token_file: flag("--token-file"),
        connect_timeout: PATIENCE,
    };
    Instance::new(addr, &ways).ok()?.offer().ok()
}

fn method_names(offer: &Offer) -> Vec<Named> {
    let named = |method: &MethodEntry| (String::clone(&method.name), signature::of(method));
    offer.methods.iter().map(named).collect()
}

/// `field=` for each field of a method.
fn fields(words: &[String], method: &CallRef) -> Vec<Named> {
    let Some(offer) = offer(words) else { return Vec::new() };
    let Some(method) = offer.find(method) else { return Vec::new() };
    let schema = &method.schema.method;
    let fields = schema.request_struct().map(|request| request.fields.as_slice()).unwrap_or_default();
    let is_given = |name: &str| words.iter().any(|word| word.starts_with(&format!("{name}=")));
    let free = fields.iter().filter(|field| !is_given(&field.name));
    free.map(|field| (format!("{}=", field.name), signature::words(schema, &field.ty))).collect()
}

fn tables() -> Option<Tables> {
    let file = std::env::var("CALLGATE_CONFIG").unwrap_or_else(|_| "config/gateway.toml".to_owned());
    Tables::load(&Settings::load(Path::new(&file)).ok()?.tables.watch).ok()
}

fn endpoints() -> Vec<Named> {
    let Some(tables) = tables() else { return Vec::new() };
    let of = |backend: &crate::config::BackendSpec| {
        let name = backend.name.clone();
        backend
            .endpoints
            .iter()
            .map(move |endpoint| (endpoint.addr.to_string(), name.clone()))
            .collect::<Vec<_>>()
    };
    tables.backends.iter().flat_map(of).collect()
}

/// The methods that the tables call.
fn of_tables() -> Vec<Named> {
    let Some(tables) = tables() else { return Vec::new() };
    let mut names: Vec<Named> =
        tables.calls().map(|(_, spec)| (spec.call.to_string(), spec.backend.clone())).collect();
    names.sort();
    names.dedup_by(|one, other| one.0 == other.0);
    names
}
