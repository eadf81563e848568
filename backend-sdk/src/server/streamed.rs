//! Calls that stream, at the connection: each has a task, and what the task leaves in its [`Items`] is put here when it is its turn.

use super::call::{self, Reply};
use super::calls::{Calls, Running};
use super::items::Items;
use super::layered;
use super::registry::Target;
use super::slots::{LONG, TaskSlot};
use crate::Context;
use crate::codec::spare;
use crate::context::CallState;
use crate::layer::MethodName;
use callgate_protocol::connection::streams::{NotPut, Turn};
use callgate_protocol::{CallHead, ProtocolError, Room, Status as Told};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A call that may run, with what it takes.
pub(super) struct Kept {
    pub(super) target: Arc<Target>,
    pub(super) slot: TaskSlot,
    pub(super) room: Option<Room>,
    pub(super) began: Instant,
}

impl Calls {
    /// Begins a call that streams.
    pub(super) fn stream(
        &mut self,
        number: u32,
        head: &CallHead<'_>,
        payload: &[u8],
        kept: Kept,
    ) -> Result<(), ProtocolError> {
        let Kept { target, slot, room, began } = kept;
        if !self.peer.speaks_streams() {
            let call_id = head.call_id;
            let status = Told::unimplemented(format!("no plain method has the Call ID {call_id}"));
            return self.peer.refuse(number, status);
        }
        let deadline = head.timeout_ms.and_then(|ms| began.checked_add(Duration::from_millis(ms.into())));
        let state = CallState::arrived(None, head.metadata, &self.caller);
        let context = Context::of_call(deadline, state.clone());
        let items = Items::new(number, self.mailbox.clone());
        let started = match &self.shared.layers {
            None => call::start(&target, &state, context, payload, Some(items.clone())),
            Some(layers) => {
                Ok(layered::serve(layers, &target, state.clone(), context, payload, Some(items.clone())))
            }
        };
        let answer = started.unwrap_or_else(|status| Box::pin(std::future::ready(Err(status))));
        let (method, streams) = (MethodName::of(target.method), target.method.streams);
        let reply = Reply {
            mailbox: self.mailbox.clone(),
            number,
            state: state.clone(),
            target,
            slot,
            began,
            _room: room,
        };
        // The method's own time at each poll is not that of a plain call, and is not looked at.
        let task = tokio::spawn(call::run(answer, reply, true));
        let running = Running { task, method, state, items: Some(items) };
        if let Some(running) = self.peer.stream(number, streams, deadline, running) {
            running.stop();
        }
        Ok(())
    }

    /// An item of a caller has come.
    pub(super) fn item_came(&mut self, number: u32, payload: &[u8]) {
        match self.room(payload.len()) {
            Ok(room) => {
                if let Some(items) = self.items(number) {
                    items.came(payload, room);
                }
            }
            Err(status) => self.cut_short(number, &status),
        }
    }

    /// A caller has no more items.
    pub(super) fn items_ended(&mut self, number: u32) {
        if let Some(items) = self.items(number) {
            items.ended();
        }
    }

    /// Takes up what a call's task has told.
    pub(super) fn hear(&mut self, number: u32) {
        let Some(items) = self.items(number) else { return };
        if let (used @ 1.., bytes) = items.hear() {
            self.peer.used(number, used, bytes);
        }
        self.put_items(number);
    }

    /// Puts what waits of a call, as far as it is its turn.
    pub(super) fn put_items(&mut self, number: u32) {
        let Some(items) = self.items(number).cloned() else { return };
        let mut moved = false;
        while items.waits() && self.peer.turn(number) == Turn::Now {
            let Some(mut payload) = items.next() else { break };
            let put = match self.room(payload.len()) {
                Ok(room) => self.peer.item(number, &mut payload, room),
                Err(status) => return self.cut_short(number, &status),
            };
            if let Err(NotPut::TooLong { size, most }) = put {
                let message = format!("an item has {size} bytes; the caller accepts {most}");
                return self.cut_short(number, &Told::resource_exhausted(message));
            }
            spare::give_back(payload);
            moved = true;
        }
        if moved {
            self.tasks_answer = true;
            items.moved();
        }
    }

    fn items(&self, number: u32) -> Option<&Items> {
        self.peer.value(number)?.items.as_ref()
    }

    /// What an item of that length takes of what all connections share.
    fn room(&self, size: usize) -> Result<Option<Room>, Told> {
        if size <= LONG {
            return Ok(None);
        }
        let room = self.shared.slots.budget.take(size);
        let message = "the server has no room for an item of this length now";
        room.map(Some).ok_or_else(|| Told::resource_exhausted(message))
    }

    /// Ends a call before its method has.
    fn cut_short(&mut self, number: u32, status: &Told) {
        if let Some(running) = self.peer.value(number) {
            running.stop();
            self.peer.fail(number, status);
        }
    }
}
