//! Whom a part of a route's calls goes to: a backend, the instances of a version, or both. Shared by `split`, `shadow` and
//! `fallback`.

use super::complaint::Complaint;
use super::reader::{Item, Reader, Section};
use std::fmt;
use std::ops::Range;
use toml::de::DeValue;

/// The longest version, in bytes.
const MAX_VERSION: usize = 64;

/// Whom calls go to. What is not said is as the route says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DestinationSpec {
    /// The backend's name. Where there is one, a backend of that name is declared.
    pub backend: Option<String>,
    /// Only instances that say so of the method's service; 1 to 64 bytes.
    pub version: Option<String>,
    pub(super) spot: Spot,
}

/// Where something stands in its file. All are equal: what only moved has not changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Spot(pub(super) Range<usize>);

impl PartialEq for Spot {
    fn eq(&self, _: &Spot) -> bool {
        true
    }
}

impl Eq for Spot {}

impl DestinationSpec {
    /// Reads the keys `backend` and `version` of something that stands there.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        section: &Section<'_>,
        whole: Range<usize>,
    ) -> DestinationSpec {
        let backend = section.get("backend");
        let spot = Spot(backend.as_ref().map_or(whole, Item::span));
        let backend =
            backend.and_then(|item| reader.text(&item, "a backend's name", |text| Ok(text.to_owned())));
        let version = section.get("version").and_then(|item| version(reader, &item));
        DestinationSpec { backend, version, spot }
    }

    /// Whether it says anything. Where something must be said, it is reported already that it does not.
    pub(super) fn is_said(&self) -> bool {
        self.backend.is_some() || self.version.is_some()
    }

    /// The same with nothing left unsaid.
    pub(super) fn within<'d>(
        &'d self,
        backend: &'d str,
        version: Option<&'d str>,
    ) -> (&'d str, Option<&'d str>) {
        (self.backend.as_deref().unwrap_or(backend), self.version.as_deref().or(version))
    }
}

impl fmt::Display for DestinationSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.version.as_ref().map(|version| format!("@{version}")).unwrap_or_default();
        write!(f, "{}{at}", self.backend.as_deref().unwrap_or_default())
    }
}

/// Reads a version, as instances say it.
pub(super) fn version(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<String> {
    if let DeValue::Integer(number) = item.value.get_ref() {
        let complaint = Complaint::new("a version is a text", "in quotes?");
        return reader.complain(item, complaint.help(format!("write \"{number}\"")));
    }
    reader.text(item, "a version such as \"2\"", |text| {
        let well = (1..=MAX_VERSION).contains(&text.len()) && !text.chars().any(char::is_control);
        let bad = || Complaint::new("not a version", format!("expected 1 to {MAX_VERSION} bytes of text"));
        well.then(|| text.to_owned()).ok_or_else(bad)
    })
}
