//! Credit for the streams of an acceptor.

use super::streams::{MOST, NONE, call, counts, hears, last_of, open};
use super::{Case, still_serves};
use crate::frame::{credit, data, end, flag, item};
use crate::hello::Credit;
use crate::value::{blob, number};
use crate::verdict::check;
use crate::verdict::section::CREDIT;

pub(super) const CASES: &[Case] = &[
    Case::new("credit-items", CREDIT, "An acceptor begins no more items than it has credit for.", |tested| {
        let mut peer = open(tested, Credit { items: 2, bytes: MOST })?;
        call(&mut peer, 1, "count", b"\x14")?;
        for (given, last) in [(0, 2), (1, 3), (3, 6)] {
            peer.send(credit(1, given, 0))?;
            while last_of(&peer, 1) < last {
                peer.wait("an ITEM for which there is credit", |heard| {
                    (heard.answers.items.get(&1).map_or(0, |items| items.len()) as u32 >= last).then_some(())
                })?;
            }
            peer.still_there()?;
        }
        peer.give_up([1])
    }),
    Case::new(
        "credit-bytes",
        CREDIT,
        "An item takes its bytes; the last one may be longer than what is left.",
        |tested| {
            let mut peer = open(tested, Credit { items: 100, bytes: 3 })?;
            call(&mut peer, 1, "chat", b"")?;
            let text = blob("long");
            (0..4).try_for_each(|_| peer.put(1, &text))?;
            hears(&mut peer, 1, &text)?;
            peer.still_there()?;
            // 2 bytes less than none: they are to be made good first.
            peer.send(credit(1, 0, 2))?;
            peer.still_there()?;
            peer.send(credit(1, 0, 1))?;
            hears(&mut peer, 1, &text)?;
            peer.still_there()?;
            peer.send(credit(1, 0, 100))?;
            (0..2).try_for_each(|_| hears(&mut peer, 1, &text))?;
            peer.send(end(1))?;
            peer.streamed(1)
        },
    ),
    Case::new("credit-between", CREDIT, "CREDIT may come between fragments.", |tested| {
        let mut peer = open(tested, NONE)?;
        call(&mut peer, 1, "chat", b"")?;
        peer.send_all([
            item(1, b"\x06in ").with(flag::MORE),
            credit(1, 5, 100),
            data(1, b"two").with(flag::MORE),
            credit(1, 5, 100),
            data(1, b""),
        ])?;
        hears(&mut peer, 1, &blob("in two"))?;
        peer.give_up([1])
    }),
    Case::new(
        "credit-given-back",
        CREDIT,
        "Credit is given back as items are used, and not as they arrive.",
        |tested| {
            let mut peer = open(tested, NONE)?;
            let told = peer.told()?.streams.map_or(0, |credit| credit.items).min(100_000);
            call(&mut peer, 1, "chat", b"")?;
            // The method has nowhere to go with what it reads, so little of it is used.
            for _ in 0..told {
                peer.put(1, b"\x00")?;
            }
            peer.still_there()?;
            peer.send(credit(1, MOST, MOST))?;
            let more = told.saturating_mul(3);
            (0..more).try_for_each(|_| peer.put(1, b"\x00"))?;
            (0..told + more).try_for_each(|_| hears(&mut peer, 1, b"\x00"))?;
            peer.send(end(1))?;
            peer.streamed(1)
        },
    ),
    Case::new("credit-beyond", CREDIT, "A sender beyond its credit ends the connection.", |tested| {
        let mut peer = open(tested, NONE)?;
        let told = peer.told()?.streams.map_or(0, |credit| credit.items).min(100_000);
        call(&mut peer, 1, "chat", b"")?;
        peer.send_all((0..told * 2 + 100).map(|_| item(1, b"\x00")))?;
        peer.refuses_to_go_on()
    }),
    Case::new(
        "credit-too-much",
        CREDIT,
        "Credit above 2^31 - 1 ends the connection; as much is right.",
        |tested| {
            let ours = Credit { items: 1, bytes: 10 };
            for (items, bytes) in [(MOST, 0), (0, MOST - 9), (u32::MAX, u32::MAX)] {
                let mut peer = open(tested, ours)?;
                call(&mut peer, 1, "chat", b"")?;
                peer.send(credit(1, items, bytes))?;
                peer.refuses_to_go_on()?;
            }
            // What is more in HELLO is as much.
            for ours in [ours, Credit { items: u32::MAX, bytes: u32::MAX }] {
                let mut peer = open(tested, ours)?;
                call(&mut peer, 1, "chat", b"")?;
                if ours.items == 1 {
                    peer.send(credit(1, MOST - 1, MOST - 10))?;
                }
                peer.put(1, b"\x01a")?;
                hears(&mut peer, 1, b"\x01a")?;
                peer.give_up([1])?;
            }
            Ok(())
        },
    ),
    Case::new(
        "stream-slow-reader",
        CREDIT,
        "A stream whose reader gives no credit stops nobody else.",
        |tested| {
            let mut peer = open(tested, Credit { items: 4, bytes: 100 })?;
            call(&mut peer, 1, "count", &number(1_000_000))?;
            for round in 0..20 {
                still_serves(&mut peer, 2 + 2 * round)?;
                counts(&mut peer, 3 + 2 * round, 10)?;
            }
            let came = last_of(&peer, 1);
            check(came == 4, || format!("{came} items have come, where there is credit for 4"))?;
            peer.give_up([1])?;
            still_serves(&mut peer, 100)
        },
    ),
];
