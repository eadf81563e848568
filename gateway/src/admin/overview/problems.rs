//! What is not as it should be: each in a sentence, why, and the part of the page that says more. Of what comes in great numbers, such as
//! instances, a backend has one sentence.

use super::instances::{is_well, why};
use crate::admin::ready::not_ready;
use crate::auth::KeySet;
use crate::backends::{Backend, Member};
use crate::certificates::Kind;
use crate::control::{self, Plane};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// The most that are told.
const MAX_PROBLEMS: usize = 50;

/// From how many days before its end on a certificate is a problem; as the log and the shipped alert have it.
const EXPIRES: u64 = 14;

const DAY: u64 = 24 * 3600;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Severity {
    /// Requests fail for it, or will soon.
    Error,
    /// Something is lacking, and the rest bears it.
    Warning,
}

struct Problem {
    severity: Severity,
    what: String,
    why: String,
    /// The part of the page.
    see: String,
}

/// The worst of them, and how many more there are.
pub(super) fn all(plane: &Plane) -> (Vec<Value>, usize) {
    let mut all = Vec::new();
    process(plane, &mut all);
    tables(plane, &mut all);
    plane.shared.table.load().backends.iter().for_each(|one| backend(one, &mut all));
    certificates(plane, &mut all);
    callers(plane, &mut all);
    names(plane, &mut all);
    all.sort_by_key(|problem| problem.severity);
    let left_out = all.len().saturating_sub(MAX_PROBLEMS);
    let shown = all.into_iter().take(MAX_PROBLEMS).map(|Problem { severity, what, why, see }| {
        let severity = if severity == Severity::Error { "error" } else { "warning" };
        json!({ "severity": severity, "what": what, "why": why, "see": see })
    });
    (shown.collect(), left_out)
}

fn put(
    all: &mut Vec<Problem>,
    severity: Severity,
    what: impl Into<String>,
    why: impl Into<String>,
    see: impl Into<String>,
) {
    all.push(Problem { severity, what: what.into(), why: why.into(), see: see.into() });
}

fn process(plane: &Plane, all: &mut Vec<Problem>) {
    let shared = &plane.shared;
    if !shared.is_ready() {
        put(all, Severity::Error, "The gateway is not ready", not_ready(shared).trim_end(), "overview");
    }
    let (open, most) = (shared.front.workers.sum(|one| &one.connections), shared.room.bound() as u64);
    if open * 10 >= most * 9 {
        let why = format!("{open} of at most {most} client connections are open");
        put(all, Severity::Warning, "Room for connections is short", why, "overview");
    }
}

fn tables(plane: &Plane, all: &mut Vec<Problem>) {
    if let Some(error) = plane.last_error.load_full() {
        let what = "The files of the tables have mistakes; what was in force stays so";
        put(all, Severity::Error, what, error.lines().next().unwrap_or_default(), "reloads");
    }
    if let Some(waiting) = plane.waiting.load_full() {
        put(all, Severity::Warning, "New tables wait", waiting.as_str(), "reloads");
    }
    let (table, found) = (plane.shared.table.load(), plane.fits.found());
    let count: usize = control::Kind::ALL.iter().map(|kind| found.count(*kind)).sum();
    if count > 0 {
        let first = table.calls().find_map(|(place, call)| {
            let unfit = found.of(call).into_iter().next()?;
            Some(format!("{}: {}", table.written_at(place), unfit.why))
        });
        let what = match count {
            1 => "A route does not fit what instances offer".to_owned(),
            _ => format!("{count} routes do not fit what instances offer"),
        };
        put(all, Severity::Error, what, first.unwrap_or_default(), "routes?state=unfit");
    }
}

fn backend(backend: &Backend, all: &mut Vec<Problem>) {
    let (name, members) = (&backend.spec.name, backend.members());
    let see = format!("instances?backend={name}");
    for problem in backend.security().problems() {
        put(
            all,
            Severity::Error,
            format!("Files of backend {name} are bad"),
            problem.to_string(),
            see.as_str(),
        );
    }
    let sick: Vec<&Member> = members.iter().filter(|member| !is_well(member)).collect();
    let told = |member: &&Member| {
        format!(
            "{} is {}: {}",
            member.endpoint.addr,
            super::instances::state(member),
            why(member).unwrap_or_default()
        )
    };
    let none = format!("Backend {name} has no instance that takes calls");
    if members.len() == 0 {
        put(all, Severity::Error, none, "its names list none", see);
    } else if members.iter().all(Member::drains) {
        put(all, Severity::Error, none, "all are drained", see);
    } else if let Some(first) = sick.first() {
        let takes_calls = |member: &Member| is_well(member) && !member.drains();
        let (severity, what) = match members.iter().any(takes_calls) {
            false => (Severity::Error, none),
            true if sick.len() == 1 => {
                (Severity::Warning, format!("An instance of backend {name} is not well"))
            }
            true => (
                Severity::Warning,
                format!("{} of {} instances of backend {name} are not well", sick.len(), members.len()),
            ),
        };
        put(all, severity, what, told(first), format!("{see}&state=unwell"));
    }
}

fn certificates(plane: &Plane, all: &mut Vec<Problem>) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    for dated in plane.shared.dated() {
        let what = match dated.kind {
            Kind::Certificate => format!("The certificate of {}", dated.name),
            Kind::OfBackend => format!("The certificate that backend {} is shown", dated.name),
            Kind::Revoked => format!("A list of revoked certificates of listener {}", dated.name),
        };
        if dated.until <= now {
            put(all, Severity::Error, format!("{what} has expired"), dated.file, "certificates");
        } else if dated.until - now < EXPIRES * DAY {
            let days = (dated.until - now) / DAY;
            put(all, Severity::Warning, format!("{what} expires in {days} days"), dated.file, "certificates");
        }
    }
    for entry in plane.shared.certificates.all().entries() {
        if let Some(error) = &entry.error {
            let name = entry.spec.names.first().map(ToString::to_string).unwrap_or_default();
            let what = format!("The files of the certificate of {name} are bad; the one in force stays so");
            put(
                all,
                Severity::Error,
                what,
                error.rendered.lines().next().unwrap_or_default(),
                "certificates",
            );
        }
    }
}

fn callers(plane: &Plane, all: &mut Vec<Problem>) {
    for one in plane.shared.table.load().authenticators.iter() {
        let of_files = one.problem().map(|problem| problem.to_string());
        let of_keys = one.fetched().and_then(KeySet::problem).map(|problem| problem.to_string());
        if let Some(why) = of_files.or(of_keys) {
            let knows = one.is_in_force() && one.fetched().is_none_or(KeySet::is_known);
            let severity = if knows { Severity::Warning } else { Severity::Error };
            put(all, severity, format!("Authenticator {} lacks something", one.spec.name), why, "overview");
        }
    }
}

fn names(plane: &Plane, all: &mut Vec<Problem>) {
    for name in plane.names.all() {
        if let Some(error) = name.shown().error {
            let what = format!("The name {} cannot be looked up", name.scrape().name);
            put(all, Severity::Warning, what, error, "backends");
        }
    }
}
