//! What made a call fail, for the log of the process in which it happened.

use super::Status;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// An error, with those that led to it.
#[derive(Clone, Debug)]
pub(super) struct Cause(Arc<dyn Error + Send + Sync>);

impl Cause {
    pub(super) fn new(error: Box<dyn Error + Send + Sync>) -> Cause {
        Cause(error.into())
    }

    pub(super) fn error(&self) -> &(dyn Error + 'static) {
        &*self.0
    }
}

/// All of it in one line.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut said = self.0.to_string();
        let mut next = self.0.source();
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
    /// What the log is to say of it, where that is more than the caller is told.
    pub(crate) fn cause(&self) -> Option<impl fmt::Display + '_> {
        self.cause.as_ref()
    }
}
