//! What people are told once: not again for as long as it goes on.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What has not happened for so long is over. When it happens again, it is news.
const OVER_AFTER: Duration = Duration::from_secs(60);

/// Something that may happen again and again.
#[derive(Debug, Default)]
pub(crate) struct News(Mutex<Option<Instant>>);

impl News {
    /// It happens. Says whether people are to be told.
    pub(crate) fn is_new(&self) -> bool {
        let now = Instant::now();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.replace(now).is_none_or(|last| now.duration_since(last) >= OVER_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn what_goes_on_is_told_once_and_what_begins_anew_again() {
        let news = News::default();
        assert!(news.is_new());
        for _ in 0..10 {
            advance(OVER_AFTER / 2).await;
            assert!(!news.is_new());
        }
        advance(OVER_AFTER).await;
        assert!(news.is_new() && !news.is_new());
    }
}
