//! What a table changes, in words: routes, backends and endpoints that are new, gone or different, and which of their keys.

use super::route::Route;
use super::table::Table;
use crate::backends::Backend;
use crate::config::{ActionSpec, BackendSpec, CallSpec, EndpointSpec, Matcher};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

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
    let known: HashMap<&Matcher, &Arc<Route>> = before.routes.iter().map(|one| (&one.matcher, one)).collect();
    let stay: HashSet<&Matcher> = after.routes.iter().map(|one| &one.matcher).collect();
    for route in &after.routes {
        match known.get(&route.matcher) {
            None => said.push(format!("route `{}` is new ({})", route.matcher, route.place)),
            Some(old) if old.id != route.id => {
                let keys = list(route_keys(old, route));
                said.push(format!("route `{}` has changed: {keys} ({})", route.matcher, route.place));
            }
            Some(_) => {}
        }
    }
    let gone = before.routes.iter().filter(|route| !stay.contains(&route.matcher));
    said.extend(gone.map(|route| format!("route `{}` is gone", route.matcher)));
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
    let by_name = |table: &Table| -> HashMap<String, Arc<Backend>> {
        table.backends.iter().map(|one| (one.spec.name.clone(), one.clone())).collect()
    };
    let (known, stay) = (by_name(before), by_name(after));
    for Backend { spec, .. } in after.backends.iter().map(|one| &**one) {
        match known.get(&spec.name) {
            None => said.push(format!("backend `{}` is new", spec.name)),
            Some(old) => {
                let keys: Vec<_> = backend_keys(&old.spec, spec).collect();
                if !keys.is_empty() {
                    said.push(format!("backend `{}` has changed: {}", spec.name, list(keys)));
                }
                endpoints(&old.spec, spec, said);
            }
        }
    }
    let gone = before.backends.iter().filter(|one| !stay.contains_key(&one.spec.name));
    said.extend(gone.map(|one| format!("backend `{}` is gone", one.spec.name)));
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
    let known: HashMap<String, &EndpointSpec> =
        before.endpoints.iter().map(|one| (one.addr.to_string(), one)).collect();
    let mut stay = HashSet::new();
    for endpoint in &after.endpoints {
        let addr = endpoint.addr.to_string();
        match known.get(&addr) {
            None => said.push(format!("backend `{}` has a new endpoint, {addr}", after.name)),
            Some(old) if *old != endpoint => {
                said.push(format!(
                    "backend `{}`: what is said of its endpoint {addr} has changed",
                    after.name
                ));
            }
            Some(_) => {}
        }
        stay.insert(addr);
    }
    let gone = before.endpoints.iter().map(|one| one.addr.to_string()).filter(|one| !stay.contains(one));
    said.extend(gone.map(|addr| format!("backend `{}` has no endpoint {addr} any more", after.name)));
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
