//! What comes of a call, and why one is not sent.

use super::LongReply;
use bytes::Bytes;
use callgate_protocol::Status;
use callgate_transcode::Violation;
use tokio::time::Instant;

/// How a call ended.
#[derive(Debug)]
pub enum Answer {
    /// With a result, as JSON.
    Json(Json),
    /// With a result whose JSON is long, or may be: it is yet to be made.
    Long(Box<LongReply>),
    /// With a result whose JSON would be longer than an answer may be: the bound in bytes.
    TooLong(u64),
    /// With a result for which there is no room among all long answers.
    NoRoom,
    /// With a failure.
    Failed(Status),
    /// With a reply that is no value of the schema; why.
    BadReply(String),
    /// Not at all: the instance had not accepted it, or not one byte had left. It has certainly not run.
    NotAccepted,
    /// With `unavailable`, and the instance said that it has not run.
    Refused(Status),
    /// The connection was lost; it may have run.
    Lost,
    /// Not before its deadline.
    Late,
}

/// A result as JSON.
#[derive(Debug)]
pub enum Json {
    /// In one piece; empty when the method returns nothing.
    Short(Vec<u8>),
    /// In pieces, each of which holds its room among all long answers until it is dropped.
    Long(Vec<Bytes>),
}

/// When a call is made, and when its answer must be there.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Now, or a moment ago.
    pub now: Instant,
    /// Later than that.
    pub deadline: Instant,
}

/// Why a call was not sent.
#[derive(Debug)]
pub enum Unsent {
    /// The request does not fit the method's schema.
    Invalid(Vec<Violation>),
    /// The request is larger than the instance accepts: the bound in bytes.
    TooLarge(u32),
    /// The instance has all the calls that it may have; another worker was faster.
    Full,
}
