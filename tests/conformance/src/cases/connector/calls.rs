//! CALL, CANCEL, deadlines, and the limits that a connector keeps.

use super::{Case, still_calls, text};
use crate::driver::Outcome;
use crate::frame::{data, flag, header, kind, reply};
use crate::hello::Hello;
use crate::service::Offer;
use crate::tested::{arrived, offering};
use crate::verdict::check;
use crate::verdict::section::{CALL, CANCEL, LIMITS, LONG, NUMBERS};
use std::time::Duration;

pub(super) const CASES: &[Case] = &[
    Case::new(
        "call-head",
        CALL,
        "A CALL has the time that is left, which is above 0 and within what its caller allows.",
        |tested| {
            let mut peer = tested.open()?;
            let call = tested.call_within(10, Duration::from_secs(5))?;
            let arrived = arrived(&mut peer)?;
            check((1..=5000).contains(&arrived.deadline_ms), || {
                format!("{} ms are left of 5000", arrived.deadline_ms)
            })?;
            check(arrived.arguments == text(10), || "the arguments are not the text".into())?;
            peer.send(reply(arrived.number, &text(10)))?;
            tested.succeeded(call, 10)
        },
    ),
    Case::new("call-numbers", NUMBERS, "Calls have rising numbers, and are sent in that order.", |tested| {
        let mut peer = tested.open()?;
        let calls: Vec<u32> = (0..30).map(|_| tested.call(10)).collect::<Result<_, _>>()?;
        for _ in &calls {
            let arrived = arrived(&mut peer)?;
            peer.send(reply(arrived.number, &arrived.arguments))?;
        }
        calls.into_iter().try_for_each(|call| tested.succeeded(call, 10))
    }),
    Case::new(
        "call-deadline",
        CALL,
        "The caller counts for itself and does not wait longer than its time.",
        |tested| {
            let mut peer = tested.open()?;
            let call = tested.call_within(10, Duration::from_millis(300))?;
            let arrived = arrived(&mut peer)?;
            tested.failed(call)?;
            // Nobody waits for it any more.
            peer.send(reply(arrived.number, &arrived.arguments))?;
            still_calls(tested, &mut peer, 20)
        },
    ),
    Case::new(
        "cancel-sent",
        CANCEL,
        "A connector that no longer wants the answer says CANCEL, and ignores what was under way.",
        |tested| {
            let mut peer = tested.open()?;
            let call = tested.call(10)?;
            let arrived = arrived(&mut peer)?;
            tested.cancel(call)?;
            tested.failed(call)?;
            peer.wait("CANCEL", |heard| heard.calls.is_cancelled(arrived.number).then_some(()))?;
            peer.send(reply(arrived.number, &arrived.arguments))?;
            still_calls(tested, &mut peer, 20)
        },
    ),
    Case::new(
        "cancel-within-reply",
        CANCEL,
        "The fragments of an answer that nobody waits for are skipped.",
        |tested| {
            let mut peer = tested.open()?;
            let call = tested.call(10)?;
            let arrived = arrived(&mut peer)?;
            peer.send(reply(arrived.number, &arrived.arguments).with(flag::MORE))?;
            peer.still_there()?;
            tested.cancel(call)?;
            tested.failed(call)?;
            peer.wait("CANCEL", |heard| heard.calls.is_cancelled(arrived.number).then_some(()))?;
            peer.send_all([data(arrived.number, b"more").with(flag::MORE), data(arrived.number, b"end")])?;
            still_calls(tested, &mut peer, 20)
        },
    ),
    Case::new(
        "cancel-arriving",
        CANCEL,
        "A connector sends no further fragments of a call that it has cancelled.",
        |tested| {
            let mut peer = tested.open()?;
            let call = tested.call(8 << 20)?;
            let number = peer.wait("a part of a CALL", |heard| {
                let last = heard.calls.last();
                heard.calls.parts.arrived(last).is_some_and(|bytes| bytes > 0).then_some(last)
            })?;
            tested.cancel(call)?;
            peer.wait("CANCEL", |heard| heard.calls.is_cancelled(number).then_some(()))?;
            tested.failed(call)?;
            // A fragment after CANCEL breaks the rules that hold for every frame.
            peer.still_there()?;
            still_calls(tested, &mut peer, 20)
        },
    ),
    Case::new(
        "limit-max-frame",
        LIMITS,
        "A side sends no frame body above the peer's max_frame.",
        |tested| {
            let mut peer = tested.open_with(&offer_echo().max_frame(1024))?;
            for bytes in [1000, 1024, 50_000] {
                still_calls(tested, &mut peer, bytes)?;
            }
            Ok(())
        },
    ),
    Case::new(
        "limit-max-message",
        LIMITS,
        "A sender that sees that a message is too long fails the call itself.",
        |tested| {
            let mut peer = tested.open_with(&offer_echo().max_message(2000))?;
            let call = tested.call(5000)?;
            let outcome = tested.outcome_beside(call, &mut peer)?;
            check(matches!(outcome, Outcome::Failed(_)), || format!("the caller was told {outcome}"))?;
            still_calls(tested, &mut peer, 100)
        },
    ),
    Case::new(
        "limit-max-calls",
        LIMITS,
        "A connector has no more calls in flight than the peer's max_calls.",
        |tested| {
            for max_calls in [1, 0] {
                let mut peer = tested.open_with(&offer_echo().max_calls(max_calls))?;
                // A second CALL before the answer breaks the rules that hold for every frame.
                let calls = [tested.call(10)?, tested.call(10)?, tested.call(10)?];
                let first = arrived(&mut peer)?;
                peer.listen(Duration::from_millis(100))?;
                peer.send(reply(first.number, &first.arguments))?;
                // The others are sent afterwards, or fail where calls are not kept waiting.
                for call in calls {
                    while tested.has_ended(call)?.is_none() {
                        peer.listen(Duration::from_millis(10))?;
                        if let Some(next) = peer.heard.calls.whole.pop_front() {
                            peer.send(reply(next.number, &next.arguments))?;
                        }
                    }
                }
                still_calls(tested, &mut peer, 20)?;
            }
            Ok(())
        },
    ),
    Case::new(
        "limit-window",
        LONG,
        "A sender keeps the messages in parts within the receiver's window, and lets others wait.",
        |tested| {
            let mut peer = tested.open_with(&offer_echo().max_message(1 << 20).window(1 << 20))?;
            let calls = [tested.call(900_000)?, tested.call(900_000)?, tested.call(900_000)?];
            for _ in calls {
                let next = peer.wait("a CALL", |heard| {
                    let begun = heard.calls.parts.begun();
                    let next = heard.calls.whole.pop_front();
                    (begun > 1 || next.is_some()).then_some((begun, next))
                });
                let (begun, next) = next?;
                check(begun <= 1, || {
                    format!("{begun} messages of 900,000 bytes have begun, within a window of 1 MiB")
                })?;
                if let Some(arrived) = next {
                    peer.send(reply(arrived.number, &text(10)))?;
                }
            }
            calls.into_iter().try_for_each(|call| tested.succeeded(call, 10))
        },
    ),
    Case::new(
        "limit-long-answer",
        LIMITS,
        "An answer longer than max_message fails the call, which is cancelled; the connection goes on.",
        |tested| {
            let mut peer = tested.open()?;
            let limits = peer.told()?.limits;
            let call = tested.call(10)?;
            let arrived = arrived(&mut peer)?;
            let long = reply(arrived.number, &vec![0; limits.max_message + limits.max_frame]);
            for frame in long.cut_evenly(limits.max_frame) {
                peer.send(frame)?;
            }
            tested.failed(call)?;
            peer.wait("CANCEL", |heard| heard.calls.is_cancelled(arrived.number).then_some(()))?;
            still_calls(tested, &mut peer, 20)
        },
    ),
    Case::new(
        "limit-longest-frame",
        LIMITS,
        "A frame of max_frame bytes is accepted; the limits of both sides are their own.",
        |tested| {
            let mut peer = tested.open_with(&offer_echo().max_frame(1024))?;
            let most = peer.told()?.limits.max_frame;
            let call = tested.call(10)?;
            let arrived = arrived(&mut peer)?;
            // A text with a length of 3 bytes.
            let frame = reply(arrived.number, &text(most - 3));
            check(frame.bytes()[..6] == header(most as u32, kind::REPLY, 0, 0)[..6], || {
                "this program miscounts".into()
            })?;
            peer.send(frame)?;
            tested.succeeded(call, most - 3)
        },
    ),
];

fn offer_echo() -> Hello {
    offering(&[Offer::echo("")])
}
