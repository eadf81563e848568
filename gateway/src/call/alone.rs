//! A call on one instance that somebody has chosen: sent once, on a link of one's own. There is nobody to share the instance with, and no
//! other one to go to. So nothing is admitted, counted or sent again; what a reply and a failure are is the same as on the road.

use super::{long, refusal, retry};
use crate::failure::Failure;
use crate::transport::{
    Call, Heard, Item, Json, Link, Outcome, PendingReply, Progress, Replied, Times, Unsent,
};
use bytes::Bytes;
use callgate_protocol::Budget;
use std::future::poll_fn;
use std::sync::Arc;
use tokio::time::Instant;

/// What a reply may take.
#[derive(Clone)]
pub(crate) struct Bounds {
    /// What a long one takes while it becomes JSON.
    pub(crate) memory: Arc<Budget>,
    /// How long its JSON may be, or that of each item, in bytes.
    pub(crate) longest: u64,
}

/// A call that was sent.
pub(crate) struct Alone {
    pending: PendingReply,
    bounds: Bounds,
    deadline: Instant,
}

/// What it has come to first.
pub(crate) enum Answer {
    /// A result.
    Whole(Replied),
    /// Items follow.
    Items,
}

impl Alone {
    /// Sends it.
    pub(crate) fn send(
        link: &Link,
        call: &Call<'_>,
        times: Times,
        bounds: &Bounds,
    ) -> Result<Alone, Failure> {
        let pending = link.call(call, |_| times).map_err(|unsent| unsent_failure(unsent, link, call))?;
        Ok(Alone { pending, bounds: bounds.clone(), deadline: times.deadline })
    }

    /// Waits for its result, or for the first of its items.
    pub(crate) async fn answer(&mut self) -> Result<Answer, Failure> {
        let progress = loop {
            match self.pending.heard().await {
                Heard::Progress(progress) => break progress,
                // It may come all the same, and its link says when it cannot.
                Heard::Silent => {}
            }
        };
        let outcome = match progress {
            Progress::Begun(_) => return Ok(Answer::Items),
            Progress::Ended(ended) => ended.outcome,
        };
        let Bounds { memory, longest } = &self.bounds;
        let outcome = long::within(outcome, memory, *longest, self.deadline).await;
        retry::result(outcome).map(Answer::Whole)
    }

    /// The next of its items, as JSON on one line; none after the last one.
    pub(crate) async fn item(&mut self) -> Result<Option<Bytes>, Failure> {
        let outcome = match poll_fn(|cx| self.pending.poll_item(cx)).await {
            Item::Data(json, _) => return Ok(Some(json)),
            Item::Long(reply) => {
                let Bounds { memory, longest } = &self.bounds;
                match long::item_within(&reply, memory, *longest).await {
                    Ok(json) => return Ok(Some(json)),
                    Err(outcome) => self.pending.fail(outcome).outcome,
                }
            }
            Item::End(ended) => ended.outcome,
        };
        if matches!(outcome, Outcome::Complete) {
            return Ok(None);
        }
        retry::result(outcome).map(|_| None)
    }
}

impl Replied {
    /// Its JSON, in pieces.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let (short, long) = match &self.json {
            Json::Short(json) => (Some(json.body()), &[][..]),
            Json::Long(pieces) => (None, pieces.as_slice()),
        };
        short.into_iter().chain(long.iter().map(|piece| &**piece))
    }
}

fn unsent_failure(unsent: Unsent, link: &Link, call: &Call<'_>) -> Failure {
    let nobody_else = match &unsent {
        Unsent::NotOffered => match link.misfit(&call.binding) {
            Some(why) => Failure::Misfit(why.to_string()),
            None => Failure::NotOffered { unusable: None },
        },
        _ => Failure::Busy,
    };
    // It has no rules.
    refusal(unsent, |_| Box::default()).unwrap_or(nobody_else)
}
