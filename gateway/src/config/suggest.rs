//! What to write instead of a wrong name.
//!
//! A table may have thousands of wrong names beside thousands of right ones, and a hundred mistakes are shown. So the right name
//! is looked for when a mistake is shown and not when it is found ([`Names`] is what must be kept until then), and what is
//! spent on all that are shown together is counted ([`Work`]).

use super::shape::Entry;
use std::sync::Arc;

/// What may be spent on one text for people: characters compared with one another, and [`LOOK`] for each name that is looked
/// at. All of it takes some hundredths of a second.
const MOST_WORK: usize = 2_000_000;

/// What looking at a name costs, be it compared or not.
const LOOK: usize = 8;

/// No right name is that long, in bytes.
const LONGEST_WRONG: usize = 256;

/// So many names are listed where none is near.
const FEW: usize = 16;

/// The right names.
#[derive(Clone, Debug)]
pub(super) enum Names {
    /// Keys that the gateway knows.
    Known(&'static [Entry]),
    /// Those that the files declare, shared by all who name another.
    Declared(Arc<[String]>),
}

impl Names {
    /// "did you mean …", as long as the work suffices to find out, or a list of the few there are.
    pub(super) fn help(&self, wrong: &str, work: &mut Work) -> Option<String> {
        match self {
            Names::Known(entries) => help(wrong, entries.iter().map(|entry| entry.key), work),
            Names::Declared(names) => help(wrong, names.iter().map(String::as_str), work),
        }
    }
}

impl From<&'static [Entry]> for Names {
    fn from(entries: &'static [Entry]) -> Names {
        Names::Known(entries)
    }
}

impl From<&Arc<[String]>> for Names {
    fn from(names: &Arc<[String]>) -> Names {
        Names::Declared(Arc::clone(names))
    }
}

/// How much may still be spent on finding right names.
#[derive(Debug)]
pub(super) struct Work(usize);

impl Work {
    /// For one text.
    pub(super) fn for_one_text() -> Work {
        Work(MOST_WORK)
    }

    /// Takes so much; `false`, and nothing is left, where there is less.
    fn spend(&mut self, work: usize) -> bool {
        let left = self.0.checked_sub(work);
        self.0 = left.unwrap_or_default();
        left.is_some()
    }
}

/// "did you mean …", or a list of the few there are, for a text of its own.
pub(crate) fn names_help<'n>(wrong: &str, right: impl IntoIterator<Item = &'n str>) -> Option<String> {
    help(wrong, right, &mut Work::for_one_text())
}

/// The name nearest to a wrong one, if it is near enough to be meant, for a text of its own.
pub(super) fn nearest<'n>(wrong: &str, right: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    nearest_within(wrong, right, &mut Work::for_one_text())
}

fn help<'n>(wrong: &str, right: impl IntoIterator<Item = &'n str>, work: &mut Work) -> Option<String> {
    let right: Vec<&str> = right.into_iter().collect();
    match nearest_within(wrong, right.iter().copied(), work) {
        Some(name) => Some(format!("did you mean `{name}`?")),
        None if right.is_empty() || right.len() > FEW => None,
        None => Some(format!("there is {}", list(&right, "and"))),
    }
}

/// The same within what is left of the work; nothing where that does not suffice for all of the names.
pub(super) fn nearest_within<'n>(
    wrong: &str,
    right: impl IntoIterator<Item = &'n str>,
    work: &mut Work,
) -> Option<&'n str> {
    if wrong.len() > LONGEST_WRONG {
        return None;
    }
    let length = wrong.chars().count();
    let allowed = (length / 3).max(1);
    let lower = wrong.to_lowercase();
    let mut nearest: Option<(usize, &str)> = None;
    for name in right {
        if !work.spend(LOOK) {
            return None;
        }
        // A character takes four bytes at most. What is shorter or longer by more than is allowed cannot be near.
        let too_long = name.len() > 4 * (length + allowed);
        let known = if too_long { usize::MAX } else { name.chars().count() };
        if known.abs_diff(length) > allowed {
            continue;
        }
        if !work.spend(known * length) {
            return None;
        }
        let distance = strsim::damerau_levenshtein(&lower, &name.to_lowercase());
        if distance <= allowed && distance < length && nearest.is_none_or(|(least, _)| distance < least) {
            nearest = Some((distance, name));
        }
    }
    nearest.map(|(_, name)| name)
}

/// `a`, `b` and `c`, or `a`, `b` or `c`.
pub(super) fn list(names: &[&str], last_word: &str) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {last_word} {last}", rest.join(", ")),
    }
}

/// The same where the names are few, and nothing where they are more than anybody would read.
pub(super) fn list_of_few(names: &[String], last_word: &str) -> Option<String> {
    let names: Vec<&str> = names.iter().take(FEW + 1).map(String::as_str).collect();
    (names.len() <= FEW).then(|| list(&names, last_word))
}

#[cfg(test)]
mod tests {
    use super::super::shape::Shape;
    use super::*;
    use callgate_scaling::{Cost, grows_like_its_input};

    #[test]
    fn the_nearest_name_is_offered_only_when_it_is_near() {
        let names = ["timeout", "backend", "body"];
        for (wrong, expected) in [
            ("timout", Some("timeout")),
            ("Timeout", Some("timeout")),
            ("bacekdn", Some("backend")),
            ("x", None),
            ("retries", None),
            ("timeouttt", Some("timeout")),
            ("timeoutttt", Some("timeout")),
            ("timeouttttt", None),
        ] {
            assert_eq!(nearest(wrong, names), expected, "{wrong}");
        }
    }

    #[test]
    fn names_that_cannot_be_near_cost_a_look() {
        let long = "n".repeat(10_000);
        let mut work = Work::for_one_text();
        assert_eq!(nearest_within("timout", [&*long, "t", "timeout"], &mut work), Some("timeout"));
        assert_eq!(MOST_WORK - work.0, 3 * LOOK + "timout".len() * "timeout".len());
        assert_eq!(nearest_within(&long, ["timeout"], &mut work), None);
    }

    #[test]
    fn where_the_work_does_not_suffice_for_all_names_none_of_them_is_meant() {
        let all: Vec<String> = (0..100_000).map(|at| format!("name-{at:06}")).collect();
        let names = Names::from(&Arc::<[String]>::from(all));
        let mut work = Work::for_one_text();
        assert_eq!(names.help("name-00000", &mut work), None);
        assert_eq!(work.0, 0);
        const KEYS: &[Entry] = &[Entry::new("timeout", Shape::Text, "")];
        assert_eq!(Names::from(KEYS).help("timout", &mut work).as_deref(), Some("there is `timeout`"));
    }

    #[test]
    fn twice_as_many_wrong_and_right_names_are_no_more_than_twice_the_work() {
        grows_like_its_input("wrong names beside right ones", 500, |n| {
            let right: Vec<String> = (0..n).map(|at| format!("right-{at:06}")).collect();
            let names = Names::from(&Arc::<[String]>::from(right));
            let mut work = Work::for_one_text();
            (0..n).for_each(|at| drop(names.help(&format!("wrong-{at:06}"), &mut work)));
            Cost::default().with_steps(MOST_WORK - work.0)
        });
    }
}
