//! What would become of the last requests by another table: each is looked up in both, by what was kept of it.
//!
//! No values were kept. So it is said what routes ask and do, and not whether a credential is good or a body fits.

use crate::failure::Failure;
use crate::front::route_of;
use crate::routes::{Route, Table};
use crate::steps::Steps;
use crate::worker::Kept;
use std::collections::BTreeMap;

/// What would become of some of them.
pub(super) struct Outcome {
    /// How many.
    pub(super) requests: usize,
    /// What, in words.
    pub(super) what: String,
    /// One of them: its method and path.
    pub(super) example: String,
    /// They are worse off.
    pub(super) breaks: bool,
}

/// Headers by which requests show who sends them.
const CREDENTIALS: [&str; 3] = ["authorization", "x-api-key", "cookie"];

/// What would change for those requests; most first.
pub(super) fn outcomes(before: &Table, next: &Table, requests: &[Vec<u8>]) -> Vec<Outcome> {
    let mut all: BTreeMap<(String, bool), (usize, String)> = BTreeMap::new();
    for kept in requests.iter().filter_map(|kept| Kept::read(kept)) {
        let request = kept.request();
        let found = |table| route_of(table, &request);
        for change in changes(&kept, (before, found(before)), (next, found(next))) {
            let (count, _) =
                all.entry(change).or_insert_with(|| (0, format!("{} {}", request.method(), request.path())));
            *count += 1;
        }
    }
    let outcome = |((what, breaks), (requests, example))| Outcome { requests, what, example, breaks };
    let mut all: Vec<Outcome> = all.into_iter().map(outcome).collect();
    all.sort_by_key(|outcome| std::cmp::Reverse(outcome.requests));
    all
}

/// Where a request has come to: a place in the table; nothing where it is sent elsewhere.
type Found = Result<Option<usize>, Failure>;

/// What changes for one, each with whether it is worse off.
fn changes(
    kept: &Kept<'_>,
    (before, was): (&Table, Found),
    (next, is): (&Table, Found),
) -> Vec<(String, bool)> {
    let refusal = |failure: &Failure| format!("{} {}", failure.status(), failure.reason().name());
    let (old, new) = match (was, is) {
        (Ok(was), Ok(is)) => (was, is),
        (Ok(_), Err(failure)) => return vec![(format!("would now be {}", refusal(&failure)), true)],
        (Err(failure), Ok(_)) => return vec![(format!("would no longer be {}", refusal(&failure)), false)],
        (Err(was), Err(is)) if was.reason() == is.reason() => return Vec::new(),
        (Err(was), Err(is)) => {
            return vec![(format!("would be {} instead of {}", refusal(&is), refusal(&was)), false)];
        }
    };
    let (Some(old), Some(new)) = (old, new) else {
        let what = if new.is_some() {
            "would no longer be redirected to the path"
        } else {
            "would be redirected to the path"
        };
        return if old == new { Vec::new() } else { vec![(format!("{what} but for its slash"), false)] };
    };
    let (old, new) = (&*before.routes[old], &*next.routes[new]);
    if old.id == new.id {
        return Vec::new();
    }
    let mut all = Vec::new();
    let (was, is) = (does(old), does(new));
    if was != is {
        all.push((format!("would go to {is} instead of {was}"), false));
    }
    all.extend(of_steps(kept, old, new));
    all
}

/// What a route does, in words.
fn does(route: &Route) -> String {
    match route.action.call() {
        Some(action) => format!("`{}` of {}", action.spec.call, action.spec.backend),
        None => format!("what `{}` does itself", route.matcher),
    }
}

/// What of the steps changes: the limits, who may call, from where.
fn of_steps(kept: &Kept<'_>, old: &Route, new: &Route) -> Vec<(String, bool)> {
    let steps = |route: &Route| Steps::shown(&route.policy);
    let (was, is) = (steps(old), steps(new));
    let has = |steps: &[String], kind: &str| steps.iter().any(|step| step.starts_with(kind));
    let mut all = Vec::new();
    for (kind, thing) in [
        ("rate_limit", "limit"),
        ("max_in_flight", "bound of requests in flight"),
        ("clients", "list of clients"),
    ] {
        match (has(&was, kind), has(&is, kind)) {
            (true, false) => all.push((format!("would lose their {thing}"), true)),
            (false, true) => all.push((format!("would get a {thing}"), false)),
            _ => {}
        }
    }
    let asks = |route: &Route| route.policy.auth.is_said() && !route.policy.auth.admits_anonymous();
    match (asks(old), asks(new)) {
        (true, false) => all.push(("would no longer be asked who sends them".to_owned(), true)),
        (false, true) if CREDENTIALS.iter().any(|name| kept.has_header(name)) => {
            all.push(("would be asked who sends them".to_owned(), false));
        }
        (false, true) => {
            all.push(("would be asked who sends them, and show nothing: 401 no_credentials".to_owned(), true))
        }
        _ => {}
    }
    all
}
