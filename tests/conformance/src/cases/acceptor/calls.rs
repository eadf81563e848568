//! Call numbers, CALL, its metadata and deadline, REPLY and FAILURE.

use super::{Case, held, still_serves};
use crate::frame::{Frame, call, call_with, cancel, data, flag, kind};
use crate::peer::Peer;
use crate::value::blob;
use crate::verdict::section::{CALL, FAILURE, METADATA, NUMBERS, VALUES, WRONG};
use crate::verdict::{Step, check};

const INVALID_ARGUMENT: u8 = 3;
const DEADLINE_EXCEEDED: u8 = 4;
const UNIMPLEMENTED: u8 = 12;

pub(super) const CASES: &[Case] = &[
    Case::new("call-numbers-gaps", NUMBERS, "Call numbers rise; gaps are allowed.", |tested| {
        let mut peer = tested.open()?;
        for number in [1, 2, 5, 1_000_000, u32::MAX - 1, u32::MAX] {
            still_serves(&mut peer, number)?;
        }
        Ok(())
    }),
    Case::new(
        "call-numbers-rise",
        NUMBERS,
        "A number that is not above the last one ends the connection.",
        |tested| {
            for (first, second) in [(5, 5), (5, 4), (u32::MAX, 1)] {
                let mut peer = tested.open()?;
                still_serves(&mut peer, first)?;
                let again = peer.echo(second, "again")?;
                peer.send_bytes(&again.bytes())?;
                peer.refuses_to_go_on()?;
            }
            Ok(())
        },
    ),
    Case::new(
        "call-number-0",
        WRONG,
        "Call number 0 on CALL, CANCEL and DATA ends the connection.",
        |tested| {
            let id = tested.open()?.method("echo")?;
            for frame in [call(0, id, 0, &[0]), cancel(0), data(0, &[])] {
                let mut peer = tested.open()?;
                peer.send_bytes(&frame.bytes())?;
                peer.refuses_to_go_on()?;
            }
            Ok(())
        },
    ),
    Case::new(
        "call-any-order",
        NUMBERS,
        "Answers come in any order: a short call does not wait for a running one.",
        |tested| {
            let mut peer = tested.open()?;
            let hold = peer.call(1, "hold", blob("order"))?;
            let echo = peer.echo(2, "first")?;
            peer.send_all([hold, echo])?;
            peer.echoed(2, "first")?;
            peer.give_up([1])
        },
    ),
    Case::new("call-many", NUMBERS, "Each call has exactly one answer, which has its number.", |tested| {
        let mut peer = tested.open()?;
        let count = peer.told()?.limits.max_calls.min(100) as u32;
        let texts: Vec<(u32, String)> =
            (1..=count).map(|number| (number, format!("text {number}"))).collect();
        let calls =
            texts.iter().map(|(number, text)| peer.echo(*number, text)).collect::<Step<Vec<Frame>>>()?;
        peer.send_all(calls)?;
        texts.iter().try_for_each(|(number, text)| peer.echoed(*number, text))?;
        peer.still_there()
    }),
    Case::new(
        "call-unknown-id",
        WRONG,
        "An unknown Call ID is answered with `unimplemented`, NOT_EXECUTED.",
        |tested| {
            let mut peer = tested.open()?;
            let used: Vec<u32> = peer.told()?.methods.iter().map(|method| method.call_id).collect();
            let unknown = (1..).find(|id| !used.contains(id)).unwrap_or(1);
            peer.send(call(1, unknown, 0, b"whatever"))?;
            peer.refused(1, &[UNIMPLEMENTED])?;
            still_serves(&mut peer, 2)
        },
    ),
    Case::new("call-id-0", WRONG, "Call ID 0 ends the connection.", |tested| {
        let mut peer = tested.open()?;
        peer.send(call(1, 0, 0, &[]))?;
        peer.refuses_to_go_on()
    }),
    Case::new("call-head-cut", WRONG, "A CALL that ends within its head ends the connection.", |tested| {
        for length in [0, 3, 4, 7] {
            let mut peer = tested.open()?;
            let id = peer.method("echo")?;
            let mut frame = call(1, id, 0, &[]);
            frame.body.truncate(length);
            peer.send(frame)?;
            peer.refuses_to_go_on()?;
        }
        Ok(())
    }),
    Case::new(
        "call-bad-arguments",
        VALUES,
        "Arguments that are not a value of the request fail with `invalid_argument`.",
        |tested| {
            let mut peer = tested.open()?;
            let huge = [&[253][..], &u64::MAX.to_le_bytes()].concat();
            let wrong: [&[u8]; 8] = [
                b"",                                     // nothing
                b"\x05shor",                             // ends too soon
                b"\x01xy",                               // bytes left over
                b"\x02\xc3\x28",                         // not UTF-8
                b"\x03\xed\xa0\x80",                     // a surrogate
                b"\x02\xc0\x80",                         // an overlong form
                b"\xfe\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", // a length wider than 64 bits
                &huge,                                   // a length that is a claim
            ];
            for (number, arguments) in (1..).zip(wrong) {
                let echo = peer.call(number, "echo", arguments)?;
                peer.send(echo)?;
                peer.failed(number, &[INVALID_ARGUMENT])?;
            }
            still_serves(&mut peer, 100)
        },
    ),
    Case::new("call-long-varint", VALUES, "Readers accept varints that are longer than need be.", |tested| {
        let mut peer = tested.open()?;
        let echo = peer.call(1, "echo", b"\xfb\x02\x00hi")?;
        peer.send(echo)?;
        peer.echoed(1, "hi")
    }),
    Case::new(
        "call-deadline",
        CALL,
        "When the time is up the acceptor stops the method; it need not answer.",
        |tested| {
            let mut peer = tested.open()?;
            let id = peer.method("hold")?;
            peer.send(call(1, id, 60, &blob("deadline")))?;
            held(&mut peer, "deadline", 0, 10)?;
            peer.still_there()?;
            if peer.heard.answers.any(1) {
                peer.failed(1, &[DEADLINE_EXCEEDED])?;
            }
            Ok(())
        },
    ),
    Case::new("call-no-deadline", CALL, "A time left of 0 is no deadline.", |tested| {
        let mut peer = tested.open()?;
        let id = peer.method("hold")?;
        peer.send(call(1, id, 0, &blob("no deadline")))?;
        held(&mut peer, "no deadline", 1, 10)?;
        peer.not_answered(1)?;
        peer.give_up([1])
    }),
    Case::new(
        "metadata-skipped",
        METADATA,
        "Metadata that is not known, or broken, hurts no call.",
        |tested| {
            let mut peer = tested.open()?;
            let blocks: [&[u8]; 8] = [
                b"",
                b"\x01\x03r-1",                    // request-id
                b"\x00\x06tenant\x04blue",         // a name
                b"\x63\x04what\x01\x01r",          // a key that nobody knows
                b"\x00\x02\xc3\x28\x01x\x01\x01r", // a name that is not UTF-8
                b"\x01\x02\xff\xfe",               // a value that is not UTF-8
                b"\x01\x03r-1\x02\x50cut",         // ends within an entry
                b"\x01\x01a\x01\x01b",             // one name twice
            ];
            for (number, block) in (1..).zip(blocks) {
                with_metadata(&mut peer, number, block)?;
            }
            Ok(())
        },
    ),
    Case::new("metadata-longest", METADATA, "A metadata block has at most 16,384 bytes.", |tested| {
        let mut peer = tested.open()?;
        with_metadata(&mut peer, 1, &[&b"\x00\x04long\xfb\xf7\x3f"[..], &[b'm'; 16_375]].concat())?;
        let id = peer.method("echo")?;
        peer.send(call_with(2, id, 16_385, &[0; 16_385], &blob("text")))?;
        peer.refuses_to_go_on()
    }),
    Case::new(
        "metadata-cut",
        WRONG,
        "Metadata that is longer than its CALL ends the connection.",
        |tested| {
            let mut peer = tested.open()?;
            let id = peer.method("echo")?;
            peer.send(call_with(1, id, 100, &[0; 99], &[]))?;
            peer.refuses_to_go_on()
        },
    ),
    Case::new(
        "failure-codes",
        FAILURE,
        "FAILURE has the method's code and message; the call has run.",
        |tested| {
            let mut peer = tested.open()?;
            for code in 1..=16 {
                let number = u32::from(code);
                let fail = peer.call(number, "fail", [&[code][..], &blob("no such order")].concat())?;
                peer.send(fail)?;
                let failure = peer.failed(number, &[code])?;
                check(failure.message == "no such order", || {
                    format!("its message is `{}`", failure.message)
                })?;
                check(!failure.not_executed, || "it says that the call has not run, but it has".into())?;
            }
            still_serves(&mut peer, 100)
        },
    ),
    Case::new(
        "failure-long",
        FAILURE,
        "A FAILURE longer than max_frame is cut like any message.",
        |tested| {
            let mut peer = tested.open_with(&crate::hello::Hello::new().max_frame(1024))?;
            let message = "w".repeat(700);
            let arguments = [&[5][..], &blob(&message)].concat();
            let fail = peer.call(1, "fail", &arguments)?;
            peer.send(fail)?;
            let failure = peer.failed(1, &[5])?;
            check(failure.message == message, || {
                format!("its message has {} bytes, not 700", failure.message.len())
            })
        },
    ),
    Case::new("call-empty-more", CALL, "Arguments may end in an empty fragment.", |tested| {
        let mut peer = tested.open()?;
        let echo = peer.echo(1, "whole")?.with(flag::MORE);
        peer.send_all([echo, Frame::new(kind::DATA, 1, [])])?;
        peer.echoed(1, "whole")
    }),
];

fn with_metadata(peer: &mut Peer, number: u32, block: &[u8]) -> Step {
    let id = peer.method("echo")?;
    peer.send(call_with(number, id, block.len() as u16, block, &blob("described")))?;
    peer.echoed(number, "described")
}
