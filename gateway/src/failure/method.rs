//! How a method has failed: what every failure says, and the error that the method declares for it in its schema.

use callgate_protocol::{Code, Status};
use std::rc::Rc;

/// A call that its method has failed, or that its instance has refused.
#[derive(Debug)]
pub struct MethodFailure {
    /// What every failure says.
    pub status: Status,
    /// Which error it is, where it is one that the method declares. On the heap: hardly any call has one.
    pub error: Option<Box<DeclaredError>>,
}

/// An error of the type that a method declares.
#[derive(Debug, PartialEq, Eq)]
pub struct DeclaredError {
    /// The method that declares it: `orders.place`.
    pub method: Rc<str>,
    /// Its name in the schema.
    pub name: String,
    /// Its content as JSON; none of an error that has no content.
    pub details: Option<String>,
}

impl MethodFailure {
    /// Whether all that it says is for the log only.
    pub(super) fn is_hidden(&self) -> bool {
        matches!(self.status.code, Code::Unknown | Code::Internal | Code::DataLoss)
    }

    /// What it says for programs, as JSON: what its error does, or else the text of its status, which nobody has checked.
    pub(super) fn details(&self) -> Option<&str> {
        match &self.error {
            Some(error) => error.details.as_deref(),
            None => self.status.details.as_deref(),
        }
    }
}

/// One that the method does not declare.
impl From<Status> for Box<MethodFailure> {
    fn from(status: Status) -> Box<MethodFailure> {
        Box::new(MethodFailure { status, error: None })
    }
}
