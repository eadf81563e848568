//! A rule's text → tokens, by the grammar of CEL.

use crate::error::RuleError;
use crate::literal;
use crate::number::Number;
use std::ops::Range;

/// A token, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token<'s> {
    pub(crate) at: Range<usize>,
    pub(crate) kind: Lexeme<'s>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Lexeme<'s> {
    Name(&'s str),
    Text(String),
    Number(Number),
    /// A sign out of the list below.
    Sign(&'static str),
    End,
}

/// The signs, of which a longer one goes before what it begins with.
const SIGNS: [&str; 16] =
    ["&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", ",", ".", "-"];

/// The text that is left.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'s> {
    text: &'s str,
    at: usize,
}

/// Whether a text can stand behind a dot.
pub(crate) fn is_name(text: &str) -> bool {
    name(text) == text.len() && !text.is_empty() && !is_keyword(text)
}

/// Whether it is a word of the grammar.
pub(crate) fn is_keyword(name: &str) -> bool {
    matches!(name, "in" | "true" | "false" | "null")
}

/// How long the name is that a text begins with.
fn name(text: &str) -> usize {
    let is_part = |(at, byte): &(usize, u8)| match byte {
        b'_' | b'a'..=b'z' | b'A'..=b'Z' => true,
        b'0'..=b'9' => *at > 0,
        _ => false,
    };
    text.bytes().enumerate().take_while(is_part).count()
}

impl<'s> Lexer<'s> {
    pub(crate) fn new(text: &'s str) -> Lexer<'s> {
        Lexer { text, at: 0 }
    }

    /// The next token. Behind the last one comes `End`, as often as one asks.
    pub(crate) fn next(&mut self) -> Result<Token<'s>, RuleError> {
        self.skip();
        let (start, rest) = (self.at, self.rest());
        let Some(first) = rest.chars().next() else {
            return Ok(Token { at: start..start, kind: Lexeme::End });
        };
        let (length, kind) = if let Some(read) = literal::text(rest) {
            let (length, text) = read.map_err(|error| shifted(error, start))?;
            (length, Lexeme::Text(text))
        } else if let Some(read) = literal::number(rest) {
            let (length, number) = read.map_err(|error| shifted(error, start))?;
            (length, Lexeme::Number(number))
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            (sign.len(), Lexeme::Sign(sign))
        } else {
            match name(rest) {
                0 => return Err(unknown(first, start)),
                length => (length, Lexeme::Name(rest.get(..length).unwrap_or_default())),
            }
        };
        self.at += length;
        Ok(Token { at: start..self.at, kind })
    }

    /// Passes blanks, line ends and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with("//") {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    fn rest(&self) -> &'s str {
        self.text.get(self.at..).unwrap_or_default()
    }
}

fn shifted(error: RuleError, by: usize) -> RuleError {
    RuleError { at: error.at.start + by..error.at.end + by, ..error }
}

fn unknown(sign: char, at: usize) -> RuleError {
    let error = RuleError::new(
        at..at + sign.len_utf8(),
        format!("a rule has no `{}`", sign.escape_default()),
        "not known here",
    );
    match sign {
        '=' => error.help("write == to compare"),
        '&' => error.help("write &&"),
        '|' => error.help("write ||"),
        '+' | '*' | '/' | '%' => error.help("rules compare values and do not calculate"),
        '?' | ':' => error.help("write conditions with && and ||"),
        '{' | '}' => error.help("rules have lists and no maps"),
        '`' => error.help("write a name with other signs as args[\"x-y\"]"),
        '“' | '”' | '‘' | '’' => error.help("texts stand between \" or '"),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lexemes(text: &str) -> Vec<Lexeme<'_>> {
        let mut lexer = Lexer::new(text);
        let mut all = Vec::new();
        loop {
            match lexer.next().expect("tokens").kind {
                Lexeme::End => return all,
                lexeme => all.push(lexeme),
            }
        }
    }

    #[test]
    fn tokens_are_read_as_far_as_they_go() {
        use Lexeme::{Name, Sign, Text};
        assert_eq!(
            lexemes("args.a_1<=!x // what follows is said\n&&'y'"),
            [
                Name("args"),
                Sign("."),
                Name("a_1"),
                Sign("<="),
                Sign("!"),
                Name("x"),
                Sign("&&"),
                Text("y".to_owned())
            ]
        );
        assert_eq!(lexemes(" \t\r\n// nothing"), []);
        assert_eq!(lexemes("a.5"), [Name("a"), Lexeme::Number(Number::Float(0.5))]);
        assert_eq!(lexemes("rab"), [Name("rab")]);
    }

    #[test]
    fn what_is_no_token_is_told_with_what_is_meant() {
        for (text, at, help) in [
            ("a = b", 2..3, Some("write == to compare")),
            ("a & b", 2..3, Some("write &&")),
            ("a + 1", 2..3, Some("rules compare values and do not calculate")),
            ("a == “x”", 5..8, Some("texts stand between \" or '")),
            ("a # b", 2..3, None),
            ("a\0", 1..2, None),
        ] {
            let mut lexer = Lexer::new(text);
            let error = loop {
                match lexer.next() {
                    Ok(token) => assert_ne!(token.kind, Lexeme::End, "{text}"),
                    Err(error) => break error,
                }
            };
            assert_eq!((error.at, error.help.as_deref()), (at, help), "{text}");
        }
    }
}
