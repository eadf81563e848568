//! Metadata that a program writes: what may be an entry, and what goes back with a reply.

use callgate_protocol::limits::MAX_METADATA;
use callgate_protocol::metadata::is_metadata_name;
use callgate_protocol::{Metadata, MetadataBuf};
use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An entry that metadata cannot have. `?` makes it a [`Status`](crate::Status) of code `internal`, because it is the
/// program's to avoid; what it says is then in the log.
///
/// ```
/// use callgate_sdk::{BadMetadata, Context};
///
/// let refused = Context::background().with_metadata("x tenant", "blue").unwrap_err();
/// assert_eq!(refused, BadMetadata::Name("x tenant".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadMetadata {
    /// The name is not 1 to 255 ASCII letters, digits, `-`, `_` and `.`.
    Name(String),
    /// All entries together would be longer than 16 KiB.
    TooLong {
        /// The name of the entry for which there is no room.
        name: String,
    },
}

impl fmt::Display for BadMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadMetadata::Name(name) => write!(
                f,
                "{name:?} is no name for metadata: 1 to 255 ASCII letters, digits, `-`, `_` and `.`, which are sent in lower case"
            ),
            BadMetadata::TooLong { name } => {
                write!(
                    f,
                    "there is no room for the metadata {name:?}: all entries together have {MAX_METADATA} bytes at most"
                )
            }
        }
    }
}

impl std::error::Error for BadMetadata {}

/// The name as it is sent.
pub(super) fn sent(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        name.to_ascii_lowercase().into()
    } else {
        name.into()
    }
}

/// Puts an entry in the place of those of its name.
pub(super) fn set(entries: &mut MetadataBuf, name: &str, value: &[u8]) -> Result<(), BadMetadata> {
    let name = sent(name);
    if entries.set_named(&name, value) {
        Ok(())
    } else if is_metadata_name(&name) {
        Err(BadMetadata::TooLong { name: name.into() })
    } else {
        Err(BadMetadata::Name(name.into()))
    }
}

/// What a method says beside its result or its failure, such as how many there are of what it lists. A handler writes it by
/// [`Context::reply`](crate::Context::reply), its caller reads it by [`Context::with_reply`](crate::Context::with_reply).
///
/// Clones are the same metadata.
///
/// ```
/// # use callgate_sdk::{ReplyMetadata, Status};
/// # fn example() -> Result<(), Status> {
/// let reply = ReplyMetadata::new();
/// reply.insert("x-total-count", "120")?;
/// assert_eq!(reply.get("x-total-count").as_deref(), Some("120"));
/// # Ok(())
/// # }
/// # example().unwrap();
/// ```
#[derive(Clone, Debug, Default)]
pub struct ReplyMetadata {
    entries: Arc<Mutex<MetadataBuf>>,
}

impl ReplyMetadata {
    /// Without entries.
    pub fn new() -> ReplyMetadata {
        ReplyMetadata::default()
    }

    /// Adds an entry, in the place of one of the same name. The value may be text or bytes.
    ///
    /// # Errors
    /// When the name is none, or all entries would be longer than 16 KiB. Nothing is changed then.
    pub fn insert(&self, name: &str, value: impl AsRef<[u8]>) -> Result<(), BadMetadata> {
        set(&mut self.lock(), name, value.as_ref())
    }

    /// The value of an entry, if it is there and is UTF-8.
    pub fn get(&self, name: &str) -> Option<String> {
        String::from_utf8(self.get_bin(name)?).ok()
    }

    /// The value of an entry, whatever its bytes.
    pub fn get_bin(&self, name: &str) -> Option<Vec<u8>> {
        self.lock().as_metadata().get(&sent(name)).map(<[u8]>::to_vec)
    }

    /// All entries, as they are now.
    pub fn entries(&self) -> Vec<(String, Vec<u8>)> {
        self.lock().as_metadata().iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect()
    }

    pub(super) fn to_buf(&self) -> MetadataBuf {
        self.lock().clone()
    }

    /// Takes what has come in the place of what was there.
    pub(super) fn replace(&self, with: Metadata<'_>) {
        *self.lock() = with.into();
    }

    /// What lies under the lock is whole whenever it is not held.
    fn lock(&self) -> MutexGuard<'_, MetadataBuf> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
