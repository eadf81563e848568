//! What the files may say, and what is said about those that are wrong: through [`check`], so that the code behind can
//! move. The expected text is what a person sees. What is read where nothing is wrong is in `values`, what comes from disk in `files`.

use super::*;

mod auth;
mod backends;
mod balance;
mod bodies;
mod bound;
mod certificates;
mod clients;
mod conflicts;
mod cors;
mod defaults;
mod dns;
mod docs;
mod files;
mod fixed;
mod foreign;
mod hosts;
mod judge;
mod links;
mod matches;
mod mode;
mod never_panics;
mod overload;
mod paths;
mod random_files;
mod rate_limits;
mod replies;
mod retries;
mod routes;
mod rules;
mod scaling;
mod schemas;
mod security;
mod settings;
mod streams;
mod tables;
mod tls;
mod traces;
mod traffic;
mod values;
mod websockets;

/// Tables from files, each after a line `-- name`; one file without such a line is `t.toml`.
fn tables(files: &str) -> Result<Tables, Diagnostics> {
    let sources = match files.strip_prefix("-- ") {
        None => vec![Source::new("t.toml", files)],
        Some(files) => {
            let file = |file: &str| file.split_once('\n').map(|(name, text)| Source::new(name, text));
            files.split("-- ").filter_map(file).collect()
        }
    };
    judge::read_tables(sources)
}

/// The routes of a table, or what is wrong with it.
#[track_caller]
fn check(files: &str, expected: &str) {
    let route =
        |route: &RouteSpec| format!("{} → {} {}\n", route.matcher, call(route).backend, call(route).call);
    compare(tables(files).map(|tables| tables.routes.iter().map(route).collect()), expected);
}

/// The call of a route that is one.
#[track_caller]
fn call(route: &RouteSpec) -> &CallSpec {
    route.action.call().unwrap()
}

/// What is wrong with the gateway's file and with `CALLGATE_LOG`.
#[track_caller]
fn check_settings(file: &str, filter: Option<&str>, expected: &str) {
    compare(judge::read_settings(Source::new("gateway.toml", file), filter).map(|_| String::new()), expected);
}

#[track_caller]
fn compare(seen: Result<String, Diagnostics>, expected: &str) {
    let seen = seen.unwrap_or_else(|diagnostics| diagnostics.to_string());
    assert!(seen.trim() == expected.trim(), "saw:\n{seen}\n<<<saw, expected:\n{expected}");
}
