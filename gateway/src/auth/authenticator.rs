//! An authenticator in force.

use super::{Answer, Shown, mtls, unix};
use crate::config::{AuthKind, AuthSpec};
use crate::failure::Challenge;
use crate::fields::Repeated;
use crate::ids::next_id;
use crate::telemetry::AuthStats;
use std::sync::Arc;

/// An authenticator.
#[derive(Debug)]
pub struct Authenticator {
    /// Which one this is: one that says other things is another.
    pub id: u64,
    /// What the files say.
    pub spec: Arc<AuthSpec>,
    /// What it counts, as long as there is one of its name.
    pub stats: Arc<AuthStats>,
}

impl Authenticator {
    fn new(spec: Arc<AuthSpec>, before: Option<&Authenticator>, workers: usize) -> Authenticator {
        let stats = before.map_or_else(|| Arc::new(AuthStats::new(workers)), |before| before.stats.clone());
        Authenticator { id: next_id(), spec, stats }
    }

    /// Who calls, as far as it can tell. What is said twice is refused.
    pub(crate) fn ask(&self, worker: usize, shown: &Shown<'_>) -> Result<Answer, Repeated<'_>> {
        let answer = match &self.spec.kind {
            AuthKind::Mtls(spec) => mtls::ask(self.id, spec, &shown.peer),
            AuthKind::Unix(spec) => unix::ask(self.id, spec, &shown.peer),
        };
        let counters = self.stats.0.of(worker);
        match &answer {
            Answer::Nothing => {}
            Answer::Known(_) => counters.known.increment(),
            Answer::Bad(flaw) => counters.of(*flaw).increment(),
        }
        Ok(answer)
    }

    /// What tells a client how it could show who it is.
    pub fn challenge(&self) -> Challenge {
        match &self.spec.kind {
            AuthKind::Mtls(_) => Challenge::ClientCertificate,
            AuthKind::Unix(_) => Challenge::PeerUser,
        }
    }
}

/// All authenticators of a table, sorted by name.
#[derive(Clone, Debug, Default)]
pub struct Authenticators(Vec<Arc<Authenticator>>);

impl Authenticators {
    /// Those of the next table. One that says the same as before is the same.
    pub fn next(before: &Authenticators, specs: Vec<Arc<AuthSpec>>, workers: usize) -> Authenticators {
        let next = |spec: Arc<AuthSpec>| match before.find(&spec.name) {
            Some(old) if old.spec == spec => old.clone(),
            old => Arc::new(Authenticator::new(spec, old.map(Arc::as_ref), workers)),
        };
        Authenticators(specs.into_iter().map(next).collect())
    }

    /// The one of that name.
    pub fn find(&self, name: &str) -> Option<&Arc<Authenticator>> {
        let at = self.0.binary_search_by(|one| (*one.spec.name).cmp(name)).ok()?;
        Some(&self.0[at])
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Authenticator>> {
        self.0.iter()
    }
}
