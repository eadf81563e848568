//! `POST /-/drain` and `POST /-/undrain`: an operator drains one endpoint, or no longer, in one backend or in all that list it.

use crate::backends::{Backend, Member};
use crate::config::{EndpointAddr, names_help};
use crate::routes::{Table, query_pairs};
use crate::worker::Shared;
use serde_json::{Value, json};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::timeout;

/// How long the workers may take to obey. They need a turn of their loops, a fraction of a millisecond.
const HEED_LIMIT: Duration = Duration::from_secs(5);

const PARAMETERS: [&str; 2] = ["endpoint", "backend"];

/// Why nothing was done, or not all: text for the operator.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The query cannot be read.
    BadRequest(String),
    /// There is no such endpoint.
    NotFound(String),
    /// Some worker has not taken it up in time.
    NotHeeded(String),
}

/// What the query asks for.
#[derive(Debug)]
struct Wanted {
    addr: EndpointAddr,
    /// All backends without.
    backend: Option<String>,
}

/// Has the endpoint drained, or takes that back, and waits until every worker obeys; how things stand then.
pub(super) async fn change(query: &str, shared: &Shared, drain: bool) -> Result<Value, Refusal> {
    let wanted = wanted(query)?;
    for (backend, Member { endpoint, .. }) in find(&shared.table.load(), &wanted)? {
        let before = endpoint.drained_by_admin.swap(drain, Relaxed);
        if before != drain {
            tracing::info!(backend = backend.spec.name, endpoint = %endpoint.addr, drain, "an operator drain has changed");
        }
    }
    if timeout(HEED_LIMIT, shared.drains.tell()).await.is_err() {
        return Err(Refusal::NotHeeded(format!("not every worker has obeyed within {HEED_LIMIT:?}\n")));
    }
    let table = shared.table.load();
    let endpoints: Vec<Value> =
        find(&table, &wanted)?.iter().map(|(backend, member)| state(backend, member)).collect();
    Ok(json!({ "endpoints": endpoints }))
}

fn state(backend: &Backend, member: &Member) -> Value {
    let (endpoint, stats) = (&member.endpoint, &member.endpoint.stats.0);
    json!({
        "backend": backend.spec.name,
        "address": endpoint.addr.to_string(),
        "draining": member.drains(),
        "drained_by": member.drained_by(),
        "calls_in_flight": stats.sum(|one| &one.in_flight),
        "connections": stats.sum(|one| &one.connections),
    })
}

fn wanted(query: &str) -> Result<Wanted, Refusal> {
    let refuse = |why: String| Err(Refusal::BadRequest(format!("{why}\n")));
    let Ok(pairs) = query_pairs(query) else {
        return refuse("the query is not UTF-8 after percent-decoding".to_owned());
    };
    let [mut endpoint, mut backend] = [None, None];
    for (name, value) in pairs {
        let place = match &*name {
            "endpoint" => &mut endpoint,
            "backend" => &mut backend,
            _ => return refuse(with_help(format!("unknown parameter `{name}`"), &name, PARAMETERS)),
        };
        if place.replace(value.into_owned()).is_some() {
            return refuse(format!("`{name}` is given twice"));
        }
    }
    let Some(endpoint) = endpoint else {
        return refuse(
            "which endpoint? write ?endpoint=host:port, and &backend=name for one backend only".to_owned(),
        );
    };
    match endpoint.parse() {
        Ok(addr) => Ok(Wanted { addr, backend }),
        Err(why) => refuse(why),
    }
}

/// The endpoint in every backend that is meant; at least one.
fn find<'t>(table: &'t Table, wanted: &Wanted) -> Result<Vec<(&'t Backend, Member)>, Refusal> {
    let refuse = |why: String| Err(Refusal::NotFound(format!("{why}\n")));
    let all = || table.backends.iter().map(|backend| &**backend);
    let meant = |backend: &Backend| wanted.backend.as_ref().is_none_or(|name| *name == backend.spec.name);
    let names = || all().map(|backend| backend.spec.name.as_str());
    if let Some(name) = &wanted.backend
        && !all().any(meant)
    {
        return refuse(with_help(format!("there is no backend `{name}`"), name, names()));
    }
    let backends = || all().filter(|backend| meant(backend));
    let its = |backend: &Backend| {
        let members = backend.members();
        members.iter().find(|member| member.endpoint.addr == wanted.addr).cloned()
    };
    let found: Vec<_> = backends().filter_map(|backend| Some((backend, its(backend)?))).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let addr = wanted.addr.to_string();
    let addresses = |backend: &Backend| {
        backend.members().iter().map(|member| member.endpoint.addr.to_string()).collect::<Vec<_>>()
    };
    let known: Vec<String> = backends().flat_map(addresses).collect();
    let whose = match &wanted.backend {
        Some(name) => format!("backend `{name}` has no endpoint `{addr}`"),
        None => format!("no backend has the endpoint `{addr}`"),
    };
    refuse(with_help(whose, &addr, known.iter().map(String::as_str)))
}

fn with_help<'n>(title: String, wrong: &str, right: impl IntoIterator<Item = &'n str>) -> String {
    match names_help(wrong, right) {
        Some(help) => format!("{title}; {help}"),
        None => title,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Source, Tables};
    use crate::discovery::Lists;

    const TABLES: &str = r#"
        [backends.shop]
        endpoints = ["127.0.0.1:7101", "127.0.0.1:7102", "unix:/run/a b.sock"]
        [backends.stock]
        endpoints = ["127.0.0.1:7101", "[::1]:7101"]
    "#;

    /// The backends in which the query finds its endpoint, or what is said against it.
    fn found(query: &str) -> String {
        let tables = Tables::parse(vec![Source::new("t.toml", TABLES)]).expect("sound tables");
        let table = Table::next(&Table::empty(), tables, &Lists::default(), 1);
        match wanted(query).and_then(|wanted| {
            Ok(find(&table, &wanted)?
                .iter()
                .map(|(backend, ..)| backend.spec.name.clone())
                .collect::<Vec<_>>())
        }) {
            Ok(names) => names.join(" "),
            Err(Refusal::BadRequest(why)) => format!("400 {why}"),
            Err(Refusal::NotFound(why)) => format!("404 {why}"),
            Err(Refusal::NotHeeded(why)) => format!("503 {why}"),
        }
    }

    #[test]
    fn an_endpoint_is_found_in_every_backend_that_lists_it_or_in_the_one_named() {
        for (query, expected) in [
            ("endpoint=127.0.0.1:7101", "shop stock"),
            ("endpoint=127.0.0.1%3A7101&backend=stock", "stock"),
            ("endpoint=[0:0::1]:7101", "stock"),
            ("endpoint=unix:/run/a+b.sock", "shop"),
        ] {
            assert_eq!(found(query), expected, "{query}");
        }
    }

    #[test]
    fn what_is_not_found_comes_with_the_nearest_name() {
        for (query, expected) in [
            (
                "endpoint=127.0.0.1:7103",
                "404 no backend has the endpoint `127.0.0.1:7103`; did you mean `127.0.0.1:7101`?\n",
            ),
            (
                "endpoint=127.0.0.1:7102&backend=stock",
                "404 backend `stock` has no endpoint `127.0.0.1:7102`; did you mean `127.0.0.1:7101`?\n",
            ),
            (
                "endpoint=127.0.0.1:7101&backend=shpo",
                "404 there is no backend `shpo`; did you mean `shop`?\n",
            ),
            (
                "endpoint=elsewhere:1&backend=stock",
                "404 backend `stock` has no endpoint `elsewhere:1`; there is `127.0.0.1:7101` and `[::1]:7101`\n",
            ),
        ] {
            assert_eq!(found(query), expected, "{query}");
        }
    }

    #[test]
    fn a_query_that_asks_for_nothing_says_what_to_write() {
        for (query, expected) in [
            ("", "which endpoint? write ?endpoint=host:port"),
            ("backend=shop", "which endpoint?"),
            ("endpont=127.0.0.1:7101", "unknown parameter `endpont`; did you mean `endpoint`?"),
            ("endpoint=127.0.0.1:7101&endpoint=127.0.0.1:7102", "`endpoint` is given twice"),
            (
                "endpoint=127.0.0.1",
                "`127.0.0.1` is not an endpoint: expected `host:port` or `unix:/path`; the port is missing",
            ),
            ("endpoint=%ff", "the query is not UTF-8"),
        ] {
            let told = found(query);
            assert!(told.starts_with("400 ") && told.contains(expected), "{query}: {told}");
        }
    }
}
