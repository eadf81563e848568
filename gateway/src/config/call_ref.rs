//! How a table names the method that a route calls: by name, or by a number pinned by hand.

use super::complaint::Complaint;
use super::reader::{Item, Reader};
use super::shape::Shape;
use callgate_protocol::CallId;
use callgate_protocol::limits::MAX_OFFER_NAME;
use callgate_protocol::name::{is_method_name, is_service_name};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use toml::de::DeValue;

const TOO_LONG: &str = "a name has at most 128 characters";

/// What `call` may be.
pub(super) const SHAPE: Shape = Shape::OneOf(&[Shape::Text, Shape::Integer(1..=u32::MAX as u64)]);

/// How a route names the method it calls.
#[derive(Clone, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum CallRef {
    /// By name; its Call ID is the name's hash.
    Name {
        /// The service.
        service: String,
        /// The service's method.
        method: String,
    },
    /// By number, for a method whose Call ID is pinned by hand.
    Number(CallId),
}

impl CallRef {
    /// The number on the wire.
    pub fn call_id(&self) -> CallId {
        match self {
            CallRef::Name { service, method } => CallId::of(service, method),
            CallRef::Number(id) => *id,
        }
    }

    fn parse(text: &str) -> Result<CallRef, Complaint> {
        let complaint = Complaint::new(
            format!("`{text}` names no method"),
            "expected `service.method`, or a number such as `0x1234abcd`",
        );
        if let Some(hex) = text.strip_prefix("0x") {
            let digits = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
            let number = if digits { u32::from_str_radix(hex, 16).ok() } else { None };
            return number.and_then(CallId::pinned).map(CallRef::Number).ok_or_else(|| {
                Complaint::new(format!("`{text}` is no Call ID"), "expected `0x1` to `0xffffffff`")
            });
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
            return Err(complaint.help(format!("a number stands without quotes: call = {text}")));
        }
        match text.rsplit_once('.') {
            Some((service, method)) if is_service_name(service) && is_method_name(method) => {
                Ok(CallRef::Name { service: service.to_owned(), method: method.to_owned() })
            }
            Some((service, method)) if is_like_a_name(text) => {
                let title = format!("no backend can offer `{text}`");
                Err(match misplaced(text) {
                    Some((at, expected)) => Complaint::new(title, expected).within(at),
                    None if service.len() > MAX_OFFER_NAME => {
                        Complaint::new(title, TOO_LONG).within(0..service.len())
                    }
                    None => Complaint::new(title, TOO_LONG).within(text.len() - method.len()..text.len()),
                })
            }
            None if text.contains('/') => {
                Err(complaint.help(format!("write \"{}\"", text.trim_matches('/').replace('/', "."))))
            }
            _ => Err(match elsewhere(text) {
                Some(help) => complaint.help(help),
                None => complaint,
            }),
        }
    }
}

impl FromStr for CallRef {
    type Err = String;

    /// Reads a name or a number that stands in no file; the error is for people.
    fn from_str(text: &str) -> Result<CallRef, String> {
        CallRef::parse(text).map_err(|complaint| complaint.on_one_line())
    }
}

/// Whether it is words with full stops between them, if perhaps not such as names are made of.
fn is_like_a_name(text: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    text.split('.').all(is_word)
}

/// The first character that no name has there, and what it can be.
fn misplaced(text: &str) -> Option<(Range<usize>, &'static str)> {
    let mut before = '.';
    for (at, c) in text.char_indices() {
        let begins = std::mem::replace(&mut before, c) == '.';
        if begins && !c.is_ascii_alphabetic() && c != '_' {
            return Some((at..at + c.len_utf8(), "a word of a name begins with an ASCII letter or `_`"));
        }
        if !c.is_ascii_alphanumeric() && !"_-.".contains(c) {
            return Some((at..at + c.len_utf8(), "names have ASCII letters, digits, `_` and `-` only"));
        }
    }
    None
}

/// How a method is written that stands as elsewhere: `orders::get`, `orders#get`, `orders.get()`, `POST orders.get`.
fn elsewhere(text: &str) -> Option<String> {
    let (method, rest) = text.split_once(' ').unwrap_or(("", text));
    let name =
        if method.parse::<crate::method::Method>().is_ok() { rest } else { text }.trim_end_matches("()");
    let name = name.replace("::", ".").replace("->", ".").replace(['#', ':', '/'], ".");
    let name = name.trim_matches('.');
    let word = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    let fits = name.contains('.') && !name.contains("..") && name.chars().all(word) && name != text;
    fits.then(|| format!("write \"{name}\""))
}

impl fmt::Display for CallRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallRef::Name { service, method } => write!(f, "{service}.{method}"),
            CallRef::Number(id) => write!(f, "{id}"),
        }
    }
}

/// Reads a name or a number.
pub(super) fn read(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<CallRef> {
    if let DeValue::Integer(_) = item.value.get_ref() {
        let number = reader.integer(item)?;
        return u32::try_from(number).ok().and_then(CallId::pinned).map(CallRef::Number);
    }
    reader.text(item, "a method's name or its number", CallRef::parse)
}
