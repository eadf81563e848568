//! `/readyz`: whether requests can be answered; with `?strict` also whether each backend has an instance that calls could go to.

use super::replies::{Reply, text};
use crate::backends::Member;
use crate::telemetry::Standing;
use crate::worker::Shared;
use hyper::StatusCode;

/// The page.
pub(super) fn readyz(query: Option<&str>, shared: &Shared) -> Reply {
    let is_strict = |word: &str| matches!(word, "strict" | "strict=1" | "strict=true");
    let strict = query.is_some_and(|query| query.split('&').any(is_strict));
    if !shared.is_ready() {
        return text(StatusCode::SERVICE_UNAVAILABLE, not_ready(shared));
    }
    let without = if strict { without_instance(shared) } else { Vec::new() };
    if without.is_empty() {
        return text(StatusCode::OK, "ready\n".to_owned());
    }
    text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: no instance of {}\n", without.join(", ")))
}

/// Why they cannot.
pub(super) fn not_ready(shared: &Shared) -> String {
    match shared.supervisor.failed() {
        Some(task) => {
            format!("not ready: the task `{}` panics again and again, the process ends\n", task.name())
        }
        None => "not ready\n".to_owned(),
    }
}

/// The backends of which no instance is there to be called: none is connected and ready, or all are drained.
fn without_instance(shared: &Shared) -> Vec<String> {
    let is_there = |member: &Member| {
        let endpoint = &member.endpoint;
        let connected = endpoint.stats.0.sum(|one| &one.connections) > 0;
        connected && !member.drains() && endpoint.stats.standing() != Standing::NotReady
    };
    let table = shared.table.load();
    let without = table.backends.iter().filter(|backend| !backend.members().iter().any(is_there));
    without.map(|backend| backend.spec.name.clone()).collect()
}
