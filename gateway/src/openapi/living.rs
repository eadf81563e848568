//! Which schemas the methods of routes have, at the instances that are connected.

use crate::backends::Backend;
use crate::config::CallRef;
use crate::routes::Table;
use crate::transport::callgate::{MethodEntry, Offer, Schema};
use callgate_json_schema::Method;
use callgate_protocol::Streaming;
use callgate_protocol::schema::Fingerprint;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Different offers of a backend that are looked at.
const MAX_OFFERS: usize = 32;
/// Different schemas of a method that are shown.
const MAX_VERSIONS: usize = 8;

/// The schemas of all routes.
#[derive(Default)]
pub(super) struct Living {
    /// Each once.
    pub(super) schemas: Vec<Arc<Schema>>,
    /// By the route's place in the table.
    routes: HashMap<usize, Vec<Entry>>,
}

struct Entry {
    /// The place of its schema.
    schema: usize,
    name: String,
    version: String,
    fingerprint: Fingerprint,
    idempotent: bool,
    streams: Streaming,
}

/// A method as some instances have it.
pub(super) struct Version<'m> {
    /// Its schema.
    pub(super) method: &'m Method<'m>,
    /// `orders.quote`.
    pub(super) name: &'m str,
    /// The version of its service; may be empty.
    pub(super) version: &'m str,
    /// Which schema it is.
    pub(super) fingerprint: Fingerprint,
    /// Running it twice does what running it once does.
    pub(super) idempotent: bool,
    /// Who streams.
    pub(super) streams: Streaming,
}

impl Living {
    /// Those of a table's routes.
    pub(super) fn of(table: &Table) -> Living {
        let mut offers: HashMap<u64, Vec<Arc<Offer>>> = HashMap::new();
        let mut places: HashMap<Fingerprint, usize> = HashMap::new();
        let mut living = Living::default();
        for (at, call) in table.calls().filter(|(at, _)| *at < table.routes.len()) {
            let mut entries = Vec::new();
            for (backend, version) in call.places() {
                let offers = offers.entry(backend.id).or_insert_with(|| distinct(backend));
                for offer in offers.iter() {
                    living.add(&mut entries, &mut places, offer, (&call.spec.call, version));
                }
            }
            // The latest first, as far as versions tell.
            entries.sort_by_key(|one| std::cmp::Reverse(numbers(&one.version)));
            living.routes.insert(at, entries);
        }
        living
    }

    fn add(
        &mut self,
        entries: &mut Vec<Entry>,
        places: &mut HashMap<Fingerprint, usize>,
        offer: &Offer,
        (call, pinned): (&CallRef, Option<&str>),
    ) {
        let Some(method) = offer.find(call) else { return };
        let version = offer.version(call).unwrap_or_default();
        let is_known = entries.iter().any(|entry| entry.fingerprint == method.fingerprint);
        if is_known || entries.len() >= MAX_VERSIONS || pinned.is_some_and(|pinned| pinned != version) {
            return;
        }
        let MethodEntry { name, fingerprint, schema, idempotent, streams, .. } = method;
        let place = *places.entry(*fingerprint).or_insert_with(|| {
            self.schemas.push(schema.clone());
            self.schemas.len() - 1
        });
        entries.push(Entry {
            schema: place,
            name: name.clone(),
            version: version.to_owned(),
            fingerprint: *fingerprint,
            idempotent: *idempotent,
            streams: *streams,
        });
    }

    /// Those of a route, where `methods` are those of the schemas.
    pub(super) fn versions<'m>(&'m self, route: usize, methods: &'m [Method<'m>]) -> Vec<Version<'m>> {
        let entries = self.routes.get(&route).into_iter().flatten();
        let version = |entry: &'m Entry| {
            Some(Version {
                method: methods.get(entry.schema)?,
                name: &entry.name,
                version: &entry.version,
                fingerprint: entry.fingerprint,
                idempotent: entry.idempotent,
                streams: entry.streams,
            })
        };
        entries.filter_map(version).collect()
    }
}

/// What a backend's instances offer, each offer once.
fn distinct(backend: &Backend) -> Vec<Arc<Offer>> {
    let mut known = HashSet::new();
    let members = backend.members();
    let offers = members.iter().filter_map(|member| member.endpoint.offer.load_full());
    offers.filter(|offer| known.insert(offer.digest)).take(MAX_OFFERS).collect()
}

/// A version as numbers, for comparing.
fn numbers(version: &str) -> Vec<u64> {
    let parts = version.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    parts.map(|part| part.parse().unwrap_or(u64::MAX)).collect()
}
