//! What a failure answers, whatever it is.

use super::*;

fn violation(kind: ViolationKind) -> Violation {
    Violation { pointer: String::new(), kind, detail: "is wrong".to_owned(), line: None, column: None }
}

#[test]
fn what_stays_inside_is_not_told() {
    for code in [Code::Internal, Code::Unknown, Code::DataLoss] {
        let failure =
            Failure::Status(Status::new(code, "secret").with_details("\"secret\"").with_retry_after_ms(1));
        assert!(!failure.detail().contains("secret"));
        assert_eq!((failure.details(), failure.retry_after()), (None, None));
        assert_eq!((failure.code(), failure.status()), (code, 500));
    }
    let secret = || "secret".to_owned();
    let long = Failure::AnswerTooLong { bound: 1, call: secret(), instance: secret() };
    for failure in [
        Failure::Misfit(secret()),
        Failure::BadReply(secret()),
        Failure::Internal(secret()),
        Failure::RewriteLoop(secret()),
        long,
    ] {
        assert!(!failure.detail().contains("secret"), "{failure:?}");
    }
}

#[test]
fn a_retry_is_named_where_it_may_help() {
    let status = |code, ms: Option<u32>| {
        let status = Status::new(code, "");
        Failure::Status(ms.map_or(status.clone(), |ms| status.with_retry_after_ms(ms)))
    };
    for (failure, expected) in [
        (Failure::NoInstance, Some(1)),
        (Failure::Draining, Some(1)),
        (Failure::Busy, Some(1)),
        (Failure::Lost, Some(1)),
        (Failure::TooManyConnections, Some(1)),
        (Failure::Shed(ShedReason::Queue), Some(1)),
        (Failure::RateLimited { policy: String::new(), retry_after: 9 }, Some(9)),
        (status(Code::Unavailable, None), Some(1)),
        (status(Code::Unavailable, Some(2001)), Some(3)),
        (status(Code::ResourceExhausted, Some(1)), Some(1)),
        (status(Code::ResourceExhausted, None), None),
        (Failure::Deadline, None),
        (Failure::NotOffered, None),
    ] {
        assert_eq!(failure.retry_after(), expected, "{failure:?}");
    }
}

#[test]
fn a_cause_that_has_several_forms_has_one_reason() {
    let refused = |status: Status| Failure::Status(status.not_executed());
    for (failure, expected) in [
        (Failure::Busy, Reason::Busy),
        (Failure::Shed(ShedReason::Instance), Reason::Busy),
        (Failure::Shed(ShedReason::Adaptive), Reason::ShedAdaptive),
        (refused(Status::unavailable("")), Reason::Refused),
        (refused(Status::not_found("")), Reason::MethodFailed),
        (Failure::Status(Status::unavailable("")), Reason::MethodFailed),
        (Failure::Status(Status::deadline_exceeded("")), Reason::Deadline),
        (Failure::Deadline, Reason::Deadline),
        (Failure::query_not_utf8(), Reason::NotUtf8),
        (Failure::NotUtf8("a path parameter".into()), Reason::NotUtf8),
        (
            Failure::Invalid(vec![
                violation(ViolationKind::UnknownField),
                violation(ViolationKind::WrongType),
            ]),
            Reason::UnknownField,
        ),
    ] {
        assert_eq!(failure.reason(), expected, "{failure:?}");
    }
}
