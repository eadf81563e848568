//! The bounds: of a message, of calls in flight, of messages in parts.

use super::{Case, still_serves};
use crate::frame::{Frame, call, cancel, data, flag};
use crate::hello::Hello;
use crate::peer::Peer;
use crate::value::{blob, number};
use crate::verdict::section::{LIMITS, LONG};
use crate::verdict::{Step, check};

const RESOURCE_EXHAUSTED: u8 = 8;
const UNAVAILABLE: u8 = 14;

pub(super) const CASES: &[Case] = &[
    Case::new("limit-longest-message", LIMITS, "A message of max_message bytes is accepted.", |tested| {
        let mut peer = tested.open_with(&Hello::new().max_message(1 << 26))?;
        let most = peer.told()?.limits.max_message;
        // Call ID, deadline, and the length of the text.
        let text = "l".repeat(most - 8 - 5);
        let (frames, size) = (peer.echo(1, &text)?, peer.told()?.limits.max_frame);
        check(frames.body.len() == most, || "this program has made a message of another length".into())?;
        for frame in frames.cut_evenly(size) {
            peer.send(frame)?;
        }
        peer.echoed(1, &text)
    }),
    Case::new(
        "limit-message",
        LIMITS,
        "A message longer than max_message is refused once; its rest is skipped.",
        |tested| {
            let mut peer = tested.open()?;
            let (most, size) = (peer.told()?.limits.max_message, peer.told()?.limits.max_frame);
            let id = peer.method("echo")?;
            let long = call(1, id, 0, &vec![0; most + 3 * size]);
            for frame in long.cut_evenly(size) {
                peer.send(frame)?;
            }
            peer.refused(1, &[RESOURCE_EXHAUSTED])?;
            peer.still_there()?;
            still_serves(&mut peer, 2)
        },
    ),
    Case::new(
        "limit-long-answer",
        LIMITS,
        "A sender that sees that a message is too long fails the call itself.",
        |tested| {
            let mut peer = tested.open_with(&Hello::new().max_message(2000))?;
            let large = peer.call(1, "large", number(5000))?;
            peer.send(large)?;
            peer.failed(1, &(1..=16).collect::<Vec<u8>>())?;
            still_serves(&mut peer, 2)
        },
    ),
    Case::new(
        "limit-calls",
        LIMITS,
        "A call above max_calls is answered with `unavailable` or `resource_exhausted`, NOT_EXECUTED.",
        |tested| {
            let mut peer = tested.open()?;
            let most = peer.told()?.limits.max_calls.min(10_000) as u32;
            for call in 1..=most {
                let hold = peer.call(call, "hold", blob("limit"))?;
                peer.send(hold)?;
            }
            let echo = peer.echo(most + 1, "one too many")?;
            peer.send(echo)?;
            peer.refused(most + 1, &[UNAVAILABLE, RESOURCE_EXHAUSTED])?;
            peer.send(cancel(1))?;
            peer.still_there()?;
            still_serves(&mut peer, most + 2)?;
            peer.give_up(2..=most)
        },
    )
    .alone(),
    Case::new(
        "limit-parts",
        LONG,
        "Messages in parts past the window are dropped, and refused once.",
        |tested| {
            let mut peer = tested.open()?;
            let limits = peer.told()?.limits;
            let count = (limits.window / (limits.max_message - 100) + 2) as u32;
            let id = peer.method("echo")?;
            for number in 1..=count {
                begin(&mut peer, call(number, id, 0, &vec![0; limits.max_message - 200]))?;
            }
            peer.still_there()?;
            let refused: Vec<u32> = (1..=count).filter(|&number| peer.heard.answers.any(number)).collect();
            check(!refused.is_empty(), || {
                format!("{count} messages in parts were accepted, past the window")
            })?;
            for &number in &refused {
                peer.refused(number, &[RESOURCE_EXHAUSTED])?;
            }
            // Their rests are skipped, and none is answered twice.
            peer.send_all(refused.iter().map(|&number| data(number, b"rest")))?;
            peer.give_up((1..=count).filter(|number| !refused.contains(number)))?;
            still_serves(&mut peer, count + 1)
        },
    )
    .alone(),
    Case::new(
        "limit-window-kept",
        LONG,
        "A sender keeps the messages in parts within the receiver's window.",
        |tested| {
            let mut peer = tested.open_with(&Hello::new().max_message(1 << 20).window(1 << 20))?;
            for call in 1..=4 {
                let large = peer.call(call, "large", number(900_000))?;
                peer.send(large)?;
            }
            for call in 1..=4 {
                peer.wait("the end of a REPLY", |heard| {
                    let begun = heard.answers.parts.begun();
                    (begun > 1 || heard.answers.whole(call).is_some()).then_some(())
                })?;
                let begun = peer.heard.answers.parts.begun();
                check(begun <= 1, || {
                    format!("{begun} messages of 900,000 bytes have begun, within a window of 1 MiB")
                })?;
            }
            Ok(())
        },
    ),
];

/// Sends all of a message but its end.
fn begin(peer: &mut Peer, message: Frame) -> Step {
    let size = peer.told()?.limits.max_frame;
    for frame in message.cut_evenly(size) {
        peer.send(frame.with(flag::MORE))?;
    }
    Ok(())
}
