//! The binary `callgate`.

#![deny(clippy::print_stderr, clippy::print_stdout)]

use callgate::privilege::Ports;
use callgate::{cli, process};
use std::process::ExitCode;
use tikv_jemalloc_ctl::background_thread;
use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    cli::main(|run| {
        // First of all: each thread that is started has what this one has then.
        let ports = Ports::set_aside();
        // Memory is given back from a thread of its own, also when no request comes: idle connections cost what they hold. Without
        // that thread it is given back as requests come.
        let _ = background_thread::write(true);
        process::run(&run.config.file, run.upgrade, ports)
    })
}
