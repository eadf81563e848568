//! What goes along with a call beside its arguments: the request's id, the headers that the table lists, and the trace context.

use crate::failure::Failure;
use crate::fields::{self, COOKIE, FieldName, TRACEPARENT, TRACESTATE};
use callgate_http1::Fields;
use callgate_protocol::MetadataBuf;
use callgate_protocol::call::key;

/// The bytes for which a call's metadata has room from the start: a request id and a trace.
const ROOM: usize = 128;

/// The metadata of a call: the request's id, those of the headers `names` that the request has, and its trace. A header that comes
/// several times is one: joined with commas (RFC 9110, 5.3), cookies with semicolons (RFC 9113, 8.2.3). One that is not UTF-8, or
/// does not fit, is refused: a handler that does not get to see it could take the request for another's.
pub(super) fn of(names: &[FieldName], fields: Fields<'_>, id: &str) -> Result<MetadataBuf, Failure> {
    let mut metadata = MetadataBuf::with_capacity(ROOM);
    metadata.push(key::REQUEST_ID, id.as_bytes());
    for name in names {
        let between: &[u8] = if *name == COOKIE { b"; " } else { b", " };
        let Some(value) = fields::joined(fields, name, between) else { continue };
        if std::str::from_utf8(&value).is_err() {
            return Err(Failure::NotUtf8(format!("the header {name} is not UTF-8").into()));
        }
        if !metadata.push_named(name.as_str(), &value) {
            return Err(Failure::HeaderTooLarge(name.to_string()));
        }
    }
    put_trace(fields, &mut metadata);
    Ok(metadata)
}

/// Puts the W3C trace context of a request among what goes along with its call, as it came.
///
/// A request with several parents belongs to no trace that can be known, and its state is nobody's (W3C Trace Context,
/// 4.3): nothing goes along then, so that the handler begins a new trace. It is never a reason to refuse a request.
fn put_trace(fields: Fields<'_>, metadata: &mut MetadataBuf) {
    let Ok(parent) = fields::single(fields, &TRACEPARENT) else { return };
    // One that is too long for the call is left out, as trace context allows.
    if let Some(parent) = parent {
        let _ = metadata.push(key::TRACEPARENT, parent);
    }
    if let Some(state) = fields::joined(fields, &TRACESTATE, b",") {
        let _ = metadata.push(key::TRACESTATE, &state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::request;
    use callgate_protocol::limits::MAX_METADATA;

    fn of_names(names: &[&str], lines: &[(&str, &[u8])]) -> Result<MetadataBuf, Failure> {
        let names: Vec<FieldName> = names.iter().map(|name| (*name).into()).collect();
        of(&names, request(lines).fields(), "r1")
    }

    #[test]
    fn what_is_listed_goes_along_and_nothing_else() {
        let lines: [(&str, &[u8]); 8] = [
            ("x-tenant", b"blue"),
            ("cookie", b"a=1"),
            ("authorization", b"Bearer x"),
            ("cookie", b"b=2"),
            ("x-list", b"1"),
            ("x-list", b""),
            ("x-list", "é".as_bytes()),
            ("x-empty", b""),
        ];
        let metadata =
            of_names(&["x-tenant", "cookie", "x-list", "x-empty", "x-absent"], &lines).expect("fits");
        let seen: Vec<(&str, &[u8])> = metadata.as_metadata().iter().collect();
        let expected: [(&str, &[u8]); 5] = [
            ("request-id", b"r1"),
            ("x-tenant", b"blue"),
            ("cookie", b"a=1; b=2"),
            ("x-list", "1, , é".as_bytes()),
            ("x-empty", b""),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn what_a_handler_could_not_see_is_refused() {
        assert!(of_names(&["x-tenant"], &[("x-tenant", b"\xff")]).is_err());
        assert!(of_names(&["x-other"], &[("x-tenant", b"\xff")]).is_ok());
        let large = vec![b'x'; MAX_METADATA];
        assert!(of_names(&["x-tenant"], &[("x-tenant", &large)]).is_err());
        assert!(of_names(&["x-tenant"], &[("x-tenant", &large[..MAX_METADATA - 64])]).is_ok());
    }

    #[test]
    fn a_trace_goes_along_whole_or_not_at_all() {
        for (lines, expected) in [
            (
                &[("traceparent", "p"), ("tracestate", "a=1")][..],
                &[("traceparent", "p"), ("tracestate", "a=1")][..],
            ),
            (
                &[("tracestate", "a=1"), ("traceparent", "p"), ("tracestate", ""), ("tracestate", "b=2")],
                &[("traceparent", "p"), ("tracestate", "a=1,,b=2")],
            ),
            (&[("traceparent", "p"), ("traceparent", "q"), ("tracestate", "a=1")], &[]),
            (&[("traceparent", "p"), ("traceparent", "p"), ("tracestate", "a=1")], &[]),
            (&[("traceparent", "p,q"), ("tracestate", "a=1")], &[]),
            (&[], &[]),
        ] {
            let mut metadata = MetadataBuf::with_capacity(64);
            put_trace(request(lines).fields(), &mut metadata);
            let seen: Vec<(&str, &[u8])> = metadata.as_metadata().iter().collect();
            let expected: Vec<(&str, &[u8])> =
                expected.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
            assert_eq!(seen, expected, "{lines:?}");
        }
    }
}
