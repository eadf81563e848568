//! The schemas that a peer has asked for, until they are sent.
//!
//! A peer can ask for as many as it likes. So they lie here as what they are, and are written one at a time, when little else waits.

use crate::outbound::Outbound;
use crate::schema::Fingerprint;
use std::borrow::Cow;
use std::collections::VecDeque;

/// What a schema that is asked for costs until it is sent, in bytes: the request's own.
const REQUEST: usize = 26;

/// Schemas wait while so many bytes wait before them.
const WAIT: usize = 64 * 1024;

/// Those that wait.
#[derive(Debug, Default)]
pub(super) struct Schemas(VecDeque<(Fingerprint, Cow<'static, [u8]>)>);

impl Schemas {
    pub(super) fn push(&mut self, fingerprint: Fingerprint, encoded: Cow<'static, [u8]>) {
        self.0.push_back((fingerprint, encoded));
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What they cost, in bytes.
    pub(super) fn cost(&self) -> usize {
        self.0.len() * REQUEST
    }

    /// Queues the next one, unless much waits before it.
    #[inline]
    pub(super) fn go_on(&mut self, outbound: &mut Outbound) {
        if outbound.queued() < WAIT
            && let Some((fingerprint, encoded)) = self.0.pop_front()
        {
            outbound.schema(fingerprint, &encoded);
        }
    }
}
