//! `shadow` of a route: a share of its calls copied to other instances, whose replies are dropped.

use super::complaint::Complaint;
use super::destination::DestinationSpec;
use super::diagnostics::Diagnostic;
use super::keys;
use super::reader::{Item, Reader, Section};
use super::shape::{Entry, Shape};
use toml::de::DeValue;

/// The keys of `shadow`.
const KEYS: &[Entry] = &[
    Entry::any(1, "backend", Shape::Text, "where the copies go"),
    Entry::any(1, "version", Shape::Text, "to instances of that version only"),
    Entry::needed("share", SHARE, "how many calls are copied, by chance"),
];
/// What a share of the calls may be.
pub(super) const SHARE: Shape = Shape::Like("^[0-9]{1,3}([.][0-9]{1,4})?%$");
/// What `shadow` may be.
pub(super) const SHAPE: Shape = Shape::Table(KEYS);

/// A share of calls that is copied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShadowSpec {
    /// Where the copies go: a backend, a version, or both.
    pub to: DestinationSpec,
    /// How many calls are copied.
    pub share: Share,
}

/// A part of a whole, in millionths; at most all of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share(u32);

impl Share {
    /// What all of it is.
    const WHOLE: u32 = 1_000_000;

    /// Nothing of it.
    pub const NONE: Share = Share(0);

    /// All of it.
    pub const ALL: Share = Share(Share::WHOLE);

    /// Reads percent with up to four decimals: `"10%"`, `"0.05%"`.
    pub(super) fn parse(text: &str) -> Result<Share, Complaint> {
        let bad =
            || Complaint::new(format!("`{text}` is no share of the calls"), "expected \"0%\" to \"100%\"");
        let number = text.strip_suffix('%').ok_or_else(bad)?;
        let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
        let digits =
            |text: &str, most| (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole, 3) || !digits(decimals, 4) {
            return Err(bad());
        }
        let share = format!("{whole}{decimals:0<4}").parse().map_err(|_| bad())?;
        if share <= Share::WHOLE { Ok(Share(share)) } else { Err(bad()) }
    }

    /// In percent.
    pub fn percent(self) -> f64 {
        f64::from(self.0) / f64::from(Share::WHOLE / 100)
    }

    /// Whether something belongs to it, by chance.
    #[inline]
    pub fn draw(self) -> bool {
        self.0 > 0 && fastrand::u32(..Share::WHOLE) < self.0
    }
}

/// Reads `shadow` of a route.
pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<ShadowSpec> {
    let item = section.get(keys::SHADOW.name)?;
    let table = reader.table(&item, "a table such as { backend = \"shop-next\", share = \"10%\" }")?;
    let inner = reader.section("`shadow`", table, KEYS);
    let to = DestinationSpec::read(reader, &inner, item.span());
    if inner.get("backend").is_none() && inner.get("version").is_none() {
        needs(reader, &item, "`backend` or `version`", "where do the copies go?", "backend = \"shop-next\"");
    }
    let Some(share) = inner.get("share") else {
        needs(reader, &item, "`share`", "how many calls are copied?", "share = \"10%\"");
        return Some(ShadowSpec { to, share: Share(0) });
    };
    // One that cannot be read is reported; whom the copies go to is looked at in any case.
    Some(ShadowSpec { to, share: read_share(reader, &share).unwrap_or(Share(0)) })
}

pub(super) fn read_share(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<Share> {
    if let DeValue::Integer(number) = item.value.get_ref() {
        let complaint = Complaint::new(format!("`{}` is written in percent", item.key), "percent?");
        return reader.complain(item, complaint.help(format!("write \"{number}%\"")));
    }
    reader.text(item, "a share such as \"10%\"", Share::parse)
}

fn needs(reader: &mut Reader<'_>, item: &Item<'_>, what: &str, label: &str, example: &str) {
    reader.report(
        Diagnostic::new(format!("`shadow` needs {what}"))
            .at(reader.source, item.span(), label)
            .help(format!("write {example}")),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_exact_to_a_ten_thousandth_of_a_percent() {
        for (text, expected) in [
            ("0%", Some(0)),
            ("10%", Some(100_000)),
            ("0.5%", Some(5_000)),
            ("0.0001%", Some(1)),
            ("99.9999%", Some(999_999)),
            ("100%", Some(1_000_000)),
            ("100.0001%", None),
            ("0.00001%", None),
            ("10", None),
            (".5%", None),
            ("5.%", None),
            ("-1%", None),
            ("+1%", None),
            ("1e2%", None),
            ("%", None),
        ] {
            assert_eq!(Share::parse(text).ok().map(|share| share.0), expected, "{text}");
        }
    }

    #[test]
    fn nothing_and_everything_are_exact() {
        let draws = |text| (0..10_000).filter(|_| Share::parse(text).unwrap().draw()).count();
        assert_eq!((draws("0%"), draws("100%")), (0, 10_000));
    }
}
