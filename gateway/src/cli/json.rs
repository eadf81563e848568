//! `--json`: the same for programs. What is printed is one JSON document, whatever the command.

use clap::Args;
use serde_json::Value;

/// How a command says what it has found.
#[derive(Args, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
}

/// A document as it is printed.
pub(super) fn text(value: &Value) -> String {
    format!("{value:#}")
}
