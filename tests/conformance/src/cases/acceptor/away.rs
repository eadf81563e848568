//! READY and GO_AWAY. The methods `ready` and `drain` make the acceptor say them; one that lacks them leaves the cases out.

use super::{Case, still_serves};
use crate::frame::{Frame, data, flag, go_away, kind};
use crate::value::blob;
use crate::verdict::check;
use crate::verdict::section::{AWAY, READY, WRONG};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "ready-told",
        READY,
        "An acceptor that wants no calls says READY 0, and 1 when it wants them again.",
        |tested| {
            let mut peer = tested.open()?;
            let not = peer.call(1, "ready", [0])?;
            peer.send(not)?;
            peer.result(1)?;
            peer.wait("READY 0", |heard| heard.ready.pop_front().filter(|ready| !ready))?;
            // What comes all the same is run, and a new connection is told at its beginning.
            still_serves(&mut peer, 2)?;
            let mut later = tested.open()?;
            later.wait("READY 0 on a new connection", |heard| {
                heard.ready.pop_front().filter(|ready| !ready)
            })?;
            let again = later.call(1, "ready", [1])?;
            later.send(again)?;
            later.result(1)?;
            for peer in [&mut peer, &mut later] {
                peer.wait("READY 1", |heard| heard.ready.pop_front().filter(|ready| *ready))?;
            }
            Ok(())
        },
    )
    .alone(),
    Case::new(
        "away-told",
        AWAY,
        "An acceptor that goes away finishes the calls that have begun to arrive, and closes.",
        |tested| {
            let mut peer = tested.open()?;
            let mut parts = peer.echo(1, "still arriving")?.cut([6]);
            let (rest, drain) = (parts.remove(1), peer.call(2, "drain", [])?);
            peer.send_all([parts.remove(0), drain])?;
            let away = peer.goes_away()?;
            check(away.last_call == 2, || {
                format!("its last call is {}; the highest that has begun is 2", away.last_call)
            })?;
            peer.result(2)?;
            // Above the last call: neither run nor answered, which holds for every frame from here on.
            let late = peer.echo(3, "too late")?;
            peer.send(late)?;
            peer.still_there()?;
            peer.send(rest)?;
            peer.echoed(1, "still arriving")?;
            peer.ends()?;
            check(!peer.heard.answers.any(3), || "call 3 was answered, above the last call".into())
        },
    )
    .alone(),
    Case::new(
        "away-cancel",
        AWAY,
        "After GO_AWAY the connector may still cancel, and what it cancels is not waited for.",
        |tested| {
            let mut peer = tested.open()?;
            let (hold, drain) = (peer.call(1, "hold", blob("away"))?, peer.call(2, "drain", [])?);
            peer.send_all([hold, drain])?;
            peer.goes_away()?;
            peer.result(2)?;
            peer.still_there()?;
            peer.send(crate::frame::cancel(1))?;
            peer.ends()?;
            check(!peer.heard.answers.any(1), || "the cancelled call was answered".into())
        },
    )
    .alone(),
    Case::new(
        "away-heard",
        AWAY,
        "A connector's GO_AWAY says that no more calls come; those under way are answered.",
        |tested| {
            let mut peer = tested.open()?;
            let mut parts = peer.echo(1, "arriving")?.cut([6]);
            let rest = parts.remove(1);
            let echo = peer.echo(2, "whole")?;
            peer.send_all([parts.remove(0), echo, go_away(0, "the case is over"), rest])?;
            peer.echoed(2, "whole")?;
            peer.echoed(1, "arriving")
        },
    ),
    Case::new("away-reason", WRONG, "A reason that is not UTF-8 is no error.", |tested| {
        let mut peer = tested.open()?;
        let echo = peer.echo(1, "before")?;
        peer.send_all([echo, Frame::new(kind::GO_AWAY, 0, [0, 0, 0, 0, 0xc3, 0x28])])?;
        peer.echoed(1, "before")
    }),
    Case::new(
        "away-closed-early",
        AWAY,
        "A connection that ends within a message hurts no other.",
        |tested| {
            let mut peer = tested.open()?;
            let echo = peer.echo(1, "cut off")?;
            peer.send_all([echo.with(flag::MORE), data(1, b"more").with(flag::MORE)])?;
            peer.finish_writing();
            drop(peer);
            still_serves(&mut tested.open()?, 1)
        },
    ),
];
