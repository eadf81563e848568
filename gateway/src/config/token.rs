//! A secret that a request has to bring along. It is never shown.

use std::fmt;
use subtle::ConstantTimeEq;

/// The longest token in bytes.
const MAX_LENGTH: usize = 1024;

/// A token of visible ASCII characters, at least one.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

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
        Ok(Token(text.to_owned()))
    }

    /// Whether that is the token, in a time that does not tell how much of it is right.
    pub fn is(&self, given: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(given).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
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
        let token = Token::parse("s3cret").unwrap();
        assert!(token.is(b"s3cret") && !token.is(b"s3cre") && !token.is(b"s3cret1") && !token.is(b""));
        assert_eq!(format!("{token:?}"), "Token(…)");
    }
}
