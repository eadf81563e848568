//! What a JSON Schema says of a TOML file, and whether the reader says the same: all files that the tests here read are judged.
//!
//! Only what our schemas are made of is understood. `make clients` has other validators judge the same files and the same random ones.

use super::super::schema;
use super::*;
use regex::Regex;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

static OF_TABLES: LazyLock<Value> = LazyLock::new(schema::of_tables);
static OF_SETTINGS: LazyLock<Value> = LazyLock::new(schema::of_settings);

/// Reads tables, and asserts that the schema says of each file what the reader does.
#[track_caller]
pub(super) fn read_tables(sources: Vec<Source>) -> Result<Tables, Diagnostics> {
    let texts: Vec<(String, String)> = sources
        .iter()
        .map(|source| (source.path().display().to_string(), source.text().to_owned()))
        .collect();
    let read = Tables::parse(sources);
    for (path, text) in texts {
        agree(&OF_TABLES, &text, &complaints(read.as_ref().err(), Some(&path)));
    }
    read
}

/// Reads the gateway's file, likewise. What the environment says is not looked at.
#[track_caller]
pub(super) fn read_settings(source: Source, filter: Option<&str>) -> Result<Settings, Diagnostics> {
    let text = source.text().to_owned();
    let read = Settings::parse(source, filter);
    if filter.is_none() {
        agree(&OF_SETTINGS, &text, &complaints(read.as_ref().err(), None));
    }
    read
}

/// What is said of a file: each complaint, and whether it is one of its shape.
fn complaints(found: Option<&Diagnostics>, path: Option<&str>) -> Vec<(String, bool)> {
    let all = found.map_or(Value::Null, Diagnostics::as_json);
    let all = all["errors"].as_array().or(all.as_array()).cloned().unwrap_or_default();
    let of_file = |one: &&Value| {
        let file = one["places"][0]["file"].as_str();
        // What has no place may be of any file.
        path.is_none() || file.is_none() || file == path
    };
    all.iter().filter(of_file).map(|one| (one["title"].to_string(), is_of_shape(one))).collect()
}

/// Whether a complaint is of a key, a type, a word or what is missing.
fn is_of_shape(complaint: &Value) -> bool {
    let title = complaint["title"].as_str().unwrap_or_default();
    let label = complaint["places"][0]["label"].as_str().unwrap_or_default();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_of_numbers = || {
        let bounds = label.strip_prefix("expected ").and_then(|bounds| bounds.split_once(" to "));
        bounds.is_some_and(|(low, high)| is_number(low) && is_number(high))
    };
    title.starts_with("unknown key `")
        || title.contains("` must be ")
            && label.starts_with("this is ")
            && !title.starts_with("`json` must be made")
        || title.contains("` cannot be `") && label.starts_with("expected `")
        || title.ends_with("` is out of bounds") && is_of_numbers()
        || title.ends_with("` needs a unit")
        || title.contains("a route needs `")
        || title.contains("` needs `")
        || title.starts_with("a limit needs `")
        || title.starts_with("a certificate without `")
        || title.ends_with(" has no `endpoints`")
        || title.ends_with(" has no `address`")
        || title == "a listener without an address"
        || title == "`tls` without `ca`"
        || title.ends_with("` is empty")
}

#[track_caller]
fn agree(schema: &Value, text: &str, complaints: &[(String, bool)]) {
    let Ok(file) = toml::from_str::<toml::Value>(text.trim_start_matches('\u{feff}')) else { return };
    let fits = fits(schema, schema, &file);
    if complaints.is_empty() {
        assert!(fits.is_ok(), "the schema refuses what is read: {}\n{text}", fits.unwrap_err());
    }
    let of_shape = complaints.iter().find(|(_, of_shape)| *of_shape);
    if let Some((title, _)) = of_shape {
        assert!(fits.is_err(), "the schema takes what the reader refuses ({title}):\n{text}");
    }
}

/// Whether a value is as a schema says; if not, what is wrong.
pub(super) fn fits(root: &Value, schema: &Value, value: &toml::Value) -> Result<(), String> {
    let words = match schema {
        Value::Bool(true) => return Ok(()),
        Value::Object(words) => words,
        _ => return Err(format!("{value} is not allowed")),
    };
    words.iter().try_for_each(|(word, with)| one(root, words, word, with, value))
}

fn one(
    root: &Value,
    words: &serde_json::Map<String, Value>,
    word: &str,
    with: &Value,
    value: &toml::Value,
) -> Result<(), String> {
    // A choice would be shown with all that can be chosen.
    let wrong = || match word {
        "anyOf" | "oneOf" => Err(format!("{value} is nothing of {word}")),
        _ => Err(format!("{word} {with}: {value}")),
    };
    let needs = |holds: bool| if holds { Ok(()) } else { wrong() };
    let all = with.as_array().map(Vec::as_slice).unwrap_or_default();
    let table = value.as_table();
    let count = |length: Option<usize>, holds: fn(u64, u64) -> bool| {
        needs(length.zip(with.as_u64()).is_none_or(|(length, bound)| holds(length as u64, bound)))
    };
    match word {
        "$schema" | "title" | "description" | "definitions" => Ok(()),
        "$ref" => fits(root, root.pointer(&with.as_str().unwrap()[1..]).unwrap(), value),
        "type" => needs(is_type(value, with.as_str().unwrap())),
        "const" => needs(as_json(value) == *with),
        "enum" => needs(all.contains(&as_json(value))),
        "minimum" => needs(value.as_integer().is_none_or(|number| i128::from(number) >= integer(with))),
        "maximum" => needs(value.as_integer().is_none_or(|number| i128::from(number) <= integer(with))),
        "pattern" => needs(value.as_str().is_none_or(|text| is_like(with.as_str().unwrap(), text))),
        "minItems" => count(value.as_array().map(Vec::len), |length, bound| length >= bound),
        "maxItems" => count(value.as_array().map(Vec::len), |length, bound| length <= bound),
        "minProperties" => count(table.map(toml::Table::len), |length, bound| length >= bound),
        "items" => value.as_array().into_iter().flatten().try_for_each(|item| fits(root, with, item)),
        "allOf" => all.iter().try_for_each(|schema| fits(root, schema, value)),
        "anyOf" | "oneOf" => {
            let fitting = all.iter().filter(|schema| fits(root, schema, value).is_ok()).count();
            needs(if word == "anyOf" { fitting > 0 } else { fitting == 1 })
        }
        "required" => needs(all.iter().all(|key| has(table, key))),
        "dependencies" => {
            let mut there = with.as_object().unwrap().iter().filter(|(key, _)| has(table, &json!(key)));
            needs(there.all(|(_, others)| others.as_array().unwrap().iter().all(|key| has(table, key))))
        }
        "properties" => table.into_iter().flatten().try_for_each(|(key, value)| {
            with.get(key)
                .map_or(Ok(()), |schema| fits(root, schema, value).map_err(|why| format!("{key}: {why}")))
        }),
        "additionalProperties" => {
            let known = |key: &str| words.get("properties").is_some_and(|known| known.get(key).is_some());
            let mut others = table.into_iter().flatten().filter(|(key, _)| !known(key));
            others.try_for_each(|(key, value)| fits(root, with, value).map_err(|why| format!("{key}: {why}")))
        }
        _ => panic!("`{word}` is not understood here"),
    }
}

fn is_like(pattern: &str, text: &str) -> bool {
    static COMPILED: Mutex<BTreeMap<String, Regex>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().unwrap();
    let regex = compiled.entry(pattern.to_owned()).or_insert_with(|| Regex::new(pattern).unwrap());
    regex.is_match(text)
}

fn has(table: Option<&toml::Table>, key: &Value) -> bool {
    table.is_none_or(|table| table.contains_key(key.as_str().unwrap()))
}

fn is_type(value: &toml::Value, name: &str) -> bool {
    matches!(
        (name, value),
        ("boolean", toml::Value::Boolean(_))
            | ("integer", toml::Value::Integer(_))
            | ("number", toml::Value::Integer(_) | toml::Value::Float(_))
            | ("string", toml::Value::String(_))
            | ("array", toml::Value::Array(_))
            | ("object", toml::Value::Table(_))
    )
}

fn integer(value: &Value) -> i128 {
    value.as_u64().map(i128::from).or(value.as_i64().map(i128::from)).unwrap()
}

/// A value that words and numbers can be compared with.
fn as_json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => json!(text),
        toml::Value::Boolean(value) => json!(value),
        toml::Value::Integer(number) => json!(number),
        _ => Value::Null,
    }
}
