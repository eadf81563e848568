//! An authenticator in force.

use super::{Answer, Shown, bearer, jwt, mtls, unix};
use crate::config::{AuthFiles, AuthKind, AuthSpec};
use crate::failure::Challenge;
use crate::fields::Repeated;
use crate::followed::{Followed, News};
use crate::ids::next_id;
use crate::telemetry::AuthStats;
use arc_swap::ArcSwap;
use std::sync::Arc;

/// An authenticator.
#[derive(Debug)]
pub struct Authenticator {
    /// Which one this is: one that says other things is another.
    pub id: u64,
    /// What the files say.
    pub spec: Arc<AuthSpec>,
    /// What its files say, if it has any.
    files: Option<ArcSwap<Followed<AuthFiles>>>,
    /// What it counts, as long as there is one of its name.
    pub stats: Arc<AuthStats>,
}

impl Authenticator {
    fn new(spec: Arc<AuthSpec>, before: Option<&Authenticator>, workers: usize) -> Authenticator {
        let stats = before.map_or_else(|| Arc::new(AuthStats::new(workers)), |before| before.stats.clone());
        let files = spec.has_files().then(ArcSwap::default);
        let authenticator = Authenticator { id: next_id(), spec, files, stats };
        authenticator.refresh();
        authenticator
    }

    /// Reads its files again. Control alone does this.
    pub fn refresh(&self) {
        let (Some(files), authenticator) = (&self.files, &*self.spec.name) else { return };
        let before = files.load_full();
        let Some((next, news)) = before.again(|known| self.spec.load(known)) else { return };
        match news {
            News::First => {}
            News::Changed => tracing::info!(authenticator, "the files of an authenticator changed"),
            News::SoundAgain => tracing::info!(
                authenticator,
                "the files of an authenticator are sound again, and as they were"
            ),
            News::Problem(problem) => {
                let then = match before.in_force() {
                    Some(_) => "what was in force stays so",
                    None => "it knows nobody",
                };
                tracing::error!(
                    authenticator,
                    error = &*problem,
                    "the files of an authenticator cannot be used; {then}"
                );
            }
        }
        files.store(Arc::new(next));
    }

    /// Whether it has what it goes by.
    pub fn is_in_force(&self) -> bool {
        self.files.as_ref().is_none_or(|files| files.load().in_force().is_some())
    }

    /// What is wrong with its files as they are now.
    pub fn problem(&self) -> Option<Arc<str>> {
        self.files.as_ref()?.load().problem().cloned()
    }

    /// Who calls, as far as it can tell. What is said twice is refused.
    pub(crate) fn ask(&self, worker: usize, shown: &Shown<'_>) -> Result<Answer, Repeated<'_>> {
        let answer = match &self.spec.kind {
            AuthKind::Mtls(spec) => mtls::ask(self.id, spec, &shown.peer),
            AuthKind::Unix(spec) => unix::ask(self.id, spec, &shown.peer),
            AuthKind::Jwt(spec) => match (bearer(shown.fields)?, &self.files) {
                (None, _) | (_, None) => Answer::Nothing,
                (Some(token), Some(files)) => jwt::ask(self.id, spec, &files.load(), token, shown.verified),
            },
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
            AuthKind::Jwt(_) => Challenge::Bearer,
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
