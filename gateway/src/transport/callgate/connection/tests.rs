//! What a connection does that nobody reads or writes.

use super::*;
use crate::transport::callgate::stream::Stream;
use callgate_protocol::{Event, Hello, Inbound, Limits, Outbound, Role};
use std::task::{Context, Poll};

#[tokio::test]
async fn a_connection_takes_no_calls_when_its_task_is_gone() {
    let conn = testing::connection();
    let (ours, _theirs) = tokio::net::UnixStream::pair().expect("a pair of sockets");
    let inbound = Inbound::new(Role::Connector, Limits::default());
    let mut task = Box::pin(drive(conn.clone(), (Stream::Unix(ours), inbound, Vec::new())));
    tokio::select! {
        biased;
        _ = &mut task => panic!("nothing ends it"),
        () = std::future::ready(()) => {}
    }
    assert!(conn.has_room());
    drop(task);
    assert!(!conn.has_room());
}

#[test]
fn pings_without_end_fill_a_bounded_buffer() {
    let conn = testing::connection();
    for _ in 0..MAX_BACKLOG / 8 {
        conn.on_event(Event::Ping([0; 8])).expect("a ping is no offence");
    }
    assert!(conn.outbound.borrow().backlog() < MAX_BACKLOG + 100);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_lies_in_the_socket_counts_though_the_deadline_is_over() {
    let conn = testing::connection();
    let mut calls = testing::occupy(&conn, 2);
    let (ours, theirs) = tokio::net::UnixStream::pair().expect("a pair of sockets");
    let inbound = Inbound::new(Role::Connector, Limits::default());
    let mut task = Box::pin(drive(conn.clone(), (Stream::Unix(ours), inbound, Vec::new())));
    tokio::select! {
        biased;
        _ = &mut task => panic!("nothing ends it"),
        () = std::future::ready(()) => {}
    }
    let mut peer = Outbound::new(&Hello::new("peer", Limits::default(), Vec::new()));
    peer.reply(calls[0].number, |_| Ok::<(), ()>(())).expect("an empty reply");
    assert_eq!(theirs.try_write(peer.chunk()).ok(), Some(peer.chunk().len()));
    // The task is not polled meanwhile: that is how a process that is stopped looks to it.
    tokio::time::advance(Duration::from_secs(2 * 3600)).await;
    for (call, in_time) in calls.iter_mut().zip([true, false]) {
        let answer = tokio::select! {
            biased;
            _ = &mut task => panic!("nothing ends it"),
            answer = call => answer,
        };
        assert_eq!(matches!(answer, Answer::Json(_)), in_time, "{answer:?}");
    }
}

/// What a call that is polled once hears.
fn heard(call: &mut InFlight) -> Poll<Heard> {
    call.poll_heard(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn calls_hear_once_when_their_instance_falls_silent_and_not_when_it_was_before() {
    let (conn, pace) = (testing::connection(), Duration::from_millis(100));
    let mut calls = testing::occupy(&conn, 2);
    for round in 0..2 {
        for _ in 0..4 {
            assert!(!conn.is_doubtful() && calls.iter_mut().all(|call| heard(call).is_pending()));
            conn.look(pace);
        }
        conn.look(pace);
        assert!(conn.is_doubtful());
        let mut later = testing::occupy(&conn, 1);
        assert!(heard(&mut later[0]).is_pending(), "round {round}");
        for call in &mut calls {
            assert!(matches!(heard(call), Poll::Ready(Heard::Doubt)), "round {round}");
            assert!(heard(call).is_pending(), "once, round {round}");
        }
        conn.hears(Instant::now());
    }
}

#[test]
fn what_is_late_because_the_worker_was_away_says_nothing_of_the_instance() {
    for (away, failures) in [(false, 3), (true, 0)] {
        let conn = testing::connection();
        let began = Instant::now();
        let mut calls = testing::occupy(&conn, 3);
        let end = began + Duration::from_secs(3601);
        let mut now = began;
        while now < end && !away {
            now += Duration::from_millis(100);
            conn.presence.see(now);
        }
        conn.expire(end);
        for call in &mut calls {
            assert!(matches!(heard(call), Poll::Ready(Heard::Answer(Answer::Late))));
            assert_eq!(call.is_disturbed(), away);
        }
        assert_eq!(conn.monitor.health().failures(), (failures, failures), "away: {away}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_instance_is_asked_once_until_it_gives_a_sign_and_then_again() {
    let (conn, sign) = (testing::connection(), Duration::from_millis(50));
    let calls = testing::occupy(&conn, 2);
    for round in 0..2 {
        tokio::time::advance(sign).await;
        let unasked = conn.outbound.borrow().backlog();
        let asked: Vec<Instant> = calls.iter().map(InFlight::ask).collect();
        let once = conn.outbound.borrow().backlog();
        assert!(once > unasked && asked[0] == asked[1], "round {round}");
        assert_eq!((calls[0].ask(), conn.outbound.borrow().backlog()), (asked[0], once), "round {round}");
        assert!(!calls[0].has_no_sign(asked[0], sign), "round {round}");
        tokio::time::advance(sign).await;
        assert!(calls[0].has_no_sign(asked[0], sign), "round {round}");
        conn.hears(Instant::now());
        assert!(!calls[0].has_no_sign(asked[0], sign), "round {round}");
    }
}
