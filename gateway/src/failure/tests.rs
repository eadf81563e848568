//! What a failure answers, whatever it is.

use super::*;

fn violation(kind: ViolationKind) -> Violation {
    Violation { pointer: String::new(), kind, detail: "is wrong".to_owned(), line: None, column: None }
}

/// The failure of a method that declares it.
fn declared(status: Status, details: Option<&str>) -> Failure {
    let error = DeclaredError {
        method: "orders.place".into(),
        name: "OutOfStock".to_owned(),
        details: details.map(str::to_owned),
    };
    Failure::Method(Box::new(MethodFailure { status, error: Some(Box::new(error)) }))
}

#[test]
fn an_error_that_a_method_declares_is_told_with_its_own_details() {
    let status = || Status::aborted("gone").with_details("\"other\"").with_retry_after_ms(2001);
    let failure = declared(status(), Some("{\"left\":0}"));
    assert_eq!(
        (failure.reason(), failure.code(), failure.status()),
        (Reason::MethodFailed, Code::Aborted, 409)
    );
    assert_eq!((&*failure.detail(), failure.retry_after()), ("gone", Some(3)));
    let error = failure.error().expect("it is declared");
    assert_eq!((&*error.method, &*error.name), ("orders.place", "OutOfStock"));
    assert_eq!(failure.details(), Some("{\"left\":0}"));
    assert_eq!(declared(status(), None).details(), None, "those of the status are another error's");
    let failure = Failure::Method(status().into());
    assert_eq!((failure.error(), failure.details()), (None, Some("\"other\"")));
}

#[test]
fn what_stays_inside_is_not_told() {
    for code in [Code::Internal, Code::Unknown, Code::DataLoss] {
        let failure = Failure::Method(
            Status::new(code, "secret").with_details("\"secret\"").with_retry_after_ms(1).into(),
        );
        assert!(!failure.detail().contains("secret"));
        assert_eq!((failure.details(), failure.retry_after()), (None, None));
        assert_eq!((failure.code(), failure.status()), (code, 500));
        let failure = declared(Status::new(code, "secret"), Some("\"secret\""));
        assert!(!failure.detail().contains("secret"));
        assert_eq!((failure.error(), failure.details()), (None, None));
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
        Failure::Method(ms.map_or(status.clone(), |ms| status.with_retry_after_ms(ms)).into())
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
        (Failure::NotOffered { unusable: None }, None),
    ] {
        assert_eq!(failure.retry_after(), expected, "{failure:?}");
    }
}

#[test]
fn a_cause_that_has_several_forms_has_one_reason() {
    let refused = |status: Status| Failure::Method(status.not_executed().into());
    for (failure, expected) in [
        (Failure::Busy, Reason::Busy),
        (Failure::Shed(ShedReason::Instance), Reason::Busy),
        (Failure::Shed(ShedReason::Adaptive), Reason::ShedAdaptive),
        (refused(Status::unavailable("")), Reason::Refused),
        (refused(Status::not_found("")), Reason::MethodFailed),
        (Failure::Method(Status::unavailable("").into()), Reason::MethodFailed),
        (Failure::Method(Status::deadline_exceeded("").into()), Reason::Deadline),
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
