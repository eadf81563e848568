//! What the end of a call says of the instance that it was made on.

use callgate_protocol::Code;

/// What an outcome says of the instance's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// It works.
    Good,
    /// It does not.
    Failed,
    /// It has not accepted the call.
    Refused,
    /// The caller gave up: that says something only where it has waited for longer than others do.
    GivenUp,
    /// Nothing.
    Nothing,
}

impl Evidence {
    /// What a failure of that code says of the instance that has answered with it. Those of the canonical codes that are the
    /// caller's fault, or nobody's, say that it works.
    pub fn of_failure(code: Code) -> Evidence {
        match code {
            Code::Unavailable | Code::DeadlineExceeded | Code::Internal | Code::Unknown | Code::DataLoss => {
                Evidence::Failed
            }
            _ => Evidence::Good,
        }
    }
}
