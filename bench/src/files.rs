//! The files that the service keeps, as `examples/shop` has them: `files.put` and `files.get`.

use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

/// By their names; of all threads.
static FILES: LazyLock<Mutex<HashMap<String, Bytes>>> = LazyLock::new(Mutex::default);

/// Keeps a file and returns how many bytes it has.
pub fn put(name: String, content: Bytes) -> usize {
    let size = content.len();
    FILES.lock().unwrap_or_else(PoisonError::into_inner).insert(name, content);
    size
}

/// The file of that name.
pub fn get(name: &str) -> Option<Bytes> {
    FILES.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
}
