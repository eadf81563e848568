//! Where a request stands in a trace of which it has spans: its own span, that of whoever has sent it, and what goes along with its calls.

use crate::fields::{self, TRACESTATE};
use callgate_http1::Fields;
use callgate_protocol::Traceparent;

/// A call has at most so many attempts that are told; a copy of it has spans behind theirs.
pub const MOST_ATTEMPTS: usize = 16;

/// Ids of spans leave room for those of the attempts, which follow them.
const ATTEMPTS: u64 = 1 << 16;

/// Where a request stands.
#[derive(Clone, Debug)]
pub struct Place {
    own: Traceparent,
    /// The span that has made it, 0 if that is none.
    parent: u64,
    state: String,
}

impl Place {
    /// That of a request with which a trace begins.
    #[cold]
    pub(super) fn first() -> Box<Place> {
        let own = Traceparent::new(fastrand::u128(1..), span(), true);
        Box::new(Place { own, parent: 0, state: String::new() })
    }

    /// That of a request which a span has made.
    #[cold]
    pub(super) fn below(parent: Traceparent, fields: Fields<'_>) -> Box<Place> {
        let state = fields::joined(fields, &TRACESTATE, b",");
        let state = state.and_then(|state| fields::text(&state).map(str::to_owned));
        let state = state.unwrap_or_default();
        Box::new(Place { own: parent.with_span(span()), parent: parent.span, state })
    }

    /// Its own span, in its trace.
    pub fn own(&self) -> Traceparent {
        self.own
    }

    /// The span that has made it, or 0.
    pub fn parent(&self) -> u64 {
        self.parent
    }

    /// What vendors say of the trace; empty where they say nothing.
    pub fn state(&self) -> &str {
        &self.state
    }

    /// Behind which span those of a copy of its call follow.
    pub fn of_copies(own: Traceparent) -> Traceparent {
        own.with_span(own.span + MOST_ATTEMPTS as u64)
    }

    /// The span of an attempt of its call, by its number.
    pub fn attempt(own: Traceparent, number: usize) -> Traceparent {
        own.with_span(own.span + 1 + number as u64)
    }
}

fn span() -> u64 {
    fastrand::u64(1..u64::MAX - ATTEMPTS)
}
