//! What a call that streams and its connection share: items that have come and wait for the method, and items of the method that
//! wait for their turn.
//!
//! The connection's task has the state machine, so the method's task leaves word of news in the mailbox, once until the connection
//! has heard it. Both queues are bounded: what comes by the credit that this side gives, what goes by [`MOST_ITEMS`] and
//! [`MOST_BYTES`].

use super::mailbox::Mailbox;
use crate::Status;
use callgate_protocol::{Room, StreamCredit};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Items of a method that may wait for their turn, and their bytes, beside the one that passes the bound. A method that makes small items
/// quickly makes so many before its connection has its turn.
const MOST_ITEMS: usize = 128;
const MOST_BYTES: usize = 64 * 1024;

/// The streams of one call.
#[derive(Clone, Debug)]
pub struct Items(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    number: u32,
    mailbox: Arc<Mailbox>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Items that have come, each with the room that a long one takes.
    came: VecDeque<(Vec<u8>, Option<Room>)>,
    /// No more come: the caller has said its end, or nobody waits for the call any more.
    over: Option<Result<(), Status>>,
    reader: Option<Waker>,
    /// The method reads no more.
    unread: bool,
    /// What was read and not told.
    used: (u32, usize),
    /// The caller has sent something that is no item.
    broken: Option<Status>,
    /// Items that wait for their turn.
    waiting: VecDeque<Vec<u8>>,
    bytes: usize,
    writer: Option<Waker>,
    /// The connection is told, and has not heard it.
    told: bool,
}

impl Items {
    pub(super) fn new(number: u32, mailbox: Arc<Mailbox>) -> Items {
        Items(Arc::new(Shared { number, mailbox, state: Mutex::default() }))
    }

    // The connection's side.

    /// An item has come.
    pub(super) fn came(&self, payload: &[u8], room: Option<Room>) {
        let mut state = self.lock();
        if state.unread {
            return;
        }
        state.came.push_back((payload.to_vec(), room));
        wake(state, |state| &mut state.reader);
    }

    /// The caller has no more items.
    pub(super) fn ended(&self) {
        let mut state = self.lock();
        state.over.get_or_insert(Ok(()));
        wake(state, |state| &mut state.reader);
    }

    /// Nobody waits for the call any more.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.over = Some(Err(Status::cancelled("nobody waits for the call any more")));
        state.came.clear();
        wake(state, |state| &mut state.reader);
    }

    /// Takes up what was told: how many items were used, of how many bytes.
    pub(super) fn hear(&self) -> (u32, usize) {
        let mut state = self.lock();
        state.told = false;
        std::mem::take(&mut state.used)
    }

    /// The next item that waits for its turn.
    pub(super) fn next(&self) -> Option<Vec<u8>> {
        let mut state = self.lock();
        let item = state.waiting.pop_front()?;
        state.bytes -= item.len();
        Some(item)
    }

    /// Whether one waits.
    pub(super) fn waits(&self) -> bool {
        !self.lock().waiting.is_empty()
    }

    /// Items had their turn.
    pub(super) fn moved(&self) {
        wake(self.lock(), |state| &mut state.writer);
    }

    // The method's side.

    /// The next item of the caller. `None` when it has no more.
    pub(crate) fn poll_item(&self, cx: &Context<'_>) -> Poll<Option<Result<Vec<u8>, Status>>> {
        let mut state = self.lock();
        let Some((payload, _room)) = state.came.pop_front() else {
            return match &state.over {
                Some(Ok(())) => Poll::Ready(None),
                Some(Err(status)) => Poll::Ready(Some(Err(status.clone()))),
                None => wait(&mut state.reader, cx),
            };
        };
        state.used.0 += 1;
        state.used.1 += payload.len();
        let StreamCredit { items, bytes } = StreamCredit::default();
        // With less the caller still has credit.
        if state.used.0 >= items / 2 || state.used.1 >= bytes as usize / 2 {
            self.tell(state);
        }
        Poll::Ready(Some(Ok(payload)))
    }

    /// The method reads no more.
    pub(crate) fn leave(&self) {
        let mut state = self.lock();
        state.unread = true;
        state.came.clear();
    }

    /// Something that has come is no item: the call ends.
    pub(crate) fn breaks(&self, status: Status) {
        self.lock().broken.get_or_insert(status);
    }

    /// Why the call ends, if something that has come is no item.
    pub(crate) fn broken(&self) -> Option<Status> {
        self.lock().broken.clone()
    }

    /// Whether there is room for an item of the method.
    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.waiting.len() < MOST_ITEMS && state.bytes < MOST_BYTES {
            return Poll::Ready(());
        }
        wait(&mut state.writer, cx)
    }

    /// An item of the method.
    pub(crate) fn put(&self, item: Vec<u8>) {
        let mut state = self.lock();
        state.bytes += item.len();
        state.waiting.push_back(item);
        self.tell(state);
    }

    /// Whether all items had their turn.
    pub(crate) fn poll_put(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.waiting.is_empty() { Poll::Ready(()) } else { wait(&mut state.writer, cx) }
    }

    fn tell(&self, mut state: MutexGuard<'_, State>) {
        let was_told = std::mem::replace(&mut state.told, true);
        drop(state);
        if !was_told {
            self.0.mailbox.note(self.0.number);
        }
    }

    /// Nothing under this lock panics half-way.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait<T>(waker: &mut Option<Waker>, cx: &Context<'_>) -> Poll<T> {
    match waker {
        Some(waker) => waker.clone_from(cx.waker()),
        none => *none = Some(cx.waker().clone()),
    }
    Poll::Pending
}

fn wake(mut state: MutexGuard<'_, State>, whom: impl FnOnce(&mut State) -> &mut Option<Waker>) {
    let waker = whom(&mut state).take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}
