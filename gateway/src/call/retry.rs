//! Whether a call is sent again after a try: what is safe, and what the route wants.
//!
//! A call that no instance has accepted has not run; it goes elsewhere whatever its method and whatever the tables say,
//! and costs no budget, because it has cost no instance anything. One that an instance refused has not run either, but
//! the instance said so because it has too much to do; so this is bounded. Everything else may have run, and is sent
//! again only if it is idempotent.

use super::Failure;
use super::budget::Cost;
use crate::config::RetrySpec;
use crate::failure::ShedReason;
use crate::telemetry::RetryReason;
use crate::transport::callgate::{Answer, Json};
use callgate_protocol::{Code, Status};
use std::time::Duration;

/// How often a call is sent again at most because it was not accepted.
pub(super) const MAX_NOT_ACCEPTED: u32 = 8;

/// Before an instance is asked again that has failed the call and named no time.
const PAUSE: Duration = Duration::from_millis(50);

/// An instance that names a longer time is not waited for; its answer is the client's.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Why a call may be sent again after that answer; `None` where it would not help. `limited`: the try had less time
/// than the call.
pub(super) fn reason(answer: &Answer, limited: bool) -> Option<RetryReason> {
    match answer {
        Answer::NotAccepted => Some(RetryReason::NotAccepted),
        Answer::Refused(_) => Some(RetryReason::Refused),
        Answer::Lost => Some(RetryReason::Lost),
        Answer::Failed(status) if status.code == Code::Unavailable => Some(RetryReason::Unavailable),
        Answer::Late if limited => Some(RetryReason::Timeout),
        // The instance's clock runs out at the same time as ours.
        Answer::Failed(status) if limited && status.code == Code::DeadlineExceeded => {
            Some(RetryReason::Timeout)
        }
        Answer::Json(_) | Answer::Failed(_) | Answer::Late | Answer::BadReply(_) => None,
        Answer::Long(_) | Answer::TooLong(_) | Answer::NoRoom => None,
    }
}

/// What the client is told if that answer is the last.
pub(super) fn result(answer: Answer) -> Result<Json, Failure> {
    match answer {
        Answer::Json(json) => Ok(json),
        Answer::NotAccepted => Err(Failure::NoInstance),
        Answer::Refused(status) | Answer::Failed(status) => Err(Failure::Status(status)),
        Answer::Lost => Err(Failure::Lost),
        Answer::Late => Err(Failure::Deadline),
        Answer::BadReply(error) => Err(Failure::BadReply(error)),
        Answer::TooLong(bound) => {
            Err(Failure::AnswerTooLong { bound, call: String::new(), instance: String::new() })
        }
        Answer::NoRoom => Err(Failure::Shed(ShedReason::AnswerMemory)),
        // It was made before.
        Answer::Long(_) => Err(Failure::Internal("its JSON was not made".to_owned())),
    }
}

/// Whether the route wants a call to be sent again for that reason, and it is safe.
pub(super) fn is_wanted(spec: &RetrySpec, reason: RetryReason, idempotent: bool) -> bool {
    match reason {
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
    let Failure::Status(status) = failure else {
        // It has said nothing: it is another connection that is asked, or none.
        return Pause::No;
    };
    let asked = match status {
        Status { retry_after_ms: Some(ms), .. } => Duration::from_millis(u64::from(*ms)),
        _ => PAUSE.saturating_mul(1 << sent.saturating_sub(1).min(4)),
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

    #[test]
    fn what_may_have_run_is_sent_again_only_if_it_is_idempotent() {
        let unavailable = || Answer::Failed(Status::unavailable(""));
        let refused = || Answer::Refused(Status::unavailable("").not_executed());
        let late = || Answer::Failed(Status::deadline_exceeded(""));
        for (answer, limited, idempotent, other) in [
            (Answer::NotAccepted, false, true, true),
            (refused(), false, true, true),
            (Answer::Lost, false, true, false),
            (unavailable(), false, true, false),
            (Answer::Late, true, true, false),
            (late(), true, true, false),
            (Answer::Late, false, false, false),
            (late(), false, false, false),
            (Answer::Failed(Status::not_found("")), true, false, false),
            (Answer::Failed(Status::resource_exhausted("")), true, false, false),
            (Answer::BadReply(String::new()), true, false, false),
            (Answer::Json(Json::Short(Vec::new())), true, false, false),
            (Answer::TooLong(1), true, false, false),
            (Answer::NoRoom, true, false, false),
        ] {
            let reason = reason(&answer, limited);
            let wanted =
                |idempotent| reason.is_some_and(|why| is_wanted(&RetrySpec::default(), why, idempotent));
            assert_eq!((wanted(true), wanted(false)), (idempotent, other), "{answer:?}, limited: {limited}");
        }
    }

    #[test]
    fn an_instance_is_asked_again_when_it_says_but_not_much_later() {
        let failure = |ms: Option<u32>| {
            let status = Status::unavailable("");
            Failure::Status(ms.map_or(status.clone(), |ms| status.with_retry_after_ms(ms)))
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
