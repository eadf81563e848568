//! What one worker has found out about an endpoint and the others need not find out by themselves. Off the hot path: raised when a
//! connection is made or an instance recovers, read when one is awaited.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::sync::watch;

/// Good news of an endpoint, for all workers.
#[derive(Debug, Default)]
pub struct Signals {
    reached: watch::Sender<()>,
    recovered: AtomicU64,
}

impl Signals {
    /// A worker has a connection.
    pub(super) fn raise_reached(&self) {
        self.reached.send_replace(());
    }

    /// For one who waits for that.
    pub(super) fn watch_reached(&self) -> watch::Receiver<()> {
        self.reached.subscribe()
    }

    /// A worker has found it well after it had ejected it.
    pub(super) fn raise_recovered(&self) {
        self.recovered.fetch_add(1, Relaxed);
    }

    /// How often that was so.
    pub(super) fn recovered(&self) -> u64 {
        self.recovered.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_watches_hears_once_of_what_others_have_found_since() {
        let signals = Signals::default();
        signals.raise_reached();
        let mut watch = signals.watch_reached();
        assert_eq!(watch.has_changed().ok(), Some(false), "that was before");
        signals.raise_reached();
        assert_eq!(watch.has_changed().ok(), Some(true));
        watch.mark_unchanged();
        assert_eq!(watch.has_changed().ok(), Some(false));
        assert_eq!(signals.recovered(), 0);
        signals.raise_recovered();
        assert_eq!(signals.recovered(), 1);
    }
}
