//! The binary `callgate`.

#![deny(clippy::print_stderr, clippy::print_stdout)]

use callgate::{cli, process};
use std::process::ExitCode;
use tikv_jemallocator::Jemalloc;

// Gives memory back from a thread of its own, also when no request comes: idle connections cost what they hold.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    cli::main(|run| process::run(&run.config.file, run.upgrade))
}
