//! The parameters of a field's value, as `Content-Type` and `Content-Disposition` have them (RFC 9110, 5.6.6): `; charset=utf-8`.
//!
//! A backslash in a quoted string stands for itself, unless a quote or another backslash follows it. RFC 9110 would drop it; but
//! browsers write it into file names as it is, and programs escape only these two.

use crate::bytes::{blank_run, is_text, token_run};
use std::borrow::Cow;

/// What follows is no parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// A name, and a value.
type Parameter<'a> = (&'a str, Cow<'a, [u8]>);

/// The parameters of a value, in their order: names as they are written, and values without quotes. After an error there are no more.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a>(&'a [u8]);

impl<'a> Parameters<'a> {
    /// What stands before the first parameter, without blanks around it, and the parameters.
    pub fn split(value: &'a [u8]) -> (&'a [u8], Parameters<'a>) {
        let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
        let (first, rest) = value.split_at(end);
        (first.trim_ascii(), Parameters(rest))
    }

    /// The next one, if what follows is one.
    fn one(&mut self) -> Result<Option<Parameter<'a>>, Malformed> {
        // Empty ones are none.
        loop {
            self.skip(blank_run(self.0));
            match self.0.first() {
                None => return Ok(None),
                Some(b';') => self.skip(1),
                Some(_) => return Err(Malformed),
            }
            self.skip(blank_run(self.0));
            if !matches!(self.0.first(), None | Some(b';')) {
                break;
            }
        }
        let name = self.token()?;
        let Some(b'=') = self.0.first() else { return Err(Malformed) };
        self.skip(1);
        let value = match self.0.first() {
            Some(b'"') => self.quoted()?,
            _ => Cow::Borrowed(self.token()?.as_bytes()),
        };
        Ok(Some((name, value)))
    }

    fn skip(&mut self, count: usize) {
        self.0 = self.0.get(count..).unwrap_or_default();
    }

    fn token(&mut self) -> Result<&'a str, Malformed> {
        let (token, rest) = self.0.split_at(token_run(self.0));
        self.0 = rest;
        match std::str::from_utf8(token) {
            Ok(token) if !token.is_empty() => Ok(token),
            _ => Err(Malformed),
        }
    }

    fn quoted(&mut self) -> Result<Cow<'a, [u8]>, Malformed> {
        self.skip(1);
        let all = self.0;
        let (mut at, mut unescaped): (usize, Option<Vec<u8>>) = (0, None);
        loop {
            match (all.get(at), all.get(at + 1)) {
                (Some(b'"'), _) => break,
                (Some(b'\\'), Some(next @ (b'"' | b'\\'))) => {
                    unescaped.get_or_insert_with(|| all[..at].to_vec()).push(*next);
                    at += 2;
                }
                (Some(byte), _) if is_text(*byte) => {
                    if let Some(unescaped) = &mut unescaped {
                        unescaped.push(*byte);
                    }
                    at += 1;
                }
                _ => return Err(Malformed),
            }
        }
        self.skip(at + 1);
        Ok(unescaped.map_or(Cow::Borrowed(&all[..at]), Cow::Owned))
    }
}

impl<'a> Iterator for Parameters<'a> {
    type Item = Result<(&'a str, Cow<'a, [u8]>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let one = self.one();
        if one.is_err() {
            self.0 = &[];
        }
        one.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_tokens_or_quoted_strings() {
        for (value, first, expected) in [
            ("text/plain", "text/plain", Ok("")),
            (" a/b ; charset=utf-8", "a/b", Ok("charset=utf-8|")),
            ("a/b;charset=\"utf-8\"; x=1", "a/b", Ok("charset=utf-8|x=1|")),
            ("a/b;; ;x=1;", "a/b", Ok("x=1|")),
            (
                "form-data; name=\"a;b\\\"c\"; filename=\"C:\\x\\\\y\"",
                "form-data",
                Ok("name=a;b\"c|filename=C:\\x\\y|"),
            ),
            ("form-data; name=\"\u{e9}\"", "form-data", Ok("name=\u{e9}|")),
            ("a; x=\"\"", "a", Ok("x=|")),
            ("", "", Ok("")),
            ("a; x", "a", Err("")),
            ("a; x=", "a", Err("")),
            ("a; x =1", "a", Err("")),
            ("a; x= 1", "a", Err("")),
            ("a; y=1; x=\"b", "a", Err("y=1|")),
            ("a; y=1; x=\"b\\\"", "a", Err("y=1|")),
            ("a; y=1 z=2", "a", Err("y=1|")),
            ("a; y=\"1\"z=2", "a", Err("y=1|")),
            ("a; x=\u{e9}", "a", Err("")),
            ("a; x=\"\n\"", "a", Err("")),
        ] {
            let (found, parameters) = Parameters::split(value.as_bytes());
            assert_eq!(found, first.as_bytes(), "{value}");
            let mut shown = String::new();
            let mut all = Ok(());
            for one in parameters {
                match one {
                    Ok((name, value)) => shown += &format!("{name}={}|", String::from_utf8_lossy(&value)),
                    Err(error) => all = Err(error),
                }
            }
            assert_eq!(all.map(|()| shown.as_str()).map_err(|_| shown.as_str()), expected, "{value}");
        }
    }
}
