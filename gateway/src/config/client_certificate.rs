//! `client_certificate` of a route: whether its clients have to have shown one.

use super::reader::{Item, Reader};
use super::shape::{Shape, words};

const CHOICES: [(&str, bool); 1] = [("required", true)];
/// What `client_certificate` may be.
pub(super) const SHAPE: Shape = Shape::Words(&words(&CHOICES));

/// Reads it: whether a certificate is required.
pub(super) fn read(reader: &mut Reader<'_>, item: &Item<'_>) -> bool {
    reader.choice(item, &CHOICES).unwrap_or_default()
}
