//! An operator's word on which endpoints drain: kept with the endpoints, told to the workers, and awaited until all of them
//! have taken it up. From then on no new call goes to an endpoint that drains.

use tokio::sync::watch;

/// How workers are told that some endpoint's drain has changed, and say that they have taken it up.
#[derive(Debug)]
pub struct Drains {
    /// Rises with every word.
    words: watch::Sender<u64>,
    /// The last word that each worker has taken up.
    heeded: watch::Sender<Vec<u64>>,
}

impl Drains {
    /// No word yet.
    pub fn new(workers: usize) -> Drains {
        Drains { words: watch::Sender::new(0), heeded: watch::Sender::new(vec![0; workers]) }
    }

    /// Tells the workers; returns when all of them have taken up what the endpoints say now. Without a bound of its own.
    pub async fn tell(&self) {
        let mut heeded = self.heeded.subscribe();
        let mut word = 0;
        self.words.send_modify(|last| {
            *last += 1;
            word = *last;
        });
        // The sender is in `self`; it does not go away meanwhile.
        let _ = heeded.wait_for(|heeded| heeded.iter().all(|last| *last >= word)).await;
    }

    /// A worker's ear. The first word is there at once, so that none is missed that was said before.
    pub fn listen(&self) -> watch::Receiver<u64> {
        let mut words = self.words.subscribe();
        words.mark_changed();
        words
    }

    /// A worker has taken up that word.
    pub fn heeded(&self, worker: usize, word: u64) {
        self.heeded.send_modify(|heeded| heeded[worker] = word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    #[test]
    fn a_word_is_taken_up_when_every_worker_has_taken_it_up() {
        let drains = Drains::new(2);
        let mut ear = drains.listen();
        assert!(ear.has_changed().expect("the sender is there"), "what was said before");
        let mut telling = pin!(drains.tell());
        let mut poll = || telling.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(poll(), Poll::Pending);
        let word = *ear.borrow_and_update();
        drains.heeded(0, word);
        assert_eq!(poll(), Poll::Pending);
        drains.heeded(1, word - 1);
        assert_eq!(poll(), Poll::Pending, "that was the word before");
        drains.heeded(1, word);
        assert_eq!(poll(), Poll::Ready(()));
    }
}
