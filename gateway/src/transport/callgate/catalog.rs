//! Schemas by fingerprint, shared by all workers: read and compiled once, when the first connection brings them.
//!
//! A large schema takes a worker's other requests too long to wait for, so it is read in a thread beside the workers. Calls
//! never come here, and nobody who looks a schema up waits for anybody: the maps are replaced, not changed. An entry lives as long
//! as some connection uses it; who adds one leaves out those that are gone. What is wrong with a schema that cannot be used is
//! remembered, so that it is not asked for and read again by each connection of each worker; and so is that people were told of it.

use arc_swap::ArcSwap;
use callgate_protocol::schema::{Fingerprint, MethodSchema};
use callgate_transcode::Layout;
use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Weak};
use tokio::sync::Semaphore;

/// So many handshakes read schemas at once. The others wait their turn, and find there what has been read meanwhile.
const READERS: usize = 4;

/// So many schemas that cannot be used are remembered. When there are more, all are forgotten: each is read once more then.
const MAX_UNUSABLE: usize = 256;

/// The most characters that are said of what is wrong with a schema.
const MAX_WHY: usize = 500;

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

    fn read(encoded: &[u8]) -> Result<Schema, String> {
        MethodSchema::decode(encoded).map_err(|error| error.to_string()).and_then(Schema::new)
    }
}

/// A schema, or why it cannot be used, for people.
pub(crate) type Verdict = Result<Arc<Schema>, Arc<str>>;

/// Schemas by fingerprint.
pub(crate) type Schemas = HashMap<Fingerprint, Verdict>;

/// All schemas in use.
#[derive(Debug)]
pub struct Catalog {
    schemas: ArcSwap<HashMap<Fingerprint, Weak<Schema>>>,
    /// Those that cannot be used, and why.
    unusable: ArcSwap<HashMap<Fingerprint, Arc<str>>>,
    /// Hashes of methods that cannot be called and why, of which people were told.
    told: ArcSwap<HashSet<u64>>,
    turns: Arc<Semaphore>,
}

impl Default for Catalog {
    fn default() -> Catalog {
        let turns = Arc::new(Semaphore::new(READERS));
        Catalog { schemas: ArcSwap::default(), unusable: ArcSwap::default(), told: ArcSwap::default(), turns }
    }
}

impl Catalog {
    /// What is known of that fingerprint, if a connection has brought the schema already.
    pub(crate) fn known(&self, fingerprint: Fingerprint) -> Option<Verdict> {
        let schema = self.schemas.load().get(&fingerprint).and_then(Weak::upgrade);
        let why = || self.unusable.load().get(&fingerprint).cloned();
        schema.map(Ok).or_else(|| why().map(Err))
    }

    /// Whether people were not told yet that this method cannot be called, and why: they are told once, and not by each connection of
    /// each worker to each instance.
    pub(crate) fn is_news(&self, method: &str, why: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        (method, why).hash(&mut hasher);
        let this = hasher.finish();
        let before = self.told.rcu(|told| {
            if told.contains(&this) {
                return told.clone();
            }
            let mut next = if told.len() < MAX_UNUSABLE { (**told).clone() } else { HashSet::new() };
            next.insert(this);
            Arc::new(next)
        });
        !before.contains(&this)
    }

    /// Reads, compiles and keeps schemas that a connection has brought, in a thread beside the caller's runtime. The caller
    /// bounds the time; the thread ends by itself, as the work of each schema is bounded.
    ///
    /// # Errors
    /// For people: why nothing could be read. What is wrong with a single schema is no error.
    pub(crate) async fn read(
        self: &Arc<Self>,
        encoded: Vec<(Fingerprint, Vec<u8>)>,
    ) -> Result<Schemas, String> {
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

    fn read_all(&self, encoded: Vec<(Fingerprint, Vec<u8>)>) -> Schemas {
        let mut read = Schemas::new();
        for (fingerprint, encoded) in encoded {
            // Said by one peer only: others may have the schema.
            let verdict = if encoded.is_empty() {
                Err("the instance has no schema of it".into())
            } else if Fingerprint::of(&encoded) != fingerprint {
                Err(format!("the schema sent for {fingerprint} is another").into())
            } else {
                self.known(fingerprint).unwrap_or_else(|| self.read_one(fingerprint, &encoded))
            };
            read.insert(fingerprint, verdict);
        }
        self.add(&read);
        read
    }

    fn read_one(&self, fingerprint: Fingerprint, encoded: &[u8]) -> Verdict {
        Schema::read(encoded).map(Arc::new).map_err(|error| {
            let why = format!("schema {fingerprint}: {error}");
            let why: Arc<str> = why.chars().take(MAX_WHY).collect::<String>().into();
            self.unusable.rcu(|known| {
                let mut next = if known.len() < MAX_UNUSABLE { (**known).clone() } else { HashMap::new() };
                next.insert(fingerprint, why.clone());
                next
            });
            why
        })
    }

    fn add(&self, read: &Schemas) {
        let usable =
            read.iter().filter_map(|(fingerprint, verdict)| Some((*fingerprint, verdict.as_ref().ok()?)));
        self.schemas.rcu(|known| {
            let living = known.iter().filter(|(_, schema)| schema.strong_count() > 0);
            let mut next: HashMap<_, _> =
                living.map(|(fingerprint, schema)| (*fingerprint, schema.clone())).collect();
            next.extend(usable.clone().map(|(fingerprint, schema)| (fingerprint, Arc::downgrade(schema))));
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
            let first = read(&catalog, fingerprint, bytes.clone()).await.expect("it is sound");
            let again = read(&catalog, fingerprint, bytes).await.expect("it is sound");
            assert!(Arc::ptr_eq(&first, &again));
            assert!(catalog.known(fingerprint).is_some());
            assert!(catalog.schemas.load().len() <= 2, "{n}");
            drop((first, again));
            assert!(catalog.known(fingerprint).is_none());
        }
    }

    #[tokio::test]
    async fn what_is_no_schema_is_remembered_and_what_is_another_one_is_not() {
        let catalog = Arc::new(Catalog::default());
        let ((one, bytes), (_, other)) = (encoded("one"), encoded("other"));
        let no_schema = Fingerprint::of(b"x");
        for (fingerprint, bytes, why) in [
            (one, Vec::new(), "has no schema"),
            (one, other, "is another"),
            (no_schema, b"x".to_vec(), "schema "),
        ] {
            let said = read(&catalog, fingerprint, bytes).await.expect_err("it cannot be used");
            assert!(said.contains(why), "{said}");
            let remembered = catalog.known(fingerprint).map(|known| known.expect_err("it cannot be used"));
            assert_eq!(remembered, (fingerprint == no_schema).then_some(said));
        }
        assert!(read(&catalog, one, bytes).await.is_ok(), "who has sent another one has spoilt nothing");
    }

    #[tokio::test]
    async fn what_is_remembered_of_schemas_that_cannot_be_used_is_bounded() {
        let catalog = Arc::new(Catalog::default());
        for n in 0..3 * MAX_UNUSABLE {
            let bytes = n.to_string().into_bytes();
            read(&catalog, Fingerprint::of(&bytes), bytes).await.expect_err("it is no schema");
            let remembered = catalog.unusable.load();
            assert!(remembered.len() <= MAX_UNUSABLE);
            assert!(remembered.values().all(|why| why.chars().count() <= MAX_WHY));
        }
    }

    #[test]
    fn a_method_that_cannot_be_called_is_news_once_for_each_reason_and_what_is_kept_of_it_is_bounded() {
        let catalog = Catalog::default();
        assert!(catalog.is_news("a.b", "schema 1") && catalog.is_news("a.c", "schema 1"));
        assert!(catalog.is_news("a.b", "schema 2") && !catalog.is_news("a.b", "schema 1"));
        for n in 0..3 * MAX_UNUSABLE {
            assert!(catalog.is_news("a.b", &format!("other {n}")));
            assert!(catalog.told.load().len() <= MAX_UNUSABLE);
        }
        let catalog = Catalog::default();
        assert!((0..MAX_UNUSABLE).all(|n| catalog.is_news("a.b", &n.to_string())));
        assert!(!catalog.is_news("a.b", "0"));
        assert!(!catalog.is_news("a.b", "1"), "who asks for what is known has nothing forgotten");
    }

    async fn read(catalog: &Arc<Catalog>, fingerprint: Fingerprint, bytes: Vec<u8>) -> Verdict {
        let mut read = catalog.read(vec![(fingerprint, bytes)]).await.expect("it can be read");
        read.remove(&fingerprint).expect("it was given")
    }
}
