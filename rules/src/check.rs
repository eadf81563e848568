//! What can be said of a rule before any schema is known: whether it is a condition, and whether what it compares can be compared.

use crate::error::RuleError;
use crate::expr::{Expr, Kind, Op, Path, Root};
use std::ops::Range;

type Result<T> = std::result::Result<T, RuleError>;

/// The type of one value, as far as its text tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Bool,
    Number,
    Text,
    /// A schema says, or a claim.
    Unknown,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Type::Bool => "a boolean",
            Type::Number => "a number",
            Type::Text => "a text",
            Type::Unknown => "a value",
        }
    }
}

/// Checks that it is a condition that says something of a request.
pub(crate) fn condition(expr: &Expr) -> Result<()> {
    match &expr.kind {
        Kind::Any(parts) | Kind::All(parts) => parts.iter().try_for_each(condition),
        Kind::Not(inner) => condition(inner),
        Kind::Compare(op, both) => comparison(*op, &expr.at, &both.0, &both.1),
        Kind::In(both) => membership(&expr.at, &both.0, &both.1),
        Kind::Has(path) => reading(path),
        Kind::Path(path) => {
            reading(path)?;
            match path.root {
                Root::Identity => Err(no_condition(expr, "a text or a list")),
                _ if path.is_scopes() => Err(no_condition(expr, "a list")),
                _ => Ok(()),
            }
        }
        Kind::Bool(_) => Err(constant(&expr.at)),
        Kind::Text(_) => Err(no_condition(expr, "a text")),
        Kind::Number(_) => Err(no_condition(expr, "a number")),
        Kind::List(_) => Err(no_condition(expr, "a list")),
    }
}

fn no_condition(expr: &Expr, is: &str) -> RuleError {
    let error = RuleError::new(expr.at.clone(), "expected a condition", format!("this is {is}"));
    error.help("compare it with something, such as claims.tenant == args.tenant")
}

fn constant(at: &Range<usize>) -> RuleError {
    let error = RuleError::new(at.clone(), "this is the same for all requests", "nothing is read here");
    error.help("what is read begins with args, claims or identity and stands without quotes")
}

fn comparison(op: Op, at: &Range<usize>, left: &Expr, right: &Expr) -> Result<()> {
    let types = (operand(left)?, operand(right)?);
    if is_literal(left) && is_literal(right) {
        return Err(constant(at));
    }
    same(types.0, types.1, left, right)?;
    let is_field = |expr: &Expr| matches!(&expr.kind, Kind::Path(Path { root: Root::Args, .. }));
    for (ty, expr) in [(types.0, left), (types.1, right)] {
        // A text may stand for a date or a decimal number, if the other one is a field that is one.
        let may_have_order = match ty {
            Type::Bool => false,
            Type::Text => is_field(left) || is_field(right),
            Type::Number | Type::Unknown => true,
        };
        if op.is_of_order() && !may_have_order {
            let title = format!("`{}` compares numbers, dates and times", op.sign());
            let error = RuleError::new(expr.at.clone(), title, format!("this is {}", ty.name()));
            return Err(error.help("only == and != compare texts and booleans"));
        }
    }
    Ok(())
}

fn membership(at: &Range<usize>, item: &Expr, list: &Expr) -> Result<()> {
    let ty = operand(item)?;
    match &list.kind {
        Kind::List(items) if items.is_empty() => Err(constant(&list.at)),
        Kind::List(items) => {
            if is_literal(item) && items.iter().all(is_literal) {
                return Err(constant(at));
            }
            let mut first: Option<(Type, &Expr)> = None;
            for one in items {
                let its = operand(one)?;
                same(ty, its, item, one)?;
                match first {
                    Some((before, expr)) => same(before, its, expr, one)?,
                    None if its != Type::Unknown => first = Some((its, one)),
                    None => {}
                }
            }
            Ok(())
        }
        Kind::Path(path) if path.is_scopes() => {
            reading(path)?;
            match ty {
                Type::Text | Type::Unknown => Ok(()),
                _ => {
                    Err(RuleError::new(item.at.clone(), "scopes are texts", format!("this is {}", ty.name())))
                }
            }
        }
        Kind::Path(path) if path.root != Root::Identity => reading(path),
        _ => {
            let error = RuleError::new(list.at.clone(), "`in` looks into a list", "this is none");
            Err(error.help("write args.kind in [\"a\", \"b\"], or \"a\" in claims.roles"))
        }
    }
}

/// Checks that it is one value.
fn operand(expr: &Expr) -> Result<Type> {
    match &expr.kind {
        Kind::Bool(_) => Ok(Type::Bool),
        Kind::Number(_) => Ok(Type::Number),
        Kind::Text(_) => Ok(Type::Text),
        Kind::Path(path) => {
            reading(path)?;
            match path.root {
                _ if path.is_scopes() => {
                    let error =
                        RuleError::new(expr.at.clone(), "a list is not compared", "these are all scopes");
                    Err(error.help("write \"orders:write\" in claims.scopes"))
                }
                Root::Identity => Ok(Type::Text),
                _ => Ok(Type::Unknown),
            }
        }
        Kind::List(_) => {
            let error = RuleError::new(expr.at.clone(), "a list is not compared", "this is a list");
            Err(error.help("write args.kind in [\"a\", \"b\"]"))
        }
        _ => {
            let error = RuleError::new(expr.at.clone(), "a condition is not compared", "this is a condition");
            Err(error.help("join conditions with && and ||"))
        }
    }
}

fn same(one: Type, other: Type, left: &Expr, right: &Expr) -> Result<()> {
    if one == other || one == Type::Unknown || other == Type::Unknown {
        return Ok(());
    }
    let title = format!("{} is never {}", one.name(), other.name());
    Err(RuleError::new(
        left.at.start.min(right.at.start)..left.at.end.max(right.at.end),
        title,
        "always different",
    ))
}

fn is_literal(expr: &Expr) -> bool {
    matches!(expr.kind, Kind::Bool(_) | Kind::Number(_) | Kind::Text(_))
}

/// Checks that there is such a thing to read.
fn reading(path: &Path) -> Result<()> {
    let (_, at) = &path.names[0];
    match path.root {
        Root::Identity if !(path.is_scopes() || path.texts().eq(["name"])) => {
            let error = RuleError::new(at.clone(), "an identity has a name and scopes", "not known here");
            Err(error.help("write identity.name, identity.scopes or claims.x"))
        }
        Root::Claims if path.names.len() > 1 && *path.names[0].0 == *"scopes" => {
            let (_, at) = &path.names[1];
            Err(RuleError::new(at.clone(), "claims.scopes is a list", "nothing is inside of it"))
        }
        _ => Ok(()),
    }
}
