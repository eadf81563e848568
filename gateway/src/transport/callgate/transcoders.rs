//! The programs of one worker: how a route's requests become calls of a method, and its replies answers.
//!
//! All programs of a method are made of its schema's layout, which was compiled when its instance was connected to; what is
//! left for a route's first call is to look its few names up. So each worker does that for itself, and no call meets a lock.

use super::offer::MethodEntry;
use super::rules;
use crate::config::Rules;
use crate::transport::call::{Binding, Refused};
use callgate_auth::Identity;
use callgate_protocol::CallId;
use callgate_protocol::schema::Fingerprint;
use callgate_rules::Program;
use callgate_transcode::{
    BindError, ErrorProgram, RequestBinding, RequestInput, RequestProgram, ResponseBinding, ResponseProgram,
};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::{Rc, Weak};

/// What turns one route's requests into calls of one instance's method, and its replies into answers.
#[derive(Debug)]
pub(super) struct Transcoder {
    /// The method's number in that instance.
    pub call_id: CallId,
    /// JSON → bincode.
    pub request: RequestProgram,
    /// What must hold of that; nothing as a rule.
    pub rules: Option<Box<Program>>,
    /// bincode → JSON.
    pub response: Rc<ResponseProgram>,
    /// The same for the method's errors, if it declares some.
    pub errors: Option<ErrorProgram>,
}

impl Transcoder {
    /// The program of a route for a method.
    ///
    /// # Errors
    /// The route's fields do not fit the method: why, for people.
    fn new(route: &Binding<'_>, method: &MethodEntry) -> Result<Transcoder, String> {
        let layout = &method.schema.layout;
        let told = |error: BindError| error.to_string();
        Ok(Transcoder {
            call_id: method.call_id,
            request: RequestProgram::bind(layout.clone(), route.request).map_err(told)?,
            rules: rules::program(route.rules, layout).map_err(|misfit| rules::told(route.rules, &misfit))?,
            response: Rc::new(ResponseProgram::bind(layout.clone(), route.response).map_err(told)?),
            errors: ErrorProgram::bind(layout.clone(), route.response),
        })
    }

    /// Appends a request's message to `out`, if the rules let it pass: they are asked of the very bytes that the instance reads.
    ///
    /// # Errors
    /// The request does not fit the method, or a rule denies it. Then `out` may hold garbage behind its earlier length.
    #[inline]
    pub(super) fn encode(
        &self,
        input: &RequestInput<'_>,
        identity: Option<&Identity>,
        out: &mut Vec<u8>,
    ) -> Result<(), Refused> {
        self.encode_leaving(input, identity, out, usize::MAX).map(drop)
    }

    /// The same, but that a body of at least `long` bytes may be left out that a field takes as it is: where it belongs then. Where rules
    /// are asked none is, because they read the whole message.
    #[inline]
    pub(super) fn encode_leaving(
        &self,
        input: &RequestInput<'_>,
        identity: Option<&Identity>,
        out: &mut Vec<u8>,
        long: usize,
    ) -> Result<Option<usize>, Refused> {
        let start = out.len();
        let long = if self.rules.is_some() { usize::MAX } else { long };
        let left = self.request.encode_leaving(input, out, long).map_err(Refused::Invalid)?;
        if let Some(rules) = &self.rules {
            let message = out.get(start..).unwrap_or_default();
            rules.check(message, identity).map_err(|denied| Refused::Denied(Box::new(denied)))?;
        }
        Ok(left)
    }
}

type Key = (Fingerprint, CallId, RequestBinding, ResponseBinding, Rules);

/// A worker's programs: routes that bind a method alike share one. It lives as long as a connection uses it.
#[derive(Default)]
pub(super) struct Transcoders(RefCell<HashMap<Key, Weak<Transcoder>>>);

impl Transcoders {
    /// The program of a route for a method, made at its first use.
    ///
    /// # Errors
    /// The route's fields do not fit the method: why, for people.
    pub(super) fn of(&self, route: &Binding<'_>, method: &MethodEntry) -> Result<Rc<Transcoder>, String> {
        let bindings = (route.request.clone(), route.response.clone());
        let key = (method.fingerprint, method.call_id, bindings.0, bindings.1, route.rules.clone());
        let mut all = self.0.borrow_mut();
        if let Some(known) = all.get(&key).and_then(Weak::upgrade) {
            return Ok(known);
        }
        let transcoder = Rc::new(Transcoder::new(route, method)?);
        if all.len() == all.capacity() {
            all.retain(|_, known| known.strong_count() > 0);
        }
        all.insert(key, Rc::downgrade(&transcoder));
        Ok(transcoder)
    }
}
