//! What the connection, a call's task and its [`Context`](super::Context)s share of a call that is served.
//!
//! It is the one place where it is decided, once and for all, whether a call is answered or cancelled.

use super::{Peer, ReplyMetadata};
use callgate_protocol::{Metadata, MetadataBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::Notify;

/// A call. Its stage leaves `RUNNING` once, towards one of the others: so a call has one answer, whoever is first.
#[derive(Debug)]
pub(crate) struct CallState {
    stage: AtomicU8,
    cancelled: Notify,
    /// What came with the call.
    metadata: MetadataBuf,
    /// Who calls; `None` when the program itself does.
    peer: Option<Arc<Peer>>,
    /// What goes back with the result; not there unless the handler has asked for it.
    reply: OnceLock<ReplyMetadata>,
}

const RUNNING: u8 = 0;
const ANSWERED: u8 = 1;
const CANCELLED: u8 = 2;

impl CallState {
    /// The state of a call that has arrived. `kept` is that of an earlier call of the same peer; if nobody else has it any more it is
    /// used again, which allocates nothing.
    pub(crate) fn arrived(
        kept: Option<Arc<CallState>>,
        metadata: Metadata<'_>,
        peer: &Arc<Peer>,
    ) -> Arc<CallState> {
        if let Some(mut kept) = kept
            && let Some(state) = Arc::get_mut(&mut kept)
        {
            *state.stage.get_mut() = RUNNING;
            state.metadata.fill(metadata);
            state.reply.take();
            return kept;
        }
        let state = CallState { metadata: metadata.into(), peer: Some(peer.clone()), ..CallState::own() };
        Arc::new(state)
    }

    /// A call of the program itself, which nobody cancels.
    pub(crate) fn own() -> CallState {
        CallState {
            stage: AtomicU8::new(RUNNING),
            cancelled: Notify::new(),
            metadata: MetadataBuf::default(),
            peer: None,
            reply: OnceLock::new(),
        }
    }

    /// Claims the answer for the call's task; `false` when it was cancelled or answered before.
    pub(crate) fn answer(&self) -> bool {
        self.leave_running(ANSWERED)
    }

    /// Cancels the call and tells those who wait for that; `false` when it was cancelled or answered before.
    pub(crate) fn cancel(&self) -> bool {
        let cancelled = self.leave_running(CANCELLED);
        if cancelled {
            self.cancelled.notify_waiters();
        }
        cancelled
    }

    fn leave_running(&self, stage: u8) -> bool {
        self.stage.compare_exchange(RUNNING, stage, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.stage.load(Ordering::Acquire) == CANCELLED
    }

    pub(super) async fn cancelled(&self) {
        loop {
            // Created before the look at the stage, so that a cancellation between the two is not missed.
            let notified = self.cancelled.notified();
            if self.is_cancelled() {
                return;
            }
            notified.await;
        }
    }

    /// What came with the call.
    pub(crate) fn metadata(&self) -> Metadata<'_> {
        self.metadata.as_metadata()
    }

    /// The request's id, for the log.
    pub(crate) fn request_id(&self) -> Option<&str> {
        std::str::from_utf8(self.metadata().get("request-id")?).ok()
    }

    pub(super) fn peer(&self) -> Option<&Peer> {
        self.peer.as_deref()
    }

    pub(super) fn reply(&self) -> &ReplyMetadata {
        self.reply.get_or_init(ReplyMetadata::new)
    }

    /// What the handler wants to go back with its result, if there is anything.
    pub(crate) fn reply_metadata(&self) -> Option<MetadataBuf> {
        self.reply.get().map(ReplyMetadata::to_buf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_either_answered_or_cancelled() {
        let answered = CallState::own();
        assert!(answered.answer() && !answered.cancel() && !answered.is_cancelled());
        let cancelled = CallState::own();
        assert!(cancelled.cancel() && !cancelled.answer() && cancelled.is_cancelled());
    }

    #[test]
    fn a_state_is_used_again_if_nobody_has_it_and_knows_nothing_of_the_call_before() {
        let peer = Arc::new(Peer::at("10.0.0.5:40712".into()));
        let mut metadata = MetadataBuf::default();
        assert!(metadata.push_named("tenant", b"blue"));
        let first = CallState::arrived(None, metadata.as_metadata(), &peer);
        first.reply().insert("x-total-count", "7").expect("fits");
        assert!(first.cancel());
        let address = Arc::as_ptr(&first);
        let second = CallState::arrived(Some(first), Metadata::default(), &peer);
        assert_eq!(Arc::as_ptr(&second), address);
        assert!(second.metadata().is_empty() && second.reply_metadata().is_none());
        assert!(!second.is_cancelled() && second.answer());
        let third = CallState::arrived(Some(second.clone()), metadata.as_metadata(), &peer);
        assert_ne!(Arc::as_ptr(&third), Arc::as_ptr(&second), "somebody has it still");
        assert_eq!(third.metadata().get("tenant"), Some(&b"blue"[..]));
    }
}
