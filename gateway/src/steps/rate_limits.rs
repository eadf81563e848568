//! `rate_limit`: what the keys of a request are, and what its reply says of the limits.
//!
//! The header fields are those of draft-ietf-httpapi-ratelimit-headers-11.

use super::{Arrival, Making, Passed, Step};
use crate::auth::{Identified, bearer};
use crate::config::{LimitBy, RateLimit, RoutePolicy};
use crate::dry_run::Verdict;
use crate::failure::Failure;
use crate::fields::{self, Repeated, X_API_KEY};
use crate::limit::{self, Key, Limits};
use callgate_http1::Fields;
use std::net::{IpAddr, Ipv4Addr};

const RATE_LIMIT: &str = "ratelimit";
const RATE_LIMIT_POLICY: &str = "ratelimit-policy";

impl Step for Limits {
    fn shown(policy: &RoutePolicy) -> Option<String> {
        shown(policy, |by| !by.needs_caller())
    }

    fn next(policy: &RoutePolicy, before: Option<&Limits>, making: &mut Making<'_>) -> Option<Limits> {
        next(policy, before, making, |by| !by.needs_caller())
    }

    fn check(&self, arrival: &Arrival<'_>, passed: &mut Passed) -> Result<(), Failure> {
        check(self, arrival, passed)
    }
}

/// What a person is told of those that go by such keys.
pub(super) fn shown(policy: &RoutePolicy, are: impl Fn(&LimitBy) -> bool) -> Option<String> {
    let limits = policy.rate_limits.limits.iter().filter(|limit| are(&limit.spec.by));
    let names: Vec<String> = limits.map(RateLimit::policy).collect();
    (!names.is_empty()).then(|| format!("rate_limit {}", names.join(", ")))
}

/// The limits of a route that go by such keys.
pub(super) fn next(
    policy: &RoutePolicy,
    before: Option<&Limits>,
    making: &mut Making<'_>,
    are: impl Fn(&LimitBy) -> bool,
) -> Option<Limits> {
    let Making { matcher, shared, workers, .. } = making;
    let limits = policy.rate_limits.limits.iter().filter(|limit| are(&limit.spec.by));
    let limits: Vec<RateLimit> = limits.cloned().collect();
    (!limits.is_empty()).then(|| Limits::next(&limits, matcher, before, shared, *workers))
}

/// Counts a request, or says that there is no token for it.
pub(super) fn check(limits: &Limits, arrival: &Arrival<'_>, passed: &mut Passed) -> Result<(), Failure> {
    if !passed.counts() {
        return Ok(());
    }
    let fields = arrival.fields;
    // Before the first of them takes a token. One that only counts refuses nobody.
    for limit in limits.iter().filter(|limit| !limit.limit.spec.dry_run) {
        text(&limit.limit.spec.by, fields)?;
    }
    // Those without an address are one client together.
    let client = arrival.client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let caller = passed.identified.as_ref();
    let key = |by: &LimitBy| key(by, client, fields, caller);
    let counts = passed.dry_run.is_none().then_some(arrival.worker);
    let verdict = limits.ask(counts, arrival.now, key);
    if let Some(told) = &passed.dry_run {
        told.note("limit", Verdict::Passed, format!("as it stands: {}", verdict.field));
    }
    let told = passed.told.get_or_insert_default();
    told.add(&verdict.field);
    told.would_refuse(verdict.would_refuse);
    let Some(refused) = verdict.refused else { return Ok(()) };
    told.policy = Some(refused.policies.to_owned());
    Err(Failure::RateLimited { policy: refused.policy.to_owned(), retry_after: refused.retry_after })
}

/// What a reply says of the limits that its request was counted in.
#[derive(Debug, Default)]
pub(super) struct RateFields {
    now: Option<String>,
    policy: Option<String>,
    /// What no reply says: the limits that only count and would have refused it. In a box: hardly any request has some.
    would_refuse: Option<Box<str>>,
}

impl RateFields {
    /// Adds what the limits of a route say, perhaps to what those of a rewrite have said before.
    fn add(&mut self, field: &str) {
        if field.is_empty() {
            return;
        }
        let now = self.now.get_or_insert_default();
        if !now.is_empty() {
            now.push_str(", ");
        }
        now.push_str(field);
    }

    /// These would have refused it as well.
    fn would_refuse(&mut self, limits: String) {
        if limits.is_empty() {
            return;
        }
        let all = match &self.would_refuse {
            Some(before) => format!("{before}, {limits}"),
            None => limits,
        };
        self.would_refuse = Some(all.into());
    }

    /// What the limits said that refuse, and which of those would have refused it that only count.
    pub(super) fn verdicts(&self) -> (Option<&str>, Option<&str>) {
        (self.now.as_deref(), self.would_refuse.as_deref())
    }

    /// Those that there are, with their names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let both = [(RATE_LIMIT, &self.now), (RATE_LIMIT_POLICY, &self.policy)];
        both.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }
}

/// Whose bucket it is. A request without the header, the key, the caller or the claim shares one with all others without; so does, with a
/// limit that only counts, one that has several.
fn key<'h>(by: &LimitBy, client: IpAddr, fields: Fields<'h>, caller: Option<&'h Identified>) -> Key<'h> {
    let text = text(by, fields).unwrap_or_default();
    match by {
        LimitBy::Route => Key::None,
        LimitBy::Client => limit::client(client),
        LimitBy::Header(_) | LimitBy::ApiKey => text.map_or(Key::None, Key::Text),
        LimitBy::Identity => caller
            .map_or(Key::None, |caller| Key::Caller(&caller.authenticator.spec.name, caller.identity.name())),
        LimitBy::Claim(name) => {
            caller.and_then(|caller| caller.claim_text(name)).map_or(Key::None, Key::Claim)
        }
    }
}

/// What a request says of whose bucket it is: the header's value or the API key. A request that says
/// several things would be counted for one of them and served for another.
fn text<'h, 'l>(by: &'l LimitBy, fields: Fields<'h>) -> Result<Option<&'h [u8]>, Repeated<'l>> {
    match by {
        LimitBy::Route | LimitBy::Client | LimitBy::Identity | LimitBy::Claim(_) => Ok(None),
        // What its values look like is for the table's author to know: they may have commas.
        LimitBy::Header(name) => fields::line(fields, name),
        LimitBy::ApiKey => match fields::single(fields, &X_API_KEY)? {
            Some(key) => Ok(Some(key)),
            None => bearer(fields),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::request;

    #[test]
    fn a_key_is_what_the_limit_counts_by() {
        let client: IpAddr = "192.0.2.1".parse().expect("an address");
        let tenant = LimitBy::Header("x-tenant".into());
        for (by, fields, expected) in [
            (&LimitBy::Route, &[("x-api-key", "k")][..], Key::None),
            (&LimitBy::Client, &[("x-forwarded-for", "198.51.100.1")], Key::Client(client)),
            (&tenant, &[("x-tenant", "a")], Key::Text(b"a")),
            (&tenant, &[("x-tenant", "")], Key::Text(b"")),
            (&tenant, &[], Key::None),
            (&LimitBy::ApiKey, &[("x-api-key", "k"), ("authorization", "Bearer t")], Key::Text(b"k")),
            (&LimitBy::ApiKey, &[("authorization", "bearer  t ")], Key::Text(b"t")),
            (&LimitBy::ApiKey, &[("authorization", "Basic dDp0")], Key::None),
            (&LimitBy::ApiKey, &[("authorization", "Bearer ")], Key::None),
            (&LimitBy::ApiKey, &[("authorization", "Bear")], Key::None),
            (&LimitBy::ApiKey, &[], Key::None),
            // As a limit counts them that refuses nobody.
            (&tenant, &[("x-tenant", "a"), ("x-tenant", "b")], Key::None),
        ] {
            assert_eq!(key(by, client, request(fields).fields(), None), expected, "{by} {fields:?}");
        }
    }

    #[test]
    fn a_request_with_several_keys_has_none_and_is_told_which_field() {
        let tenant = LimitBy::Header("x-tenant".into());
        for (by, fields, expected) in [
            (&tenant, &[("x-tenant", "a"), ("x-tenant", "b")][..], Err("x-tenant")),
            (&tenant, &[("x-tenant", "a"), ("x-tenant", "a")], Err("x-tenant")),
            (&tenant, &[("x-tenant", ""), ("x-tenant", "a")], Err("x-tenant")),
            (&tenant, &[("x-tenant", "CN=a,O=b")], Ok(Some("CN=a,O=b"))),
            (&LimitBy::ApiKey, &[("x-api-key", "a"), ("x-api-key", "b")], Err("X-Api-Key")),
            (&LimitBy::ApiKey, &[("x-api-key", "a, b")], Err("X-Api-Key")),
            (
                &LimitBy::ApiKey,
                &[("authorization", "Bearer a"), ("authorization", "Bearer b")],
                Err("Authorization"),
            ),
            (&LimitBy::Client, &[("x-tenant", "a"), ("x-tenant", "b")], Ok(None)),
        ] {
            let expected = expected.map(|text| text.map(str::as_bytes)).map_err(Repeated);
            assert_eq!(text(by, request(fields).fields()), expected, "{by} {fields:?}");
        }
    }
}
