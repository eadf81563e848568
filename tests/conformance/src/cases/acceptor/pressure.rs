//! A side that does not read is no reason for the other one not to read.

use super::{Case, still_serves};
use crate::frame::{Frame, ping};
use crate::hello::Hello;
use crate::value::{blob, number};
use crate::verdict::check;
use crate::verdict::section::FRAME;

pub(super) const CASES: &[Case] = &[
    Case::new("pressure-reads-on", FRAME, "A side never stops reading because it cannot write.", |tested| {
        let mut peer = tested.open_with(&Hello::new().max_message(1 << 26))?;
        let limits = peer.told()?.limits;
        let size = limits.max_message.min(15 << 20) - 1000;
        // Three answers that nobody reads, and then four calls as long, which are written to their ends first.
        for call in 1..=3 {
            let large = peer.call(call, "large", number(size as u64))?;
            peer.send(large)?;
        }
        let text = "p".repeat(size);
        let mut uploads = Vec::new();
        for call in 11..=14 {
            uploads.push(peer.echo(call, &text)?.cut_evenly(limits.max_frame).into_iter());
        }
        loop {
            let turn: Vec<Frame> = uploads.iter_mut().filter_map(Iterator::next).collect();
            if turn.is_empty() {
                break;
            }
            peer.send_all(turn)?;
        }
        for call in 1..=3 {
            let result = peer.result(call)?;
            check(result.len() > size, || format!("{} bytes came of {size}", result.len()))?;
        }
        // All of them fit into the window; what a side has no room for otherwise it may refuse, but not lose.
        for call in 11..=14 {
            peer.answer(call)?;
        }
        still_serves(&mut peer, 20)
    })
    .alone(),
    Case::new(
        "pressure-short-answers",
        FRAME,
        "Calls whose answers nobody reads are answered once each, when they are read.",
        |tested| {
            let mut peer = tested.open()?;
            let text = "s".repeat(30_000);
            let count = 2000;
            for call in 1..=count {
                let echo = peer.echo(call, &text)?;
                peer.send(echo)?;
            }
            (1..=count).try_for_each(|call| peer.answer(call).map(drop))?;
            still_serves(&mut peer, count + 1)
        },
    )
    .alone(),
    Case::new(
        "pressure-pings",
        FRAME,
        "A peer that reads no PONG does not keep the acceptor from reading.",
        |tested| {
            let mut peer = tested.open()?;
            let hold = peer.call(1, "hold", blob("pings"))?;
            peer.send(hold)?;
            let pings: Vec<Frame> = (0..20_000_u64).map(|n| ping(&(n | 1 << 60).to_be_bytes())).collect();
            peer.send_all(pings)?;
            let last = (19_999_u64 | 1 << 60).to_be_bytes();
            peer.hear_pong(last)?;
            peer.give_up([1])
        },
    ),
    Case::new(
        "pressure-unread",
        FRAME,
        "When 1 MiB of PONGs waits unread, the connection is closed.",
        |tested| {
            let mut peer = tested.open()?;
            for turn in 0..1000_u64 {
                let pings: Vec<Frame> =
                    (0..1000).map(|n| ping(&((turn * 1000 + n) | 1 << 60).to_be_bytes())).collect();
                // Sooner or later it is closed, or not read any more because it is being closed.
                if peer.send_all(pings).is_err() {
                    break;
                }
            }
            peer.ends()
        },
    ),
];
