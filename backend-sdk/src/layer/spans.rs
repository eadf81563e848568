//! Spans around calls, for logs and traces.

use super::traceparent::Traceparent;
use super::{Call, Layer, Next, Outcome, Side};
use crate::Context;
use tracing::field::{Empty, display};
use tracing::{Instrument, Span, error_span};

/// Gives each call a span of the crate `tracing`, so that every line that is logged within it says which call it belongs to.
///
/// The span is `serve` at the server's end and `call` at the client's. Its fields are `method`, `request_id`, `peer` (at the
/// server's end), `trace_id`, `span_id` and `parent_id`, as far as they are known, and when the call has ended `code`: `ok`, or
/// the code of its failure. Its target is `callgate_sdk::call`, its level that of errors, so that also a log of warnings only says
/// which calls they belong to.
///
/// Trace context is W3C's. The span of a call that arrives is a child of the one in its `traceparent`, and calls that the method
/// makes with its context are children of it. A client with this layer makes a span for each call that it makes, and sends that
/// one. Where there is no `traceparent`, a trace begins.
///
/// When no subscriber wants the span, the layer does nothing: `traceparent` goes along as it came.
///
/// ```
/// use callgate_sdk::layer::Tracing;
///
/// let server = callgate_sdk::Server::new().layer(Tracing::new());
/// let client = callgate_sdk::Client::builder().layer(Tracing::new());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Tracing {
    _none: (),
}

impl Tracing {
    /// The layer.
    pub fn new() -> Tracing {
        Tracing::default()
    }
}

impl Layer for Tracing {
    async fn call(&self, mut call: Call, next: Next) -> Outcome {
        let span = span(&call);
        if span.is_disabled() {
            return next.run(call).await;
        }
        enter_trace(call.context_mut(), &span)?;
        let outcome = next.run(call).instrument(span.clone()).await;
        span.record("code", outcome.as_ref().map_or_else(|status| status.code.name(), |_| "ok"));
        outcome
    }
}

fn span(call: &Call) -> Span {
    macro_rules! of {
        ($name:literal) => {
            error_span!(
                target: "callgate_sdk::call",
                $name,
                method = %call.name(),
                request_id = call.context().metadata("request-id"),
                peer = Empty,
                trace_id = Empty,
                span_id = Empty,
                parent_id = Empty,
                code = Empty,
            )
        };
    }
    match call.side() {
        Side::Client => of!("call"),
        Side::Server => {
            let span = of!("serve");
            if let Some(peer) = call.context().peer() {
                span.record("peer", peer.address());
            }
            span
        }
    }
}

/// Makes the span a child of the one that the context names, and the context name it.
fn enter_trace(context: &mut Context, span: &Span) -> Result<(), crate::BadMetadata> {
    let parent = context.metadata("traceparent").and_then(Traceparent::read);
    let own = parent.map_or_else(Traceparent::root, Traceparent::child);
    span.record("trace_id", display(format_args!("{:032x}", own.trace)));
    span.record("span_id", display(format_args!("{:016x}", own.span)));
    if let Some(parent) = parent {
        span.record("parent_id", display(format_args!("{:016x}", parent.span)));
    }
    context.set_metadata("traceparent", own.to_string())
}
