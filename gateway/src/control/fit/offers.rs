//! What the instances of a backend offer, and what a route makes of it.

use crate::backends::{Backend, Endpoint};
use crate::control::unfit::{Kind, OfferMisfit, named};
use crate::routes::CallAction;
use crate::transport::callgate::{MethodEntry, Offer, fits, meant};
use callgate_protocol::schema::Fingerprint;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Different offers of a backend's instances that are looked at.
pub(super) const MAX_OFFERS: usize = 32;
/// Methods of one look for which the one is searched that was meant.
const MAX_SEARCHES: usize = 100;

/// What the instances of a backend offer.
pub(super) struct Offers {
    pub(super) alike: Vec<Alike>,
    /// Nobody is left of whom it is not known.
    pub(super) all_known: bool,
}

/// Instances of a backend that offer the same.
pub(super) struct Alike {
    pub(super) offer: Arc<Offer>,
    pub(super) instances: Vec<Arc<Endpoint>>,
}

impl Offers {
    /// Those of its members. It costs a step for each of them.
    pub(super) fn of(backend: &Backend) -> Offers {
        let mut offers = Offers { alike: Vec::new(), all_known: true };
        let mut places: HashMap<u64, usize> = HashMap::new();
        for member in backend.members().iter() {
            let endpoint = &member.endpoint;
            let Some(offer) = endpoint.offer.load_full() else {
                offers.all_known &= endpoint.error.load().is_some() || member.drains();
                continue;
            };
            let next = offers.alike.len();
            let place = *places.entry(offer.digest).or_insert(next);
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

    /// What tells these offers from others, whoever has them.
    pub(super) fn digests(&self) -> BTreeSet<u64> {
        self.alike.iter().map(|alike| alike.offer.digest).collect()
    }

    /// The first instances of each.
    pub(super) fn instances(&self) -> Vec<(u64, Vec<String>)> {
        let addresses = |alike: &Alike| named(alike.instances.iter().map(|one| one.addr.to_string()));
        self.alike.iter().map(|alike| (alike.offer.digest, addresses(alike))).collect()
    }
}

/// What was found of a route and a schema: nothing, or why the one does not fit the other.
pub(super) type Checked = HashMap<(u64, Fingerprint), Option<Arc<str>>>;

/// One look at the routes of a backend.
pub(super) struct Look<'a> {
    pub(super) offers: &'a Offers,
    /// What the look before has found, and what this one has: only what was met stays.
    pub(super) before: Checked,
    pub(super) next: Checked,
    searches: usize,
}

impl<'a> Look<'a> {
    /// A look at those offers, where so much is known.
    pub(super) fn new(offers: &'a Offers, before: Checked) -> Look<'a> {
        Look { offers, before, next: HashMap::new(), searches: 0 }
    }

    /// What is wrong with the calls of a route to that backend.
    pub(super) fn at(&mut self, backend: &Backend, action: &CallAction) -> Vec<OfferMisfit> {
        let mut all = Vec::new();
        for (_, version) in action.places().filter(|(place, _)| place.id == backend.id) {
            self.at_version(action, version, &mut all);
        }
        all
    }

    /// The same where they go to that version only.
    fn at_version(&mut self, action: &CallAction, version: Option<&str>, all: &mut Vec<OfferMisfit>) {
        let call = &action.spec.call;
        let mut offered = false;
        for Alike { offer, .. } in &self.offers.alike {
            let Some(method) = offer.find(call) else { continue };
            offered = true;
            if version.is_some_and(|version| offer.version(call) != Some(version)) {
                continue;
            }
            let Some(why) = misfit(&self.before, &mut self.next, action, method) else { continue };
            let digest = offer.digest;
            match all.iter_mut().find(|one| one.kind == Kind::Fields && one.why == why) {
                Some(one) if one.offers.contains(&digest) => {}
                Some(one) => one.offers.push(digest),
                None => all.push(OfferMisfit { kind: Kind::Fields, why, offers: vec![digest] }),
            }
        }
        let missing = !offered && !self.offers.alike.is_empty();
        if missing && all.iter().all(|one| one.kind != Kind::Method) {
            all.push(OfferMisfit {
                kind: Kind::Method,
                why: self.missing(action).into(),
                offers: Vec::new(),
            });
        }
    }

    fn missing(&mut self, action: &CallAction) -> String {
        let call = &action.spec.call;
        let mut offers = self.offers.alike.iter().map(|alike| alike.offer.as_ref());
        if let Some(why) = offers.find_map(|offer| offer.why_unusable(call)) {
            return format!("no instance offers `{call}` with a schema that can be used: {why}");
        }
        let none = format!("no instance offers `{call}`");
        self.searches += 1;
        let alike = self.offers.alike.iter().map(|alike| alike.offer.as_ref());
        let help = if self.searches > MAX_SEARCHES { None } else { meant(call, alike) };
        help.map_or(none.clone(), |help| format!("{none}; {help}"))
    }
}

/// Why a route's fields do not fit a method.
fn misfit(
    before: &Checked,
    next: &mut Checked,
    action: &CallAction,
    method: &MethodEntry,
) -> Option<Arc<str>> {
    let key = (action.route, method.fingerprint);
    if let Some(known) = next.get(&key).or_else(|| before.get(&key)).cloned() {
        next.insert(key, known.clone());
        return known;
    }
    let why = fits(&action.spec, method).err().map(|(_, error)| Arc::from(error));
    next.insert(key, why.clone());
    why
}
