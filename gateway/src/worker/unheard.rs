//! Calls of a worker whose reply nobody hears, counted while they are under way: so there are not more than there may be, and whoever
//! ends the worker can wait for them.

use std::cell::Cell;
use std::rc::Rc;
use tokio::sync::Notify;

/// How many are under way.
#[derive(Default)]
pub struct Unheard {
    under_way: Cell<usize>,
    ended: Notify,
}

/// One that is under way, until it is dropped.
pub struct UnderWay(Rc<Unheard>);

impl Unheard {
    /// One more, unless there are so many.
    pub fn begin(self: &Rc<Unheard>, most: usize) -> Option<UnderWay> {
        let under_way = self.under_way.get();
        (under_way < most).then(|| {
            self.under_way.set(under_way + 1);
            UnderWay(self.clone())
        })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.under_way.get()
    }

    /// Waits until there is none.
    pub async fn all_ended(&self) {
        loop {
            let ended = self.ended.notified();
            if self.under_way.get() == 0 {
                return;
            }
            ended.await;
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.set(self.0.under_way.get() - 1);
        self.0.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    #[test]
    fn there_are_so_many_at_most_and_their_end_is_told() {
        let unheard = Rc::<Unheard>::default();
        let mut ended = pin!(unheard.all_ended());
        let mut cx = Context::from_waker(Waker::noop());
        let all: Vec<_> = std::iter::from_fn(|| unheard.begin(2)).collect();
        assert_eq!((all.len(), unheard.count()), (2, 2));
        assert!(ended.as_mut().poll(&mut cx).is_pending());
        drop(all);
        assert!(ended.as_mut().poll(&mut cx).is_ready());
        assert!(unheard.begin(1).is_some());
    }
}
