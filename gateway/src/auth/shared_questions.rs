//! Questions that are being asked, by what they are: where answers may be kept, equal questions that come at once are asked once, and all
//! who have asked hear the same. Without that, each caller whose answer has just become too old would have his service asked by all of
//! his requests. Each worker has its own.

use super::Verdict;
use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use tokio::sync::watch;

/// An authenticator's id, and all that its service is told.
type Key = (u64, Box<[u8]>);

/// The questions that a worker's requests have asked, and that have no answer yet.
#[derive(Default)]
pub(super) struct SharedQuestions(RefCell<HashMap<Key, watch::Receiver<Option<Verdict>>>>);

/// Whether somebody asks the same already.
pub(super) enum Asked<'q> {
    /// Nobody does: whoever has this is to ask.
    First(First<'q>),
    /// Somebody does: this is where he says what he heard.
    Already(watch::Receiver<Option<Verdict>>),
}

/// Whoever asks. When he leaves without an answer, the next one asks.
pub(super) struct First<'q> {
    questions: &'q SharedQuestions,
    key: Key,
    answer: watch::Sender<Option<Verdict>>,
}

impl SharedQuestions {
    /// Asks that, or hears what another is told.
    pub(super) fn ask(&self, authenticator: u64, told: &[u8]) -> Asked<'_> {
        let key: Key = (authenticator, told.into());
        match self.0.borrow_mut().entry(key.clone()) {
            Entry::Occupied(asked) => Asked::Already(asked.get().clone()),
            Entry::Vacant(free) => {
                let (answer, hears) = watch::channel(None);
                free.insert(hears);
                Asked::First(First { questions: self, key, answer })
            }
        }
    }
}

impl First<'_> {
    /// Tells all who wait what the answer is.
    pub(super) fn tell(self, verdict: &Verdict) {
        self.answer.send_replace(Some(verdict.clone()));
    }
}

impl Drop for First<'_> {
    fn drop(&mut self) {
        self.questions.0.borrow_mut().remove(&self.key);
    }
}

/// What another is told; nothing where he has left before that.
pub(super) async fn hear(mut answer: watch::Receiver<Option<Verdict>>) -> Option<Verdict> {
    answer.wait_for(Option::is_some).await.ok()?.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Flaw;

    #[tokio::test]
    async fn equal_questions_are_one_and_others_are_not() {
        let questions = SharedQuestions::default();
        let Asked::First(first) = questions.ask(1, b"ada") else { panic!("nobody asks") };
        let Asked::Already(second) = questions.ask(1, b"ada") else { panic!("it is asked") };
        assert!(matches!(questions.ask(2, b"ada"), Asked::First(_)), "another authenticator's");
        assert!(matches!(questions.ask(1, b"bob"), Asked::First(_)), "about another");
        first.tell(&Err(Flaw::Unknown));
        assert_eq!(hear(second).await, Some(Err(Flaw::Unknown)));
        assert!(questions.0.borrow().is_empty());
    }

    #[tokio::test]
    async fn where_the_first_leaves_the_next_one_asks() {
        let questions = SharedQuestions::default();
        let Asked::First(first) = questions.ask(1, b"ada") else { panic!("nobody asks") };
        let Asked::Already(second) = questions.ask(1, b"ada") else { panic!("it is asked") };
        drop(first);
        assert_eq!(hear(second).await, None);
        assert!(matches!(questions.ask(1, b"ada"), Asked::First(_)));
    }
}
