//! Sound tables, as people read them.

use crate::config::{ActionSpec, RouteSpec, Tables};
use crate::steps::Steps;
use callgate_rules::Rule;
use serde_json::{Value, json};

pub(super) const EXAMPLES: &str = "\
Examples:
  callgate routes | grep orders                   which method is behind a path
  callgate routes --json | jq -r '.routes[].match'";

/// What `callgate check` says of them: how much there is, and, as soon as some route says it, who may call how many routes.
pub(super) fn summary(tables: &Tables) -> String {
    let counts = [(tables.routes.len(), "route"), (tables.backends.len(), "backend")];
    let certificates = Some((tables.certificates.len(), "certificate")).filter(|(n, _)| *n > 0);
    let counts: Vec<String> =
        counts.into_iter().chain(certificates).map(|(n, what)| count(n, what)).collect();
    let mut text = format!("ok: {}, hash {}", counts.join(", "), tables.hash);
    for (who, routes) in callers(tables) {
        text += &format!("\n{who}: {}", count(routes, "route"));
    }
    text
}

/// What routes ask of who calls, each with how many do; nothing where none says it.
fn callers(tables: &Tables) -> Vec<(String, usize)> {
    let mut all: Vec<(String, usize)> = Vec::new();
    if !tables.routes.iter().any(|route| route.policy.auth.is_said()) {
        return all;
    }
    for route in &tables.routes {
        let who = who(route);
        match all.iter_mut().find(|(known, _)| *known == who) {
            Some((_, routes)) => *routes += 1,
            None => all.push((who, 1)),
        }
    }
    all
}

/// What a route asks of who calls, in the words of the tables.
fn who(route: &RouteSpec) -> String {
    let names = route.policy.auth.shown();
    let auth =
        if names.is_empty() { "auth not said".to_owned() } else { format!("auth {}", names.join(", ")) };
    let require = route.policy.require.lists().iter().map(|list| format!("require {list}"));
    std::iter::once(auth).chain(require).chain(rules(route)).collect::<Vec<_>>().join("; ")
}

fn rules(route: &RouteSpec) -> Option<String> {
    let all: Vec<&str> = route.action.call()?.policy.rules.all().map(Rule::text).collect();
    (!all.is_empty()).then(|| format!("rules {}", all.join(", ")))
}

/// The same for programs.
pub(super) fn routes_json(tables: &Tables) -> Value {
    let route = |route: &RouteSpec| {
        let call = route.action.call();
        let steps: Vec<String> = Steps::shown(&route.policy).into_iter().chain(rules(route)).collect();
        json!({
            "match": route.matcher.to_string(),
            "action": route.action.to_string(),
            "call": call.map(|call| call.call.to_string()),
            "call_id": call.map(|call| call.call.call_id().to_string()),
            "backend": call.map(|call| call.policy.split.shown(&call.backend)),
            "steps": steps,
        })
    };
    json!({ "hash": tables.hash.to_string(), "routes": tables.routes.iter().map(route).collect::<Vec<_>>() })
}

/// What `callgate routes` says of them: a line a route.
pub(super) fn routes(tables: &Tables) -> String {
    let row = |route: &RouteSpec| {
        let (id, backend) = match &route.action {
            ActionSpec::Call(call) => {
                (call.call.call_id().to_string(), call.policy.split.shown(&call.backend))
            }
            _ => ("-".to_owned(), "-".to_owned()),
        };
        [
            format!("{:6} {}", route.matcher.method, route.matcher.name()),
            route.action.to_string(),
            id,
            backend,
            Steps::shown(&route.policy).into_iter().chain(rules(route)).collect::<Vec<_>>().join("; "),
        ]
    };
    let head = ["ROUTE", "CALL", "CALL ID", "BACKEND", "STEPS"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head).chain(tables.routes.iter().map(row)).collect();
    aligned(&rows)
}

pub(super) fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

/// The same two spaces further right.
pub(super) fn indented<const N: usize>(rows: &[[String; N]]) -> String {
    aligned(rows).lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// Columns two spaces apart, as wide as their widest cell.
fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;

    fn tables(text: &str) -> Tables {
        Tables::parse(vec![Source::new("t.toml", text.to_owned())]).unwrap()
    }

    #[test]
    fn who_may_call_is_said_by_those_who_say_it() {
        let text = "[backends.b]\nendpoints = ['x:1']\n[auth.users]\ntype = 'unix'\n[auth.staff]\ntype = 'mtls'\nname = 'uri'\n\
             [[routes]]\nmatch = 'GET /a/{id}'\ncall = 's.a'\nauth = 'users'\nrules = ['args.id > 1', 'claims.uid == 7']\n\
             [[routes]]\nmatch = 'GET /b'\nrespond = {}\nauth = ['staff', 'anonymous']\n\
             [[routes]]\nmatch = 'GET /c'\nrespond = {}\nauth = 'staff'\nrequire = { claims = { subject = 'x' } }\n\
             [[routes]]\nmatch = 'GET /d'\nrespond = {}\nauth = ['staff', 'anonymous']\n";
        let summary = summary(&tables(text));
        let lines: Vec<&str> = summary.lines().collect();
        assert!(lines[0].starts_with("ok: 4 routes, 1 backend, hash "), "{summary}");
        let expected = [
            "auth users; rules args.id > 1, claims.uid == 7: 1 route",
            "auth staff, anonymous: 2 routes",
            "auth staff; require claim subject \"x\": 1 route",
        ];
        assert_eq!(lines[1..], expected);
        assert!(routes(&tables(text)).contains("auth users; rules args.id > 1, claims.uid == 7"));
        let open = "[[routes]]\nmatch = 'GET /a'\nrespond = {}\n";
        assert_eq!(super::summary(&tables(open)).lines().count(), 1, "nobody says it");
    }

    #[test]
    fn routes_are_listed_in_columns() {
        let tables = tables(
            "[backends.shop]\nendpoints = ['x:1']\n\
             [[routes]]\nmatch = 'GET /v1/calc/add'\ncall = 'calc.add'\n\
             [[routes]]\nmatch = 'GET /old'\nredirect = { to = '/v1/calc/add' }\n\
             max_in_flight = 8\nrate_limit = [{ rate = '5/s' }, { rate = '60/m', by = 'client' }]\n\
             [[routes]]\nmatch = 'DELETE /x'\ncall = 0x1234abcd\n",
        );
        let add = callgate_protocol::CallId::of("calc", "add");
        let expected = format!(
            "ROUTE                CALL                       CALL ID     BACKEND  STEPS\n\
             GET    /v1/calc/add  calc.add                   {add}  shop\n\
             GET    /old          redirect 308 /v1/calc/add  -           -        rate_limit route:5/s, client:60/m; max_in_flight 8\n\
             DELETE /x            0x1234abcd                 0x1234abcd  shop"
        );
        assert_eq!(routes(&tables), expected);
    }
}
