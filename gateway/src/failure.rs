//! What can go wrong with a request. A failure stays typed until the outermost layer says it in the words of the client's dialect.

use crate::telemetry::ShedReason;
use callgate_protocol::Status;
use callgate_transcode::Violation;

/// Why there is no result: what the front has to say to the client.
#[derive(Debug)]
pub enum Failure {
    /// The request does not fit the method: the client's fault.
    Invalid(Vec<Violation>),
    /// A header field of the request is wrong: the client's fault. The text says which one, and why.
    Field(String),
    /// The request is larger than the instance accepts: the bound in bytes.
    TooLarge(u64),
    /// The method failed, or the instance refused the call.
    Status(Status),
    /// The time was up.
    Deadline,
    /// No instance is there; a retry may help. The call has not run, or may run again.
    NoInstance,
    /// Every instance is being drained; a retry may help once one is taken back.
    Draining,
    /// All instances are at their bound of calls in flight; a retry may help.
    Busy,
    /// There are too many calls; a retry may help.
    Shed(ShedReason),
    /// A limit of the route has no token left.
    RateLimited {
        /// The limit's name.
        policy: String,
        /// When there will be one, in seconds.
        retry_after: u64,
    },
    /// The connection was lost while the call ran; it may have run.
    Lost,
    /// No instance offers the method.
    NotOffered,
    /// The reply would become a longer answer than there may be.
    AnswerTooLong {
        /// The bound in bytes.
        bound: u64,
        /// The method.
        call: String,
        /// Which instance has answered so.
        instance: String,
    },
    /// The route and the method do not fit each other, or the reply is broken: nothing for the client to know.
    Internal(String),
}

impl Failure {
    /// The request as a whole is wrong.
    pub fn invalid(detail: impl Into<String>) -> Failure {
        Failure::Invalid(vec![Violation {
            pointer: String::new(),
            detail: detail.into(),
            line: None,
            column: None,
        }])
    }

    /// Whether the call may have been turned away because there was too much to do, or had no time left.
    pub fn is_excess(&self) -> bool {
        matches!(self, Failure::Shed(_) | Failure::Busy | Failure::Deadline)
    }

    /// Whether nobody is there to run the call: another backend, or another table, may help.
    pub fn is_absence(&self) -> bool {
        matches!(self, Failure::NoInstance | Failure::Draining | Failure::NotOffered)
    }
}
