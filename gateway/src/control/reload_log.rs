//! The last reloads: when, why, what came of each, and what it changed in words. People look at it; nothing depends on it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Reloads that are kept.
const MAX_KEPT: usize = 20;

/// Changes of one that are told; a table may change all of ten thousand routes.
const MAX_CHANGES: usize = 100;

/// Bytes of what is said of one that was refused.
const MAX_ERROR: usize = 16 * 1024;

/// What came of a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// New tables are in force.
    Ok,
    /// The files say what they said before.
    Unchanged,
    /// The files have mistakes.
    Failed,
    /// They lose most of the routes, and wait.
    Waited,
}

impl Outcome {
    /// Its name, as `callgate_reloads_total` has it.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Unchanged => "unchanged",
            Outcome::Failed => "failed",
            Outcome::Waited => "waited",
        }
    }
}

/// A reload.
#[derive(Clone, Debug)]
pub struct PastReload {
    /// When it was done, in seconds since 1970; of several that were the same, the last.
    pub at: u64,
    /// Who asked for it.
    pub cause: &'static str,
    /// What came of it.
    pub outcome: Outcome,
    /// The tables in force after it.
    pub hash: String,
    /// Why the files were refused, or wait.
    pub why: Option<String>,
    /// What it changed.
    pub changes: Vec<String>,
    /// Changes that are not told.
    pub left_out: usize,
    /// How many there were one after the other that were the same.
    pub times: u64,
}

/// The last of them.
#[derive(Debug, Default)]
pub struct ReloadLog(Mutex<VecDeque<PastReload>>);

impl ReloadLog {
    /// Notes one that changed those things.
    pub(super) fn taken(&self, cause: &'static str, hash: &str, mut changes: Vec<String>) {
        let left_out = changes.len().saturating_sub(MAX_CHANGES);
        changes.truncate(MAX_CHANGES);
        let past = PastReload { changes, left_out, ..PastReload::now(cause, Outcome::Ok, hash) };
        self.with(|all| keep(all, past));
    }

    /// Notes one that changed nothing.
    pub(super) fn left(&self, cause: &'static str, outcome: Outcome, hash: &str, why: Option<&str>) {
        let why = why.map(|why| cut(why).to_owned());
        let past = PastReload { why, ..PastReload::now(cause, outcome, hash) };
        self.with(|all| match all.back_mut() {
            Some(last) if last.is_like(&past) => {
                last.times += 1;
                last.at = past.at;
            }
            _ => keep(all, past),
        });
    }

    /// All that are kept, the last one first.
    pub fn all(&self) -> Vec<PastReload> {
        self.with(|all| all.iter().rev().cloned().collect())
    }

    fn with<T>(&self, what: impl FnOnce(&mut VecDeque<PastReload>) -> T) -> T {
        // A reload is put there whole: whoever has panicked with the lock has left nothing half done.
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl PastReload {
    fn now(cause: &'static str, outcome: Outcome, hash: &str) -> PastReload {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let (hash, why, changes) = (hash.to_owned(), None, Vec::new());
        PastReload { at, cause, outcome, hash, why, changes, left_out: 0, times: 1 }
    }

    /// Whether it tells nothing that the other one does not.
    fn is_like(&self, other: &PastReload) -> bool {
        (self.cause, self.outcome, &self.why) == (other.cause, other.outcome, &other.why)
    }
}

fn keep(all: &mut VecDeque<PastReload>, past: PastReload) {
    if all.len() == MAX_KEPT {
        all.pop_front();
    }
    all.push_back(past);
}

/// The beginning of a text, cut between two characters.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_ERROR);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_kept_and_what_repeats_is_one() {
        let log = ReloadLog::default();
        log.taken("start", "1", vec!["x".to_owned(); MAX_CHANGES + 3]);
        let first = log.all().remove(0);
        assert_eq!((first.changes.len(), first.left_out, first.outcome), (MAX_CHANGES, 3, Outcome::Ok));
        for _ in 0..5 {
            log.left("admin", Outcome::Unchanged, "1", None);
        }
        log.left("admin", Outcome::Failed, "1", Some(&"\u{20ac}".repeat(MAX_ERROR)));
        log.left("admin", Outcome::Failed, "1", Some("another one"));
        let times: Vec<_> = log.all().iter().map(|one| (one.outcome.name(), one.times)).collect();
        assert_eq!(times, [("failed", 1), ("failed", 1), ("unchanged", 5), ("ok", 1)]);
        assert!(log.all()[1].why.as_ref().is_some_and(|why| why.len() <= MAX_ERROR));
        for n in 0..2 * MAX_KEPT {
            log.taken("admin", &n.to_string(), Vec::new());
        }
        assert_eq!((log.all().len(), log.all()[0].hash.as_str()), (MAX_KEPT, "39"));
    }
}
