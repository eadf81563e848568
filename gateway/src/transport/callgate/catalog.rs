//! Schemas by fingerprint, shared by all workers: read and compiled once, when the first connection brings them.
//!
//! A large schema takes a worker's other requests too long to wait for, so it is read in a thread beside the workers. Calls
//! never come here, and nobody who looks a schema up waits for anybody: the map is replaced, not changed. An entry lives as long
//! as some connection uses it; who adds one leaves out those that are gone.

use arc_swap::ArcSwap;
use callgate_protocol::schema::{Fingerprint, MethodSchema};
use callgate_transcode::Layout;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use tokio::sync::Semaphore;

/// So many handshakes read schemas at once. The others wait their turn, and find there what has been read meanwhile.
const READERS: usize = 4;

/// A method's schema as it was sent, and compiled.
#[derive(Debug)]
pub struct Schema {
    /// What the instance says of the method.
    pub method: MethodSchema,
    /// What the programs of all its routes are made of.
    pub layout: Arc<Layout>,
}

impl Schema {
    /// Compiles a schema. The error is for people.
    pub(crate) fn new(method: MethodSchema) -> Result<Schema, String> {
        let layout = Layout::new(&method).map_err(|error| error.to_string())?;
        Ok(Schema { method, layout: Arc::new(layout) })
    }

    fn read(fingerprint: Fingerprint, encoded: &[u8]) -> Result<Schema, String> {
        if Fingerprint::of(encoded) != fingerprint {
            return Err(format!("the schema sent for {fingerprint} is another"));
        }
        let method = MethodSchema::decode(encoded).map_err(|error| error.to_string());
        method.and_then(Schema::new).map_err(|error| format!("schema {fingerprint}: {error}"))
    }
}

/// Schemas by fingerprint.
pub(crate) type Schemas = HashMap<Fingerprint, Arc<Schema>>;

/// What has become of the schemas that a connection has brought.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// Those that can be used.
    pub(crate) schemas: Schemas,
    /// What is wrong with the others, for people.
    pub(crate) unusable: HashMap<Fingerprint, String>,
}

/// All schemas in use.
#[derive(Debug)]
pub struct Catalog {
    schemas: ArcSwap<HashMap<Fingerprint, Weak<Schema>>>,
    turns: Arc<Semaphore>,
}

impl Default for Catalog {
    fn default() -> Catalog {
        Catalog { schemas: ArcSwap::default(), turns: Arc::new(Semaphore::new(READERS)) }
    }
}

impl Catalog {
    /// The schema of that fingerprint, if a connection has brought it already.
    pub fn schema(&self, fingerprint: Fingerprint) -> Option<Arc<Schema>> {
        self.schemas.load().get(&fingerprint).and_then(Weak::upgrade)
    }

    /// Reads, compiles and keeps schemas that a connection has brought, in a thread beside the caller's runtime. The caller
    /// bounds the time; the thread ends by itself, as the work of each schema is bounded.
    ///
    /// # Errors
    /// For people: why nothing could be read. What is wrong with a single schema is no error.
    pub(crate) async fn read(self: &Arc<Self>, encoded: Vec<(Fingerprint, Vec<u8>)>) -> Result<Read, String> {
        let inside = |error: &dyn std::fmt::Display| format!("reading the schemas failed inside: {error}");
        let turn = self.turns.clone().acquire_owned().await.map_err(|error| inside(&error))?;
        let catalog = self.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let read = catalog.read_all(encoded);
            drop(turn);
            read
        });
        reading.await.map_err(|error| inside(&error))
    }

    fn read_all(&self, encoded: Vec<(Fingerprint, Vec<u8>)>) -> Read {
        let mut read = Read::default();
        for (fingerprint, encoded) in encoded {
            let schema = match self.schema(fingerprint) {
                Some(known) => Ok(known),
                None => Schema::read(fingerprint, &encoded).map(Arc::new),
            };
            match schema {
                Ok(schema) => drop(read.schemas.insert(fingerprint, schema)),
                Err(why) => drop(read.unusable.insert(fingerprint, why)),
            }
        }
        self.add(&read.schemas);
        read
    }

    fn add(&self, schemas: &Schemas) {
        self.schemas.rcu(|known| {
            let living = known.iter().filter(|(_, schema)| schema.strong_count() > 0);
            let mut next: HashMap<_, _> =
                living.map(|(fingerprint, schema)| (*fingerprint, schema.clone())).collect();
            next.extend(schemas.iter().map(|(fingerprint, schema)| (*fingerprint, Arc::downgrade(schema))));
            next
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use callgate_protocol::schema::{Definition, StructDef, Type};

    fn encoded(doc: &str) -> (Fingerprint, Vec<u8>) {
        let empty = StructDef::new("", Vec::new());
        let schema = MethodSchema {
            doc: doc.to_owned(),
            ..MethodSchema::new(Type::Ref(0), Type::Unit, vec![Definition::Struct(empty)])
        };
        let encoded = schema.encode();
        (Fingerprint::of(&encoded), encoded)
    }

    #[tokio::test]
    async fn a_schema_is_shared_while_it_is_used_and_leaves_with_the_next() {
        let catalog = Arc::new(Catalog::default());
        for n in 0..100 {
            let (fingerprint, bytes) = encoded(&n.to_string());
            let first = read(&catalog, fingerprint, bytes.clone()).await.schemas;
            let again = read(&catalog, fingerprint, bytes).await.schemas;
            assert!(Arc::ptr_eq(&first[&fingerprint], &again[&fingerprint]));
            assert!(catalog.schema(fingerprint).is_some());
            assert!(catalog.schemas.load().len() <= 2, "{n}");
            drop((first, again));
            assert!(catalog.schema(fingerprint).is_none());
        }
    }

    #[tokio::test]
    async fn what_is_no_schema_or_another_one_is_unusable_and_says_why() {
        let catalog = Arc::new(Catalog::default());
        let ((one, _), (_, other)) = (encoded("one"), encoded("other"));
        for (fingerprint, bytes, why) in
            [(one, other, "is another"), (Fingerprint::of(b"x"), b"x".to_vec(), "schema")]
        {
            let Read { schemas, unusable } = read(&catalog, fingerprint, bytes).await;
            assert!(schemas.is_empty() && unusable[&fingerprint].contains(why), "{unusable:?}");
        }
    }

    async fn read(catalog: &Arc<Catalog>, fingerprint: Fingerprint, bytes: Vec<u8>) -> Read {
        catalog.read(vec![(fingerprint, bytes)]).await.expect("it can be read")
    }
}
