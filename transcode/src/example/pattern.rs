//! A short text in which a regular expression is found.

use regex_syntax::hir::{Class, Hir, HirKind};

/// The longest text that is made, in bytes.
const LONGEST: usize = 1024;

/// A text that matches, as far as the expression says what is in it. `None` where it says nothing that can be matched, or is too long.
pub(super) fn text(pattern: &str) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let mut out = String::new();
    put(&hir, &mut out)?;
    Some(out)
}

fn put(hir: &Hir, out: &mut String) -> Option<()> {
    if out.len() > LONGEST {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(()),
        HirKind::Literal(literal) => {
            out.push_str(std::str::from_utf8(&literal.0).ok()?);
            Some(())
        }
        HirKind::Class(class) => {
            out.push(one_of(class)?);
            Some(())
        }
        // One more than none, so that something is to be seen.
        HirKind::Repetition(repetition) => {
            let times = match (repetition.min, repetition.max) {
                (0, Some(0)) => 0,
                (min, _) => min.max(1),
            };
            (0..times).try_for_each(|_| put(&repetition.sub, out))
        }
        HirKind::Capture(capture) => put(&capture.sub, out),
        HirKind::Concat(all) => all.iter().try_for_each(|one| put(one, out)),
        HirKind::Alternation(all) => all.first().map_or(Some(()), |first| put(first, out)),
    }
}

/// A letter or a digit of a class, if it has one.
fn one_of(class: &Class) -> Option<char> {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class.iter().map(|range| (range.start(), range.end())).collect(),
        Class::Bytes(class) => class
            .iter()
            .map(|range| (char::from(range.start()), char::from(range.end())))
            .filter(|(_, end)| end.is_ascii())
            .collect(),
    };
    let within = |wanted: char| ranges.iter().any(|(start, end)| (*start..=*end).contains(&wanted));
    ['a', 'A', '1'].into_iter().find(|c| within(*c)).or_else(|| ranges.first().map(|(start, _)| *start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    #[test]
    fn the_text_matches() {
        for pattern in [
            "",
            "a",
            "^[A-Z]{3}-[0-9]{2,}$",
            "(x|y)+z?",
            r"^\d{4}(-\d\d)*$",
            "[^a-z]",
            r"^\p{Greek}$",
            "^(a{2}){3}$",
            "[0-9]",
        ] {
            let text = text(pattern).expect("it can be matched");
            assert!(Regex::new(pattern).expect("it is one").is_match(&text), "{pattern}: {text}");
        }
        assert_eq!(text("a{1000}{1000}"), None, "it would be too long");
        assert_eq!(text("("), None);
    }
}
