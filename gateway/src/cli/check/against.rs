//! `callgate check --against`: whether the tables fit a backend that lives. It is asked as a gateway asks it, by a handshake, so
//! that what it says is what a gateway would find at the first instance that it connects to.

use crate::cli::{Failure, listing::count};
use crate::config::{
    Address, BackendSpec, CallSpec, Caller, Discovered, DiscoveryName, EndpointAddr, Misfit, RoutePart,
    Tables,
};
use crate::transport::callgate::{Offer, Part, Security, ask, fits, meant};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long connecting and the handshake may take together.
const PATIENCE: Duration = Duration::from_secs(5);

/// Checks the routes and authenticators of the backends that have that endpoint, or of the one of that name.
pub(super) fn check(tables: &Tables, endpoint: &str, backend: Option<&str>) -> Result<String, Failure> {
    let addr: EndpointAddr =
        endpoint.strip_prefix("dns:").unwrap_or(endpoint).parse().map_err(Failure::NotAsked)?;
    let backends = chosen(tables, &addr, backend)?;
    let spec = tables.backends.iter().find(|spec| backends.first() == Some(&spec.name.as_str()));
    let security = spec.map(|spec| Security::new(&spec.name, &spec.security, None)).unwrap_or_default();
    let offer = ask(&addr, None, &security, PATIENCE);
    let offer = offer.map_err(|error| Failure::NotAsked(format!("{addr}: {error}")))?;
    let calls = tables.calls().filter(|(_, call)| goes_to(call, &backends, &offer));
    let calls: Vec<(Caller<'_>, &CallSpec)> = calls.collect();
    tables.diagnose(calls.iter().filter_map(|call| misfit(*call, &offer, &addr)).collect())?;
    let names = backends.join("`, `");
    let routes = calls.iter().filter(|(caller, _)| matches!(caller, Caller::Route(_))).count();
    let fit = match calls.len() - routes {
        0 => count(routes, "route"),
        others => format!("{} and {}", count(routes, "route"), count(others, "authenticator")),
    };
    let streamed: BTreeSet<String> = calls.iter().filter_map(|(_, call)| streamed(call, &offer)).collect();
    let streamed: String = streamed.iter().map(|one| format!("; {one}")).collect();
    Ok(format!("ok: {fit} of `{names}` fit {addr} ({}){streamed}", offer.identity))
}

/// That a route's method streams, and what.
fn streamed(call: &CallSpec, offer: &Offer) -> Option<String> {
    let what = match offer.find(&call.call)?.streams()? {
        "both" => "request and reply",
        one => one,
    };
    Some(format!("`{}` streams its {what}", call.call))
}

/// The backends whose routes are checked.
fn chosen<'t>(tables: &'t Tables, addr: &EndpointAddr, named: Option<&str>) -> Result<Vec<&'t str>, Failure> {
    let has = |backend: &&BackendSpec| match named {
        Some(name) => backend.name == name,
        None => backend.endpoints.iter().any(|endpoint| match &endpoint.addr {
            Address::At(own) => own == addr,
            Address::Discovered(Discovered { name: DiscoveryName::Host(name), port: named }) => {
                matches!(addr, EndpointAddr::Tcp { host, port } if host == name && Some(*port) == *named)
            }
            Address::Discovered(_) => false,
        }),
    };
    let found: Vec<&str> = tables.backends.iter().filter(has).map(|backend| backend.name.as_str()).collect();
    match (found.as_slice(), tables.backends.as_slice(), named) {
        ([], _, Some(name)) => Err(Failure::NotAsked(format!("no backend of the tables is called `{name}`"))),
        ([], [only], None) => Ok(vec![only.name.as_str()]),
        ([], [], None) => Err(Failure::NotAsked("the tables have no backend".to_owned())),
        ([], _, None) => Err(Failure::NotAsked(format!(
            "no backend of the tables has the endpoint {addr}; say which one it is for: --backend NAME"
        ))),
        _ => Ok(found),
    }
}

/// Whether calls of a route may go to that instance of one of those backends.
fn goes_to(call: &CallSpec, backends: &[&str], offer: &Offer) -> bool {
    call.places().iter().any(|(backend, version)| {
        let is_its = version.is_none() || offer.version(&call.call).is_none_or(|own| Some(own) == *version);
        backends.contains(backend) && is_its
    })
}

fn misfit<'t>((of, spec): (Caller<'t>, &CallSpec), offer: &Offer, addr: &EndpointAddr) -> Option<Misfit<'t>> {
    let call = &spec.call;
    let Some(method) = offer.find(call) else {
        let (label, help) = match offer.why_unusable(call) {
            Some(why) => (format!("its schema at {addr} cannot be used: {why}"), None),
            None => (format!("no such method at {addr}"), meant(call, [offer])),
        };
        let title = format!("`{call}` is not offered");
        return Some(Misfit { of, part: RoutePart::Call, title, label, help });
    };
    let (part, error) = fits(spec, method).err()?;
    let (part, what) = match part {
        Part::Path => (RoutePart::Match, "the path"),
        Part::Body => (RoutePart::Body, "`body`"),
        Part::Bound(at) => (RoutePart::Bound(at), "`bind`"),
        Part::Response => (RoutePart::Response, "`response`"),
        Part::Picked(at) => (RoutePart::Picked(at), "`response`"),
        Part::Error(at) => (RoutePart::Error(at), "`errors`"),
        Part::Rule(at, start, end) => (RoutePart::Rule(at, start, end), "`rules`"),
        Part::Mode => (RoutePart::Mode, "`mode`"),
        Part::Method => (RoutePart::Call, "the schema of the method"),
    };
    let title = match (of, part) {
        (Caller::Authenticator(_), RoutePart::Response | RoutePart::Picked(_)) => {
            format!("the result of `{call}` does not tell {of} who calls")
        }
        _ => format!("{what} of {of} does not fit `{call}`"),
    };
    Some(Misfit { of, part, title, label: error, help: None })
}
