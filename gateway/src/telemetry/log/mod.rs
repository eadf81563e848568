//! The log: text on a terminal, JSON lines otherwise, to standard error.
//!
//! Logging never holds up, slows down or ends anything that serves. Whoever logs puts a line into a bounded queue without
//! a lock; one thread writes ([`Writer`]). Lines that repeat are limited for each kind. What is lost is
//! counted in [`LogStats`].

mod limited;
mod repeats;
#[cfg(test)]
pub(crate) mod testing;
mod writer;

pub use writer::{Lines, LogStats, Writer};

use crate::config::{LogFormat, LogSettings};
use limited::{Limited, Shape};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{IsTerminal, Write};
use std::panic::PanicHookInfo;
use std::sync::Arc;
use tracing_subscriber::EnvFilter;

/// Starts logging for the process, panics included. `quiet` are directives (`library=warn`) for libraries that talk too
/// much; settings that name the library have the last word.
pub fn start(settings: &LogSettings, quiet: &[&str], lines: Arc<Lines>) {
    // The settings' filter is checked, so this default is never taken.
    let mut filter = EnvFilter::try_new(&settings.level).unwrap_or_else(|_| EnvFilter::new("info"));
    for quiet in quiet {
        let library = quiet.split('=').next().unwrap_or_default();
        filter = match quiet.parse() {
            Ok(directive) if !settings.level.contains(library) => filter.add_directive(directive),
            _ => filter,
        };
    }
    let json = match settings.format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Json => true,
        LogFormat::Text => false,
    };
    let stats = lines.stats();
    // The library reports its own errors with `eprintln!`, which blocks on a full pipe and panics on a closed one.
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(lines).log_internal_errors(false);
    // A subscriber that is already there (in tests) stays.
    let _ = if json {
        let builder = builder.json().flatten_event(true).with_current_span(false).with_span_list(false);
        builder.map_event_format(|format| Limited::new(format, Shape::Json, stats)).try_init()
    } else {
        let builder = builder.with_ansi(std::io::stderr().is_terminal());
        builder.map_event_format(|format| Limited::new(format, Shape::Text, stats)).try_init()
    };
    // The standard library's hook writes to standard error, and so waits for whoever reads that.
    std::panic::set_hook(Box::new(log_panic));
}

/// Writes to standard error, for a process that serves nothing or cannot log. Whether that is closed is of no interest: nobody
/// is left to be told.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let location = panic.location().map(ToString::to_string);
    // Only where RUST_BACKTRACE asks for it.
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    let message = panic_message(panic.payload());
    tracing::error!(message = "something panicked", panic = message, location, thread, backtrace);
}

/// What a panic says.
pub fn panic_message(payload: &(dyn std::any::Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
