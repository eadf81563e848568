//! The log: text on a terminal, JSON lines otherwise, to standard error.

use crate::config::{LogFormat, LogSettings};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging for the process. `quiet` is a directive (`library=warn`) for a library that talks too much; settings
/// that name the library have the last word.
pub fn start(settings: &LogSettings, quiet: &str) {
    // The settings' filter is checked, so this default is never taken.
    let filter = EnvFilter::try_new(&settings.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let library = quiet.split('=').next().unwrap_or_default();
    let filter = match quiet.parse() {
        Ok(directive) if !settings.level.contains(library) => filter.add_directive(directive),
        _ => filter,
    };
    let json = match settings.format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Json => true,
        LogFormat::Text => false,
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A subscriber that is already there (in tests) stays.
    let _ = if json {
        builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    } else {
        builder.with_ansi(std::io::stderr().is_terminal()).try_init()
    };
}
