//! Routes and authenticators that no call can be made of: their fields do not fit the method of an instance, or no instance offers the method. That
//! is known as soon as a table is taken or an instance connects, and said then: once in the log, however many workers and
//! instances there are, in `/routes`, and in `callgate_routes_unfit`.
//!
//! A look is made in a thread of its own that stands back behind the workers. A new table is looked at as a whole. When the
//! members of a backend change, or one connects, a look costs a step for each member of that backend. Its routes are looked at
//! only if other things are offered there than before; of each route and schema it is kept what was found.

mod offers;

use super::unfit::{BackendFit, Fits, Found, Kind, RouteFit};
use super::{Plane, aside};
use crate::backends::Backend;
use crate::config::CallMode;
use crate::openapi::publish;
use crate::routes::Table;
use offers::{Checked, Look, Offers};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Looks are so far apart at least, and four times as long as they take.
const PAUSE: Duration = Duration::from_millis(100);
/// Lines that one look writes to the log.
const MAX_LINES: usize = 20;

/// Looks whenever tables or offers have changed, for ever.
pub(super) async fn follow(plane: &Arc<Plane>) {
    let mut known = Known::default();
    // Who begins anew after a panic does not know what has changed.
    plane.shared.offer_changes.wake();
    loop {
        plane.shared.offer_changes.changed().await;
        let began = Instant::now();
        let mut looked = std::mem::take(&mut known);
        let look = move |plane: &Plane| {
            let changed = plane.shared.offer_changes.take();
            let table = plane.shared.table.load_full();
            looked.look(&table, &changed, &plane.fits);
            publish(&table, &plane.shared.settings.server.error_types, false);
            looked
        };
        // A look that has failed inside has kept nothing; the log says so.
        known = aside(plane, look).await.unwrap_or_default();
        sleep(PAUSE.max(began.elapsed() * 4)).await;
    }
}

/// What is found of a table that is not in force. The log is told nothing.
pub(super) fn found(table: &Table) -> Found {
    let (mut known, fits) = (Known::default(), Fits::default());
    known.take_up(table);
    let mut lines = Lines { tells_none: true, ..Lines::default() };
    known.backends.values_mut().for_each(|known| known.look(table, &fits, &mut lines));
    fits.found()
}

/// What was found last, and of which table.
#[derive(Default)]
pub(super) struct Known {
    generation: Option<u64>,
    backends: BTreeMap<String, KnownBackend>,
}

/// What was found of a backend.
#[derive(Default)]
struct KnownBackend {
    /// Its place in the table.
    place: usize,
    /// The places of the routes that call it, and of the gateway's own calls to it.
    routes: Vec<usize>,
    /// What was offered.
    digests: BTreeSet<u64>,
    /// What came of it; none while the routes are still to be looked at.
    fit: Option<Arc<BackendFit>>,
    checked: Checked,
    /// What the log has, by the routes' ids; why, where that can change.
    told: HashSet<(u64, Kind, Option<Arc<str>>)>,
    /// That is all that there is to say of these routes and offers.
    all_told: bool,
}

impl Known {
    /// Looks at all routes of a new table, or else at the backends of that name.
    pub(super) fn look(&mut self, table: &Table, changed: &BTreeSet<String>, fits: &Fits) {
        let mut lines = Lines::default();
        if self.generation == Some(table.generation) {
            for name in changed {
                // A backend of another table may be gone.
                if let Some(known) = self.backends.get_mut(name) {
                    known.look(table, fits, &mut lines);
                }
            }
        } else {
            self.take_up(table);
            fits.keep(|name| self.backends.contains_key(name));
            self.backends.values_mut().for_each(|known| known.look(table, fits, &mut lines));
        }
        lines.end();
    }

    /// Gathers which routes call which backend. What was found of routes and schemas stays.
    fn take_up(&mut self, table: &Table) {
        let mut before = std::mem::take(&mut self.backends);
        for (place, backend) in table.backends.iter().enumerate() {
            let KnownBackend { checked, told, .. } = before.remove(&backend.spec.name).unwrap_or_default();
            let known = KnownBackend { place, checked, told, ..KnownBackend::default() };
            self.backends.insert(backend.spec.name.clone(), known);
        }
        for (at, call) in table.calls() {
            for backend in call.backends() {
                let known = self.backends.get_mut(&backend.spec.name);
                // A split may name one several times.
                if let Some(known) = known.filter(|known| known.routes.last() != Some(&at)) {
                    known.routes.push(at);
                }
            }
        }
        self.generation = Some(table.generation);
    }
}

impl KnownBackend {
    fn look(&mut self, table: &Table, fits: &Fits, lines: &mut Lines) {
        let backend = &table.backends[self.place];
        let offers = Offers::of(backend);
        let digests = offers.digests();
        let known = self.fit.as_ref().filter(|_| digests == self.digests).map(|fit| fit.routes.clone());
        let is_known = known.is_some();
        let routes = known.unwrap_or_else(|| Arc::new(self.look_at_routes(table, backend, &offers)));
        let all_known = offers.all_known && !offers.alike.is_empty();
        let fit = Arc::new(BackendFit { routes, instances: offers.instances(), all_known });
        if !is_known || (all_known && !self.all_told) {
            self.tell(table, &backend.spec.name, &fit, lines);
            self.all_told = all_known;
        }
        fits.store(&backend.spec.name, fit.clone());
        (self.digests, self.fit) = (digests, Some(fit));
    }

    /// What is wrong with the routes that call the backend, in view of those offers.
    fn look_at_routes(
        &mut self,
        table: &Table,
        backend: &Backend,
        offers: &Offers,
    ) -> HashMap<u64, RouteFit> {
        let mut look = Look::new(offers, std::mem::take(&mut self.checked));
        let mut found = HashMap::new();
        for place in &self.routes {
            let Some(call) = table.call_at(*place) else { continue };
            let misfits = look.at(backend, call);
            if !misfits.is_empty() {
                found.insert(call.route, RouteFit { place: *place, misfits });
            }
        }
        self.checked = look.next;
        found
    }

    /// Logs what it has not said. What was wrong once and is so no longer may be said again.
    fn tell(&mut self, table: &Table, backend: &str, fit: &BackendFit, lines: &mut Lines) {
        let mut told = HashSet::new();
        let mut new = Vec::new();
        for (id, route) in &*fit.routes {
            for misfit in &route.misfits {
                // That further instances do not offer a method is nothing new.
                let key = (*id, misfit.kind, (misfit.kind == Kind::Fields).then(|| misfit.why.clone()));
                if self.told.contains(&key) {
                    told.insert(key);
                } else if fit.is_so(misfit) {
                    told.insert(key);
                    new.push((route.place, misfit));
                }
            }
        }
        self.told = told;
        new.sort_unstable_by_key(|(place, _)| *place);
        for (place, misfit) in new {
            let instances = fit.instances(misfit).join(", ");
            lines.add((table, place), backend, misfit.kind, &instances, &misfit.why);
        }
    }
}

/// The lines that a look writes to the log.
#[derive(Default)]
struct Lines {
    n: usize,
    tells_none: bool,
}

impl Lines {
    fn add(&mut self, (table, at): (&Table, usize), backend: &str, kind: Kind, instances: &str, error: &str) {
        self.n += 1;
        let tells = !self.tells_none && self.n <= MAX_LINES;
        let Some(call) = table.call_at(at).filter(|_| tells) else { return };
        let place = table.written_at(at);
        let is_own = call.spec.mode == CallMode::Own;
        let call = &call.spec.call;
        match kind {
            Kind::Method if is_own => {
                tracing::warn!(%place, %call, backend, instances, error, "no instance offers the method of an authenticator")
            }
            Kind::Fields if is_own => {
                tracing::warn!(%place, %call, backend, instances, error, "an authenticator's question does not fit its method")
            }
            Kind::Method => {
                tracing::warn!(%place, %call, backend, instances, error, "no instance offers the method of a route")
            }
            Kind::Fields => {
                tracing::warn!(%place, %call, backend, instances, error, "a route does not fit its method")
            }
        }
    }

    /// Says how many there would be.
    fn end(self) {
        if self.n > MAX_LINES {
            let more = self.n - MAX_LINES;
            tracing::warn!(more, "further routes are unfit; /routes of the admin port has all");
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
