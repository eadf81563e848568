//! The regular expressions of a schema, compiled within a bound of memory.
//!
//! An instance decides what its patterns are, and a short one can ask for much: `\w` alone is hundreds of states, and a number
//! behind it multiplies them. So a pattern has a size that it may take, and so have all of a schema together.

use regex::{Error, Regex, RegexBuilder};
use std::collections::HashMap;

/// What a pattern counts, in bytes: the first of these within which it compiles.
const SIZES: [usize; 4] = [4 << 10, 16 << 10, 64 << 10, 256 << 10];

/// What all patterns of a schema may count together.
const MOST: usize = 4 << 20;

/// Patterns, each once.
#[derive(Debug)]
pub(crate) struct Patterns {
    pub(crate) compiled: Vec<Regex>,
    known: HashMap<String, usize>,
    left: usize,
}

impl Patterns {
    pub(crate) fn new() -> Patterns {
        Patterns { compiled: Vec::new(), known: HashMap::new(), left: MOST }
    }

    /// The place of a pattern among those that are compiled. The error is for people.
    pub(super) fn add(&mut self, pattern: &str) -> Result<usize, String> {
        if let Some(place) = self.known.get(pattern) {
            return Ok(*place);
        }
        let regex = self.compile(pattern)?;
        self.compiled.push(regex);
        let place = self.compiled.len() - 1;
        self.known.insert(pattern.to_owned(), place);
        Ok(place)
    }

    fn compile(&mut self, pattern: &str) -> Result<Regex, String> {
        for size in SIZES {
            self.left.checked_sub(size).ok_or_else(|| {
                format!("it and the patterns before it are larger than {MOST} bytes when they are compiled")
            })?;
            // What searching keeps grows with it too, for each worker's program.
            match RegexBuilder::new(pattern).size_limit(size).dfa_size_limit(4 * size).build() {
                Ok(regex) => {
                    self.left -= size;
                    return Ok(regex);
                }
                Err(Error::CompiledTooBig(_)) => {}
                Err(error) => return Err(reason(&error)),
            }
        }
        let [.., most] = SIZES;
        Err(format!("it is larger than {most} bytes when it is compiled"))
    }
}

/// The last line; those before it show the pattern.
fn reason(error: &Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_counts_what_it_takes_and_a_second_time_nothing() {
        let mut patterns = Patterns::new();
        assert_eq!(patterns.add("^[A-Z]{3}$"), Ok(0));
        assert_eq!(MOST - patterns.left, SIZES[0]);
        assert_eq!(patterns.add(r"^\w+$"), Ok(1));
        assert_eq!(MOST - patterns.left, SIZES[0] + SIZES[2]);
        assert_eq!(patterns.add("^[A-Z]{3}$"), Ok(0));
        assert_eq!(MOST - patterns.left, SIZES[0] + SIZES[2]);
    }

    #[test]
    fn what_is_no_pattern_or_too_large_is_refused_in_words() {
        for (pattern, expected) in [
            ("a(", "unclosed group"),
            ("a{2,1}", "invalid repetition count range, the start must be <= the end"),
            (r"(a)\1", "backreferences are not supported"),
            ("(?=a)", "look-around, including look-ahead and look-behind, is not supported"),
            (r"^\w{1,500}$", "it is larger than 262144 bytes when it is compiled"),
        ] {
            assert_eq!(Patterns::new().add(pattern), Err(expected.to_owned()), "{pattern}");
        }
    }

    #[test]
    fn all_patterns_together_have_a_bound() {
        let mut patterns = Patterns::new();
        let refused = (0..).find_map(|n| patterns.add(&format!("^[ab]{{3}}{n}$")).err());
        assert_eq!(patterns.compiled.len(), MOST / SIZES[0]);
        assert_eq!(
            refused.as_deref(),
            Some("it and the patterns before it are larger than 4194304 bytes when they are compiled")
        );
    }
}
