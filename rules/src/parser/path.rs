//! What is read: a root, and the names behind it.

use super::{Parser, Result};
use crate::error::RuleError;
use crate::expr::{Expr, Kind, Path, Root};
use crate::lexer::{Lexeme, is_keyword, is_name};
use std::ops::Range;

/// How many names may follow a root.
const MAX_NAMES: usize = 16;

impl Parser<'_> {
    /// `has(…)`, of which the name was taken.
    pub(super) fn has(&mut self, at: Range<usize>) -> Result<Expr> {
        let opened = self.next.at.clone();
        if !self.take_sign("(")? {
            return Err(self.unexpected("`(` and what may be absent, such as has(args.limit)"));
        }
        let within = self.next.clone();
        let Lexeme::Name(name) = within.kind else {
            return Err(self.unexpected("what may be absent, such as args.limit"));
        };
        self.take()?;
        let path = self.path(name, within.at)?;
        self.close(")", &opened)?;
        self.expr(at.start, Kind::Has(path))
    }

    /// The names behind a root that was taken.
    pub(super) fn path(&mut self, root: &str, at: Range<usize>) -> Result<Path> {
        let root = match root {
            "args" => Root::Args,
            "claims" => Root::Claims,
            "identity" => Root::Identity,
            _ => return Err(unknown_root(root, at)),
        };
        let mut names = Vec::new();
        loop {
            let opened = self.next.at.clone();
            if self.take_sign(".")? {
                names.push(self.name()?);
            } else if self.take_sign("[")? {
                let Lexeme::Text(text) = self.next.kind.clone() else {
                    let error = self.unexpected("a name in quotes, such as [\"x-y\"]");
                    return Err(error.help("items of a list are looked at with `in` only"));
                };
                let at = self.take()?.at;
                self.close("]", &opened)?;
                names.push((text.into(), at));
            } else {
                break;
            }
            if names.len() > MAX_NAMES {
                let title = format!("more than {MAX_NAMES} names follow `{}`", root.name());
                return Err(RuleError::new(at.start..self.end, title, "too many"));
            }
        }
        if names.is_empty() {
            let label = "which part of it?";
            let error = RuleError::new(at, format!("`{}` is not one value", root.name()), label);
            return Err(error.help(format!("write {}", example(root))));
        }
        if !self.known("(").is_empty() {
            let error = RuleError::new(at.start..self.end, "a rule has no methods", "this would be called");
            return Err(error.help("the only function is has(…)"));
        }
        Ok(Path { root, names })
    }

    /// The name behind a dot.
    fn name(&mut self) -> Result<(Box<str>, Range<usize>)> {
        match self.next.kind {
            Lexeme::Name(name) if is_name(name) => Ok((name.into(), self.take()?.at)),
            Lexeme::Name(name) if is_keyword(name) => Err(self
                .unexpected("a name behind the dot")
                .help(format!("write [{name:?}] without the dot"))),
            _ => Err(self.unexpected("a name behind the dot")),
        }
    }
}

fn unknown_root(name: &str, at: Range<usize>) -> RuleError {
    let error = RuleError::new(at, format!("a rule reads no `{name}`"), "not known here");
    match name {
        "request" | "arg" | "argument" | "arguments" | "body" | "params" | "input" => {
            error.help("the method's arguments are args, such as args.tenant")
        }
        "claim" | "token" | "jwt" | "auth" | "user" | "principal" => error
            .help("who asks is in claims, such as claims.tenant, and in identity.name and identity.scopes"),
        "and" | "or" | "not" => error.help("write &&, || and !"),
        _ => error.help("rules read args, claims and identity; a text stands in quotes"),
    }
}

fn example(root: Root) -> &'static str {
    match root {
        Root::Args => "args.tenant, with the name of an argument",
        Root::Claims => "claims.tenant, with the name of a claim",
        Root::Identity => "identity.name or identity.scopes",
    }
}
