//! What the body of a request is: JSON, forms, bytes, or a stream.

use super::living::Version;
use super::streams;
use crate::config::{BodyTypes, CallSpec, Matcher, StreamForm};
use crate::method::Method as HttpMethod;
use callgate_json_schema::{Components, Leaf, Method, Mode, Object};
use callgate_transcode::{Body, FieldSource};
use serde_json::{Map, Value, json};

/// The body of a call of one version of its method, without the fields that are taken.
pub(super) fn of(
    components: &mut Components,
    spec: &CallSpec,
    version: &Version<'_>,
    taken: &[&str],
) -> Option<Value> {
    if spec.websocket.is_some() {
        return None;
    }
    let method = version.method;
    let mode = Mode::In(spec.request.unknown_fields);
    let items = |components: &mut Components| match &method.schema.request_items {
        Some(ty) => method.ty(components, ty, mode),
        None => json!({}),
    };
    let (required, content) = match (&spec.body, &spec.request.body) {
        (BodyTypes::Items, _) => {
            let item = items(components);
            let forms = [StreamForm::Ndjson, StreamForm::Json];
            (false, streams::content(&forms, &item))
        }
        (BodyTypes::FormItems(file), _) => {
            let mut form = form(components, method, spec, taken);
            form.properties.insert(file.clone(), json!({ "type": "string", "format": "binary" }));
            form.required.push(file.clone());
            (true, forms(&spec.body, &form.schema(mode)))
        }
        (types, Body::RawItems | Body::Raw(_)) => (false, streams::bytes(&types.names())),
        (_, Body::None) => return None,
        (_, Body::Field(name)) => {
            let found = method.find(name)?;
            let schema = method.field(components, found, mode);
            (found.required, json_content(schema))
        }
        (types, Body::Whole) => {
            let object = method.request(components, taken, mode);
            if object.is_empty() {
                return None;
            }
            let mut content = Map::new();
            let required = !object.required.is_empty();
            if types.takes_json() {
                let schema = match taken {
                    [] => method.ty(components, &method.schema.request, mode),
                    _ => object.schema(mode),
                };
                content.extend(json_content(schema));
            }
            if types.takes_forms() {
                let form = form(components, method, spec, taken).schema(mode);
                content.extend(forms(types, &form));
            }
            (required, content)
        }
    };
    let mut body = json!({ "content": content });
    if required {
        body["required"] = true.into();
    }
    Some(body)
}

fn json_content(schema: Value) -> Map<String, Value> {
    Map::from_iter([("application/json".to_owned(), json!({ "schema": schema }))])
}

/// The fields of a form: those that texts fill by their names, and those that are bound.
fn form(components: &mut Components, method: &Method<'_>, spec: &CallSpec, taken: &[&str]) -> Object {
    let (leaves, _) = method.leaves(components, taken);
    let mut object = Object::default();
    let of_form = spec.request.bound.iter().filter_map(|bound| match &bound.source {
        FieldSource::Form(name) => Some((name, bound)),
        _ => None,
    });
    let bound: Vec<Leaf> = of_form
        .filter_map(|(name, bound)| {
            let found = method.find(&bound.field)?;
            let leaf = method.leaf(components, found, &bound.field)?;
            Some(Leaf { name: name.clone(), required: leaf.required && bound.default.is_none(), ..leaf })
        })
        .collect();
    for Leaf { name, mut schema, description, required, .. } in leaves.into_iter().chain(bound) {
        if let Some(text) = description {
            schema["description"] = text.into();
        }
        if required {
            object.required.push(name.clone());
        }
        object.properties.insert(name, schema);
    }
    object
}

/// The content of forms of the kinds that a route reads. Bytes are base64 in one kind, and a file's in the other.
fn forms(types: &BodyTypes, schema: &Value) -> Map<String, Value> {
    let names = types.names();
    let kinds = names.iter().filter(|name| !name.ends_with("json"));
    let one = |kind: &String| {
        let mut schema = schema.clone();
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        for (_, one) in properties.into_iter().flatten().filter(|_| kind.starts_with("multipart")) {
            if one.get("contentEncoding").is_some() {
                *one = json!({ "type": "string", "format": "binary" });
            }
        }
        (kind.clone(), json!({ "schema": schema }))
    };
    kinds.map(one).collect()
}

/// The body of a call of which no instance is known.
pub(super) fn open(matcher: &Matcher, spec: &CallSpec) -> Option<Value> {
    let none = spec.request.body == Body::None && spec.body != BodyTypes::Items;
    if none || spec.websocket.is_some() || matches!(matcher.method, HttpMethod::Get | HttpMethod::Delete) {
        return None;
    }
    let names = spec.body.names();
    let content: Map<String, Value> = names.into_iter().map(|name| (name, json!({ "schema": {} }))).collect();
    Some(json!({ "content": content }))
}
