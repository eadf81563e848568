//! Long messages: fragments, turns, giving up.

use super::{Case, still_serves};
use crate::frame::{Frame, data, flag};
use crate::hello::Hello;
use crate::peer::Peer;
use crate::value::{blob, number};
use crate::verdict::section::{LONG, PING};
use crate::verdict::{Step, check};

pub(super) const CASES: &[Case] = &[
    Case::new("long-cut-anywhere", LONG, "A message may be cut anywhere, also within its head.", |tested| {
        let mut peer = tested.open()?;
        let whole = peer.echo(1, "cut me")?.body.len();
        for at in 1..whole {
            let parts = peer.echo(at as u32, "cut me")?.cut([at]);
            peer.send_all(parts)?;
            peer.echoed(at as u32, "cut me")?;
        }
        let parts = peer.echo(500, "cut me")?.cut_evenly(1);
        peer.send_all(parts)?;
        peer.echoed(500, "cut me")
    }),
    Case::new(
        "long-empty-fragments",
        LONG,
        "A fragment may be empty: the first, those between, the last.",
        |tested| {
            let mut peer = tested.open()?;
            let mut parts = peer.echo(1, "with nothing between")?.cut([0, 5, 0, 0, 9, 0]);
            let last = parts.len() - 1;
            parts[last].flags |= flag::MORE;
            parts.push(data(1, &[]));
            peer.send_all(parts)?;
            peer.echoed(1, "with nothing between")
        },
    ),
    Case::new(
        "long-interleaved",
        LONG,
        "Fragments of different calls interleave freely, and other frames pass between.",
        |tested| {
            let mut peer = tested.open()?;
            let texts = ["a".repeat(200_000), "b".repeat(150_000), "c".repeat(100_000)];
            let mut parts = Vec::new();
            for (call, text) in (1..).zip(&texts) {
                parts.push(peer.echo(call, text)?.cut_evenly(10_000).into_iter());
            }
            for turn in 0..30 {
                let mut frames: Vec<Frame> = parts.iter_mut().filter_map(Iterator::next).collect();
                if turn % 5 == 4 {
                    frames.push(peer.echo(100 + turn, "between")?);
                }
                peer.send_all(frames)?;
                if turn % 5 == 4 && turn < 20 {
                    peer.echoed(100 + turn, "between")?;
                }
            }
            (1..).zip(&texts).try_for_each(|(call, text)| peer.echoed(call, text))
        },
    ),
    Case::new(
        "long-unknown-data",
        LONG,
        "DATA of a number under which nothing is arriving is skipped.",
        |tested| {
            let mut peer = tested.open()?;
            still_serves(&mut peer, 1)?;
            peer.send_all([data(1, b"late"), data(9, b"never begun").with(flag::MORE), data(9, b"end")])?;
            still_serves(&mut peer, 2)?;
            still_serves(&mut peer, 9)
        },
    ),
    Case::new(
        "long-reply",
        LONG,
        "A message longer than the peer's max_frame comes in fragments, all but the last with MORE.",
        |tested| {
            for max_frame in [1024, 5000, 65_536] {
                let mut peer = tested.open_with(&Hello::new().max_frame(max_frame))?;
                for (call, size) in [(1, 1_000_000), (2, max_frame as usize), (3, max_frame as usize * 2)] {
                    large(&mut peer, call, size)?;
                    let result = peer.result(call)?;
                    check(result.len() == blob(vec![0; size]).len(), || {
                        format!("{} bytes came, not {size}", result.len())
                    })?;
                }
            }
            Ok(())
        },
    ),
    Case::new(
        "long-not-before-short",
        LONG,
        "A short call never waits for a long message, only for a fragment.",
        |tested| {
            let mut peer = tested.open()?;
            let size = two_long_replies(&mut peer)?;
            let echo = peer.echo(3, "short")?;
            peer.send(echo)?;
            peer.echoed(3, "short")?;
            check(both_under_way(&peer), || format!("the answer came behind a message of {size} bytes"))
        },
    ),
    Case::new("ping-beside-long", PING, "PONG does not come behind long messages.", |tested| {
        let mut peer = tested.open()?;
        let size = two_long_replies(&mut peer)?;
        peer.still_there()?;
        check(both_under_way(&peer), || format!("PONG came behind a message of {size} bytes"))
    }),
    Case::new("long-turns", LONG, "Long messages take turns.", |tested| {
        let mut peer = tested.open()?;
        let size = two_long_replies(&mut peer)?;
        let at_first = [1, 2].map(|call| peer.heard.answers.parts.arrived(call).unwrap_or(size));
        let (first, second) = if at_first[0] >= at_first[1] { (1, 2) } else { (2, 1) };
        let (ahead, behind) = (at_first[first as usize - 1], at_first[second as usize - 1]);
        peer.wait("the end of a long REPLY", |heard| {
            heard.answers.parts.arrived(first).is_none().then_some(())
        })?;
        let since = size - ahead;
        let other = peer.heard.answers.parts.arrived(second).unwrap_or(size) - behind;
        check(other + (1 << 20) >= since / 2, || {
            format!("while {since} bytes came of one long message, {other} came of the other")
        })
    }),
];

fn large(peer: &mut Peer, call: u32, size: usize) -> Step {
    let large = peer.call(call, "large", number(size as u64))?;
    peer.send(large)
}

/// Has two long replies begin, calls 1 and 2; gives how long each is.
fn two_long_replies(peer: &mut Peer) -> Step<usize> {
    let size = peer.told()?.limits.max_message.min(15 << 20) - 100;
    large(peer, 1, size)?;
    large(peer, 2, size)?;
    peer.wait("the beginning of two long REPLYs", |heard| {
        let parts = &heard.answers.parts;
        [1, 2].iter().all(|&call| parts.holds(call) || heard.answers.any(call)).then_some(())
    })?;
    Ok(size)
}

fn both_under_way(peer: &Peer) -> bool {
    [1, 2].iter().all(|&call| peer.heard.answers.parts.holds(call))
}
