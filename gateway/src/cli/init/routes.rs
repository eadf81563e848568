//! Routes for the methods of an instance, in the manner of REST, as far as names and marks say what that is.
//!
//! A method that may run twice and whose arguments can stand in a query is a GET; `get`, `list`, `create`, `change`, `replace` and
//! `delete`, and their usual other names, are what they say, on a resource that is called as the service; all others are a POST on a path
//! of their own name. What is not known is not guessed: the last candidate is always that POST, which fits each method.

use crate::cli::list::{first_line, service_of};
use crate::cli::{instance::quoted, signature};
use crate::config::{Source, Tables};
use crate::transport::callgate::{MethodEntry, Offer, fits};
use callgate_protocol::schema::{Definition, Field, MethodSchema, Shape, Type};
use std::collections::HashSet;

const READ: &[&str] = &["get", "find", "fetch", "read", "show", "lookup"];
const LIST: &[&str] = &["list", "all", "search", "query", "index"];
const CREATE: &[&str] = &["create", "add", "new", "insert", "register", "submit"];
const CHANGE: &[&str] = &["update", "change", "patch", "modify", "edit"];
const REPLACE: &[&str] = &["replace", "put", "set", "save", "upsert", "store"];
const DELETE: &[&str] = &["delete", "remove"];

/// Names of fields that say which one is meant, beside those that end in `_id`.
const KEYS: &[&str] = &["id", "key", "name", "slug"];

/// A table for an instance.
pub(super) struct Suggested {
    /// Its text.
    pub(super) table: String,
    /// What its routes match, with their methods.
    pub(super) routes: Vec<String>,
    /// Methods that no route fits.
    pub(super) left_out: Vec<String>,
}

/// A route that might do: its match, and further lines.
struct Candidate {
    matched: String,
    lines: Vec<String>,
}

impl Suggested {
    /// A table with that backend, whose routes' paths begin with the prefix.
    pub(super) fn of(offer: &Offer, backend: &str, prefix: &str) -> Suggested {
        let prefix = match prefix.trim_end_matches('/') {
            "" => String::new(),
            prefix => format!("prefix = {}\n\n", quoted(prefix)),
        };
        let mut table = format!("{prefix}{backend}");
        let (mut routes, mut left_out, mut taken) = (Vec::new(), Vec::new(), HashSet::new());
        for method in &offer.methods {
            let chosen = candidates(method).into_iter().find(|candidate| {
                !taken.contains(&form(&candidate.matched)) && suits(backend, method, candidate)
            });
            let Some(chosen) = chosen else {
                left_out.push(method.name.clone());
                continue;
            };
            taken.insert(form(&chosen.matched));
            table += &format!("\n{}", text(method, &chosen));
            routes.push(format!("{} → {}", chosen.matched, method.name));
        }
        Suggested { table, routes, left_out }
    }
}

/// What a backend can be called after its instance, or else after what it offers.
pub(super) fn backend_name(offer: &Offer) -> String {
    let is_name = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    let own = offer.identity.split_whitespace().next().filter(is_name);
    let service = offer.services.first().map(|(name, _)| name.replace('.', "-"));
    own.map(str::to_owned).or(service).unwrap_or_else(|| "backend".to_owned())
}

/// What an instance says, on one line that a comment can hold.
pub(super) fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

fn text(method: &MethodEntry, route: &Candidate) -> String {
    let doc = comment(first_line(&method.schema.method.doc));
    let doc = if doc.is_empty() { String::new() } else { format!("# {doc}\n") };
    let mut text = format!(
        "{doc}# {}\n[[routes]]\nmatch = {}\ncall = {}\n",
        comment(&signature::of(method)),
        quoted(&route.matched),
        quoted(&method.name)
    );
    route.lines.iter().for_each(|line| text += &format!("{line}\n"));
    text
}

/// Whether the tables take the route, and it fits its method.
fn suits(backend: &str, method: &MethodEntry, candidate: &Candidate) -> bool {
    let text = format!("{backend}\n{}", text(method, candidate));
    let Ok(tables) = Tables::parse(vec![Source::new("t.toml", text)]) else { return false };
    tables.calls().all(|(_, spec)| fits(spec, method).is_ok())
}

/// A match without the names of its parameters: two of the same cannot be told apart.
fn form(matched: &str) -> String {
    let mut inside = false;
    matched
        .chars()
        .filter(|c| {
            let was = inside;
            inside = (inside || *c == '{') && *c != '}';
            !was
        })
        .collect()
}

/// What might do, the best first.
fn candidates(method: &MethodEntry) -> Vec<Candidate> {
    let schema = &method.schema.method;
    let fields = schema.request_struct().map(|request| request.fields.as_slice()).unwrap_or_default();
    let service = service_of(method);
    let (base, name) = (format!("/{}", service.replace('.', "/")), own_name(method));
    let lines = lines(method);
    if method.streams.caller {
        let lines = [lines, vec!["body = { stream = true }".to_owned()]].concat();
        return vec![Candidate { matched: format!("POST {base}/{name}"), lines }];
    }
    let id = fields.first().filter(|field| is_key(schema, field));
    let rest = if id.is_some() { fields.get(1..).unwrap_or_default() } else { fields };
    let in_query = |fields: &[Field]| fields.iter().all(|field| fits_query(schema, &field.ty, true));
    let safe = method.idempotent;
    let is = |names: &[&str]| names.contains(&name);
    let one = id.map(|field| format!("{base}/{{{}}}", field.name));
    let mut matches = Vec::new();
    let mut add = |when: bool, verb: &str, path: Option<String>| {
        matches.extend(path.filter(|_| when).map(|path| format!("{verb} {path}")));
    };
    add(is(READ) && safe && in_query(rest), "GET", one.clone());
    add(is(LIST) && safe && in_query(fields), "GET", Some(base.clone()));
    add(is(CHANGE), "PATCH", one.clone());
    add(is(REPLACE) && safe, "PUT", one.clone());
    add(is(DELETE) && in_query(rest), "DELETE", one.clone());
    let creates = is(CREATE) && !safe;
    add(creates, "POST", Some(base.clone()));
    add(safe && in_query(rest), "GET", one.as_ref().map(|one| format!("{one}/{name}")));
    add(true, "POST", one.map(|one| format!("{one}/{name}")));
    add(safe && in_query(fields), "GET", Some(format!("{base}/{name}")));
    add(true, "POST", Some(format!("{base}/{name}")));
    let created = creates && !method.streams.service && schema.response != Type::Unit;
    let candidate = |(at, matched): (usize, String)| {
        let lines = if created && at == 0 { with_status(&lines) } else { lines.clone() };
        Candidate { matched, lines }
    };
    matches.into_iter().enumerate().map(candidate).collect()
}

/// The method's name without its service.
fn own_name(method: &MethodEntry) -> &str {
    method.name.rsplit_once('.').map_or(&*method.name, |(_, name)| name)
}

/// What a route says beside its match and its call: a result that is no object becomes a member of one, so that others can join it.
fn lines(method: &MethodEntry) -> Vec<String> {
    let schema = &method.schema.method;
    let is_struct = |index: &u32| matches!(schema.definition(*index), Some(Definition::Struct(_)));
    let is_object = match schema.response.understood() {
        Type::Unit | Type::Map(..) | Type::Json => true,
        Type::Ref(index) => is_struct(index),
        Type::Option(inner) => matches!(inner.understood(), Type::Ref(index) if is_struct(index)),
        _ => false,
    };
    let wraps = !is_object && !method.streams.service;
    if wraps { vec!["response = { wrap = \"result\" }".to_owned()] } else { Vec::new() }
}

fn with_status(lines: &[String]) -> Vec<String> {
    match lines {
        [wrap, ..] => vec![wrap.replace(" }", ", status = 201 }")],
        [] => vec!["response = { status = 201 }".to_owned()],
    }
}

/// Whether a field says which one is meant.
fn is_key(schema: &MethodSchema, field: &Field) -> bool {
    let is_one = KEYS.contains(&&*field.name) || field.name.ends_with("_id") || field.name.ends_with("Id");
    is_one && !signature::is_optional(field) && fits_query(schema, &field.ty, false)
}

/// Whether one text can be the value of a type, or several can be its items.
fn fits_query(schema: &MethodSchema, ty: &Type, list: bool) -> bool {
    match ty.physical() {
        Type::Option(inner) | Type::Presence(inner) => list && fits_query(schema, inner, list),
        Type::List(inner) => list && fits_query(schema, inner, false),
        Type::Ref(index) => match schema.definition(*index) {
            Some(Definition::Enum(def)) => {
                def.attributes.tag().is_none() && def.variants.iter().all(|one| one.shape == Shape::Unit)
            }
            _ => false,
        },
        // Long values are no part of a URL.
        Type::Bytes | Type::Json | Type::Unit => false,
        Type::Array(..) | Type::Tuple(_) | Type::Map(..) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::callgate::Schema;
    use callgate_protocol::schema::{Fingerprint, StructDef};
    use callgate_protocol::{CallId, Streaming};
    use std::sync::Arc;

    fn method(name: &str, idempotent: bool, fields: Vec<Field>, response: Type) -> MethodEntry {
        let definitions = vec![
            Definition::Struct(StructDef::new("Request", fields)),
            Definition::Struct(StructDef::new("Order", vec![Field::new("id", Type::U32)])),
        ];
        let schema = MethodSchema::new(Type::Ref(0), response, definitions);
        MethodEntry {
            name: name.to_owned(),
            call_id: CallId::of("orders", "x"),
            fingerprint: Fingerprint::of(b"x"),
            schema: Arc::new(Schema::new(schema).unwrap()),
            idempotent,
            streams: Streaming::default(),
        }
    }

    fn first(name: &str, idempotent: bool, fields: &[(&str, Type)], response: Type) -> (String, Vec<String>) {
        let fields = fields.iter().map(|(name, ty)| Field::new(*name, ty.clone())).collect();
        let mut all = candidates(&method(name, idempotent, fields, response));
        let last = all.last().map(|candidate| candidate.matched.clone());
        let (service, own) = name.rsplit_once('.').unwrap();
        assert_eq!(last, Some(format!("POST /{service}/{own}")), "it fits always");
        let first = all.swap_remove(0);
        (first.matched, first.lines)
    }

    #[test]
    fn names_and_marks_say_what_a_route_is() {
        let (id, order) = (("order_id", Type::U32), Type::Ref(1));
        let list = ("items", Type::List(Box::new(Type::Ref(1))));
        for (name, idempotent, fields, expected) in [
            ("orders.get", true, vec![id.clone()], "GET /orders/{order_id}"),
            ("orders.get", false, vec![id.clone()], "POST /orders/{order_id}/get"),
            ("orders.list", true, vec![("after", Type::U32)], "GET /orders"),
            ("orders.create", false, vec![list.clone()], "POST /orders"),
            ("orders.change", false, vec![id.clone(), list.clone()], "PATCH /orders/{order_id}"),
            ("orders.put", true, vec![id.clone(), list.clone()], "PUT /orders/{order_id}"),
            ("orders.remove", true, vec![id.clone()], "DELETE /orders/{order_id}"),
            ("orders.quote", true, vec![id.clone(), list.clone()], "POST /orders/{order_id}/quote"),
            ("orders.lines", true, vec![id.clone()], "GET /orders/{order_id}/lines"),
            ("calc.add", true, vec![("a", Type::I64), ("b", Type::I64)], "GET /calc/add"),
            ("calc.sum", true, vec![list], "POST /calc/sum"),
        ] {
            assert_eq!(first(name, idempotent, &fields, order.clone()).0, expected, "{name}");
        }
    }

    #[test]
    fn a_result_that_is_no_object_becomes_a_member_of_one() {
        assert_eq!(first("calc.add", true, &[], Type::I64).1, ["response = { wrap = \"result\" }"]);
        assert_eq!(
            first("calc.create", false, &[], Type::I64).1,
            ["response = { wrap = \"result\", status = 201 }"]
        );
        assert_eq!(first("orders.create", false, &[], Type::Ref(1)).1, ["response = { status = 201 }"]);
        assert_eq!(first("orders.get", true, &[], Type::Ref(1)).1, [""; 0]);
    }

    #[test]
    fn what_cannot_be_told_apart_has_one_form() {
        assert_eq!(form("GET /a/{id}/b"), form("GET /a/{name}/b"));
        assert_ne!(form("GET /a/{id}"), form("GET /a/b"));
    }

    #[test]
    fn what_an_instance_says_stays_on_one_line() {
        assert_eq!(comment("a\nb\u{1b}[31m "), "a b [31m");
    }
}
