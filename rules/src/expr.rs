//! A rule as it is written: a tree in which each part knows where it stands.

use crate::number::Number;
use std::fmt;
use std::ops::Range;

/// A part of a rule.
#[derive(Debug)]
pub(crate) struct Expr {
    /// Where it stands, in bytes.
    pub(crate) at: Range<usize>,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    /// Two or more, with `||` between them.
    Any(Vec<Expr>),
    /// Two or more, with `&&` between them.
    All(Vec<Expr>),
    Not(Box<Expr>),
    Compare(Op, Box<(Expr, Expr)>),
    In(Box<(Expr, Expr)>),
    Has(Path),
    Path(Path),
    Bool(bool),
    Text(Box<str>),
    Number(Literal),
    List(Vec<Expr>),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A number that a rule says.
#[derive(Debug)]
pub(crate) struct Literal {
    pub(crate) value: Number,
    /// As it is written, for decimals.
    pub(crate) text: Box<str>,
}

/// What is read.
#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) root: Root,
    /// The names behind it, from the outside in, each with its place.
    pub(crate) names: Vec<(Box<str>, Range<usize>)>,
}

/// Of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// The method's arguments, as JSON names them.
    Args,
    /// The identity's claims.
    Claims,
    /// What else is known of the identity.
    Identity,
}

impl Op {
    /// Whether it asks for the order.
    pub(crate) fn is_of_order(self) -> bool {
        !matches!(self, Op::Equal | Op::Unequal)
    }

    pub(crate) fn sign(self) -> &'static str {
        match self {
            Op::Equal => "==",
            Op::Unequal => "!=",
            Op::Less => "<",
            Op::LessOrEqual => "<=",
            Op::Greater => ">",
            Op::GreaterOrEqual => ">=",
        }
    }
}

impl Path {
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(name, _)| &**name)
    }

    /// Whether it is the list of scopes: `identity.scopes`, or `claims.scopes`.
    pub(crate) fn is_scopes(&self) -> bool {
        self.root != Root::Args && self.names.len() == 1 && self.texts().eq(["scopes"])
    }
}

impl Root {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Root::Args => "args",
            Root::Claims => "claims",
            Root::Identity => "identity",
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.root.name())?;
        self.texts().try_for_each(|name| match crate::lexer::is_name(name) {
            true => write!(f, ".{name}"),
            false => write!(f, "[{name:?}]"),
        })
    }
}
