//! Whether a route's calls can be made at an instance: whether it offers the method, and the route's fields fit it.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may fail so"))]

use super::offer::{MethodEntry, Offer};
use crate::config::{CallRef, names_help};
use callgate_transcode::{BindError, Body, RequestBinding, RequestProgram, ResponseBinding, ResponseProgram};

/// The most names among which one is looked for that was probably meant.
const MAX_NAMES: usize = 1000;

/// The part of a route that does not fit a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The path's parameters.
    Path,
    /// The field that is the body.
    Body,
    /// The field of that place among those that are bound.
    Bound(usize),
    /// What of the result is the answer.
    Response,
    /// The method itself: whatever the route says, its schema cannot be used.
    Method,
}

/// Whether a route's bindings fit a method; where they do not, which part of the route it is and why.
pub fn fits(
    request: &RequestBinding,
    response: &ResponseBinding,
    method: &MethodEntry,
) -> Result<(), (Part, BindError)> {
    let layout = &method.schema.layout;
    let bind = |binding: &RequestBinding| RequestProgram::bind(layout.clone(), binding);
    if let Err(error) = bind(request) {
        let without_body = RequestBinding { body: Body::None, ..request.clone() };
        let part = if bind(&RequestBinding::default()).is_err() {
            Part::Method
        } else if bind(&without_body).is_ok() {
            Part::Body
        } else {
            // The first field with which it does not fit, where it fits without any.
            let with =
                |count| RequestBinding { bound: request.bound[..count].to_vec(), ..without_body.clone() };
            let fits = (0..request.bound.len()).take_while(|count| bind(&with(*count)).is_ok()).count();
            fits.checked_sub(1).map_or(Part::Path, Part::Bound)
        };
        return Err((part, error));
    }
    ResponseProgram::bind(layout.clone(), response).map(drop).map_err(|error| (Part::Response, error))
}

/// Which method was probably meant by one that none of these instances offers, or which there are.
pub fn meant<'o>(call: &CallRef, offers: impl IntoIterator<Item = &'o Offer>) -> Option<String> {
    let methods = offers.into_iter().flat_map(|offer| &offer.methods);
    let mut names: Vec<&str> = methods.map(|method| method.name.as_str()).take(MAX_NAMES).collect();
    names.sort_unstable();
    names.dedup();
    names_help(&call.to_string(), names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{CallSpec, Source, Tables};
    use crate::transport::callgate::catalog::Schema;
    use callgate_protocol::schema::{Definition, Field, Fingerprint, MethodSchema, StructDef, Type};
    use callgate_protocol::{CallId, Hello, Limits, MethodOffer, ServiceOffer};
    use std::sync::Arc;

    /// An instance that offers `orders.get(id: u32, note: String) -> { total: f64 }`.
    fn offer() -> Offer {
        let field = |name: &str, ty| Field::new(name, ty);
        let def = |name: &str, fields| Definition::Struct(StructDef::new(name, fields));
        let schema = MethodSchema::new(
            Type::Ref(0),
            Type::Ref(1),
            vec![
                def("GetRequest", vec![field("id", Type::U32), field("note", Type::String)]),
                def("Order", vec![field("total", Type::F64)]),
            ],
        );
        let method = MethodOffer {
            name: "get".to_owned(),
            call_id: CallId::of("orders", "get"),
            schema: Fingerprint::of(b"x"),
            wire: Fingerprint::of(b"wire"),
            idempotent: true,
        };
        let service =
            ServiceOffer { name: "orders".to_owned(), version: String::new(), methods: vec![method] };
        let schema = Arc::new(Schema::new(schema).unwrap());
        Offer::new(Hello::new(String::new(), Limits::default(), vec![service]), |_| Ok(schema.clone()))
            .unwrap()
    }

    fn route(lines: &str) -> Arc<CallSpec> {
        let text = format!(
            "[backends.a]
endpoints = ['x:1']
[[routes]]
{lines}"
        );
        Tables::parse(vec![Source::new("t.toml", text)]).unwrap().routes[0].action.call().unwrap().clone()
    }

    #[test]
    fn the_part_that_does_not_fit_is_named_with_the_reason() {
        let offer = offer();
        for (lines, expected) in [
            ("match = 'GET /{id}'\ncall = 'orders.get'", None),
            ("match = 'GET /{ident}'\ncall = 'orders.get'", Some((Part::Path, "unknown field `ident`"))),
            ("match = 'GET /{id.x}'\ncall = 'orders.get'", Some((Part::Path, "is not in a struct"))),
            (
                "match = 'GET /{id}'\ncall = 'orders.get'\nbody = 'nota'",
                Some((Part::Body, "did you mean `note`?")),
            ),
            (
                "match = 'GET /{id}'\ncall = 'orders.get'\nbind = { note = { value = 'x' }, zote = { header = 'x-a' } }",
                Some((Part::Bound(1), "unknown field `zote`")),
            ),
            (
                "match = 'GET /'\ncall = 'orders.get'\nbind = { id = { query = 'n', default = 'x' } }",
                Some((Part::Bound(0), "its default will not do")),
            ),
            (
                "match = 'GET /{id}'\ncall = 'orders.get'\nresponse = { field = 'totl' }",
                Some((Part::Response, "did you mean `total`?")),
            ),
        ] {
            let route = route(lines);
            let found = fits(&route.request, &route.response, offer.find(&route.call).unwrap()).err();
            assert_eq!(found.as_ref().map(|(part, _)| *part), expected.map(|(part, _)| part), "{lines}");
            if let (Some((_, error)), Some((_, expected))) = (found, expected) {
                assert!(error.to_string().contains(expected), "{error}");
            }
        }
    }

    #[test]
    fn a_method_that_differs_by_little_or_in_case_is_offered() {
        for call in ["orders.Get", "Orders.get", "orders.gte", "order.get"] {
            let route = route(&format!("match = 'GET /'\ncall = '{call}'"));
            assert!(offer().find(&route.call).is_none());
            assert_eq!(meant(&route.call, [&offer()]).as_deref(), Some("did you mean `orders.get`?"));
        }
        let route = route("match = 'GET /'\ncall = 'stock.levels'");
        assert_eq!(meant(&route.call, [&offer()]).as_deref(), Some("there is `orders.get`"));
        assert_eq!(meant(&route.call, []), None);
    }
}
