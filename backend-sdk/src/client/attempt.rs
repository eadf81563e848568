//! One call's life: an endpoint is chosen, the call is sent, and when it has failed without having run, sent to
//! another one; all of it within the call's deadline.

use super::choice::Chosen;
use super::connection::Call;
use super::members::Member;
use super::offers::Way;
use super::outcome::{Failed, Origin, unavailable};
use super::pool::Pool;
use super::progress::{Progress, Why};
use super::race::{Attempt, Event, Race};
use crate::layer::{MethodName, Reply};
use crate::service::Method;
use crate::{Code, Status};
use callgate_protocol::MetadataBuf;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// Before the same endpoint is asked again that has refused a call without saying when.
const PAUSE: Duration = Duration::from_millis(50);

/// A call that is to be made.
pub(crate) struct Attempts<'a> {
    pub(crate) pool: &'a Pool,
    pub(crate) method: &'static Method,
    pub(crate) metadata: &'a MetadataBuf,
    pub(crate) payload: &'a [u8],
    pub(crate) deadline: Instant,
}

/// How far attempts have brought a call.
pub(crate) enum Done {
    /// It has its encoded result, and what came beside it. Where the service streams, its end came before any item.
    Reply(Reply),
    /// It streams. It is not sent again.
    Begun(Box<Attempt>),
}

impl Attempts<'_> {
    /// Makes the call; the encoded result, and what came beside it.
    pub(crate) async fn run(&self) -> Result<Reply, Status> {
        match self.begin().await? {
            Done::Reply(reply) => Ok(reply),
            Done::Begun(_) => Err(Status::internal("the endpoint streams, which was not asked for")),
        }
    }

    /// Makes the call, to its result or to where it streams: it has its first item, or if the caller streams it was sent.
    pub(crate) async fn begin(&self) -> Result<Done, Status> {
        self.pool.budget.earn();
        let mut progress = Progress::default();
        match timeout_at(self.deadline, self.attempts(&mut progress)).await {
            Ok(outcome) => outcome.inspect(|_| progress.succeeds(&self.pool.budget)),
            Err(_) if progress.may_run() => Err(self.unanswered(&progress)),
            Err(_) => {
                let why = self.pool.members.read().why_none(Some(self.method));
                Err(Status::unavailable(format!("no endpoint was ready in time ({why})")).not_executed())
            }
        }
    }

    async fn attempts(&self, progress: &mut Progress) -> Result<Done, Status> {
        let mut next = None;
        loop {
            let chosen = match next.take() {
                Some(chosen) => chosen,
                None => self.pool.pick(self.method, &progress.failed_by()).await?,
            };
            let endpoint = chosen.id();
            if let Some(failed) = progress.answer_of(endpoint) {
                self.wait_before_the_same(failed).await?;
            }
            progress.sends(endpoint);
            let (endpoint, failed) = match self.send(chosen).await {
                Err(failed) => (endpoint, failed),
                Ok(sent) => match self.race(sent, progress).await {
                    Ok(done) => return Ok(done),
                    Err(failed) => failed,
                },
            };
            self.tell(endpoint, &failed);
            progress.fails(&failed);
            if !progress.may_send_again() || !self.is_worth_a_retry(&failed) {
                return Err(failed.status);
            }
            if progress.wants_another() {
                let than = [progress.failed_by(), vec![endpoint]].concat();
                next = self.pool.another(self.method, &than);
                if next.is_none() {
                    return Err(failed.status);
                }
            }
            if progress.pays(Why::Failed(&failed), &self.pool.budget).is_none() {
                return Err(failed.status);
            }
            self.goes_on_after(endpoint, failed, progress);
        }
    }

    /// Waits for the outcome of an attempt, and of those that are sent beside it. If it is a failure: whose.
    async fn race(&self, mut first: Attempt, progress: &mut Progress) -> Result<Done, (u64, Failed)> {
        let streams = self.method.streams;
        if streams.caller {
            first.trial.lasts();
            return Ok(Done::Begun(Box::new(first)));
        }
        let mut race = Race::new(first);
        progress.begins();
        let hedge_after = self.pool.hedge_after.filter(|_| self.method.idempotent && streams.is_plain());
        let mut hedge = hedge_after.map(|after| (after, Box::pin(sleep(after))));
        loop {
            match race.next(hedge.as_mut().map(|(_, time)| time.as_mut())).await {
                Event::Ended(at, outcome) => {
                    progress.ends(&outcome);
                    let (endpoint, outcome) = race.end(at, self.method, outcome);
                    match outcome {
                        // While another attempt is under way, a failure after which the call would be sent again is no end.
                        Err(failed) if !race.is_single() && self.is_worth_a_retry(&failed) => {
                            self.tell(endpoint, &failed);
                            progress.fails(&failed);
                            race.goes_on_without(at);
                            // Another one takes its place, as if it had been alone.
                            self.beside(&mut race, Some(endpoint), Why::Failed(&failed), progress);
                            self.goes_on_after(endpoint, failed, progress);
                        }
                        outcome => {
                            race.finish();
                            return outcome.map(Done::Reply).map_err(|failed| (endpoint, failed));
                        }
                    }
                }
                Event::Begun(at) => {
                    progress.streams();
                    return Ok(Done::Begun(Box::new(race.goes_on_with(at))));
                }
                Event::Silent => {}
                Event::Time => {
                    self.beside(&mut race, None, Why::Slow, progress);
                    // When no attempts are left, there is nothing to wake up for.
                    hedge = hedge.filter(|_| progress.may_send_again()).map(|(after, mut time)| {
                        time.as_mut().reset(Instant::now() + after);
                        (after, time)
                    });
                }
            }
            if race.is_in_doubt() {
                self.beside(&mut race, None, Why::Silent, progress);
            }
        }
    }

    /// Sends the call to one more endpoint than those that have it or have failed it, if one is there that answers, and if it may
    /// be sent again.
    fn beside(&self, race: &mut Race, failed: Option<u64>, why: Why<'_>, progress: &mut Progress) {
        if !self.method.idempotent || !progress.may_send_again() || Instant::now() >= self.deadline {
            return;
        }
        let than: Vec<u64> = race.endpoints().chain(progress.failed_by()).chain(failed).collect();
        let Some(chosen) = self.pool.another(self.method, &than) else { return };
        let Some(paid) = progress.pays(why, &self.pool.budget) else { return };
        let endpoint = chosen.id();
        // One that this endpoint cannot take may be sent to others all the same.
        let Some(attempt) = self.send_now(chosen) else {
            return progress.gives_back(paid, &self.pool.budget);
        };
        progress.sends(endpoint);
        progress.begins();
        let (method, request_id) = (MethodName::of(self.method), self.request_id());
        tracing::debug!(%method, request_id, "a call without an answer is sent to another endpoint as well");
        race.add(attempt);
    }

    /// Sends the call on a connection, as soon as there is a place for it.
    async fn send(&self, chosen: Chosen) -> Result<Attempt, Failed> {
        let Chosen { connection, mut trial } = chosen;
        let Some(way) = connection.offers.way(self.method) else {
            return Err(unavailable(Origin::Unsent, "the endpoint no longer offers the method"));
        };
        let payload = way.request(self.method, self.payload, connection.max_message)?;
        if connection.is_full() {
            self.tell_full(&trial.member, "it has all the calls that it accepts");
        }
        let sent = connection.place(self.call(&way, &payload)).await?;
        trial.send(self.deadline);
        Ok(Attempt { sent, trial, way })
    }

    /// The same if there is a place now.
    fn send_now(&self, chosen: Chosen) -> Option<Attempt> {
        let Chosen { connection, mut trial } = chosen;
        let way = connection.offers.way(self.method)?;
        let payload = way.request(self.method, self.payload, connection.max_message).ok()?;
        let sent = connection.place_now(self.call(&way, &payload))?;
        trial.send(self.deadline);
        Some(Attempt { sent, trial, way })
    }

    fn call<'a>(&'a self, way: &Way, payload: &'a [u8]) -> Call<'a> {
        let (call_id, streams) = (way.call_id, self.method.streams);
        Call { call_id, streams, metadata: self.metadata, payload, deadline: self.deadline }
    }

    /// What becomes of the call when its time is up and nothing has come. Says who has failed it before.
    fn unanswered(&self, progress: &Progress) -> Status {
        let method = MethodName::of(self.method);
        let mut message = match self.pool.members.get(progress.endpoint()) {
            Some(member) => {
                self.tell_late(&member);
                format!("{member}: it has not answered {method} in time")
            }
            None => format!("{method} was not answered in time"),
        };
        for (endpoint, failed) in progress.failed() {
            if let Some(member) = self.pool.members.get(endpoint) {
                message.push_str(&format!("; {member} has failed it: {}", failed.status));
            }
        }
        Status::deadline_exceeded(message)
    }

    /// The call is sent again, or goes on where it was sent beside that endpoint.
    fn goes_on_after(&self, endpoint: u64, failed: Failed, progress: &mut Progress) {
        let (method, request_id) = (MethodName::of(self.method), self.request_id());
        let member = self.pool.members.get(endpoint).map(tracing::field::display);
        tracing::debug!(endpoint = member, %method, request_id, status = %failed.status, "a call goes on elsewhere");
        progress.goes_on_after(endpoint, failed);
    }

    /// Tells people of a failure that says something of the endpoint.
    fn tell(&self, endpoint: u64, failed: &Failed) {
        let Failed { status, origin: Origin::Endpoint } = failed else { return };
        let Some(member) = self.pool.members.get(endpoint) else { return };
        match status.code {
            Code::Unavailable if status.not_executed => self.tell_full(&member, &status.message),
            Code::DeadlineExceeded => self.tell_late(&member),
            _ => {}
        }
    }

    fn tell_full(&self, member: &Member, reason: &str) {
        if member.full.is_new() {
            let (method, request_id) = (MethodName::of(self.method), self.request_id());
            tracing::warn!(endpoint = %member, %method, request_id, reason, "an endpoint has no room for calls");
        }
    }

    fn tell_late(&self, member: &Member) {
        if member.late.is_new() {
            let (method, request_id) = (MethodName::of(self.method), self.request_id());
            tracing::warn!(endpoint = %member, %method, request_id, "an endpoint has not answered a call in time");
        }
    }

    fn request_id(&self) -> Option<&str> {
        std::str::from_utf8(self.metadata.as_metadata().get("request-id")?).ok()
    }

    /// Whether a failure is one after which the call may be sent again, as far as attempts and budget allow it.
    fn is_worth_a_retry(&self, failed: &Failed) -> bool {
        let Failed { status, origin } = failed;
        match origin {
            Origin::Unsent => true,
            Origin::Late => false,
            Origin::Endpoint => {
                status.not_executed || (self.method.idempotent && status.code == Code::Unavailable)
            }
            Origin::Lost => self.method.idempotent,
        }
    }

    /// No other endpoint is there. One that was full may have room in a moment; whatever else it has refused, it would
    /// refuse again.
    async fn wait_before_the_same(&self, failed: &Failed) -> Result<(), Status> {
        let asked = failed.status.retry_after_ms.map(|ms| Duration::from_millis(ms.into()));
        // Half as much again at random: those who were refused together do not come back together.
        let pause = asked.unwrap_or(PAUSE).mul_f64(1.0 + fastrand::f64() / 2.0);
        if failed.status.code != Code::Unavailable || Instant::now() + pause >= self.deadline {
            return Err(failed.status.clone());
        }
        sleep(pause).await;
        Ok(())
    }
}
