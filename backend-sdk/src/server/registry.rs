//! What a server offers: its services, found by Call ID, and its schemas, found by fingerprint. Checked once, at start.

use super::ServerError;
use super::place::Place;
use crate::service::{Dispatch, Method};
use callgate_protocol::limits::{MAX_CONTROL, MAX_SCHEMA};
use callgate_protocol::name::{is_method_name, is_service_name};
use callgate_protocol::schema::Fingerprint;
use callgate_protocol::{CallId, Hello, Limits, MethodOffer, Outbound, ServiceOffer, StreamCredit};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A method that can be called: the `index`th of a service.
pub(crate) struct Target {
    pub(crate) service: Arc<dyn Dispatch>,
    pub(crate) index: usize,
    pub(crate) method: &'static Method,
    pub(super) place: Place,
}

/// A server's services.
pub(crate) struct Registry {
    services: Vec<Arc<dyn Dispatch>>,
    targets: BTreeMap<CallId, Arc<Target>>,
    schemas: HashMap<Fingerprint, &'static [u8]>,
    hello: Hello,
}

impl Registry {
    pub(crate) fn new(
        services: Vec<Arc<dyn Dispatch>>,
        identity: String,
        limits: Limits,
    ) -> Result<Registry, ServerError> {
        let mut registry = Registry {
            services: Vec::new(),
            targets: BTreeMap::new(),
            schemas: HashMap::new(),
            hello: Hello::new(identity, limits, Vec::new()),
        };
        for service in services {
            registry.add(service)?;
        }
        let size = Outbound::new(&registry.hello).backlog();
        if size > MAX_CONTROL as usize {
            return Err(ServerError::OfferTooLarge { size });
        }
        Ok(registry)
    }

    /// The method of that number.
    pub(crate) fn target(&self, call_id: CallId) -> Option<&Arc<Target>> {
        self.targets.get(&call_id)
    }

    /// The encoded schema of that fingerprint; empty when there is none.
    pub(crate) fn schema(&self, fingerprint: Fingerprint) -> &'static [u8] {
        self.schemas.get(&fingerprint).copied().unwrap_or_default()
    }

    /// What the server says of itself.
    pub(crate) fn hello(&self) -> &Hello {
        &self.hello
    }

    fn add(&mut self, service: Arc<dyn Dispatch>) -> Result<(), ServerError> {
        if let Some(first) = self.services.iter().find(|s| s.name() == service.name()) {
            return Err(ServerError::ServiceTwice {
                name: service.name(),
                first: first.version(),
                second: service.version(),
            });
        }
        if !is_service_name(service.name()) {
            return Err(ServerError::BadName { name: service.name().into() });
        }
        let mut offer = ServiceOffer {
            name: service.name().into(),
            version: service.version().into(),
            methods: Vec::new(),
        };
        for (index, method) in service.methods().iter().enumerate() {
            if !is_method_name(method.name) {
                return Err(ServerError::BadName { name: full_name(method) });
            }
            let schema = method.schema().map_err(|problem| ServerError::BadSchema {
                method: full_name(method),
                problem: problem.clone(),
            })?;
            if schema.encoded.len() > MAX_SCHEMA {
                let (method, size) = (full_name(method), schema.encoded.len());
                return Err(ServerError::SchemaTooLarge { method, size });
            }
            let target = Target { service: service.clone(), index, method, place: Place::new() };
            if let Some(first) = self.targets.insert(method.call_id, Arc::new(target)) {
                return Err(ServerError::CallIdTwice {
                    call_id: method.call_id,
                    first: full_name(first.method),
                    second: full_name(method),
                });
            }
            self.schemas.insert(schema.fingerprint, &schema.encoded);
            offer.methods.push(MethodOffer {
                name: method.name.into(),
                call_id: method.call_id,
                schema: schema.fingerprint,
                wire: schema.wire,
                idempotent: method.idempotent,
                streams: method.streams,
            });
            if !method.streams.is_plain() {
                self.hello.streams = Some(StreamCredit::default());
            }
        }
        self.hello.services.push(offer);
        self.services.push(service);
        Ok(())
    }
}

/// A method's name as users write it: `orders.quote`.
pub(crate) fn full_name(method: &Method) -> String {
    format!("{}.{}", method.service, method.name)
}
