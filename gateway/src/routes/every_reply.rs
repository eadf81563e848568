//! What all replies of a route say, whatever they are (results, problems, redirects): which pages may read them, and what browsers are to
//! be careful with. It is made once, when the table is; a route that says nothing of the kind holds nothing.

use super::action::{Action, CallAction};
use crate::config::{Balance, CorsSpec, HashBy, LimitBy, Outside, RoutePolicy};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Headers that every call reads.
const OF_CALLS: [&str; 6] =
    ["content-type", "grpc-timeout", "traceparent", "tracestate", "x-request-id", "x-request-timeout"];

/// What all replies of a route say.
pub struct EveryReply {
    /// What pages of other origins may do, if they may do anything.
    pub cors: Option<Cors>,
    /// What browsers are to be careful with: names in lower case, and values.
    pub security: &'static [(&'static str, &'static str)],
}

/// What pages of other origins may do.
pub struct Cors {
    /// What the files say.
    pub spec: Arc<CorsSpec>,
    /// The headers that they may send, as a list.
    pub request_headers: String,
    /// Those of replies that they may read, as a list.
    pub expose: String,
}

impl EveryReply {
    /// That of a route with that policy and action; `None` if it says nothing.
    pub(super) fn of(policy: &RoutePolicy, action: &Action) -> Option<Box<EveryReply>> {
        let security = policy.security_headers.headers();
        let cors = policy.cors.spec().map(|spec| Cors {
            spec: spec.clone(),
            request_headers: match &spec.headers {
                Some(said) => said.join(", "),
                None => read_by(policy, action).into_iter().collect::<Vec<_>>().join(", "),
            },
            expose: spec.expose.join(", "),
        });
        (cors.is_some() || !security.is_empty()).then(|| Box::new(EveryReply { cors, security }))
    }
}

/// The headers of requests that a route reads.
fn read_by<'r>(policy: &'r RoutePolicy, action: &'r Action) -> BTreeSet<&'r str> {
    let mut names = BTreeSet::new();
    for limit in &policy.rate_limits.limits {
        match &limit.spec.by {
            LimitBy::Header(name) => drop(names.insert(name.as_str())),
            LimitBy::ApiKey => names.extend(["authorization", "x-api-key"]),
            LimitBy::Route | LimitBy::Client | LimitBy::Identity | LimitBy::Claim(_) => {}
        }
    }
    names.extend(policy.auth.specs().iter().flat_map(|spec| spec.kind.headers()));
    if let Some(call) = action.call() {
        of_call(call, &mut names);
    }
    names
}

fn of_call<'r>(call: &'r CallAction, names: &mut BTreeSet<&'r str>) {
    let spec = &call.spec;
    names.extend(OF_CALLS);
    names.extend(spec.policy.metadata.names().iter().map(|name| name.as_str()));
    names.extend(spec.outside.iter().filter_map(Outside::header));
    if spec.idempotency_key {
        names.insert("idempotency-key");
    }
    if spec.reply.as_ref().is_some_and(|reply| reply.etag.is_some()) {
        names.insert("if-none-match");
    }
    let chosen_by = spec.policy.split.targets.iter().flat_map(|target| &target.headers);
    names.extend(chosen_by.map(|header| header.name.as_str()));
    if let Some(HashBy::Header(name)) = &spec.policy.split.by {
        names.insert(name.as_str());
    }
    for backend in call.backends() {
        if let Balance::Hash(hash) = &backend.spec.balance
            && let HashBy::Header(name) = &hash.by
        {
            names.insert(name.as_str());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::next::tests::next;
    use super::super::table::Table;

    #[test]
    fn pages_may_send_what_the_route_reads_unless_it_is_said_otherwise() {
        const CORS: &str = "cors = { origins = ['*'] }\n[backends.b]\nendpoints = ['x:1']\nbalance = { hash = 'header:x-user' }\n\
                            [[routes]]\nmatch = 'PUT /a'\ncall = 's.m'\nMORE\n";
        let headers = |more: &str| {
            let table = next(&Table::empty(), &CORS.replace("MORE", more));
            let every = table.routes[0].every_reply.as_ref()?;
            Some(every.cors.as_ref()?.request_headers.clone())
        };
        let with = |more: &[&str]| {
            let mut all = [&super::OF_CALLS, &["x-user"][..], more].concat();
            all.sort_unstable();
            Some(all.join(", "))
        };
        for (more, expected) in [
            ("", with(&[])),
            (
                "metadata = ['Authorization']\nidempotency_key = true",
                with(&["authorization", "idempotency-key"]),
            ),
            ("bind = { v = { header = 'if-match' }, c = { cookie = 'c' } }", with(&["if-match"])),
            (
                "etag = 'v'\nrate_limit = { rate = '1/s', by = 'header:X-Key' }",
                with(&["if-none-match", "x-key"]),
            ),
            ("rate_limit = { rate = '1/s', by = 'api_key' }", with(&["authorization", "x-api-key"])),
            ("split = [{ backend = 'b', weight = 1, header = 'x-canary' }]", with(&["x-canary"])),
            ("cors = { origins = ['*'], headers = ['X-A', 'x-b'] }", Some("x-a, x-b".to_owned())),
            ("cors = false", None),
        ] {
            assert_eq!(headers(more), expected, "{more}");
        }
        let table = next(&Table::empty(), super::super::next::tests::TWO_BACKENDS);
        assert!(table.routes.iter().all(|route| route.every_reply.is_none()), "a route that says nothing");
    }
}
