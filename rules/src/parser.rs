//! Tokens → a tree, by CEL's grammar as far as rules go: conditions, comparisons, lists, and what is read.
//!
//! It recurses where conditions stand within conditions, which [`MAX_DEPTH`] bounds, and makes [`MAX_PARTS`] parts at most.

mod path;

use crate::error::RuleError;
use crate::expr::{Expr, Kind, Literal, Op};
use crate::lexer::{Lexeme, Lexer, Token};
use crate::number::Number;
use std::ops::Range;

/// How deep parentheses, lists and `!` may nest.
const MAX_DEPTH: usize = 32;

/// How many parts a rule may have: values, what is read, comparisons, conditions.
const MAX_PARTS: usize = 256;

type Result<T> = std::result::Result<T, RuleError>;

/// Reads a rule.
pub(crate) fn parse(text: &str) -> Result<Expr> {
    let mut lexer = Lexer::new(text);
    let next = lexer.next()?;
    let mut parser = Parser { text, lexer, next, end: 0, depth: 0, parts: 0 };
    let expr = parser.any()?;
    match parser.next.kind {
        Lexeme::End => Ok(expr),
        _ => Err(parser.unexpected("an operator, such as == or &&, or the end of the rule")),
    }
}

struct Parser<'s> {
    text: &'s str,
    lexer: Lexer<'s>,
    next: Token<'s>,
    /// Where the token before ends.
    end: usize,
    depth: usize,
    parts: usize,
}

impl<'s> Parser<'s> {
    /// Takes the next token.
    fn take(&mut self) -> Result<Token<'s>> {
        let next = self.lexer.next()?;
        self.end = self.next.at.end;
        Ok(std::mem::replace(&mut self.next, next))
    }

    /// Takes the next token if it is that sign.
    fn take_sign(&mut self, sign: &str) -> Result<bool> {
        let is_it = self.next.kind == Lexeme::Sign(self.known(sign));
        if is_it {
            self.take()?;
        }
        Ok(is_it)
    }

    fn known(&self, sign: &str) -> &'static str {
        match self.next.kind {
            Lexeme::Sign(next) if next == sign => next,
            _ => "",
        }
    }

    fn unexpected(&self, expected: &str) -> RuleError {
        let Token { at, kind } = &self.next;
        let written = self.text.get(at.clone()).unwrap_or_default();
        let (title, at) = match kind {
            Lexeme::End => ("the rule ends too early".to_owned(), at.clone()),
            _ => (format!("`{written}` is not expected here"), at.clone()),
        };
        RuleError::new(at, title, format!("expected {expected}"))
    }

    fn expr(&mut self, start: usize, kind: Kind) -> Result<Expr> {
        let at = start..self.end;
        self.parts += 1;
        if self.parts > MAX_PARTS {
            let title = format!("a rule has more than {MAX_PARTS} parts");
            return Err(RuleError::new(at, title, "too many").help("write several rules: all of them count"));
        }
        Ok(Expr { at, kind })
    }

    /// What stands within something else.
    fn nested<T>(&mut self, at: Range<usize>, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let title = format!("a rule nests deeper than {MAX_DEPTH}");
            return Err(RuleError::new(at, title, "too deep"));
        }
        let read = read(self)?;
        self.depth -= 1;
        Ok(read)
    }

    fn any(&mut self) -> Result<Expr> {
        self.joined("||", Parser::all, Kind::Any)
    }

    fn all(&mut self) -> Result<Expr> {
        self.joined("&&", Parser::relation, Kind::All)
    }

    fn joined(
        &mut self,
        sign: &str,
        mut part: impl FnMut(&mut Self) -> Result<Expr>,
        join: fn(Vec<Expr>) -> Kind,
    ) -> Result<Expr> {
        let start = self.next.at.start;
        let first = part(self)?;
        if self.known(sign).is_empty() {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.take_sign(sign)? {
            parts.push(part(self)?);
        }
        self.expr(start, join(parts))
    }

    fn relation(&mut self) -> Result<Expr> {
        let start = self.next.at.start;
        let left = self.unary()?;
        let Some(relation) = self.take_relation()? else { return Ok(left) };
        let both = Box::new((left, self.unary()?));
        let kind = match relation {
            Some(op) => Kind::Compare(op, both),
            None => Kind::In(both),
        };
        let expr = self.expr(start, kind)?;
        let at = self.next.at.clone();
        if self.take_relation()?.is_some() {
            let error = RuleError::new(at, "comparisons do not follow each other", "a second one");
            return Err(error.help("join them with &&: a < b && b < c"));
        }
        Ok(expr)
    }

    /// How two values are compared, if that is what comes next: `None` inside for `in`.
    fn take_relation(&mut self) -> Result<Option<Option<Op>>> {
        let relation = match self.next.kind {
            Lexeme::Name("in") => None,
            Lexeme::Sign("==") => Some(Op::Equal),
            Lexeme::Sign("!=") => Some(Op::Unequal),
            Lexeme::Sign("<") => Some(Op::Less),
            Lexeme::Sign("<=") => Some(Op::LessOrEqual),
            Lexeme::Sign(">") => Some(Op::Greater),
            Lexeme::Sign(">=") => Some(Op::GreaterOrEqual),
            _ => return Ok(None),
        };
        self.take()?;
        Ok(Some(relation))
    }

    fn unary(&mut self) -> Result<Expr> {
        let at = self.next.at.clone();
        if self.take_sign("!")? {
            let inner = self.nested(at.clone(), Parser::unary)?;
            return self.expr(at.start, Kind::Not(Box::new(inner)));
        }
        if self.take_sign("-")? {
            return self.number(at.start, true);
        }
        self.primary()
    }

    fn number(&mut self, start: usize, is_negative: bool) -> Result<Expr> {
        let Lexeme::Number(value) = self.next.kind else {
            return Err(self.unexpected("a number behind the minus"));
        };
        self.take()?;
        let written = self.text.get(start..self.end).unwrap_or_default();
        let value = match value {
            value if !is_negative => Some(value),
            Number::Integer(value) => Some(Number::Integer(-value)),
            // The one integer that is larger only without its sign.
            Number::Large(value) => (value == 1 << 127).then_some(Number::Integer(i128::MIN)),
            Number::Float(value) => Some(Number::Float(-value)),
        };
        let value = value.ok_or_else(|| {
            RuleError::new(start..self.end, "a number is out of range", "smaller than any value can be")
        })?;
        let text = written.split_whitespace().collect::<String>().trim_end_matches(['u', 'U']).into();
        self.expr(start, Kind::Number(Literal { value, text }))
    }

    fn primary(&mut self) -> Result<Expr> {
        let Token { at, kind } = self.next.clone();
        match kind {
            Lexeme::Number(_) => self.number(at.start, false),
            Lexeme::Text(text) => {
                self.take()?;
                self.expr(at.start, Kind::Text(text.into()))
            }
            Lexeme::Sign("(") => {
                self.take()?;
                let inner = self.nested(at.clone(), Parser::any)?;
                self.close(")", &at)?;
                Ok(Expr { at: at.start..self.end, ..inner })
            }
            Lexeme::Sign("[") => self.list(at),
            Lexeme::Name(name) if !matches!(name, "in") => {
                self.take()?;
                self.named(name, at)
            }
            _ => Err(self.unexpected("a value, such as args.tenant, 'text' or 10")),
        }
    }

    fn list(&mut self, at: Range<usize>) -> Result<Expr> {
        self.take()?;
        let items = self.nested(at.clone(), |parser| {
            let mut items = Vec::new();
            while parser.known("]").is_empty() {
                items.push(parser.unary()?);
                if !parser.take_sign(",")? {
                    break;
                }
            }
            Ok(items)
        })?;
        self.close("]", &at)?;
        self.expr(at.start, Kind::List(items))
    }

    /// Takes the sign that ends what was opened there.
    fn close(&mut self, sign: &str, opened: &Range<usize>) -> Result<()> {
        if self.take_sign(sign)? {
            return Ok(());
        }
        let opening = self.text.get(opened.clone()).unwrap_or_default();
        Err(self.unexpected(&format!("`{sign}`, which ends what `{opening}` has opened")))
    }

    /// What begins with a name that was taken.
    fn named(&mut self, name: &str, at: Range<usize>) -> Result<Expr> {
        let kind = match name {
            "true" | "false" => Kind::Bool(name == "true"),
            "null" => {
                let error = RuleError::new(
                    at,
                    "nothing is compared with null",
                    "what is null denies when it is read",
                );
                return Err(error.help("write has(args.x) or !has(args.x)"));
            }
            "has" => return self.has(at),
            _ if !self.known("(").is_empty() => {
                let error = RuleError::new(at, format!("a rule has no function `{name}`"), "not known here");
                return Err(error.help("the only one is has(…)"));
            }
            _ => Kind::Path(self.path(name, at.clone())?),
        };
        self.expr(at.start, kind)
    }
}
