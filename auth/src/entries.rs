//! Files of those who may call: in TOML, a table for each, with a name, what proves that it is it, and what it may do.
//!
//! API keys and passwords share all of it but the proof. All mistakes of a file are found at once. None of their words is of the
//! file: a proof may stand in the wrong place.

use crate::date::unix_seconds;
use crate::{Identity, Mistake, Mistakes};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// So long may a file be, in bytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// A name is no longer than that, in bytes.
const MAX_NAME: usize = 256;

/// One who may call.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) identity: Identity,
    pub(crate) proof: Proof,
}

/// What proves that somebody is who it says it is, and where that stands in the file.
#[derive(Debug)]
pub(crate) struct Proof {
    pub(crate) text: String,
    span: Range<usize>,
}

impl Proof {
    /// A mistake there. `part` is the part of the text that is wrong, where it is not all of it.
    pub(crate) fn mistake(
        &self,
        file: &str,
        part: Option<Range<usize>>,
        title: &str,
        label: String,
    ) -> Mistake {
        // It stands in the file as it is where it has no escapes: between one pair of quotes.
        let inner = file.get(self.span.start + 1..self.span.end.saturating_sub(1));
        let span = match part {
            Some(part) if inner == Some(self.text.as_str()) => {
                self.span.start + 1 + part.start..self.span.start + 1 + part.end
            }
            _ => self.span.clone(),
        };
        Mistake::new(title).at(span, label)
    }
}

/// What a file calls its tables and their proof.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// `[[TABLE]]`.
    pub(crate) table: &'static str,
    /// The key of the proof.
    pub(crate) proof: &'static str,
    /// How many there may be.
    pub(crate) most: usize,
}

/// Reads a file. Names are those of one each.
pub(crate) fn read(file: &str, shape: Shape) -> Result<Vec<Entry>, Mistakes> {
    let Shape { table, most, .. } = shape;
    if file.len() > MAX_BYTES {
        return Err(Mistake::new(format!("this file has more than {MAX_BYTES} bytes")).into());
    }
    let (document, errors) = DeTable::parse_recoverable(file);
    let mut reader = Reader { file, shape, found: Vec::new(), names: HashMap::new() };
    for error in errors {
        let span = error.span().unwrap_or(file.len()..file.len());
        // Its words may be of the file, and so of a secret.
        reader.wrong(span, "this is no TOML", "it cannot be read from here on");
    }
    Mistakes::none_or(file.as_bytes(), std::mem::take(&mut reader.found))?;
    let document = document.get_ref();
    for key in document.keys().filter(|key| key.get_ref() != table) {
        reader.wrong(key.span(), &format!("a key that is not known beside `[[{table}]]`"), "not known here");
    }
    let Some(all) = document.get(table) else {
        let help = format!("each has a table `[[{table}]]`; `{table} = []` is for none at all");
        let nothing = Mistake::new(format!("there is no `[[{table}]]` in this file")).help(help);
        return Err(Mistakes::none_or(file.as_bytes(), reader.found).err().unwrap_or(nothing.into()));
    };
    let Some(items) = all.get_ref().as_array() else {
        reader.wrong(
            all.span(),
            &format!("`{table}` must be a list of tables"),
            &format!("`[[{table}]]` begins one"),
        );
        return Mistakes::none_or(file.as_bytes(), reader.found).map(|()| Vec::new());
    };
    if items.len() > most {
        return Err(Mistake::new(format!("there are more than {most} tables `[[{table}]]`")).into());
    }
    let entries: Vec<Entry> = items.iter().filter_map(|item| reader.entry(item)).collect();
    Mistakes::none_or(file.as_bytes(), reader.found).map(|()| entries)
}

struct Reader<'f> {
    file: &'f str,
    shape: Shape,
    found: Vec<Mistake>,
    /// The names that were there before, and where.
    names: HashMap<String, usize>,
}

impl<'f> Reader<'f> {
    fn wrong(&mut self, span: Range<usize>, title: &str, label: &str) {
        self.found.push(Mistake::new(title).at(span, label));
    }

    /// One table. `None` after mistakes, which are kept.
    fn entry(&mut self, item: &Spanned<DeValue<'f>>) -> Option<Entry> {
        let Shape { table: kind, proof, .. } = self.shape;
        let Some(table) = item.get_ref().as_table() else {
            self.wrong(item.span(), &format!("`{kind}` must be a list of tables"), "this is no table");
            return None;
        };
        let known = ["name", proof, "scopes", "expires", "claims"];
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let title = format!("a key that is not known in `[[{kind}]]`");
            let mistake = Mistake::new(title).at(key.span(), "not known here");
            self.found.push(mistake.help(format!("there are `{}`", known.join("`, `"))));
        }
        let name = self.name(table, item.span());
        let proof = self.text(table, proof, item.span());
        let scopes = table.get("scopes").map(|value| self.scopes(value)).unwrap_or_default();
        let expires = table.get("expires").and_then(|value| self.expires(value));
        let claims = table.get("claims").map(|value| self.claims(value)).unwrap_or_default();
        let (text, span) = proof?;
        let identity = Identity::new(name?).with_scopes(scopes).with_claims(claims.into());
        let identity = expires.into_iter().fold(identity, Identity::until);
        Some(Entry { identity, proof: Proof { text, span } })
    }

    fn name(&mut self, table: &DeTable<'f>, whole: Range<usize>) -> Option<String> {
        let (name, span) = self.text(table, "name", whole)?;
        if !(1..=MAX_NAME).contains(&name.len()) || name.chars().any(char::is_control) {
            self.wrong(span, "this is no name", &format!("expected 1 to {MAX_NAME} bytes on one line"));
            return None;
        }
        if let Some(first) = self.names.insert(name.clone(), span.start) {
            // The line is looked for from the file's beginning, and so for few of them.
            let line = (self.found.len() < Mistakes::MOST).then(|| self.file[..first].lines().count());
            let label = line.map_or("again".to_owned(), |line| format!("the first one is in line {line}"));
            self.wrong(span, "two of one name", &label);
            return None;
        }
        Some(name)
    }

    /// A text that must be there.
    fn text(
        &mut self,
        table: &DeTable<'f>,
        key: &str,
        whole: Range<usize>,
    ) -> Option<(String, Range<usize>)> {
        let Some(value) = table.get(key) else {
            self.wrong(whole, &format!("there is no `{key}`"), "this has none");
            return None;
        };
        let Some(text) = value.get_ref().as_str() else {
            self.wrong(value.span(), &format!("`{key}` must be a text"), "this is none");
            return None;
        };
        Some((text.to_owned(), value.span()))
    }

    fn scopes(&mut self, value: &Spanned<DeValue<'f>>) -> Vec<String> {
        let Some(items) = value.get_ref().as_array() else {
            self.wrong(value.span(), "`scopes` must be a list of texts", "this is none");
            return Vec::new();
        };
        let mut scopes = Vec::new();
        for item in items {
            match item.get_ref().as_str() {
                Some(scope)
                    if !scope.is_empty()
                        && !scope.contains(|c: char| c.is_whitespace() || c.is_control()) =>
                {
                    scopes.push(scope.to_owned());
                }
                _ => self.wrong(item.span(), "this is no scope", "expected a text without blanks"),
            }
        }
        scopes
    }

    fn expires(&mut self, value: &Spanned<DeValue<'f>>) -> Option<u64> {
        let seconds = value.get_ref().as_datetime().and_then(unix_seconds);
        if seconds.is_none() {
            let title = "`expires` must be a date with a time and an offset";
            let mistake = Mistake::new(title).at(value.span(), "this is none");
            self.found.push(mistake.help("such as 2027-01-31T00:00:00Z, without quotes"));
        }
        seconds
    }

    fn claims(&mut self, value: &Spanned<DeValue<'f>>) -> Map<String, Value> {
        match json(value) {
            Ok(Value::Object(claims)) => claims,
            Ok(_) => {
                self.wrong(value.span(), "`claims` must be a table", "this is none");
                Map::new()
            }
            Err(span) => {
                self.wrong(
                    span,
                    "a claim that JSON cannot say",
                    "expected a text, a number, a list or a table",
                );
                Map::new()
            }
        }
    }
}

/// A value of TOML as one of JSON, which has no dates and no endless numbers; or where it is none. TOML's own reader bounds the depth.
fn json(value: &Spanned<DeValue<'_>>) -> Result<Value, Range<usize>> {
    let none = || value.span();
    Ok(match value.get_ref() {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Boolean(value) => Value::from(*value),
        DeValue::Integer(number) => {
            Value::from(i64::from_str_radix(number.as_str(), number.radix()).map_err(|_| none())?)
        }
        DeValue::Float(number) => {
            let number: f64 = number.as_str().parse().map_err(|_| none())?;
            Value::from(serde_json::Number::from_f64(number).ok_or_else(none)?)
        }
        DeValue::Datetime(_) => return Err(none()),
        DeValue::Array(items) => items.iter().map(json).collect::<Result<Vec<_>, _>>()?.into(),
        DeValue::Table(table) => {
            let member = |(name, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
                json(value).map(|value| (name.get_ref().to_string(), value))
            };
            table.iter().map(member).collect::<Result<Map<_, _>, _>>()?.into()
        }
    })
}
