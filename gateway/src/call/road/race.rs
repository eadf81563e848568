//! Attempts of one call side by side. Another one is sent beside those that have not answered, when these are slow
//! ([`hedge`](super::hedge)) or when their instances have fallen silent. The first answer counts, be it whole or just begun, and
//! the other attempts are cancelled.
//!
//! An instance that is silent may be gone, but is given up only after a while. Its calls do not wait for that: the connection
//! says when the doubt begins. Only idempotent calls are sent elsewhere, within their attempts and the retry budget. Where no
//! other instance is there they stay, as all other calls do. Nothing happens when the instance is heard of again.

use super::{Road, Sent};
use crate::backends::{Chosen, Cost, Pick};
use crate::telemetry::{HedgeOutcome, RetryReason};
use crate::transport::{Heard, Progress};
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
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

/// Awaits what comes of an attempt and of those that are sent beside it: one at `hedge`, and one whenever all are in doubt. `sent` is
/// then the one that it has come of.
pub(super) async fn progress(road: &mut Road<'_>, sent: &mut Sent, hedge: Option<Instant>) -> Progress {
    let counters = road.counters();
    // Where there is no hedge, it is waited for only when another attempt is sent.
    let mut time = pin!(sleep_until(hedge.unwrap_or_else(Instant::now)));
    let mut race = Race { sent, others: Vec::new(), is_first: true };
    let (mut waits, mut overdue) = (hedge.is_some(), false);
    let (mut hedges, mut hedged) = (hedge.is_some(), false);
    loop {
        if race.is_in_doubt()
            && let Some(next) = race.beside(road, Why::Silent)
        {
            time.as_mut().reset(road.times.now + SIGN);
            (waits, overdue, hedges) = (true, false, false);
            race.others.push(next);
        }
        match poll_fn(|cx| race.poll(cx, waits.then_some(time.as_mut()))).await {
            Event::Progress(at, progress) => {
                if race.others.is_empty() || !road.would_go_on_after(race.at(at), &progress) {
                    race.ends_with(at);
                    if hedged {
                        let first = race.is_first;
                        counters.hedged(if first { HedgeOutcome::First } else { HedgeOutcome::Second });
                    }
                    return progress;
                }
                // A failure after which the call would be sent again is no end while another attempt is under way.
                road.fails_beside(race.at(at), &progress);
                race.goes_on_without(at);
            }
            // What has come while the gateway was away is read first.
            Event::Time if !mem::replace(&mut overdue, true) => yield_now().await,
            Event::Time => {
                waits = false;
                if mem::take(&mut hedges) && race.others.is_empty() {
                    let second = race.beside(road, Why::Slow);
                    race.others.extend(second);
                    hedged = !race.others.is_empty();
                    if !hedged {
                        counters.hedged(HedgeOutcome::NotSent);
                    }
                } else if race.asks_again() {
                    time.as_mut().reset(Instant::now() + SIGN);
                    (waits, overdue) = (true, false);
                }
            }
            Event::Silent => {}
        }
    }
}

/// The attempts that are under way.
struct Race<'t> {
    sent: &'t mut Sent,
    others: Vec<Sent>,
    /// `sent` is the one that was sent first.
    is_first: bool,
}

enum Event {
    /// The one at that place has ended, or its reply has begun.
    Progress(usize, Progress),
    /// An instance has fallen silent.
    Silent,
    /// It is time for a hedge, or an instance has had its time for a sign.
    Time,
}

/// Why an attempt is sent beside others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    Slow,
    Silent,
}

impl Race<'_> {
    fn all(&self) -> impl Iterator<Item = &Sent> {
        std::iter::once(&*self.sent).chain(&self.others)
    }

    fn at(&self, at: usize) -> &Sent {
        if at == 0 { self.sent } else { &self.others[at - 1] }
    }

    fn poll(&mut self, cx: &mut Context<'_>, time: Option<Pin<&mut Sleep>>) -> Poll<Event> {
        let all = std::iter::once(&mut *self.sent).chain(&mut self.others);
        for (at, one) in all.enumerate() {
            match one.attempt.poll_heard(cx) {
                Poll::Ready(Heard::Progress(progress)) => {
                    return Poll::Ready(Event::Progress(at, progress));
                }
                Poll::Ready(Heard::Silent) => return Poll::Ready(Event::Silent),
                Poll::Pending => {}
            }
        }
        match time.map(|time| time.poll(cx)) {
            Some(Poll::Ready(())) => Poll::Ready(Event::Time),
            _ => Poll::Pending,
        }
    }

    fn is_in_doubt(&self) -> bool {
        self.all().all(Sent::is_in_doubt)
    }

    /// Asks the instances again that were asked and have given a sign: one that did may be gone a moment later. Says whether there
    /// are such.
    fn asks_again(&mut self) -> bool {
        let all = std::iter::once(&mut *self.sent).chain(&mut self.others);
        let asked = all.filter(|one| one.asked.is_some() && !one.is_in_doubt());
        asked.map(|one| one.asked = Some(one.attempt.ask())).count() > 0
    }

    /// That one counts.
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

    /// One more attempt at another instance, if one is there and attempts and budget allow it.
    fn beside(&self, road: &mut Road<'_>, why: Why) -> Option<Sent> {
        let wanted = match why {
            Why::Slow => true,
            Why::Silent => road.wants(RetryReason::Silent, self.sent.idempotent),
        };
        if !wanted || !road.may_send_again() {
            return None;
        }
        road.times.now = Instant::now();
        if road.times.now >= road.times.deadline {
            return None;
        }
        let chosen = self.another(road)?;
        let paid = match why {
            // Nothing is given back for it, or nothing would bound how much is hedged.
            Why::Slow => road.backend.as_ref().is_some_and(|backend| road.purse(backend).pay(Cost::Hedge)),
            Why::Silent => road.pay_for(RetryReason::Silent),
        };
        if !paid {
            return None;
        }
        // Should the request not fit that instance's schema, the other attempts still may.
        let mut sent = road.send_to(&chosen).ok().flatten()?;
        if why == Why::Silent {
            road.counters().retried(RetryReason::Silent);
            sent.asked = Some(sent.attempt.ask());
        }
        Some(sent)
    }

    /// Another instance than those that have the call. Of a few it takes the one that was heard of last: when one instance has
    /// fallen silent, others may have at the same time, and nobody knows yet.
    fn another(&self, road: &mut Road<'_>) -> Option<Chosen> {
        let backend = road.backend.clone()?;
        let tried = &mut road.tried;
        let refused = tried.refused.len();
        tried.refused.extend(self.all().map(|one| one.attempt.endpoint().id));
        let mut best: Option<Chosen> = None;
        for _ in 0..CHOICE {
            let Pick::Ready(chosen) = backend.pick(tried) else { break };
            if chosen.is_silent() || tried.refused.contains(&chosen.endpoint().id) {
                break;
            }
            tried.refused.push(chosen.endpoint().id);
            let lately = road.times.now.saturating_duration_since(chosen.heard_at()) < LATELY;
            if best.as_ref().is_none_or(|known| known.heard_at() < chosen.heard_at()) {
                best = Some(chosen);
            }
            if lately {
                break;
            }
        }
        tried.refused.truncate(refused);
        best
    }
}

impl Sent {
    fn is_in_doubt(&self) -> bool {
        let has_no_sign = |asked| self.attempt.has_no_sign(asked, SIGN);
        self.attempt.is_silent() || self.asked.is_some_and(has_no_sign)
    }
}
