//! CANCEL and its races.

use super::{Case, held, still_serves};
use crate::frame::{cancel, data, flag};
use crate::value::{blob, number};
use crate::verdict::check;
use crate::verdict::section::{CANCEL, LIMITS};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "cancel-stops",
        CANCEL,
        "The acceptor that has begun no answer stops the method and sends none.",
        |tested| {
            let mut peer = tested.open()?;
            let hold = peer.call(1, "hold", blob("cancel"))?;
            peer.send(hold)?;
            held(&mut peer, "cancel", 1, 10)?;
            peer.send(cancel(1))?;
            held(&mut peer, "cancel", 0, 300)?;
            peer.not_answered(1)
        },
    ),
    Case::new("cancel-at-once", CANCEL, "CANCEL may come right behind its CALL.", |tested| {
        let mut peer = tested.open()?;
        for call in 1..=50 {
            let hold = peer.call(call, "hold", blob("at once"))?;
            peer.send_all([hold, cancel(call)])?;
        }
        held(&mut peer, "at once", 0, 100)?;
        (1..=50).try_for_each(|call| peer.not_answered(call))
    }),
    Case::new("cancel-unknown", CANCEL, "A CANCEL for a call that was never seen is ignored.", |tested| {
        let mut peer = tested.open()?;
        peer.send_all([cancel(7), cancel(u32::MAX)])?;
        still_serves(&mut peer, 3)?;
        still_serves(&mut peer, 7)
    }),
    Case::new("cancel-answered", CANCEL, "A CANCEL for a call that is answered is ignored.", |tested| {
        let mut peer = tested.open()?;
        still_serves(&mut peer, 1)?;
        peer.send_all([cancel(1), cancel(1)])?;
        still_serves(&mut peer, 2)
    }),
    Case::new(
        "cancel-race",
        CANCEL,
        "A CANCEL that races with the answer is borne, whoever wins.",
        |tested| {
            let mut peer = tested.open()?;
            for call in 1..=100 {
                let echo = peer.echo(call, "race")?;
                peer.send_all([echo, cancel(call)])?;
            }
            peer.still_there()?;
            still_serves(&mut peer, 101)
        },
    ),
    Case::new(
        "cancel-arriving",
        CANCEL,
        "A CANCEL while the CALL is still arriving drops it; it is not run.",
        |tested| {
            let mut peer = tested.open()?;
            let mut parts = peer.echo(1, "never whole")?.cut([10]);
            let rest = parts.remove(1);
            peer.send(parts.remove(0))?;
            peer.send_all([cancel(1), rest, data(1, b"more").with(flag::MORE)])?;
            peer.not_answered(1)?;
            still_serves(&mut peer, 2)?;
            peer.not_answered(1)
        },
    ),
    Case::new(
        "cancel-long-reply",
        CANCEL,
        "A long REPLY that is cancelled is sent to its end, or ended by FAILURE.",
        |tested| {
            let mut peer = tested.open()?;
            let size = peer.told()?.limits.max_message.min(8 << 20) - 100;
            let large = peer.call(1, "large", number(size as u64))?;
            peer.send(large)?;
            peer.wait("a part of a REPLY", |heard| (heard.answers.parts.arrived(1)? > 0).then_some(()))?;
            peer.send(cancel(1))?;
            if let crate::heard::Answer::Reply(result) = peer.answer(1)? {
                check(result.len() > size, || {
                    format!("the REPLY ends after {} bytes of {size}", result.len())
                })?;
            }
            still_serves(&mut peer, 2)
        },
    ),
    Case::new("cancel-frees", LIMITS, "A cancelled call no longer counts for the connector.", |tested| {
        let mut peer = tested.open()?;
        let most = peer.told()?.limits.max_calls.min(2000) as u32;
        for round in 0..3 {
            let numbers: Vec<u32> = (round * most + 1..=(round + 1) * most).collect();
            for &call in &numbers {
                let hold = peer.call(call, "hold", blob("frees"))?;
                peer.send(hold)?;
            }
            peer.give_up(numbers.iter().copied())?;
            let answered = numbers.iter().find(|&&call| peer.heard.answers.any(call));
            check(answered.is_none(), || {
                format!("call {answered:?} was answered; all before were cancelled")
            })?;
        }
        Ok(())
    })
    .alone(),
];
