//! What a schema asks of a field beyond its type. JSON Schema has words for most of it; the rest is told in sentences.

use crate::values::{Kind, Values};
use callgate_protocol::schema::{Field, Span, Type};
use serde_json::Value;

/// Adds what is asked of a field's value to the schema of that value, as it is read. What has no word there is `said`.
pub(crate) fn put(schema: &mut Value, field: &Field, values: &Values, said: &mut Vec<String>) {
    let content = field.ty.content();
    for (kind, word, words) in [(Kind::Minimum, "minimum", "At least"), (Kind::Maximum, "maximum", "At most")]
    {
        let Some(value) = values.get(field, kind) else { continue };
        match number(schema).filter(|_| value.is_number()) {
            Some(number) => number[word] = value.clone(),
            None => said.push(format!("{words} {}.", shown(value))),
        }
    }
    if let Some(span) = field.attributes.length() {
        match content.physical() {
            Type::String => put_span(schema, span, "minLength", "maxLength"),
            _ => said.push(format!("{} bytes.", of_span(span))),
        }
    }
    if let Some(span) = field.attributes.items() {
        match content.physical() {
            Type::Map(..) => put_span(schema, span, "minProperties", "maxProperties"),
            _ => put_span(schema, span, "minItems", "maxItems"),
        }
    }
    if let Some(pattern) = field.attributes.pattern() {
        // A logical type may have a pattern of its own.
        if is_portable(pattern) && schema.get("pattern").is_none() {
            schema["pattern"] = pattern.into();
        } else {
            said.push(format!("Matches the pattern `{pattern}`."));
        }
    }
}

/// Where a schema of a number has its bounds.
fn number(schema: &mut Value) -> Option<&mut Value> {
    // A float is a number or the name of one that JSON has not.
    if schema.get("anyOf").is_some() {
        return schema.pointer_mut("/anyOf/0");
    }
    let is_integer = schema["type"] == "integer" || schema["type"][0] == "integer";
    is_integer.then_some(schema)
}

fn put_span(schema: &mut Value, span: Span, min: &str, max: &str) {
    if span.min > 0 {
        schema[min] = span.min.into();
    }
    if let Some(most) = span.max {
        schema[max] = most.into();
    }
}

fn of_span(Span { min, max }: Span) -> String {
    match max {
        None => format!("At least {min}"),
        Some(max) if max == min => format!("Exactly {min}"),
        Some(max) => format!("{min} to {max}"),
    }
}

/// A value in a sentence.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        value => format!("`{value}`"),
    }
}

/// Whether a pattern means to JavaScript what it means to the gateway, as far as its signs tell. Where `\d` and its like mean other
/// characters than ASCII, a reader that is stricter is no harm.
fn is_portable(pattern: &str) -> bool {
    const OTHERS: [&str; 13] =
        ["(?", "\\A", "\\z", "\\x", "\\u", "\\U", "\\p", "\\P", "\\Q", "\\a", "\\<", "\\>", "[["];
    let without_groups = pattern.replace("(?:", "(");
    !OTHERS.iter().any(|sign| without_groups.contains(sign))
        && !["&&", "--", "~~", "++", "*+", "?+"].iter().any(|sign| without_groups.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_one_meaning_alone_are_portable() {
        for (pattern, portable) in [
            ("^SKU-[0-9]+$", true),
            ("(?:a|b)c?", true),
            ("(?i)abc", false),
            ("\\p{L}+", false),
            ("[[:alpha:]]", false),
            ("[a-z&&[^b]]", false),
            ("\\Aabc\\z", false),
        ] {
            assert_eq!(is_portable(pattern), portable, "{pattern}");
        }
    }
}
