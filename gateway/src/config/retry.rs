//! How a route's calls are tried again: `retry` and `idempotent` of a route, `retry_budget` and `hold` of a backend.

use super::complaint::Complaint;
use super::keys;
use super::reader::{Item, Reader, Section};
use super::shape::{Entry, Shape};
use crate::method::Method;
use std::ops::RangeInclusive;
use std::time::Duration;
use toml::de::DeValue;

/// The keys of `retry`.
const KEYS: &[Entry] = &[
    Entry::new("attempts", Shape::Integer(1..=10), "how often a call is sent at most"),
    Entry::new(
        "on",
        Shape::List(&Shape::Words(&ON), 1..=usize::MAX),
        "after which failures it is sent again",
    ),
    Entry::new("per_try_timeout", Shape::Duration(TRY_TIMES), "how long each attempt may take"),
    Entry::new(
        "hedge",
        Shape::Like("^p[0-9]{2}$"),
        "when an attempt takes longer than this percentile of the route's recent calls",
    ),
];
const ON: [&str; 3] = ["refused", "lost", "unavailable"];
/// What `retry` may be.
pub(super) const SHAPE: Shape = Shape::OneOf(&[Shape::Only(false), Shape::Table(KEYS)]);
/// What `retry_budget` of a backend may be.
pub(super) const BUDGET_SHAPE: Shape = Shape::Like("^[0-9]{1,3}%$");
const TRY_TIMES: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(24 * 3600);
/// Below the median every second call would be sent twice.
const PERCENTILES: RangeInclusive<u8> = 50..=99;

/// How long a call may be held, unless the table says otherwise.
pub(super) const HOLD: Duration = Duration::from_secs(1);
/// Bounds of `hold`.
pub(super) const HOLDS: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(60);
/// The share of retries in percent, unless the table says otherwise.
pub(super) const BUDGET: u32 = 20;

/// How often a route's calls are sent, and after what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetrySpec {
    /// How often a call is sent at most, the first time included; 1 to 10, by default 4.
    pub attempts: u32,
    /// After what it is sent again.
    pub on: RetryOn,
    /// How long each attempt but the last may take; idempotent calls only. By default as long as the call.
    pub per_try_timeout: Option<Duration>,
    /// A second attempt is sent when the first takes longer than this percentile of the route's latency; 50 to 99.
    /// Idempotent calls only; by default none is.
    pub hedge: Option<u8>,
}

/// After which failures a call is sent again. Where it may have run, it is only if it is idempotent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetryOn {
    /// The instance refused it without running it.
    pub refused: bool,
    /// The connection was lost while it ran.
    pub lost: bool,
    /// It ran and failed with `unavailable`.
    pub unavailable: bool,
}

impl Default for RetrySpec {
    fn default() -> RetrySpec {
        let on = RetryOn { refused: true, lost: true, unavailable: true };
        RetrySpec { attempts: 4, on, per_try_timeout: None, hedge: None }
    }
}

/// Whether running a route's calls twice does what running them once does: by the route itself, or by its HTTP method
/// (RFC 9110, 9.2.2). `None` leaves it to the instance, which knows its method.
pub(super) fn idempotent(said: Option<bool>, method: Method) -> Option<bool> {
    match method {
        Method::Get | Method::Put | Method::Delete => Some(said.unwrap_or(true)),
        Method::Post | Method::Patch => said,
    }
}

/// Reads a route's `idempotent`.
pub(super) fn read_idempotent(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<bool> {
    let item = section.get(keys::IDEMPOTENT.name)?;
    match item.value.get_ref() {
        DeValue::Boolean(value) => Some(*value),
        _ => reader.wrong_type(item.key, item.value, "true or false"),
    }
}

/// Reads a route's `retry`. What does not go together with the route's `timeout` and `idempotent` is reported.
pub(super) fn read(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    timeout: Duration,
    idempotent: Option<bool>,
) -> RetrySpec {
    let mut spec = RetrySpec::default();
    let Some(item) = section.get(keys::RETRY.name) else {
        return spec;
    };
    if let DeValue::Boolean(false) = item.value.get_ref() {
        return RetrySpec { attempts: 1, ..spec };
    }
    let Some(table) = reader.table(&item, "a table such as { attempts = 3 }, or false") else {
        return spec;
    };
    let inner = reader.section("`retry`", table, KEYS);
    if let Some(attempts) = inner.get("attempts").and_then(|item| reader.integer(&item)) {
        spec.attempts = u32::try_from(attempts).unwrap_or(spec.attempts);
    }
    if let Some(item) = inner.get("on") {
        spec.on = read_on(reader, &item).unwrap_or(spec.on);
    }
    if let Some(item) = inner.get("per_try_timeout") {
        spec.per_try_timeout = read_try_timeout(reader, &item, timeout);
    }
    if let Some(item) = inner.get("hedge") {
        spec.hedge = reader.text(&item, "a percentile such as \"p95\"", percentile);
    }
    for key in ["per_try_timeout", "hedge"] {
        let Some(item) = inner.get(key) else { continue };
        if spec.attempts == 1 {
            let complaint = Complaint::new(format!("`{key}` has no effect"), "a call is sent once");
            reader.complain::<()>(&item, complaint.help("remove it, or write attempts = 2 or more"));
        } else if idempotent == Some(false) {
            let complaint =
                Complaint::new(format!("`{key}` has no effect"), "the route says idempotent = false");
            reader.complain::<()>(&item, complaint.note("only idempotent calls may run a second time"));
        }
    }
    spec
}

fn read_on(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<RetryOn> {
    let before = reader.found.len();
    let said = reader.texts(item, "[\"refused\", \"lost\"]", |text| match ON.contains(&text) {
        true => Ok(text.to_owned()),
        false => {
            let complaint = Complaint::new(
                format!("`on` cannot hold `{text}`"),
                "expected `refused`, `lost` or `unavailable`",
            );
            Err(match super::suggest::nearest(text, ON) {
                Some(near) => complaint.help(format!("did you mean `{near}`?")),
                None => complaint,
            })
        }
    })?;
    if said.is_empty() && reader.found.len() == before {
        let complaint = Complaint::new("`on` is empty", "expected at least one");
        return reader.complain(item, complaint.help("to send no call again, write retry = false"));
    }
    let has = |word: &str| said.iter().any(|(said, _)| said == word);
    Some(RetryOn { refused: has("refused"), lost: has("lost"), unavailable: has("unavailable") })
}

fn read_try_timeout(reader: &mut Reader<'_>, item: &Item<'_>, timeout: Duration) -> Option<Duration> {
    let time = reader.duration(item)?;
    if time < timeout {
        return Some(time);
    }
    let whole = super::units::show_duration(timeout);
    reader.complain(
        item,
        Complaint::new("`per_try_timeout` has no effect", format!("the whole call may take {whole}"))
            .help("a second attempt needs time too: make it shorter, or the route's `timeout` longer"),
    )
}

fn percentile(text: &str) -> Result<u8, Complaint> {
    let number = text.strip_prefix('p').and_then(|digits| digits.parse().ok());
    number.filter(|number| PERCENTILES.contains(number)).ok_or_else(|| {
        Complaint::new(
            format!("`{text}` is no percentile to hedge after"),
            format!("expected `p{}` to `p{}`", PERCENTILES.start(), PERCENTILES.end()),
        )
    })
}

/// Reads a backend's `retry_budget`: percent.
pub(super) fn read_budget(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<u32> {
    if let DeValue::Integer(number) = item.value.get_ref() {
        let complaint = Complaint::new(format!("`{}` is a share", item.key), "percent?");
        return reader.complain(item, complaint.help(format!("write \"{number}%\"")));
    }
    reader.text(item, "a share such as \"20%\"", |text| {
        let number = text.strip_suffix('%').and_then(|digits| digits.parse().ok());
        number.filter(|percent| *percent <= 100).ok_or_else(|| {
            Complaint::new(format!("`{text}` is no share of the calls"), "expected \"0%\" to \"100%\"")
        })
    })
}
