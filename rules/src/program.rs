//! The rules of a route, compiled for the schema of one instance: decided for each request, over the bytes that the instance reads.

use crate::expr::Op;
use crate::value::{Asked, Operand, Source, Stop, Value, compare};
use callgate_auth::Identity;
use callgate_transcode::{Fields, Form};
use serde_json::Value as Json;
use std::fmt;

/// Rules that fit a schema.
#[derive(Debug)]
pub struct Program {
    pub(crate) fields: Fields,
    /// What each field is called, by its place.
    pub(crate) names: Vec<String>,
    /// A condition for each rule.
    pub(crate) tests: Vec<Test>,
}

/// Why a request does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// The number of the rule that denies it, from 0 on. Of several it is the first.
    pub rule: usize,
    /// Why.
    pub why: Why,
}

/// Why a rule denies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its condition does not hold.
    NotMet,
    /// It reads what is not there: what that is.
    Absent(String),
    /// It reads what is of another type than it needs: what that is.
    WrongType(String),
}

/// A condition.
#[derive(Debug)]
pub(crate) enum Test {
    Any(Box<[Test]>),
    All(Box<[Test]>),
    Not(Box<Test>),
    Has(Source),
    /// It is true.
    Is(Source),
    Compare(Op, Operand, Operand, Option<Form>),
    /// A value is in a list that is read.
    In(Operand, Source, Option<Form>),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::NotMet => write!(f, "it does not hold"),
            Why::Absent(what) => write!(f, "{what} is not there"),
            Why::WrongType(what) => write!(f, "{what} is of another type"),
        }
    }
}

type Decided<'p> = Result<bool, Stop<'p>>;

impl Program {
    /// Decides whether a request may be sent. `message` is what an instance of the schema gets, `identity` who asks, where that is
    /// known. All rules have to hold.
    ///
    /// # Errors
    /// It may not: the first rule that denies it, and why. That is for the log, and not for the client.
    #[inline]
    pub fn check(&self, message: &[u8], identity: Option<&Identity>) -> Result<(), Denied> {
        let found = self.fields.find(message);
        let asked = Asked { found: &found, identity };
        for (rule, test) in self.tests.iter().enumerate() {
            match test.decide(&asked) {
                Ok(true) => {}
                Ok(false) => return Err(Denied { rule, why: Why::NotMet }),
                Err(stop) => return Err(Denied { rule, why: self.why(stop) }),
            }
        }
        Ok(())
    }

    #[cold]
    fn why(&self, stop: Stop<'_>) -> Why {
        match stop {
            Stop::Absent(source) => Why::Absent(self.shown(source)),
            Stop::WrongType(source) => Why::WrongType(self.shown(source)),
        }
    }

    fn shown(&self, source: &Source) -> String {
        match source {
            Source::Field(at) => self.names.get(*at).cloned().unwrap_or_default(),
            Source::Claim(path) => format!("claims.{}", path.join(".")),
            Source::Name => "identity.name".to_owned(),
            Source::Scopes => "identity.scopes".to_owned(),
        }
    }
}

impl Test {
    fn decide<'p>(&'p self, asked: &Asked<'p>) -> Decided<'p> {
        match self {
            Test::Any(tests) => decide_until(true, tests, asked),
            Test::All(tests) => decide_until(false, tests, asked),
            Test::Not(test) => test.decide(asked).map(|holds| !holds),
            Test::Has(source) => Ok(asked.has(source)),
            Test::Is(source) => match asked.read(source)? {
                Value::Bool(value) => Ok(value),
                _ => Err(Stop::WrongType(source)),
            },
            Test::Compare(op, one, other, form) => {
                let values = (one.value(asked)?, other.value(asked)?);
                compare(*op, values.0, values.1, *form).ok_or(Stop::WrongType(one.blamed(other)))
            }
            Test::In(item, list, form) => is_in(item, list, *form, asked),
        }
    }
}

/// From left to right, until one is so. Those behind it are not looked at.
fn decide_until<'p>(wanted: bool, tests: &'p [Test], asked: &Asked<'p>) -> Decided<'p> {
    for test in tests {
        if test.decide(asked)? == wanted {
            return Ok(wanted);
        }
    }
    Ok(!wanted)
}

/// Whether a value is in a list. All items of the list have to be of its type, also those behind the one that it is: so the order of a
/// list decides nothing.
fn is_in<'p>(item: &'p Operand, list: &'p Source, form: Option<Form>, asked: &Asked<'p>) -> Decided<'p> {
    let value = item.value(asked)?;
    let equals = |one| compare(Op::Equal, value, one, form);
    let each = |one: Option<bool>| one.ok_or(Stop::WrongType(list));
    match list {
        Source::Field(at) => {
            let items = asked.found.values(*at).ok_or(Stop::Absent(list))?;
            let mut equal = items.map(|one| each(equals(one.map_or(Value::Other, Value::of_field))));
            equal.try_fold(false, |is_in, one| Ok(is_in | one?))
        }
        Source::Claim(path) => match asked.claim(path).ok_or(Stop::Absent(list))? {
            Json::Array(items) => {
                let mut equal = items.iter().map(|one| each(equals(Value::of_claim(one))));
                equal.try_fold(false, |is_in, one| Ok(is_in | one?))
            }
            _ => Err(Stop::WrongType(list)),
        },
        Source::Name | Source::Scopes => {
            let identity = asked.identity.ok_or(Stop::Absent(list))?;
            match value {
                Value::Text(text) => Ok(std::str::from_utf8(text).is_ok_and(|text| identity.has_scope(text))),
                _ => Err(Stop::WrongType(item.blamed(item))),
            }
        }
    }
}
