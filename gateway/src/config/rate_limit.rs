//! One rate limit: a token bucket for each key. `rate` fills it, `burst` is what it holds, `by` says what the key is.

use super::complaint::Complaint;
use super::diagnostics::Diagnostic;
use super::reader::{Item, Reader, Section};
use super::shape::{Entry, Shape};
use super::suggest::nearest;
use crate::fields::FieldName;
use std::fmt;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;
use toml::de::DeTable;

const KEYS: &[Entry] = &[
    RATE,
    BURST,
    Entry::new("by", Shape::Like(BY), "what has a bucket of its own"),
    Entry::new("dry_run", Shape::Boolean, "it refuses nothing, and only counts"),
    Entry::new("max_keys", Shape::Integer(1..=100_000_000), "for how many keys there is room"),
];
const KEYS_OF_CONNECTIONS: &[Entry] = &[RATE, BURST];
const RATE: Entry = Entry::needed("rate", Shape::Like("^[0-9]+/(s|m|h)$"), "how fast a bucket fills");
const BURST: Entry = Entry::new("burst", Shape::Integer(BURSTS), "what a bucket holds, and begins with");
const BY: &str = "^(route|client|api_key|identity|header:.+|claim:.+)$";
const ONE: Shape = Shape::OneOf(&[Shape::Table(KEYS), Shape::Text]);
/// What a limit of `[limits]` may be.
pub(super) const NAMED: Shape = Shape::Table(KEYS);
/// What `rate_limit` of a route may be, which has so many at most.
pub(super) const OF_ROUTE: Shape =
    Shape::OneOf(&[Shape::Table(KEYS), Shape::Text, Shape::List(&ONE, 1..=MOST)]);
/// What `new_connections_per_client` of a listener may be.
pub(super) const OF_CONNECTIONS: Shape = Shape::Table(KEYS_OF_CONNECTIONS);
/// Limits of one route.
pub(super) const MOST: usize = 8;
/// So that a full bucket is the work of less than 2^62 ns, whatever the rate.
const BURSTS: RangeInclusive<u64> = 1..=1_000_000;
const DEFAULT_MAX_KEYS: u32 = 65_536;
/// A token more often than this is none that the clock could tell.
const SHORTEST: Duration = Duration::from_micros(1);

/// How fast a bucket fills: so many tokens in a second, a minute or an hour; at most a million a second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Tokens; at least 1.
    pub tokens: u32,
    /// The time in which they come.
    pub per: Duration,
}

impl Rate {
    const UNITS: [(&'static str, u64); 3] = [("s", 1), ("m", 60), ("h", 3600)];

    /// The time in which one token comes, at least a microsecond; rounded up, so that no more come than the rate says.
    pub fn interval(self) -> Duration {
        let nanos = self.per.as_nanos().div_ceil(u128::from(self.tokens.max(1)));
        // Of an hour at most, which fits.
        Duration::from_nanos(nanos as u64)
    }

    /// One second's worth of tokens, at least one.
    fn burst(self) -> u32 {
        (u64::from(self.tokens) / self.per.as_secs().max(1)).max(1) as u32
    }

    fn parse(text: &str) -> Result<Rate, Complaint> {
        let units = Rate::UNITS.map(|(unit, _)| unit);
        let Some((number, unit)) = text.split_once('/') else {
            return Err(Complaint::new("not a rate", "expected requests and a time, such as \"100/s\""));
        };
        let Some((_, seconds)) = Rate::UNITS.into_iter().find(|(name, _)| *name == unit) else {
            let complaint = Complaint::new(format!("unknown time `{unit}`"), "expected `s`, `m` or `h`");
            let complaint = complaint.within(number.len() + 1..text.len());
            let near = units.iter().find(|name| unit.trim().starts_with(**name));
            return Err(match near {
                Some(near) => complaint.help(format!("write \"{number}/{near}\"")),
                None => complaint,
            });
        };
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            let title = format!("`{number}` is no number of requests");
            return Err(Complaint::new(title, "expected a whole number, such as \"100/s\""));
        }
        let rate = number.parse().map(|tokens| Rate { tokens, per: Duration::from_secs(seconds) }).ok();
        let rate = rate.filter(|rate| rate.tokens > 0 && rate.interval() >= SHORTEST);
        rate.ok_or_else(|| {
            let title = format!("`{text}` is out of bounds");
            Complaint::new(title, "expected at least 1 request, and at most a million a second")
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = Rate::UNITS.iter().find(|(_, seconds)| *seconds == self.per.as_secs());
        write!(f, "{}/{}", self.tokens, unit.map_or("?", |(unit, _)| unit))
    }
}

/// What has a bucket of its own.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum LimitBy {
    /// The route as a whole; of a shared limit, all its routes together.
    #[default]
    Route,
    /// Each client address; of IPv6 each /64.
    Client,
    /// Each value of this header.
    Header(FieldName),
    /// Each API key: `X-Api-Key`, or the token of `Authorization: Bearer`.
    ApiKey,
    /// Each caller, as an authenticator knows it.
    Identity,
    /// Each value of this claim of a caller.
    Claim(String),
}

impl LimitBy {
    /// Whether nobody knows the key before the caller is known.
    pub fn needs_caller(&self) -> bool {
        matches!(self, LimitBy::Identity | LimitBy::Claim(_))
    }

    const HEADER: &'static str = "header:";
    const CLAIM: &'static str = "claim:";

    fn parse(text: &str) -> Result<LimitBy, Complaint> {
        if let Some(name) = text.strip_prefix(LimitBy::HEADER) {
            let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            return match !name.is_empty() && name.bytes().all(token) {
                true => Ok(LimitBy::Header(name.into())),
                false => Err(Complaint::new("not a header's name", "such as \"header:x-tenant\"")
                    .within(LimitBy::HEADER.len()..text.len())),
            };
        }
        if let Some(name) = text.strip_prefix(LimitBy::CLAIM) {
            // It goes into replies, between quotes (RFC 9651, 3.3.3).
            let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"\\".contains(&byte);
            return match !name.is_empty() && name.bytes().all(plain) {
                true => Ok(LimitBy::Claim(name.to_owned())),
                false => Err(Complaint::new("not a claim's name", "such as \"claim:sub\"")
                    .within(LimitBy::CLAIM.len()..text.len())),
            };
        }
        match text {
            "route" => Ok(LimitBy::Route),
            "client" => Ok(LimitBy::Client),
            "api_key" => Ok(LimitBy::ApiKey),
            "identity" => Ok(LimitBy::Identity),
            _ => {
                let complaint = Complaint::new(
                    format!("`by` cannot be `{text}`"),
                    "expected `route`, `client`, `api_key`, `identity`, `header:NAME` or `claim:NAME`",
                );
                Err(match nearest(text, ["route", "client", "api_key", "identity"]) {
                    Some(near) => complaint.help(format!("did you mean `{near}`?")),
                    None => complaint,
                })
            }
        }
    }
}

impl fmt::Display for LimitBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LimitBy::Route => f.write_str("route"),
            LimitBy::Client => f.write_str("client"),
            LimitBy::Header(name) => write!(f, "{}{name}", LimitBy::HEADER),
            LimitBy::ApiKey => f.write_str("api_key"),
            LimitBy::Identity => f.write_str("identity"),
            LimitBy::Claim(name) => write!(f, "{}{name}", LimitBy::CLAIM),
        }
    }
}

/// A token bucket for each key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RateLimitSpec {
    /// How fast a bucket fills.
    pub rate: Rate,
    /// What it holds, and begins with; 1 to 1,000,000, by default one second's worth, at least 1.
    pub burst: u32,
    /// What has a bucket of its own; by default the route.
    pub by: LimitBy,
    /// It refuses nothing and only counts.
    pub dry_run: bool,
    /// For how many keys there is room; 1 to 100,000,000, by default 65,536.
    pub max_keys: u32,
}

/// Reads how many connections each client may make: a limit by client that always refuses.
pub(super) fn read_of_connections(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<RateLimitSpec> {
    let table = reader.table(item, "a table such as { rate = \"20/s\" }")?;
    let section = reader.section("`new_connections_per_client`", table, KEYS_OF_CONNECTIONS);
    let rate = read_rate(reader, &section, &item.span());
    let burst = read_number(reader, &section, "burst");
    let rate = rate?;
    let burst = burst.unwrap_or(rate.burst());
    Some(RateLimitSpec { rate, burst, by: LimitBy::Client, dry_run: false, max_keys: DEFAULT_MAX_KEYS })
}

/// Reads one limit; `at` is where it stands, for what is missing.
pub(super) fn read(
    reader: &mut Reader<'_>,
    what: &str,
    table: &DeTable<'_>,
    at: &Range<usize>,
) -> Option<RateLimitSpec> {
    let section = reader.section(what, table, KEYS);
    let rate = read_rate(reader, &section, at);
    let burst = read_number(reader, &section, "burst");
    let max_keys = read_number(reader, &section, "max_keys");
    let by = match section.get("by") {
        Some(item) => {
            let expected =
                "\"route\", \"client\", \"api_key\", \"identity\", \"header:NAME\" or \"claim:NAME\"";
            reader.text(&item, expected, LimitBy::parse)
        }
        None => Some(LimitBy::Route),
    };
    if let Some(item) = section.get("max_keys").filter(|_| by == Some(LimitBy::Route)) {
        let complaint = Complaint::new("`max_keys` has no effect", "there is one bucket for all");
        reader.complain::<()>(&item, complaint.help("say who has one each: by = \"client\""));
    }
    let dry_run = section.get("dry_run").and_then(|item| reader.boolean(&item));
    let rate = rate?;
    Some(RateLimitSpec {
        burst: burst.unwrap_or(rate.burst()),
        rate,
        by: by.unwrap_or_default(),
        dry_run: dry_run.unwrap_or(false),
        max_keys: max_keys.unwrap_or(DEFAULT_MAX_KEYS),
    })
}

fn read_rate(reader: &mut Reader<'_>, section: &Section<'_>, at: &Range<usize>) -> Option<Rate> {
    match section.get("rate") {
        Some(item) => reader.text(&item, "a string such as \"100/s\"", Rate::parse),
        None => {
            let missing = Diagnostic::new("a limit needs `rate`");
            reader.report(
                missing.at(reader.source, at.clone(), "this one has none").help("write rate = \"100/s\""),
            );
            None
        }
    }
}

fn read_number(reader: &mut Reader<'_>, section: &Section<'_>, key: &'static str) -> Option<u32> {
    let number = section.get(key).and_then(|item| reader.integer(&item));
    number.and_then(|number| u32::try_from(number).ok())
}
