//! Names of fields, as paths, bodies and replies write them: nested with dots.

/// Why a text is not a field's name, nested with dots.
pub(super) fn error(name: &str) -> Option<&'static str> {
    let good = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() {
        return Some("there is none");
    }
    if name.split('.').any(str::is_empty) {
        return Some("a dot stands between two names");
    }
    let bad = name.split('.').any(|part| !part.chars().all(good));
    bad.then_some("names are letters, digits, `_` and `-`, nested with dots")
}

/// Whether two fields are the same, or one lies within the other.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    one == other || within(one, other) || within(other, one)
}

/// Whether a field lies within another.
fn within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'))
}
