//! Keys that are fetched from a URL. One task of control's fetches them and puts them here; workers read them, and say here when a token
//! names a key that nobody knows.
//!
//! What was fetched stays in force whatever comes later that is no good: the provider may be away, or say something else, for as long as
//! it likes. It stays through reloads, as long as some authenticator names the URL.

use crate::config::{HttpTarget, tell_skipped};
use crate::telemetry::{FetchOutcome, FetchStats};
use arc_swap::ArcSwapOption;
use callgate_auth::jwt::{Jwks, Keys};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};

/// The keys at one URL.
#[derive(Debug)]
pub struct KeySet {
    /// Where they are.
    pub target: HttpTarget,
    keys: ArcSwapOption<FetchedKeys>,
    /// What was wrong with the last answer, in one line.
    problem: ArcSwapOption<String>,
    /// When they were last told, in seconds since 1970; 0 before.
    told_at: AtomicU64,
    /// A token has named a key that is not among them, and they were not fetched since.
    wanted: AtomicBool,
    /// Told when that begins.
    is_wanted: Notify,
    /// Whether it was tried to fetch them.
    tried: watch::Sender<bool>,
    /// What is counted of it.
    pub stats: FetchStats,
}

/// Keys as they were fetched.
#[derive(Debug)]
pub(super) struct FetchedKeys {
    pub(super) keys: Keys,
    /// What tells them from others.
    pub(super) hash: u64,
}

/// What came of fetching once: a document, or what went wrong, for people.
pub type Fetched = Result<Vec<u8>, (FetchOutcome, String)>;

impl KeySet {
    fn new(target: HttpTarget) -> KeySet {
        KeySet {
            target,
            keys: ArcSwapOption::empty(),
            problem: ArcSwapOption::empty(),
            told_at: AtomicU64::new(0),
            wanted: AtomicBool::new(false),
            is_wanted: Notify::new(),
            tried: watch::Sender::new(false),
            stats: FetchStats::default(),
        }
    }

    /// The keys in force.
    pub(super) fn keys(&self) -> arc_swap::Guard<Option<Arc<FetchedKeys>>> {
        self.keys.load()
    }

    /// Whether there are keys.
    pub fn is_known(&self) -> bool {
        self.keys.load().is_some()
    }

    /// What was wrong with the last answer.
    pub fn problem(&self) -> Option<Arc<String>> {
        self.problem.load_full()
    }

    /// When they were last told, in seconds since 1970.
    pub fn told_at(&self) -> Option<u64> {
        Some(self.told_at.load(Relaxed)).filter(|at| *at > 0)
    }

    /// A token names a key that is not among them. Many who say so are one.
    pub(crate) fn want(&self) {
        if !self.wanted.load(Relaxed) && !self.wanted.swap(true, Relaxed) {
            self.is_wanted.notify_one();
        }
    }

    /// Waits until a token has named a key that is not among them. There is one who waits: the task that fetches them. Cancel safe.
    pub async fn wanted(&self) {
        while !self.wanted.load(Relaxed) {
            self.is_wanted.notified().await;
        }
    }

    /// Waits until it was tried to fetch them.
    pub async fn tried(&self) {
        // Fails only when the sender is gone, which is here.
        let _ = self.tried.subscribe().wait_for(|tried| *tried).await;
    }

    /// Takes in what came of fetching at that second, and tells people; whether it was keys. The task that fetches them alone does this.
    pub fn hear(&self, fetched: Fetched, now: u64) -> bool {
        let read = fetched.and_then(|document| {
            Keys::from_jwks(&document).map_err(|mistakes| {
                let first = mistakes.iter().next().map(|one| format!("{}: {}", one.title(), one.label()));
                let why = first.unwrap_or_default();
                (FetchOutcome::NoKeys, why.trim_end_matches(": ").to_owned())
            })
        });
        let outcome = read.as_ref().map_or_else(|(outcome, _)| *outcome, |_| FetchOutcome::Ok);
        match read {
            Ok(jwks) => self.take(jwks, now),
            Err((_, why)) => self.is_bad(why),
        }
        self.stats.fetched(outcome);
        // Whoever has wanted others meanwhile asks again, if they are still not there.
        self.wanted.store(false, Relaxed);
        self.tried.send_replace(true);
        outcome == FetchOutcome::Ok
    }

    fn take(&self, jwks: Jwks, now: u64) {
        let Jwks { keys, skipped } = jwks;
        let digest = keys.fingerprint();
        let mut hash = [0; 8];
        hash.copy_from_slice(&digest.as_bytes()[..8]);
        let (url, number, hash) = (&self.target.url, keys.len(), u64::from_le_bytes(hash));
        let before = self.keys.load_full();
        match &before {
            Some(before) if before.hash == hash => {}
            known => {
                tell_skipped(&url.to_string(), &skipped);
                let known = if known.is_some() { "other keys" } else { "keys" };
                self.keys.store(Some(Arc::new(FetchedKeys { keys, hash })));
                tracing::info!(%url, keys = number, "{known} were fetched");
            }
        }
        self.told_at.store(now, Relaxed);
        if self.problem.swap(None).is_some() {
            tracing::info!(%url, "keys can be fetched again");
        }
    }

    fn is_bad(&self, why: String) {
        let url = &self.target.url;
        let then = if self.is_known() { "those in force stay so" } else { "no token can be verified" };
        // The same mistake comes with every attempt; the log has it once.
        let why = Arc::new(why);
        let known = self.problem.swap(Some(why.clone()));
        if known.is_none_or(|before| before != why) {
            tracing::error!(%url, error = *why, "keys cannot be fetched; {then}");
        }
    }
}

/// The keys at all URLs that authenticators name.
#[derive(Debug, Default)]
pub struct KeySets(Mutex<HashMap<HttpTarget, Arc<KeySet>>>);

impl KeySets {
    /// Those at that URL. The first who asks for them makes them known.
    pub fn at(&self, target: &HttpTarget) -> Arc<KeySet> {
        let mut all = self.lock();
        if let Some(known) = all.get(target) {
            return known.clone();
        }
        let new = Arc::new(KeySet::new(target.clone()));
        all.insert(target.clone(), new.clone());
        new
    }

    /// Forgets all but these.
    pub fn keep(&self, named: impl Fn(&HttpTarget) -> bool) {
        self.lock().retain(|target, _| named(target));
    }

    /// Whoever has panicked with the lock has left nothing half done.
    fn lock(&self) -> MutexGuard<'_, HashMap<HttpTarget, Arc<KeySet>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HttpUrl;
    use crate::telemetry::log::testing::seen_when_told;

    const ONE: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"one","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

    fn set() -> KeySet {
        let url = HttpUrl::parse("https://id.example/keys").expect("a URL");
        KeySet::new(HttpTarget { url, ca: None })
    }

    #[test]
    fn what_the_log_says_of_fetched_keys_holds_by_then() {
        let set = Arc::new(set());
        let steps = [Err((FetchOutcome::Unreachable, "refused".to_owned())), Ok(ONE.into())];
        let seen = steps.map(|fetched| {
            let theirs = set.clone();
            let look = move || (theirs.is_known(), theirs.problem().is_some());
            seen_when_told(|| _ = set.hear(fetched, 1), look)
        });
        assert_eq!(seen, [vec![(false, true)], vec![(true, true), (true, false)]]);
    }

    #[test]
    fn what_is_no_good_leaves_the_keys_and_says_so() {
        let set = set();
        let away = || Err((FetchOutcome::Unreachable, "refused".to_owned()));
        assert!(!set.hear(away(), 1) && !set.is_known() && set.told_at().is_none());
        assert!(set.hear(Ok(ONE.into()), 2) && set.is_known());
        assert_eq!((set.problem(), set.told_at()), (None, Some(2)));
        let hash = set.keys().as_ref().expect("keys").hash;
        for (bad, problem) in [
            (away(), "refused"),
            (Ok(b"{}".to_vec()), "it has no list `keys`"),
            (Ok(b"<html>".to_vec()), "this is no JWKS"),
            (Ok(br#"{"keys":[]}"#.to_vec()), "no key"),
        ] {
            assert!(!set.hear(bad, 3), "{problem}");
            assert!(set.problem().expect("one").contains(problem), "{problem}: {:?}", set.problem());
            assert_eq!((set.keys().as_ref().expect("keys").hash, set.told_at()), (hash, Some(2)));
        }
        assert!(set.hear(Ok(ONE.replace("one", "two").into()), 4));
        assert_ne!(set.keys().as_ref().expect("keys").hash, hash);
        let counted = FetchOutcome::ALL.map(|outcome| set.stats.count(outcome));
        assert_eq!(counted, [2, 2, 0, 0, 0, 0, 3]);
    }

    #[test]
    fn sets_are_those_that_are_named() {
        let sets = KeySets::default();
        let (a, b) = ("https://a.example/", "https://b.example/");
        let [a, b] = [a, b].map(|url| HttpTarget { url: HttpUrl::parse(url).expect("a URL"), ca: None });
        let first = sets.at(&a);
        sets.at(&b);
        assert!(Arc::ptr_eq(&first, &sets.at(&a)));
        sets.keep(|target| *target == a);
        assert!(Arc::ptr_eq(&first, &sets.at(&a)) && sets.lock().len() == 1);
    }
}
