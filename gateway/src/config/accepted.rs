//! `accept_exposure` of a file: what a change opens that is meant so. It names exactly one difference, or several, by what the refusal has
//! printed.
//!
//! ```toml
//! accept_exposure = "5b1e0a3cc4d2f907"
//! ```

use super::complaint::Complaint;
use super::keys;
use super::reader::{Reader, Section};
use super::shape::Shape;
use toml::de::DeValue;

/// How long the name of a difference is, in hex digits.
const DIGITS: usize = 16;

const HASH: Shape = Shape::Like("^[0-9A-Fa-f]{16}$");
/// What `accept_exposure` of a file may be.
pub(super) const SHAPE: Shape = Shape::OneOf(&[HASH, Shape::List(&HASH, 0..=usize::MAX)]);

/// Reads what a file accepts.
pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Vec<String> {
    let Some(item) = section.get(keys::ACCEPT_EXPOSURE) else { return Vec::new() };
    let hash = |text: &str| match text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(Complaint::new(format!("`{text}` names no difference"), "expected 16 hex digits")
            .help("a change that opens something is refused with the line that accepts it")),
    };
    match item.value.get_ref() {
        DeValue::Array(_) => {
            let all = reader.texts(&item, "[\"5b1e0a3cc4d2f907\"]", hash).unwrap_or_default();
            all.into_iter().map(|(hash, _)| hash).collect()
        }
        _ => reader.text(&item, "what the refusal has printed", hash).into_iter().collect(),
    }
}
