//! What a name may look like: text in which `*` stands for any part of it.

use crate::config::complaint::Complaint;
use std::fmt;

/// The longest pattern, in bytes.
const MAX: usize = 512;

/// A pattern of names. A `*` stands for any number of characters, none among them; all others stand for themselves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamePattern(Box<str>);

impl NamePattern {
    pub(super) fn parse(text: &str) -> Result<NamePattern, Complaint> {
        match text.len() {
            0 => Err(Complaint::new("an empty pattern fits no name", "expected such as \"spiffe://corp/*\"")),
            1..=MAX => Ok(NamePattern(text.into())),
            _ => Err(Complaint::new("a pattern this long", format!("at most {MAX} bytes"))),
        }
    }

    /// Whether a name is like that, from its first byte to its last.
    pub fn fits(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        // A split gives at least one part.
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        // Each part where it comes first leaves most for those behind it.
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_part_and_all_else_for_itself() {
        for (pattern, fits, does_not) in [
            ("a", &["a"][..], &["", "A", "aa", "b"][..]),
            ("*", &["", "a", "a/b"], &[]),
            (
                "spiffe://corp/*",
                &["spiffe://corp/", "spiffe://corp/a/b"],
                &["spiffe://corp", "spiffe://corpo/a", "xspiffe://corp/a"],
            ),
            (
                "*.svc.example",
                &["a.svc.example", "a.b.svc.example", ".svc.example"],
                &["svc.example", "a.svc.example.org"],
            ),
            ("a*b*c", &["abc", "abbc", "a-b-b-c", "abcc"], &["ab", "acb", "abcd", "ac"]),
            ("ab*ba", &["abba", "abxba"], &["aba", "ab"]),
        ] {
            let parsed = NamePattern::parse(pattern).expect("a pattern");
            for name in fits {
                assert!(parsed.fits(name), "{pattern} {name}");
            }
            for name in does_not {
                assert!(!parsed.fits(name), "{pattern} {name}");
            }
        }
    }
}
