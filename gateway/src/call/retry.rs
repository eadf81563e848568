//! Whether a call is sent again after an attempt: what is safe, and what the route wants.
//!
//! A call that no instance has accepted has not run; it goes elsewhere whatever its method and whatever the tables say,
//! and costs no budget, because it has cost no instance anything. One that an instance refused has not run either, but
//! the instance said so because it has too much to do; so this is bounded. Everything else may have run, and is sent
//! again only if it is idempotent, or has a key by which its method knows it.

use crate::backends::Cost;
use crate::config::RetrySpec;
use crate::failure::{Failure, ShedReason};
use crate::telemetry::RetryReason;
use crate::transport::{Body, Outcome, Replied, Stop};
use std::time::Duration;

/// How often a call is sent again at most because it was not accepted.
pub(super) const MAX_NOT_ACCEPTED: u32 = 8;

/// Before an instance is asked again that has failed the call and named no time.
const PAUSE: Duration = Duration::from_millis(50);

/// An instance that names a longer time is not waited for; its answer is the client's.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What the client is told if the last attempt has ended so.
pub(super) fn result(outcome: Outcome) -> Result<Replied, Failure> {
    match outcome {
        Outcome::Reply(replied) => Ok(replied),
        Outcome::NotAccepted => Err(Failure::NoInstance),
        Outcome::Refused(failure) | Outcome::Failed(failure) => Err(Failure::Method(failure)),
        Outcome::Lost => Err(Failure::Lost),
        Outcome::Late | Outcome::Stopped(Stop::Time) => Err(Failure::Deadline),
        Outcome::Stopped(Stop::Idle) => Err(Failure::StreamIdle),
        Outcome::Stopped(Stop::Bytes(most)) => Err(Failure::StreamTooLong(most)),
        Outcome::Stopped(Stop::Leaving) => Err(Failure::Leaving),
        Outcome::Unfinished(failure) => Err(*failure),
        Outcome::BadReply(error) => Err(Failure::BadReply(error)),
        Outcome::TooLong(bound) => {
            Err(Failure::AnswerTooLong { bound, call: String::new(), instance: String::new() })
        }
        Outcome::TooLarge => {
            Err(Failure::BadReply("the reply is larger than the gateway accepts".to_owned()))
        }
        Outcome::NoRoom => Err(Failure::Shed(ShedReason::AnswerMemory)),
        // Nobody hears of it then.
        Outcome::Left | Outcome::GivenUp { .. } => Err(Failure::Lost),
        // It was made before.
        Outcome::Long(_) => Err(Failure::Internal("its JSON was not made".to_owned())),
        // It is the end of what has begun.
        Outcome::Complete => Err(Failure::Internal("its reply never began".to_owned())),
    }
}

/// Whether a call may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Also where it may have run: running it twice does what running it once does.
    Always,
    /// Where it has certainly not run.
    IfNotRun,
    /// Not at all: its body was a stream, of which an attempt has begun to read.
    Never,
}

impl Repeat {
    /// That of a call with that body.
    #[inline]
    pub(super) fn of(body: &Body<'_>, idempotent: bool) -> Repeat {
        match idempotent {
            _ if body.is_spent() => Repeat::Never,
            true => Repeat::Always,
            false => Repeat::IfNotRun,
        }
    }
}

/// Whether the route wants a call to be sent again for that reason, and it is safe.
pub(super) fn is_wanted(spec: &RetrySpec, reason: RetryReason, repeat: Repeat) -> bool {
    let idempotent = repeat == Repeat::Always;
    match reason {
        _ if repeat == Repeat::Never => false,
        RetryReason::NotAccepted => true,
        RetryReason::Refused => spec.on.refused,
        // Its connection is lost, as far as anybody knows.
        RetryReason::Lost | RetryReason::Silent => idempotent && spec.on.lost,
        RetryReason::Unavailable => idempotent && spec.on.unavailable,
        RetryReason::Timeout => idempotent,
    }
}

/// What sending a call again costs; `None` where it is free.
pub(super) fn cost(reason: RetryReason) -> Option<Cost> {
    match reason {
        RetryReason::NotAccepted => None,
        RetryReason::Refused | RetryReason::Lost | RetryReason::Silent => Some(Cost::Dropped),
        RetryReason::Unavailable | RetryReason::Timeout => Some(Cost::Ran),
    }
}

/// How long to wait before the same instance is asked again, where no other is there: what it asked for, or a little
/// longer each time. Spread, so that calls that failed together do not come back together.
pub(super) fn pause(failure: &Failure, sent: u32) -> Pause {
    let Failure::Method(failed) = failure else {
        // It has said nothing: it is another connection that is asked, or none.
        return Pause::No;
    };
    let asked = match failed.status.retry_after_ms {
        Some(ms) => Duration::from_millis(u64::from(ms)),
        None => PAUSE.saturating_mul(1 << sent.saturating_sub(1).min(4)),
    };
    if asked > LONGEST_PAUSE {
        Pause::TooLong
    } else {
        Pause::For(asked.mul_f64(1.0 + fastrand::f64() / 2.0))
    }
}

/// See [`pause`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// None is needed.
    No,
    /// That long.
    For(Duration),
    /// So long that it is not worth it.
    TooLong,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffers::ReplyBuffer;
    use crate::transport::Json;
    use callgate_protocol::Status;

    #[test]
    fn what_may_have_run_is_sent_again_only_if_it_is_idempotent() {
        let unavailable = || Outcome::Failed(Status::unavailable("").into());
        let refused = || Outcome::Refused(Status::unavailable("").not_executed().into());
        let late = || Outcome::Failed(Status::deadline_exceeded("").into());
        for (outcome, limited, idempotent, other) in [
            (Outcome::NotAccepted, false, true, true),
            (refused(), false, true, true),
            (Outcome::Lost, false, true, false),
            (unavailable(), false, true, false),
            (Outcome::Late, true, true, false),
            (late(), true, true, false),
            (Outcome::Late, false, false, false),
            (late(), false, false, false),
            (Outcome::Failed(Status::not_found("").into()), true, false, false),
            (Outcome::Failed(Status::resource_exhausted("").into()), true, false, false),
            (Outcome::BadReply(String::new()), true, false, false),
            (Outcome::Reply(Json::Short(ReplyBuffer::of(b"")).into()), true, false, false),
            (Outcome::TooLong(1), true, false, false),
            (Outcome::NoRoom, true, false, false),
        ] {
            let reason = outcome.retry_reason(limited);
            let wanted = |idempotent| {
                reason.is_some_and(|why| {
                    is_wanted(&RetrySpec::default(), why, Repeat::of(&Body::Whole(b""), idempotent))
                })
            };
            assert_eq!((wanted(true), wanted(false)), (idempotent, other), "{outcome:?}, limited: {limited}");
        }
    }

    #[test]
    fn an_instance_is_asked_again_when_it_says_but_not_much_later() {
        let failure = |ms: Option<u32>| {
            let status = Status::unavailable("");
            Failure::Method(ms.map_or(status.clone(), |ms| status.with_retry_after_ms(ms)).into())
        };
        for (ms, sent, expected) in
            [(None, 1, 50), (None, 3, 200), (Some(300), 1, 300), (Some(1000), 1, 1000)]
        {
            let Pause::For(time) = pause(&failure(ms), sent) else { panic!("no pause: {ms:?}") };
            let expected = Duration::from_millis(expected);
            assert!(time >= expected && time <= expected * 3 / 2, "{ms:?}: {time:?}");
        }
        assert_eq!(pause(&failure(Some(1001)), 1), Pause::TooLong);
        assert_eq!(pause(&Failure::Lost, 1), Pause::No);
    }
}
