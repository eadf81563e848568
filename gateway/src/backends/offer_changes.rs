//! Which backends may offer something else than before: told by workers that connect and by whoever changes members, taken up by
//! whoever looks at what routes make of it.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

/// The names of such backends, each once.
#[derive(Debug, Default)]
pub struct OfferChanges {
    backends: Mutex<BTreeSet<String>>,
    /// There is one who listens.
    told: Notify,
}

impl OfferChanges {
    /// Instances of that backend are others, offer something else, or cannot be reached.
    pub fn note(&self, backend: &str) {
        // Whoever has panicked with the lock has left nothing half done.
        self.backends.lock().unwrap_or_else(PoisonError::into_inner).insert(backend.to_owned());
        self.told.notify_one();
    }

    /// The table has changed, and with it whatever it says of backends.
    pub fn wake(&self) {
        self.told.notify_one();
    }

    /// Waits until something has changed since this was last waited for. Cancel safe.
    pub async fn changed(&self) {
        self.told.notified().await;
    }

    /// The backends that were noted since this was last called.
    pub fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.backends.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{Duration, timeout};

    #[tokio::test(start_paused = true)]
    async fn a_backend_is_noted_once_and_whoever_looks_is_told() {
        let changes = OfferChanges::default();
        let is_told = async || timeout(Duration::from_secs(1), changes.changed()).await.is_ok();
        assert!(!is_told().await);
        ["b", "a", "b"].iter().for_each(|backend| changes.note(backend));
        assert!(is_told().await && !is_told().await);
        assert_eq!(changes.take(), ["a", "b"].map(str::to_owned).into());
        assert_eq!(changes.take(), BTreeSet::new());
        changes.wake();
        assert!(is_told().await);
        assert_eq!(changes.take(), BTreeSet::new(), "the table has changed, and no backend is noted");
    }
}
