//! What a connection does that nobody reads or writes.

use super::*;
use crate::stream::AsyncStream;
use crate::transport::callgate::handshake::Channel;
use crate::transport::{Evidence, Heard, OnWritten, PendingReply, Progress};
use callgate_protocol::connection::MAX_UNREAD;
use callgate_protocol::{Event, Hello, Inbound, Limits, Metadata, Outbound, Role};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio::net::UnixStream;

/// The connection's task, which has begun and waits, and the other end of its socket.
async fn driven(conn: &Rc<Connection>) -> (Pin<Box<dyn Future<Output = End>>>, UnixStream) {
    let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    let inbound = Inbound::new(Role::Connector, Limits::default());
    let channel = Channel { stream: AsyncStream::Unix(ours), inbound, unread: Vec::new() };
    let mut task: Pin<Box<dyn Future<Output = End>>> = Box::pin(drive(conn.clone(), channel));
    tokio::select! {
        biased;
        _ = &mut task => panic!("nothing ends it"),
        () = std::future::ready(()) => {}
    }
    (task, theirs)
}

#[tokio::test]
async fn a_connection_takes_no_calls_when_its_task_is_gone() {
    let conn = testing::connection();
    let (task, _theirs) = driven(&conn).await;
    assert!(conn.has_room());
    drop(task);
    assert!(!conn.has_room());
}

#[test]
fn who_asks_without_end_and_does_not_read_is_left() {
    let conn = testing::connection();
    let answered = (0..MAX_UNREAD).take_while(|_| conn.on_event(Event::Ping([0; 8])).is_ok()).count();
    // Each answer takes more than its eight bytes.
    assert!((1000..MAX_UNREAD / 8).contains(&answered), "{answered}");
    assert!(conn.machine.borrow().backlog() < MAX_UNREAD + 1000);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_lies_in_the_socket_counts_though_the_deadline_is_over() {
    let conn = testing::connection();
    let mut calls = testing::occupy(&conn, 2);
    let (mut task, theirs) = driven(&conn).await;
    let mut peer = Outbound::new(&Hello::new("peer", Limits::default(), Vec::new()));
    peer.reply(1, Metadata::default(), |_| Ok::<_, ()>(None)).expect("an empty reply");
    assert_eq!(theirs.try_write(&peer.chunk().to_vec()).ok(), Some(peer.chunk().len()));
    // The task is not polled meanwhile: that is how a process that is stopped looks to it.
    tokio::time::advance(Duration::from_secs(2 * 3600)).await;
    for (call, in_time) in calls.iter_mut().zip([true, false]) {
        let said = tokio::select! {
            biased;
            _ = &mut task => panic!("nothing ends it"),
            said = call.heard() => said,
        };
        let Heard::Progress(Progress::Ended(ended)) = said else { panic!("{said:?}") };
        assert_eq!(matches!(ended.outcome, Outcome::Reply(_)), in_time, "{ended:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_broke_the_protocol_is_told_why_when_it_reads_and_calls_do_not_wait_for_that() {
    let conn = testing::connection();
    let mut calls = testing::occupy(&conn, 2);
    let (mut task, theirs) = driven(&conn).await;
    // More than the socket takes; and a call that is not sent.
    (0..100_000).for_each(|_| conn.machine.borrow_mut().ping());
    calls.append(&mut testing::occupy(&conn, 1));
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..4 {
        assert!(task.as_mut().poll(&mut cx).is_pending(), "it looks for more to write, and writes");
    }
    let mut peer = Outbound::new(&Hello::new("peer", Limits::default(), Vec::new()));
    peer.reply(77, Metadata::default(), |_| Ok::<_, ()>(None)).expect("an empty reply");
    assert_eq!(theirs.try_write(&peer.chunk().to_vec()).ok(), Some(peer.chunk().len()));
    while conn.accepts() {
        tokio::task::yield_now().await;
        assert!(task.as_mut().poll(&mut cx).is_pending(), "it waits until its peer reads");
    }
    let how = calls.iter_mut().map(|call| format!("{:?}", ended(call).outcome));
    assert_eq!(how.collect::<Vec<_>>(), ["Lost", "Lost", "NotAccepted"]);

    let (mut theirs, mut read) = (Some(theirs), Vec::new());
    let end = loop {
        // Time stands still as long as nothing sleeps.
        tokio::task::yield_now().await;
        if let Poll::Ready(end) = task.as_mut().poll(&mut cx) {
            break end;
        }
        theirs.take_if(|theirs| matches!(theirs.try_read_buf(&mut read), Ok(0)));
    };
    assert!(matches!(end, End::Protocol(_)), "{end:?}");
    let mut inbound = Inbound::new(Role::Acceptor, Limits::default());
    let (mut at, mut called, mut reason) = (0, 0, None);
    while let (taken @ 1.., event) = inbound.next(&read[at..]).expect("whole frames") {
        at += taken;
        match event {
            Some(Event::Call { .. }) => called += 1,
            Some(Event::GoAway { reason: why, .. }) => reason = Some(why.to_owned()),
            _ => {}
        }
    }
    assert_eq!((at, called), (read.len(), 2));
    assert!(reason.expect("it is told").contains("77"));
}

/// What a call that is polled once hears.
fn heard(call: &mut PendingReply) -> Poll<Heard> {
    call.poll_heard(&mut Context::from_waker(Waker::noop()))
}

/// How it has ended.
fn ended(call: &mut PendingReply) -> Ended {
    let Poll::Ready(Heard::Progress(Progress::Ended(ended))) = heard(call) else { panic!("it has ended") };
    ended
}

#[test]
fn calls_hear_once_when_their_instance_falls_silent_and_not_when_it_was_before() {
    let (conn, pace) = (testing::connection(), Duration::from_millis(100));
    let mut calls = testing::occupy(&conn, 2);
    for round in 0..2 {
        for _ in 0..4 {
            assert!(!conn.is_silent() && calls.iter_mut().all(|call| heard(call).is_pending()));
            conn.look(pace);
        }
        conn.look(pace);
        assert!(conn.is_silent());
        let mut later = testing::occupy(&conn, 1);
        assert!(heard(&mut later[0]).is_pending(), "round {round}");
        for call in &mut calls {
            assert!(matches!(heard(call), Poll::Ready(Heard::Silent)), "round {round}");
            assert!(heard(call).is_pending(), "once, round {round}");
        }
        conn.hears(Instant::now());
    }
}

#[test]
fn what_is_late_because_the_worker_was_away_says_nothing_of_the_instance() {
    for (away, evidence) in [(false, Evidence::Failed), (true, Evidence::Nothing)] {
        let conn = testing::connection();
        let began = Instant::now();
        let mut calls = testing::occupy(&conn, 3);
        let end = began + Duration::from_secs(3601);
        let mut now = began;
        while now < end && !away {
            now += Duration::from_millis(100);
            conn.worker.presence.see(now);
        }
        conn.expire(end);
        for call in &mut calls {
            let ended = ended(call);
            assert!(matches!(ended.outcome, Outcome::Late));
            assert_eq!((ended.disturbed, ended.outcome.evidence(ended.disturbed)), (away, evidence));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_instance_is_asked_once_until_it_gives_a_sign_and_then_again() {
    let (conn, sign) = (testing::connection(), Duration::from_millis(50));
    for round in 0..2 {
        tokio::time::advance(sign).await;
        let backlog = || conn.machine.borrow().backlog();
        let unasked = backlog();
        let asked = [conn.ask(), conn.ask()];
        let once = backlog();
        assert!(once > unasked && asked[0] == asked[1], "round {round}");
        assert_eq!((conn.ask(), backlog()), (asked[0], once), "round {round}");
        tokio::time::advance(sign).await;
        assert!(conn.heard_at() <= asked[0], "round {round}");
        conn.hears(Instant::now());
        assert!(conn.heard_at() > asked[0], "round {round}");
    }
}

#[test]
fn a_call_that_is_given_up_leaves_the_connection_and_says_how_long_it_was_under_way() {
    let conn = testing::connection();
    let mut calls = testing::occupy(&conn, 3);
    assert_eq!(conn.in_flight(), 3);
    let ended = calls[0].give_up().expect("it was under way");
    assert!(matches!(ended.outcome, Outcome::GivenUp { silent: false }), "{ended:?}");
    assert!(calls[0].give_up().is_none(), "once");
    drop(calls);
    assert_eq!(conn.in_flight(), 0);
}

#[test]
fn what_has_come_and_was_not_heard_has_come_all_the_same() {
    let conn = testing::connection();
    let mut calls = testing::occupy(&conn, 1);
    conn.on_event(Event::Failure { number: 1, status: callgate_protocol::Status::not_found("") })
        .expect("it is a call in flight");
    let ended = calls[0].give_up().expect("nobody has heard of it");
    assert!(matches!(ended.outcome, Outcome::Failed(_)), "{ended:?}");
}

#[test]
fn what_the_peer_says_of_a_call_ends_it_so() {
    use callgate_protocol::Status;
    let unavailable = || Status::unavailable("");
    type Said = fn(Status) -> Event<'static>;
    let events: [(Said, Status, &str); 5] = [
        (|status| Event::Failure { number: 1, status }, unavailable(), "Failed"),
        (|status| Event::Failure { number: 1, status }, unavailable().not_executed(), "Refused"),
        (|status| Event::Failure { number: 1, status }, Status::not_found("").not_executed(), "Failed"),
        (|_| Event::TooLarge { number: 1 }, unavailable(), "TooLarge"),
        (|_| Event::NoRoom { number: 1 }, unavailable(), "NoRoom"),
    ];
    for (event, status, expected) in events {
        let conn = testing::connection();
        let mut calls = testing::occupy(&conn, 1);
        conn.on_event(event(status)).expect("it is a call in flight");
        let ended = ended(&mut calls[0]);
        assert!(format!("{:?}", ended.outcome).starts_with(expected), "{ended:?}");
        assert_eq!(conn.in_flight(), 0);
    }
}

#[test]
fn calls_that_the_peer_has_not_accepted_or_that_have_not_left_have_not_run() {
    let conn = testing::connection();
    let mut calls = testing::occupy(&conn, 3);
    conn.on_event(Event::GoAway { last_call: 1, reason: "deploy" }).expect("it may go");
    assert!(heard(&mut calls[0]).is_pending() && !conn.accepts());
    for call in &mut calls[1..] {
        assert!(matches!(ended(call).outcome, Outcome::NotAccepted));
    }
    // Nothing was written.
    conn.on_end();
    assert!(matches!(ended(&mut calls[0]).outcome, Outcome::NotAccepted));
    let conn = testing::connection();
    let mut calls = testing::occupy(&conn, 1);
    let all = conn.machine.borrow_mut().chunk().len();
    conn.machine.borrow_mut().advance(all);
    conn.on_end();
    assert!(matches!(ended(&mut calls[0]).outcome, Outcome::Lost));
}

#[test]
fn a_body_that_is_a_stream_is_not_sent_to_a_method_that_takes_none_and_left_as_it_is() {
    use crate::transport::{BodyStream, MAX_STREAM};
    let conn = testing::connection();
    let stream = BodyStream::new(tokio::sync::mpsc::channel(1).1);
    let now = Instant::now();
    let times = Times { now, deadline: now + Duration::from_secs(1), stream: MAX_STREAM };
    let sent = testing::call(&conn, Body::Stream(&stream, &[]), times);
    assert!(matches!(sent, Err(Unsent::NotOffered)));
    assert_eq!((conn.in_flight(), stream.begin().is_some()), (0, true));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_call_to_be_written_is_told_when_its_last_byte_has_left() {
    let conn = testing::connection();
    let (mut task, theirs) = driven(&conn).await;
    let mut cx = Context::from_waker(Waker::noop());
    let told = Rc::<Cell<usize>>::default();
    let counts = told.clone();
    let on_written: OnWritten = Rc::new(move || counts.set(counts.get() + 1));
    let now = Instant::now();
    let times =
        Times { now, deadline: now + Duration::from_secs(3600), stream: crate::transport::MAX_STREAM };
    let call = || testing::call_told(&conn, Body::Whole(b""), times, Some(&on_written)).expect("it fits");
    let first = call();
    assert_eq!(told.get(), 0, "it lies in the buffer");
    assert!(task.as_mut().poll(&mut cx).is_pending());
    assert_eq!(told.get(), 1);
    drop(first);
    // More than the socket takes.
    (0..100_000).for_each(|_| conn.machine.borrow_mut().ping());
    let second = call();
    let mut read = Vec::new();
    for _ in 0..8 {
        assert!(task.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(told.get(), 1, "the peer does not read");
    while told.get() == 1 {
        tokio::task::yield_now().await;
        assert!(task.as_mut().poll(&mut cx).is_pending());
        read.clear();
        let _ = theirs.try_read_buf(&mut read);
    }
    assert_eq!((told.get(), conn.machine.borrow().is_empty()), (2, true));
    drop(second);
}
