//! What a side that is called says of itself beside its answers: whether calls are welcome, and that it goes away. Before the peer's
//! HELLO none of it can be said, so it waits for that.

use crate::outbound::Outbound;

/// What is to be said, and what the peer knows.
#[derive(Debug)]
pub(super) struct Notices {
    /// The peer's HELLO is there.
    open: bool,
    /// Whether calls are welcome, and what the peer believes.
    ready: bool,
    told_ready: bool,
    /// While going away: the last call that is run, and why.
    last_call: Option<u32>,
    farewell: Option<String>,
}

impl Notices {
    pub(super) fn new() -> Notices {
        Notices { open: false, ready: true, told_ready: true, last_call: None, farewell: None }
    }

    /// The peer's HELLO is there.
    pub(super) fn open(&mut self, outbound: &mut Outbound) {
        self.open = true;
        self.tell(outbound);
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    pub(super) fn set_ready(&mut self, ready: bool, outbound: &mut Outbound) {
        self.ready = ready;
        self.tell(outbound);
    }

    /// No call above `last_call` is run from now on, if it was not said before.
    pub(super) fn go_away(&mut self, last_call: u32, reason: &str, outbound: &mut Outbound) {
        if self.last_call.is_none() {
            self.last_call = Some(last_call);
            self.farewell = Some(reason.to_owned());
            self.tell(outbound);
        }
    }

    /// While going away: the last call that is run.
    #[inline]
    pub(super) fn last_call(&self) -> Option<u32> {
        self.last_call
    }

    fn tell(&mut self, outbound: &mut Outbound) {
        if !self.open {
            return;
        }
        if std::mem::replace(&mut self.told_ready, self.ready) != self.ready {
            outbound.ready(self.ready);
        }
        if let (Some(last_call), Some(reason)) = (self.last_call, self.farewell.take()) {
            outbound.go_away(last_call, &reason);
        }
    }
}
