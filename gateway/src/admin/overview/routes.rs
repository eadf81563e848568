//! Rows of routes: what each does, how often, how long it takes, and what does not fit.

use super::rows::{Key, durations, part};
use crate::admin::asked::Asked;
use crate::control::{Found, Plane, Unfit};
use crate::routes::{Action, Route};
use crate::telemetry::Distribution;
use serde_json::{Value, json};
use std::sync::Arc;

/// A route, and its place in the table.
type Row<'t> = (usize, &'t Arc<Route>);

/// Those that are asked for.
pub(in crate::admin) fn page(plane: &Plane, asked: &Asked) -> Result<Value, String> {
    let table = plane.shared.table.load();
    let found = plane.fits.found();
    let state: fn(&Route, &Found) -> bool = match asked.state.as_deref() {
        None => |_, _| true,
        Some("unfit") => |route, found| !unfit(route, found).is_empty(),
        Some("failing") => |route, _| failed(route) > 0.0,
        Some(other) => return Err(format!("routes do not stand so: `{other}`; there is unfit and failing")),
    };
    let is_meant = |route: &Route| {
        let backend = |name: &String| backends(route).iter().any(|own| own == name);
        asked.backend.as_ref().is_none_or(backend) && asked.finds(|| text(route)) && state(route, &found)
    };
    let rows: Vec<Row<'_>> = table.routes.iter().enumerate().filter(|(_, route)| is_meant(route)).collect();
    part(asked, "routes", table.routes.len(), rows, key, |row| self::row(row, &found))
}

/// What it is found by.
pub(in crate::admin) fn text(route: &Route) -> String {
    format!("{} {} {} {}", route.matcher, does(route), backends(route).join(" "), route.place)
}

/// What it does, in a word or two.
fn does(route: &Route) -> String {
    match &route.action {
        Action::Call(call) => call.spec.call.to_string(),
        Action::Local(reply) => reply.to_string(),
        Action::Rewrite(rewrite) => format!("rewrite {}", rewrite.target.path.as_str()),
        Action::Document(_) => "its OpenAPI document".to_owned(),
        Action::Tools(_) => "tools for agents".to_owned(),
    }
}

fn backends(route: &Route) -> Vec<String> {
    let mut names: Vec<String> = route
        .action
        .call()
        .into_iter()
        .flat_map(|call| call.backends())
        .map(|one| one.spec.name.clone())
        .collect();
    names.dedup();
    names
}

fn unfit(route: &Route, found: &Found) -> Vec<Unfit> {
    route.action.call().map(|call| found.of(call)).unwrap_or_default()
}

/// Answers that tell of a failure of ours or of an instance.
fn failed(route: &Route) -> f64 {
    route.stats.by_class()[3] as f64
}

fn key((at, route): &Row<'_>, by: &str) -> Option<Key> {
    let durations = || {
        let mut sum = Distribution::default();
        route.stats.durations(&mut sum);
        sum
    };
    Some(match by {
        "table" => Key::Number(*at as f64),
        "match" => Key::Text(route.matcher.name().to_owned()),
        "backend" => Key::Text(backends(route).join(" ")),
        "requests" => Key::Number(route.stats.by_class().iter().sum::<u64>() as f64),
        "refused" => Key::Number(route.stats.by_class()[2] as f64),
        "failed" => Key::Number(failed(route)),
        "mean" => {
            let sum = durations();
            Key::Number(sum.nanoseconds as f64 / sum.count.max(1) as f64)
        }
        _ => return None,
    })
}

fn row((at, route): Row<'_>, found: &Found) -> Value {
    let mut sum = Distribution::default();
    route.stats.durations(&mut sum);
    let unfit = unfit(route, found);
    json!({
        "at": at,
        "match": route.matcher.to_string(),
        "does": does(route),
        "backends": backends(route),
        "defined": route.place.to_string(),
        "answers": route.stats.by_class(),
        "durations": durations(&sum),
        "unfit": unfit.iter().map(|one| &*one.why).collect::<Vec<_>>(),
    })
}
