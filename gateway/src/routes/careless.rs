//! Paths that two readers take for paths of two routes, which do not ask the same of their clients.
//!
//! A route takes `/v1/files/{*path}` from anybody, another one `/v1/files/secret/{*path}` from few. `/v1/files/secret%2Fa` is a path of the first.
//! But its method is given `secret/a`, and what that is, its file system says. So in tables whose routes ask different things of their clients, each
//! path is looked up a second time as somebody careless reads it ([`paths::careless`]). If that leads to a route which asks something else, the path
//! is no route's.

use super::route::Route;
use super::trees::Trees;
use crate::method::Method;
use crate::paths;
use callgate_tls::Name;
use std::collections::HashMap;
use std::sync::Arc;

/// Routes by their paths as somebody careless reads them.
pub(super) struct Careless {
    /// What one kind of tree cannot have side by side, `/Files/{*path}` and `/files/{name}`, is in several.
    layers: Vec<Trees>,
    /// The routes, by places in the table, whose paths are one to somebody careless.
    alike: Vec<Vec<usize>>,
    /// Some are not written as everybody reads them: a path that is can be taken for theirs.
    has_others: bool,
}

/// Whether routes ask different things of their clients.
pub(super) fn differ(routes: &[Arc<Route>]) -> bool {
    routes.windows(2).any(|pair| pair[0].demands() != pair[1].demands())
}

impl Careless {
    /// That of routes.
    pub(super) fn of(routes: &[Arc<Route>]) -> Careless {
        let mut careless = Careless { layers: Vec::new(), alike: Vec::new(), has_others: false };
        let mut places = HashMap::new();
        for (at, route) in routes.iter().enumerate() {
            let matcher = &route.matcher;
            let pattern = pattern(matcher.path.segments());
            careless.has_others |= pattern_as_written(matcher.path.segments()) != pattern;
            for host in matcher.hosts.names() {
                let next = careless.alike.len();
                let place = *places.entry((matcher.method, host.cloned(), pattern.clone())).or_insert(next);
                if place == next {
                    careless.alike.push(Vec::new());
                    careless.insert(matcher.method, host, &pattern, place);
                }
                careless.alike[place].push(at);
            }
        }
        careless
    }

    /// Whether somebody careless takes the path, which is that of the route `at`, for the path of a route that asks something else.
    pub(super) fn confuses(
        &self,
        routes: &[Arc<Route>],
        method: Method,
        host: Option<&str>,
        path: &str,
        at: usize,
    ) -> bool {
        let read = paths::careless(path);
        if *read == *path && !self.has_others {
            return false;
        }
        let own = routes[at].demands();
        self.layers.iter().filter_map(|trees| trees.find(method, host, &read)).any(|(place, _)| {
            let alike = &self.alike[place];
            !alike.contains(&at) && alike.iter().any(|other| routes[*other].demands() != own)
        })
    }

    /// Into the first layer that can have it.
    fn insert(&mut self, method: Method, host: Option<&Name>, pattern: &str, place: usize) {
        if !self.layers.iter_mut().any(|trees| trees.insert(method, host, pattern, place).is_ok()) {
            let mut trees = Trees::default();
            match trees.insert(method, host, pattern, place) {
                Ok(()) => self.layers.push(trees),
                Err(error) => tracing::error!(pattern, %error, "a path has no other reading"),
            }
        }
    }
}

/// A route's path as somebody careless reads it. What its parameters are called is nobody's matter.
fn pattern<'s>(segments: impl Iterator<Item = &'s str>) -> String {
    joined(segments, |literal| paths::careless(&format!("/{literal}"))[1..].to_owned())
}

/// The same path as everybody reads it.
fn pattern_as_written<'s>(segments: impl Iterator<Item = &'s str>) -> String {
    joined(segments, str::to_owned)
}

fn joined<'s>(segments: impl Iterator<Item = &'s str>, read: impl Fn(&str) -> String) -> String {
    // Braces that stand for themselves are written twice.
    let read = |literal: &str| read(literal).replace('{', "{{").replace('}', "}}");
    let mut pattern = String::new();
    for (number, segment) in segments.enumerate() {
        let read = match segment.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            Some((name, suffix)) => {
                let star = if name.starts_with('*') { "*" } else { "" };
                format!("{{{star}p{number}}}{}", read(suffix))
            }
            None => read(segment),
        };
        if !read.is_empty() {
            pattern.push('/');
            pattern.push_str(&read);
        }
    }
    if pattern.is_empty() { "/".to_owned() } else { pattern }
}

#[cfg(test)]
mod tests {
    use super::super::next::tests::next;
    use super::super::table::Table;
    use super::*;

    /// A table of routes with those paths: who comes to the last one needs a certificate.
    fn table(paths: &[&str]) -> Table {
        let route = |path: &&str| format!("[[routes]]\nmatch = 'GET {path}'\nrespond = {{}}\n");
        let text = paths.iter().map(route).collect::<String>();
        next(&Table::empty(), &format!("{text}client_certificate = 'required'\n"))
    }

    /// Whether the table gives a path to nobody.
    fn is_refused(table: &Table, path: &str) -> bool {
        let (at, _) = table.find(Method::Get, None, path).expect("some route has it");
        table.is_ambiguous(Method::Get, None, path, at)
    }

    #[test]
    fn what_somebody_takes_for_a_guarded_path_is_no_path_of_another_route() {
        let one = table(&["/files/{*path}", "/{*all}", "/files/secret"]);
        let below = table(&["/files/{*path}", "/{*all}", "/files/secret/{*path}"]);
        let parameter = table(&["/{*all}", "/users/{id}", "/users/{id}:cancel"]);
        let tail = table(&["/{*all}", "/v1/admin"]);
        for (table, paths) in [
            (
                &one,
                &[
                    "/files/secret/",
                    "/files//secret",
                    "/files/Secret",
                    "/files/secret;v=1",
                    "/files/secret%20",
                    "/files/secret.",
                    "/FILES/secret",
                    "/files/secret%2F",
                    "/files/%2Fsecret",
                    "/files/%5Csecret",
                    "/files%2Fsecret",
                    "/files/secret%00",
                    "/files/secret%3Bx",
                    "/files/s%2565cret",
                    "/files/%25%37%33ecret",
                    "/files/x%2F..%2Fsecret",
                    "//files/secret",
                    "/files/secret%2F%2E",
                    "/x%2F..%2Ffiles/secret",
                ] as &[&str],
            ),
            (
                &below,
                &[
                    "/files/secret%2Fa",
                    "/files/Secret/a",
                    "/files//secret/a",
                    "/files/a%2F..%2Fsecret%2Fb",
                    "/files/secret%5Ca",
                    "/files/secret;/a",
                    "/files/secret%252Fa",
                    "/files%2fsecret/a",
                    "/FILES/SECRET/A",
                    "/files/secret%20/a",
                ],
            ),
            (
                &parameter,
                &[
                    "/users/a%3Acancel",
                    "/users/a:CANCEL",
                    "/users/a:cancel/",
                    "/Users/a:cancel",
                    "/users/a:cancel;x",
                    "/users//a:cancel",
                    "/users/a%253Acancel",
                ],
            ),
            (
                &tail,
                &[
                    "/v1%2Fadmin",
                    "/v1/admin/",
                    "/v1/ADMIN",
                    "/v1//admin",
                    "//v1/admin",
                    "/v1/admin;",
                    "/v1%5Cadmin",
                    "/v1/a%2564min",
                    "/v1/admin%0A",
                    "/v1/x%2F..%2Fadmin",
                    "/x/..%2Fv1/admin",
                    "/v1/%20admin",
                    "/v1/admin...",
                    "/v1/.%20/admin",
                    "/V1/admin",
                    "/v1/admin%2f.",
                    "/v1;a/admin",
                    "/v1/admin%09",
                    "/v1/admin%3B",
                    "/v1/admin%00.png",
                ],
            ),
        ] {
            for path in paths {
                assert!(is_refused(table, path), "{path}");
            }
        }
    }

    #[test]
    fn what_everybody_reads_alike_is_its_route_s() {
        let table = table(&["/files/{*path}", "/{*all}", "/Users/{id}", "/files/secret/{*path}"]);
        for path in [
            "/files/a",
            "/files/A",
            "/files/a%2Fb",
            "/files/a//b/",
            "/files/secrets/a",
            "/files/a/secret/b",
            "/x/Y",
            "/Users/A",
            "/files/secret",
            "/files/secret/a",
            "/files/secret/A%2FB",
        ] {
            assert!(!is_refused(&table, path), "{path}");
        }
        // Only who reads `/Users` as `/users` takes it for that route's, and both ask the same.
        assert!(!is_refused(&table, "/users/a"));
    }

    #[test]
    fn a_literal_in_capitals_guards_the_path_in_small_letters() {
        let table = table(&["/{*all}", "/Admin"]);
        assert!(
            is_refused(&table, "/admin") && is_refused(&table, "/ADMIN") && !is_refused(&table, "/Admin")
        );
    }

    #[test]
    fn paths_that_are_one_but_for_capitals_may_differ_in_what_follows() {
        let table = table(&["/Files/{*path}", "/{*all}", "/files/{name}"]);
        assert!(
            is_refused(&table, "/Files/a")
                && is_refused(&table, "/files/a")
                && is_refused(&table, "/FILES/a")
        );
        assert!(!is_refused(&table, "/Files/a/b") && !is_refused(&table, "/x"));
    }

    #[test]
    fn where_all_ask_the_same_nothing_is_refused() {
        let text =
            ["/{*all}", "/a"].map(|path| format!("[[routes]]\nmatch = 'GET {path}'\nrespond = {{}}\n"));
        let table = next(&Table::empty(), &text.concat());
        assert!(!is_refused(&table, "/A"));
    }
}
