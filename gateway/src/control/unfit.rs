//! What is known of routes that no call can be made of: found by [`super::fit`], shown by the admin port.

use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::sync::Arc;

/// What is known of all routes.
#[derive(Default)]
pub struct Fits {
    found: ArcSwap<Found>,
}

impl Fits {
    /// What was found last.
    pub fn found(&self) -> Arc<Found> {
        self.found.load_full()
    }

    /// Something else is found.
    pub(super) fn store(&self, found: Found) {
        self.found.store(Arc::new(found));
    }
}

/// Why a route's calls cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// What is wrong with routes, by their ids.
#[derive(Default)]
pub struct Found(HashMap<u64, Vec<Unfit>>);

impl Found {
    /// All of this is wrong with the route.
    pub(super) fn insert(&mut self, route: u64, all: Vec<Unfit>) {
        self.0.insert(route, all);
    }

    /// What is wrong with a route.
    pub fn of(&self, route: u64) -> &[Unfit] {
        self.0.get(&route).map(Vec::as_slice).unwrap_or_default()
    }

    /// How many routes something of that kind is wrong with.
    pub fn count(&self, kind: Kind) -> usize {
        self.0.values().filter(|all| all.iter().any(|one| one.kind == kind)).count()
    }

    /// Whether it was found of that route as well. That further instances do not offer a method is nothing new.
    pub(super) fn has(&self, route: u64, one: &Unfit) -> bool {
        let same = |other: &&Unfit| (other.kind, &other.backend) == (one.kind, &one.backend);
        self.of(route).iter().filter(same).any(|other| one.kind == Kind::Method || other.why == one.why)
    }
}
