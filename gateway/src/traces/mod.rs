//! Traces: which requests have spans, where each stands in its trace, and how spans come to their collector.
//!
//! ```text
//! place     where a request stands in a trace of which it has spans
//! exporter  the thread that sends spans
//! ```
//! What a span says is known in `front`, which writes them. They wait in a queue that is bounded (the crate `callgate-otlp`): a collector
//! that takes nothing costs spans, which are counted, and never time.
//!
//! Where traces are on, every call carries a `traceparent`, also of a request without spans: so all who come behind decide as the gateway
//! has, and no trace lacks its beginning.

mod exporter;
mod place;

pub use exporter::Exporter;
pub use place::{MOST_ATTEMPTS, Place};

use crate::config::{Share, TraceParents, TracesSettings};
use crate::fields::{self, TRACEPARENT};
use callgate_http1::Fields;
use callgate_otlp::{Lost, Spans};
use callgate_protocol::{Traceparent, TraceparentText};
use std::sync::Mutex;
use tokio::sync::mpsc;

/// The traces of the process, where they are on.
#[derive(Debug)]
pub struct Traces {
    sample: Share,
    parents: TraceParents,
    spans: Spans,
    /// What wakes the exporter, until that has begun.
    rings: Mutex<Option<mpsc::Receiver<()>>>,
}

impl Traces {
    /// As the settings say.
    pub fn new(settings: &TracesSettings) -> Traces {
        let (spans, rings) = Spans::new();
        let TracesSettings { sample, parents, .. } = *settings;
        Traces { sample, parents, spans, rings: Mutex::new(Some(rings)) }
    }

    /// Where a request stands in a trace of which it has spans; none if it has none. `is_proxy`: a proxy has sent it that the listener trusts.
    #[inline]
    pub(crate) fn place(&self, fields: Fields<'_>, is_proxy: bool) -> Option<Box<Place>> {
        match self.parent(fields, is_proxy) {
            Some(parent) if parent.is_sampled() => Some(Place::below(parent, fields)),
            // Whoever has begun the trace has decided.
            Some(_) => None,
            None => self.sample.draw().then(Place::first),
        }
    }

    /// What the call of a request without spans says of its trace; nothing where what has come is right. A new trace has numbers by `chance`.
    pub(crate) fn unsampled(
        &self,
        fields: Fields<'_>,
        is_proxy: bool,
        chance: impl Fn() -> u64,
    ) -> Option<TraceparentText> {
        if self.parent(fields, is_proxy).is_some() {
            return None;
        }
        let trace = u128::from(chance()) << 64 | u128::from(chance());
        // 0 is none (W3C Trace Context, 3.2.2.3).
        Some(Traceparent::new(trace.max(1), chance().max(1), false).text())
    }

    /// Puts spans among those that are sent.
    pub fn put(&self, written: Vec<u8>, count: u32) {
        self.spans.put(written, count);
    }

    /// What has become of spans: how many, by its name.
    pub fn fates(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let stats = self.spans.stats();
        let lost = Lost::ALL.iter().map(|why| (why.name(), stats.lost(*why)));
        std::iter::once(("sent", stats.sent())).chain(lost)
    }

    /// The span that has made a request, if it says that and it counts.
    #[inline]
    fn parent(&self, fields: Fields<'_>, is_proxy: bool) -> Option<Traceparent> {
        if self.parents == TraceParents::Proxies && !is_proxy {
            return None;
        }
        Traceparent::read(fields::single(fields, &TRACEPARENT).ok()??)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Settings, Source};
    use crate::fields::request;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn traces(more: &str) -> Traces {
        let text = format!("[traces]\nendpoint = 'http://127.0.0.1:4318/v1/traces'\n{more}");
        let settings = Settings::parse(Source::new("gateway.toml", text), None).expect("sound settings");
        Traces::new(&settings.traces.expect("they are on"))
    }

    #[test]
    fn whoever_has_begun_a_trace_decides_whether_it_has_spans() {
        let unsampled = PARENT.replace("-01", "-00");
        for (sample, header, has_spans, comes_along) in [
            ("0%", None, false, false),
            ("100%", None, true, false),
            ("0%", Some(PARENT), true, true),
            ("100%", Some(&*unsampled), false, true),
            ("0%", Some("nonsense"), false, false),
            ("100%", Some("nonsense"), true, false),
        ] {
            let traces = traces(&format!("sample = '{sample}'"));
            let lines: Vec<_> = header.iter().map(|header| ("traceparent", *header)).collect();
            let request = request(&lines);
            let place = traces.place(request.fields(), false);
            assert_eq!(place.is_some(), has_spans, "{sample} {header:?}");
            if let Some(place) = place {
                let known = Traceparent::read(PARENT.as_bytes()).expect("is one");
                assert!(place.own().is_sampled());
                assert_eq!(place.own().trace == known.trace, comes_along);
                assert_eq!(place.parent(), if comes_along { known.span } else { 0 });
            } else {
                let along = traces.unsampled(request.fields(), false, || fastrand::u64(..));
                assert_eq!(along.is_none(), comes_along, "{sample} {header:?}");
                let along = along.map(|text| Traceparent::read(text.as_bytes()).expect("is one"));
                assert!(along.is_none_or(|along| !along.is_sampled()));
            }
        }
    }

    #[test]
    fn a_stranger_is_not_believed_where_only_proxies_are() {
        let request = request(&[("traceparent", PARENT), ("tracestate", "a=1")]);
        for (parents, is_proxy, believed) in
            [("all", false, true), ("all", true, true), ("proxies", false, false), ("proxies", true, true)]
        {
            let traces = traces(&format!("sample = '0%'\nparents = '{parents}'"));
            assert_eq!(traces.place(request.fields(), is_proxy).is_some(), believed, "{parents} {is_proxy}");
        }
    }
}
