//! What is said of an operation in sentences: what no word of OpenAPI is for.

use super::shown::Shown;
use crate::config::{ActionSpec, CallMode, CallSpec, Require};
use std::time::Duration;

/// All that is to be said of a route behind its method's own words.
pub(super) fn notes(one: &Shown<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    if let ActionSpec::Call(spec) = one.action {
        call(spec, one, &mut notes);
    }
    let required: Vec<String> = one.policy.require.lists().iter().map(Require::to_string).collect();
    if !required.is_empty() {
        notes.push(format!("Callers need {}.", required.join(", ")));
    }
    let limits = one.policy.rate_limits.limits.iter().filter(|limit| !limit.spec.dry_run);
    let limits: Vec<String> =
        limits.map(|limit| format!("{} by {}", limit.spec.rate, limit.spec.by)).collect();
    if !limits.is_empty() {
        notes.push(format!("Limits: {}.", limits.join(", ")));
    }
    if one.policy.client_certificate {
        notes.push("The client must have shown a certificate.".to_owned());
    }
    notes
}

fn call(spec: &CallSpec, one: &Shown<'_>, notes: &mut Vec<String>) {
    if one.versions.is_empty() {
        notes.push(format!(
            "No instance that offers `{}` is known at the moment, so what it takes and gives is left open.",
            spec.call
        ));
    }
    let streams = one.versions.iter().any(|version| version.streams.service) || spec.websocket.is_some();
    if spec.mode == CallMode::Notify {
        notes.push(
            "The reply is sent as soon as the call is on its way, and does not wait for the method."
                .to_owned(),
        );
    } else if streams {
        let most = duration(spec.stream.time);
        notes.push(format!(
            "The first item comes within {}; all of it takes {most} at most.",
            duration(spec.timeout)
        ));
    } else {
        notes.push(format!("Answered within {}.", duration(spec.timeout)));
    }
    let idempotent = spec.idempotent.unwrap_or_else(|| one.versions.iter().any(|version| version.idempotent));
    if idempotent && one.matcher.method.as_str() == "POST" {
        notes.push("It may be sent again: running it twice does what running it once does.".to_owned());
    }
    if one.versions.len() > 1 {
        let versions: Vec<String> =
            one.versions.iter().map(|version| format!("`{}`", version.version)).collect();
        notes.push(format!(
            "Instances of several versions answer: {}. What differs is marked.",
            versions.join(", ")
        ));
    }
}

/// A time as tables write it.
pub(super) fn duration(time: Duration) -> String {
    let millis = time.as_millis();
    match millis {
        0 => "0s".to_owned(),
        _ if millis.is_multiple_of(3_600_000) => format!("{}h", millis / 3_600_000),
        _ if millis.is_multiple_of(60_000) => format!("{}m", millis / 60_000),
        _ if millis.is_multiple_of(1000) => format!("{}s", millis / 1000),
        _ => format!("{millis}ms"),
    }
}
