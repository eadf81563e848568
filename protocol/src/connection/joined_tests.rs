//! A connector and an acceptor, back to back over two pipes that hold little: whatever happens, every call has one outcome, nothing
//! is mixed up, no bound is passed, and neither waits for the other for ever.

use super::{Acceptor, Answer, Asked, Connector, NotSent, Refusal, Said};
use crate::call::CallHead;
use crate::limits::Limits;
use crate::metadata::Metadata;
use crate::status::{Code, Status};
use crate::{CallId, Event, Hello, Inbound, Role};
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;

/// Bytes on their way, of which there can be so many.
pub(super) struct Pipe {
    pub(super) bytes: VecDeque<u8>,
    pub(super) capacity: usize,
}

/// A side's bytes that the pipe has not taken, and those that have come and are no whole frame.
#[derive(Default)]
pub(super) struct Buffers {
    output: Vec<u8>,
    written: usize,
    unread: Vec<u8>,
}

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// A call with so many bytes of arguments, for as many bytes of a result, and for so long.
    Call(usize, usize, u32),
    Cancel(usize),
    /// The acceptor answers one of its calls: succeeds or fails.
    Answer(usize, bool),
    Tick,
    Ping,
    GoAway,
    /// Either side writes or reads what it can.
    Client,
    Server,
}

fn step() -> impl Strategy<Value = Step> {
    let size = || prop_oneof![0..50_usize, 900..1200_usize, 3000..9000_usize];
    prop_oneof![
        8 => (size(), size(), 1..60_u32).prop_map(|(arguments, result, time)| Step::Call(arguments, result, time)),
        2 => any::<usize>().prop_map(Step::Cancel),
        6 => (any::<usize>(), prop::bool::weighted(0.8)).prop_map(|(at, good)| Step::Answer(at, good)),
        2 => Just(Step::Tick),
        1 => Just(Step::Ping),
        8 => Just(Step::Client),
        8 => Just(Step::Server),
    ]
}

/// All of a connection.
struct World {
    connector: Connector<u64, u32>,
    acceptor: Acceptor<u32, u32>,
    client: (Inbound, Buffers),
    server: (Inbound, Buffers),
    to_server: Pipe,
    to_client: Pipe,
    now: u32,
    /// By what they were made with: the number, the expected result, and how often they have ended.
    calls: BTreeMap<u64, (u32, usize, u32)>,
    /// Calls that the acceptor's owner has: their numbers, and what their arguments ask for.
    running: Vec<(u32, u64, usize)>,
    /// The connector has given calls up.
    gave_up: bool,
    limits: Limits,
}

fn limits() -> Limits {
    Limits { max_frame: 1024, max_message: 10_000, max_calls: 8, window: 10_000 }.clamped()
}

impl World {
    fn new(capacity: usize) -> World {
        let limits = limits();
        let hello = Hello::new("", limits, Vec::new());
        let pipe = || Pipe { bytes: VecDeque::new(), capacity };
        World {
            connector: Connector::new(&hello),
            acceptor: Acceptor::new(&hello),
            client: (Inbound::new(Role::Connector, limits), Buffers::default()),
            server: (Inbound::new(Role::Acceptor, limits), Buffers::default()),
            to_server: pipe(),
            to_client: pipe(),
            now: 0,
            calls: BTreeMap::new(),
            running: Vec::new(),
            gave_up: false,
            limits,
        }
    }

    fn end(&mut self, id: u64) {
        let (_, _, ends) = self.calls.get_mut(&id).expect("it was made");
        *ends += 1;
        assert_eq!(*ends, 1, "one outcome");
    }

    fn call(&mut self, arguments: usize, result: usize, time: u32) {
        let id = self.calls.len() as u64 + 1;
        let head =
            CallHead { call_id: CallId::of("s", "m"), timeout_ms: Some(time), metadata: Metadata::default() };
        let sent = self.connector.call(&head, self.now + time, id, |out| {
            out.extend_from_slice(&id.to_le_bytes());
            out.extend_from_slice(&(result as u64).to_le_bytes());
            out.resize(out.len() + arguments, id as u8);
            Ok::<_, Infallible>(None)
        });
        match sent {
            Ok(number) => drop(self.calls.insert(id, (number, result, 0))),
            Err(NotSent::Full | NotSent::Closed) => {}
            Err(other) => panic!("{other:?}"),
        }
        assert!(self.connector.in_flight() <= self.limits.max_calls as usize);
    }

    fn answer(&mut self, at: usize, good: bool) {
        if self.running.is_empty() {
            return;
        }
        let (number, id, result) = self.running.swap_remove(at % self.running.len());
        if good {
            self.acceptor.reply(number, Metadata::default(), &mut vec![id as u8; result], None);
        } else {
            self.acceptor.fail(number, &Status::aborted(id.to_string()));
        }
    }

    /// The client writes and reads what it can. Says whether anything has moved.
    fn client(&mut self) -> bool {
        let wrote =
            write(&mut self.client.1, &mut self.to_server, |buffer| self.connector.take_output(buffer));
        let read = read(&mut self.to_client, &mut self.client.1);
        let mut ended = Vec::new();
        while let Some(said) = take(&mut self.client, |event| {
            let said = self.connector.on_event(event).expect("the server keeps the protocol");
            match said {
                Said::Answered(call, answer) => {
                    let (_, result, _) = self.calls[&call.value];
                    match answer {
                        Answer::Reply { payload, .. } => {
                            assert_eq!(payload.len(), result);
                            assert!(payload.iter().all(|byte| *byte == call.value as u8), "its own result");
                        }
                        Answer::Failure(status) => {
                            let own = status.message == call.value.to_string();
                            assert!(own || status.code != Code::Aborted, "its own failure");
                        }
                        // Whoever keeps to the window is refused nothing.
                        Answer::TooLarge | Answer::NoRoom | Answer::End { .. } => panic!("{answer:?}"),
                    }
                    vec![call.value]
                }
                Said::GoAway { refused, .. } => refused.into_iter().map(|call| call.value).collect(),
                _ => Vec::new(),
            }
        }) {
            ended.extend(said);
        }
        ended.into_iter().for_each(|id| self.end(id));
        wrote || read
    }

    /// The same for the server.
    fn server(&mut self) -> bool {
        let wrote =
            write(&mut self.server.1, &mut self.to_client, |buffer| self.acceptor.take_output(buffer));
        let read = read(&mut self.to_server, &mut self.server.1);
        let (acceptor, running, now, gave_up) =
            (&mut self.acceptor, &mut self.running, self.now, self.gave_up);
        while take(&mut self.server, |event| {
            match acceptor.on_event(event).expect("the client keeps the protocol") {
                Asked::Call { number, head, payload } => {
                    let word =
                        |at: usize| u64::from_le_bytes(payload[at..at + 8].try_into().expect("eight bytes"));
                    let id = word(0);
                    assert!(payload[16..].iter().all(|byte| *byte == id as u8), "its own arguments");
                    let deadline = head.timeout_ms.map(|time| now + time);
                    assert_eq!(acceptor.run(number, deadline, number), None);
                    running.push((number, id, word(8) as usize));
                }
                Asked::Stop(number) => running.retain(|(at, ..)| *at != number),
                // An honest peer keeps to all bounds. Only the answers to calls that it gave up may wait beside the others.
                Asked::Refuse { number, why: Refusal::TooManyCalls } if gave_up => {
                    acceptor.refuse(number, Status::unavailable("full")).expect("few are refused");
                }
                Asked::Refuse { why, .. } => panic!("{why:?}"),
                Asked::Item { .. } | Asked::End { .. } => panic!("nobody streams"),
                Asked::Schema(_) | Asked::Hello(_) | Asked::Nothing => {}
            }
        })
        .is_some()
        {}
        assert!(self.acceptor.open_calls() <= self.limits.max_calls as usize);
        wrote || read
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Call(arguments, result, time) => self.call(arguments, result, time),
            Step::Cancel(at) => {
                let open: Vec<_> = self.calls.iter().filter(|(_, (.., ends))| *ends == 0).collect();
                if let Some((id, (number, ..))) = open.get(at % open.len().max(1)) {
                    let (id, number) = (**id, *number);
                    assert_eq!(self.connector.cancel(number).map(|call| call.value), Some(id));
                    self.gave_up = true;
                    self.end(id);
                }
            }
            Step::Answer(at, good) => self.answer(at, good),
            Step::Tick => {
                self.now += 10;
                for call in self.connector.expire(self.now) {
                    self.gave_up = true;
                    self.end(call.value);
                }
                let late = self.acceptor.expire(self.now);
                self.running.retain(|(number, ..)| !late.contains(number));
            }
            Step::Ping => {
                self.connector.ping();
                self.acceptor.ping();
            }
            Step::GoAway => self.acceptor.drain(self.server.0.last_call(), "enough"),
            Step::Client => drop(self.client()),
            Step::Server => drop(self.server()),
        }
    }

    /// Lets everything come to its end: the acceptor answers all, and both sides write and read.
    fn settle(&mut self) {
        loop {
            let moved = [self.client(), self.server()].contains(&true);
            if !moved && self.running.is_empty() {
                return;
            }
            while !self.running.is_empty() {
                self.answer(0, true);
            }
        }
    }
}

pub(super) fn write(buffers: &mut Buffers, pipe: &mut Pipe, mut next: impl FnMut(&mut Vec<u8>)) -> bool {
    let mut moved = false;
    loop {
        if buffers.written == buffers.output.len() {
            buffers.written = 0;
            next(&mut buffers.output);
            if buffers.output.is_empty() {
                return moved;
            }
        }
        let n = (pipe.capacity - pipe.bytes.len()).min(buffers.output.len() - buffers.written);
        if n == 0 {
            return moved;
        }
        pipe.bytes.extend(&buffers.output[buffers.written..buffers.written + n]);
        buffers.written += n;
        moved = true;
    }
}

pub(super) fn read(pipe: &mut Pipe, buffers: &mut Buffers) -> bool {
    let moved = !pipe.bytes.is_empty();
    buffers.unread.extend(pipe.bytes.drain(..));
    moved
}

/// Takes the next event; `None` when no whole frame is left.
pub(super) fn take<R>(
    (inbound, buffers): &mut (Inbound, Buffers),
    handle: impl FnOnce(Event<'_>) -> R,
) -> Option<R> {
    let (mut at, mut handle) = (0, Some(handle));
    let mut result = None;
    while result.is_none() {
        let (taken, event) = inbound.next(&buffers.unread[at..]).expect("both sides keep the protocol");
        if taken == 0 {
            break;
        }
        at += taken;
        result = event.and_then(|event| handle.take().map(|handle| handle(event)));
    }
    buffers.unread.drain(..at);
    result
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_call_has_one_outcome(
        capacity in prop_oneof![1..40_usize, 100..5000_usize],
        steps in prop::collection::vec(step(), 0..120),
        more in prop::collection::vec(step(), 0..40),
        goes_away in any::<bool>(),
    ) {
        let mut world = World::new(capacity);
        steps.iter().for_each(|step| world.step(step));
        if goes_away {
            world.step(&Step::GoAway);
        }
        more.iter().for_each(|step| world.step(step));
        world.settle();
        prop_assert_eq!(world.connector.in_flight(), 0);
        prop_assert_eq!(world.acceptor.open_calls(), 0);
        prop_assert!(world.calls.values().all(|(.., ends)| *ends == 1), "{:?}", world.calls);
        prop_assert!(world.connector.is_empty() && world.acceptor.is_empty());
    }

    #[test]
    fn a_lost_connection_ends_all_calls_and_says_truly_which_have_not_run(
        capacity in 1..3000_usize,
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let mut world = World::new(capacity);
        let mut ran = std::collections::BTreeSet::new();
        for step in &steps {
            world.step(step);
            ran.extend(world.running.iter().map(|(_, id, _)| *id));
        }
        let lost = world.connector.lose();
        for call in &lost.unsent {
            prop_assert!(!ran.contains(&call.value));
        }
        for call in lost.unsent.into_iter().chain(lost.sent) {
            world.end(call.value);
        }
        prop_assert!(world.calls.values().all(|(.., ends)| *ends == 1));
    }
}
