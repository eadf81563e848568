//! The binary `callgate`.

use callgate::{cli, process};
use mimalloc::MiMalloc;
use std::process::ExitCode;

// A request allocates a dozen small blocks and frees them on the thread that made them, which suits it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cli::main(|config| process::run(&config))
}
