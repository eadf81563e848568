//! Spans around calls, for logs and traces.

#[cfg(feature = "otlp")]
use super::otlp::{Open, Otlp};
use super::{Call, Layer, Next, Outcome, Side};
use crate::Context;
use callgate_protocol::Traceparent;
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
/// With the feature `otlp` the spans of sampled traces are also sent to a collector of OpenTelemetry, see `Tracing::otlp`.
///
/// When nobody wants the span, the layer does nothing: `traceparent` goes along as it came.
///
/// ```
/// use callgate_sdk::layer::Tracing;
///
/// let server = callgate_sdk::Server::new().layer(Tracing::new());
/// let client = callgate_sdk::Client::builder().layer(Tracing::new());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Tracing {
    #[cfg(feature = "otlp")]
    otlp: Option<Otlp>,
    _none: (),
}

impl Tracing {
    /// The layer.
    pub fn new() -> Tracing {
        Tracing::default()
    }

    /// The same, which has the spans of sampled traces sent to a collector as well.
    #[cfg(feature = "otlp")]
    #[must_use]
    pub fn otlp(mut self, otlp: &Otlp) -> Tracing {
        self.otlp = Some(otlp.clone());
        self
    }

    /// Where the call's span is in its trace, below that parent. Without a parent a trace begins.
    fn place(&self, parent: Option<Traceparent>) -> Traceparent {
        let span = fastrand::u64(1..);
        #[cfg(feature = "otlp")]
        let is_sampled = self.otlp.as_ref().is_none_or(Otlp::samples);
        #[cfg(not(feature = "otlp"))]
        let is_sampled = true;
        let begins = || Traceparent::new(fastrand::u128(1..), span, is_sampled);
        parent.map_or_else(begins, |parent| parent.with_span(span))
    }

    /// Whether its span is sent to a collector, or it has to be decided whether it is.
    fn is_exported(&self, parent: Option<Traceparent>) -> bool {
        #[cfg(feature = "otlp")]
        return self.otlp.is_some() && parent.is_none_or(Traceparent::is_sampled);
        #[cfg(not(feature = "otlp"))]
        {
            let _ = parent;
            false
        }
    }
}

impl Layer for Tracing {
    async fn call(&self, mut call: Call, next: Next) -> Outcome {
        let span = span(&call);
        let parent = call.context().metadata("traceparent");
        let parent = parent.and_then(|text| Traceparent::read(text.as_bytes()));
        if span.is_disabled() && !self.is_exported(parent) {
            return next.run(call).await;
        }
        let own = self.place(parent);
        enter_trace(call.context_mut(), &span, own, parent)?;
        #[cfg(feature = "otlp")]
        let open =
            self.otlp.as_ref().filter(|_| own.is_sampled()).map(|otlp| Open::begin(otlp, &call, own, parent));
        let outcome = next.run(call).instrument(span.clone()).await;
        #[cfg(feature = "otlp")]
        if let Some(open) = open {
            open.end(&outcome);
        }
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

/// Has the context say which span calls are children of that are made with it.
fn enter_trace(
    context: &mut Context,
    span: &Span,
    own: Traceparent,
    parent: Option<Traceparent>,
) -> Result<(), crate::BadMetadata> {
    span.record("trace_id", display(format_args!("{:032x}", own.trace)));
    span.record("span_id", display(format_args!("{:016x}", own.span)));
    if let Some(parent) = parent {
        span.record("parent_id", display(format_args!("{:016x}", parent.span)));
    }
    context.set_metadata("traceparent", own.text().as_bytes())
}
