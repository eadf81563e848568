//! Spans of one process as a request to a collector, and what the collector says of them.

use crate::protobuf::{Field, bytes, fields, message};
use crate::span::text_attribute;

/// What a request's body is.
pub const CONTENT_TYPE: &str = "application/x-protobuf";

/// Who has made the spans.
#[derive(Clone, Debug)]
pub struct Resource {
    /// What is written of it already.
    written: Vec<u8>,
    /// The same of what makes spans there.
    scope: Vec<u8>,
}

impl Resource {
    /// A process with these attributes, whose spans are made by a library of that name and version.
    pub fn new<'t>(
        attributes: impl IntoIterator<Item = (&'t str, &'t str)>,
        (name, version): (&str, &str),
    ) -> Resource {
        let (mut written, mut scope) = (Vec::new(), Vec::new());
        for (key, text) in attributes {
            message(&mut written, 1, |out| text_attribute(out, key, text));
        }
        bytes(&mut scope, 1, name.as_bytes());
        bytes(&mut scope, 2, version.as_bytes());
        Resource { written, scope }
    }

    /// A request with these spans, as [`Span::end`](crate::Span::end) has put them.
    pub(crate) fn request(&self, spans: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(spans.len() + self.written.len() + self.scope.len() + 32);
        message(&mut out, 1, |out| {
            bytes(out, 1, &self.written);
            message(out, 2, |out| {
                bytes(out, 1, &self.scope);
                out.extend_from_slice(spans);
            });
        });
        out
    }
}

/// How many spans a collector says that it has not taken, of a request that it has.
pub(crate) fn rejected(answer: &[u8]) -> u64 {
    let partial = fields(answer).find_map(|field| match field {
        (1, Field::Bytes(partial)) => Some(partial),
        _ => None,
    });
    let rejected = partial.and_then(|partial| {
        fields(partial).find_map(|field| match field {
            (1, Field::Number(rejected)) => Some(rejected),
            _ => None,
        })
    });
    rejected.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protobuf::number;
    use crate::{Kind, Span};
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    use prost::Message;
    use std::time::{Duration, UNIX_EPOCH};

    fn text(value: &Option<opentelemetry_proto::tonic::common::v1::AnyValue>) -> String {
        match value.as_ref().and_then(|value| value.value.as_ref()) {
            Some(Value::StringValue(text)) => text.clone(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn another_decoder_reads_what_was_written() {
        let at = |ns| UNIX_EPOCH + Duration::from_nanos(ns);
        let (mut spans, long) = (Vec::new(), "é".repeat(600));
        let mut span = Span::new(0x0102, 3, 4, Kind::Server, "GET /a");
        span.began(at(5)).flags(true).state("v=1").text("k", "w").number("n", 300).text("long", &long);
        span.texts("all", ["a", "b"].into_iter()).maybe("none", None).failed("why");
        span.end(at(6), &mut spans);
        let mut second = Span::new(0x0102, 5, 0, Kind::Client, "b");
        second.began(at(7)).flags(false);
        second.end(at(8), &mut spans);
        let resource = Resource::new([("service.name", "s")], ("library", "1"));
        let request = ExportTraceServiceRequest::decode(&*resource.request(&spans)).expect("protobuf");
        let [of_resource] = &request.resource_spans[..] else { panic!("{request:?}") };
        let attributes = &of_resource.resource.as_ref().expect("a resource").attributes;
        assert_eq!((attributes[0].key.as_str(), text(&attributes[0].value).as_str()), ("service.name", "s"));
        let [of_scope] = &of_resource.scope_spans[..] else { panic!("{request:?}") };
        let scope = of_scope.scope.as_ref().expect("a scope");
        assert_eq!((scope.name.as_str(), scope.version.as_str()), ("library", "1"));
        let [first, second] = &of_scope.spans[..] else { panic!("{request:?}") };
        assert_eq!(first.trace_id, 0x0102u128.to_be_bytes());
        assert_eq!(
            (&first.span_id[..], &first.parent_span_id[..]),
            (&3u64.to_be_bytes()[..], &4u64.to_be_bytes()[..])
        );
        assert_eq!(
            (first.name.as_str(), first.kind, first.flags, first.trace_state.as_str()),
            ("GET /a", 2, 0x301, "v=1")
        );
        assert_eq!((first.start_time_unix_nano, first.end_time_unix_nano), (5, 6));
        let status = first.status.as_ref().expect("a status");
        assert_eq!((status.code, status.message.as_str()), (2, "why"));
        let keys: Vec<&str> = first.attributes.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(keys, ["k", "n", "long", "all"]);
        assert_eq!(text(&first.attributes[0].value), "w");
        assert!(text(&first.attributes[1].value).contains("IntValue(300)"));
        assert_eq!(text(&first.attributes[2].value).len(), 512);
        let all = text(&first.attributes[3].value);
        assert!(all.contains("\"a\"") && all.contains("\"b\""), "{all}");
        assert_eq!((second.parent_span_id.len(), second.flags, second.kind), (0, 0x101, 3));
        assert!(second.status.is_none() && second.trace_state.is_empty());
    }

    #[test]
    fn what_a_collector_rejects_is_read_and_nonsense_is_nothing() {
        let mut answer = Vec::new();
        message(&mut answer, 1, |out| {
            bytes(out, 2, b"too old");
            number(out, 1, 300);
        });
        assert_eq!(rejected(&answer), 300);
        for nonsense in [
            &b""[..],
            b"\x0a",
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            b"<html>",
            b"\x0a\x02\x08",
        ] {
            assert_eq!(rejected(nonsense), 0, "{nonsense:?}");
        }
    }
}
