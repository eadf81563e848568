//! What a context knows, and what goes along with calls.

use super::*;
use callgate_protocol::limits::MAX_METADATA;

fn arrived(entries: &[(&str, &[u8])]) -> Context {
    let mut came = MetadataBuf::default();
    assert!(entries.iter().all(|(name, value)| came.push_named(name, value)));
    let peer = Arc::new(Peer::at("10.0.0.5:40712".into()));
    Context::of_call(None, CallState::arrived(None, came.as_metadata(), &peer))
}

fn sent(cx: &Context, caller: Option<&str>) -> Vec<(String, String)> {
    let sent = metadata_of_call(Some(cx), caller).expect("it fits");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("is text");
    sent.as_metadata().iter().map(|(name, value)| (name.to_owned(), text(value))).collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn everybody_who_waits_hears_of_a_cancellation_and_late_ones_too() {
    let call = Arc::new(CallState::own());
    let cx = Context::of_call(None, call.clone());
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            tokio::spawn({
                let cx = cx.clone();
                async move { cx.cancelled().await }
            })
        })
        .collect();
    tokio::task::yield_now().await;
    call.cancel();
    for task in waiting {
        task.await.expect("the task does not panic");
    }
    cx.cancelled().await;
}

#[test]
fn the_earlier_deadline_counts() {
    let cx = Context::background().with_timeout(Duration::from_secs(1));
    let deadline = cx.deadline();
    assert_eq!(cx.clone().with_timeout(Duration::from_secs(9)).deadline(), deadline);
    assert!(cx.with_timeout(Duration::ZERO).deadline() < deadline);
}

#[test]
fn calls_of_a_served_call_end_a_little_before_it_and_others_do_not() {
    let ms = Duration::from_millis;
    for (left, given) in [(0, 0), (20, 19), (200, 190), (400, 380), (1000, 980), (3_600_000, 3_599_980)] {
        assert_eq!(without_held_back(ms(left)), ms(given), "{left} ms");
    }
    let now = Instant::now();
    let mut served = arrived(&[]);
    assert_eq!(served.deadline_of_calls(now), None);
    served.set_deadline(now + ms(100));
    assert_eq!(served.deadline_of_calls(now), Some(now + ms(95)));
    assert_eq!(served.deadline_of_calls(now + ms(200)), Some(now + ms(200)), "it has passed");
    let mut own = Context::background();
    own.set_deadline(now + ms(100));
    assert_eq!(own.deadline_of_calls(now), own.deadline());
}

#[test]
fn what_is_set_takes_the_place_of_what_came() {
    let mut cx = arrived(&[("tenant", b"blue"), ("x-raw", b"\xff\0"), ("request-id", b"r1")]);
    cx.set_metadata("Tenant", "red").expect("a good name");
    cx.set_metadata("tenant", "green").expect("a good name");
    assert_eq!((cx.metadata("tenant"), cx.metadata("TENANT")), (Some("green"), Some("green")));
    assert_eq!((cx.metadata("x-raw"), cx.metadata_bin("x-raw")), (None, Some(&b"\xff\0"[..])));
    assert_eq!(cx.metadata("absent"), None);
    let all: Vec<_> = cx.iter_metadata().collect();
    assert_eq!(all, [("tenant", &b"green"[..]), ("x-raw", b"\xff\0"), ("request-id", b"r1")]);
}

#[test]
fn what_is_set_goes_along_with_calls_and_of_what_came_request_id_and_trace() {
    let came =
        arrived(&[("request-id", b"r1"), ("traceparent", b"t1"), ("caller", b"web"), ("cookie", b"c")]);
    assert_eq!(sent(&came, None), pairs(&[("request-id", "r1"), ("traceparent", "t1")]));
    let cx = came.with_metadata("traceparent", "t2").expect("fits").with_metadata("tenant", "blue");
    let cx = cx.expect("fits");
    let expected = [("traceparent", "t2"), ("tenant", "blue"), ("request-id", "r1"), ("caller", "shop")];
    assert_eq!(sent(&cx, Some("shop")), pairs(&expected));
    let named = cx.with_metadata("caller", "audit").expect("fits");
    assert!(sent(&named, Some("shop")).contains(&("caller".into(), "audit".into())));
    assert_eq!(sent(&Context::background(), None), []);
    assert_eq!(metadata_of_call(None, None), Ok(MetadataBuf::default()));
}

#[test]
fn what_does_not_fit_is_an_error_and_changes_nothing() {
    let mut cx = Context::background();
    assert_eq!(cx.set_metadata("a b", "x"), Err(BadMetadata::Name("a b".into())));
    cx.set_metadata("tenant", "blue").expect("fits");
    let too_long = BadMetadata::TooLong { name: "tenant".into() };
    assert_eq!(cx.set_metadata("tenant", [0; MAX_METADATA]), Err(too_long.clone()));
    assert_eq!(cx.metadata("tenant"), Some("blue"));
    let told = too_long.to_string();
    assert!(told.contains("\"tenant\"") && told.contains("16384 bytes"), "{told}");
    // All that goes along has to fit too.
    let full = arrived(&[("request-id", &[b'r'; 200])]).with_metadata("x", [0; MAX_METADATA - 100]);
    let full = full.expect("fits by itself");
    let error = metadata_of_call(Some(&full), None).expect_err("is too long");
    assert_eq!(error, BadMetadata::TooLong { name: "request-id".into() });
}

#[test]
fn a_reply_is_one_for_all_clones_of_a_context_and_none_unless_it_is_asked_for() {
    let call = Arc::new(CallState::own());
    let cx = Context::of_call(None, call.clone());
    assert_eq!(call.reply_metadata(), None);
    cx.clone().reply().insert("X-Total-Count", "7").expect("fits");
    assert_eq!(cx.reply().get("x-total-count").as_deref(), Some("7"));
    let sent = call.reply_metadata().expect("was asked for");
    assert_eq!(sent.as_metadata().get("x-total-count"), Some(&b"7"[..]));
    assert_eq!(cx.reply().insert("", "7"), Err(BadMetadata::Name(String::new())));
}
