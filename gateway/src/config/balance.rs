//! `balance` of a backend: by which rule its calls are spread over its instances; and what an endpoint says that the
//! rules go by, its `weight` and `zone`.

use super::auth::AuthKind;
use super::complaint::Complaint;
use super::diagnostics::Diagnostic;
use super::hash_by::{HashBy, hash_by};
use super::name;
use super::reader::{Item, Reader, Section};
use super::route::RouteSpec;
use super::shape::{Entry, Shape, words};
use super::suggest::names_help;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;
use toml::de::DeValue;

/// What is read of an endpoint's table here.
pub(super) const WEIGHT: Entry =
    Entry::new("weight", Shape::Integer(1..=1000), "how many times as many calls it gets as one of weight 1");
pub(super) const ZONE: Entry = Entry::new("zone", Shape::Text, "where it is, a name as backends have");
/// The keys of `balance` as a table.
const KEYS: &[Entry] = &[
    Entry::needed("hash", Shape::Text, "the same one for the same key, as long as it is there"),
    Entry::new(
        "load_factor",
        Shape::Like("^[0-9]{3,4}%$"),
        "how many times its share an instance takes at most",
    ),
];
/// What `balance` may be.
pub(super) const SHAPE: Shape = Shape::OneOf(&[Shape::Words(&words(&STRATEGIES)), Shape::Table(KEYS)]);
/// What `balance` looks like, for whoever wrote something else.
const EITHER: &str = "a strategy such as \"least_request\", or a table such as { hash = \"header:x-user\" }";
/// At 100 % every instance would have to have exactly its share.
const FACTORS: RangeInclusive<u32> = 101..=1000;

const STRATEGIES: [(&str, Balance); 4] = [
    ("peak_ewma", Balance::PeakEwma),
    ("least_request", Balance::LeastRequest),
    ("round_robin", Balance::RoundRobin),
    ("random", Balance::Random),
];

/// How a backend's calls are spread over its instances.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Balance {
    /// Of two random instances the one that costs less: by what it lately took at most, times the calls in flight there.
    #[default]
    PeakEwma,
    /// Of two random instances the one with fewer calls in flight.
    LeastRequest,
    /// One after the other.
    RoundRobin,
    /// Any.
    Random,
    /// Always the same one for the same key.
    Hash(HashSpec),
}

/// Which instance is a key's, and when another one is taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HashSpec {
    /// Where a request has its key.
    pub by: HashBy,
    /// An instance with more calls in flight than so many percent of the average gets none for its keys; 101 to 1000, by
    /// default however many it has.
    pub load_factor: Option<u32>,
}

impl Balance {
    /// Its name, as the tables write it; that of the key for a hash.
    pub fn name(&self) -> String {
        match self {
            Balance::Hash(hash) => hash.by.text(),
            named => STRATEGIES
                .iter()
                .find(|(_, one)| one == named)
                .map(|(name, _)| (*name).to_owned())
                .unwrap_or_default(),
        }
    }

    /// Reads `balance`.
    pub(super) fn read(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<Balance> {
        match item.value.get_ref() {
            DeValue::String(_) => reader.text(item, EITHER, strategy),
            DeValue::Table(table) => {
                let section = reader.section("`balance`", table, KEYS);
                let factor = section.get("load_factor").and_then(|item| read_factor(reader, &item));
                let Some(hash) = section.get("hash") else {
                    let complaint = Complaint::new("`balance` as a table needs `hash`", "by what?");
                    return reader.complain(item, complaint.help("write { hash = \"header:x-user\" }"));
                };
                let by = reader.text(&hash, "a text such as \"header:x-user\"", hash_by)?;
                Some(Balance::Hash(HashSpec { by, load_factor: factor }))
            }
            _ => reader.wrong_type(item.key, item.value, EITHER),
        }
    }

    /// What is wrong with it in view of all routes: a path parameter by which to hash must be some route's.
    pub(super) fn check(&self, backend: &str, params: &Params) -> Option<Diagnostic> {
        let name = match self {
            Balance::Hash(HashSpec { by: HashBy::Path(name), .. }) => name,
            Balance::Hash(HashSpec { by: by @ (HashBy::Identity | HashBy::Claim(_)), .. }) => {
                let text = by.text();
                let title = format!(
                    "backend `{backend}` hashes by `{text}`, and no route's callers have a verified one"
                );
                let unknown = Diagnostic::new(title).help("write auth = \"NAME\" at the routes that call it");
                return (!params.no_routes && !params.may_have(by)).then_some(unknown);
            }
            _ => return None,
        };
        // Tables without routes are some that are not there yet.
        if params.no_routes || params.names.binary_search(name).is_ok() {
            return None;
        }
        let title = format!("backend `{backend}` hashes by `{name}`, which is no route's path parameter");
        Some(Diagnostic::new(title).help_names(name, &params.names))
    }
}

/// The path parameters of all routes, gathered once for all backends that hash by one.
pub(super) struct Params {
    no_routes: bool,
    /// Sorted, each once.
    names: Arc<[String]>,
    /// Whether some route knows its callers.
    knows_callers: bool,
    /// Whether some callers may have any claim, and which some may have else.
    any_claim: bool,
    claims: Vec<&'static str>,
}

impl Params {
    pub(super) fn of(routes: &[RouteSpec]) -> Params {
        let calls = routes.iter().filter(|route| route.action.call().is_some());
        let names: BTreeSet<&String> = calls.clone().flat_map(|route| route.matcher.path.params()).collect();
        let auths = || calls.clone().map(|route| &route.policy.auth);
        let may_claim = |name: &&str| auths().any(|auth| auth.may_claim(name));
        Params {
            knows_callers: auths().any(|auth| !auth.identifies_nobody()),
            any_claim: may_claim(&""),
            claims: AuthKind::CLAIMS.iter().copied().filter(may_claim).collect(),
            no_routes: calls.clone().next().is_none(),
            names: names.into_iter().cloned().collect(),
        }
    }

    /// Whether some caller may have such a key.
    fn may_have(&self, by: &HashBy) -> bool {
        match by {
            HashBy::Claim(name) => self.any_claim || self.claims.contains(&name.as_str()),
            _ => self.knows_callers,
        }
    }
}

fn strategy(text: &str) -> Result<Balance, Complaint> {
    if let Some((_, found)) = STRATEGIES.iter().find(|(name, _)| *name == text) {
        return Ok(found.clone());
    }
    let names = STRATEGIES.map(|(name, _)| name);
    let title = format!("there is no strategy `{text}`");
    let complaint = Complaint::new(title, "expected a strategy, or { hash = … }");
    let hashes = text.contains("hash") || hash_by(text).is_ok();
    Err(match (hashes, names_help(text, names)) {
        (true, _) => {
            let by = if hash_by(text).is_ok() { text } else { "header:x-user" };
            complaint.help(format!("write balance = {{ hash = \"{by}\" }}"))
        }
        (false, Some(help)) => complaint.help(help),
        (false, None) => complaint,
    })
}

fn read_factor(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<u32> {
    if let DeValue::Integer(number) = item.value.get_ref() {
        let complaint = Complaint::new("`load_factor` is a share of the average", "percent?");
        return reader.complain(item, complaint.help(format!("write \"{number}%\"")));
    }
    reader.text(item, "a share of the average such as \"125%\"", |text| {
        let percent = text.strip_suffix('%').and_then(|digits| digits.parse().ok());
        percent.filter(|percent| FACTORS.contains(percent)).ok_or_else(|| {
            let label = format!("expected \"{}%\" to \"{}%\"", FACTORS.start(), FACTORS.end());
            Complaint::new(format!("`{text}` is no load factor"), label)
        })
    })
}

/// What an endpoint says of its part in the backend.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placement {
    /// How many times as many calls it gets as one of weight 1; 1 to 1000, by default 1.
    pub weight: u32,
    /// Where it is: gateways of that zone prefer it. By default nowhere in particular.
    pub zone: Option<Arc<str>>,
}

impl Default for Placement {
    fn default() -> Placement {
        Placement { weight: 1, zone: None }
    }
}

impl Placement {
    /// Reads its part of an endpoint's table.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Placement {
        let mut placement = Placement::default();
        let weight = section.get("weight").and_then(|item| reader.integer(&item));
        if let Some(weight) = weight.and_then(|weight| u32::try_from(weight).ok()) {
            placement.weight = weight;
        }
        placement.zone = section
            .get("zone")
            .and_then(|item| reader.text(&item, "a string such as \"eu-1a\"", zone))
            .map(Arc::from);
        placement
    }
}

/// Reads a zone's name.
pub(super) fn zone(text: &str) -> Result<String, Complaint> {
    match name::error(text) {
        None => Ok(text.to_owned()),
        Some(label) => Err(Complaint::new(format!("`{text}` cannot name a zone"), label)),
    }
}
