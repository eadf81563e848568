//! The token: a secret that a caller brings along in its HELLO, where a backend lets in only callers that know it. It is
//! compared in a time that tells nothing of it, and never shown.

use std::fmt;
use std::sync::Arc;
use subtle::{Choice, ConstantTimeEq};

/// The longest token in bytes.
const MAX_LENGTH: usize = 1024;

/// The most tokens that are valid at a time.
const MAX_TOKENS: usize = 16;

/// A token of visible ASCII characters, at least one.
#[derive(Clone)]
pub struct Token(Arc<[u8]>);

impl Token {
    /// Takes a text for a token.
    ///
    /// # Errors
    ///
    /// Why it cannot be one, without saying what it is.
    pub fn parse(text: &str) -> Result<Token, &'static str> {
        if text.is_empty() {
            return Err("it is empty");
        }
        if text.len() > MAX_LENGTH {
            return Err("it is longer than 1024 bytes");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it has other characters than visible ASCII ones, which no header carries");
        }
        Ok(Token(text.as_bytes().into()))
    }

    /// What a peer has brought, whatever it is.
    pub(crate) fn brought(bytes: &[u8]) -> Token {
        Token(bytes.into())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether that is the token, in a time that does not tell how much of it is right.
    pub fn is(&self, given: &[u8]) -> bool {
        self.0.ct_eq(given).into()
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Token) -> bool {
        self.is(&other.0)
    }
}

impl Eq for Token {}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The tokens that are valid at a time, one at least: while one takes the place of another, both are. A caller brings the
/// first one along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens(Vec<Token>);

impl Tokens {
    /// Reads tokens, one a line. Empty lines count nothing.
    ///
    /// # Errors
    ///
    /// Why these are none, without saying what they are.
    pub fn parse(text: &str) -> Result<Tokens, &'static str> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let tokens = lines.map(Token::parse).collect::<Result<Vec<_>, _>>()?;
        match tokens.len() {
            0 => Err("it is empty"),
            1..=MAX_TOKENS => Ok(Tokens(tokens)),
            _ => Err("it has more than 16 tokens"),
        }
    }

    /// The one that a caller brings along.
    pub fn first(&self) -> Option<&Token> {
        self.0.first()
    }

    /// Whether that is one of them, in a time that tells neither which one nor how much of it is right.
    pub fn accept(&self, brought: &Token) -> bool {
        let any = self.0.iter().fold(Choice::from(0), |any, token| any | token.0.ct_eq(&brought.0));
        any.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_what_a_header_can_carry_and_is_not_shown() {
        for wrong in ["", "a b", "ä", "a\n", &"x".repeat(1025)] {
            assert!(Token::parse(wrong).is_err(), "{wrong}");
        }
        let token = Token::parse("s3cret").expect("a token");
        assert!(token.is(b"s3cret") && !token.is(b"s3cre") && !token.is(b"s3cret1") && !token.is(b""));
        assert_eq!(format!("{token:?}"), "Token(…)");
    }

    #[test]
    fn any_of_several_tokens_is_accepted_and_the_first_is_brought_along() {
        let tokens = Tokens::parse("new\r\n\n old \n").expect("two tokens");
        assert_eq!(tokens.first(), Token::parse("new").ok().as_ref());
        for (brought, accepted) in
            [("new", true), ("old", true), ("ol", false), ("older", false), ("", false)]
        {
            assert_eq!(tokens.accept(&Token::brought(brought.as_bytes())), accepted, "{brought}");
        }
        assert_eq!(format!("{tokens:?}"), "Tokens([Token(…), Token(…)])");
    }

    #[test]
    fn what_holds_no_token_or_too_many_is_refused() {
        assert_eq!(Tokens::parse(" \n\n"), Err("it is empty"));
        assert!(Tokens::parse("a b").is_err());
        assert!(Tokens::parse(&"x\n".repeat(17)).is_err() && Tokens::parse(&"x\n".repeat(16)).is_ok());
    }
}
