//! One operation out of those of several versions: what each of them says alike is said once, and where schemas differ all of them are
//! there.

use super::streams::{ITEM, REQUEST_ITEM};
use serde_json::{Map, Value, json};

/// The parts of an operation that depend on a method's schema, with the version that they are of.
pub(super) struct Part {
    pub(super) version: String,
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<Value>,
    pub(super) responses: Map<String, Value>,
}

/// Puts them together. The first is the latest.
pub(super) fn merged(mut parts: Vec<Part>) -> Part {
    if parts.len() == 1 {
        return parts.remove(0);
    }
    let version = parts.iter().map(|part| part.version.as_str()).collect::<Vec<_>>().join(", ");
    let parameters = parameters(&parts);
    let body = body(&parts);
    let mut responses = Map::new();
    for status in parts.iter().flat_map(|part| part.responses.keys()) {
        let all = parts.iter().filter_map(|part| Some((&*part.version, part.responses.get(status)?)));
        responses.entry(status.clone()).or_insert_with(|| response(all.collect()));
    }
    Part { version, parameters, body, responses }
}

fn parameters(parts: &[Part]) -> Vec<Value> {
    let mut merged: Vec<Value> = Vec::new();
    let key = |one: &Value| (one["in"].clone(), one["name"].clone());
    for one in parts.iter().flat_map(|part| &part.parameters) {
        if merged.iter().any(|known| key(known) == key(one)) {
            continue;
        }
        let alike = |part: &'_ Part| part.parameters.iter().find(|other| key(other) == key(one)).cloned();
        let all: Vec<(&str, Value)> =
            parts.iter().filter_map(|part| Some((&*part.version, alike(part)?))).collect();
        let required = all.len() == parts.len() && all.iter().all(|(_, one)| one["required"] == true);
        let mut one = one.clone();
        if one["in"] != "path" {
            one["required"] = required.into();
        }
        let of = all.iter().map(|(version, one)| (*version, one)).collect::<Vec<_>>();
        if one.get("content").is_some() {
            one["content"] = content(&of);
        }
        put_schemas(&mut one, &of);
        if all.len() < parts.len() {
            let only = format!("Only of instances of {}.", named(all.iter().map(|(version, _)| *version)));
            one["description"] = sentences([one["description"].as_str().unwrap_or_default(), &only]);
        }
        merged.push(one);
    }
    merged
}

fn body(parts: &[Part]) -> Option<Value> {
    let all: Vec<(&str, &Value)> =
        parts.iter().filter_map(|part| Some((&*part.version, part.body.as_ref()?))).collect();
    let (_, first) = all.first()?;
    let mut merged = (*first).clone();
    let required = all.len() == parts.len() && all.iter().all(|(_, body)| body["required"] == true);
    merged["required"] = required.into();
    merged["content"] = content(&all);
    Some(merged)
}

fn response(all: Vec<(&str, &Value)>) -> Value {
    let Some((_, first)) = all.first() else { return json!({}) };
    let mut merged = (*first).clone();
    if all.iter().any(|(_, one)| one.get("content").is_some()) {
        merged["content"] = content(&all);
    }
    put_schemas(&mut merged, &all);
    // Errors of one status may be others in another version.
    merged["description"] = sentences(all.iter().filter_map(|(_, one)| one["description"].as_str()));
    merged
}

/// The contents of bodies, by media type.
fn content(all: &[(&str, &Value)]) -> Value {
    let mut merged = Map::new();
    let of = |one: &'_ Value| one["content"].as_object().cloned().unwrap_or_default();
    for (media, mut one) in all.iter().flat_map(|(_, one)| of(one)) {
        if merged.contains_key(&media) {
            continue;
        }
        let alike = all.iter().filter_map(|(version, other)| Some((*version, other["content"].get(&media)?)));
        put_schemas(&mut one, &alike.collect::<Vec<_>>());
        merged.insert(media, one);
    }
    merged.into()
}

/// Puts in the place of each schema of `one` that of all.
fn put_schemas(one: &mut Value, all: &[(&str, &Value)]) {
    for name in ["schema", ITEM, REQUEST_ITEM] {
        let found: Vec<(&str, &Value)> =
            all.iter().filter_map(|(version, other)| Some((*version, other.get(name)?))).collect();
        if !found.is_empty() {
            one[name] = schemas(found);
        }
    }
}

/// Texts behind each other, each once.
fn sentences<'t>(texts: impl IntoIterator<Item = &'t str>) -> Value {
    let mut told: Vec<&str> = Vec::new();
    for text in texts.into_iter().filter(|text| !text.is_empty()) {
        if !told.contains(&text) {
            told.push(text);
        }
    }
    told.join("\n\n").into()
}

/// Versions in words.
fn named<'v>(versions: impl Iterator<Item = &'v str>) -> String {
    let versions: Vec<&str> = versions.filter(|version| !version.is_empty()).collect();
    match versions.as_slice() {
        [] => "no version".to_owned(),
        versions => format!("version {}", versions.join(", ")),
    }
}

/// One schema for all: the same, or any of them, each with its version.
fn schemas(all: Vec<(&str, &Value)>) -> Value {
    let mut different: Vec<(Vec<&str>, &Value)> = Vec::new();
    for (version, schema) in all {
        match different.iter_mut().find(|(_, known)| *known == schema) {
            Some((versions, _)) => versions.push(version),
            None => different.push((vec![version], schema)),
        }
    }
    if let [(_, schema)] = different.as_slice() {
        return (*schema).clone();
    }
    let one = |(versions, schema): (Vec<&str>, &Value)| {
        let mut schema = schema.clone();
        schema["title"] = named(versions.into_iter()).into();
        schema
    };
    // Not `oneOf`: a value may be one of several versions.
    json!({ "anyOf": different.into_iter().map(one).collect::<Vec<_>>() })
}
