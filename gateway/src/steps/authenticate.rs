//! `auth`: who calls. The route's authenticators are asked in their order, and the first that knows the caller says who it is.
//!
//! What one of them takes for bad, another may know: two issuers both sign bearer tokens. Where none knows the caller, something bad
//! counts before nothing: who shows a bad credential is refused, even where others may come who show none.

use super::{Arrival, Making, Passed, Step};
use crate::auth::{Answer, Authenticator, Identified, Shown};
use crate::config::RoutePolicy;
use crate::dry_run::{DryRun, Verdict};
use crate::failure::{Challenge, Failure, Flaw, Unauthenticated};
use std::sync::Arc;

/// Who may call a route.
pub(super) struct Authenticate {
    authenticators: Box<[Arc<Authenticator>]>,
    admits_anonymous: bool,
    challenges: Arc<[Challenge]>,
}

impl Step for Authenticate {
    fn shown(policy: &RoutePolicy) -> Option<String> {
        policy.auth.is_said().then(|| format!("auth {}", policy.auth.shown().join(", ")))
    }

    fn next(policy: &RoutePolicy, _: Option<&Authenticate>, making: &mut Making<'_>) -> Option<Authenticate> {
        // Where everybody may come and nobody could say who he is, there is nothing to ask.
        if policy.auth.admits_anonymous() && policy.auth.specs().is_empty() {
            return None;
        }
        let named =
            policy.auth.specs().iter().filter_map(|spec| making.authenticators.find(&spec.name).cloned());
        let authenticators: Box<[_]> = named.collect();
        let mut challenges = Vec::new();
        for challenge in authenticators.iter().map(|one| one.challenge()) {
            if !challenges.contains(&challenge) {
                challenges.push(challenge);
            }
        }
        // Nobody fits who shows nothing where something is required.
        let admits_anonymous = policy.auth.admits_anonymous() && policy.require.lists().is_empty();
        Some(Authenticate { authenticators, admits_anonymous, challenges: challenges.into() })
    }

    fn check(&self, arrival: &Arrival<'_>, passed: &mut Passed) -> Result<(), Failure> {
        let mut bad: Option<(Arc<str>, Flaw)> = None;
        passed.identified = None;
        for authenticator in &self.authenticators {
            let (peer, fields, verified) = (arrival.peer, arrival.fields, arrival.verified);
            let shown = Shown { peer, fields, verified, heard: passed.heard() };
            let counts = passed.dry_run.is_none().then_some(arrival.worker);
            let answer = authenticator.ask(counts, &shown)?;
            if let Some(told) = &passed.dry_run {
                tell(told, authenticator, &answer);
            }
            match answer {
                Answer::Nothing => {}
                Answer::Known(identity) => {
                    let authenticator = authenticator.clone();
                    passed.identified = Some(Identified { authenticator, identity });
                    return Ok(());
                }
                Answer::Later(pending) => {
                    passed.verifying.get_or_insert_default().waits = Some((authenticator.clone(), pending));
                    return Ok(());
                }
                Answer::Bad(flaw) => {
                    if bad.as_ref().is_none_or(|(_, other)| flaw.outranks(*other)) {
                        bad = Some((authenticator.spec.name.clone(), flaw));
                    }
                }
            }
        }
        if bad.is_none() && self.admits_anonymous {
            return Ok(());
        }
        let challenges = self.challenges.clone();
        let told = passed.verifying.as_mut().and_then(|verifying| verifying.challenge.take());
        Err(Failure::Unauthenticated(Box::new(Unauthenticated { challenges, bad, told })))
    }
}

/// What an authenticator has said, in words.
fn tell(told: &DryRun, authenticator: &Authenticator, answer: &Answer) {
    let name = &*authenticator.spec.name;
    let (verdict, detail) = match answer {
        Answer::Nothing => (Verdict::Refused, "the request shows nothing that it looks at".to_owned()),
        Answer::Known(identity) => (Verdict::Passed, format!("knows the caller as `{}`", identity.name())),
        Answer::Bad(flaw) => (Verdict::Refused, format!("what the request shows is bad: {}", flaw.name())),
        Answer::Later(_) => (Verdict::NotAsked, "somebody would have to be asked who calls".to_owned()),
    };
    told.note("authenticator", verdict, format!("`{name}` ({}): {detail}", authenticator.spec.kind.name()));
}
