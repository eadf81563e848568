//! Names of header fields. Those that the gateway itself reads of requests are known beforehand: where their lines are is noted while a
//! head is parsed. A name that a table gives becomes one of them, or is searched in each request of the routes that ask for it.

use callgate_http1::{Known, KnownNames};
use std::fmt;

/// The name of a header field.
#[derive(Clone, PartialEq, Eq)]
pub struct FieldName(pub(super) Form);

/// How its lines are found in a request.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Form {
    Known(Known),
    /// None of those. In lower case.
    Other(Box<str>),
}

macro_rules! known_names {
    ($($constant:ident = $text:literal, $shown:literal;)+) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Place { $($constant),+ }

        $(
            #[doc = concat!("`", $shown, "`")]
            pub(crate) static $constant: FieldName = FieldName(Form::Known(Known(Place::$constant as u8)));
        )+

        const TEXTS: &[&str] = &[$($text),+];
        /// The same as people are used to see them.
        const SHOWN: [&str; TEXTS.len()] = [$($shown),+];
    };
}

known_names! {
    ACCEPT = "accept", "Accept";
    ACCESS_CONTROL_REQUEST_METHOD = "access-control-request-method", "Access-Control-Request-Method";
    AUTHORIZATION = "authorization", "Authorization";
    CONTENT_ENCODING = "content-encoding", "Content-Encoding";
    CONTENT_TYPE = "content-type", "Content-Type";
    COOKIE = "cookie", "Cookie";
    FORWARDED = "forwarded", "Forwarded";
    GRPC_TIMEOUT = "grpc-timeout", "Grpc-Timeout";
    IDEMPOTENCY_KEY = "idempotency-key", "Idempotency-Key";
    IF_NONE_MATCH = "if-none-match", "If-None-Match";
    ORIGIN = "origin", "Origin";
    TRACEPARENT = "traceparent", "traceparent";
    TRACESTATE = "tracestate", "tracestate";
    X_API_KEY = "x-api-key", "X-Api-Key";
    X_FORWARDED_FOR = "x-forwarded-for", "X-Forwarded-For";
    X_REQUEST_ID = "x-request-id", "X-Request-Id";
    X_REQUEST_TIMEOUT = "x-request-timeout", "X-Request-Timeout";
}

/// The names that are found while the head of a request is parsed.
pub(crate) static NAMES: KnownNames = KnownNames::new(TEXTS);

impl FieldName {
    /// That name, in lower case.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Form::Known(known) => TEXTS[usize::from(known.0)],
            Form::Other(name) => name,
        }
    }

    /// As a message to a client has it.
    pub(super) fn shown(&self) -> &str {
        match &self.0 {
            Form::Known(known) => SHOWN[usize::from(known.0)],
            Form::Other(name) => name,
        }
    }
}

impl From<&str> for FieldName {
    /// A name in either case.
    fn from(name: &str) -> FieldName {
        let known = TEXTS.iter().position(|known| known.eq_ignore_ascii_case(name));
        FieldName(match known {
            // There are at most 32.
            Some(at) => Form::Known(Known(at as u8)),
            None => Form::Other(name.to_ascii_lowercase().into()),
        })
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_or_not_whatever_its_case() {
        for (text, expected) in [("Cookie", &COOKIE), ("x-request-TIMEOUT", &X_REQUEST_TIMEOUT)] {
            let name = FieldName::from(text);
            assert_eq!((&name, name.as_str()), (expected, &*text.to_ascii_lowercase()));
            assert!(matches!(name.0, Form::Known(_)), "{text}");
        }
        let other = FieldName::from("X-Tenant");
        assert!(matches!(&other.0, Form::Other(name) if **name == *"x-tenant"));
        assert_eq!(format!("{other} {other:?}"), "x-tenant \"x-tenant\"");
        assert_eq!((other.shown(), &other), ("x-tenant", &FieldName::from("x-tenant")));
    }

    #[test]
    fn known_names_are_shown_in_their_usual_case() {
        for name in TEXTS.iter().map(|text| FieldName::from(*text)) {
            assert_eq!(name.shown().to_ascii_lowercase(), name.as_str());
        }
    }
}
