//! Names of services and methods: what every language, a route and a macro can write.
//!
//! A method's name is a word: a letter or `_`, then letters, digits, `_` and `-`, all ASCII. A service's is one or more words with
//! full stops between them. So the last full stop of `acme.orders.quote` divides service and method.

use crate::limits::MAX_OFFER_NAME;

/// Whether a service can have that name.
pub fn is_service_name(name: &str) -> bool {
    name.len() <= MAX_OFFER_NAME && name.split('.').all(is_word)
}

/// Whether a method can have that name.
pub fn is_method_name(name: &str) -> bool {
    name.len() <= MAX_OFFER_NAME && is_word(name)
}

fn is_word(text: &str) -> bool {
    let begins = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    let goes_on = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    text.as_bytes().first().is_some_and(begins) && text.bytes().all(goes_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_and_those_of_services_may_be_several() {
        for (name, service, method) in [
            ("orders", true, true),
            ("_quote-2", true, true),
            ("acme.orders.V1", true, false),
            (&*"n".repeat(128), true, true),
            (&*"n".repeat(129), false, false),
            ("", false, false),
            (".", false, false),
            ("acme.", false, false),
            (".orders", false, false),
            ("a..b", false, false),
            ("7up", false, false),
            ("a.7", false, false),
            ("-a", false, false),
            ("größe", false, false),
            ("a b", false, false),
            ("a/b", false, false),
        ] {
            assert_eq!((is_service_name(name), is_method_name(name)), (service, method), "{name}");
        }
    }
}
