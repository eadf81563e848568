//! `require`: what a caller needs to have beside an identity: scopes, and claims of certain values. A file and a route each may say it,
//! and a request has to fit both: an inner one only narrows.
//!
//! ```toml
//! require = { scopes = ["orders:write"], claims = { tenant = "acme", realm = { roles = ["admin", "owner"] } } }
//! ```

use super::complaint::Complaint;
use super::reader::{Item, Reader};
use super::shape::{Entry, Shape};
use callgate_auth::Identity;
use serde_json::Value;
use std::fmt;
use toml::de::{DeTable, DeValue};

const KEYS: &[Entry] = &[
    Entry::any(1, "scopes", Shape::texts(MOST), "all of these scopes"),
    Entry::any(1, "claims", Shape::Tree(&CLAIM_SHAPE), "all of these claims"),
];
const CLAIM_VALUE: Shape = Shape::OneOf(&[Shape::Text, Shape::Integer(0..=i64::MAX as u64), Shape::Boolean]);
const CLAIM_SHAPE: Shape = Shape::OneOf(&[CLAIM_VALUE, Shape::List(&CLAIM_VALUE, 1..=usize::MAX)]);
/// What `require` may be.
pub(super) const SHAPE: Shape = Shape::Table(KEYS);
const CLAIM: &str = "a text, a number, true or false, or an array of such";
/// Scopes of one list, and claims.
const MOST: usize = 32;
/// Names of claims in claims.
const DEEPEST: usize = 8;

/// What a caller needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Require {
    /// All of these scopes.
    pub scopes: Vec<Box<str>>,
    /// All of these claims.
    pub claims: Vec<RequiredClaim>,
}

/// A claim that a caller needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequiredClaim {
    /// Its name, behind those of the objects in which it is.
    pub path: Vec<Box<str>>,
    /// It is one of these, or a list that has one of them.
    pub values: Vec<Value>,
}

impl RequiredClaim {
    /// Whether an identity has it.
    pub fn is_of(&self, identity: &Identity) -> bool {
        let has = |value: &Value| self.values.contains(value);
        match identity.claims().at(self.path.iter().map(|name| &**name)) {
            Some(Value::Array(list)) => list.iter().any(has),
            Some(value) => has(value),
            None => false,
        }
    }
}

impl fmt::Display for Require {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scopes = (!self.scopes.is_empty()).then(|| format!("scopes {}", self.scopes.join(" ")));
        let claims = self.claims.iter().map(|claim| {
            let values: Vec<String> = claim.values.iter().map(Value::to_string).collect();
            format!("claim {} {}", claim.path.join("."), values.join(" or "))
        });
        f.write_str(&scopes.into_iter().chain(claims).collect::<Vec<_>>().join(", "))
    }
}

/// What a route requires: what its file does, then its own.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RouteRequire(Vec<Require>);

impl RouteRequire {
    /// All of it.
    pub fn lists(&self) -> &[Require] {
        &self.0
    }

    /// Reads what a route or a file requires.
    pub(super) fn read(reader: &mut Reader<'_>, item: &Item<'_>) -> RouteRequire {
        RouteRequire(read(reader, item).into_iter().collect())
    }

    /// The same behind what the file says.
    pub(super) fn within(self, file: &RouteRequire) -> RouteRequire {
        RouteRequire(file.0.iter().cloned().chain(self.0).collect())
    }
}

fn read(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<Require> {
    let table = reader.table(item, "a table such as { scopes = [\"orders:write\"] }")?;
    let before = reader.found.len();
    let section = reader.section("`require`", table, KEYS);
    let scopes = section.get("scopes").map(|item| read_scopes(reader, &item)).unwrap_or_default();
    let mut claims = Vec::new();
    if let Some(item) = section.get("claims")
        && let Some(table) = reader.table(&item, "a table such as { tenant = \"acme\" }")
    {
        read_claims(reader, &item, table, &mut Vec::new(), &mut claims);
        if claims.len() > MOST {
            let title = format!("`claims` has {} claims", claims.len());
            reader.complain::<()>(&item, Complaint::new(title, format!("expected at most {MOST}")));
        }
    }
    if scopes.is_empty() && claims.is_empty() {
        if reader.found.len() == before {
            let complaint = Complaint::new("`require` has `scopes`, `claims` or both", "it has neither");
            reader.complain::<()>(item, complaint.help("leave it out where an identity is enough"));
        }
        return None;
    }
    Some(Require { scopes, claims })
}

fn read_scopes(reader: &mut Reader<'_>, item: &Item<'_>) -> Vec<Box<str>> {
    let scopes = reader.texts(item, "[\"orders:write\"]", scope).unwrap_or_default();
    reader.twice("scope", scopes.iter().map(|(scope, span)| (scope, span)));
    if scopes.len() > MOST {
        let title = format!("`scopes` has {} scopes", scopes.len());
        reader.complain::<()>(item, Complaint::new(title, format!("expected at most {MOST}")));
    }
    scopes.into_iter().map(|(scope, _)| scope).collect()
}

/// A scope's name (RFC 6749, 3.3).
pub(super) fn scope(text: &str) -> Result<Box<str>, Complaint> {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"\\".contains(&byte);
    match !text.is_empty() && text.bytes().all(plain) {
        true => Ok(text.into()),
        false => {
            let complaint =
                Complaint::new(format!("`{text}` is not a scope"), "expected visible ASCII without quotes");
            Err(match text.contains(' ') {
                true => complaint.help("several scopes are several texts: [\"a\", \"b\"]"),
                false => complaint,
            })
        }
    }
}

fn read_claims(
    reader: &mut Reader<'_>,
    of: &Item<'_>,
    table: &DeTable<'_>,
    path: &mut Vec<Box<str>>,
    claims: &mut Vec<RequiredClaim>,
) {
    if table.is_empty() {
        reader.complain::<()>(of, Complaint::new(format!("`{}` has no claims", of.key), "nothing is asked"));
    }
    for (key, value) in table {
        let item = of.named(key, value);
        path.push(item.key.into());
        match value.get_ref() {
            DeValue::Table(_) if path.len() >= DEEPEST => {
                reader.complain::<()>(
                    &item,
                    Complaint::new("claims in claims this deep", format!("at most {DEEPEST}")),
                );
            }
            DeValue::Table(inner) => read_claims(reader, &item, inner, path, claims),
            DeValue::Array(values) if values.is_empty() => {
                reader.complain::<()>(
                    &item,
                    Complaint::new(format!("`{}` has no values", item.key), "nothing would fit"),
                );
            }
            DeValue::Array(values) => {
                let one = |value| claim_value(reader, &Item { value, ..item.clone() });
                let values: Vec<Value> = values.iter().filter_map(one).collect();
                claims.push(RequiredClaim { path: path.clone(), values });
            }
            _ => {
                let values = claim_value(reader, &item).into_iter().collect();
                claims.push(RequiredClaim { path: path.clone(), values });
            }
        }
        path.pop();
    }
}

fn claim_value(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<Value> {
    match item.value.get_ref() {
        DeValue::String(text) => Some(Value::from(text.as_ref())),
        DeValue::Boolean(value) => Some(Value::from(*value)),
        DeValue::Integer(_) => reader.integer(item).map(Value::from),
        _ => reader.wrong_type(item.key, item.value, CLAIM),
    }
}
