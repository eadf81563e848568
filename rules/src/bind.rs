//! Rules → a program for one schema. The fields are found here, and what they are compared with is checked against their types.

use crate::expr::{Expr, Kind, Literal, Op, Path, Root};
use crate::number::Number;
use crate::program::{Program, Test};
use crate::rule::Rule;
use crate::value::{Operand, Source};
use callgate_transcode::{FieldType, Fields, Form, Layout};
use std::ops::Range;
use std::sync::Arc;

/// Why rules do not fit a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The number of the rule, from 0 on.
    pub rule: usize,
    /// The bytes of the rule that do not fit.
    pub at: Range<usize>,
    /// Why, for people.
    pub why: String,
}

/// Why a part does not fit, and which one.
type Result<T> = std::result::Result<T, (Range<usize>, String)>;

impl Program {
    /// Compiles rules for requests of a method of that layout. It is as much work as the rules are long.
    ///
    /// # Errors
    /// The method has no such field, or a field is compared with what it never is: the first such place.
    pub fn bind<'r>(
        layout: Arc<Layout>,
        rules: impl IntoIterator<Item = &'r Rule>,
    ) -> std::result::Result<Program, Misfit> {
        let mut binder = Binder { fields: Fields::new(layout), names: Vec::new() };
        let mut tests = Vec::new();
        for (at, rule) in rules.into_iter().enumerate() {
            let test = binder.condition(rule.expr());
            tests.push(test.map_err(|(place, why)| Misfit { rule: at, at: place, why })?);
        }
        Ok(Program { fields: binder.fields, names: binder.names, tests })
    }
}

struct Binder {
    fields: Fields,
    /// By place.
    names: Vec<String>,
}

/// What is known of one value before any request comes.
enum Side {
    Bool,
    Number,
    Text,
    Variant(Box<[Box<str>]>),
    Form(Form),
    /// A claim: each request says.
    Claim,
}

impl Side {
    fn name(&self) -> String {
        match self {
            Side::Bool => "a boolean".to_owned(),
            Side::Number => "a number".to_owned(),
            Side::Text => "a text".to_owned(),
            Side::Variant(_) => "the name of a variant".to_owned(),
            Side::Form(form) => form.expected().to_owned(),
            Side::Claim => "a claim".to_owned(),
        }
    }

    fn of(ty: FieldType) -> std::result::Result<Side, &'static str> {
        match ty {
            FieldType::Bool => Ok(Side::Bool),
            FieldType::Number => Ok(Side::Number),
            FieldType::Text => Ok(Side::Text),
            FieldType::Variant(names) => Ok(Side::Variant(names)),
            FieldType::Form(form) => Ok(Side::Form(form)),
            FieldType::List(_) => Err("a list"),
            FieldType::Other(what) => Err(what),
        }
    }
}

impl Binder {
    fn condition(&mut self, expr: &Expr) -> Result<Test> {
        match &expr.kind {
            Kind::Any(parts) => Ok(Test::Any(self.conditions(parts)?)),
            Kind::All(parts) => Ok(Test::All(self.conditions(parts)?)),
            Kind::Not(inner) => Ok(Test::Not(Box::new(self.condition(inner)?))),
            Kind::Compare(op, both) => self.comparison(*op, &both.0, &both.1),
            Kind::In(both) => self.membership(&both.0, &both.1),
            Kind::Has(path) => Ok(Test::Has(self.source(path)?)),
            Kind::Path(path) => {
                let source = self.source(path)?;
                match self.side(expr, &source)? {
                    Side::Bool | Side::Claim => Ok(Test::Is(source)),
                    side => Err((
                        expr.at.clone(),
                        format!("expected a condition, and `{path}` is {}", side.name()),
                    )),
                }
            }
            // A rule that was read has no others.
            _ => Err((expr.at.clone(), "expected a condition".to_owned())),
        }
    }

    fn conditions(&mut self, parts: &[Expr]) -> Result<Box<[Test]>> {
        parts.iter().map(|part| self.condition(part)).collect()
    }

    fn comparison(&mut self, op: Op, left: &Expr, right: &Expr) -> Result<Test> {
        let (mut one, mut other) = (self.operand(left)?, self.operand(right)?);
        let at = left.at.start..right.at.end;
        let form = fit(op, (&one.1, left, &mut one.0), (&other.1, right, &mut other.0), at)?;
        Ok(Test::Compare(op, one.0, other.0, form))
    }

    fn membership(&mut self, item: &Expr, list: &Expr) -> Result<Test> {
        if let Kind::List(items) = &list.kind {
            // It is one of them: equal to the first, or to the second, and so on.
            let each = |one| self.comparison(Op::Equal, item, one);
            return Ok(Test::Any(items.iter().map(each).collect::<Result<_>>()?));
        }
        let (mut operand, side) = self.operand(item)?;
        let Kind::Path(path) = &list.kind else {
            return Err((list.at.clone(), "expected a list".to_owned()));
        };
        let source = self.source(path)?;
        let within = match &source {
            Source::Field(at) => match self.fields.type_of(*at) {
                FieldType::List(ty) => {
                    Side::of(*ty).map_err(|what| (list.at.clone(), format!("its items are {what}")))?
                }
                ty => {
                    let is = Side::of(ty).map_or_else(str::to_owned, |side| side.name());
                    return Err((list.at.clone(), format!("`in` looks into a list, and `{path}` is {is}")));
                }
            },
            Source::Claim(_) => Side::Claim,
            Source::Name | Source::Scopes => Side::Text,
        };
        if let (Source::Scopes, Side::Form(_)) = (&source, &side) {
            return Err((item.at.clone(), format!("scopes are texts, and this is {}", side.name())));
        }
        let at = item.at.start..list.at.end;
        let form =
            fit(Op::Equal, (&side, item, &mut operand), (&within, list, &mut Operand::Bool(false)), at)?;
        Ok(Test::In(operand, source, form))
    }

    /// One value, and what is known of it.
    fn operand(&mut self, expr: &Expr) -> Result<(Operand, Side)> {
        match &expr.kind {
            Kind::Bool(value) => Ok((Operand::Bool(*value), Side::Bool)),
            Kind::Number(literal) => Ok((Operand::Number(literal.value), Side::Number)),
            Kind::Text(text) => Ok((Operand::Text(text.clone()), Side::Text)),
            Kind::Path(path) => {
                let source = self.source(path)?;
                let side = self.side(expr, &source)?;
                Ok((Operand::Read(source), side))
            }
            // A rule that was read has no others.
            _ => Err((expr.at.clone(), "expected one value".to_owned())),
        }
    }

    fn side(&self, expr: &Expr, source: &Source) -> Result<Side> {
        match source {
            Source::Field(at) => Side::of(self.fields.type_of(*at))
                .map_err(|what| (expr.at.clone(), format!("this is {what}, which is not compared"))),
            Source::Claim(_) => Ok(Side::Claim),
            Source::Name | Source::Scopes => Ok(Side::Text),
        }
    }

    fn source(&mut self, path: &Path) -> Result<Source> {
        match path.root {
            Root::Args => self.field(path).map(Source::Field),
            _ if path.is_scopes() => Ok(Source::Scopes),
            Root::Identity => Ok(Source::Name),
            Root::Claims => Ok(Source::Claim(path.texts().map(Box::from).collect())),
        }
    }

    fn field(&mut self, path: &Path) -> Result<usize> {
        let name = path.to_string();
        if let Some(at) = self.names.iter().position(|known| *known == name) {
            return Ok(at);
        }
        let at = self.fields.add(path.texts()).map_err(|error| {
            let place = path.names.get(error.name).map(|(_, at)| at.clone());
            (place.unwrap_or_default(), error.why)
        })?;
        self.names.push(name);
        Ok(at)
    }
}

/// A value with what is known of it, and where it stands.
type One<'a> = (&'a Side, &'a Expr, &'a mut Operand);

/// Checks that two values can be compared so. Gives the form by which they are, which literals are then in.
fn fit(op: Op, one: One<'_>, other: One<'_>, at: Range<usize>) -> Result<Option<Form>> {
    let form = match (one.0, other.0) {
        (Side::Form(form), Side::Form(others)) if form == others => Some(*form),
        (Side::Form(form), Side::Text | Side::Number | Side::Claim) => {
            put_in_form(*form, other.1, other.2)?;
            Some(*form)
        }
        (Side::Text | Side::Number | Side::Claim, Side::Form(form)) => {
            put_in_form(*form, one.1, one.2)?;
            Some(*form)
        }
        (Side::Variant(names), Side::Text) => is_variant(names, other.1).map(|()| None)?,
        (Side::Text, Side::Variant(names)) => is_variant(names, one.1).map(|()| None)?,
        (Side::Claim, _) | (_, Side::Claim) => None,
        (Side::Variant(_), Side::Variant(_)) | (Side::Text, Side::Text) => None,
        (Side::Number, Side::Number) | (Side::Bool, Side::Bool) => None,
        (left, right) => return Err((at, format!("{} is never {}", left.name(), right.name()))),
    };
    if op.is_of_order() {
        for side in [one.0, other.0] {
            let has_order = match side {
                Side::Number | Side::Claim => true,
                // A literal, which is then in the form of the other one.
                Side::Text => form.is_some_and(Form::has_order),
                Side::Form(form) => form.has_order(),
                Side::Bool | Side::Variant(_) => false,
            };
            if !has_order {
                let why =
                    format!("`{}` compares numbers, dates and times, and this is {}", op.sign(), side.name());
                return Err((at, why));
            }
        }
    }
    Ok(form)
}

/// Makes a literal one of that form. What is read is, when it was read.
fn put_in_form(form: Form, expr: &Expr, operand: &mut Operand) -> Result<()> {
    let bytes = match &expr.kind {
        Kind::Text(text) => form.read(text),
        Kind::Number(literal) => form.read_number(&token(literal)),
        // A field of another type, whose values are never of this form.
        Kind::Path(Path { root: Root::Args, .. }) => None,
        _ => return Ok(()),
    };
    let bytes = bytes.ok_or_else(|| (expr.at.clone(), format!("expected {}", form.expected())))?;
    *operand = Operand::Formed(bytes.into());
    Ok(())
}

/// A number as JSON writes it.
fn token(literal: &Literal) -> String {
    match literal.value {
        Number::Integer(value) => value.to_string(),
        Number::Large(value) => value.to_string(),
        Number::Float(_) => literal.text.to_string(),
    }
}

/// Checks that a text is the name of one of these variants, if it is a literal.
fn is_variant(names: &[Box<str>], expr: &Expr) -> Result<()> {
    let Kind::Text(text) = &expr.kind else { return Ok(()) };
    if names.contains(text) {
        return Ok(());
    }
    let names: Vec<String> = names.iter().take(10).map(|name| format!("`{name}`")).collect();
    Err((
        expr.at.clone(),
        format!("no variant without content has this name; there are {}", names.join(", ")),
    ))
}
