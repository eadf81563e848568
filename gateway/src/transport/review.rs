//! What a link raises when something about it has changed that a pick goes by: whether it takes calls, whether its instance wants
//! them, whether that answers. The instances of its backend are then reviewed.

use std::cell::Cell;
use std::rc::Rc;
use tokio::sync::Notify;

/// Whether an instance is to be reviewed; shared by all that concerns it.
#[derive(Debug, Default)]
pub struct ReviewRequest {
    raised: Cell<bool>,
    reviewer: Rc<Notify>,
}

impl ReviewRequest {
    /// One that tells this reviewer.
    pub fn new(reviewer: Rc<Notify>) -> ReviewRequest {
        ReviewRequest { raised: Cell::new(false), reviewer }
    }

    /// Asks for a review.
    pub fn raise(&self) {
        if !self.raised.replace(true) {
            self.reviewer.notify_one();
        }
    }

    /// Whether one was asked for.
    pub fn is_raised(&self) -> bool {
        self.raised.get()
    }

    /// It is being made.
    pub fn clear(&self) {
        self.raised.set(false);
    }
}
