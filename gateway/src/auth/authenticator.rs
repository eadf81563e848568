//! An authenticator in force.

use super::key_set::{KeySet, KeySets};
use super::verified::By;
use super::{Answer, Shown, api_key, basic, bearer, external, jwt, mtls, unix};
use crate::config::{AuthFiles, AuthKind, AuthSpec, LimitBy, Rate, RateLimitSpec};
use crate::failure::{Challenge, Flaw};
use crate::fields::Repeated;
use crate::followed::{Followed, News};
use crate::ids::next_id;
use crate::limit::Buckets;
use crate::telemetry::AuthStats;
use arc_swap::{ArcSwap, Guard};
use callgate_protocol::{MetadataBuf, identity};
use callgate_tls::rustls::ClientConfig;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::Instant;

/// An authenticator.
#[derive(Debug)]
pub struct Authenticator {
    /// Which one this is: one that says other things is another.
    pub id: u64,
    /// What the files say.
    pub spec: Arc<AuthSpec>,
    /// The entry that tells a method who says who calls.
    pub(crate) told: MetadataBuf,
    /// What its files say; nothing without files.
    files: ArcSwap<Followed<AuthFiles>>,
    /// The keys that are fetched for it, once it is known where those are kept.
    fetched: OnceLock<Arc<KeySet>>,
    /// How often each client may fail, where that costs much.
    pub(super) failures: Option<Arc<Buckets>>,
    /// What it counts, as long as there is one of its name.
    pub stats: Arc<AuthStats>,
}

impl Authenticator {
    fn new(spec: Arc<AuthSpec>, before: Option<&Authenticator>, workers: usize) -> Authenticator {
        let stats = before.map_or_else(|| Arc::new(AuthStats::new(workers)), |before| before.stats.clone());
        let files = ArcSwap::default();
        let kept = before.and_then(|before| before.failures.clone());
        let failures = matches!(spec.kind, AuthKind::Basic(_)).then(|| kept.unwrap_or_else(failures));
        let mut told = MetadataBuf::default();
        // A name of the table is never too long for it.
        told.push_known(identity::BY, spec.name.as_bytes());
        let fetched = OnceLock::new();
        let authenticator = Authenticator { id: next_id(), spec, told, files, fetched, failures, stats };
        authenticator.refresh();
        authenticator
    }

    /// Reads its files again. Control alone does this.
    pub fn refresh(&self) {
        if !self.spec.has_files() {
            return;
        }
        let authenticator = &*self.spec.name;
        let before = self.files.load_full();
        let Some((next, news)) = before.again(|known| self.spec.load(known)) else { return };
        // In force first and told then: after that nothing is decided by what was before.
        self.files.store(Arc::new(next));
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
    }

    /// Has it go by what is fetched, if its keys are. Of those that are fetched already, it goes on with these.
    pub fn attach(&self, sets: &KeySets) {
        if let Some(url) = self.spec.key_url() {
            self.fetched.get_or_init(|| sets.at(&url.target));
        }
    }

    /// The keys that are fetched for it.
    pub fn fetched(&self) -> Option<&KeySet> {
        self.fetched.get().map(Arc::as_ref)
    }

    /// Whether it has what is in its files.
    pub fn is_in_force(&self) -> bool {
        !self.spec.has_files() || self.files.load().in_force().is_some()
    }

    /// What is wrong with its files as they are now.
    pub fn problem(&self) -> Option<Arc<str>> {
        self.files.load().problem().cloned()
    }

    /// Who calls, as far as it can tell, which counts for that worker, if for any. What is said twice is refused.
    pub(crate) fn ask(&self, worker: Option<usize>, shown: &Shown<'_>) -> Result<Answer, Repeated<'_>> {
        let heard = shown.heard.iter().find(|(id, _)| *id == self.id);
        let answer = match heard {
            Some((_, verdict)) => verdict.clone().map_or_else(Answer::Bad, Answer::Known),
            None => self.look(shown)?,
        };
        let Some(worker) = worker else { return Ok(answer) };
        let counters = self.stats.0.of(worker);
        match &answer {
            Answer::Nothing | Answer::Later(_) => {}
            Answer::Known(_) => counters.known.increment(),
            Answer::Bad(flaw) => counters.of(*flaw).increment(),
        }
        Ok(answer)
    }

    /// What a request shows, of which nothing was verified yet.
    fn look(&self, shown: &Shown<'_>) -> Result<Answer, Repeated<'_>> {
        Ok(match &self.spec.kind {
            AuthKind::Mtls(spec) => mtls::ask(self.id, spec, &shown.peer),
            AuthKind::Unix(spec) => unix::ask(self.id, spec, &shown.peer),
            AuthKind::Jwt(spec) => match bearer::shown(shown.fields)? {
                Some(token) => {
                    let keys = (&**self.in_force(), self.fetched());
                    jwt::ask(self.id, spec, keys, token, shown.verified)?
                }
                None => Answer::Nothing,
            },
            AuthKind::ApiKey(spec) => api_key::ask(spec, &self.in_force(), shown.fields)?,
            AuthKind::Basic(_) => match self.in_force().in_force() {
                Some((_, files)) => basic::ask(By { id: self.id, files: *files }, shown)?,
                None => Answer::Bad(Flaw::Unavailable),
            },
            AuthKind::Rpc(spec) => external::ask(&spec.call.outside, shown.fields),
            AuthKind::Http(spec) => external::ask(&spec.told, shown.fields),
        })
    }

    /// What its files say; of one without files nothing.
    fn in_force(&self) -> Guard<Arc<Followed<AuthFiles>>> {
        self.files.load()
    }

    /// The same, as long as it is what tells it from others.
    pub(super) fn files_of(&self, hash: u64) -> Option<Arc<AuthFiles>> {
        let files = self.in_force();
        files.in_force().filter(|(_, now)| *now == hash).map(|(files, _)| files.clone())
    }

    /// How TLS is spoken with the service that it asks over HTTP, and what tells that from what its files say at another time. Nothing while
    /// they could not be read.
    pub(crate) fn tls(&self) -> Option<(Option<Arc<ClientConfig>>, u64)> {
        let files = self.in_force();
        let (files, hash) = files.in_force()?;
        let AuthFiles::Http(tls) = &**files else { return None };
        Some((tls.clone(), *hash))
    }

    /// What tells a client how it could show who it is.
    pub fn challenge(&self) -> Challenge {
        match &self.spec.kind {
            AuthKind::Mtls(_) => Challenge::ClientCertificate,
            AuthKind::Unix(_) => Challenge::PeerUser,
            AuthKind::Jwt(_) => Challenge::Bearer,
            AuthKind::ApiKey(spec) if spec.is_bearer() => Challenge::Bearer,
            AuthKind::ApiKey(_) => Challenge::ApiKey,
            AuthKind::Basic(_) => Challenge::Basic,
            AuthKind::Rpc(_) | AuthKind::Http(_) => Challenge::External,
        }
    }
}

/// A client may have ten wrong passwords at once, and then one every six seconds.
fn failures() -> Arc<Buckets> {
    let rate = Rate { tokens: 10, per: Duration::from_secs(60) };
    let spec = RateLimitSpec { rate, burst: 10, by: LimitBy::Client, dry_run: false, max_keys: 16_384 };
    Arc::new(Buckets::new(spec, Instant::now()))
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
