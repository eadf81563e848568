//! How an attempt has ended, and all that follows from it: what is counted, what it says of its instance, whether it helps to send
//! the call again, and what the backend's limit learns. One type says all four, so that they cannot disagree.

use super::reply::{LongReply, Replied};
use crate::failure::{Failure, MethodFailure};
use crate::overload::Feedback;
use crate::telemetry::{OutcomeLabel, RetryReason, ShadowOutcome, StreamOutcome};
use callgate_health::Evidence;
use callgate_protocol::Code;

/// Why the gateway ends a reply that has begun: what bounds it says nothing of its instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It has taken as long as it may.
    Time,
    /// No item has gone to its client for as long as that may take.
    Idle,
    /// It has more bytes than these.
    Bytes(u64),
    /// The gateway itself ends, or another one serves in its place.
    Leaving,
}

/// How an attempt has ended.
#[derive(Debug)]
pub enum Outcome {
    /// With a result, as JSON.
    Reply(Replied),
    /// With a result whose JSON is long, or may be: it is yet to be made.
    Long(Box<LongReply>),
    /// With a result whose JSON would be longer than a reply may be: the bound in bytes.
    TooLong(u64),
    /// With a reply that is larger than the gateway accepts.
    TooLarge,
    /// With a result for which there is no room among all long replies.
    NoRoom,
    /// With the end of a reply that had begun, after its last item.
    Complete,
    /// Its reply had begun, and whoever read that has left.
    Left,
    /// Its reply had begun, and the gateway has ended it.
    Stopped(Stop),
    /// Because its request, which had begun, was not sent to its end: why.
    Unfinished(Box<Failure>),
    /// With a failure.
    Failed(Box<MethodFailure>),
    /// With a reply that is no value of the schema; why.
    BadReply(String),
    /// Not at all: the instance had not accepted it, or not one byte had left. It has certainly not run.
    NotAccepted,
    /// With `unavailable`, and the instance said that it has not run.
    Refused(Box<MethodFailure>),
    /// The connection was lost; it may have run.
    Lost,
    /// Not before its deadline.
    Late,
    /// Its caller gave it up before it ended.
    GivenUp {
        /// Its instance had fallen silent.
        silent: bool,
    },
}

impl Outcome {
    /// What it is counted as.
    #[inline]
    pub fn label(&self) -> OutcomeLabel {
        match self {
            Outcome::Reply(_) | Outcome::Long(_) | Outcome::TooLong(_) => OutcomeLabel::Ok,
            Outcome::Complete => OutcomeLabel::Ok,
            Outcome::TooLarge | Outcome::BadReply(_) => OutcomeLabel::Failed(Code::Internal),
            Outcome::NoRoom => OutcomeLabel::Failed(Code::ResourceExhausted),
            Outcome::Unfinished(failure) => OutcomeLabel::Failed(failure.code()),
            Outcome::Failed(failure) => OutcomeLabel::Failed(failure.status.code),
            Outcome::NotAccepted | Outcome::Refused(_) => OutcomeLabel::Refused,
            Outcome::Lost => OutcomeLabel::Lost,
            Outcome::Late => OutcomeLabel::Failed(Code::DeadlineExceeded),
            Outcome::Left | Outcome::Stopped(_) | Outcome::GivenUp { .. } => {
                OutcomeLabel::Failed(Code::Cancelled)
            }
        }
    }

    /// What it says of the instance. `disturbed`: the worker was away for a part of the attempt's time.
    #[inline]
    pub fn evidence(&self, disturbed: bool) -> Evidence {
        match self {
            Outcome::Reply(_) | Outcome::Long(_) | Outcome::TooLong(_) => Evidence::Good,
            Outcome::Complete => Evidence::Good,
            // It has replied well; what is missing is the gateway's.
            Outcome::TooLarge | Outcome::NoRoom => Evidence::Good,
            // It had begun to reply, and might have gone on for ever.
            Outcome::Left | Outcome::Stopped(_) => Evidence::Good,
            // It had no chance to reply.
            Outcome::Unfinished(_) => Evidence::Nothing,
            Outcome::Failed(failure) => Evidence::of_failure(failure.status.code),
            Outcome::BadReply(_) => Evidence::Failed,
            Outcome::Refused(_) => Evidence::Refused,
            // With its connection the instance is left anyway, and the next one is judged anew.
            Outcome::NotAccepted | Outcome::Lost => Evidence::Nothing,
            // Nobody knows whether the reply would have come in time.
            Outcome::Late if disturbed => Evidence::Nothing,
            Outcome::Late => Evidence::Failed,
            // One that is silent is left for that already.
            Outcome::GivenUp { silent: true } => Evidence::Nothing,
            Outcome::GivenUp { silent: false } => Evidence::GivenUp,
        }
    }

    /// Why the call may be sent again; `None` where that would not help. `limited`: the attempt had less time than the call.
    #[inline]
    pub fn retry_reason(&self, limited: bool) -> Option<RetryReason> {
        match self {
            Outcome::NotAccepted => Some(RetryReason::NotAccepted),
            Outcome::Refused(_) => Some(RetryReason::Refused),
            Outcome::Lost => Some(RetryReason::Lost),
            Outcome::Failed(failure) if failure.status.code == Code::Unavailable => {
                Some(RetryReason::Unavailable)
            }
            Outcome::Late if limited => Some(RetryReason::Timeout),
            // The instance's clock runs out at the same time as ours.
            Outcome::Failed(failure) if limited && failure.status.code == Code::DeadlineExceeded => {
                Some(RetryReason::Timeout)
            }
            Outcome::Reply(_) | Outcome::Long(_) | Outcome::TooLong(_) | Outcome::TooLarge => None,
            Outcome::NoRoom | Outcome::Failed(_) | Outcome::BadReply(_) | Outcome::Late => None,
            Outcome::Complete | Outcome::Left | Outcome::Stopped(_) => None,
            Outcome::Unfinished(_) | Outcome::GivenUp { .. } => None,
        }
    }

    /// What the backend's limit learns from it. `disturbed`: the worker was away for a part of the attempt's time.
    #[inline]
    pub fn feedback(&self, disturbed: bool) -> Feedback {
        match self {
            _ if disturbed => Feedback::Nothing,
            Outcome::Reply(_) | Outcome::Long(_) | Outcome::TooLong(_) => Feedback::Answered,
            Outcome::TooLarge | Outcome::NoRoom | Outcome::BadReply(_) => Feedback::Answered,
            Outcome::Complete | Outcome::Left | Outcome::Stopped(_) => Feedback::Answered,
            Outcome::Late | Outcome::GivenUp { .. } => Feedback::Late,
            Outcome::Refused(_) => Feedback::Refused,
            Outcome::Failed(failure) => match failure.status.code {
                Code::DeadlineExceeded => Feedback::Late,
                // These often come without any work.
                Code::Unavailable | Code::Internal | Code::Unknown | Code::ResourceExhausted => {
                    Feedback::Nothing
                }
                _ => Feedback::Answered,
            },
            Outcome::NotAccepted | Outcome::Lost | Outcome::Unfinished(_) => Feedback::Nothing,
        }
    }

    /// What a call that streamed has come to.
    pub fn of_stream(&self) -> StreamOutcome {
        match self {
            Outcome::Reply(_) | Outcome::Long(_) | Outcome::Complete => StreamOutcome::Ok,
            Outcome::Failed(_) | Outcome::Refused(_) => StreamOutcome::Failed,
            Outcome::NotAccepted | Outcome::Lost => StreamOutcome::Lost,
            Outcome::Late | Outcome::Stopped(Stop::Time) => StreamOutcome::Late,
            Outcome::Stopped(Stop::Idle) => StreamOutcome::Idle,
            Outcome::Stopped(Stop::Bytes(_)) => StreamOutcome::TooLong,
            Outcome::Stopped(Stop::Leaving) => StreamOutcome::Leaving,
            Outcome::Left | Outcome::GivenUp { .. } => StreamOutcome::Left,
            Outcome::Unfinished(why) if matches!(**why, Failure::ClientGone) => StreamOutcome::Left,
            Outcome::Unfinished(_) => StreamOutcome::BadRequest,
            Outcome::BadReply(_) | Outcome::TooLong(_) | Outcome::TooLarge | Outcome::NoRoom => {
                StreamOutcome::BadReply
            }
        }
    }

    /// Whether its method has replied with a result, which nobody hears.
    #[inline]
    pub fn has_replied(&self) -> bool {
        self.of_copy() == ShadowOutcome::Ok
    }

    /// What became of a copy that has ended so.
    pub fn of_copy(&self) -> ShadowOutcome {
        match self {
            // The JSON of a long one is not made: nobody would read it.
            Outcome::Reply(_) | Outcome::Long(_) | Outcome::TooLong(_) | Outcome::NoRoom => ShadowOutcome::Ok,
            Outcome::Complete => ShadowOutcome::Ok,
            Outcome::Failed(_) | Outcome::BadReply(_) | Outcome::TooLarge => ShadowOutcome::Failed,
            Outcome::Late => ShadowOutcome::Late,
            Outcome::NotAccepted | Outcome::Refused(_) | Outcome::Lost => ShadowOutcome::Lost,
            Outcome::Left | Outcome::Stopped(_) | Outcome::Unfinished(_) => ShadowOutcome::Lost,
            Outcome::GivenUp { .. } => ShadowOutcome::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffers::ReplyBuffer;
    use crate::transport::Json;
    use callgate_protocol::Status;

    fn failed(code: Code) -> Outcome {
        Outcome::Failed(Status::new(code, "").into())
    }

    fn refused() -> Outcome {
        Outcome::Refused(Status::unavailable("").not_executed().into())
    }

    fn reply() -> Outcome {
        Outcome::Reply(Json::Short(ReplyBuffer::of(b"")).into())
    }

    /// All that follows from each outcome: label; evidence; reasons to send the call again where the attempt had all of the call's
    /// time, and less; feedback; what a copy came to.
    #[test]
    fn what_follows_from_every_outcome() {
        use Evidence::{Failed, GivenUp, Good, Nothing, Refused};
        use RetryReason as Retry;
        use ShadowOutcome as Copy;
        for (outcome, label, evidence, whole, limited, feedback, copy) in [
            (reply(), "ok", Good, None, None, Feedback::Answered, Copy::Ok),
            (Outcome::TooLong(1), "ok", Good, None, None, Feedback::Answered, Copy::Ok),
            (Outcome::Complete, "ok", Good, None, None, Feedback::Answered, Copy::Ok),
            (Outcome::Left, "cancelled", Good, None, None, Feedback::Answered, Copy::Lost),
            (Outcome::Stopped(Stop::Time), "cancelled", Good, None, None, Feedback::Answered, Copy::Lost),
            (
                Outcome::Unfinished(Box::new(Failure::ClientGone)),
                "cancelled",
                Nothing,
                None,
                None,
                Feedback::Nothing,
                Copy::Lost,
            ),
            (Outcome::TooLarge, "internal", Good, None, None, Feedback::Answered, Copy::Failed),
            (Outcome::NoRoom, "resource_exhausted", Good, None, None, Feedback::Answered, Copy::Ok),
            (
                Outcome::BadReply(String::new()),
                "internal",
                Failed,
                None,
                None,
                Feedback::Answered,
                Copy::Failed,
            ),
            (
                Outcome::NotAccepted,
                "refused",
                Nothing,
                Some(Retry::NotAccepted),
                Some(Retry::NotAccepted),
                Feedback::Nothing,
                Copy::Lost,
            ),
            (
                refused(),
                "refused",
                Refused,
                Some(Retry::Refused),
                Some(Retry::Refused),
                Feedback::Refused,
                Copy::Lost,
            ),
            (
                Outcome::Lost,
                "lost",
                Nothing,
                Some(Retry::Lost),
                Some(Retry::Lost),
                Feedback::Nothing,
                Copy::Lost,
            ),
            (
                Outcome::Late,
                "deadline_exceeded",
                Failed,
                None,
                Some(Retry::Timeout),
                Feedback::Late,
                Copy::Late,
            ),
            (
                Outcome::GivenUp { silent: false },
                "cancelled",
                GivenUp,
                None,
                None,
                Feedback::Late,
                Copy::Lost,
            ),
            (Outcome::GivenUp { silent: true }, "cancelled", Nothing, None, None, Feedback::Late, Copy::Lost),
        ] {
            assert_eq!(outcome.label().name(), label, "{outcome:?}");
            assert_eq!(outcome.evidence(false), evidence, "{outcome:?}");
            assert_eq!(outcome.retry_reason(false), whole, "{outcome:?}");
            assert_eq!(outcome.retry_reason(true), limited, "{outcome:?}");
            assert_eq!(outcome.feedback(false), feedback, "{outcome:?}");
            assert_eq!(outcome.of_copy(), copy, "{outcome:?}");
        }
    }

    #[test]
    fn what_follows_from_a_failure_of_each_code() {
        for code in Code::ALL.iter().copied() {
            let outcome = failed(code);
            let works = !matches!(
                code,
                Code::Unavailable | Code::DeadlineExceeded | Code::Internal | Code::Unknown | Code::DataLoss
            );
            let evidence = if works { Evidence::Good } else { Evidence::Failed };
            let unavailable = (code == Code::Unavailable).then_some(RetryReason::Unavailable);
            let timeout = (code == Code::DeadlineExceeded).then_some(RetryReason::Timeout);
            let feedback = match code {
                Code::DeadlineExceeded => Feedback::Late,
                Code::Unavailable | Code::Internal | Code::Unknown | Code::ResourceExhausted => {
                    Feedback::Nothing
                }
                _ => Feedback::Answered,
            };
            assert_eq!(outcome.label().name(), code.name());
            assert_eq!(outcome.evidence(false), evidence, "{code:?}");
            assert_eq!(outcome.retry_reason(false), unavailable, "{code:?}");
            assert_eq!(outcome.retry_reason(true), unavailable.or(timeout), "{code:?}");
            assert_eq!(outcome.feedback(false), feedback, "{code:?}");
            assert_eq!(outcome.of_copy(), ShadowOutcome::Failed, "{code:?}");
        }
    }

    #[test]
    fn what_comes_while_the_worker_was_away_teaches_the_limit_nothing_and_lateness_then_is_no_failure() {
        for (outcome, evidence) in [
            (reply(), Evidence::Good),
            (failed(Code::Unavailable), Evidence::Failed),
            (refused(), Evidence::Refused),
            (Outcome::Late, Evidence::Nothing),
            (Outcome::GivenUp { silent: false }, Evidence::GivenUp),
        ] {
            assert_eq!(outcome.feedback(true), Feedback::Nothing, "{outcome:?}");
            assert_eq!(outcome.evidence(true), evidence, "{outcome:?}");
        }
    }
}
