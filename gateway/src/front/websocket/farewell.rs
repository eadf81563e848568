//! With which code and reason a WebSocket ends whose call has failed.
//!
//! A client that sees the code knows whether it is to blame, and whether it may come again. The reason is what a problem would say as
//! its detail.

use crate::failure::Failure;
use callgate_http1::websocket::code;
use std::borrow::Cow;

/// The code and the reason that tell a failure.
pub(super) fn of(failure: &Failure) -> (u16, Cow<'_, str>) {
    let code = match (failure, failure.status()) {
        (Failure::NotUtf8(_), _) => code::NOT_UTF8,
        // Its time was up, or its instance has gone in its midst.
        (Failure::Lost | Failure::Deadline, _) => code::INTERNAL,
        (_, 413) => code::TOO_LONG,
        (_, 429 | 503) => code::TRY_LATER,
        (_, 400..=498) => code::POLICY,
        _ => code::INTERNAL,
    };
    let reason = match failure.violations() {
        [one] if !one.pointer.is_empty() => format!("{}: {}", one.pointer, one.detail).into(),
        _ => failure.detail(),
    };
    (code, reason)
}

/// Whether a client that closes with that code wants nothing any more: it goes away, or something is wrong. Others have only said their
/// last, and may still hear what their method says to that.
pub(super) fn is_final(code: Option<u16>) -> bool {
    code.is_some_and(|code| (code::AWAY..3000).contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::ShedReason;
    use callgate_protocol::{Code, Status};
    use callgate_transcode::{Violation, ViolationKind};

    #[test]
    fn a_code_says_whose_fault_it_is_and_whether_to_come_again() {
        let method = |code| Failure::Method(Status::new(code, "as it is").into());
        for (failure, expected) in [
            (Failure::NotUtf8("it is not UTF-8".into()), 1007),
            (Failure::MessageTooLarge(7), 1009),
            (Failure::query_not_utf8(), 1008),
            (method(Code::InvalidArgument), 1008),
            (method(Code::NotFound), 1008),
            (method(Code::PermissionDenied), 1008),
            (method(Code::Internal), 1011),
            (method(Code::Unimplemented), 1011),
            (method(Code::Unavailable), 1013),
            (method(Code::ResourceExhausted), 1013),
            (Failure::Shed(ShedReason::Memory), 1013),
            (Failure::NoInstance, 1013),
            (Failure::Busy, 1013),
            (Failure::Lost, 1011),
            (Failure::Deadline, 1011),
            (Failure::Internal("a secret".to_owned()), 1011),
        ] {
            let (code, reason) = of(&failure);
            assert_eq!(code, expected, "{failure:?}");
            assert!(!reason.is_empty() && !reason.contains("secret"), "{reason}");
        }
    }

    #[test]
    fn a_reason_names_the_place() {
        let violation = Violation {
            pointer: "/2/amount".to_owned(),
            kind: ViolationKind::WrongType,
            detail: "expected an integer".to_owned(),
            line: None,
            column: None,
        };
        let failure = Failure::Invalid(vec![violation]);
        assert_eq!(of(&failure), (1008, "/2/amount: expected an integer".into()));
    }

    #[test]
    fn a_client_that_goes_away_hears_nothing_any_more() {
        let final_ones = [1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1014];
        assert!(final_ones.into_iter().all(|code| is_final(Some(code))));
        assert!([None, Some(1000), Some(3000), Some(4999)].into_iter().all(|code| !is_final(code)));
    }
}
