//! What an instance offers, as it said in the handshake: its methods with their schemas. A method whose schema cannot be used is not
//! offered, and it is kept why.

use super::catalog::{Schema, Verdict};
use crate::config::CallRef;
use callgate_protocol::schema::Fingerprint;
use callgate_protocol::{CallId, Hello, Limits, MethodOffer, Streaming};
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// An instance's HELLO together with the schemas that it names.
#[derive(Debug)]
pub struct Offer {
    /// Who it says it is.
    pub identity: String,
    /// What it accepts.
    pub limits: Limits,
    /// Its services: name and version.
    pub services: Vec<(String, String)>,
    by_service: HashMap<String, usize>,
    /// Its methods.
    pub methods: Vec<MethodEntry>,
    /// Of methods with their schemas, and of versions: routes fit all instances of the same alike, in whatever process they run.
    pub(crate) digest: u64,
    by_name: HashMap<String, usize>,
    by_id: HashMap<CallId, usize>,
    unusable: Vec<UnusableMethod>,
    unusable_by_name: HashMap<String, usize>,
    unusable_by_id: HashMap<CallId, usize>,
}

/// A method of an instance that cannot be called.
#[derive(Debug)]
pub(crate) struct UnusableMethod {
    /// `orders.quote`.
    pub(crate) name: String,
    /// What is wrong with its schema, for people.
    pub(crate) why: Arc<str>,
}

/// A method that an instance offers.
#[derive(Debug)]
pub struct MethodEntry {
    /// `orders.quote`.
    pub name: String,
    /// Its number in this instance.
    pub call_id: CallId,
    /// Which schema it has.
    pub fingerprint: Fingerprint,
    /// The schema itself.
    pub schema: Arc<Schema>,
    /// Running it twice does what running it once does.
    pub idempotent: bool,
    /// Who streams items: the caller beside its arguments, the service in the place of its result.
    pub streams: Streaming,
}

impl MethodEntry {
    /// What streams, for people: `request`, `reply` or `both`.
    pub fn streams(&self) -> Option<&'static str> {
        match self.streams {
            Streaming { caller: false, service: false } => None,
            Streaming { caller: true, service: false } => Some("request"),
            Streaming { caller: false, service: true } => Some("reply"),
            Streaming { caller: true, service: true } => Some("both"),
        }
    }
}

impl Offer {
    /// Puts a HELLO and its schemas together. A method whose schema cannot be used is not offered. A Call ID that names two methods
    /// is an error.
    pub(crate) fn new(hello: Hello, mut schema: impl FnMut(Fingerprint) -> Verdict) -> Result<Offer, String> {
        let mut offer = Offer {
            identity: hello.identity,
            limits: hello.limits,
            services: Vec::new(),
            by_service: HashMap::new(),
            methods: Vec::new(),
            digest: 0,
            by_name: HashMap::new(),
            by_id: HashMap::new(),
            unusable: Vec::new(),
            unusable_by_name: HashMap::new(),
            unusable_by_id: HashMap::new(),
        };
        for service in hello.services {
            for method in service.methods {
                let name = format!("{}.{}", service.name, method.name);
                let schema = match schema(method.schema).and_then(|schema| goes_with(&method, schema)) {
                    Ok(schema) => schema,
                    Err(why) => {
                        offer.lacks_a_schema(method.call_id, name, why);
                        continue;
                    }
                };
                let index = offer.methods.len();
                if let Some(other) = offer.by_id.insert(method.call_id, index) {
                    let other = &offer.methods[other].name;
                    return Err(format!("Call ID {} is both {other} and {name}", method.call_id));
                }
                offer.by_name.insert(name.clone(), index);
                offer.methods.push(MethodEntry {
                    name,
                    call_id: method.call_id,
                    fingerprint: method.schema,
                    schema,
                    idempotent: method.idempotent,
                    streams: method.streams,
                });
            }
            // Where a name comes twice, the first counts.
            offer.by_service.entry(service.name.clone()).or_insert(offer.services.len());
            offer.services.push((service.name, service.version));
        }
        offer.digest = offer.digest_of_all();
        Ok(offer)
    }

    fn lacks_a_schema(&mut self, call_id: CallId, name: String, why: Arc<str>) {
        let index = self.unusable.len();
        self.unusable_by_id.insert(call_id, index);
        self.unusable_by_name.insert(name.clone(), index);
        self.unusable.push(UnusableMethod { name, why });
    }

    fn digest_of_all(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.services.hash(&mut hasher);
        self.methods.iter().for_each(|method| {
            let Streaming { caller, service } = method.streams;
            (&method.name, method.call_id, caller, service, method.fingerprint).hash(&mut hasher);
        });
        self.unusable.iter().for_each(|method| (&method.name, &method.why).hash(&mut hasher));
        hasher.finish()
    }

    /// The version of the service that a route's method belongs to, if it is offered; `""` where the instance says none.
    pub fn version(&self, call: &CallRef) -> Option<&str> {
        let service = match call {
            CallRef::Name { service, .. } => service,
            CallRef::Number(_) => self.find(call)?.name.rsplit_once('.')?.0,
        };
        let (_, version) = self.services.get(*self.by_service.get(service)?)?;
        Some(version)
    }

    /// The method that a route names.
    pub fn find(&self, call: &CallRef) -> Option<&MethodEntry> {
        let index = match call {
            CallRef::Name { service, method } => self.by_name.get(&format!("{service}.{method}")),
            CallRef::Number(call_id) => self.by_id.get(call_id),
        };
        index.map(|index| &self.methods[*index])
    }

    /// Methods that it names and that cannot be called.
    pub(crate) fn unusable(&self) -> &[UnusableMethod] {
        &self.unusable
    }

    /// Why the method that a route names cannot be called although the instance names it.
    pub(crate) fn why_unusable(&self, call: &CallRef) -> Option<&Arc<str>> {
        let index = match call {
            CallRef::Name { service, method } => self.unusable_by_name.get(&format!("{service}.{method}")),
            CallRef::Number(call_id) => self.unusable_by_id.get(call_id),
        };
        index.map(|index| &self.unusable[*index].why)
    }
}

/// The schema, if it has items for a caller that streams, and none for another one.
fn goes_with(method: &MethodOffer, schema: Arc<Schema>) -> Verdict {
    match (method.streams.caller, schema.method.request_items.is_some()) {
        (true, false) => Err("its caller streams, and its schema does not say what".into()),
        (false, true) => {
            Err("its schema has items of the caller, and it does not say that its caller streams".into())
        }
        _ => Ok(schema),
    }
}
