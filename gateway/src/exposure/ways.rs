//! The ways in that tables and settings make: for each method what its routes ask, and what the listeners ask.

use super::{Need, Needs};
use crate::clients::Trusted;
use crate::config::{
    AuthKind, AuthSpec, ClientList, ListenAddress, ListenerSettings, RouteAuth, RoutePolicy, RouteSpec,
    Tables,
};
use callgate_transcode::{BoundField, FieldSource};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Keys of an authenticator of which fewer values let fewer callers in. All come where there is none, but for `audience`.
const FEWER: [&str; 5] = ["issuer", "audience", "algorithms", "allow", "users"];
/// Keys of which more values do.
const MORE: &str = "required";
/// What lets fewer in by being there.
const THERE: &str = "revoked";
/// What lets somebody in for longer than he may come, by so many seconds.
const CACHE: &str = "cache";
/// Where keys are, of which not everything says who comes.
const KEYS: &str = "jwks";
/// What says nothing of who comes.
const NOTHING: [&str; 2] = ["max_token", "timeout"];

/// The ways in.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ways {
    /// What each listener asks, by its id.
    pub(super) listeners: BTreeMap<String, Needs>,
    /// What the ways to each method ask, by backend and method.
    pub(super) methods: BTreeMap<String, Vec<Needs>>,
}

impl Ways {
    /// What is asked of who somebody is.
    pub const AUTH: &'static str = "auth";

    /// Those of tables behind listeners.
    pub fn of(tables: &Tables, listeners: &[ListenerSettings]) -> Ways {
        let mut ways = Ways::default();
        for route in &tables.routes {
            let asks = asked(route);
            for method in methods(route) {
                ways.methods.entry(method).or_default().push(asks.clone());
            }
        }
        for all in ways.methods.values_mut() {
            all.sort();
            all.dedup();
        }
        ways.listeners = listeners.iter().map(|one| (one.id.clone(), asked_at(one))).collect();
        ways
    }
}

/// The methods that a route leads to, each as `backend service.method`.
pub fn methods(route: &RouteSpec) -> BTreeSet<String> {
    let Some(call) = route.action.call() else { return BTreeSet::new() };
    call.places().into_iter().map(|(backend, _)| format!("{backend} {}", call.call)).collect()
}

/// What a route asks.
pub fn asked(route: &RouteSpec) -> Needs {
    let RoutePolicy { clients, client_certificate, auth, require, .. } = &*route.policy;
    let mut needs = Needs::default();
    if !clients.lists().is_empty() {
        needs = needs.with("clients", Need::Each(clients.lists().iter().map(networks).collect()));
    }
    if *client_certificate {
        needs = needs.with("client certificate", Need::Is("required".to_owned()));
    }
    if let Some(who) = who(auth) {
        needs = needs.with(Ways::AUTH, who);
    }
    let scopes: BTreeSet<String> =
        require.lists().iter().flat_map(|list| &list.scopes).map(|scope| scope.to_string()).collect();
    if !scopes.is_empty() {
        needs = needs.with("scopes", Need::AllOf(scopes));
    }
    let claims = require.lists().iter().flat_map(|list| &list.claims);
    let claims: Vec<Needs> = claims
        .map(|claim| {
            let values = claim.values.iter().map(Value::to_string);
            Needs::default().with(claim.path.join("."), Need::one_of(values))
        })
        .collect();
    if !claims.is_empty() {
        needs = needs.with("claims", Need::Each(claims));
    }
    let rules = route.action.call().into_iter().flat_map(|call| call.policy.rules.all());
    let rules: BTreeSet<String> = rules.map(|rule| rule.text().to_owned()).collect();
    if !rules.is_empty() {
        needs = needs.with("rules", Need::AllOf(rules));
    }
    let bound = route.action.call().map(|call| bound(&call.request.bound)).unwrap_or_default();
    if !bound.is_empty() {
        needs = needs.with("fields", Need::AllOf(bound));
    }
    needs
}

/// The fields that a caller has no say in.
fn bound(fields: &[BoundField]) -> BTreeSet<String> {
    let fixed = fields.iter().filter_map(|bound| match &bound.source {
        FieldSource::Claim(claim) => Some(format!("{} = claim {claim}", bound.field)),
        FieldSource::Value(value) => Some(format!("{} = {value:?}", bound.field)),
        FieldSource::Client => Some(format!("{} = client", bound.field)),
        _ => None,
    });
    fixed.collect()
}

/// Who may come; `None` if that is everybody.
fn who(auth: &RouteAuth) -> Option<Need> {
    if auth.admits_anonymous() {
        return None;
    }
    Some(Need::AnyOf(auth.specs().iter().map(|spec| authenticator(spec)).collect()))
}

/// What an authenticator asks. What it is called is nobody's matter.
fn authenticator(spec: &AuthSpec) -> Needs {
    let mut needs = Needs::default();
    let mut rest = Vec::new();
    for (key, value) in spec.said() {
        let texts = || match value {
            Value::Array(all) => all.iter().map(Value::to_string).collect::<BTreeSet<_>>(),
            one => BTreeSet::from([one.to_string()]),
        };
        match key.as_str() {
            key if FEWER.contains(&key) => needs = needs.with(key, Need::OneOf(texts())),
            MORE => needs = needs.with(MORE, Need::AllOf(texts())),
            THERE => needs = needs.with(THERE, Need::Is(value.to_string())),
            key if NOTHING.contains(&key) || key == CACHE => {}
            KEYS => rest.push(format!("{KEYS} {}", source(value))),
            key => rest.push(format!("{key} {value}")),
        }
    }
    // How long an answer is believed that may be true no more.
    if let Some(external) = spec.external() {
        let seconds = external.cache.map_or(0, |cache| cache.as_secs());
        needs = needs.with(CACHE, Need::AtMost(seconds));
    }
    // A token that says for whom it is, is none where nobody has said who that may be.
    if matches!(spec.kind, AuthKind::Jwt(_)) && needs.of("audience").is_none() {
        needs = needs.with("audience", Need::OneOf(BTreeSet::new()));
    }
    needs.with("by", Need::Is(rest.join(" ")))
}

/// Where keys are, however it is written. How often they are fetched says nothing of who comes.
fn source(value: &Value) -> Value {
    let Value::Object(said) = value else { return value.clone() };
    let mut said = said.clone();
    said.remove("refresh");
    match said.get("url") {
        Some(url) if said.len() == 1 => url.clone(),
        _ => Value::Object(said),
    }
}

fn networks(list: &ClientList) -> Needs {
    let mut needs = Needs::default();
    if let Some(allow) = list.allow() {
        needs = needs.with("from", Need::Within(allow.listed().iter().copied().collect()));
    }
    if let Some(deny) = list.deny() {
        needs = needs.with("not from", Need::Outside(deny.listed().iter().copied().collect()));
    }
    needs
}

/// What a listener asks.
fn asked_at(listener: &ListenerSettings) -> Needs {
    let reach = match &listener.address {
        ListenAddress::Unix(path) => vec![format!("socket {} {:o}", path.display(), listener.mode)],
        ListenAddress::Abstract(name) => vec![format!("abstract socket {name}")],
        ListenAddress::Tcp(address) if address.ip().is_loopback() => vec!["this machine".to_owned()],
        ListenAddress::Tcp(address) if address.ip().is_unspecified() => {
            vec!["this machine".to_owned(), "any network".to_owned()]
        }
        ListenAddress::Tcp(address) => {
            vec![format!("the network of {}", address.ip()), "any network".to_owned()]
        }
    };
    let mut needs = Needs::default().with("reached from", Need::one_of(reach));
    if let Some(list) = &listener.clients.list {
        needs = needs.with("clients", Need::Each(vec![networks(list)]));
    }
    if let Some(tls) = &listener.tls {
        needs = needs.with("TLS", Need::Is("spoken".to_owned()));
        if let Some(clients) = tls.clients.as_ref().filter(|clients| clients.required) {
            needs = needs.with("client certificate", Need::Is(format!("of {}", clients.ca.display())));
        }
    }
    let of = |trusted: Option<&Trusted>| trusted.cloned().unwrap_or_default();
    let forwarded = of(listener.clients.forwarded.as_ref().map(|forwarded| &forwarded.from));
    let proxies = of(listener.clients.proxy_protocol.as_ref().map(|proxy| &proxy.from));
    for (what, trusted) in
        [("word of proxies in headers", forwarded), ("word of proxies before requests", proxies)]
    {
        let networks = trusted.networks.listed().iter().copied().collect();
        needs = needs.with(what, Need::Within(networks));
        needs = needs.with(
            format!("{what}, at sockets"),
            Need::one_of(trusted.unix.then_some("of everybody").into_iter().collect::<Vec<_>>()),
        );
    }
    needs
}
