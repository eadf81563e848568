//! What a connection does that nobody reads or writes.

use super::*;
use crate::backends::stream::Stream;
use callgate_protocol::{Event, Inbound, Limits, Role};

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
