//! A rule that was read: a condition that says something of a request, whatever schema it will meet.

use crate::error::RuleError;
use crate::expr::{Expr, Kind, Path, Root};
use crate::{check, parser};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;

/// How long a rule may be, in bytes.
pub const MAX_LENGTH: usize = 4096;

/// How many rules a route may have, with those of its file.
pub const MAX_RULES: usize = 32;

/// A rule.
pub struct Rule {
    text: Box<str>,
    expr: Expr,
}

impl Rule {
    /// Reads a rule.
    ///
    /// # Errors
    /// It is none, or says nothing of a request: the place, and what is wrong there.
    pub fn parse(text: &str) -> Result<Rule, RuleError> {
        if text.len() > MAX_LENGTH {
            let label = format!("this one has {}", text.len());
            let error =
                RuleError::new(0..text.len(), format!("a rule has more than {MAX_LENGTH} bytes"), label);
            return Err(error.help("write several rules: all of them count"));
        }
        let expr = parser::parse(text)?;
        check::condition(&expr)?;
        Ok(Rule { text: text.into(), expr })
    }

    /// As it is written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it reads who the caller is: claims, or what else is known of an identity. Then it denies whoever has none. To ask whether
    /// something is there is not to read it.
    pub fn reads_identity(&self) -> bool {
        let mut reads = false;
        each_read(&self.expr, &mut |path| reads |= path.root != Root::Args);
        reads
    }

    /// The names of the claims that it reads, of those that are within others the outermost; scopes are none. Each with its place.
    pub fn claims(&self) -> Vec<(&str, Range<usize>)> {
        let mut claims = Vec::new();
        each_read(&self.expr, &mut |path| {
            if let (Root::Claims, false, Some((name, at))) = (path.root, path.is_scopes(), path.names.first())
            {
                claims.push((&**name, at.clone()));
            }
        });
        claims
    }

    pub(crate) fn expr(&self) -> &Expr {
        &self.expr
    }
}

/// Tells of all that is read.
fn each_read<'e>(expr: &'e Expr, tell: &mut impl FnMut(&'e Path)) {
    match &expr.kind {
        Kind::Any(parts) | Kind::All(parts) | Kind::List(parts) => {
            parts.iter().for_each(|part| each_read(part, tell));
        }
        Kind::Not(inner) => each_read(inner, tell),
        Kind::Compare(_, both) | Kind::In(both) => {
            each_read(&both.0, tell);
            each_read(&both.1, tell);
        }
        Kind::Path(path) => tell(path),
        Kind::Has(_) | Kind::Bool(_) | Kind::Text(_) | Kind::Number(_) => {}
    }
}

/// Two are equal that are written alike.
impl PartialEq for Rule {
    fn eq(&self, other: &Rule) -> bool {
        self.text == other.text
    }
}

impl Eq for Rule {}

impl Hash for Rule {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rule").field(&self.text).finish()
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
