//! Credit for the streams of a connector.

use super::streams::{MOST, NONE, PLENTY, hears, hears_all, open, stream};
use super::{Case, still_calls, text};
use crate::frame::{credit, data, end, flag, item};
use crate::hello::Credit;
use crate::verdict::section::CREDIT;

pub(super) const CASES: &[Case] = &[
    Case::new("credit-items", CREDIT, "A connector begins no more items than it has credit for.", |tested| {
        let mut peer = open(tested, Credit { items: 2, bytes: MOST })?;
        let (call, number) = stream(tested, &mut peer, 6, 10)?;
        // What is beyond it breaks the rules for every frame.
        for (given, more) in [(0, 2), (1, 1), (3, 3)] {
            peer.send(credit(number, given, 0))?;
            (0..more).try_for_each(|_| hears(&mut peer, number, 10))?;
            peer.still_there()?;
        }
        peer.send(end(number))?;
        tested.succeeded(call, 0)
    }),
    Case::new(
        "credit-bytes",
        CREDIT,
        "An item takes its bytes; the last one may be longer than what is left.",
        |tested| {
            let mut peer = open(tested, Credit { items: 100, bytes: 3 })?;
            let (call, number) = stream(tested, &mut peer, 4, 4)?;
            hears(&mut peer, number, 4)?;
            peer.still_there()?;
            // 2 bytes less than none: they are to be made good first.
            peer.send(credit(number, 0, 2))?;
            peer.still_there()?;
            peer.send(credit(number, 0, 1))?;
            hears(&mut peer, number, 4)?;
            peer.still_there()?;
            peer.send(credit(number, 0, 100))?;
            hears_all(&mut peer, number, 2, 4)?;
            peer.send(end(number))?;
            tested.succeeded(call, 0)
        },
    ),
    Case::new(
        "credit-given-back",
        CREDIT,
        "Credit is given back as items are used: a long stream flows.",
        |tested| {
            let mut peer = open(tested, PLENTY)?;
            let told = peer.told()?.streams.map_or(0, |credit| credit.items).min(100_000) as usize;
            let (call, number) = stream(tested, &mut peer, 0, 0)?;
            peer.wait("END", |heard| heard.calls.ended.contains(&number).then_some(()))?;
            (0..told * 5 + 1).try_for_each(|_| peer.put(number, &text(3)))?;
            peer.send(end(number))?;
            tested.succeeded(call, told * 5 + 1)
        },
    ),
    Case::new("credit-beyond", CREDIT, "A sender beyond its credit ends the connection.", |tested| {
        // It reads nothing while it has no credit for what it puts.
        let mut peer = open(tested, NONE)?;
        let told = peer.told()?.streams.map_or(0, |credit| credit.items).min(100_000);
        let (_, number) = stream(tested, &mut peer, 1, 10)?;
        peer.send_all((0..told + 1).map(|_| item(number, &text(0))))?;
        peer.refuses_to_go_on()
    }),
    Case::new(
        "credit-too-much",
        CREDIT,
        "Credit above 2^31 - 1 ends the connection; for a call that is over it is ignored.",
        |tested| {
            // It has put its one item, so it has no items and no bytes.
            for (items, bytes) in [(MOST + 1, 0), (0, u32::MAX), (u32::MAX, u32::MAX)] {
                let mut peer = open(tested, Credit { items: 1, bytes: 10 })?;
                let (_, number) = stream(tested, &mut peer, 5, 100)?;
                hears(&mut peer, number, 100)?;
                peer.send(credit(number, items, bytes))?;
                peer.refuses_to_go_on()?;
            }
            let mut peer = open(tested, PLENTY)?;
            let (call, number) = stream(tested, &mut peer, 0, 0)?;
            peer.send(end(number))?;
            tested.succeeded(call, 0)?;
            peer.send(credit(number, u32::MAX, u32::MAX))?;
            still_calls(tested, &mut peer, 10)
        },
    ),
    Case::new("stream-slow-reader", CREDIT, "A stream that waits for credit stops nobody else.", |tested| {
        let mut peer = open(tested, NONE)?;
        let (call, number) = stream(tested, &mut peer, 2, 10)?;
        for bytes in 10..20 {
            still_calls(tested, &mut peer, bytes)?;
        }
        let (other, later) = stream(tested, &mut peer, 1, 10)?;
        peer.send(credit(later, 1, 100))?;
        hears_all(&mut peer, later, 1, 10)?;
        peer.send(end(later))?;
        tested.succeeded(other, 0)?;
        peer.send(credit(number, 2, 100))?;
        hears_all(&mut peer, number, 2, 10)?;
        peer.send(end(number))?;
        tested.succeeded(call, 0)
    }),
    Case::new(
        "stream-between",
        CREDIT,
        "CREDIT and other calls may come between the fragments of an item.",
        |tested| {
            let mut peer = open(tested, NONE)?;
            let (call, number) = stream(tested, &mut peer, 1, 10)?;
            peer.send_all([item(number, b"\x06in ").with(flag::MORE), credit(number, 1, 100)])?;
            still_calls(tested, &mut peer, 10)?;
            peer.send_all([data(number, b"two").with(flag::MORE), data(number, b"")])?;
            hears_all(&mut peer, number, 1, 10)?;
            peer.send(end(number))?;
            tested.succeeded(call, 1)
        },
    ),
];
