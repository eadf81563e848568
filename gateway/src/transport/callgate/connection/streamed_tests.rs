//! Calls that stream, on a connection without a socket: the test is the instance.

use super::*;
use crate::failure::Failure;
use crate::transport::slot::Item;
use crate::transport::{BodyStream, Heard, MAX_STREAM, PendingReply, Piece, Progress};
use callgate_protocol::schema::{MethodSchema, Type};
use callgate_protocol::{Code, Event, Inbound, Metadata, ProtocolError, Role, Status, Streaming};
use std::future::{Future, poll_fn};
use std::task::{Context, Poll, Waker};
use tokio::sync::mpsc;
use tokio::task::{LocalSet, yield_now};

/// Items that one side may send before the other gives it credit for more.
const ITEMS: u32 = 512;
const SECOND: Duration = Duration::from_secs(1);
const OUT: Streaming = Streaming { caller: false, service: true };
const IN: Streaming = Streaming { caller: true, service: false };
const BOTH: Streaming = Streaming { caller: true, service: true };

/// A connection, and the instance at its other end.
struct Net {
    conn: Rc<Connection>,
    inbound: Inbound,
}

impl Net {
    /// To an instance whose method streams so: items are strings, a whole result is a number.
    fn new(streams: Streaming) -> Net {
        let response = if streams.service { Type::String } else { Type::U64 };
        let request_items = streams.caller.then_some(Type::String);
        let schema = MethodSchema { request_items, ..testing::schema(response) };
        let inbound = Inbound::of(Role::Acceptor, &testing::speaking("peer", Vec::new()), None);
        let mut net = Net { conn: testing::streaming(streams, schema), inbound };
        assert_eq!(net.heard(), ["HELLO"]);
        net
    }

    fn call(&self, body: Body<'_>) -> PendingReply {
        let now = Instant::now();
        let times = Times { now, deadline: now + SECOND, stream: MAX_STREAM };
        testing::call(&self.conn, body, times).expect("it fits the schema")
    }

    fn says(&self, event: Event<'_>) {
        assert!(matches!(self.conn.on_event(event), Ok(None)));
    }

    /// An item is a string.
    fn item(&self, number: u32, text: &str) {
        let payload = [&[text.len() as u8], text.as_bytes()].concat();
        self.says(Event::Item { number, payload: &payload });
    }

    fn end(&self, number: u32) {
        self.says(Event::End { number, metadata: Metadata::default() });
    }

    /// What the instance hears, and whose turn it is then.
    fn heard(&mut self) -> Vec<String> {
        let mut heard = Vec::new();
        loop {
            let mut bytes = self.conn.machine.borrow_mut().chunk().to_vec();
            if bytes.is_empty() {
                break;
            }
            self.conn.machine.borrow_mut().advance(bytes.len());
            while let (taken @ 1.., event) = self.inbound.next(&bytes).expect("well-formed") {
                heard.extend(event.map(shown));
                bytes.drain(..taken);
            }
        }
        self.conn.give_turns();
        heard
    }
}

fn shown(event: Event<'_>) -> String {
    match event {
        Event::Hello(_) => "HELLO".to_owned(),
        Event::Call { number, head, .. } => format!("CALL {number} {}", head.timeout_ms.unwrap_or_default()),
        Event::Item { number, payload } => {
            format!("ITEM {number} {}", String::from_utf8_lossy(&payload[1..]))
        }
        Event::End { number, .. } => format!("END {number}"),
        Event::Cancel { number } => format!("CANCEL {number}"),
        Event::Credit { number, items, bytes } => format!("CREDIT {number} {items} {bytes}"),
        other => format!("{other:?}"),
    }
}

/// What has come of a call by now.
fn progress(call: &mut PendingReply) -> Option<Progress> {
    match call.poll_heard(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Heard::Progress(progress)) => Some(progress),
        _ => None,
    }
}

/// The next item or end of a reply that has begun.
fn next(call: &mut PendingReply) -> Option<String> {
    match call.poll_item(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Item::Data(json, _)) => Some(String::from_utf8_lossy(&json).into_owned()),
        Poll::Ready(Item::Long(reply)) => Some(format!("{reply:?}")),
        Poll::Ready(Item::End(ended)) => Some(format!("{:?}", ended.outcome)),
        Poll::Pending => None,
    }
}

#[tokio::test(start_paused = true)]
async fn items_become_json_when_they_are_taken_and_the_instance_has_credit_for_others_then() {
    let mut net = Net::new(OUT);
    let mut call = net.call(Body::Whole(b""));
    assert!(call.is_in_items() && call.streams());
    assert_eq!(net.heard(), ["CALL 1 3601000"], "it has the stream's time");
    assert!(progress(&mut call).is_none());
    (0..ITEMS).for_each(|n| net.item(1, &format!("{n:03}")));
    assert!(matches!(progress(&mut call), Some(Progress::Begun(_))));
    assert!(net.heard().is_empty(), "nobody has taken one");
    let half = ITEMS / 2;
    for n in 0..ITEMS {
        assert_eq!(next(&mut call), Some(format!("\"{n:03}\"")));
        let credit =
            if n % half == half - 1 { vec![format!("CREDIT 1 {half} {}", half * 4)] } else { vec![] };
        assert_eq!(net.heard(), credit, "{n}");
    }
    assert_eq!(next(&mut call), None);
    net.item(1, "last");
    net.end(1);
    assert_eq!((next(&mut call).as_deref(), net.conn.in_flight()), (Some("\"last\""), 0));
    assert_eq!(next(&mut call).as_deref(), Some("Complete"));
    drop(call);
    assert!(net.heard().is_empty(), "it is over");
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_sends_more_than_it_may_has_broken_the_protocol() {
    let net = Net::new(OUT);
    let _call = net.call(Body::Whole(b""));
    (0..ITEMS).for_each(|_| net.item(1, "x"));
    let beyond = net.conn.on_event(Event::Item { number: 1, payload: b"\x01x" });
    assert!(matches!(beyond, Err(ProtocolError::BeyondCredit(1))));
}

#[tokio::test(start_paused = true)]
async fn what_fails_before_the_first_item_is_no_stream_and_a_stream_of_no_items_is_one() {
    let failure = || Event::Failure { number: 1, status: Status::not_found("") };
    let net = Net::new(OUT);
    let mut call = net.call(Body::Whole(b""));
    net.says(failure());
    let Some(Progress::Ended(ended)) = progress(&mut call) else { panic!("it has failed") };
    assert!(matches!(ended.outcome, Outcome::Failed(failure) if failure.status.code == Code::NotFound));

    let net = Net::new(OUT);
    let mut call = net.call(Body::Whole(b""));
    net.end(1);
    assert!(matches!(progress(&mut call), Some(Progress::Begun(_))));
    assert_eq!(next(&mut call).as_deref(), Some("Complete"));

    let net = Net::new(OUT);
    let mut call = net.call(Body::Whole(b""));
    net.item(1, "a");
    net.says(failure());
    assert!(matches!(progress(&mut call), Some(Progress::Begun(_))));
    assert_eq!(next(&mut call).as_deref(), Some("\"a\""));
    assert!(next(&mut call).is_some_and(|end| end.starts_with("Failed")));
}

#[tokio::test(start_paused = true)]
async fn a_reply_may_count_as_begun_before_anything_has_come() {
    let net = Net::new(OUT);
    let mut call = net.call(Body::Whole(b""));
    assert!(matches!(call.begin(), Progress::Begun(begun) if begun.disturbed));
    assert_eq!((next(&mut call), progress(&mut call).is_none()), (None, true));
    net.item(1, "a");
    assert_eq!(next(&mut call).as_deref(), Some("\"a\""));

    // What has come is heard.
    let net = Net::new(OUT);
    let mut call = net.call(Body::Whole(b""));
    net.item(1, "a");
    assert!(matches!(call.begin(), Progress::Begun(begun) if !begun.disturbed));
    let mut other = net.call(Body::Whole(b""));
    net.says(Event::Failure { number: 2, status: Status::not_found("") });
    assert!(matches!(other.begin(), Progress::Ended(_)));
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_no_value_ends_the_call_and_the_instance_hears_of_it() {
    for wrong in [&b""[..], b"\x02x", b"\x01xy", b"\x02\xc3\x28"] {
        let mut net = Net::new(OUT);
        let mut call = net.call(Body::Whole(b""));
        net.item(1, "a");
        net.says(Event::Item { number: 1, payload: wrong });
        net.item(1, "b");
        net.heard();
        assert!(matches!(progress(&mut call), Some(Progress::Begun(_))));
        assert_eq!(next(&mut call).as_deref(), Some("\"a\""));
        assert!(next(&mut call).is_some_and(|end| end.starts_with("BadReply")), "{wrong:?}");
        assert_eq!((net.heard(), net.conn.in_flight()), (vec!["CANCEL 1".to_owned()], 0));
        net.item(1, "c");
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_item_is_for_its_reader_to_make() {
    let net = Net::new(OUT);
    let mut call = net.call(Body::Whole(b""));
    let bytes = vec![7; 100_000];
    net.conn.hand_over(events::Long::Item(1), bytes, None);
    assert!(matches!(progress(&mut call), Some(Progress::Begun(_))));
    assert!(next(&mut call).is_some_and(|item| item.contains("100000")));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_that_of_the_first_item_and_then_that_of_the_stream() {
    let net = Net::new(OUT);
    let _calls = [net.call(Body::Whole(b"")), net.call(Body::Whole(b""))];
    net.item(2, "a");
    net.conn.expire(Instant::now() + SECOND);
    assert_eq!(net.conn.in_flight(), 1);
    net.conn.expire(Instant::now() + MAX_STREAM - SECOND);
    assert_eq!(net.conn.in_flight(), 1);
    net.conn.expire(Instant::now() + MAX_STREAM);
    assert_eq!(net.conn.in_flight(), 0);
}

/// Runs a test in which items of requests are sent.
async fn local(test: impl Future<Output = ()>) {
    LocalSet::new().run_until(test).await;
}

/// A body of which the test brings the pieces.
fn body() -> (mpsc::Sender<Piece>, BodyStream) {
    let (bring, pieces) = mpsc::channel(100);
    (bring, BodyStream::new(pieces))
}

fn item(json: &str) -> Piece {
    Piece::Item(json.to_owned().into())
}

async fn bring(to: &mpsc::Sender<Piece>, pieces: impl IntoIterator<Item = Piece>) {
    for piece in pieces {
        to.send(piece).await.expect("somebody reads");
    }
    settle().await;
}

async fn settle() {
    for _ in 0..3 {
        yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_items_of_a_request_are_sent_as_they_come_and_its_end_behind_them() {
    local(async {
        let mut net = Net::new(IN);
        let (to, stream) = body();
        let sent = Rc::new(Cell::new(0));
        let count = sent.clone();
        stream.tell(Rc::new(move || count.set(count.get() + 1)));
        let mut call = net.call(Body::Stream(&stream, &[]));
        assert!(stream.begin().is_none() && call.streams() && !call.is_in_items());
        assert_eq!(net.heard(), ["CALL 1 3601000"]);
        bring(&to, [item("\"a\""), item(" \"b\" ")]).await;
        assert_eq!((net.heard(), sent.get()), (vec!["ITEM 1 a".to_owned(), "ITEM 1 b".to_owned()], 2));
        bring(&to, [item("\"c\""), Piece::End]).await;
        assert_eq!(net.heard(), ["ITEM 1 c", "END 1"]);
        net.says(Event::Reply { number: 1, metadata: Metadata::default(), payload: b"\x03" });
        let Some(Progress::Ended(ended)) = progress(&mut call) else { panic!("it has ended") };
        assert!(matches!(ended.outcome, Outcome::Reply(_)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_whole_body_has_no_items() {
    let mut net = Net::new(BOTH);
    let call = net.call(Body::Whole(b""));
    assert_eq!(net.heard(), ["CALL 1 3601000", "END 1"]);
    drop(call);
    assert_eq!(net.heard(), ["CANCEL 1"]);
}

#[tokio::test(start_paused = true)]
async fn items_of_a_request_wait_for_credit() {
    local(async {
        let mut net = Net::new(IN);
        let (to, stream) = body();
        let _call = net.call(Body::Stream(&stream, &[]));
        for _ in 0..ITEMS {
            bring(&to, [item("\"x\"")]).await;
        }
        assert_eq!(net.heard().len(), 1 + ITEMS as usize);
        bring(&to, (0..4).map(|_| item("\"x\""))).await;
        settle().await;
        assert!(net.heard().is_empty());
        net.says(Event::Credit { number: 1, items: 3, bytes: 100 });
        net.conn.give_turns();
        settle().await;
        assert_eq!(net.heard().len(), 3);
        bring(&to, [Piece::End]).await;
        assert!(net.heard().is_empty(), "the end stands behind the last item");
        net.says(Event::Credit { number: 1, items: 3, bytes: 100 });
        net.conn.give_turns();
        settle().await;
        assert_eq!(net.heard(), ["ITEM 1 x", "END 1"]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_does_not_come_to_its_end_ends_its_call_and_says_why() {
    /// What comes behind an item, and what the call comes to.
    type Case = (fn() -> Option<Piece>, fn(&Failure) -> bool);
    let cases: [Case; 4] = [
        (
            || Some(item("1")),
            |why| matches!(why, Failure::Invalid(all) if all[0].pointer == "/1" && all[0].line.is_none()),
        ),
        (|| Some(item("{")), |why| matches!(why, Failure::Invalid(_))),
        (|| Some(Piece::Failed(Box::new(Failure::BodyTimeout))), |why| matches!(why, Failure::BodyTimeout)),
        (|| None, |why| matches!(why, Failure::ClientGone)),
    ];
    local(async {
        for streams in [IN, BOTH] {
            for (piece, is_why) in cases {
                let mut net = Net::new(streams);
                let (to, stream) = body();
                let mut call = net.call(Body::Stream(&stream, &[]));
                bring(&to, [item("\"a\"")].into_iter().chain(piece())).await;
                drop(to);
                settle().await;
                assert_eq!(net.heard(), ["CALL 1 3601000", "ITEM 1 a", "CANCEL 1"]);
                let Some(Progress::Ended(ended)) = progress(&mut call) else { panic!("it has ended") };
                let Outcome::Unfinished(why) = ended.outcome else { panic!("{:?}", ended.outcome) };
                assert!(is_why(&why), "{why:?}");
            }
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn nobody_reads_items_of_a_call_that_is_over_or_was_given_up() {
    local(async {
        for given_up in [true, false] {
            let mut net = Net::new(BOTH);
            let (to, stream) = body();
            let mut call = net.call(Body::Stream(&stream, &[]));
            bring(&to, [item("\"a\"")]).await;
            net.heard();
            if !given_up {
                net.end(1);
                assert!(matches!(progress(&mut call), Some(Progress::Begun(_))));
                assert_eq!(next(&mut call).as_deref(), Some("Complete"));
            }
            drop(call);
            settle().await;
            assert!(to.is_closed());
            let heard: &[&str] = if given_up { &["CANCEL 1"] } else { &[] };
            assert_eq!(net.heard(), heard);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn while_a_request_streams_its_calls_time_does_not_run_and_behind_its_end_it_does() {
    local(async {
        for (streams, is_in_time) in [(IN, false), (BOTH, false), (BOTH, true)] {
            let net = Net::new(streams);
            let (to, stream) = body();
            let _call = net.call(Body::Stream(&stream, &[]));
            net.conn.expire(Instant::now() + 10 * SECOND);
            assert_eq!(net.conn.in_flight(), 1);
            if is_in_time {
                net.item(1, "a");
            }
            bring(&to, [Piece::End]).await;
            net.conn.expire(Instant::now() + SECOND);
            assert_eq!(net.conn.in_flight() == 1, is_in_time);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_call_of_which_an_item_was_sent_is_lost_where_it_was_not_accepted() {
    local(async {
        for (items, expected) in [(0, "NotAccepted"), (1, "Lost")] {
            let net = Net::new(IN);
            let (to, stream) = body();
            let mut call = net.call(Body::Stream(&stream, &[]));
            bring(&to, (0..items).map(|_| item("\"a\""))).await;
            net.says(Event::GoAway { last_call: 0, reason: "deploy" });
            let Some(Progress::Ended(ended)) = progress(&mut call) else { panic!("it has ended") };
            assert_eq!(format!("{:?}", ended.outcome), expected);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_waits_is_woken_by_each_item_and_by_the_end() {
    local(async {
        let net = Net::new(OUT);
        let mut call = net.call(Body::Whole(b""));
        let reader = tokio::task::spawn_local(async move {
            let Heard::Progress(Progress::Begun(_)) = call.heard().await else { panic!("it begins") };
            let mut read = 0;
            while let Item::Data(..) = poll_fn(|cx| call.poll_item(cx)).await {
                read += 1;
            }
            read
        });
        for _ in 0..3 {
            settle().await;
            net.item(1, "a");
        }
        settle().await;
        net.end(1);
        assert_eq!(reader.await.expect("no panic"), 3);
    })
    .await;
}
