//! What a table changes, in words: routes, backends and endpoints that are new, gone or different, and which of their keys.

use super::diff::{self, Difference};
use super::route::Route;
use super::table::Table;
use crate::config::{ActionSpec, BackendSpec, CallSpec};

/// The keys whose values differ: each is a field, or several that one key fills.
macro_rules! differing {
    ($one:expr, $other:expr, { $($key:literal: $($($field:ident).+),+;)+ }) => {
        [$(($key, $($one.$($field).+ != $other.$($field).+)||+)),+]
            .into_iter()
            .filter(|(_, differs)| *differs)
            .map(|(key, _)| key)
    };
}

/// What differs in `after`, a sentence for each route, backend and endpoint.
pub fn changes(before: &Table, after: &Table) -> Vec<String> {
    let mut said = Vec::new();
    routes(before, after, &mut said);
    backends(before, after, &mut said);
    said
}

fn routes(before: &Table, after: &Table, said: &mut Vec<String>) {
    for one in diff::routes(before, after) {
        said.push(match one {
            Difference::Added(route) => format!("route `{}` is new ({})", route.matcher, route.place),
            Difference::Changed(old, route) => {
                let keys = list(route_keys(old, route));
                format!("route `{}` has changed: {keys} ({})", route.matcher, route.place)
            }
            Difference::Removed(route) => format!("route `{}` is gone", route.matcher),
        });
    }
}

fn route_keys(before: &Route, after: &Route) -> Vec<&'static str> {
    let (one, other) = (&before.policy, &after.policy);
    let mut keys: Vec<&str> = differing!(one, other, {
        "clients": clients;
        "auth": auth;
        "require": require;
        "cors": cors;
        "client_certificate": client_certificate;
        "security_headers": security_headers;
        "rate_limit": rate_limits;
        "compress": compress;
        "max_in_flight": max_in_flight;
        "trailing_slash": trailing_slash;
    })
    .collect();
    match (before.action.spec(), after.action.spec()) {
        (ActionSpec::Call(one), ActionSpec::Call(other)) => keys.extend(call_keys(&one, &other)),
        (one, other) if one != other => keys.push("what it does"),
        _ => {}
    }
    keys
}

fn call_keys(one: &CallSpec, other: &CallSpec) -> impl Iterator<Item = &'static str> {
    differing!(one, other, {
        "call": call;
        "backend": backend;
        "timeout": timeout;
        "max_stream": stream;
        "mode": mode;
        "idempotent": idempotent;
        "idempotency_key": idempotency_key;
        "retry": retry;
        "metadata": policy.metadata;
        "forward_claims": policy.forward_claims;
        "ignore_query": policy.ignore_query;
        "rules": policy.rules;
        "priority": policy.priority;
        "split": policy.split;
        "shadow": policy.shadow;
        "fallback": policy.fallback;
        "bind": request.bound, outside;
        "body": body, request.body;
        "response": response, reply;
        "websocket": websocket;
    })
}

fn backends(before: &Table, after: &Table, said: &mut Vec<String>) {
    for one in diff::backends(before, after) {
        match one {
            Difference::Added(backend) => said.push(format!("backend `{}` is new", backend.spec.name)),
            Difference::Changed(old, backend) => {
                let keys: Vec<_> = backend_keys(&old.spec, &backend.spec).collect();
                if !keys.is_empty() {
                    said.push(format!("backend `{}` has changed: {}", backend.spec.name, list(keys)));
                }
                endpoints(&old.spec, &backend.spec, said);
            }
            Difference::Removed(backend) => said.push(format!("backend `{}` is gone", backend.spec.name)),
        }
    }
}

fn backend_keys(one: &BackendSpec, other: &BackendSpec) -> impl Iterator<Item = &'static str> {
    differing!(one, other, {
        "connect_timeout": connect_timeout;
        "ping_interval": ping_interval;
        "ping_timeout": ping_timeout;
        "max_age": max_age;
        "max_calls": max_calls;
        "balance": balance;
        "health": health;
        "retry_budget": retry_budget;
        "hold": hold;
        "overload": overload;
        "tls or token": security;
    })
}

fn endpoints(before: &BackendSpec, after: &BackendSpec, said: &mut Vec<String>) {
    let name = &after.name;
    said.extend(diff::endpoints(before, after).into_iter().map(|one| match one {
        Difference::Added(new) => format!("backend `{name}` has a new endpoint, {}", new.addr),
        Difference::Changed(_, one) => {
            format!("backend `{name}`: what is said of its endpoint {} has changed", one.addr)
        }
        Difference::Removed(gone) => format!("backend `{name}` has no endpoint {} any more", gone.addr),
    }));
}

/// What cannot be told apart further is something else that its lines say, such as the backends that its calls go to.
fn list(keys: impl IntoIterator<Item = &'static str>) -> String {
    let keys: Vec<&str> = keys.into_iter().collect();
    if keys.is_empty() { "where its calls go".to_owned() } else { keys.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::super::next::tests::{TWO_BACKENDS, next};
    use super::*;

    #[test]
    fn each_thing_that_differs_is_one_sentence_and_what_only_moved_is_none() {
        let first = next(&Table::empty(), TWO_BACKENDS);
        let said = |text: &str| changes(&first, &next(&first, text));
        assert_eq!(said(&format!("# A line more.\n{TWO_BACKENDS}")), [""; 0]);
        let other = TWO_BACKENDS
            .replace("call = \"s.one\"", "call = \"s.other\"\ntimeout = \"3s\"\nmax_in_flight = 3")
            .replace("POST /two/{*rest}", "PUT /two/{*rest}")
            .replace("\"127.0.0.1:2\"", "\"127.0.0.1:9\"")
            .replace("[backends.b]", "[backends.b]\nhold = \"3s\"\n");
        assert_eq!(
            said(&other),
            [
                "route `GET /one/{id}` has changed: max_in_flight, call, timeout (t.toml:9:17)",
                "route `PUT /two/{*rest}` is new (t.toml:15:17)",
                "route `POST /two/{*rest}` is gone",
                "backend `a` has a new endpoint, 127.0.0.1:9",
                "backend `a` has no endpoint 127.0.0.1:2 any more",
                "backend `b` has changed: hold",
            ]
        );
        let less = TWO_BACKENDS.split("[backends.b]").next().expect("the first one");
        let less = format!("{less}\n[[routes]]\nmatch = 'GET /one/{{id}}'\nrespond = {{}}\n");
        assert_eq!(
            said(&less),
            [
                "route `GET /one/{id}` has changed: what it does (t.toml:6:9)",
                "route `POST /two/{*rest}` is gone",
                "backend `b` is gone",
            ]
        );
    }

    /// Whatever of a route or a backend makes it another one has a name here.
    #[test]
    fn a_route_that_is_another_names_a_key() {
        let first = next(&Table::empty(), TWO_BACKENDS);
        for line in [
            "idempotent = false",
            "retry = { attempts = 2 }",
            "timeout = \"3s\"",
            "priority = \"critical\"",
            "compress = true",
            "max_in_flight = 3",
            "rate_limit = { rate = \"2/s\", burst = 2, by = \"client\" }",
            "int64 = \"string\"",
        ] {
            let text = TWO_BACKENDS.replace("call = \"s.one\"", &format!("call = \"s.one\"\n{line}"));
            let said = changes(&first, &next(&first, &text));
            assert!(said.len() == 1 && !said[0].contains("where its calls go"), "{line}: {said:?}");
        }
    }
}
