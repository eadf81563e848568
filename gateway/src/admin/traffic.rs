//! What the admin port shows of where a route's calls go, and the scrape of it.

use crate::routes::{CallAction, FallbackTo, Route};
use crate::telemetry::TrafficScrape;
use serde_json::{Map, Value, json};

/// The targets of a route's split with what they count, if it has one.
pub(super) fn split(call: &CallAction) -> Value {
    let Some(traffic) = call.traffic.as_ref().filter(|_| !call.spec.policy.split.targets.is_empty()) else {
        return Value::Null;
    };
    let targets = traffic.targets.iter().map(|target| {
        let headers = target.headers.iter().map(|header| match &header.value {
            Some(value) => format!("{}: {value}", header.name),
            None => header.name.to_string(),
        });
        json!({
            "backend": target.to.backend.spec.name,
            "version": target.to.version,
            "weight": target.weight,
            "headers": headers.collect::<Vec<_>>(),
            "calls": counts(target.stats.by_reason()),
        })
    });
    targets.collect()
}

/// Where copies of a route's calls go, if they do.
pub(super) fn shadow(call: &CallAction) -> Value {
    let shadow = call.traffic.as_ref().and_then(|traffic| traffic.shadow.as_ref());
    shadow.map_or(Value::Null, |shadow| {
        json!({
            "backend": shadow.to.backend.spec.name,
            "version": shadow.to.version,
            "share_percent": shadow.share.percent(),
            "calls": counts(shadow.stats.outcomes()),
        })
    })
}

/// A route's fallback, if it has one.
pub(super) fn fallback(call: &CallAction) -> Value {
    let fallback = call.traffic.as_ref().and_then(|traffic| traffic.fallback.as_ref());
    fallback.map_or(Value::Null, |fallback| match &fallback.to {
        FallbackTo::Call(place) => json!({
            "backend": place.backend.spec.name,
            "version": place.version,
            "taken": fallback.stats.taken(),
        }),
        FallbackTo::Reply(reply) => json!({
            "respond": reply.page(),
            "taken": fallback.stats.taken(),
        }),
    })
}

fn counts(counts: impl Iterator<Item = (&'static str, u64)>) -> Map<String, Value> {
    counts.map(|(name, n)| (name.to_owned(), n.into())).collect()
}

/// What a scrape shows of a route, if its calls do not just go to its backend.
pub(super) fn scrape(route: &Route) -> Option<TrafficScrape<'_>> {
    let call = route.action.call()?;
    let traffic = call.traffic.as_ref()?;
    let targets = traffic.targets.iter().filter(|_| !call.spec.policy.split.is_plain());
    Some(TrafficScrape {
        route: route.matcher.name(),
        method: route.matcher.method.as_str(),
        targets: targets.map(|target| (target.to.to_string(), target.stats.as_ref())).collect(),
        shadow: traffic.shadow.as_ref().map(|shadow| (shadow.to.to_string(), shadow.stats.as_ref())),
        fallback: traffic
            .fallback
            .as_ref()
            .map(|fallback| (fallback.to.to_string(), fallback.stats.as_ref())),
    })
}
