//! `trailing_slash` of a file: what a slash at the end of a path means that its route does not have, or the absence of one that it has.

use super::keys;
use super::reader::{Reader, Section};
use super::shape::{Shape, words};

const CHOICES: [(&str, TrailingSlash); 3] = [
    ("strict", TrailingSlash::Strict),
    ("redirect", TrailingSlash::Redirect),
    ("ignore", TrailingSlash::Ignore),
];
pub(super) const SHAPE: Shape = Shape::Words(&words(&CHOICES));

/// What becomes of a request whose path is a route's but for a slash at its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TrailingSlash {
    /// It is another path.
    #[default]
    Strict,
    /// Its client is sent to the path as the route has it.
    Redirect,
    /// The route takes it.
    Ignore,
}

impl TrailingSlash {
    /// As the tables write it.
    pub fn name(self) -> &'static str {
        CHOICES.iter().find(|(_, one)| *one == self).map_or("", |(name, _)| name)
    }

    /// Reads `trailing_slash` of a file.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> TrailingSlash {
        let item = section.get(keys::TRAILING_SLASH);
        item.and_then(|item| reader.choice(&item, &CHOICES)).unwrap_or_default()
    }
}
