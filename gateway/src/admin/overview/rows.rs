//! What rows have in common: they are sorted, and a part of them is shown.

use crate::admin::asked::Asked;
use crate::telemetry::Distribution;
use serde_json::{Value, json};
use std::cmp::{Ordering, Reverse};

/// What rows are sorted by.
#[derive(PartialEq)]
pub(super) enum Key {
    Text(String),
    Number(f64),
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        match (self, other) {
            (Key::Text(one), Key::Text(other)) => one.cmp(other),
            (Key::Number(one), Key::Number(other)) => one.total_cmp(other),
            (Key::Text(_), Key::Number(_)) => Ordering::Less,
            (Key::Number(_), Key::Text(_)) => Ordering::Greater,
        }
    }
}

/// The rows that were found, of so many that there are: sorted, and the part that is asked for. Those of the same key stay in their order.
///
/// # Errors
/// For people: rows have no such key.
pub(super) fn part<T>(
    asked: &Asked,
    name: &str,
    total: usize,
    mut found: Vec<T>,
    key: impl Fn(&T, &str) -> Option<Key>,
    row: impl FnMut(T) -> Value,
) -> Result<Value, String> {
    if let Some((by, largest_first)) = &asked.sort {
        if found.first().is_some_and(|first| key(first, by).is_none()) {
            return Err(format!("rows of {name} cannot be sorted by `{by}`"));
        }
        match largest_first {
            true => found.sort_by_cached_key(|row| Reverse(key(row, by))),
            false => found.sort_by_cached_key(|row| key(row, by)),
        }
    }
    let mut shown = json!({ "total": total, "found": found.len(), "offset": asked.offset() });
    shown[name] = asked.part(found).map(row).collect();
    Ok(shown)
}

/// A distribution of durations, each bucket without those below it.
pub(super) fn durations(sum: &Distribution) -> Value {
    json!({ "buckets": sum.buckets, "count": sum.count, "seconds": sum.nanoseconds as f64 / 1e9 })
}
