//! A call of a dry run: it is made as far as the moment in which it would be sent. Whether it is let in, which instances could take it,
//! and what each of them would say to its message is found by the questions that a [call on its way](super::road) asks; nothing is
//! taken, counted or sent.

use super::road::Road;
use super::{Guards, Json, Replied, Reply, Request};
use crate::backends::{LocalBackend, Pick, Seen};
use crate::config::CallRef;
use crate::dry_run::{DryRun, InstanceNote, Verdict};
use crate::failure::Failure;
use crate::transport::Unsent;
use crate::worker::Worker;
use std::rc::Rc;

/// What would become of a call.
///
/// # Errors
/// Why there would be no reply.
pub(super) fn run(worker: &Rc<Worker>, request: &Request<'_>, told: &DryRun) -> Result<Reply, Failure> {
    let Some(local) = worker.pool.backend(request.backend) else { return Err(Failure::NoInstance) };
    let shed = local.admission.would_shed(request.call.spec.policy.priority).map(Failure::Shed);
    let admitted = shed.as_ref().map_or(Ok(()), Err);
    told.note_result("admission", admitted, &format!("backend `{}`", local.name()));
    if let Some(failure) = shed {
        return Err(failure);
    }
    let mut road = Road::new(worker, request);
    road.backend = Some(local.clone());
    let (call, named) = (request.for_links(), request.call.spec.call.to_string());
    let mut said = Vec::new();
    for seen in local.look(&road.tried) {
        let answer = seen.link.as_ref().map(|link| link.would_call(&call));
        if let Some(Err(Unsent::NotOffered)) = answer {
            road.tried.lacking.push(seen.id);
        }
        said.push((seen, answer.transpose()));
    }
    // Some may be found to lack it only now.
    let reasons: Vec<Option<String>> = local.look(&road.tried).into_iter().map(|seen| seen.not).collect();
    let choices = local.choices(&road.tried);
    let mut verdicts = Verdicts::default();
    for ((seen, answer), not) in said.into_iter().zip(reasons) {
        let refusal = answer.err().and_then(|unsent| request.refused_by(unsent));
        let is_choice = choices.contains(&seen.id);
        told.note_instance(note(&local, &seen, request, not.filter(|_| !is_choice), refusal.as_ref()));
        if is_choice {
            verdicts.add(seen.address, refusal);
        }
    }
    if choices.is_empty() {
        return Err(nowhere(&road, &local, told, &named));
    }
    verdicts.end(&local, request, told)
}

/// What those say that may get the call.
#[derive(Default)]
struct Verdicts {
    takes: Vec<String>,
    refuses: Vec<String>,
    /// What the first of these says.
    refusal: Option<Failure>,
}

impl Verdicts {
    fn add(&mut self, address: String, refusal: Option<Failure>) {
        match refusal {
            None => self.takes.push(address),
            Some(refusal) => {
                self.refuses.push(address);
                self.refusal.get_or_insert(refusal);
            }
        }
    }

    fn end(self, local: &LocalBackend, request: &Request<'_>, told: &DryRun) -> Result<Reply, Failure> {
        let Verdicts { takes, refuses, refusal } = self;
        match refusal {
            Some(refusal) if takes.is_empty() => {
                told.note_result("message", Err(&refusal), "");
                return Err(refusal);
            }
            Some(refusal) => {
                let detail = format!("{} would take it, {} would not", takes.join(", "), refuses.join(", "));
                told.note("message", Verdict::Refused, detail);
                told.sends(to(local, request, &takes), Some(refusal));
            }
            None => {
                told.note("message", Verdict::Passed, "it fits the schema of each instance that may get it");
                told.sends(to(local, request, &takes), None);
            }
        }
        // Of a reply that nobody hears nothing is made.
        let replied = Replied::from(Json::Long(Vec::new()));
        Ok(Reply::Whole { replied, guards: Guards { permit: None } })
    }
}

fn to(local: &LocalBackend, request: &Request<'_>, takes: &[String]) -> String {
    let version = request.version.map(|version| format!("@{version}")).unwrap_or_default();
    format!("`{}` of {}{version}: {}", request.call.spec.call, local.name(), takes.join(", "))
}

/// Why there is no instance for it.
fn nowhere(road: &Road<'_>, local: &LocalBackend, told: &DryRun, named: &str) -> Failure {
    let hold = road.request.backend.spec.hold;
    let failure = match local.without_choice(&road.tried) {
        Pick::Busy => Failure::Busy,
        Pick::Ready(_) | Pick::Wait | Pick::None => road.lasting_absence().unwrap_or(Failure::NoInstance),
    };
    let waits = matches!(failure, Failure::NoInstance) && !hold.is_zero();
    let detail = match waits {
        true => format!(
            "no instance of `{}` takes `{named}`; the call would wait for one for {hold:?}",
            local.name()
        ),
        false => format!("no instance of `{}` takes `{named}`", local.name()),
    };
    told.note("instance", Verdict::Refused, detail);
    failure
}

fn note(
    local: &LocalBackend,
    seen: &Seen,
    request: &Request<'_>,
    not: Option<String>,
    refusal: Option<&Failure>,
) -> InstanceNote {
    let call: &CallRef = &request.call.spec.call;
    let version = seen.link.as_ref().and_then(|link| link.version(call)).map(str::to_owned);
    let misfit = refusal.map(|failure| {
        let places: Vec<String> = failure
            .violations()
            .iter()
            .map(|one| format!("{}: {}", if one.pointer.is_empty() { "/" } else { &one.pointer }, one.detail))
            .collect();
        let what = if places.is_empty() { failure.detail().into_owned() } else { places.join("; ") };
        format!("{} {}: {what}", failure.status(), failure.reason().name())
    });
    let (backend, endpoint) = (local.name().to_owned(), seen.address.clone());
    InstanceNote { backend, endpoint, version, not, misfit }
}
