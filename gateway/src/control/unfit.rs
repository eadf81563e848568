//! What is known of routes that no call can be made of: found by [`super::fit`], shown by the admin port.
//!
//! It is kept by backends. What routes make of the offers of a backend changes with these offers only; which instances have them,
//! and whether all instances are known, changes with each member and is kept beside.

use crate::routes::CallAction;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Instances that are named for one thing that is wrong.
const MAX_NAMED: usize = 8;

/// What is known of all routes.
#[derive(Default)]
pub struct Fits(Mutex<BTreeMap<String, Arc<BackendFit>>>);

impl Fits {
    /// What was found last.
    pub fn found(&self) -> Found {
        Found(self.with(|backends| backends.clone()))
    }

    /// Something else is found of a backend.
    pub(super) fn store(&self, backend: &str, fit: Arc<BackendFit>) {
        self.with(|backends| backends.insert(backend.to_owned(), fit));
    }

    /// Forgets all backends but these.
    pub(super) fn keep(&self, has: impl Fn(&str) -> bool) {
        self.with(|backends| backends.retain(|name, _| has(name)));
    }

    fn with<T>(&self, what: impl FnOnce(&mut BTreeMap<String, Arc<BackendFit>>) -> T) -> T {
        // Values are replaced whole: whoever has panicked with the lock has left nothing half done.
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Why a route's calls cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// No instance of the backend offers the method.
    Method,
    /// The route's fields do not fit the method of an instance.
    Fields,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 2] = [Kind::Method, Kind::Fields];

    /// The word for it on pages and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Method => "method",
            Kind::Fields => "fields",
        }
    }
}

/// One thing that is wrong with a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Which one.
    pub kind: Kind,
    /// The backend.
    pub backend: String,
    /// Why.
    pub why: Arc<str>,
    /// The instances that this is known of, eight at most.
    pub instances: Vec<String>,
}

/// What is wrong between a backend and routes that call it.
#[derive(Debug)]
pub(super) struct BackendFit {
    /// By the routes' ids. That a method is missing is so when all instances are known.
    pub(super) routes: Arc<HashMap<u64, RouteFit>>,
    /// The first instances of each offer, by its digest.
    pub(super) instances: Vec<(u64, Vec<String>)>,
    /// Nobody is left of whom it is not known what he offers.
    pub(super) all_known: bool,
}

/// What is wrong between a backend and one route.
#[derive(Debug)]
pub(super) struct RouteFit {
    /// The route's place in the table.
    pub(super) place: usize,
    pub(super) misfits: Vec<OfferMisfit>,
}

/// One thing that is wrong with a route in view of some offers.
#[derive(Debug)]
pub(super) struct OfferMisfit {
    pub(super) kind: Kind,
    pub(super) why: Arc<str>,
    /// The digests of the offers; all of the backend's where a method is missing.
    pub(super) offers: Vec<u64>,
}

impl BackendFit {
    /// Whether it is so, as far as that is known.
    pub(super) fn is_so(&self, misfit: &OfferMisfit) -> bool {
        misfit.kind == Kind::Fields || self.all_known
    }

    /// The instances of a misfit, as far as they are named.
    pub(super) fn instances(&self, misfit: &OfferMisfit) -> Vec<String> {
        let has = |digest: &u64| misfit.kind == Kind::Method || misfit.offers.contains(digest);
        let all = self.instances.iter().filter(|(digest, _)| has(digest));
        all.flat_map(|(_, named)| named).take(MAX_NAMED).cloned().collect()
    }
}

/// The first of the instances, as they are named.
pub(super) fn named(instances: impl Iterator<Item = String>) -> Vec<String> {
    instances.take(MAX_NAMED).collect()
}

/// What was found at one time, by the names of backends.
#[derive(Default)]
pub struct Found(BTreeMap<String, Arc<BackendFit>>);

impl Found {
    /// What is wrong with a route that calls.
    pub fn of(&self, call: &CallAction) -> Vec<Unfit> {
        let mut all: Vec<Unfit> = Vec::new();
        for backend in call.backends() {
            let name = &backend.spec.name;
            let Some(fit) = self.0.get(name).filter(|_| all.iter().all(|one| one.backend != *name)) else {
                continue;
            };
            let Some(route) = fit.routes.get(&call.route) else { continue };
            all.extend(route.misfits.iter().filter(|misfit| fit.is_so(misfit)).map(|misfit| Unfit {
                kind: misfit.kind,
                backend: name.clone(),
                why: misfit.why.clone(),
                instances: fit.instances(misfit),
            }));
        }
        all
    }

    /// How many routes something of that kind is wrong with.
    pub fn count(&self, kind: Kind) -> usize {
        let mut routes: HashSet<u64> = HashSet::new();
        for fit in self.0.values() {
            let has = |route: &RouteFit| route.misfits.iter().any(|one| one.kind == kind && fit.is_so(one));
            routes.extend(fit.routes.iter().filter(|(_, route)| has(route)).map(|(id, _)| id));
        }
        routes.len()
    }
}
