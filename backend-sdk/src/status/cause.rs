//! What made a call fail, for the log of the process in which it happened.

use super::Status;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// An error, with those that led to it. Behind one pointer, because each result of a call has room for it.
#[derive(Clone, Debug)]
pub(super) struct Cause(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    error: Box<dyn Error + Send + Sync>,
    /// The log has it.
    told: AtomicBool,
}

impl Cause {
    pub(super) fn new(error: Box<dyn Error + Send + Sync>) -> Cause {
        Cause(Arc::new(Inner { error, told: AtomicBool::new(false) }))
    }

    pub(super) fn error(&self) -> &(dyn Error + 'static) {
        &*self.0.error
    }
}

/// All of it in one line.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.error)?;
        let mut said = self.0.error.to_string();
        let mut next = self.0.error.source();
        while let Some(error) = next {
            // Many say what led to them already.
            let text = error.to_string();
            if !said.ends_with(&text) {
                write!(f, ": {text}")?;
            }
            said = text;
            next = error.source();
        }
        Ok(())
    }
}

impl Status {
    /// What the log is to say of it beside what the caller is told. It is given once: a failure goes through layers, and each could
    /// tell it.
    pub(crate) fn untold_cause(&self) -> Option<impl fmt::Display + '_> {
        self.cause.as_ref().filter(|cause| !cause.0.told.swap(true, Ordering::Relaxed))
    }
}
