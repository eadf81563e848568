//! Whether a route's calls can be made at an instance: whether it offers the method, and the route's fields fit it.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may fail so"))]

use super::offer::{MethodEntry, Offer};
use super::rules;
use crate::config::{CallMode, CallRef, CallSpec, ReplySpec, Rules, names_help};
use callgate_protocol::{Code, Streaming};
use callgate_rules::Misfit;
use callgate_transcode::{
    Body, Layout, Pick, RequestBinding, RequestProgram, ResponseBinding, ResponseProgram, ResultField,
};

/// The most names among which one is looked for that was probably meant.
const MAX_NAMES: usize = 1000;

/// Why a route that only notifies cannot call a method.
pub(super) const STREAMS_TO_NOBODY: &str =
    "the method streams, and `mode = \"notify\"` is for methods that do not";

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
    /// A field of the result that the answer picks, by its number.
    Picked(usize),
    /// An error that the route gives a status, by its number.
    Error(usize),
    /// A rule, by its number, and from where to where in it.
    Rule(usize, usize, usize),
    /// How calls are made.
    Mode,
    /// The method itself: whatever the route says, its schema cannot be used.
    Method,
}

/// Whether what a route says of its calls fits a method; where it does not, which part of the route it is and why.
pub fn fits(spec: &CallSpec, method: &MethodEntry) -> Result<(), (Part, String)> {
    if spec.mode == CallMode::Own && !method.streams.is_plain() {
        return Err((Part::Method, "the method streams, and who calls is one answer".to_owned()));
    }
    request_fits(&spec.request, method)?;
    request_items_fit(spec, method)?;
    rules_fit(&spec.policy.rules, method)?;
    items_fit(spec.reply.as_deref(), method.streams).map_err(|error| (Part::Response, error.to_owned()))?;
    response_fits(&spec.response, method)?;
    if method.streams.service {
        head_fits(spec)?;
    }
    if spec.mode == CallMode::Own {
        identity_fits(&method.schema.layout).map_err(|error| (Part::Response, error))?;
    }
    if spec.mode == CallMode::Notify && !method.streams.is_plain() {
        return Err((Part::Mode, STREAMS_TO_NOBODY.to_owned()));
    }
    errors_fit(spec, method)
}

fn request_fits(request: &RequestBinding, method: &MethodEntry) -> Result<(), (Part, String)> {
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
        return Err((part, error.to_string()));
    }
    Ok(())
}

/// Whether the method has the fields that rules read, of the types that they need.
fn rules_fit(rules: &Rules, method: &MethodEntry) -> Result<(), (Part, String)> {
    rules::program(rules, &method.schema.layout).map(drop).map_err(|misfit| {
        let misfit = &misfit;
        let Misfit { rule, at, .. } = misfit;
        (Part::Rule(*rule, at.start, at.end), rules::told(rules, misfit))
    })
}

/// Whether the body is a stream of items where the method's caller streams some, and only there.
fn request_items_fit(spec: &CallSpec, method: &MethodEntry) -> Result<(), (Part, String)> {
    if spec.websocket.is_some() {
        return Ok(());
    }
    let error = match (spec.body.stream(), method.streams.caller) {
        (true, false) => "the method's caller streams no items: leave `stream` out of `body`",
        (false, true) if method.schema.layout.has_raw_items() => {
            "the method's caller streams bytes or texts, which the route does not read: write body = { stream = true, raw = true }, \
             without `raw` for such items as JSON, or { stream = \"file\" } for a form's file"
        }
        (false, true) => {
            "the method's caller streams items, which the route does not read: write body = { stream = true }"
        }
        _ => return Ok(()),
    };
    Err((Part::Body, error.to_owned()))
}

fn response_fits(response: &ResponseBinding, method: &MethodEntry) -> Result<(), (Part, String)> {
    let bind = |picks: &[Pick]| {
        let binding = ResponseBinding { picks: picks.to_vec(), ..response.clone() };
        let bound = ResponseProgram::bind(method.schema.layout.clone(), &binding);
        bound.map(drop).map_err(|error| error.to_string())
    };
    bind(&[]).map_err(|error| (Part::Response, error))?;
    let mut picks = response.picks.iter().enumerate();
    picks.try_for_each(|(at, pick)| {
        bind(std::slice::from_ref(pick)).map_err(|error| (Part::Picked(at), error))
    })
}

/// Whether a result says who somebody is.
fn identity_fits(result: &Layout) -> Result<(), String> {
    let wrong = |name: &str, is: &str| Err(format!("the result's field `{name}` is not {is}"));
    match result.result_field("name") {
        Some(ResultField::Text | ResultField::Whole) => {}
        _ => return wrong("name", "a text or a whole number"),
    }
    match result.result_field("scopes") {
        None | Some(ResultField::Texts | ResultField::Any) => {}
        _ => return wrong("scopes", "a list of texts"),
    }
    match result.result_field("claims") {
        None | Some(ResultField::Object | ResultField::Any) => Ok(()),
        _ => wrong("claims", "an object"),
    }
}

/// Whether a method that streams so gives what is said of replies in items.
pub(super) fn items_fit(reply: Option<&ReplySpec>, streams: Streaming) -> Result<(), &'static str> {
    if reply.is_some_and(ReplySpec::is_of_items) && !streams.service {
        return Err("the method has one result and no items: `stream` and `events` have no effect");
    }
    Ok(())
}

/// Whether what is said of a reply in items needs no result: when its head is sent, there is none.
fn head_fits(spec: &CallSpec) -> Result<(), (Part, String)> {
    let Some(reply) = &spec.reply else { return Ok(()) };
    if reply.etag.is_some() {
        let error = "the method streams its reply, and a reply in items has no entity tag: remove `etag`";
        return Err((Part::Response, error.to_owned()));
    }
    let is_of_events = |at: usize| reply.events.is_some_and(|events| events.has(at));
    let Some((at, pick)) = spec.response.picks.iter().enumerate().find(|(at, _)| !is_of_events(*at)) else {
        return Ok(());
    };
    let error = format!(
        "`{}` is a field of the items that the method streams, of which none is there yet when the head is sent: use what the \
         request says, such as {{path.name}}",
        pick.field
    );
    Err((Part::Picked(at), error))
}

/// Whether all errors that have statuses are codes, or declared by the method.
fn errors_fit(spec: &CallSpec, method: &MethodEntry) -> Result<(), (Part, String)> {
    let Some(reply) = &spec.reply else { return Ok(()) };
    let declared: Vec<&str> = method.schema.layout.error_names().collect();
    let is_known = |name: &str| Code::from_name(name).is_some() || declared.contains(&name);
    let Some((at, name)) = reply.errors.names().enumerate().find(|(_, name)| !is_known(name)) else {
        return Ok(());
    };
    let none = format!("`{name}` is no error that the method declares, and no code");
    let help = names_help(name, declared.into_iter().chain(Code::ALL.iter().map(|code| code.name())));
    Err((Part::Error(at), help.map_or(none.clone(), |help| format!("{none}; {help}"))))
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
    use crate::config::{AuthKind, CallSpec, Source, Tables};
    use crate::transport::callgate::catalog::Schema;
    use callgate_protocol::schema::{
        Attributes, Definition, EnumDef, Field, Fingerprint, MethodSchema, Shape, StructDef, Type, Variant,
    };
    use callgate_protocol::{CallId, Hello, Limits, MethodOffer, ServiceOffer};
    use std::sync::Arc;

    /// An instance that offers `orders.get(id: u32, note: String) -> { total: f64 }`.
    fn offer() -> Offer {
        offer_of(vec![Field::new("total", Type::F64)], Streaming::default())
    }

    /// The same where its result has those fields, and it streams so.
    fn offer_of(order: Vec<Field>, streams: Streaming) -> Offer {
        let field = |name: &str, ty| Field::new(name, ty);
        let def = |name: &str, fields| Definition::Struct(StructDef::new(name, fields));
        let gone = Variant {
            attributes: Attributes::default().with_code(Code::NotFound),
            ..Variant::new("order_gone", Shape::Unit)
        };
        let definitions = vec![
            def("GetRequest", vec![field("id", Type::U32), field("note", Type::String)]),
            def("Order", order),
            Definition::Enum(EnumDef::new("Error", vec![gone])),
        ];
        let error = Some(Type::Ref(2));
        let schema = MethodSchema { error, ..MethodSchema::new(Type::Ref(0), Type::Ref(1), definitions) };
        let method = MethodOffer {
            name: "get".to_owned(),
            call_id: CallId::of("orders", "get"),
            schema: Fingerprint::of(b"x"),
            wire: Fingerprint::of(b"wire"),
            idempotent: true,
            streams,
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
            (
                "match = 'GET /{id}'\ncall = 'orders.get'\nresponse = { headers = { x-a = '{total}', x-b = '{totl}' } }",
                Some((
                    Part::Picked(1),
                    "the result's field `totl`: unknown field `totl`, did you mean `total`?",
                )),
            ),
            ("match = 'GET /{id}'\ncall = 'orders.get'\nresponse = { headers = { x-a = '{total}' } }", None),
            (
                "match = 'GET /{id}'\ncall = 'orders.get'\nbody = { stream = true }",
                Some((Part::Body, "streams no items: leave `stream` out of `body`")),
            ),
            (
                "match = 'GET /{id}'\ncall = 'orders.get'\nrules = ['args.id < 10', 'args.note == args.it']",
                Some((Part::Rule(1, 18, 20), "`it`: unknown field `it`")),
            ),
            (
                "match = 'GET /{id}'\ncall = 'orders.get'\nrules = ['args.id < 10', 'args.note == \"x\"']",
                None,
            ),
            ("match = 'GET /{id}'\ncall = 'orders.get'\nerrors = { order_gone = 410, aborted = 423 }", None),
            (
                "match = 'GET /{id}'\ncall = 'orders.get'\nresponse = { stream = 'sse' }",
                Some((Part::Response, "one result and no items")),
            ),
            (
                "match = 'GET /{id}'\ncall = 'orders.get'\nerrors = { aborted = 423, order_gnoe = 410 }",
                Some((
                    Part::Error(1),
                    "`order_gnoe` is no error that the method declares, and no code; did you mean `order_gone`?",
                )),
            ),
        ] {
            let route = route(lines);
            let found = fits(&route, offer.find(&route.call).unwrap()).err();
            assert_eq!(found.as_ref().map(|(part, _)| *part), expected.map(|(part, _)| part), "{lines}");
            if let (Some((_, error)), Some((_, expected))) = (found, expected) {
                assert!(error.contains(expected), "{error}");
            }
        }
    }

    #[test]
    fn a_method_that_is_asked_who_calls_has_to_say_it() {
        let text = "[backends.a]\nendpoints = ['x:1']\n[auth.p]\ntype = 'rpc'\ncall = 'orders.get'\n\
                    bind = { id = { header = 'x-id' }, note = { value = '' } }\n";
        let tables = Tables::parse(vec![Source::new("t.toml", text)]).unwrap();
        let AuthKind::Rpc(rpc) = &tables.authenticators[0].kind else { panic!("rpc") };
        let none = Streaming::default();
        let (name, texts) = (Field::new("name", Type::String), Type::List(Box::new(Type::String)));
        let with = |name: &str, ty: Type| vec![Field::new("name", Type::String), Field::new(name, ty)];
        let map = Type::Map(Box::new(Type::String), Box::new(Type::U8));
        for (fields, streams, expected) in [
            (vec![name.clone()], none, None),
            (vec![Field::new("name", Type::U64)], none, None),
            (with("scopes", texts.clone()), none, None),
            (with("scopes", Type::Option(Box::new(texts.clone()))), none, None),
            (with("claims", map), none, None),
            (with("other", Type::Bool), none, None),
            (vec![Field::new("nam", Type::String)], none, Some((Part::Picked(0), "did you mean `nam`?"))),
            (vec![Field::new("name", Type::F64)], none, Some((Part::Response, "a text or a whole number"))),
            (vec![Field::new("name", texts.clone())], none, Some((Part::Picked(0), "is not one text"))),
            (with("scopes", Type::String), none, Some((Part::Response, "`scopes` is not a list of texts"))),
            (
                with("scopes", Type::List(Box::new(texts.clone()))),
                none,
                Some((Part::Response, "`scopes` is not a list of texts")),
            ),
            (with("claims", texts), none, Some((Part::Response, "`claims` is not an object"))),
            (vec![name], Streaming { service: true, ..none }, Some((Part::Method, "the method streams"))),
        ] {
            let offer = offer_of(fields, streams);
            let found = fits(&rpc.call, offer.find(&rpc.call.call).unwrap()).err();
            assert_eq!(found.as_ref().map(|(part, _)| *part), expected.map(|(part, _)| part), "{found:?}");
            assert!(found.is_none_or(|(_, why)| why.contains(expected.unwrap().1)), "{expected:?}");
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
