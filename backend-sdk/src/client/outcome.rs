//! How an attempt at a call ends, and what its end says of a retry.

use crate::Status;
use crate::layer::Reply;

/// How an attempt ends: with the encoded result and what came beside it, or with a failure.
pub(crate) type Outcome = Result<Reply, Failed>;

/// Why an attempt failed.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) status: Status,
    pub(crate) origin: Origin,
}

/// Where a failure comes from; that decides what a retry costs and whether it is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The endpoint answered with it.
    Endpoint,
    /// The endpoint has never seen the call, or has said that it ignored it.
    Unsent,
    /// The connection was lost, and the call may have run.
    Lost,
    /// There was no time left to send it.
    Late,
}

pub(crate) fn unavailable(origin: Origin, reason: &str) -> Failed {
    let mut status = Status::unavailable(reason);
    status.not_executed = origin == Origin::Unsent;
    Failed { status, origin }
}

/// What becomes of a call for which there is no time left: it is not sent.
pub(crate) fn late() -> Status {
    Status::deadline_exceeded("no time was left for the call").not_executed()
}
