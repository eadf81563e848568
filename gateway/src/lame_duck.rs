//! The time between the word to stop and the drain: the process goes on accepting, and says that it is about to go. Load
//! balancers need seconds until they notice, and requests that they send meanwhile would find nobody.

use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// Where a process is on its way to the drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Ahead,
    Now,
    Over,
}

/// The wait, and who may cut it short.
#[derive(Debug)]
pub struct LameDuck(watch::Sender<Stage>);

impl Default for LameDuck {
    fn default() -> LameDuck {
        LameDuck(watch::Sender::new(Stage::Ahead))
    }
}

impl LameDuck {
    /// Waits, for so long at most; not at all where it was cut short before.
    pub async fn wait(&self, time: Duration) {
        let begins = |stage: &mut Stage| {
            let begins = *stage == Stage::Ahead && !time.is_zero();
            *stage = if begins { Stage::Now } else { Stage::Over };
            begins
        };
        if self.0.send_if_modified(begins) {
            tracing::info!(?time, "lame duck: still accepting, not ready any more");
            let mut stage = self.0.subscribe();
            let _ = timeout(time, stage.wait_for(|stage| *stage == Stage::Over)).await;
            self.0.send_replace(Stage::Over);
        }
    }

    /// Ends the wait, or has it left out; `false` when it is over.
    pub fn cut_short(&self) -> bool {
        self.0.send_replace(Stage::Over) != Stage::Over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test(start_paused = true)]
    async fn the_wait_is_cut_short_once() {
        let lame_duck = LameDuck::default();
        let mut wait = pin!(lame_duck.wait(LONG));
        let mut poll = || wait.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(poll(), Poll::Pending);
        assert!(lame_duck.cut_short());
        assert_eq!(poll(), Poll::Ready(()));
        assert!(!lame_duck.cut_short());
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_by_itself_and_may_be_left_out() {
        let lame_duck = LameDuck::default();
        lame_duck.wait(LONG).await;
        assert!(!lame_duck.cut_short());
        let left_out = LameDuck::default();
        assert!(left_out.cut_short());
        let mut wait = pin!(left_out.wait(LONG));
        assert_eq!(wait.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(()));
        let none = LameDuck::default();
        none.wait(Duration::ZERO).await;
        assert!(!none.cut_short());
    }
}
