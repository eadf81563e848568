//! What a connection knows of the routes whose calls go over it: how their requests are encoded for its instance, or that they do
//! not fit it, or that the instance lacks the method.

use super::fit::items_fit;
use super::offer::Offer;
use super::transcoders::{Transcoder, Transcoders};
use crate::config::ReplySpec;
use crate::transport::call::Binding;
use crate::transport::reply::Noted;
use callgate_protocol::connection::NumberMap;
use callgate_protocol::{Metadata, Streaming};
use callgate_transcode::{DecodeError, Picked};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// What a route's calls look like for this instance. Counted within the worker, so that workers do not meet in a reference count.
pub(super) struct Program {
    pub(super) shared: Rc<Transcoder>,
    /// The method, as the instance names it: `orders.quote`.
    pub(super) method: Rc<str>,
    /// The instance says that running the method twice does what running it once does.
    pub(super) idempotent: bool,
    /// Who streams.
    pub(super) streams: Streaming,
    /// What the route says of replies; nothing as a rule.
    pub(super) reply: Option<Arc<ReplySpec>>,
}

impl Program {
    /// What the route wants to know of a reply beside its JSON, if its result has become that. `payload` is the result; of one whose
    /// JSON is yet to be made the fields are picked then.
    pub(super) fn note(
        &self,
        payload: Option<&[u8]>,
        metadata: Metadata<'_>,
    ) -> Result<Option<Box<Noted>>, DecodeError> {
        let Some(reply) = &self.reply else { return Ok(None) };
        let all = || metadata.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
        let all_metadata = if reply.all_metadata { all() } else { Vec::new() };
        let metadata = reply.metadata.iter().map(|name| metadata.get(name).map(<[u8]>::to_vec)).collect();
        let picked = payload.map(|payload| self.shared.response.pick(payload)).transpose()?;
        Ok(Some(Box::new(Noted { picked: picked.unwrap_or_default(), metadata, all_metadata })))
    }

    /// Whether the route wants to know fields of each item.
    pub(super) fn picks_of_items(&self) -> bool {
        self.reply.as_ref().is_some_and(|reply| reply.picks_of_items())
    }

    /// The fields of an item, which has become JSON, that the route wants to know.
    pub(super) fn pick_of_item(&self, item: &[u8]) -> Result<Option<Box<Picked>>, DecodeError> {
        if !self.picks_of_items() {
            return Ok(None);
        }
        self.shared.response.pick(item).map(|picked| Some(Box::new(picked)))
    }
}

/// A program, or why there is none: the route's fields do not fit the method.
type Bound = Result<Rc<Program>, Rc<str>>;

/// By the slots of the routes that have called here; so a connection pays nothing for all the others of the table. A route that
/// takes another's slot takes its entry too.
#[derive(Default)]
pub(super) struct Programs(RefCell<NumberMap<u64, Known>>);

/// A route's id, and its program; none where the instance lacks the method.
type Known = (u64, Option<Bound>);

impl Programs {
    /// The program of a route: `None` when the instance does not offer the method, an error when the route's fields do not fit it.
    #[inline]
    pub(super) fn of(&self, route: &Binding<'_>, offer: &Offer, transcoders: &Transcoders) -> Option<Bound> {
        self.get(route.id, route.slot, Option::clone).unwrap_or_else(|| self.make(route, offer, transcoders))
    }

    #[cold]
    fn make(&self, route: &Binding<'_>, offer: &Offer, transcoders: &Transcoders) -> Option<Bound> {
        let program = offer.find(route.call).map(|method| {
            let reply = route.reply.map(|reply| &**reply);
            let shared = items_fit(reply, method.streams)
                .map_err(Rc::from)
                .and_then(|()| transcoders.of(route, method).map_err(Rc::from));
            let (name, idempotent, streams) = (&*method.name, method.idempotent, method.streams);
            let reply = route.reply.cloned();
            // The log has it already: `control::fit` has looked at it before any request came.
            shared.map(|shared| Rc::new(Program { shared, method: name.into(), idempotent, streams, reply }))
        });
        self.keep(route.id, route.slot, program.clone());
        program
    }

    /// Whether the instance could run the route's calls, as far as that is known: whether it offers the method, and the route was not
    /// found not to fit it. Looked up once for each route that it does not offer; one that it does is soon called, and its program
    /// known.
    pub(super) fn offers(&self, route: &Binding<'_>, offer: &Offer) -> bool {
        let fits = |known: &Option<Bound>| matches!(known, Some(Ok(_)));
        if let Some(offers) = self.get(route.id, route.slot, fits) {
            return offers;
        }
        let offers = offer.find(route.call).is_some();
        if !offers {
            self.keep(route.id, route.slot, None);
        }
        offers
    }

    /// Why the route was found not to fit the instance's method.
    pub(super) fn misfit(&self, route: &Binding<'_>) -> Option<Rc<str>> {
        let why = |known: &Option<Bound>| known.as_ref().and_then(|bound| bound.as_ref().err().cloned());
        self.get(route.id, route.slot, why).flatten()
    }

    /// What was found when a call was to be sent: the route does not fit the instance's method, and why.
    #[cold]
    pub(super) fn does_not_fit(&self, route: &Binding<'_>, why: &str) {
        self.keep(route.id, route.slot, Some(Err(why.into())));
    }

    /// Forgets the routes that are not in a table, which has those ids by slot.
    pub(super) fn forget_gone(&self, ids: &[u64]) {
        let mut programs = self.0.borrow_mut();
        programs.retain(|slot, (id, _)| ids.get(*slot as usize) == Some(id));
        if programs.len() < programs.capacity() / 4 {
            programs.shrink_to_fit();
        }
    }

    /// What is known of a route.
    #[inline]
    fn get<T>(&self, route: u64, slot: usize, of: impl FnOnce(&Option<Bound>) -> T) -> Option<T> {
        match self.0.borrow().get(&(slot as u64)) {
            Some((id, program)) if *id == route => Some(of(program)),
            _ => None,
        }
    }

    fn keep(&self, route: u64, slot: usize, program: Option<Bound>) {
        self.0.borrow_mut().insert(slot as u64, (route, program));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{CallRef, Rules};
    use callgate_protocol::CallId;
    use callgate_transcode::{RequestBinding, ResponseBinding};

    #[test]
    fn a_connection_keeps_what_has_called_over_it_and_nothing_of_other_routes() {
        let programs = Programs::default();
        assert_eq!(programs.0.borrow().capacity(), 0);
        programs.keep(7, 1_000_000, None);
        assert_eq!(programs.get(7, 1_000_000, Option::is_none), Some(true));
        assert_eq!(programs.get(8, 1_000_000, Option::is_none), None);
        assert_eq!(programs.get(7, 7, Option::is_none), None);
        assert!(programs.0.borrow().capacity() < 8, "it is one entry");
    }

    #[test]
    fn a_route_that_does_not_fit_is_offered_nothing_until_another_takes_its_slot() {
        let (call, request, response) =
            (CallRef::Number(CallId::of("s", "a")), RequestBinding::default(), ResponseBinding::default());
        let of = |id| Binding {
            id,
            slot: 3,
            call: &call,
            request: &request,
            response: &response,
            reply: None,
            rules: &Rules::NONE,
        };
        let programs = Programs::default();
        let fits = |id| programs.get(id, 3, |known| matches!(known, Some(Ok(_))));
        assert_eq!((fits(1), programs.misfit(&of(1))), (None, None));
        programs.does_not_fit(&of(1), "unknown field");
        assert_eq!((fits(1), programs.misfit(&of(1)).as_deref()), (Some(false), Some("unknown field")));
        assert_eq!((fits(2), programs.misfit(&of(2))), (None, None));
        programs.keep(2, 3, None);
        assert_eq!((fits(2), programs.misfit(&of(2))), (Some(false), None), "it lacks the method");
    }

    #[test]
    fn replaced_and_gone_routes_do_not_gather() {
        let programs = Programs::default();
        for table in 0..1000u64 {
            for slot in 0..10 {
                programs.keep(table * 10 + slot, slot as usize, None);
            }
            assert_eq!(programs.0.borrow().len(), 10);
        }
        let mut ids: Vec<u64> = (9990..10_000).collect();
        programs.forget_gone(&ids);
        assert_eq!(programs.0.borrow().len(), 10);
        (1000..3000).for_each(|slot| programs.keep(slot as u64, slot, None));
        ids[3] = 1;
        programs.forget_gone(&ids);
        assert_eq!(programs.0.borrow().len(), 9);
        assert!(programs.0.borrow().capacity() < 30);
        assert_eq!(programs.get(9993, 3, Option::is_none), None);
    }
}
