//! What a listener says of HTTPS to clients: that they are to come by it from now on (`hsts`), or at once (`https_redirect`).

use crate::config::complaint::Complaint;
use crate::config::reader::{Item, Reader};
use crate::config::shape::{Entry, Shape};
use crate::config::units;
use std::time::Duration;
use toml::de::DeValue;

const KEYS: &[Entry] = &[
    Entry::needed("max_age", Shape::Text, "for how long a browser comes by HTTPS only"),
    Entry::new("include_subdomains", Shape::Boolean, "also to all names below that of the request"),
    Entry::new("preload", Shape::Boolean, "the name may be put on the list that browsers bring along"),
];
/// What `hsts` may be.
pub(super) const HSTS: Shape = Shape::Table(KEYS);
/// What `https_redirect` may be.
pub(super) const REDIRECT: Shape = Shape::OneOf(&[Shape::Boolean, Shape::Integer(1..=u16::MAX as u64)]);
const EXPECTED: &str = "a table such as { max_age = \"1y\" }";
/// The port of `https` (RFC 9110, 4.2.2).
const PORT: u16 = 443;
const DAY: u64 = 24 * 3600;
const YEAR: u64 = 365 * DAY;

/// `Strict-Transport-Security` (RFC 6797).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hsts {
    /// For how many seconds a browser comes by HTTPS only; 0 has it forget that.
    pub max_age: u64,
    /// Also to all names below that of the request.
    pub include_subdomains: bool,
    /// The name may be put on the list that browsers bring along.
    pub preload: bool,
}

impl Hsts {
    /// The field's value.
    pub fn value(&self) -> String {
        let mut value = format!("max-age={}", self.max_age);
        let words = [(self.include_subdomains, "; includeSubDomains"), (self.preload, "; preload")];
        words.iter().filter(|(said, _)| *said).for_each(|(_, word)| value.push_str(word));
        value
    }
}

/// Reads `hsts`.
pub(super) fn read_hsts(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<Hsts> {
    let table = reader.table(item, EXPECTED)?;
    let section = reader.section("`hsts`", table, KEYS);
    let Some(max_age_item) = section.get("max_age") else {
        let complaint = Complaint::new("`hsts` needs `max_age`", "for how long?");
        return reader.complain(item, complaint.help("write max_age = \"1y\"; \"5m\" while you try it"));
    };
    let max_age = reader.text(&max_age_item, "a string such as \"1y\"", max_age);
    let mut word = |key| section.get(key).and_then(|item| reader.boolean(&item)).unwrap_or_default();
    let (include_subdomains, preload) = (word("include_subdomains"), word("preload"));
    let max_age = max_age?;
    if let Some(item) = section.get("preload")
        && preload
        && !(include_subdomains && max_age >= YEAR)
    {
        let label = "browsers' list takes names with a `max_age` of a year or more and `include_subdomains`";
        return reader
            .complain(&item, Complaint::new("`preload` asks for what browsers will not grant", label));
    }
    Some(Hsts { max_age, include_subdomains, preload })
}

/// Reads `https_redirect`: the port to which clients are sent, if they are.
pub(super) fn read_redirect(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<u16> {
    match item.value.get_ref() {
        DeValue::Boolean(true) => Some(PORT),
        DeValue::Boolean(false) => None,
        DeValue::Integer(_) => reader.integer(item).and_then(|port| u16::try_from(port).ok()),
        _ => reader.wrong_type(item.key, item.value, "true, or the port of HTTPS"),
    }
}

/// Seconds, of which there may be years.
fn max_age(text: &str) -> Result<u64, Complaint> {
    let long = [("d", DAY), ("y", YEAR)].into_iter().find_map(|(unit, seconds)| {
        let number = text.strip_suffix(unit)?.trim_end();
        number.parse::<u64>().ok()?.checked_mul(seconds)
    });
    let seconds = match long {
        Some(seconds) => seconds,
        None => units::duration(text).map(|time: Duration| time.as_secs()).map_err(|complaint| {
            complaint.help("`max_age` takes days and years as well: \"180d\", \"1y\"")
        })?,
    };
    if seconds > 10 * YEAR {
        return Err(Complaint::new("`max_age` is out of bounds", "expected at most 10y"));
    }
    Ok(seconds)
}
