//! One call's life: an endpoint is chosen, the call is sent, and when it has failed without having run, sent to
//! another one; all of it within the call's deadline.

use super::choice::Chosen;
use super::connection::Call;
use super::members::Member;
use super::outcome::{Failed, Origin, Outcome, unavailable};
use super::pool::Pool;
use crate::layer::{MethodName, Reply};
use crate::service::Method;
use crate::{Code, Status};
use callgate_protocol::MetadataBuf;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// How often a call is sent at most.
const MAX_ATTEMPTS: u32 = 3;

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

/// How far a call has come, for when its time is up.
#[derive(Default)]
struct Progress {
    /// How often it was sent.
    sent: u32,
    /// Where it was sent last: the member's id.
    endpoint: u64,
    /// Some endpoint may have run it, or may be running it.
    may_have_run: bool,
}

impl Attempts<'_> {
    /// Makes the call; the encoded result, and what came beside it.
    pub(crate) async fn run(&self) -> Result<Reply, Status> {
        self.pool.budget.earn();
        let mut progress = Progress::default();
        match timeout_at(self.deadline, self.attempts(&mut progress)).await {
            Ok(outcome) => outcome,
            Err(_) if progress.may_have_run => Err(self.unanswered(progress.endpoint)),
            Err(_) => {
                let why = self.pool.members.read().why_none(Some(self.method));
                Err(Status::unavailable(format!("no endpoint was ready in time ({why})")).not_executed())
            }
        }
    }

    async fn attempts(&self, progress: &mut Progress) -> Result<Reply, Status> {
        let mut last: Option<(u64, Failed)> = None;
        loop {
            let avoid = last.as_ref().map(|(endpoint, _)| *endpoint);
            let chosen = self.pool.pick(self.method, avoid).await?;
            let endpoint = chosen.id();
            if let Some((again, failed)) = &last
                && *again == endpoint
                && failed.origin == Origin::Endpoint
            {
                self.wait_before_the_same(failed).await?;
            }
            progress.sent += 1;
            progress.endpoint = endpoint;
            let failed = match self.once(chosen, progress).await {
                Ok(reply) => return Ok(reply),
                Err(failed) => failed,
            };
            self.tell(endpoint, &failed);
            if progress.sent >= MAX_ATTEMPTS || !self.may_retry(&failed) {
                return Err(failed.status);
            }
            let (method, request_id) = (MethodName::of(self.method), self.request_id());
            tracing::debug!(%method, request_id, status = %failed.status, "a call is sent again");
            last = Some((endpoint, failed));
        }
    }

    /// Sends the call on a connection, as soon as there is a slot for it.
    async fn once(&self, chosen: Chosen, progress: &mut Progress) -> Outcome {
        let Chosen { connection, mut trial } = chosen;
        let Some(way) = connection.offers.way(self.method) else {
            return Err(unavailable(Origin::Unsent, "the endpoint no longer offers the method"));
        };
        let payload = match &way.verdict {
            None => self.payload.into(),
            Some(verdict) => verdict.request(self.method, self.payload, connection.max_message)?,
        };
        if connection.is_full() {
            self.tell_full(&trial.member, "it has all the calls that it accepts");
        }
        let slot = connection.slot(payload.len()).await?;
        let before = std::mem::replace(&mut progress.may_have_run, true);
        let call = Call {
            call_id: way.call_id,
            metadata: self.metadata,
            payload: &payload,
            deadline: self.deadline,
        };
        trial.send(self.deadline);
        let outcome = connection.call(call, slot).await;
        trial.end(&outcome);
        progress.may_have_run = before || !matches!(&outcome, Err(failed) if failed.status.not_executed);
        match &way.verdict {
            None => outcome,
            Some(verdict) => verdict.outcome(self.method, outcome),
        }
    }

    /// What becomes of the call when its time is up and nothing has come.
    fn unanswered(&self, endpoint: u64) -> Status {
        let method = MethodName::of(self.method);
        match self.pool.members.get(endpoint) {
            Some(member) => {
                self.tell_late(&member);
                Status::deadline_exceeded(format!("{member}: it has not answered {method} in time"))
            }
            None => Status::deadline_exceeded(format!("{method} was not answered in time")),
        }
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

    fn may_retry(&self, failed: &Failed) -> bool {
        match failed.origin {
            Origin::Unsent => true,
            Origin::Late => false,
            Origin::Endpoint => {
                let again = self.method.idempotent && failed.status.code == Code::Unavailable;
                (failed.status.not_executed || again) && self.pool.budget.spend()
            }
            Origin::Lost => self.method.idempotent && self.pool.budget.spend(),
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
