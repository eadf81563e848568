//! Values as a program meets them: a request's, a caller's, and those that the rule says; and how two of them compare.

use crate::expr::Op;
use crate::number::Number;
use callgate_auth::Identity;
use callgate_transcode::{FieldValue, Form, Found};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::cmp::Ordering;

/// Where something is read.
#[derive(Debug)]
pub(crate) enum Source {
    /// The field at that place.
    Field(usize),
    /// The claim to which these names lead, from the outside in.
    Claim(Box<[Box<str>]>),
    /// The identity's name.
    Name,
    /// The identity's scopes.
    Scopes,
}

/// One value, or where it is read.
#[derive(Debug)]
pub(crate) enum Operand {
    Bool(bool),
    Number(Number),
    Text(Box<str>),
    /// A text of a form, in the form's own bytes.
    Formed(Box<[u8]>),
    Read(Source),
}

/// Why a rule cannot be decided, which denies: what was read there is absent, or of another type.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stop<'p> {
    Absent(&'p Source),
    WrongType(&'p Source),
}

/// A request and its caller.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) found: &'a Found<'a>,
    pub(crate) identity: Option<&'a Identity>,
}

/// A value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Bool(bool),
    Number(Number),
    Text(&'a [u8]),
    Formed(&'a [u8]),
    /// A claim that is a list or an object, or a field's variant that has content.
    Other,
}

impl<'a> Asked<'a> {
    /// The claim at that path, if there is one and it is not null.
    #[inline]
    pub(crate) fn claim(&self, path: &[Box<str>]) -> Option<&'a Json> {
        let claims = self.identity?.claims();
        let claim = match path {
            [name] => claims.get(name),
            names => claims.at(names.iter().map(|name| &**name)),
        };
        claim.filter(|claim| !claim.is_null())
    }

    /// Whether there is something to read.
    pub(crate) fn has(&self, source: &Source) -> bool {
        match source {
            Source::Field(at) => self.found.is_there(*at),
            Source::Claim(path) => self.claim(path).is_some(),
            Source::Name | Source::Scopes => self.identity.is_some(),
        }
    }

    /// Reads one value.
    #[inline]
    pub(crate) fn read<'p>(&self, source: &'p Source) -> Result<Value<'a>, Stop<'p>> {
        match source {
            Source::Field(at) => match self.found.value(*at) {
                Some(value) => Ok(Value::of_field(value)),
                None if self.found.is_there(*at) => Ok(Value::Other),
                None => Err(Stop::Absent(source)),
            },
            Source::Claim(path) => self.claim(path).map(Value::of_claim).ok_or(Stop::Absent(source)),
            Source::Name => match self.identity {
                Some(identity) => Ok(Value::Text(identity.name().as_bytes())),
                None => Err(Stop::Absent(source)),
            },
            Source::Scopes => Ok(Value::Other),
        }
    }
}

impl Operand {
    #[inline]
    pub(crate) fn value<'p, 'a>(&'p self, asked: &Asked<'a>) -> Result<Value<'a>, Stop<'p>>
    where
        'p: 'a,
    {
        Ok(match self {
            Operand::Bool(value) => Value::Bool(*value),
            Operand::Number(value) => Value::Number(*value),
            Operand::Text(text) => Value::Text(text.as_bytes()),
            Operand::Formed(bytes) => Value::Formed(bytes),
            Operand::Read(source) => return asked.read(source),
        })
    }

    /// Where it is read, of two of which at least one is.
    pub(crate) fn blamed<'p>(&'p self, other: &'p Operand) -> &'p Source {
        match (self, other) {
            // A claim rather than what has its type from elsewhere.
            (Operand::Read(source @ Source::Claim(_)), _) | (_, Operand::Read(source @ Source::Claim(_))) => {
                source
            }
            (Operand::Read(source), _) | (_, Operand::Read(source)) => source,
            // Two literals are not compared.
            _ => &Source::Name,
        }
    }
}

impl<'a> Value<'a> {
    #[inline]
    pub(crate) fn of_field(value: FieldValue<'a>) -> Value<'a> {
        match value {
            FieldValue::Bool(value) => Value::Bool(value),
            FieldValue::Integer(value) => Value::Number(Number::Integer(value)),
            FieldValue::Large(value) => Value::Number(Number::Large(value)),
            FieldValue::Float(value) => Value::Number(Number::Float(value)),
            FieldValue::Text(text) => Value::Text(text),
            FieldValue::Formed(bytes) => Value::Formed(bytes),
        }
    }

    #[inline]
    pub(crate) fn of_claim(claim: &'a Json) -> Value<'a> {
        match claim {
            Json::Bool(value) => Value::Bool(*value),
            Json::String(text) => Value::Text(text.as_bytes()),
            Json::Number(number) => {
                Value::Number(match (number.as_i64(), number.as_u64(), number.as_f64()) {
                    (Some(value), _, _) => Number::Integer(value.into()),
                    (_, Some(value), _) => Number::Integer(value.into()),
                    (_, _, value) => Number::Float(value.unwrap_or(f64::NAN)),
                })
            }
            Json::Null | Json::Array(_) | Json::Object(_) => Value::Other,
        }
    }

    /// Its bytes as a form has them, if it says a value of it.
    fn formed(self, form: Form) -> Option<Cow<'a, [u8]>> {
        match self {
            Value::Formed(bytes) => Some(bytes.into()),
            Value::Text(text) => form.read(std::str::from_utf8(text).ok()?).map(Cow::from),
            Value::Number(Number::Integer(value)) => form.read_number(&value.to_string()).map(Cow::from),
            Value::Number(Number::Large(value)) => form.read_number(&value.to_string()).map(Cow::from),
            Value::Number(Number::Float(value)) => form.read_number(&value.to_string()).map(Cow::from),
            Value::Bool(_) | Value::Other => None,
        }
    }
}

/// Compares two values. `None` if they are of different types, or such that are not compared so.
#[inline]
pub(crate) fn compare(op: Op, one: Value<'_>, other: Value<'_>, form: Option<Form>) -> Option<bool> {
    let order = match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.compare(other)?,
        (Value::Text(one), Value::Text(other)) if form.is_none() && !op.is_of_order() => {
            equality(one == other)
        }
        (Value::Bool(one), Value::Bool(other)) if !op.is_of_order() => equality(one == other),
        _ => {
            let form = form?;
            let (one, other) = (one.formed(form)?, other.formed(form)?);
            match form.compare(&one, &other) {
                Some(order) => order,
                None if form.has_order() || op.is_of_order() => return None,
                None => Ordering::Less,
            }
        }
    };
    Some(match op {
        Op::Equal => order.is_eq(),
        Op::Unequal => order.is_ne(),
        Op::Less => order.is_lt(),
        Op::LessOrEqual => order.is_le(),
        Op::Greater => order.is_gt(),
        Op::GreaterOrEqual => order.is_ge(),
    })
}

/// The order that stands for being equal, or not.
fn equality(is_equal: bool) -> Ordering {
    if is_equal { Ordering::Equal } else { Ordering::Less }
}
