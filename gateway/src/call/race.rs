//! Tries of one call side by side. Another try is sent beside those that have not answered, when these are slow
//! ([`hedge`](super::hedge)) or when their instances have fallen silent. The first answer counts, and the other tries are
//! cancelled.
//!
//! An instance that is silent may be gone, but is given up only after a while. Its calls do not wait for that: the connection
//! says when the doubt begins. Only idempotent calls are sent elsewhere, within their attempts and the retry budget. Where no
//! other instance is there they stay, as all other calls do. Nothing happens when the instance is heard of again.

use super::budget::Cost;
use super::{Call, Try, retry};
use crate::backends::Pick;
use crate::telemetry::{HedgeOutcome, RetryReason};
use crate::transport::callgate::{Answer, Conn, Heard};
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::task::yield_now;
use tokio::time::{Instant, Sleep, sleep_until};

/// An instance that was heard of within this time is there.
const LATELY: Duration = Duration::from_millis(100);

/// Within this time an instance that is asked gives a sign, be the method slow or not. Otherwise it is in doubt as well: the
/// call has waited long enough for the one before. For the same reason it is asked again and again until the answer is there.
const SIGN: Duration = Duration::from_millis(50);

/// So many instances are looked at for one that was heard of lately.
const CHOICE: usize = 3;

/// Awaits the answer to a try and to those that are sent beside it: one at `hedge`, and one whenever all are in doubt. `sent` is
/// then the one that has answered.
pub(super) async fn answer(call: &mut Call<'_>, sent: &mut Try, hedge: Option<Instant>) -> Answer {
    let counters = call.counters();
    // Where there is no hedge, it is waited for only when another try is sent.
    let mut time = pin!(sleep_until(hedge.unwrap_or_else(Instant::now)));
    let mut race = Race { sent, others: Vec::new(), is_first: true };
    let (mut waits, mut overdue) = (hedge.is_some(), false);
    let (mut hedges, mut hedged) = (hedge.is_some(), false);
    loop {
        if race.is_in_doubt()
            && let Some(next) = call.beside(&race, Why::Silent)
        {
            time.as_mut().reset(call.times.now + SIGN);
            (waits, overdue, hedges) = (true, false, false);
            race.others.push(next);
        }
        match poll_fn(|cx| race.poll(cx, waits.then_some(time.as_mut()))).await {
            Event::Answer(at, answer) => {
                if race.others.is_empty() || !call.would_go_on_after(race.at(at), &answer) {
                    race.ends_with(at);
                    if hedged {
                        let first = race.is_first;
                        counters.hedged(if first { HedgeOutcome::First } else { HedgeOutcome::Second });
                    }
                    return answer;
                }
                // A failure after which the call would be sent again is no answer while another try is under way.
                call.tried.refused.push(race.at(at).in_flight.endpoint().id);
                race.goes_on_without(at);
            }
            // What has come while the gateway was away is read first.
            Event::Time if !mem::replace(&mut overdue, true) => yield_now().await,
            Event::Time => {
                waits = false;
                if mem::take(&mut hedges) && race.others.is_empty() {
                    race.others.extend(call.beside(&race, Why::Slow));
                    hedged = !race.others.is_empty();
                    if !hedged {
                        counters.hedged(HedgeOutcome::NotSent);
                    }
                } else if race.asks_again() {
                    time.as_mut().reset(Instant::now() + SIGN);
                    (waits, overdue) = (true, false);
                }
            }
            Event::Doubt => {}
        }
    }
}

/// The tries that are under way.
struct Race<'t> {
    sent: &'t mut Try,
    others: Vec<Try>,
    /// `sent` is the one that was sent first.
    is_first: bool,
}

enum Event {
    /// The one at that place has ended.
    Answer(usize, Answer),
    /// An instance has fallen silent.
    Doubt,
    /// It is time for a hedge, or an instance has had its time for a sign.
    Time,
}

/// Why a try is sent beside others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    Slow,
    Silent,
}

impl Race<'_> {
    fn tries(&self) -> impl Iterator<Item = &Try> {
        std::iter::once(&*self.sent).chain(&self.others)
    }

    fn at(&self, at: usize) -> &Try {
        if at == 0 { self.sent } else { &self.others[at - 1] }
    }

    fn poll(&mut self, cx: &mut Context<'_>, time: Option<Pin<&mut Sleep>>) -> Poll<Event> {
        let tries = std::iter::once(&mut *self.sent).chain(&mut self.others);
        for (at, one) in tries.enumerate() {
            match one.in_flight.poll_heard(cx) {
                Poll::Ready(Heard::Answer(answer)) => return Poll::Ready(Event::Answer(at, answer)),
                Poll::Ready(Heard::Doubt) => return Poll::Ready(Event::Doubt),
                Poll::Pending => {}
            }
        }
        match time.map(|time| time.poll(cx)) {
            Some(Poll::Ready(())) => Poll::Ready(Event::Time),
            _ => Poll::Pending,
        }
    }

    fn is_in_doubt(&self) -> bool {
        self.tries().all(Try::is_in_doubt)
    }

    /// Asks the instances again that were asked and have given a sign: one that did may be gone a moment later. Says whether there
    /// are such.
    fn asks_again(&mut self) -> bool {
        let tries = std::iter::once(&mut *self.sent).chain(&mut self.others);
        let asked = tries.filter(|one| one.asked.is_some() && !one.is_in_doubt());
        asked.map(|one| one.asked = Some(one.in_flight.ask())).count() > 0
    }

    /// That one has answered.
    fn ends_with(&mut self, at: usize) {
        if at > 0 {
            mem::swap(self.sent, &mut self.others[at - 1]);
            self.is_first = false;
        }
    }

    /// That one has failed; there are others.
    fn goes_on_without(&mut self, at: usize) {
        self.is_first &= at > 0;
        if at == 0 {
            mem::swap(self.sent, &mut self.others[0]);
        }
        self.others.remove(at.saturating_sub(1));
    }
}

impl Try {
    fn is_in_doubt(&self) -> bool {
        let has_no_sign = |asked| self.in_flight.has_no_sign(asked, SIGN);
        self.in_flight.is_doubtful() || self.asked.is_some_and(has_no_sign)
    }
}

impl Call<'_> {
    /// One more try at another instance, if one is there and attempts and budget allow it.
    fn beside(&mut self, race: &Race<'_>, why: Why) -> Option<Try> {
        let spec = &self.request.call.spec.retry;
        let wanted = match why {
            Why::Slow => true,
            Why::Silent => retry::is_wanted(spec, RetryReason::Silent, race.sent.idempotent),
        };
        if !wanted || !self.may_send_again() {
            return None;
        }
        self.times.now = Instant::now();
        if self.times.now >= self.times.deadline {
            return None;
        }
        let conn = self.another(race)?;
        let paid = match why {
            // Nothing is given back for it, or nothing would bound how much is hedged.
            Why::Slow => self.pay(Cost::Hedge),
            Why::Silent => self.pay_for(RetryReason::Silent),
        };
        if !paid {
            return None;
        }
        // Should the request not fit that instance's schema, the other tries still may.
        let mut sent = self.send_to(&conn).ok().flatten()?;
        if why == Why::Silent {
            self.counters().retried(RetryReason::Silent);
            sent.asked = Some(sent.in_flight.ask());
        }
        Some(sent)
    }

    /// Another instance than those that have the call. Of a few it takes the one that was heard of last: when one instance has
    /// fallen silent, others may have at the same time, and nobody knows yet.
    fn another(&mut self, race: &Race<'_>) -> Option<Rc<Conn>> {
        let backend = self.backend.clone()?;
        let refused = self.tried.refused.len();
        self.tried.refused.extend(race.tries().map(|one| one.in_flight.endpoint().id));
        let mut chosen: Option<Rc<Conn>> = None;
        for _ in 0..CHOICE {
            let Pick::Ready(conn) = backend.pick(&self.tried) else { break };
            if conn.is_doubtful() || self.tried.refused.contains(&conn.endpoint.id) {
                break;
            }
            self.tried.refused.push(conn.endpoint.id);
            let lately = self.times.now.saturating_duration_since(conn.heard_at()) < LATELY;
            if chosen.as_ref().is_none_or(|known| known.heard_at() < conn.heard_at()) {
                chosen = Some(conn);
            }
            if lately {
                break;
            }
        }
        self.tried.refused.truncate(refused);
        chosen
    }
}
