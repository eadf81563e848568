//! A connector and an acceptor, back to back, whose calls stream: whatever happens, every item comes once and in its order, each call
//! has one outcome, a reader's queue holds no more than its credit and one message, and who reads slowly stops nobody else.

use super::joined_tests::{Buffers, Pipe, read, take, write};
use super::streams::{NotPut, Turn};
use super::{Acceptor, Answer, Asked, Connector, NotSent, Refusal, Said};
use crate::call::CallHead;
use crate::limits::{Limits, StreamCredit};
use crate::metadata::Metadata;
use crate::status::{Code, Status};
use crate::{CallId, Hello, Inbound, Role, Streaming};
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// A call of that kind with so many bytes of arguments, which streams so many items each way, for so long.
    Call(Streaming, usize, u64, u32),
    /// Either side puts an item of so many bytes into one of its calls.
    Put(bool, usize, usize),
    /// The reader of a call at either side is done with its next item.
    Use(bool, usize),
    Cancel(usize),
    /// The acceptor answers one of its calls: succeeds if it has put all, or fails.
    Answer(usize, bool),
    Tick,
    GoAway,
    /// Either side writes and reads what it can.
    Client,
    Server,
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![6 => 0..50_usize, 2 => 900..1200_usize, 1 => 3000..9000_usize]
}

fn step() -> impl Strategy<Value = Step> {
    let kind = || (any::<bool>(), any::<bool>()).prop_map(|(caller, service)| Streaming { caller, service });
    prop_oneof![
        6 => (kind(), size(), 0..9_u64, 1..200_u32).prop_map(|(kind, size, items, time)| Step::Call(kind, size, items, time)),
        20 => (any::<bool>(), any::<usize>(), size()).prop_map(|(at, which, size)| Step::Put(at, which, size)),
        12 => (any::<bool>(), any::<usize>()).prop_map(|(at, which)| Step::Use(at, which)),
        1 => any::<usize>().prop_map(Step::Cancel),
        3 => (any::<usize>(), prop::bool::weighted(0.7)).prop_map(|(at, good)| Step::Answer(at, good)),
        1 => Just(Step::Tick),
        10 => Just(Step::Client),
        10 => Just(Step::Server),
    ]
}

/// A call's streams, as the owner of one side has them.
#[derive(Debug, Default)]
struct Half {
    /// Items that it is still to put, and those that it has.
    left: u64,
    put: u32,
    /// It was told to wait for its turn.
    asleep: bool,
    /// Items that have come, and the sizes of those that wait for the reader.
    got: u32,
    queue: VecDeque<usize>,
    /// The other side has said its end.
    all: bool,
}

impl Half {
    /// An item has come: it is the next one, it is this call's, and the queue holds what it may.
    fn hear(&mut self, id: u64, payload: &[u8], credit: StreamCredit) {
        assert_eq!(payload[..4], self.got.to_le_bytes(), "in order");
        assert!(payload[4..].iter().all(|byte| *byte == id as u8), "its own");
        assert!(!self.all, "nothing after the end");
        self.got += 1;
        let before: usize = self.queue.iter().sum();
        assert!(self.queue.len() < credit.items as usize && before < credit.bytes as usize, "credit is kept");
        self.queue.push_back(payload.len());
    }

    fn item(&self, id: u64, size: usize) -> Vec<u8> {
        let mut item = self.put.to_le_bytes().to_vec();
        item.resize(4 + size, id as u8);
        item
    }
}

/// A call, and both its sides.
#[derive(Debug)]
struct Call {
    number: u32,
    streaming: Streaming,
    ends: u32,
    client: Half,
    /// While the method runs.
    server: Option<Half>,
    /// Items that the method had put and got when it answered, if it did.
    answered: Option<(u32, u32)>,
}

struct World {
    connector: Connector<u64, u32>,
    acceptor: Acceptor<u64, u32>,
    client: (Inbound, Buffers),
    server: (Inbound, Buffers),
    to_server: Pipe,
    to_client: Pipe,
    now: u32,
    calls: BTreeMap<u64, Call>,
    gave_up: bool,
    limits: Limits,
    /// What the client gives, and what the server gives.
    credit: [StreamCredit; 2],
    /// Nobody reads the items of that call.
    slow: Option<u64>,
}

impl World {
    fn new(capacity: usize, credit: [StreamCredit; 2]) -> World {
        let limits = Limits { max_frame: 1024, max_message: 10_000, max_calls: 8, window: 10_000 }.clamped();
        let hello = credit.map(|credit| Hello::new("", limits, Vec::new()).speaking_streams(credit));
        let pipe = || Pipe { bytes: VecDeque::new(), capacity };
        World {
            connector: Connector::new(&hello[0]),
            acceptor: Acceptor::new(&hello[1]),
            client: (Inbound::of(Role::Connector, &hello[0], None), Buffers::default()),
            server: (Inbound::of(Role::Acceptor, &hello[1], None), Buffers::default()),
            to_server: pipe(),
            to_client: pipe(),
            now: 0,
            calls: BTreeMap::new(),
            gave_up: false,
            limits,
            credit,
            slow: None,
        }
    }

    fn call(&mut self, streaming: Streaming, arguments: usize, items: u64, time: u32) {
        let id = self.calls.len() as u64 + 1;
        let head =
            CallHead { call_id: CallId::of("s", "m"), timeout_ms: Some(time), metadata: Metadata::default() };
        let kind = u8::from(streaming.caller) + 2 * u8::from(streaming.service);
        let payload = |out: &mut Vec<u8>| {
            out.extend_from_slice(&id.to_le_bytes());
            out.extend_from_slice(&items.to_le_bytes());
            out.push(kind);
            out.resize(out.len() + arguments, id as u8);
            Ok::<_, Infallible>(None)
        };
        let deadline = self.now + time;
        let sent = if streaming.is_plain() {
            self.connector.call(&head, deadline, id, payload)
        } else {
            self.connector.stream(streaming, &head, deadline, id, payload)
        };
        match sent {
            Ok(number) => {
                assert_eq!(self.connector.value(number), Some(&id));
                let client = Half { left: if streaming.caller { items } else { 0 }, ..Half::default() };
                let call = Call { number, streaming, ends: 0, client, server: None, answered: None };
                self.calls.insert(id, call);
            }
            Err(NotSent::Full | NotSent::Closed) => {}
            Err(other) => panic!("{other:?}"),
        }
        assert!(self.connector.in_flight() <= self.limits.max_calls as usize);
    }

    fn end(&mut self, id: u64) -> &mut Call {
        let call = self.calls.get_mut(&id).expect("it was made");
        call.ends += 1;
        assert_eq!(call.ends, 1, "one outcome");
        call
    }

    /// The writers of one side that are not asleep and have something to put.
    fn writers(&self, at_client: bool) -> Vec<u64> {
        let half = |call: &Call| match at_client {
            true => call.ends == 0 && call.client.left > 0 && !call.client.asleep,
            false => call.server.as_ref().is_some_and(|half| half.left > 0 && !half.asleep),
        };
        self.calls.iter().filter(|(_, call)| half(call)).map(|(id, _)| *id).collect()
    }

    /// A writer puts an item, if it is its turn.
    fn put(&mut self, at_client: bool, id: u64, size: usize) {
        let Call { number, client, server, .. } = self.calls.get_mut(&id).expect("it was made");
        let half = if at_client { client } else { server.as_mut().expect("it runs") };
        let mut item = half.item(id, size);
        let (turn, put) = if at_client {
            let turn = self.connector.turn(*number);
            let put = self.connector.item(*number, |out| {
                out.extend_from_slice(&item);
                Ok::<_, Infallible>(None)
            });
            (turn, put)
        } else {
            (self.acceptor.turn(*number), self.acceptor.item(*number, &mut item, None))
        };
        match put {
            Ok(()) => {
                (half.put, half.left) = (half.put + 1, half.left - 1);
                if at_client && half.left == 0 {
                    assert!(self.connector.end(*number, Metadata::default()));
                    assert_eq!(self.connector.turn(*number), Turn::Never);
                    assert!(!self.connector.end(*number, Metadata::default()), "once");
                }
            }
            Err(NotPut::Later) => {
                assert_eq!(turn, Turn::Later);
                half.asleep = true;
            }
            Err(other) => panic!("{other:?}: the call is open and streams"),
        }
        self.wake();
    }

    fn wake(&mut self) {
        let of = |calls: &mut BTreeMap<u64, Call>, id: u64| calls.remove(&id).expect("it was made");
        while let Some(number) = self.connector.next_turn() {
            let id = *self.connector.value(number).expect("it is in flight");
            let mut call = of(&mut self.calls, id);
            assert!(call.client.asleep && self.connector.turn(number) == Turn::Now, "it may go on");
            call.client.asleep = false;
            self.calls.insert(id, call);
        }
        while let Some(number) = self.acceptor.next_turn() {
            let id = *self.acceptor.value(number).expect("it runs");
            let mut call = of(&mut self.calls, id);
            let half = call.server.as_mut().expect("it runs");
            assert!(half.asleep && self.acceptor.turn(number) == Turn::Now, "it may go on");
            half.asleep = false;
            self.calls.insert(id, call);
        }
    }

    /// The readers of one side that have something to read.
    fn readers(&self, at_client: bool) -> Vec<u64> {
        let half = |call: &Call| match at_client {
            true => call.ends == 0 && !call.client.queue.is_empty(),
            false => call.server.as_ref().is_some_and(|half| !half.queue.is_empty()),
        };
        let calls = self.calls.iter().filter(|(id, call)| half(call) && Some(**id) != self.slow);
        calls.map(|(id, _)| *id).collect()
    }

    /// A reader is done with an item.
    fn uses(&mut self, at_client: bool, id: u64) {
        let Call { number, client, server, .. } = self.calls.get_mut(&id).expect("it was made");
        let half = if at_client { client } else { server.as_mut().expect("it runs") };
        let size = half.queue.pop_front().expect("something to read");
        if at_client {
            self.connector.used(*number, 1, size);
        } else {
            self.acceptor.used(*number, 1, size);
        }
    }

    /// The method of a call answers.
    fn answer(&mut self, id: u64, good: bool) {
        let call = self.calls.get_mut(&id).expect("it was made");
        let Some(half) = call.server.take() else { return };
        let is_open = if !good {
            self.acceptor.fail(call.number, &Status::aborted(id.to_string()).not_executed())
        } else if !call.streaming.service {
            self.acceptor.reply(call.number, Metadata::default(), &mut vec![id as u8; 5], None)
        } else if half.left == 0 {
            self.acceptor.end(call.number, Metadata::default())
        } else {
            call.server = Some(half);
            return;
        };
        assert!(is_open, "nobody else has answered it");
        call.answered = Some((half.put, half.got));
    }

    /// The client writes and reads what it can. Says whether anything has moved.
    fn client(&mut self) -> bool {
        let wrote =
            write(&mut self.client.1, &mut self.to_server, |buffer| self.connector.take_output(buffer));
        let read = read(&mut self.to_client, &mut self.client.1);
        loop {
            let (connector, calls, credit) = (&mut self.connector, &mut self.calls, self.credit[0]);
            let heard = take(&mut self.client, |event| {
                match connector.on_event(event).expect("the server keeps the protocol") {
                    Said::Item { number, payload } => {
                        let id = *connector.value(number).expect("it is in flight");
                        let call = calls.get_mut(&id).expect("it was made");
                        call.client.hear(id, payload, credit);
                        Vec::new()
                    }
                    Said::Answered(ended, answer) => {
                        let call = &calls[&ended.value];
                        let streamed = call.client.put > 0 || call.client.got > 0;
                        // Also where only the beginning of an item has come.
                        assert!(ended.streamed || !streamed);
                        answered_truly(call, ended.value, ended.streamed, &answer);
                        vec![ended.value]
                    }
                    Said::GoAway { refused, .. } => refused.into_iter().map(|call| call.value).collect(),
                    _ => Vec::new(),
                }
            });
            let Some(ended) = heard else { break };
            for id in ended {
                self.end(id);
            }
        }
        self.wake();
        wrote || read
    }

    /// The same for the server.
    fn server(&mut self) -> bool {
        let wrote =
            write(&mut self.server.1, &mut self.to_client, |buffer| self.acceptor.take_output(buffer));
        let read = read(&mut self.to_server, &mut self.server.1);
        loop {
            let (acceptor, calls) = (&mut self.acceptor, &mut self.calls);
            let (now, gave_up, credit) = (self.now, self.gave_up, self.credit[1]);
            let heard = take(&mut self.server, |event| {
                match acceptor.on_event(event).expect("the client keeps the protocol") {
                    Asked::Call { number, head, payload } => {
                        let word = |at: usize| {
                            u64::from_le_bytes(payload[at..at + 8].try_into().expect("eight bytes"))
                        };
                        let (id, items, kind) = (word(0), word(8), payload[16]);
                        assert!(payload[17..].iter().all(|byte| *byte == id as u8), "its own arguments");
                        let call = calls.get_mut(&id).expect("it was made");
                        let deadline = head.timeout_ms.map(|time| now + time);
                        let running = match kind {
                            0 => acceptor.run(number, deadline, id),
                            _ => acceptor.stream(number, call.streaming, deadline, id),
                        };
                        assert_eq!(running, None);
                        let left = if call.streaming.service { items } else { 0 };
                        call.server = Some(Half { left, ..Half::default() });
                    }
                    Asked::Item { number, payload } => {
                        let id = *acceptor.value(number).expect("it runs");
                        let half = calls.get_mut(&id).and_then(|call| call.server.as_mut()).expect("it runs");
                        half.hear(id, payload, credit);
                    }
                    Asked::End { number, .. } => {
                        let id = *acceptor.value(number).expect("it runs");
                        let call = calls.get_mut(&id).expect("it was made");
                        let half = call.server.as_mut().expect("it runs");
                        assert_eq!(half.got, call.client.put, "all items have come before the end");
                        half.all = true;
                    }
                    Asked::Stop(id) => calls.get_mut(&id).expect("it was made").server = None,
                    Asked::Refuse { number, why: Refusal::TooManyCalls } if gave_up => {
                        acceptor.refuse(number, Status::unavailable("full")).expect("few are refused");
                    }
                    Asked::Refuse { why, .. } => panic!("{why:?}"),
                    Asked::Schema(_) | Asked::Hello(_) | Asked::Nothing => {}
                }
            });
            if heard.is_none() {
                break;
            }
        }
        self.wake();
        assert!(self.acceptor.open_calls() <= self.limits.max_calls as usize);
        wrote || read
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Call(streaming, arguments, items, time) => self.call(streaming, arguments, items, time),
            Step::Put(at_client, which, size) => {
                let writers = self.writers(at_client);
                if let Some(id) = writers.get(which % writers.len().max(1)) {
                    self.put(at_client, *id, size);
                }
            }
            Step::Use(at_client, which) => {
                let readers = self.readers(at_client);
                if let Some(id) = readers.get(which % readers.len().max(1)) {
                    self.uses(at_client, *id);
                }
            }
            Step::Cancel(which) => {
                let open: Vec<_> = self
                    .calls
                    .iter()
                    .filter(|(_, call)| call.ends == 0)
                    .map(|(id, call)| (*id, call.number))
                    .collect();
                if let Some((id, number)) = open.get(which % open.len().max(1)) {
                    assert_eq!(self.connector.cancel(*number).map(|call| call.value), Some(*id));
                    self.gave_up = true;
                    self.end(*id);
                }
            }
            Step::Answer(which, good) => {
                let running: Vec<u64> =
                    self.calls.iter().filter(|(_, call)| call.server.is_some()).map(|(id, _)| *id).collect();
                if let Some(id) = running.get(which % running.len().max(1)) {
                    self.answer(*id, good);
                }
            }
            Step::Tick => {
                self.now += 10;
                for call in self.connector.expire(self.now) {
                    self.gave_up = true;
                    self.end(call.value);
                }
                for id in self.acceptor.expire(self.now) {
                    self.calls.get_mut(&id).expect("it was made").server = None;
                }
            }
            Step::GoAway => self.acceptor.drain(self.server.0.last_call(), "enough"),
            Step::Client => drop(self.client()),
            Step::Server => drop(self.server()),
        }
    }

    /// Lets everything come to its end: readers read, writers write, and methods answer when all has come that is to come.
    fn settle(&mut self) {
        loop {
            let mut moved = [self.client(), self.server()].contains(&true);
            for at_client in [true, false] {
                for id in self.readers(at_client) {
                    self.uses(at_client, id);
                    moved = true;
                }
                for id in self.writers(at_client) {
                    self.put(at_client, id, id as usize * 977 % 4000);
                    moved = true;
                }
            }
            let waits = |call: &Call, half: &Half| {
                half.left > 0 || (call.streaming.caller && call.client.put > 0 && !half.all)
            };
            let done = self.calls.iter().filter(|(id, call)| {
                Some(**id) != self.slow && call.server.as_ref().is_some_and(|half| !waits(call, half))
            });
            for id in done.map(|(id, _)| *id).collect::<Vec<_>>() {
                self.answer(id, true);
                moved = true;
            }
            if !moved {
                return;
            }
        }
    }
}

/// What a caller hears is what the method has said, and all its items have come before.
fn answered_truly(call: &Call, id: u64, streamed: bool, answer: &Answer<'_>) {
    let all = || {
        let (put, _) = call.answered.expect("the method has answered");
        assert_eq!(call.client.got, put, "every item has come once");
    };
    match answer {
        Answer::Reply { payload, .. } => {
            assert!(!call.streaming.service && payload == &[id as u8; 5], "its own result");
        }
        Answer::End { .. } => {
            assert!(call.streaming.service);
            all();
        }
        Answer::Failure(status) => {
            if status.code == Code::Aborted {
                assert_eq!(status.message, id.to_string(), "its own failure");
                all();
            }
            assert!(!(status.not_executed && streamed), "what went over the wire has run");
        }
        // Whoever keeps to the window is refused nothing.
        Answer::TooLarge | Answer::NoRoom => panic!("{answer:?}"),
    }
}

fn credit() -> impl Strategy<Value = StreamCredit> {
    (1..6_u32, prop_oneof![1..100_u32, 1000..9000_u32])
        .prop_map(|(items, bytes)| StreamCredit { items, bytes })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_item_comes_once_in_order_and_every_call_has_one_outcome(
        capacity in prop_oneof![1..40_usize, 100..5000_usize],
        credit in [credit(), credit()],
        steps in prop::collection::vec(step(), 0..250),
        more in prop::collection::vec(step(), 0..60),
        goes_away in any::<bool>(),
        slow in any::<usize>(),
    ) {
        let mut world = World::new(capacity, credit);
        steps.iter().for_each(|step| world.step(step));
        if goes_away {
            world.step(&Step::GoAway);
        }
        more.iter().for_each(|step| world.step(step));
        // One call's readers stop. All others go on to their ends.
        world.slow = Some(slow as u64 % (world.calls.len() as u64 + 1));
        world.settle();
        for (id, call) in &world.calls {
            prop_assert!(call.ends == 1 || Some(*id) == world.slow, "call {} waits: {:?}", id, call);
        }
        world.slow = None;
        world.settle();
        prop_assert_eq!(world.connector.in_flight(), 0);
        prop_assert_eq!(world.acceptor.open_calls(), 0);
        prop_assert!(world.calls.values().all(|call| call.ends == 1), "{:?}", world.calls);
        prop_assert!(world.connector.is_empty() && world.acceptor.is_empty());
        prop_assert!(world.connector.next_turn().is_none() && world.acceptor.next_turn().is_none());
    }

    #[test]
    fn a_lost_connection_ends_all_streams_and_says_which_went_over_the_wire(
        capacity in 1..3000_usize,
        credit in [credit(), credit()],
        steps in prop::collection::vec(step(), 0..150),
    ) {
        let mut world = World::new(capacity, credit);
        steps.iter().for_each(|step| world.step(step));
        let lost = world.connector.lose();
        for ended in lost.unsent.into_iter().chain(lost.sent) {
            let call = world.end(ended.value);
            prop_assert!(ended.streamed || call.client.put + call.client.got == 0);
        }
        prop_assert!(world.calls.values().all(|call| call.ends == 1));
        prop_assert_eq!(world.connector.next_turn(), None);
    }
}
