//! Paths that are a route's but for a slash at their end, where the route's file says what becomes of them. They are looked for only when no
//! route has the path itself.

use super::reply::Reply;
use crate::config::TrailingSlash;
use crate::method::Method;
use crate::routes::{Captured, Table};
use std::borrow::Cow;

/// Which route takes a path that it has but for the slash.
pub(super) struct Taken<'t, 'p> {
    /// Its place in the table.
    pub(super) at: usize,
    pub(super) captured: Captured<'t, 'p>,
    /// The path as the route has it, where its client is to be sent.
    pub(super) redirect: Option<&'p str>,
}

/// The route that takes a path but for the slash at its end. The path as the route has it is put into `room`, if need be.
pub(super) fn take<'t, 'p>(
    table: &'t Table,
    method: Option<Method>,
    host: Option<&str>,
    path: &'p str,
    room: &'p mut String,
) -> Option<Taken<'t, 'p>> {
    if !table.minds_slashes() {
        return None;
    }
    let other = match other(path)? {
        Cow::Borrowed(other) => other,
        Cow::Owned(other) => {
            *room = other;
            room.as_str()
        }
    };
    let (at, captured) = table.find(method?, host, other)?;
    let redirect = match table.routes[at].policy.trailing_slash {
        TrailingSlash::Strict => return None,
        TrailingSlash::Redirect => Some(other),
        TrailingSlash::Ignore => None,
    };
    Some(Taken { at, captured, redirect })
}

/// The methods with which a path exists, whatever the slash at its end where routes do not mind.
pub(super) fn methods(table: &Table, host: Option<&str>, path: &str) -> Vec<Method> {
    let mut methods = table.methods(host, path);
    let other = if table.minds_slashes() { other(path) } else { None };
    if let Some(other) = other {
        let may = |method: &Method| {
            let found = table.find(*method, host, &other);
            found.is_some_and(|(at, _)| table.routes[at].policy.trailing_slash != TrailingSlash::Strict)
        };
        methods.extend(Method::ALL.iter().filter(|method| may(method)));
        methods.sort_unstable();
        methods.dedup();
    }
    methods
}

/// The path with the slash at its end, or without.
fn other(path: &str) -> Option<Cow<'_, str>> {
    let other = match path.strip_suffix('/') {
        // Of several slashes at the end none is the one that is too many.
        Some(without) if without.is_empty() || without.ends_with('/') => return None,
        Some(without) => Cow::Borrowed(without),
        None => Cow::Owned(format!("{path}/")),
    };
    // It would be a host where a client is sent to it.
    Some(other).filter(|other| !other.starts_with("//"))
}

/// Sends a client to the path as a route has it, with the query.
pub(super) fn redirect(path: &str, query: Option<&str>) -> Reply {
    let mut location = path.to_owned();
    if let Some(query) = query {
        location.push('?');
        location.push_str(query);
    }
    let mut reply = Reply::empty(308);
    // All of it was checked with the head: it is visible ASCII.
    reply.field("location", &location);
    reply
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Source, Tables};
    use crate::discovery::Lists;

    fn table(slash: &str) -> Table {
        let route = |text: &str| format!("[[routes]]\nmatch = '{text}'\nrespond = {{}}\n");
        let own = ["GET /a/{x}", "GET /b/", "POST /b", "GET /", "GET /t/{*rest}"].map(route).concat();
        let file = Source::new("a.toml", format!("trailing_slash = '{slash}'\n{own}"));
        let strict = Source::new("b.toml", route("GET /strict"));
        let tables = Tables::parse(vec![file, strict]).expect("sound tables");
        Table::next(&Table::empty(), tables, &Lists::default(), 1)
    }

    #[test]
    fn a_path_is_taken_but_for_its_slash_where_the_file_says_so() {
        for (slash, redirects) in [("ignore", false), ("redirect", true)] {
            let table = table(slash);
            for (method, path, expected) in [
                (Method::Get, "/a/1/", Some("/a/1")),
                (Method::Get, "/b", Some("/b/")),
                (Method::Post, "/b/", Some("/b")),
                (Method::Get, "/a/1//", None),
                (Method::Get, "/a", None),
                (Method::Get, "/", None),
                (Method::Get, "//", None),
                (Method::Get, "/strict/", None),
                (Method::Put, "/b", None),
            ] {
                let (mut room, mut sent) = (String::new(), None);
                let taken = take(&table, Some(method), None, path, &mut room).map(|taken| {
                    sent = taken.redirect.map(str::to_owned);
                    table.routes[taken.at].matcher.path.as_str().replace("{x}", "1")
                });
                assert_eq!(taken.as_deref(), expected, "{slash}: {method} {path}");
                assert_eq!(sent.as_deref(), expected.filter(|_| redirects), "{slash}: {method} {path}");
            }
            assert_eq!(methods(&table, None, "/b"), [Method::Get, Method::Post]);
            assert!(methods(&table, None, "/strict/").is_empty());
        }
        let table = table("strict");
        assert!(!table.minds_slashes());
        assert_eq!(methods(&table, None, "/b"), [Method::Post]);
    }
}
