//! What becomes of a status: details, errors of other crates, what goes over the wire.

use super::*;
use std::io;
use std::sync::Mutex;
use std::time::Duration;

fn shown(status: &Status) -> String {
    status.cause.as_ref().map(|cause| cause.to_string()).unwrap_or_default()
}

#[test]
fn it_is_shown_with_its_code() {
    assert_eq!(Status::not_found("no order 7").to_string(), "not_found: no order 7");
}

#[test]
fn that_a_call_has_not_run_is_not_said_of_the_call_that_made_it() {
    let refused = Status::unavailable("full").not_executed();
    assert!(refused.clone().told(MetadataBuf::default()).not_executed);
    let heard = refused.into_heard();
    assert!(heard.not_executed && !heard.told(MetadataBuf::default()).not_executed);
    assert_eq!(Status::internal("ran").into_heard(), Status::internal("ran"));
}

#[test]
fn all_that_a_caller_is_told_comes_back() {
    let status = Status::new(Code::Aborted, "né")
        .with_details(&[1, 2])
        .with_error([7, 0])
        .with_retry_after_ms(1500)
        .not_executed();
    assert_eq!(Status::from(status.clone().told(MetadataBuf::default())), status);
}

#[test]
fn details_are_any_value_that_json_can_write() {
    let with = |details: &dyn Fn(Status) -> Status| details(Status::aborted("no")).details;
    assert_eq!(with(&|status| status.with_details("a text")).as_deref(), Some("\"a text\""));
    assert_eq!(with(&|status| status.with_details(&(1, true))).as_deref(), Some("[1,true]"));
    let by_list = std::collections::HashMap::from([(vec![1], 2)]);
    assert_eq!(with(&|status| status.with_details(&by_list)), None, "JSON has no such key");
    let status = Status::aborted("no").with_details(&(1, true));
    assert_eq!(status.details_as::<(u8, bool)>(), Some((1, true)));
    assert_eq!(status.details_as::<String>(), None);
    assert_eq!(Status::aborted("no").details_as::<String>(), None);
}

#[test]
fn what_an_error_says_is_for_the_log_and_not_for_the_caller() {
    fn read() -> Result<(), Status> {
        Err(io::Error::other("/etc/secret is gone"))?
    }
    let status = read().expect_err("it fails");
    assert_eq!(status.code, Code::Internal);
    assert_eq!(shown(&status), "/etc/secret is gone");
    assert!(status.source().is_some_and(|source| source.is::<io::Error>()));
    let told = format!("{status} {:?}", status.clone().told(MetadataBuf::default()));
    assert!(!told.contains("secret"), "{told}");
}

#[test]
fn the_usual_errors_become_internal() {
    fn parse(text: &str) -> Result<u32, Status> {
        Ok(text.parse::<u32>()?)
    }
    fn json(text: &str) -> Result<u32, Status> {
        Ok(serde_json::from_str(text)?)
    }
    fn utf8(bytes: &[u8]) -> Result<&str, Status> {
        Ok(std::str::from_utf8(bytes)?)
    }
    fn boxed() -> Result<(), Status> {
        let error: Box<dyn Error + Send + Sync> = "no".into();
        Err(error)?
    }
    let all = [parse("x").err(), json("{").err(), utf8(&[0xff]).err(), boxed().err()];
    for status in all.into_iter().map(|status| status.expect("each fails")) {
        assert_eq!(status.code, Code::Internal);
        assert!(!shown(&status).is_empty());
    }
}

#[test]
fn a_poisoned_lock_is_internal() {
    let lock = Mutex::new(1);
    let panicked = std::thread::scope(|scope| {
        let holder = scope.spawn(|| {
            let _held = lock.lock().expect("nobody has panicked yet");
            panic!("while it is held");
        });
        holder.join().is_err()
    });
    assert!(panicked);
    let read = || -> Result<i32, Status> { Ok(*lock.lock()?) };
    let status = read().expect_err("it is poisoned");
    assert_eq!(status.code, Code::Internal);
    assert!(shown(&status).contains("poisoned"), "{}", shown(&status));
}

#[tokio::test(start_paused = true)]
async fn a_time_limit_that_has_passed_is_no_fault_of_the_service() {
    let late = tokio::time::timeout(Duration::from_secs(1), std::future::pending::<()>()).await;
    let status = late.map_err(Status::from).expect_err("it is never there");
    assert_eq!(status.code, Code::DeadlineExceeded);
}

#[test]
fn a_status_that_travelled_as_any_error_is_itself_again() {
    let boxed: Box<dyn Error + Send + Sync> = Box::new(Status::not_found("no order 7"));
    assert_eq!(Status::from(boxed), Status::not_found("no order 7"));
}

#[test]
fn a_cause_is_told_with_all_that_led_to_it_and_nothing_twice() {
    #[derive(Debug)]
    struct Outer(&'static str, io::Error);
    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }
    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.1)
        }
    }
    for (says, expected) in [("cannot read", "cannot read: gone"), ("cannot read: gone", "cannot read: gone")]
    {
        assert_eq!(shown(&Status::from_error(Outer(says, io::Error::other("gone")))), expected);
    }
}

#[test]
fn a_cause_is_for_the_log_once() {
    let status = Status::from_error("gone");
    let passed_on = status.clone();
    assert_eq!(status.untold_cause().map(|cause| cause.to_string()).as_deref(), Some("gone"));
    assert!(status.untold_cause().is_none() && passed_on.untold_cause().is_none());
    assert!(passed_on.source().is_some(), "a layer can still see it");
}
