//! What the peer of one connection offers, and how its methods are called with the types that this caller has.
//!
//! A method is found by its name; its number is the peer's. If both sides write the same bytes (their wire fingerprints
//! are the same), that is all. Otherwise the peer is asked for its schema, once and only when the method is called, and
//! messages are converted. Until the schema is there the connection takes no call of the method.

use super::outcome::{Failed, Outcome};
use super::schemas::{Schemas, Verdict};
use crate::layer::MethodName;
use crate::service::Method;
use callgate_protocol::schema::{Fingerprint, MethodSchema};
use callgate_protocol::{CallId, Hello, MethodOffer};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// What a peer says of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// It can be called.
    Fits,
    /// It may be called soon: the peer was asked for its schema.
    NotYet,
    /// The peer's types are others, and messages cannot be converted.
    Misfits,
    /// The peer does not offer it.
    None,
}

/// How a method is called.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    /// The peer's number for the method.
    pub(crate) call_id: CallId,
    /// `None` if messages stay as they are.
    pub(crate) verdict: Option<Arc<Verdict>>,
}

/// What is known of a method.
#[derive(Clone, Debug)]
enum Known {
    NotOffered,
    /// The peer was asked for its schema.
    Asked(Asked),
    /// The messages stay as they are, or it is settled what becomes of them.
    Settled(Way),
}

/// What has become of a method whose schema was asked for.
pub(crate) struct Learned {
    pub(crate) method: MethodName,
    /// Why it cannot be called, if it cannot.
    pub(crate) misfit: Option<String>,
}

/// What waits for a schema.
#[derive(Clone, Debug)]
struct Asked {
    offer: MethodOffer,
    schemas: Arc<Schemas>,
    /// The schema has come, and is being read.
    reading: bool,
}

/// All that one peer offers.
pub(crate) struct Offers {
    /// By service and method.
    told: HashMap<String, HashMap<String, MethodOffer>>,
    /// Of the methods that were called so far, by their address: there is one for each method that a program calls.
    known: RwLock<HashMap<usize, (&'static Method, Known)>>,
}

impl Offers {
    pub(crate) fn new(hello: Hello) -> Offers {
        let mut told: HashMap<_, HashMap<_, _>> = HashMap::new();
        for service in hello.services {
            let methods = told.entry(service.name).or_default();
            for method in service.methods {
                methods.entry(method.name.clone()).or_insert(method);
            }
        }
        Offers { told, known: RwLock::default() }
    }

    /// Whether the peer can be called, by what is known. `ask` asks it for a schema; that is done once.
    pub(crate) fn look(
        &self,
        method: &'static Method,
        schemas: &Arc<Schemas>,
        ask: impl FnOnce(Fingerprint),
    ) -> Offer {
        if let Some(offer) = self.known(method) {
            return offer;
        }
        let (known, to_ask) = self.first_look(method, schemas);
        if let Some(schema) = to_ask {
            ask(schema);
        }
        known.offer()
    }

    /// What is known of the method, if it was looked at before.
    pub(crate) fn known(&self, method: &'static Method) -> Option<Offer> {
        self.read().get(&address(method)).map(|(_, known)| known.offer())
    }

    /// How the method is called, if it can be.
    pub(crate) fn way(&self, method: &'static Method) -> Option<Way> {
        match self.read().get(&address(method)) {
            Some((_, Known::Settled(way))) if way.offer() == Offer::Fits => Some(way.clone()),
            _ => None,
        }
    }

    /// Why the method cannot be called although it is offered, for people.
    pub(crate) fn misfit(&self, method: &'static Method) -> Option<String> {
        match self.read().get(&address(method)) {
            Some((_, Known::Settled(way))) => way.verdict.as_ref()?.misfit().map(str::to_owned),
            _ => None,
        }
    }

    /// Whether a schema was asked for that now has come for the first time. Then it is to be [learned](Self::learn).
    pub(crate) fn takes(&self, schema: Fingerprint) -> bool {
        let mut takes = false;
        for (_, known) in self.write().values_mut() {
            if let Known::Asked(asked) = known
                && asked.offer.schema == schema
            {
                takes |= !std::mem::replace(&mut asked.reading, true);
            }
        }
        takes
    }

    /// Reads a schema that the peer has sent, and settles the methods that wait for it. Takes as long as the schema is
    /// large. Says what has become of them.
    pub(crate) fn learn(&self, fingerprint: Fingerprint, encoded: &[u8]) -> Vec<Learned> {
        let schema = match encoded {
            [] => Err("the endpoint does not tell its schema".to_owned()),
            encoded => MethodSchema::decode(encoded).map_err(|error| format!("its schema is none: {error}")),
        };
        let mut all = Vec::new();
        // A method can be added meanwhile, which found that the schema was asked for.
        while let Some((method, asked)) = self.waiting_for(fingerprint) {
            let verdict = asked.schemas.judge(method, fingerprint, &schema);
            let misfit = verdict.misfit().map(str::to_owned);
            all.push(Learned { method: MethodName::of(method), misfit });
            let settled = Known::Settled(Way { call_id: asked.offer.call_id, verdict: Some(verdict) });
            self.write().insert(address(method), (method, settled));
        }
        all
    }

    fn first_look(&self, method: &'static Method, schemas: &Arc<Schemas>) -> (Known, Option<Fingerprint>) {
        let told = self.told.get(method.service).and_then(|service| service.get(method.name));
        // One that streams in other directions is another method.
        let told = told.filter(|offer| offer.streams == method.streams);
        let (Some(offer), Ok(own)) = (told, method.schema()) else {
            return (self.enter(method, Known::NotOffered), None);
        };
        let settled = |verdict| Known::Settled(Way { call_id: offer.call_id, verdict });
        if offer.wire == own.wire {
            return (self.enter(method, settled(None)), None);
        }
        if let Some(verdict) = schemas.known(own.fingerprint, offer.schema) {
            return (self.enter(method, settled(Some(verdict))), None);
        }
        let mut known = self.write();
        let is_asked = known.values().any(|(_, known)| known.awaits(offer.schema));
        let asked = Asked { offer: offer.clone(), schemas: schemas.clone(), reading: false };
        let (_, entered) = known.entry(address(method)).or_insert((method, Known::Asked(asked)));
        (entered.clone(), (!is_asked).then_some(offer.schema))
    }

    fn enter(&self, method: &'static Method, known: Known) -> Known {
        self.write().insert(address(method), (method, known.clone()));
        known
    }

    fn waiting_for(&self, schema: Fingerprint) -> Option<(&'static Method, Asked)> {
        self.read().values().find_map(|(method, known)| match known {
            Known::Asked(asked) if asked.offer.schema == schema => Some((*method, asked.clone())),
            _ => None,
        })
    }

    /// What lies under the lock is whole whenever it is not held.
    fn read(&self) -> RwLockReadGuard<'_, HashMap<usize, (&'static Method, Known)>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<usize, (&'static Method, Known)>> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A method by which `static` it is: two traits may have methods of one name, and other types.
fn address(method: &'static Method) -> usize {
    std::ptr::from_ref(method).addr()
}

impl fmt::Debug for Offers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offers").field("told", &self.told).finish_non_exhaustive()
    }
}

impl Known {
    fn offer(&self) -> Offer {
        match self {
            Known::NotOffered => Offer::None,
            Known::Asked(_) => Offer::NotYet,
            Known::Settled(way) => way.offer(),
        }
    }

    fn awaits(&self, schema: Fingerprint) -> bool {
        matches!(self, Known::Asked(asked) if asked.offer.schema == schema)
    }
}

impl Way {
    /// The arguments as the peer reads them, in `most` bytes.
    pub(crate) fn request<'a>(
        &self,
        method: &Method,
        arguments: &'a [u8],
        most: usize,
    ) -> Result<Cow<'a, [u8]>, Failed> {
        self.verdict.as_ref().map_or(Ok(arguments.into()), |verdict| verdict.request(method, arguments, most))
    }

    /// An item of the caller as the peer reads it, in `most` bytes.
    pub(crate) fn item(&self, method: &Method, item: Vec<u8>, most: usize) -> Result<Vec<u8>, Failed> {
        match &self.verdict {
            None => Ok(item),
            Some(verdict) => verdict.item(method, &item, most),
        }
    }

    /// An item of the peer as this caller reads it.
    pub(crate) fn came(&self, method: &Method, item: Vec<u8>) -> Result<Vec<u8>, Failed> {
        match &self.verdict {
            None => Ok(item),
            Some(verdict) => verdict.response(method, item),
        }
    }

    /// The peer's answer as this caller reads it.
    pub(crate) fn outcome(&self, method: &Method, outcome: Outcome) -> Outcome {
        match &self.verdict {
            None => outcome,
            // The end of items, which has no result.
            Some(_) if method.streams.service && outcome.is_ok() => outcome,
            Some(verdict) => verdict.outcome(method, outcome),
        }
    }

    fn offer(&self) -> Offer {
        match &self.verdict {
            Some(verdict) if verdict.misfit().is_some() => Offer::Misfits,
            _ => Offer::Fits,
        }
    }
}
