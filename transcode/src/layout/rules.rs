//! What a field's attributes ask of its value: constraints, and that it stays secret.
//!
//! Rules are asked of the value as it was encoded, so they are the same wherever it is from: body, path or query.

use super::Node;
use super::patterns::Patterns;
use crate::scalar::{Scalar, Style, TextForm, compare};
use crate::violation::BindError;
use callgate_protocol::schema::{self, Logical, Span, Type};
use callgate_protocol::wire::Reader;
use regex::Regex;
use std::cmp::Ordering;

/// The rules of one field.
#[derive(Debug)]
pub(crate) struct Rules {
    /// Violations do not repeat the value.
    pub(crate) secret: bool,
    /// What the value is, where it is one token.
    scalar: Option<Scalar>,
    minimum: Option<Bound>,
    maximum: Option<Bound>,
    length: Option<Span>,
    items: Option<Span>,
    pattern: Option<Pattern>,
}

#[derive(Debug)]
struct Bound {
    /// As it is encoded.
    value: Box<[u8]>,
    /// As it is told.
    shown: Box<str>,
}

#[derive(Debug)]
struct Pattern {
    text: Box<str>,
    /// Its place among the layout's patterns.
    place: usize,
}

/// What a value is, as far as rules speak of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// One token.
    Scalar(Scalar),
    /// A list, set or map.
    Entries,
    Other,
}

impl Content {
    /// That of a node.
    pub(super) fn of_node(node: &Node) -> Content {
        match node {
            Node::Scalar(scalar) => Content::Scalar(*scalar),
            Node::List(_) | Node::Set(_) | Node::Map(..) => Content::Entries,
            _ => Content::Other,
        }
    }

    /// That of a type, without option and presence around it.
    pub(crate) fn of_type(ty: &Type) -> Content {
        match ty.content() {
            Type::Logical(Logical::SET, _) | Type::List(_) | Type::Map(..) => Content::Entries,
            Type::Logical(logical, _) => {
                Content::Scalar(TextForm::of(*logical).map_or(Scalar::String, Scalar::Text))
            }
            Type::Unit | Type::Json | Type::Array(..) | Type::Tuple(_) | Type::Ref(_) => Content::Other,
            scalar => Content::Scalar(Scalar::of(scalar)),
        }
    }
}

impl Rules {
    /// Those of a field whose value is `content`, beside what says that it may be missing. `None` if its attributes ask nothing.
    pub(crate) fn of(
        field: &schema::Field,
        content: Content,
        patterns: &mut Patterns,
    ) -> Result<Option<Rules>, BindError> {
        let attributes = &field.attributes;
        if attributes.is_empty() {
            return Ok(None);
        }
        let wrong = |which: &str, why: &str| BindError(format!("the {which} of `{}`: {why}", field.name));
        let scalar = match content {
            Content::Scalar(scalar) => Some(scalar),
            _ => None,
        };
        let bound = |which, value: Option<&[u8]>| {
            let bound = value.map(|value| {
                let bound = scalar.and_then(|scalar| Bound::new(scalar, value));
                bound.ok_or_else(|| wrong(which, "it is no value of a type that has an order"))
            });
            bound.transpose()
        };
        let rules = Rules {
            secret: attributes.is_secret(),
            scalar,
            minimum: bound("minimum", attributes.minimum())?,
            maximum: bound("maximum", attributes.maximum())?,
            length: attributes.length(),
            items: attributes.items(),
            pattern: match attributes.pattern() {
                Some(text) => {
                    let place = patterns.add(text).map_err(|error| wrong("pattern", &error))?;
                    Some(Pattern { text: text.into(), place })
                }
                None => None,
            },
        };
        let is_text = matches!(scalar, Some(Scalar::String | Scalar::Text(_)));
        if rules.pattern.is_some() && !is_text {
            return Err(wrong("pattern", "its type has no characters"));
        }
        if rules.length.is_some() && !is_text && scalar != Some(Scalar::Bytes) {
            return Err(wrong("length", "its type has none"));
        }
        if rules.items.is_some() && content != Content::Entries {
            return Err(wrong("items", "its type has none"));
        }
        Ok(rules.ask_something().then_some(rules))
    }

    fn ask_something(&self) -> bool {
        self.secret || self.can_be_broken()
    }

    /// Whether a value can break them. That the field is secret breaks nothing.
    pub(crate) fn can_be_broken(&self) -> bool {
        let bounds = self.minimum.is_some() || self.maximum.is_some();
        bounds || self.length.is_some() || self.items.is_some() || self.pattern.is_some()
    }

    /// What an encoded value breaks, in words. `patterns` are those of the layout.
    pub(crate) fn broken(&self, patterns: &[Regex], value: &[u8]) -> Vec<String> {
        let mut broken = Vec::new();
        if let Some(scalar) = self.scalar {
            self.compare(scalar, value, &mut broken);
        }
        if self.length.is_some() || self.pattern.is_some() {
            self.look_at_text(patterns, value, &mut broken);
        }
        if let Some(span) = self.items {
            let count = Reader::new(value).length().unwrap_or_default();
            broken.extend(outside(span, count, |count| match count {
                1 => "have 1 item".to_owned(),
                n => format!("have {n} items"),
            }));
        }
        broken
    }

    fn compare(&self, scalar: Scalar, value: &[u8], broken: &mut Vec<String>) {
        let order = |bound: &Bound| compare(scalar, value, &bound.value);
        if let Some(minimum) = &self.minimum
            && !matches!(order(minimum), Some(Ordering::Greater | Ordering::Equal))
        {
            broken.push(format!("must be at least {}", minimum.shown));
        }
        if let Some(maximum) = &self.maximum
            && !matches!(order(maximum), Some(Ordering::Less | Ordering::Equal))
        {
            broken.push(format!("must be at most {}", maximum.shown));
        }
    }

    fn look_at_text(&self, patterns: &[Regex], value: &[u8], broken: &mut Vec<String>) {
        let bytes = Reader::new(value).bytes().unwrap_or_default();
        if let Some(span) = self.length {
            let (length, unit) = match self.scalar {
                Some(Scalar::Bytes) => (bytes.len(), "byte"),
                // Each character has one byte that does not continue another.
                _ => (bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count(), "character"),
            };
            broken.extend(outside(span, length as u64, |count| match count {
                1 => format!("be 1 {unit} long"),
                n => format!("be {n} {unit}s long"),
            }));
            // A text that is too long is not searched, so that a length bounds the work.
            if span.max.is_some_and(|most| length as u64 > most) {
                return;
            }
        }
        if let Some(Pattern { text, place }) = &self.pattern
            && let Some(regex) = patterns.get(*place)
            && !std::str::from_utf8(bytes).is_ok_and(|text| regex.is_match(text))
        {
            broken.push(format!("must match the pattern `{text}`"));
        }
    }
}

impl Bound {
    /// `None` if it is no value of the type, or one that nothing can be compared with.
    fn new(scalar: Scalar, value: &[u8]) -> Option<Bound> {
        compare(scalar, value, value)?;
        let (mut reader, mut text) = (Reader::new(value), Vec::new());
        scalar.print(&mut reader, &mut text, Style::default()).ok()?;
        let text = String::from_utf8(text).ok()?;
        let shown = text.trim_matches('"').into();
        (reader.remaining() == 0).then_some(Bound { value: value.into(), shown })
    }
}

/// How a count is outside of a span: `have 3 items` and such come from `what`.
fn outside(span: Span, count: u64, what: impl Fn(u64) -> String) -> Option<String> {
    let told = |how: &str, bound| {
        let what = what(bound);
        let (verb, rest) = what.split_once(' ').unwrap_or((&what, ""));
        format!("must {verb} {how} {rest}")
    };
    match span.max {
        Some(most) if most == span.min && count != most => {
            Some(format!("{}, has {count}", told("exactly", most)))
        }
        Some(most) if count > most => Some(format!("{}, has {count}", told("at most", most))),
        _ if count < span.min => Some(told("at least", span.min)),
        _ => None,
    }
}
