//! A reply in items, as its client gets it: in the form that it takes, within the bounds of its route, for as long as the gateway stays.
//!
//! An item is taken when the client's socket or window has taken the one before, or some of them together: so a client that is slow slows
//! its instance down, and nobody else. What stands around items is in `framing.rs`, and `clock.rs` has the times.

mod clock;
mod framing;
mod tool;

pub use framing::event;

use super::Reply;
use crate::call::ReplyStream;
use crate::config::{CallSpec, EventsSpec, StreamForm};
use crate::failure::Failure;
use crate::front::accept;
use crate::front::rpc::{Ask, MAX_RESULT};
use crate::transport::Stop;
use callgate_http1::Fields;
use clock::{Clock, Due};
use framing::Framing;
use std::cell::Cell;
use std::rc::Rc;
use std::task::{Context, Poll};
use tool::ToolItems;

/// Items that are there are sent together, up to so many bytes.
const FULL: usize = 64 * 1024;

/// The lines of what events are, which nobody is to gather, and of what lines are.
const OF_EVENTS: &[u8] = b"content-type: text/event-stream\r\nx-accel-buffering: no\r\n";
const OF_LINES: &[u8] = b"content-type: application/x-ndjson\r\n";

/// A reply in items.
pub(in crate::front) struct Streamed {
    reply: ReplyStream,
    framing: Framing,
    clock: Clock,
    /// How many bytes its body may still have.
    left: Option<u64>,
    /// How many it may have.
    most: u64,
    /// How many it had, if somebody wants to know.
    sent: Option<Rc<Cell<u64>>>,
}

/// What has come of it.
#[derive(Debug)]
pub(in crate::front) enum Gathered {
    /// Something, and more may come.
    Some,
    /// The rest.
    Last,
    /// No more, because it has failed. What has come before that goes to the client.
    Cut(Box<Failure>),
}

/// How it ends for its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::front) enum End {
    /// With all of it.
    Whole,
    /// In order, though its client is to come again.
    ComeAgain,
    /// So that nobody takes it for whole.
    Torn,
}

impl Streamed {
    /// Of a call of that route, as bytes: [`choose`] says in which form.
    pub(super) fn new(reply: ReplyStream, spec: &CallSpec) -> Streamed {
        let limits = spec.stream;
        Streamed {
            reply,
            framing: Framing::Raw,
            clock: Clock::begin(limits, None),
            left: limits.bytes,
            most: limits.bytes.unwrap_or(u64::MAX),
            sent: None,
        }
    }

    /// It is given to an agent that has asked so.
    pub(in crate::front) fn answers(&mut self, ask: Ask) {
        self.framing = Framing::Tool(Box::new(ToolItems::new(ask)));
        self.clock.beat(EventsSpec::default().heartbeat);
    }

    /// Counts the bytes of its body there.
    pub(in crate::front) fn count_into(&mut self, sent: Rc<Cell<u64>>) {
        self.sent = Some(sent);
    }

    /// Puts what has come behind what is in `out`; waits when there is nothing to send. `leaves`: the gateway waits for streams no longer.
    pub(in crate::front) fn poll_gather(
        &mut self,
        cx: &mut Context<'_>,
        leaves: bool,
        out: &mut Vec<u8>,
    ) -> Poll<Gathered> {
        let begin = out.len();
        let gathered = self.gather(cx, leaves, out);
        if let Some(sent) = &self.sent {
            sent.set(sent.get() + (out.len() - begin) as u64);
        }
        gathered
    }

    fn gather(&mut self, cx: &mut Context<'_>, leaves: bool, out: &mut Vec<u8>) -> Poll<Gathered> {
        let begin = out.len();
        while out.len() - begin < FULL {
            if leaves {
                return Poll::Ready(self.stop(Stop::Leaving));
            }
            match self.reply.poll_next(cx) {
                Poll::Ready(Some(Ok(item))) => {
                    self.clock.rest();
                    if let Some(cut) = self.put(&item, out) {
                        return Poll::Ready(cut);
                    }
                }
                Poll::Ready(Some(Err(failure))) => return Poll::Ready(Gathered::Cut(Box::new(failure))),
                Poll::Ready(None) => {
                    self.framing.put_end(out);
                    return Poll::Ready(Gathered::Last);
                }
                Poll::Pending if out.len() > begin => break,
                Poll::Pending => match self.clock.poll(cx) {
                    Poll::Ready(Due::Heartbeat) => {
                        self.framing.put_heartbeat(out);
                        break;
                    }
                    Poll::Ready(Due::End(stop)) => return Poll::Ready(self.stop(stop)),
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
        Poll::Ready(Gathered::Some)
    }

    /// Puts an item, unless it cannot be said or is too much.
    fn put(&mut self, item: &[u8], out: &mut Vec<u8>) -> Option<Gathered> {
        if !self.framing.has_room(item) {
            return Some(self.stop(Stop::Bytes(MAX_RESULT as u64)));
        }
        let begin = out.len();
        if let Err(why) = self.framing.put_item(item, self.reply.picked(), out) {
            return Some(cut(self.reply.refuse(why)));
        }
        let left = self.left.as_mut()?;
        match left.checked_sub((out.len() - begin) as u64) {
            Some(less) => {
                *left = less;
                None
            }
            None => {
                out.truncate(begin);
                Some(self.stop(Stop::Bytes(self.most)))
            }
        }
    }

    fn stop(&mut self, stop: Stop) -> Gathered {
        cut(self.reply.stop(stop))
    }

    /// Ready when a client that takes nothing has had its time. Its call is cancelled then.
    pub(in crate::front) fn poll_blocked(&mut self, cx: &mut Context<'_>) -> Poll<Option<Failure>> {
        self.clock.poll_blocked(cx).map(|stop| self.reply.stop(stop))
    }

    /// Puts what says why it was cut, as far as its form can say that: a failure, as this problem.
    pub(in crate::front) fn put_cut(&mut self, failure: &Failure, problem: &[u8], out: &mut Vec<u8>) -> End {
        self.clock.begin_to_end();
        if self.framing.put_cut(failure, problem, out) { End::ComeAgain } else { End::Torn }
    }
}

fn cut(failure: Option<Failure>) -> Gathered {
    // Whatever has ended it before is its end.
    Gathered::Cut(Box::new(failure.unwrap_or(Failure::Lost)))
}

/// Puts a reply in items, whose route is that, into the form that its client takes.
///
/// # Errors
/// It takes none of them.
pub(super) fn choose(spec: &CallSpec, fields: Fields<'_>, reply: &mut Reply) -> Result<(), Failure> {
    let said = spec.reply.as_deref();
    if said.is_some_and(|said| said.raw.is_some()) {
        return Ok(());
    }
    let form = match said.and_then(|said| said.stream) {
        Some(form) => form,
        None => {
            reply.field("vary", "accept");
            accept::stream_form(fields)?
        }
    };
    reply.prepared = match form {
        StreamForm::Ndjson => OF_LINES,
        StreamForm::Sse => OF_EVENTS,
        StreamForm::Json => super::JSON,
    };
    if form == StreamForm::Sse && !reply.has_field("cache-control") {
        reply.field("cache-control", "no-cache");
    }
    if let super::Content::Begun(streamed) = &mut reply.content {
        let events = said.and_then(|said| said.events);
        streamed.framing = Framing::of(form, events);
        if let Framing::Sse(events) = streamed.framing {
            streamed.clock = Clock::begin(spec.stream, Some(events.heartbeat));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Content;
    use super::*;
    use crate::call::tests::with_begun_reply;
    use crate::config::{Source, Tables};
    use crate::fields::request;
    use crate::transport::Outcome;
    use std::sync::Arc;

    fn spec(lines: &str) -> Arc<CallSpec> {
        let text = format!(
            "[backends.a]\nendpoints = ['x:1']\n[[routes]]\nmatch = 'GET /'\ncall = 's.m'\n{lines}\n"
        );
        let tables = Tables::parse(vec![Source::new("t.toml", text)]).expect("sound tables");
        tables.routes[0].action.call().expect("it calls").clone()
    }

    /// Gathers until it ends; all that was gathered, and the failure.
    async fn gathered(streamed: &mut Streamed, leaves: bool) -> (String, Option<Failure>) {
        let mut out = Vec::new();
        let failure = loop {
            let next = std::future::poll_fn(|cx| streamed.poll_gather(cx, leaves, &mut out)).await;
            match next {
                Gathered::Some => {}
                Gathered::Last => break None,
                Gathered::Cut(failure) => break Some(*failure),
            }
        };
        (String::from_utf8(out).expect("it is text"), failure)
    }

    #[tokio::test(start_paused = true)]
    async fn items_come_in_the_form_that_is_chosen_and_end_at_what_bounds_them() {
        for (lines, accept, leaves, expected, failure) in [
            ("", "*/*", false, "1\n2\n", None),
            ("", "application/json", false, "[1,2]", None),
            ("response = { stream = 'json' }", "*/*", false, "[1,2]", None),
            ("max_stream.bytes = 4", "*/*", false, "1\n2\n", None),
            ("max_stream.bytes = 3", "*/*", false, "1\n", Some("the stream has more than 3 bytes")),
            ("", "*/*", true, "", Some("the gateway is about to stop; ask again, and another one goes on")),
        ] {
            with_begun_reply(async |reply, sending| {
                let spec = spec(lines);
                let mut reply = Reply::of_call(&spec, reply);
                choose(&spec, request(&[("Accept", accept)]).fields(), &mut reply).expect("it is taken");
                let Content::Begun(mut streamed) = reply.content else { panic!("it has begun") };
                assert!(sending.send("1").await && sending.send("2").await);
                sending.ends(Outcome::Complete);
                let (seen, ended) = gathered(&mut streamed, leaves).await;
                let ended = ended.map(|failure| failure.detail().into_owned());
                assert_eq!((seen.as_str(), ended.as_deref()), (expected, failure), "{lines} {accept}");
            })
            .await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_head_says_the_form_and_whether_it_depends_on_the_client() {
        for (lines, accept, expected) in [
            ("", "*/*", "content-type: application/x-ndjson\r\nvary: accept\r\n"),
            (
                "response = { stream = 'sse' }",
                "*/*",
                "content-type: text/event-stream\r\nx-accel-buffering: no\r\ncache-control: no-cache\r\n",
            ),
            (
                "response = { stream = 'sse', headers = { cache-control = 'no-store' } }",
                "*/*",
                "content-type: text/event-stream\r\nx-accel-buffering: no\r\ncache-control: no-store\r\n",
            ),
        ] {
            with_begun_reply(async |reply, _sending| {
                let spec = spec(lines);
                let mut reply = Reply::of_call(&spec, reply);
                if lines.contains("no-store") {
                    reply.field("cache-control", "no-store");
                }
                choose(&spec, request(&[("Accept", accept)]).fields(), &mut reply).expect("it is taken");
                let head = [reply.prepared, &reply.lines].concat();
                assert_eq!(String::from_utf8(head).as_deref(), Ok(expected), "{lines}");
            })
            .await;
        }
    }
}
