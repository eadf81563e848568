//! An answer that is long: its JSON is made here, by the call's own task, in steps between which others work. It may have so many
//! bytes, it takes room among all long answers before it grows, and it keeps that until it was sent. What else the route wants to know
//! of its result is read before, in steps as well. So is a long item of a reply that comes in items, which is then in one piece. A body that
//! is no JSON but a field as it is stays where it lies.

use crate::buffers::{HEADROOM, with_room};
use crate::transport::{Json, LongReply, Noted, Outcome, Replied};
use crate::worker::Worker;
use bytes::Bytes;
use callgate_protocol::{Budget, Room};
use callgate_transcode::Picked;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::yield_now;
use tokio::time::Instant;

/// A longer answer takes room, in bytes. Shorter ones are bounded by the number of connections; those of HTTP/2, of which a connection may have
/// many, by what the front holds of them.
const LONG: usize = 64 * 1024;

/// What is made in a step, and a piece of the answer, in bytes.
const STEP: usize = 64 * 1024;

/// The time of an item is its call's, which ends it.
const NEVER: Duration = Duration::from_secs(24 * 3600);

/// Whether an answer is to be [`bounded`].
#[inline]
pub(super) fn is_long(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Reply(Replied { json: Json::Short(json), .. }) => json.body().len() > LONG,
        Outcome::Long(_) => true,
        _ => false,
    }
}

/// The answer with its JSON, which has room; or why there is none.
pub(super) async fn bounded(outcome: Outcome, worker: &Worker, deadline: Instant) -> Outcome {
    let (budget, most) = (&worker.shared.answers, worker.shared.settings.server.max_answer);
    within(outcome, budget, most, deadline).await
}

/// The same within that budget; the JSON may have so many bytes.
pub(super) async fn within(outcome: Outcome, budget: &Arc<Budget>, most: u64, deadline: Instant) -> Outcome {
    match outcome {
        Outcome::Reply(Replied { json: Json::Short(json), .. }) if json.body().len() as u64 > most => {
            Outcome::TooLong(most)
        }
        Outcome::Reply(Replied { json: Json::Short(json), noted }) => match budget.take(json.capacity()) {
            Some(room) => {
                let piece = with_room(json.into_vec(), HEADROOM, room);
                Outcome::Reply(Replied { json: Json::Long(vec![piece]), noted })
            }
            None => Outcome::NoRoom,
        },
        Outcome::Long(reply) => transcode(*reply, budget, most, deadline).await,
        other => other,
    }
}

async fn transcode(mut reply: LongReply, budget: &Arc<Budget>, most: u64, deadline: Instant) -> Outcome {
    let Some(mut held) = budget.take(reply.without_room()) else {
        return Outcome::NoRoom;
    };
    let mut noted = reply.take_noted();
    if let Some(noted) = &mut noted {
        noted.picked = match pick(&reply, &mut held, deadline).await {
            Ok(picked) => picked,
            Err(outcome) => return outcome,
        };
    }
    if reply.is_raw() {
        return raw(reply, noted, held, most, deadline).await;
    }
    let mut decoding = reply.begin();
    let (mut pieces, mut length, mut keys) = (Vec::new(), 0, 0);
    loop {
        let Some(room) = budget.take(STEP) else { return Outcome::NoRoom };
        let mut json = Vec::with_capacity(STEP);
        let mut done = false;
        // What is not shown takes steps and fills no piece.
        while !done && json.len() < STEP / 2 {
            let left = STEP - json.len();
            done = match decoding.advance(&mut json, left) {
                Ok(done) => done,
                Err(error) => {
                    return Outcome::BadReply(error.to_string());
                }
            };
            let more = decoding.held().saturating_sub(keys);
            if !held.grow(more) {
                return Outcome::NoRoom;
            }
            keys += more;
            if !done {
                yield_now().await;
                if Instant::now() >= deadline {
                    return Outcome::Late;
                }
            }
        }
        length += json.len() as u64;
        if length > most {
            return Outcome::TooLong(most);
        }
        pieces.push(with_room(json, 0, room));
        if done {
            return Outcome::Reply(Replied { json: Json::Long(pieces), noted });
        }
    }
}

/// The JSON of an item, and the fields that its route picks; or how its reply ends where there is none. Its instance waits meanwhile.
pub(super) async fn item(
    mut reply: LongReply,
    worker: Rc<Worker>,
) -> Result<(Bytes, Option<Box<Picked>>), Outcome> {
    let answers = &worker.shared.answers;
    let picked = match reply.take_noted() {
        None => None,
        Some(_) => {
            let mut held = answers.take(0).ok_or(Outcome::NoRoom)?;
            let never = Instant::now() + NEVER;
            Some(Box::new(pick(&reply, &mut held, never).await?))
        }
    };
    let json = item_within(&reply, answers, worker.shared.settings.server.max_answer).await?;
    Ok((json, picked))
}

pub(super) async fn item_within(
    reply: &LongReply,
    budget: &Arc<Budget>,
    most: u64,
) -> Result<Bytes, Outcome> {
    let mut held = budget.take(reply.without_room()).ok_or(Outcome::NoRoom)?;
    let mut room = budget.take(0).ok_or(Outcome::NoRoom)?;
    let (mut decoding, mut json, mut keys) = (reply.begin(), Vec::new(), 0);
    loop {
        if json.capacity() - json.len() < STEP {
            let more = json.capacity().max(STEP);
            if !room.grow(more) {
                return Err(Outcome::NoRoom);
            }
            json.reserve_exact(json.capacity() - json.len() + more);
        }
        let done = decoding.advance(&mut json, STEP).map_err(|error| Outcome::BadReply(error.to_string()))?;
        if json.len() as u64 > most {
            return Err(Outcome::TooLong(most));
        }
        let more = decoding.held().saturating_sub(keys);
        if !held.grow(more) {
            return Err(Outcome::NoRoom);
        }
        keys += more;
        if done {
            return Ok(with_room(json, 0, room));
        }
        yield_now().await;
    }
}

/// The field that is the body, as it lies in the reply. All of that is checked, in steps.
async fn raw(
    reply: LongReply,
    noted: Option<Box<Noted>>,
    mut held: Room,
    most: u64,
    deadline: Instant,
) -> Outcome {
    let (mut decoding, mut scratch, mut keys) = (reply.begin(), Vec::new(), 0);
    loop {
        let done = match decoding.advance(&mut scratch, STEP) {
            Ok(done) => done,
            Err(error) => return Outcome::BadReply(error.to_string()),
        };
        let more = decoding.held().saturating_sub(keys);
        if !held.grow(more) {
            return Outcome::NoRoom;
        }
        keys += more;
        if done {
            break;
        }
        yield_now().await;
        if Instant::now() >= deadline {
            return Outcome::Late;
        }
    }
    let body = decoding.raw_body();
    drop(decoding);
    if body.len() as u64 > most {
        return Outcome::TooLong(most);
    }
    Outcome::Reply(Replied { json: Json::Long(vec![reply.into_body(body, held)]), noted })
}

/// The fields that the route wants to know, or why there is no reply.
async fn pick(reply: &LongReply, held: &mut Room, deadline: Instant) -> Result<Picked, Outcome> {
    let (mut picking, mut keys) = (reply.begin_picking(), 0);
    loop {
        let picked = picking.advance(STEP).map_err(|error| Outcome::BadReply(error.to_string()))?;
        let more = picking.held().saturating_sub(keys);
        if !held.grow(more) {
            return Err(Outcome::NoRoom);
        }
        keys += more;
        if let Some(picked) = picked {
            return Ok(picked);
        }
        yield_now().await;
        if Instant::now() >= deadline {
            return Err(Outcome::Late);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::callgate::testing::{long_reply, long_reply_of};
    use callgate_protocol::schema::Type;
    use callgate_transcode::Response;
    use std::future::{Future, poll_fn};
    use std::pin::pin;
    use std::task::Poll;

    const MIB: usize = 1 << 20;

    fn zeros(count: usize) -> Vec<u8> {
        [&[252][..], &(count as u32).to_le_bytes(), &vec![0; count]].concat()
    }

    fn list(item: Type) -> Type {
        Type::List(Box::new(item))
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(3600)
    }

    fn whole(outcome: &Outcome) -> Vec<u8> {
        let Outcome::Reply(Replied { json: Json::Long(pieces), .. }) = outcome else {
            panic!("no JSON: {outcome:?}")
        };
        assert!(pieces.iter().all(|piece| piece.len() <= STEP));
        pieces.concat()
    }

    #[tokio::test]
    async fn others_run_between_the_steps_of_a_long_answer() {
        let budget = Budget::new(64 * MIB);
        let reply = long_reply(list(Type::U8), zeros(MIB));
        let mut answer = pin!(transcode(reply, &budget, 64 << 20, later()));
        let mut stops = 0;
        let answer = poll_fn(|cx| {
            let polled = answer.as_mut().poll(cx);
            stops += usize::from(polled.is_pending());
            if polled.is_pending() { Poll::Pending } else { polled }
        })
        .await;
        let json = whole(&answer);
        assert_eq!(json.len(), 2 * MIB + 1);
        assert!(stops >= json.len() / STEP, "{stops}");
        assert!((json.len()..2 * json.len() + 2 * STEP).contains(&budget.used()), "{}", budget.used());
        drop(answer);
        assert_eq!(budget.used(), 0);
    }

    #[tokio::test]
    async fn a_long_item_is_in_one_piece_and_holds_its_room() {
        let budget = Budget::new(64 * MIB);
        let reply = long_reply(list(Type::U8), zeros(MIB));
        let item = item_within(&reply, &budget, 64 << 20).await.expect("it is well formed");
        assert_eq!(item.len(), 2 * MIB + 1);
        assert!((2 * MIB..6 * MIB).contains(&budget.used()), "{}", budget.used());
        drop(item);
        assert_eq!(budget.used(), 0);
        for (room, most, expected) in [(2 * MIB, 1 << 30, "NoRoom"), (64 * MIB, 1000, "TooLong(1000)")] {
            let budget = Budget::new(room);
            let outcome = item_within(&reply, &budget, most).await.expect_err("it is bounded");
            assert_eq!((format!("{outcome:?}").as_str(), budget.used()), (expected, 0));
        }
    }

    #[tokio::test]
    async fn a_raw_body_stays_where_it_lies_and_holds_the_room_of_its_reply() {
        let raw = |bytes: usize| {
            let payload = [&[252][..], &(bytes as u32).to_le_bytes(), &vec![7; bytes]].concat();
            long_reply_of(Type::Bytes, Response::Raw(None), payload)
        };
        let budget = Budget::new(4 * MIB);
        let answer = transcode(raw(3 * MIB), &budget, 3 << 20, later()).await;
        let Outcome::Reply(Replied { json: Json::Long(pieces), .. }) = &answer else { panic!("{answer:?}") };
        assert_eq!((pieces.len(), pieces[0].len()), (1, 3 * MIB), "nothing was copied");
        assert!(pieces[0].iter().all(|byte| *byte == 7));
        assert_eq!(budget.used(), 3 * MIB + 5);
        drop(answer);
        assert_eq!(budget.used(), 0);
        for (most, room, expected) in [(3 << 20, MIB, "NoRoom"), (2 << 20, 4 * MIB, "TooLong(2097152)")] {
            let budget = Budget::new(room);
            let answer = transcode(raw(3 * MIB), &budget, most, later()).await;
            assert_eq!((format!("{answer:?}"), budget.used()), (expected.to_owned(), 0));
        }
        let cut = long_reply_of(Type::Bytes, Response::Raw(None), vec![252, 9, 0, 0, 0, 1]);
        assert!(matches!(transcode(cut, &budget, 1 << 20, later()).await, Outcome::BadReply(_)));
    }

    #[tokio::test]
    async fn an_answer_ends_at_its_bound_and_where_there_is_no_room() {
        // 60,000 units are five bytes each as JSON.
        for (most, room, message) in [(100_000, 64 * MIB, "TooLong(100000)"), (1 << 30, 3 * STEP, "NoRoom")] {
            let budget = Budget::new(room);
            let reply = long_reply(list(Type::Unit), vec![251, 96, 234]);
            let answer = transcode(reply, &budget, most, later()).await;
            assert_eq!(format!("{answer:?}"), message);
            assert_eq!(budget.used(), 0);
        }
        let nothing = Budget::new(100);
        let reply = long_reply(list(Type::U8), zeros(1000));
        assert!(
            matches!(transcode(reply, &nothing, 1 << 30, later()).await, Outcome::NoRoom),
            "the reply itself"
        );
    }

    #[tokio::test]
    async fn a_long_answer_is_late_where_its_deadline_comes_between_two_steps() {
        let budget = Budget::new(64 * MIB);
        let reply = long_reply(list(Type::U8), zeros(MIB));
        assert!(matches!(transcode(reply, &budget, 64 << 20, Instant::now()).await, Outcome::Late));
        assert_eq!(budget.used(), 0);
    }

    #[tokio::test]
    async fn a_long_reply_that_breaks_off_is_the_instances_failure() {
        let budget = Budget::new(64 * MIB);
        let reply = long_reply(list(Type::U8), zeros(MIB)[..MIB].to_vec());
        let answer = transcode(reply, &budget, 64 << 20, later()).await;
        let Outcome::BadReply(error) = answer else { panic!("{answer:?}") };
        assert_eq!(error, format!("the bytes end inside a value at byte {MIB}"));
        assert_eq!(budget.used(), 0);
    }

    #[tokio::test]
    async fn the_keys_of_a_long_map_take_room_once_however_many_steps_it_takes() {
        let mut peaks = Vec::new();
        for entries in [30_000_u16, 60_000] {
            let mut message = [&[251][..], &entries.to_le_bytes()].concat();
            for key in 0..entries {
                match u8::try_from(key) {
                    Ok(key) if key < 251 => message.push(key),
                    _ => message.extend([&[251][..], &key.to_le_bytes()].concat()),
                }
            }
            let budget = Budget::new(64 * MIB);
            let reply = long_reply(Type::Map(Box::new(Type::U16), Box::new(Type::Unit)), message);
            let (mut answer, mut peak) = (pin!(transcode(reply, &budget, 64 << 20, later())), 0);
            let answer = poll_fn(|cx| {
                let polled = answer.as_mut().poll(cx);
                peak = peak.max(budget.used());
                polled
            })
            .await;
            assert!(peak > whole(&answer).len(), "{peak}");
            peaks.push(peak);
        }
        assert!(peaks[1] < peaks[0] * 5 / 2, "twice as many take about twice as much: {peaks:?}");
    }
}
