//! Questions to others: who calls is said by a service of the operator's own, whatever the way in which it is asked.
//!
//! What holds for all of them is here. Few wait, and not for long. Whoever has no answer in time, or none that can be read, is not let in:
//! nothing is guessed. An answer is kept only where the table says so, for as long as it says, and is found again only by all that the
//! service was told: each thing that it may have gone by is part of the key.

use super::shared_questions::{Asked, hear};
use super::verified::By;
use super::waiting::Waiting;
use super::{Authenticator, Verdict, Verified, now};
use crate::config::ExternalSpec;
use crate::failure::Flaw;
use callgate_auth::Identity;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// So many questions of an authenticator wait in each worker.
const MOST_WAITING: u64 = 256;

/// Why somebody who was asked does not let a caller in: what is wrong, and for the log what has happened.
#[derive(Debug)]
pub struct Unanswered {
    /// What is wrong.
    pub flaw: Flaw,
    /// What has happened.
    pub why: Cow<'static, str>,
}

impl Unanswered {
    /// That.
    pub fn new(flaw: Flaw, why: impl Into<Cow<'static, str>>) -> Unanswered {
        Unanswered { flaw, why: why.into() }
    }
}

impl From<callgate_auth::told::Unusable> for Unanswered {
    fn from(unusable: callgate_auth::told::Unusable) -> Unanswered {
        Unanswered::new(Flaw::BadAnswer, unusable.to_string())
    }
}

/// A question of a request.
pub struct Question<'q> {
    /// Who wants to know it.
    pub authenticator: &'q Authenticator,
    /// How it asks.
    pub spec: &'q ExternalSpec,
    /// All that the service is told, so that two questions with the same bytes are the same question.
    pub told: &'q [u8],
    /// The worker of the request.
    pub worker: usize,
    /// What that has verified lately.
    pub verified: &'q Verified,
    /// The request's id.
    pub request_id: &'q str,
}

impl Question<'_> {
    /// Asks it: `answer` is what the service says. It is only asked for where it is not known yet, and is dropped when its time is over.
    pub async fn ask(&self, answer: impl Future<Output = Result<Identity, Unanswered>>) -> Verdict {
        if let Some(identity) = self.known() {
            return Ok(identity);
        }
        let waiting = &self.authenticator.stats.0.of(self.worker).waiting;
        let Some(_waiting) = Waiting::enter(waiting, MOST_WAITING) else {
            return Err(self.tell(Unanswered::new(Flaw::Busy, "too many questions wait for their answers")));
        };
        let answer = async {
            match self.spec.cache {
                None => answer.await.map(Arc::new).map_err(|unanswered| self.tell(unanswered)),
                Some(cache) => self.share(cache, answer).await,
            }
        };
        let late = || Err(self.tell(Unanswered::new(Flaw::Late, "there is no answer in time")));
        timeout(self.spec.timeout, answer).await.unwrap_or_else(|_| late())
    }

    /// Who it is, where an answer was kept.
    fn known(&self) -> Option<Arc<Identity>> {
        self.spec.cache?;
        self.verified.find(self.by(), self.told, now())
    }

    /// Asks, or hears what somebody is told who asks the same, and keeps who is named.
    async fn share(
        &self,
        cache: Duration,
        answer: impl Future<Output = Result<Identity, Unanswered>>,
    ) -> Verdict {
        let first = loop {
            match self.verified.asked.ask(self.authenticator.id, self.told) {
                Asked::First(first) => break first,
                Asked::Already(other) => match hear(other).await {
                    Some(verdict) => return verdict,
                    None => continue,
                },
            }
        };
        let began = now();
        let verdict = answer.await.map(Arc::new).map_err(|unanswered| self.tell(unanswered));
        if let Ok(identity) = &verdict {
            // From when it was asked on: it was true then.
            let until = began.saturating_add(cache.as_secs());
            self.verified.put(self.by(), self.told, identity.clone(), until);
        }
        first.tell(&verdict);
        verdict
    }

    fn by(&self) -> By {
        By { id: self.authenticator.id, files: 0 }
    }

    /// Tells the log what has happened, and gives what is wrong.
    fn tell(&self, unanswered: Unanswered) -> Flaw {
        let Unanswered { flaw, why } = unanswered;
        let (authenticator, request_id, error) = (&*self.authenticator.spec.name, self.request_id, &*why);
        match flaw {
            // Of what a caller shows the log has a line anyway.
            Flaw::Unknown | Flaw::Forbidden => {}
            _ => tracing::warn!(
                request_id,
                authenticator,
                flaw = flaw.name(),
                error,
                "nobody could say who calls"
            ),
        }
        flaw
    }
}
