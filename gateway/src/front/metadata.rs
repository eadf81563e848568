//! What goes along with a call beside its arguments: the request's id, the address of its client, the headers that the table lists, and the trace context.

use super::client;
use super::exchange::{Exchange, RequestContext};
use crate::clients::AddressText;
use crate::failure::Failure;
use crate::fields::{self, COOKIE, FieldName, TRACEPARENT, TRACESTATE};
use callgate_http1::Fields;
use callgate_protocol::call::key;
use callgate_protocol::{MetadataBuf, TraceparentText};
use std::net::IpAddr;

/// The bytes for which a call's metadata has room from the start: a request id (34 with its head), a client's address (at most 41) and
/// a trace's parent (57), and then some.
const ROOM: usize = 160;

/// Where a request has come from, as far as that goes along.
pub(super) struct Origin<'r> {
    pub(super) id: &'r [u8],
    pub(super) client: Option<IpAddr>,
    pub(super) named_by: Option<&'static FieldName>,
    /// Its place in a trace, where the gateway knows better than what has come with it.
    pub(super) trace: Option<Trace>,
}

/// A place in a trace, and what vendors say of that, as far as it goes along.
pub(super) struct Trace {
    parent: TraceparentText,
    /// What vendors say has come with the request.
    has_state: bool,
}

impl Trace {
    /// That of an exchange, if traces are on. With spans, its own span is the parent of what its call makes.
    pub(super) fn of(exchange: &Exchange) -> Option<Trace> {
        let traces = exchange.worker.shared.traces.as_ref()?;
        match &exchange.guards.traced {
            Some(traced) => {
                let has_state = traced.place.parent() != 0;
                Some(Trace { parent: traced.place.own().text(), has_state })
            }
            None => {
                let is_proxy = exchange.connection().is_proxy.get();
                let chance = || exchange.worker.ids.number();
                let parent = traces.unsampled(exchange.head.fields(), is_proxy, chance)?;
                Some(Trace { parent, has_state: false })
            }
        }
    }
}

impl<'r> Origin<'r> {
    pub(super) fn of(exchange: &'r Exchange) -> Origin<'r> {
        let RequestContext { id, client, .. } = &exchange.context;
        let named_by = client::believed(exchange.connection());
        Origin { id: id.as_bytes(), client: *client, named_by, trace: Trace::of(exchange) }
    }

    /// Whether a listed header goes along. One that says who the client is could be anybody's word: only the one that counts does.
    fn may_say(&self, name: &FieldName) -> bool {
        !client::names_clients(name) || self.named_by == Some(name)
    }
}

/// The metadata of a call: the request's id, its client, those of the headers `names` that the request has, and its trace. A header that comes
/// several times is one: joined with commas (RFC 9110, 5.3), cookies with semicolons (RFC 9113, 8.2.3). One that is not UTF-8, or
/// does not fit, is refused: a handler that does not get to see it could take the request for another's.
pub(super) fn of(
    names: &[FieldName],
    fields: Fields<'_>,
    origin: &Origin<'_>,
) -> Result<MetadataBuf, Failure> {
    let mut metadata = MetadataBuf::with_capacity(ROOM);
    metadata.push(key::REQUEST_ID, origin.id);
    if let Some(client) = origin.client {
        metadata.push(key::CLIENT, AddressText::of(client).as_bytes());
    }
    for name in names.iter().filter(|name| origin.may_say(name)) {
        let between: &[u8] = if *name == COOKIE { b"; " } else { b", " };
        let Some(value) = fields::joined(fields, name, between) else { continue };
        if std::str::from_utf8(&value).is_err() {
            return Err(Failure::NotUtf8(format!("the header {name} is not UTF-8").into()));
        }
        if !metadata.push_named(name.as_str(), &value) {
            return Err(Failure::HeaderTooLarge(name.to_string()));
        }
    }
    put_trace(fields, origin.trace.as_ref(), &mut metadata);
    Ok(metadata)
}

/// Puts the W3C trace context of a request among what goes along with its call: as it came, but for what is known better.
///
/// A request with several parents belongs to no trace that can be known, and its state is nobody's (W3C Trace Context,
/// 4.3): nothing goes along then, so that the handler begins a new trace. It is never a reason to refuse a request.
fn put_trace(fields: Fields<'_>, known: Option<&Trace>, metadata: &mut MetadataBuf) {
    let parent = match known {
        Some(trace) => Some(trace.parent.as_bytes()),
        None => match fields::single(fields, &TRACEPARENT) {
            Ok(parent) => parent,
            Err(_) => return,
        },
    };
    // One that is too long for the call is left out, as trace context allows.
    if let Some(parent) = parent {
        let _ = metadata.push(key::TRACEPARENT, parent);
    }
    if known.is_none_or(|trace| trace.has_state)
        && let Some(state) = fields::joined(fields, &TRACESTATE, b",")
    {
        let _ = metadata.push(key::TRACESTATE, &state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::{FORWARDED, X_FORWARDED_FOR, request};
    use callgate_protocol::limits::MAX_METADATA;

    fn of_names(names: &[&str], lines: &[(&str, &[u8])]) -> Result<MetadataBuf, Failure> {
        let names: Vec<FieldName> = names.iter().map(|name| (*name).into()).collect();
        of(&names, request(lines).fields(), &Origin { id: b"r1", client: None, named_by: None, trace: None })
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
    fn the_clients_address_goes_along_and_no_header_that_anybody_could_have_written() {
        let names: Vec<FieldName> = ["x-forwarded-for", "Forwarded", "x-a"].map(FieldName::from).to_vec();
        let lines = [("X-Forwarded-For", "192.0.2.7"), ("forwarded", "for=192.0.2.8"), ("x-a", "1")];
        for (client, named_by, expected) in [
            (None, None, &[("x-a", "1")][..]),
            (Some("192.0.2.1"), None, &[("client", "192.0.2.1"), ("x-a", "1")]),
            (
                Some("2001:db8::1"),
                Some(&X_FORWARDED_FOR),
                &[("client", "2001:db8::1"), ("x-forwarded-for", "192.0.2.7"), ("x-a", "1")],
            ),
            (None, Some(&FORWARDED), &[("forwarded", "for=192.0.2.8"), ("x-a", "1")]),
        ] {
            let client = client.map(|client| client.parse().expect("an address"));
            let origin = Origin { id: b"r1", client, named_by, trace: None };
            let metadata = of(&names, request(&lines).fields(), &origin).expect("fits");
            let seen: Vec<(&str, &[u8])> = metadata.as_metadata().iter().skip(1).collect();
            let expected: Vec<(&str, &[u8])> =
                expected.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
            assert_eq!(seen, expected);
        }
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
            put_trace(request(lines).fields(), None, &mut metadata);
            let seen: Vec<(&str, &[u8])> = metadata.as_metadata().iter().collect();
            let expected: Vec<(&str, &[u8])> =
                expected.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
            assert_eq!(seen, expected, "{lines:?}");
        }
    }
}
