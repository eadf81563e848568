//! Keys that people write who know another gateway, or a later version of this one: what comes nearest here, or that there is no
//! such thing. Without it `cors = true` would only be told to be unknown, and `retries = 3` to be like nothing there is.
//!
//! Names are compared in lower case without `_`, `-` and `.`, so that nobody's spelling matters.

mod anywhere;
mod backend;
mod cors;
mod file;
mod route;

use super::keys;
use anywhere::ANYWHERE;
use backend::{BACKEND, BACKEND_TLS, ENDPOINT};
use cors::CORS;
use file::FILE;
use route::ROUTE;

/// Names, and what is said to whoever writes one of them.
type Hints = &'static [(&'static [&'static str], &'static str)];

/// Of routes and of backends.
const HEALTH: &str = "instances are judged by their calls and by pings, without being told to; [backends.NAME.health] has the bounds";

/// What is said of a key in a table of that kind: `a route`, `a backend`, `an endpoint`, `a table file`, or another.
pub(super) fn help(table: &str, key: &str) -> Option<String> {
    let plain: String =
        key.chars().filter(|c| !matches!(c, '_' | '-' | '.')).flat_map(char::to_lowercase).collect();
    let own: Hints = match table {
        "a route" => ROUTE,
        "a backend" => BACKEND,
        "an endpoint" => ENDPOINT,
        "`tls` of a backend" => BACKEND_TLS,
        "`cors`" => CORS,
        "a table file" => FILE,
        _ => &[],
    };
    if matches!(table, "a route" | "a backend") && keys::at_top().contains(&key) {
        return Some(format!(
            "`{key}` holds for all routes of a file where it stands at its top, before the first line with [brackets]"
        ));
    }
    let known = |hints: Hints| hints.iter().find(|(names, _)| names.contains(&plain.as_str()));
    known(own).or_else(|| known(ANYWHERE)).map(|(_, help)| (*help).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_name_is_there_once_in_the_spelling_that_is_looked_for() {
        for hints in [ROUTE, BACKEND, BACKEND_TLS, ENDPOINT, CORS, FILE, ANYWHERE] {
            let mut seen = BTreeSet::new();
            for name in hints.iter().flat_map(|(names, _)| *names) {
                assert!(seen.insert(name), "{name} is there twice");
                assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{name}");
            }
        }
    }

    #[test]
    fn the_spelling_does_not_matter_and_the_own_table_goes_first() {
        for name in ["proxy_pass", "ProxyPass", "proxy-pass"] {
            assert_eq!(help("a route", name).as_deref(), Some(route::BACKEND));
        }
        assert_ne!(help("a route", "weight"), help("a backend", "weight"));
        assert!(help("`response`", "cors").is_some_and(|help| help.contains("at the top of a table file")));
        assert_eq!(help("a route", "timout"), None);
        assert!(help("a backend", "prefix").is_some_and(|help| help.contains("at its top")));
    }
}
