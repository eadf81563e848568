//! Routes that no call can be made of: their fields do not fit the method of an instance, or no instance offers the method. That
//! is known as soon as a table is taken or an instance connects, and said then: once in the log, however many workers and
//! instances there are, in `/routes`, and in `callgate_routes_unfit`.
//!
//! A look is made in a thread of its own that stands back behind the workers. It costs a step for each route and each *different*
//! offer of its backend's instances; what was found of a route and a schema is kept.

use super::unfit::{Found, Kind, Unfit};
use super::{Plane, aside};
use crate::backends::{Backend, Endpoint};
use crate::routes::{CallAction, Table};
use crate::transport::callgate::{MethodEntry, Offer, fits, meant};
use callgate_protocol::schema::Fingerprint;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Looks are so far apart at least, and four times as long as they take.
const PAUSE: Duration = Duration::from_millis(100);
/// Different offers of a backend's instances that are looked at.
const MAX_OFFERS: usize = 32;
/// Instances that are named for one thing that is wrong.
const MAX_NAMED: usize = 8;
/// Methods of one look for which the one is searched that was meant.
const MAX_SEARCHES: usize = 100;
/// Lines that one look writes to the log.
const MAX_LINES: usize = 20;

/// Looks at all routes whenever tables or offers have changed, for ever.
pub(super) async fn follow(plane: &Arc<Plane>) {
    let mut known = Known::default();
    // Who begins anew after a panic does not know what has changed.
    plane.shared.offers_changed.notify_one();
    loop {
        plane.shared.offers_changed.notified().await;
        let began = Instant::now();
        let mut looked = std::mem::take(&mut known);
        let look = move |plane: &Plane| {
            let table = plane.shared.table.load_full();
            let found = looked.look(&table);
            tell(&table, &plane.fits.found(), &found);
            plane.fits.store(found);
            looked
        };
        // A look that has failed inside has kept nothing; the log says so.
        known = aside(plane, look).await.unwrap_or_default();
        sleep(PAUSE.max(began.elapsed() * 4)).await;
    }
}

/// Logs what was not known before.
fn tell(table: &Table, before: &Found, found: &Found) {
    let mut lines = 0;
    for route in &table.routes {
        let Some(call) = route.action.call() else { continue };
        for one in found.of(route.id).iter().filter(|one| !before.has(route.id, one)) {
            lines += 1;
            if lines > MAX_LINES {
                continue;
            }
            let (place, instances) = (&route.place, one.instances.join(", "));
            let (call, backend, error) = (&call.spec.call, &one.backend, &one.why);
            match one.kind {
                Kind::Method => {
                    tracing::warn!(%place, %call, backend, instances, %error, "no instance offers the method of a route")
                }
                Kind::Fields => {
                    tracing::warn!(%place, %call, backend, instances, %error, "a route does not fit its method")
                }
            }
        }
    }
    if lines > MAX_LINES {
        let more = lines - MAX_LINES;
        tracing::warn!(more, "further routes are unfit; /routes of the admin port has all");
    }
}

/// What was found of a route and a schema: nothing, or why the one does not fit the other. Only what the last look met.
#[derive(Default)]
struct Known(HashMap<(u64, Fingerprint), Option<Arc<str>>>);

/// Instances of a backend that offer the same.
struct Alike {
    offer: Arc<Offer>,
    instances: Vec<Arc<Endpoint>>,
}

/// What the instances of a backend offer.
struct Offers {
    alike: Vec<Alike>,
    /// Nobody is left of whom it is not known.
    all_known: bool,
}

impl Offers {
    fn of(backend: &Backend) -> Offers {
        let mut offers = Offers { alike: Vec::new(), all_known: true };
        let mut places: HashMap<u64, usize> = HashMap::new();
        for member in backend.members().iter() {
            let endpoint = &member.endpoint;
            let Some(offer) = endpoint.offer.load_full() else {
                offers.all_known &= endpoint.error.load().is_some() || member.drains();
                continue;
            };
            let next = offers.alike.len();
            let place = *places.entry(offer.fits_digest()).or_insert(next);
            match offers.alike.get_mut(place) {
                Some(alike) => alike.instances.push(endpoint.clone()),
                None if next < MAX_OFFERS => {
                    offers.alike.push(Alike { offer, instances: vec![endpoint.clone()] })
                }
                None => offers.all_known = false,
            }
        }
        offers
    }
}

impl Known {
    fn look(&mut self, table: &Table) -> Found {
        let offers: HashMap<u64, Offers> =
            table.backends.iter().map(|backend| (backend.id, Offers::of(backend))).collect();
        let mut look = Look { before: std::mem::take(&mut self.0), next: HashMap::new(), searches: 0 };
        let mut found = Found::default();
        for route in &table.routes {
            let mut all: Vec<Unfit> = Vec::new();
            let Some(call) = route.action.call() else { continue };
            for place in call.places() {
                if let Some(offers) = offers.get(&place.0.id) {
                    look.at(call, place, offers, &mut all);
                }
            }
            if !all.is_empty() {
                found.insert(route.id, all);
            }
        }
        self.0 = look.next;
        found
    }
}

/// One look.
struct Look {
    before: HashMap<(u64, Fingerprint), Option<Arc<str>>>,
    next: HashMap<(u64, Fingerprint), Option<Arc<str>>>,
    searches: usize,
}

impl Look {
    /// Looks at what the instances of a backend, perhaps of one version, make of a route.
    fn at(
        &mut self,
        action: &CallAction,
        place: (&Backend, Option<&str>),
        offers: &Offers,
        all: &mut Vec<Unfit>,
    ) {
        let (backend, version) = place;
        let call = &action.spec.call;
        let mut offered = false;
        for Alike { offer, instances } in &offers.alike {
            let Some(method) = offer.find(call) else { continue };
            offered = true;
            if version.is_some_and(|version| offer.version(call) != Some(version)) {
                continue;
            }
            if let Some(why) = self.misfit(action, method) {
                let named = instances.iter().take(MAX_NAMED).map(|endpoint| endpoint.addr.to_string());
                let same = |one: &&mut Unfit| {
                    one.kind == Kind::Fields && one.backend == backend.spec.name && one.why == why
                };
                match all.iter_mut().find(same) {
                    Some(one) => {
                        one.instances.extend(named.take(MAX_NAMED.saturating_sub(one.instances.len())))
                    }
                    None => all.push(Unfit {
                        kind: Kind::Fields,
                        backend: backend.spec.name.clone(),
                        why,
                        instances: named.collect(),
                    }),
                }
            }
        }
        let missing = !offered && offers.all_known && !offers.alike.is_empty();
        if missing && !all.iter().any(|one| one.kind == Kind::Method && one.backend == backend.spec.name) {
            let instances = offers.alike.iter().flat_map(|alike| &alike.instances).take(MAX_NAMED);
            all.push(Unfit {
                kind: Kind::Method,
                backend: backend.spec.name.clone(),
                instances: instances.map(|endpoint| endpoint.addr.to_string()).collect(),
                why: self.missing(action, offers).into(),
            });
        }
    }

    /// Why a route's fields do not fit a method.
    fn misfit(&mut self, action: &CallAction, method: &MethodEntry) -> Option<Arc<str>> {
        let key = (action.route, method.fingerprint);
        if let Some(known) = self.next.get(&key).or_else(|| self.before.get(&key)).cloned() {
            self.next.insert(key, known.clone());
            return known;
        }
        let why = fits(&action.spec.request, &action.spec.response, method)
            .err()
            .map(|(_, error)| Arc::from(error.to_string()));
        self.next.insert(key, why.clone());
        why
    }

    fn missing(&mut self, action: &CallAction, offers: &Offers) -> String {
        let call = &action.spec.call;
        let none = format!("no instance offers `{call}`");
        self.searches += 1;
        let alike = offers.alike.iter().map(|alike| alike.offer.as_ref());
        let help = if self.searches > MAX_SEARCHES { None } else { meant(call, alike) };
        help.map_or(none.clone(), |help| format!("{none}; {help}"))
    }
}

#[cfg(test)]
mod tests;
