//! Schemas by fingerprint, and the programs compiled from them, shared by all workers.
//!
//! An entry lives as long as some connection uses it: the maps hold weak references and are swept when they grow.

use crate::config::RouteSpec;
use callgate_protocol::CallId;
use callgate_protocol::schema::{Fingerprint, MethodSchema};
use callgate_transcode::{BindError, RequestBinding, RequestProgram, ResponseBinding, ResponseProgram};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::offer::MethodEntry;

/// What turns one route's requests into calls of one instance's method, and its replies into answers.
#[derive(Debug)]
pub struct Transcoder {
    /// The method's number in that instance.
    pub call_id: CallId,
    /// JSON → bincode.
    pub request: RequestProgram,
    /// bincode → JSON.
    pub response: ResponseProgram,
}

type ProgramKey = (Fingerprint, CallId, RequestBinding, ResponseBinding);

/// All schemas and programs in use.
#[derive(Debug, Default)]
pub struct Catalog {
    schemas: Mutex<HashMap<Fingerprint, Weak<MethodSchema>>>,
    programs: Mutex<HashMap<ProgramKey, Weak<Transcoder>>>,
}

impl Catalog {
    /// The schema of that fingerprint, if a connection has brought it already.
    pub fn schema(&self, fingerprint: Fingerprint) -> Option<Arc<MethodSchema>> {
        lock(&self.schemas).get(&fingerprint).and_then(Weak::upgrade)
    }

    /// Keeps a schema that a connection has brought.
    pub fn add_schema(&self, fingerprint: Fingerprint, schema: MethodSchema) -> Arc<MethodSchema> {
        let schema = Arc::new(schema);
        insert(&mut lock(&self.schemas), fingerprint, &schema);
        schema
    }

    /// The program of a route for a method, compiled at its first use.
    pub fn transcoder(&self, route: &RouteSpec, method: &MethodEntry) -> Result<Arc<Transcoder>, BindError> {
        let key = (method.fingerprint, method.call_id, route.request.clone(), route.response.clone());
        let mut programs = lock(&self.programs);
        if let Some(known) = programs.get(&key).and_then(Weak::upgrade) {
            return Ok(known);
        }
        let transcoder = Arc::new(Transcoder {
            call_id: method.call_id,
            request: RequestProgram::compile(&method.schema, &route.request)?,
            response: ResponseProgram::compile(&method.schema, &route.response)?,
        });
        insert(&mut programs, key, &transcoder);
        Ok(transcoder)
    }
}

fn insert<K: Eq + Hash, V>(map: &mut HashMap<K, Weak<V>>, key: K, value: &Arc<V>) {
    if map.len() == map.capacity() {
        map.retain(|_, value| value.strong_count() > 0);
    }
    map.insert(key, Arc::downgrade(value));
}

/// The maps are whole after every statement, so a panic elsewhere while one was locked does no harm.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
