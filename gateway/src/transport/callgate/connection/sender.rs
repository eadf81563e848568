//! The task that sends the items of one call's request, as its client brings them: each when it is the call's turn and the instance has
//! given credit for it. What the client brings meanwhile waits in the body's own queue, which has a bound.
//!
//! A task of its own, because a client may bring items while nobody can take those of the reply. It ends with the call, and the call with
//! it: if the body breaks off, or an item does not fit, or the task itself fails.

mod raw;

use super::{Connection, LONG};
use crate::failure::Failure;
use crate::supervise::Task;
use crate::transport::body::{OnItem, Piece};
use crate::transport::callgate::in_flight::Streamed;
use crate::transport::callgate::programs::Program;
use crate::transport::outcome::Outcome;
use crate::transport::slot::Sender;
use bytes::Bytes;
use callgate_protocol::connection::streams::{NotPut, Turn};
use callgate_protocol::{Aside, Metadata};
use callgate_transcode::Violation;
use raw::RawItems;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::time::Instant;

/// Why an item was not sent.
enum Unput {
    /// The call is over.
    Over,
    /// It is longer than the instance accepts.
    TooLong { size: usize, most: usize },
    /// The call fails so.
    Failed(Failure),
}

impl Unput {
    fn into_failure(self) -> Failure {
        match self {
            Unput::Over => Failure::Lost,
            Unput::TooLong { most, .. } => Failure::MessageTooLarge(most as u64),
            Unput::Failed(failure) => failure,
        }
    }
}

/// A request whose items are sent.
pub(super) struct Sending {
    conn: Rc<Connection>,
    number: u32,
    program: Rc<Program>,
    streamed: Rc<Streamed>,
    /// So long after the last item the reply must be there, or its first item.
    answer_within: Duration,
    on_item: Option<OnItem>,
    /// Items that were sent.
    sent: u64,
    /// What is to be kept where items are the bytes of the body.
    raw: RawItems,
    /// All were sent.
    done: bool,
}

impl Sending {
    pub(super) fn new(
        conn: Rc<Connection>,
        number: u32,
        program: Rc<Program>,
        streamed: Rc<Streamed>,
        answer_within: Duration,
        on_item: Option<OnItem>,
    ) -> Sending {
        Sending {
            conn,
            number,
            program,
            streamed,
            answer_within,
            on_item,
            sent: 0,
            raw: RawItems::default(),
            done: false,
        }
    }

    /// Begins to send them.
    pub(super) fn begin(self, pieces: Receiver<Piece>) -> Sender {
        let supervisor = self.conn.worker.supervisor.clone();
        let task = async move {
            supervisor.guard(Task::ItemSender, self.run(pieces)).await;
        };
        Sender(tokio::task::spawn_local(task).abort_handle())
    }

    async fn run(mut self, mut pieces: Receiver<Piece>) {
        loop {
            let put = match pieces.recv().await {
                Some(Piece::Item(bytes)) if self.has_raw_items() => self.put_bytes(bytes).await,
                Some(Piece::Item(json)) => self.put(&json).await,
                Some(Piece::End) => match self.put_rest().await {
                    Ok(()) => return self.end(),
                    not_put => not_put,
                },
                Some(Piece::Failed(failure)) => Err(Unput::Failed(*failure)),
                None => Err(Unput::Failed(Failure::ClientGone)),
            };
            match put {
                Ok(()) => {}
                // The call is over.
                Err(Unput::Over) => return,
                Err(unput) => {
                    let failure = unput.into_failure();
                    return self.conn.fail(self.number, Outcome::Unfinished(Box::new(failure)));
                }
            }
        }
    }

    /// Sends an item when it is the call's turn.
    async fn put(&mut self, item: &Bytes) -> Result<(), Unput> {
        loop {
            let request = &self.program.shared.request;
            let encode = |out: &mut Vec<u8>| {
                let at = request.encode_item_leaving(item, out, LONG)?;
                Ok(at.map(|at| Aside { at, bytes: item.clone() }))
            };
            let put = self.conn.machine.borrow_mut().item(self.number, encode);
            match put {
                Ok(()) => break,
                Err(NotPut::Later) => poll_fn(|cx| self.poll_turn(cx)).await,
                Err(NotPut::Never) => return Err(Unput::Over),
                Err(NotPut::TooLong { size, most }) => return Err(Unput::TooLong { size, most }),
                Err(NotPut::Payload(violations)) => {
                    return Err(Unput::Failed(Failure::Invalid(self.placed(violations))));
                }
            }
        }
        self.conn.writer.wake();
        self.sent += 1;
        if let Some(on_item) = &self.on_item {
            on_item();
        }
        Ok(())
    }

    /// Whether it is the call's turn, or the call is over. If not, the task is woken when it is.
    fn poll_turn(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self.conn.machine.borrow_mut().turn(self.number) {
            Turn::Now | Turn::Never => Poll::Ready(()),
            Turn::Later => {
                *self.streamed.sender.borrow_mut() = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// What is wrong with an item, by its place among all items. In which line of the body it stands nobody here knows.
    fn placed(&self, violations: Vec<Violation>) -> Vec<Violation> {
        if self.has_raw_items() {
            return self.raw.placed(violations);
        }
        let place = |violation: Violation| {
            let pointer = format!("/{}{}", self.sent, violation.pointer);
            Violation { pointer, line: None, column: None, ..violation }
        };
        violations.into_iter().map(place).collect()
    }

    /// That was the last item. From now on the time runs until the reply, or its first item, must be there.
    fn end(mut self) {
        self.done = true;
        let mut machine = self.conn.machine.borrow_mut();
        if machine.end(self.number, Metadata::default()) && !self.streamed.has_items.get() {
            let deadline = self.streamed.deadline.min(Instant::now() + self.answer_within);
            machine.set_deadline(self.number, deadline);
        }
        drop(machine);
        self.conn.writer.wake();
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        // A call that is over is not touched by that.
        if !self.done {
            let why = Failure::Internal("the task that sends its items has ended".to_owned());
            self.conn.fail(self.number, Outcome::Unfinished(Box::new(why)));
        }
    }
}
