//! `security_headers` of a file or a route: what replies tell browsers to be careful with, by what the replies are.

use super::complaint::Complaint;
use super::reader::{Item, Reader};
use super::shape::{Shape, words};
use toml::de::DeValue;

/// A header: its name in lower case, and what it says.
type Header = (&'static str, &'static str);

/// Of an API, whose replies are read by programs: nothing is loaded, framed or guessed.
const API: &[Header] = &[
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Of pages, which people see: what they load and do is theirs to say.
const PAGE: &[Header] = &[
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "frame-ancestors 'self'"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

const CHOICES: [(&str, SecurityHeaders); 2] =
    [("api", SecurityHeaders::Api), ("page", SecurityHeaders::Page)];
/// What `security_headers` may be.
pub(super) const SHAPE: Shape = Shape::OneOf(&[Shape::Words(&words(&CHOICES)), Shape::Only(false)]);

/// Which headers a route's replies have for browsers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SecurityHeaders {
    /// Nothing is said: those of its file, if any.
    #[default]
    Unsaid,
    /// `false`: none, whatever its file says.
    Off,
    /// Those of an API.
    Api,
    /// Those of pages.
    Page,
}

impl SecurityHeaders {
    /// The headers: names in lower case, and values.
    pub fn headers(self) -> &'static [Header] {
        match self {
            SecurityHeaders::Unsaid | SecurityHeaders::Off => &[],
            SecurityHeaders::Api => API,
            SecurityHeaders::Page => PAGE,
        }
    }

    /// As the tables write it, if there are any.
    pub fn name(self) -> Option<&'static str> {
        match self {
            SecurityHeaders::Unsaid | SecurityHeaders::Off => None,
            SecurityHeaders::Api => Some("api"),
            SecurityHeaders::Page => Some("page"),
        }
    }

    /// The same, or what the file says where this says nothing.
    pub(super) fn or(self, file: SecurityHeaders) -> SecurityHeaders {
        if self == SecurityHeaders::Unsaid { file } else { self }
    }

    /// Reads `security_headers`.
    pub(super) fn read(reader: &mut Reader<'_>, item: &Item<'_>) -> SecurityHeaders {
        match item.value.get_ref() {
            DeValue::Boolean(false) => SecurityHeaders::Off,
            DeValue::Boolean(true) => {
                let complaint = Complaint::new("`security_headers` says what the replies are", "which?");
                let help = "write \"api\" for what programs read, or \"page\" for what people see";
                reader.complain::<()>(item, complaint.help(help));
                SecurityHeaders::Unsaid
            }
            _ => reader.choice(item, &CHOICES).unwrap_or_default(),
        }
    }
}
