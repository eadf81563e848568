//! How a call fails: what a handler returns, and what a caller gets.
//!
//! The protocol has a type of this name too, which is what goes over the wire. This one can hold the cause of a failure
//! beside it. A cause never leaves the process: the server writes it to its log.

mod cause;
mod from;

use callgate_protocol::{Code, Metadata, MetadataBuf, Status as Told};
use cause::Cause;
pub use from::poisoned;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::error::Error;
use std::fmt;

/// Why a call failed: one of the canonical RPC codes, a message, and what a caller may do about it.
///
/// A handler makes one by the name of its code, and adds what a caller can use:
///
/// ```
/// use callgate_sdk::Status;
/// use serde::Serialize;
///
/// #[derive(Serialize)]
/// struct Left {
///     sku: String,
///     left: u32,
/// }
///
/// fn take(sku: &str, wanted: u32) -> Result<(), Status> {
///     let left = 3;
///     if wanted > left {
///         let details = Left { sku: sku.to_owned(), left };
///         return Err(Status::failed_precondition(format!("only {left} are left")).with_details(&details));
///     }
///     Ok(())
/// }
/// # assert_eq!(take("tea", 4).unwrap_err().details.as_deref(), Some(r#"{"sku":"tea","left":3}"#));
/// ```
///
/// `?` makes a status of most errors that a handler meets: of I/O, of parsing, of tasks, of a poisoned lock. Its code is then
/// [`internal`](Code::Internal), and what the error says goes to the server's log and not to the caller. For an error
/// of a library there is [`from_error`](Self::from_error).
///
/// ```
/// use callgate_sdk::Status;
///
/// fn lines(path: &str) -> Result<usize, Status> {
///     Ok(std::fs::read_to_string(path)?.lines().count())
/// }
/// # let status = lines("/no/such/file").unwrap_err();
/// # assert_eq!(status.code, callgate_sdk::Code::Internal);
/// # assert!(!status.message.contains("No such file"));
/// ```
///
/// Two are equal when a caller is told the same by both; what metadata came with them does not count.
#[derive(Clone, Debug)]
pub struct Status {
    /// The kind of failure.
    pub code: Code,
    /// For people. A gateway shows it to its client unless the code is `unknown`, `internal` or `data_loss`; a caller that
    /// has this SDK always sees it.
    pub message: String,
    /// More, as JSON text, for programs: see [`with_details`](Self::with_details).
    pub details: Option<String>,
    /// A value of the method's error type, encoded; the code is then that of its variant. Methods with [typed
    /// errors](macro@crate::Error) have it put in and read by their stubs.
    pub error: Option<Vec<u8>>,
    /// When a retry makes sense, in milliseconds from now.
    pub retry_after_ms: Option<u32>,
    /// The call has certainly not run, so that it may be sent elsewhere, whatever its method.
    pub not_executed: bool,
    /// What came beside it, at the caller's end. Mostly nothing, so that a status stays small.
    metadata: Option<Box<MetadataBuf>>,
    /// `not_executed` speaks of a call that this process has made, and not of the one that it serves.
    heard: bool,
    /// For the log of this process.
    cause: Option<Cause>,
}

impl Status {
    /// A status with a code and a message.
    pub fn new(code: Code, message: impl Into<String>) -> Status {
        Status {
            code,
            message: message.into(),
            details: None,
            error: None,
            retry_after_ms: None,
            not_executed: false,
            metadata: None,
            heard: false,
            cause: None,
        }
    }

    callgate_protocol::status_constructors!();

    /// With details for programs, which become JSON: a gateway puts them into its answer as `details`, and a caller that has
    /// this SDK reads them by [`details_as`](Self::details_as). Details that `Serialize` refuses are left out, and the log
    /// says so.
    ///
    /// ```
    /// use callgate_sdk::Status;
    ///
    /// let status = Status::aborted("somebody was quicker").with_details(&serde_json::json!({ "version": 8 }));
    /// assert_eq!(status.details.as_deref(), Some(r#"{"version":8}"#));
    /// ```
    #[must_use]
    pub fn with_details(mut self, details: &(impl Serialize + ?Sized)) -> Status {
        match serde_json::to_string(details) {
            Ok(json) => self.details = Some(json),
            Err(error) => {
                tracing::error!(status = %self, %error, "the details of a status cannot be written as JSON");
            }
        }
        self
    }

    /// The details as a `T`. `None` if there are none, or if they are something else.
    ///
    /// ```
    /// use callgate_sdk::Status;
    ///
    /// let status = Status::aborted("no").with_details(&[7, 8]);
    /// assert_eq!(status.details_as::<Vec<u32>>(), Some(vec![7, 8]));
    /// assert_eq!(status.details_as::<String>(), None);
    /// ```
    pub fn details_as<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.details.as_deref()?).ok()
    }

    /// With the encoded value of the method's error type.
    #[must_use]
    pub fn with_error(mut self, encoded: impl Into<Vec<u8>>) -> Status {
        self.error = Some(encoded.into());
        self
    }

    /// Says when a retry makes sense, in milliseconds from now. A gateway makes a `Retry-After` of it.
    #[must_use]
    pub fn with_retry_after_ms(mut self, milliseconds: u32) -> Status {
        self.retry_after_ms = Some(milliseconds);
        self
    }

    /// Marks the call as certainly not run: the caller may send it elsewhere, whatever its method.
    #[must_use]
    pub fn not_executed(mut self) -> Status {
        self.not_executed = true;
        self
    }

    /// As the caller of a failed call hears it. That the call has not run is true of that call only: a handler that passes
    /// the status on has itself run, and its own caller is not told otherwise.
    pub(crate) fn into_heard(mut self) -> Status {
        self.heard = self.not_executed;
        self
    }

    /// At the client's end, the value of an entry of the metadata that has come with the failure, if it is there and is UTF-8.
    /// [`Context::with_reply`](crate::Context::with_reply) has all of it.
    pub fn metadata(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.all_metadata().get(name)?).ok()
    }

    /// All that has come beside it.
    pub(crate) fn all_metadata(&self) -> Metadata<'_> {
        self.metadata.as_ref().map_or_else(Metadata::default, |metadata| metadata.as_metadata())
    }

    /// What the caller is told of it, beside what the method wants to go back.
    pub(crate) fn told(self, metadata: MetadataBuf) -> Told {
        let Status { code, message, details, error, retry_after_ms, not_executed, heard, .. } = self;
        Told { code, message, details, error, retry_after_ms, not_executed: not_executed && !heard, metadata }
    }
}

/// As it came over the wire.
impl From<Told> for Status {
    fn from(told: Told) -> Status {
        let Told { code, message, details, error, retry_after_ms, not_executed, metadata } = told;
        let metadata = (!metadata.as_metadata().is_empty()).then(|| Box::new(metadata));
        Status { details, error, retry_after_ms, not_executed, metadata, ..Status::new(code, message) }
    }
}

impl PartialEq for Status {
    fn eq(&self, other: &Status) -> bool {
        let told = |status: &Status| (status.code, status.retry_after_ms, status.not_executed);
        told(self) == told(other)
            && self.message == other.message
            && self.details == other.details
            && self.error == other.error
    }
}

impl Eq for Status {}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.message)
    }
}

impl Error for Status {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| cause.error())
    }
}

#[cfg(test)]
mod tests;
