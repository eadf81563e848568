//! What a connection knows of the routes whose calls go over it: how their requests are encoded for its instance, or that the
//! instance lacks the method.

use super::Conn;
use crate::backends::catalog::{Catalog, Transcoder};
use crate::backends::wanted::Wanted;
use crate::config::CallRef;
use crate::routes::Route;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// What a route's calls look like for this instance, or why they cannot be made. Counted within the worker, so that
/// workers do not meet in a reference count.
pub(crate) type Program = Result<Rc<LocalTranscoder>, Rc<str>>;

/// A program, counted within the worker.
pub struct LocalTranscoder {
    pub(super) shared: Arc<Transcoder>,
    /// The instance says that running the method twice does what running it once does.
    pub(crate) idempotent: bool,
}

/// By the slots of the routes.
#[derive(Default)]
pub(super) struct Programs(RefCell<Vec<Option<Known>>>);

/// A route's id, and its program; none where the instance lacks the method.
type Known = (u64, Option<Program>);

impl Programs {
    /// What is known of a route.
    #[inline]
    fn get<T>(&self, route: u64, slot: usize, of: impl FnOnce(&Option<Program>) -> T) -> Option<T> {
        match self.0.borrow().get(slot) {
            Some(Some((id, program))) if *id == route => Some(of(program)),
            _ => None,
        }
    }

    fn keep(&self, route: u64, slot: usize, program: Option<Program>) {
        let mut programs = self.0.borrow_mut();
        if programs.len() <= slot {
            programs.resize(slot + 1, None);
        }
        programs[slot] = Some((route, program));
    }
}

impl Conn {
    /// The program of a route for this instance: `None` when the instance does not offer the method, an error when the
    /// route's fields do not fit it.
    pub fn transcoder(&self, route: &Route, catalog: &Catalog) -> Option<Program> {
        if let Some(known) = self.programs.get(route.id, route.slot, Option::clone) {
            return known;
        }
        let program = self.offer.find(&route.spec.call).map(|method| {
            let shared = catalog.transcoder(&route.spec, method);
            let local =
                shared.map(|shared| Rc::new(LocalTranscoder { shared, idempotent: method.idempotent }));
            // The log has it already: `control::fit` has looked at it before any request came.
            local.map_err(|error| Rc::from(error.to_string()))
        });
        self.programs.keep(route.id, route.slot, program.clone());
        program
    }

    /// Whether the instance offers the method. Looked up once for each route that it does not offer; one that it does is soon
    /// called, and its program known.
    pub(in crate::backends) fn offers(&self, wanted: &Wanted<'_>) -> bool {
        if let Some(offers) = self.programs.get(wanted.route, wanted.slot, Option::is_some) {
            return offers;
        }
        let offers = self.offer.find(wanted.call).is_some();
        if !offers {
            self.programs.keep(wanted.route, wanted.slot, None);
        }
        offers
    }

    /// What the instance says of the version of a method's service; `None` when it offers no such method or service.
    pub(in crate::backends) fn version(&self, call: &CallRef) -> Option<&str> {
        self.offer.version(call)
    }

    /// What the instance offers, in a number.
    pub(in crate::backends) fn offer_digest(&self) -> u64 {
        self.offer.digest
    }
}
