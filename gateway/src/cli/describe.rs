//! `callgate describe`: all that an instance says of a method, and a request to begin with.

use super::instance::{Instance, Ways, method};
use super::list::{method_json, service_of};
use super::{Failure, completions, json, listing, signature};
use crate::config::CallRef;
use crate::transport::callgate::{MethodEntry, Offer};
use callgate_protocol::schema::{Attributes, Definition, Field, MethodSchema, Shape, Span, Type, Variant};
use callgate_transcode::{example, shown};
use clap::Args;
use clap_complete::ArgValueCompleter;
use serde_json::{Value, json, value::RawValue};
use std::fmt::Write;

pub(super) const EXAMPLES: &str = "\
Examples:
  callgate describe 127.0.0.1:7101 orders.quote
  callgate describe 127.0.0.1:7101 orders.quote --json | jq -c .example";

/// What to describe.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Describe {
    /// Where the instance is: host:port, or unix:/path
    #[arg(add = ArgValueCompleter::new(completions::addresses))]
    pub addr: String,
    /// The method, such as orders.quote, or its number, such as 0x1234abcd
    #[arg(value_parser = str::parse::<CallRef>, add = ArgValueCompleter::new(completions::methods))]
    pub method: CallRef,
    /// How it is said
    #[command(flatten)]
    pub output: json::Output,
    /// How it is connected to
    #[command(flatten)]
    pub ways: Ways,
}

pub(super) fn run(describe: &Describe) -> Result<String, Failure> {
    let instance = Instance::new(&describe.addr, &describe.ways)?;
    let offer = instance.offer()?;
    let method = method(&offer, &describe.method, &instance.addr)?;
    Ok(if describe.output.json {
        json::text(&as_json(&offer, method))
    } else {
        text(&offer, method, &describe.addr)
    })
}

/// An example of a request, if there is one.
pub(super) fn request(method: &MethodEntry) -> Option<String> {
    let schema = &method.schema.method;
    example(schema, &schema.request)
}

fn text(offer: &Offer, method: &MethodEntry, addr: &str) -> String {
    let schema = &method.schema.method;
    let mut text = signature::of(method);
    // Writing to memory does not fail.
    for paragraph in [deprecated(&schema.attributes), schema.doc.trim().to_owned()] {
        if !paragraph.is_empty() {
            let _ = write!(text, "\n\n{paragraph}");
        }
    }
    let _ = write!(text, "\n\n{}", facts(offer, method));
    let mut rows = Vec::new();
    if let Some(request) = schema.request_struct().filter(|request| !request.fields.is_empty()) {
        rows.push(("Arguments".to_owned(), fields(schema, &request.fields)));
    }
    let is_request = |index: usize| schema.request == Type::Ref(u32::try_from(index).unwrap_or(u32::MAX));
    let others = schema.definitions.iter().enumerate().filter(|(index, _)| !is_request(*index));
    rows.extend(others.map(|(index, definition)| section(schema, index, definition)));
    for (title, rows) in rows.into_iter().filter(|(_, rows)| !rows.is_empty()) {
        let _ = write!(text, "\n\n{title}\n{}", listing::indented(&rows));
    }
    if let Some(request) = request(method) {
        let _ = write!(text, "\n\nExample\n  callgate call {addr} {} {}", method.name, in_shell(&request));
    }
    text
}

/// What is neither words of the author nor a type.
fn facts(offer: &Offer, method: &MethodEntry) -> String {
    let service = service_of(method);
    let version = offer.services.iter().find(|(name, _)| name == service);
    let version = version.map(|(name, version)| format!("{name} {version}")).unwrap_or_default();
    let idempotent = if method.idempotent { "yes: it may be sent again" } else { "no" };
    let rows = [
        ["service".to_owned(), version.trim_end().to_owned()],
        ["Call ID".to_owned(), method.call_id.to_string()],
        ["schema".to_owned(), method.fingerprint.to_string()],
        ["idempotent".to_owned(), idempotent.to_owned()],
        ["streams".to_owned(), method.streams().unwrap_or("nothing").to_owned()],
    ];
    listing::indented(&rows)
}

/// A type of the method's own: its name, and a row for each of its fields or variants.
fn section(schema: &MethodSchema, index: usize, definition: &Definition) -> (String, Vec<[String; 3]>) {
    let is_error = schema.error == Some(Type::Ref(u32::try_from(index).unwrap_or(u32::MAX)));
    match definition {
        Definition::Struct(def) => (titled(&def.name, &def.doc), fields(schema, &def.fields)),
        Definition::Enum(def) => {
            let title = if is_error { format!("Errors ({})", def.name) } else { def.name.clone() };
            let variants = def.variants.iter();
            (titled(&title, &def.doc), variants.map(|one| variant(schema, one, is_error)).collect())
        }
    }
}

fn titled(name: &str, doc: &str) -> String {
    let doc = super::list::first_line(doc);
    if doc.is_empty() { name.to_owned() } else { format!("{name}: {doc}") }
}

fn fields(schema: &MethodSchema, fields: &[Field]) -> Vec<[String; 3]> {
    let row = |field: &Field| {
        let mark = if signature::is_optional(field) { "?" } else { "" };
        let said = [field.doc.trim().replace('\n', " "), asked(schema, field).join(", ")];
        let said: Vec<String> = said.into_iter().filter(|text| !text.is_empty()).collect();
        [format!("{}{mark}", field.name), signature::words(schema, &field.ty), said.join("  ")]
    };
    fields.iter().map(row).collect()
}

fn variant(schema: &MethodSchema, variant: &Variant, is_error: bool) -> [String; 3] {
    let words = |ty: &Type| signature::words(schema, ty);
    let content = match &variant.shape {
        Shape::Unit => String::new(),
        Shape::Newtype(ty) => words(ty),
        Shape::Tuple(types) => format!("({})", types.iter().map(words).collect::<Vec<_>>().join(", ")),
        Shape::Struct(fields) => {
            let all = fields.iter().map(|field| format!("{}: {}", field.name, words(&field.ty)));
            format!("{{ {} }}", all.collect::<Vec<_>>().join(", "))
        }
    };
    let code = if is_error { format!("[{}]", variant.error_code().name()) } else { String::new() };
    let said = [code, deprecated(&variant.attributes), variant.doc.trim().replace('\n', " ")];
    let said: Vec<String> = said.into_iter().filter(|text| !text.is_empty()).collect();
    [variant.name.clone(), content, said.join("  ")]
}

fn deprecated(attributes: &Attributes) -> String {
    attributes.deprecated().map(|why| format!("Deprecated. {why}").trim_end().to_owned()).unwrap_or_default()
}

/// What is asked of a field beside its type, in the words in which it is said in the SDK.
fn asked(schema: &MethodSchema, field: &Field) -> Vec<String> {
    let attributes = &field.attributes;
    let value = |name: &str, ty: &Type, bytes: Option<&[u8]>| {
        bytes.and_then(|bytes| shown(schema, ty, bytes)).map(|json| format!("{name} {json}"))
    };
    let content = field.ty.content();
    let span = |name: &str, span: Option<Span>| {
        span.map(|Span { min, max }| match max {
            Some(max) => format!("{name} {min} to {max}"),
            None => format!("{name} at least {min}"),
        })
    };
    let secret = attributes.is_secret();
    let hide = |text: Option<String>| text.filter(|_| !secret);
    let all = [
        hide(value("default", &field.ty, field.default.as_deref())),
        value("least", content, attributes.minimum()),
        value("most", content, attributes.maximum()),
        span("length", attributes.length()),
        span("items", attributes.items()),
        attributes.pattern().map(|pattern| format!("pattern {pattern}")),
        attributes.unit().map(|unit| format!("unit {unit}")),
        secret.then(|| "secret".to_owned()),
        attributes.deprecated().map(|_| deprecated(attributes)),
    ];
    all.into_iter().flatten().collect()
}

fn as_json(offer: &Offer, method: &MethodEntry) -> Value {
    let schema = &method.schema.method;
    let mut value = method_json(method);
    let service = service_of(method);
    let version = offer.services.iter().find(|(name, _)| name == service).map(|(_, version)| version);
    let types: Vec<Value> =
        schema.definitions.iter().enumerate().map(|(index, one)| type_json(schema, index, one)).collect();
    let request = schema.request_struct().map(|request| fields_json(schema, &request.fields));
    let example = request_json(method);
    if let Value::Object(members) = &mut value {
        members.insert("version".to_owned(), json!(version));
        members.insert("arguments".to_owned(), json!(request));
        members.insert("result".to_owned(), json!(signature::words(schema, &schema.response)));
        members.insert("types".to_owned(), json!(types));
        members.insert("example".to_owned(), example);
    }
    value
}

/// The example as JSON within JSON. A number that JSON's readers here cannot hold exactly makes it a text.
fn request_json(method: &MethodEntry) -> Value {
    let Some(text) = request(method) else { return Value::Null };
    let raw: Option<&RawValue> = serde_json::from_str(&text).ok();
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or(Value::String(text))
}

fn type_json(schema: &MethodSchema, index: usize, definition: &Definition) -> Value {
    let is_error = schema.error == Some(Type::Ref(u32::try_from(index).unwrap_or(u32::MAX)));
    match definition {
        Definition::Struct(def) => {
            json!({ "name": def.name, "doc": def.doc, "fields": fields_json(schema, &def.fields) })
        }
        Definition::Enum(def) => {
            let variants = def.variants.iter().map(|one| {
                let [name, content, _] = variant(schema, one, is_error);
                let code = is_error.then(|| one.error_code().name());
                json!({ "name": name, "content": content, "doc": one.doc, "code": code })
            });
            json!({ "name": def.name, "doc": def.doc, "variants": variants.collect::<Vec<_>>() })
        }
    }
}

fn fields_json(schema: &MethodSchema, fields: &[Field]) -> Vec<Value> {
    let field = |field: &Field| {
        json!({
            "name": field.name,
            "type": signature::words(schema, &field.ty),
            "optional": signature::is_optional(field),
            "doc": field.doc,
            "asked": asked(schema, field),
        })
    };
    fields.iter().map(field).collect()
}

/// A text as a shell takes it in one piece.
pub(super) fn in_shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
