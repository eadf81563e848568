//! `client_certificate` of a route: whether its clients have to have shown one.

use super::reader::{Item, Reader};

/// Reads it: whether a certificate is required.
pub(super) fn read(reader: &mut Reader<'_>, item: &Item<'_>) -> bool {
    reader.choice(item, &[("required", true)]).unwrap_or_default()
}
