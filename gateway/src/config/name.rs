//! What may name a backend, a limit or a zone: such names are labels of metrics.

/// Why a text cannot name a backend: names are labels of metrics.
pub(super) fn error(name: &str) -> Option<&'static str> {
    let good = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let well = (1..=64).contains(&name.len()) && name.chars().all(good);
    (!well).then_some("expected 1 to 64 ASCII letters, digits, `_`, `-`, `.`")
}
