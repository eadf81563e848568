//! A connection's task: connects, shakes hands, takes up what the peer says, and at the end sees to it that each call has its
//! outcome.

use super::connection::{Calls, Connection};
use super::introduction::Introduction;
use super::members::Member;
use super::offers::Learned;
use super::outcome::{Failed, Origin, Outcome};
use super::queue::Queue;
use crate::Status;
use crate::connection::{Dial, HURRIED, Link, Lost, Turn};
use crate::layer::Reply;
use callgate_protocol::connection::{Answer, Said};
use callgate_protocol::schema::Fingerprint;
use callgate_protocol::{Event, Hello, Inbound, ProtocolError, Role};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// For connecting and the handshake together.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

impl Connection {
    /// Connects and shakes hands.
    pub(crate) async fn open(
        dial: &Dial,
        member: &Member,
        introduction: &Introduction,
    ) -> Result<(Arc<Connection>, Link), String> {
        match timeout(OPEN_TIMEOUT, open(dial, member, introduction)).await {
            Ok(Ok(opened)) => Ok(opened),
            Ok(Err(lost)) => Err(lost.to_string()),
            Err(_) => Err(format!("no connection within {} s", OPEN_TIMEOUT.as_secs())),
        }
    }

    /// Drives the connection until it has ended. All calls on it have an outcome then.
    pub(crate) async fn drive(self: Arc<Connection>, mut link: Link) {
        let mut ending = LoseOnDrop { connection: &self, reason: "the client was dropped".into() };
        let lost = self.run(&mut link).await;
        ending.reason = match &lost {
            Ok(()) => "the connection is going down".into(),
            Err(lost) => format!("the connection was lost: {lost}"),
        };
        drop(ending);
        match lost {
            Ok(()) => link.farewell(&mut &*self.queue).await,
            Err(lost) => part(&lost, &self.queue, link).await,
        }
    }

    /// Ends without an error when the connection accepts no more calls and those under way have their outcome.
    async fn run(&self, link: &mut Link) -> Result<(), Lost> {
        let mut queue = &*self.queue;
        loop {
            // First, because bytes may have come along with the handshake.
            link.events(|event, _| self.event(event))?;
            if self.queue.with(|calls| calls.is_done()) && link.is_flushed(&queue) {
                return Ok(());
            }
            tokio::select! {
                turn = link.turn(&mut queue) => match turn? {
                    Turn::Received => self.hears(),
                    Turn::Doubt => self.falls_silent(),
                    Turn::Sent | Turn::Alarm => {}
                },
                () = self.stopped.notified() => {}
            }
        }
    }

    fn event(&self, event: Event<'_>) -> Result<(), ProtocolError> {
        let said = self.queue.push(|calls| {
            let said = calls.on_event(event)?;
            if let Said::Item { number, payload } = said {
                calls.value(number).inspect(|in_flight| in_flight.item(payload));
            }
            Ok::<_, ProtocolError>(said)
        })?;
        match said {
            Said::Answered(call, answer) => call.value.end(outcome(answer)),
            Said::GoAway { reason, refused } => {
                let why = format!("it takes no more calls: {reason}");
                for call in refused {
                    let origin = if call.streamed { Origin::Lost } else { Origin::Unsent };
                    call.value.end(Err(self.gone(origin, &why)));
                }
                self.retire(&why);
            }
            Said::Ready(ready) => drop(self.ready.send_replace(ready)),
            Said::Schema(fingerprint, encoded) => self.learn(fingerprint, encoded),
            Said::Nothing | Said::Hello(_) | Said::Item { .. } => {}
        }
        Ok(())
    }

    /// Reads a schema, if it was asked for, beside the connection: a large one takes some milliseconds.
    fn learn(&self, fingerprint: Fingerprint, encoded: &[u8]) {
        if !self.offers.takes(fingerprint) {
            return;
        }
        let (offers, ready, encoded) = (self.offers.clone(), self.ready.clone(), encoded.to_vec());
        let endpoint = self.endpoint.clone();
        tokio::task::spawn_blocking(move || {
            offers.learn(fingerprint, &encoded).iter().for_each(|learned| tell(&endpoint, learned));
            // Whoever waits for an endpoint looks again.
            ready.send_modify(|_| {});
        });
    }
}

/// Tells people what becomes of the calls of a method of which an endpoint has other types than this caller.
fn tell(endpoint: &str, learned: &Learned) {
    let Learned { method, misfit } = learned;
    match misfit {
        Some(why) => {
            let why = why.as_str();
            tracing::warn!(endpoint, %method, why, "an endpoint's types do not fit: it gets no calls of this method");
        }
        None => {
            tracing::info!(endpoint, %method, "an endpoint has other types for a method: messages are converted");
        }
    }
}

fn outcome(answer: Answer<'_>) -> Outcome {
    let status = match answer {
        Answer::Reply { metadata, payload } => return Ok(Reply::new(payload.to_vec(), metadata)),
        Answer::End { metadata } => return Ok(Reply::new(Vec::new(), metadata)),
        Answer::Failure(status) => status.into(),
        Answer::TooLarge | Answer::NoRoom => {
            Status::resource_exhausted("the result, or an item, is longer than this side accepts")
        }
    };
    Err(Failed { status, origin: Origin::Endpoint })
}

async fn open(
    dial: &Dial,
    member: &Member,
    introduction: &Introduction,
) -> Result<(Arc<Connection>, Link), Lost> {
    let stream = dial.connect(&member.address, member.endpoint()).await?;
    let hello = introduction.hello().await;
    let queue = Arc::new(Queue::new(Calls::new(&hello)));
    let inbound = Inbound::of(Role::Connector, &hello, None);
    let mut link = Link::new(stream, inbound, HURRIED);
    let hello = match shake_hands(&mut link, &queue).await {
        Ok(hello) => hello,
        Err(lost) => {
            part(&lost, &queue, link).await;
            return Err(lost);
        }
    };
    let connection = Connection::new(queue, hello, member.to_string());
    Ok((Arc::new(connection), link))
}

/// Waits for the peer's HELLO, or for its word that it does not let this side in.
async fn shake_hands(link: &mut Link, mut queue: &Queue) -> Result<Hello, Lost> {
    let (mut peer, mut refused) = (None, None);
    loop {
        link.turn(&mut queue).await?;
        link.events(|event, pace| {
            match queue.push(|calls| calls.on_event(event))? {
                Said::Hello(hello) => peer = Some(hello),
                Said::GoAway { reason, .. } => refused = Some(reason.to_owned()),
                _ => {}
            }
            // What follows is for the connection's task.
            pace.stop();
            Ok(())
        })?;
        match (peer.take(), refused.take()) {
            (Some(hello), _) => return Ok(hello),
            (None, Some(why)) => return Err(Lost::Refused(why)),
            (None, None) => {}
        }
    }
}

/// Ends a connection that is lost. A peer that broke the protocol is told what was wrong, unless it speaks another one.
async fn part(lost: &Lost, mut queue: &Queue, link: Link) {
    if let Lost::Protocol(error) = lost
        && !matches!(error, ProtocolError::BadMagic(_))
    {
        queue.push(|calls| calls.go_away_with(&error.to_string()));
        link.farewell(&mut queue).await;
    }
}

/// Ends the calls of a connection when its task ends, even if it is aborted.
struct LoseOnDrop<'a> {
    connection: &'a Connection,
    reason: String,
}

impl Drop for LoseOnDrop<'_> {
    fn drop(&mut self) {
        let lost = self.connection.queue.with(Calls::lose);
        let unsent = lost.unsent.into_iter().map(|call| (call, Origin::Unsent));
        for (call, origin) in unsent.chain(lost.sent.into_iter().map(|call| (call, Origin::Lost))) {
            call.value.end(Err(self.connection.gone(origin, &self.reason)));
        }
        self.connection.retire(&self.reason);
    }
}
