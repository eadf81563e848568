//! What a handler may know of the call that it serves: deadline, metadata, and whether anybody still waits.

use callgate_protocol::MetadataBuf;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// A call's surroundings. A method that wants it takes `&Context` as its first argument.
#[derive(Clone, Debug)]
pub struct Context {
    deadline: Option<Instant>,
    metadata: MetadataBuf,
    cancelled: Option<watch::Receiver<bool>>,
}

impl Context {
    /// A context for a call that a program starts of itself: no deadline, no metadata, never cancelled.
    pub fn background() -> Context {
        Context {
            deadline: None,
            metadata: MetadataBuf::default(),
            cancelled: None,
        }
    }

    /// The moment after which nobody waits for the answer.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The time that is left; zero when the deadline has passed, `None` without one.
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// The value of a metadata entry, such as `request-id`, `traceparent` or `caller`, if it is there and is UTF-8.
    pub fn metadata(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.metadata.as_metadata().get(name)?).ok()
    }
}
