//! The URI by which clients know an error that a method declares: the `type` of its problem (RFC 9457, section 3.1.1).

use super::complaint::Complaint;
use std::fmt::Write;

/// What there is where nobody has a place for documentation.
const USUAL: &str = "urn:callgate:error:";

/// The longest beginning, in bytes.
const MAX_LENGTH: usize = 256;

/// How the URIs of all errors begin. Method and error follow: `orders.place/OutOfStock`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ErrorTypes(String);

impl Default for ErrorTypes {
    fn default() -> ErrorTypes {
        ErrorTypes(USUAL.to_owned())
    }
}

impl ErrorTypes {
    /// Takes the beginning of an absolute URI.
    pub(super) fn parse(text: &str) -> Result<ErrorTypes, Complaint> {
        let why = if !has_scheme(text) {
            "it must be absolute, such as \"https://errors.example.com/\""
        } else if text.len() > MAX_LENGTH {
            "it is longer than 256 bytes"
        } else if !text.bytes().all(|byte| is_plain(byte) || b":/?#@!$&'()*+,;=%".contains(&byte)) {
            "it has characters that a URI does not have"
        } else if text.split('%').skip(1).any(|rest| !starts_with_two_digits(rest)) {
            "it has a `%` without two hexadecimal digits"
        } else if text.bytes().filter(|byte| *byte == b'#').count() > 1 {
            "it has a second `#`"
        } else {
            return Ok(ErrorTypes(text.to_owned()));
        };
        Err(Complaint::new("`error_types` is how the URIs of errors begin", why))
    }

    /// The URI of an error of that method.
    pub fn uri(&self, method: &str, error: &str) -> String {
        let mut uri = self.0.clone();
        put(&mut uri, method);
        uri.push('/');
        put(&mut uri, error);
        uri
    }
}

/// Appends a name, of which what is not plain is percent-encoded.
fn put(uri: &mut String, name: &str) {
    for byte in name.bytes() {
        match is_plain(byte) {
            true => uri.push(char::from(byte)),
            // Writing to a string does not fail.
            false => drop(write!(uri, "%{byte:02X}")),
        }
    }
}

/// Whether a byte means nothing but itself everywhere in a URI (RFC 3986, section 2.3).
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn has_scheme(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(':') else { return false };
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn starts_with_two_digits(text: &str) -> bool {
    text.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_a_uri_whatever_its_name_is() {
        let usual = ErrorTypes::default();
        assert_eq!(ErrorTypes::parse(USUAL).ok(), Some(usual.clone()));
        for (error, expected) in [
            ("OutOfStock", "urn:callgate:error:orders.place/OutOfStock"),
            ("out_of-stock.2~", "urn:callgate:error:orders.place/out_of-stock.2~"),
            ("a b/c?#%é", "urn:callgate:error:orders.place/a%20b%2Fc%3F%23%25%C3%A9"),
            ("", "urn:callgate:error:orders.place/"),
        ] {
            assert_eq!(usual.uri("orders.place", error), expected);
        }
        let own = ErrorTypes::parse("https://errors.example.com/v1#").unwrap();
        assert_eq!(own.uri("orders.place", "Late"), "https://errors.example.com/v1#orders.place/Late");
    }

    #[test]
    fn what_does_not_begin_a_uri_is_refused() {
        for text in ["", "/errors/", "errors", "1a:b", ":x", "h ttp://x", "https://x/ö", "https://x/ a"] {
            assert!(ErrorTypes::parse(text).is_err(), "{text}");
        }
        for text in ["https://x/%", "https://x/%a", "https://x/%ag", "https://x/#a#", "a:\"", "a:{"] {
            assert!(ErrorTypes::parse(text).is_err(), "{text}");
        }
        assert!(ErrorTypes::parse(&format!("a:{}", "b".repeat(255))).is_err());
        for text in ["https://x/%C3/", "tag:example.com,2026:errors/", "https://x/?of=", "a:"] {
            assert!(ErrorTypes::parse(text).is_ok(), "{text}");
        }
    }
}
