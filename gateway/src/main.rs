//! The binary `callgate`.

use callgate::{cli, process};
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(|config| process::run(&config))
}
