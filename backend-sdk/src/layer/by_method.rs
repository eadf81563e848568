//! What a layer has for each method, made at the method's first call.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

/// One value for each key. A call takes a lock that writers hold only while a value is made. What lies under it is whole whenever it
/// is not held.
#[derive(Debug)]
pub(super) struct ByMethod<K, T>(RwLock<HashMap<K, Arc<T>>>);

impl<K, T> Default for ByMethod<K, T> {
    fn default() -> ByMethod<K, T> {
        ByMethod(RwLock::default())
    }
}

impl<K: Hash + Eq, T> ByMethod<K, T> {
    /// The value of that key, if need be a new one.
    pub(super) fn get(&self, key: K, make: impl FnOnce() -> T) -> Arc<T> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        known.unwrap_or_else(|| {
            let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
            all.entry(key).or_insert_with(|| Arc::new(make())).clone()
        })
    }

    /// All values, in no order.
    pub(super) fn all(&self) -> Vec<Arc<T>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}
