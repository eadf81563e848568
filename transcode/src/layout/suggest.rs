//! From a wrong name to the one that was meant, within a bound of work.
//!
//! A client decides how many names are wrong, an instance how many are right, and both how long they are: compared without a
//! bound, a request of 2 KB would take seconds. So a request has an allowance, [`Suggestions`]: for a few names, and for so many
//! comparisons of characters together. What is refused beyond that is refused without a suggestion.

use super::{Names, shown};

/// So many wrong names of a request are looked for.
const MOST_NAMES: usize = 8;

/// So much work is done for all of them: the characters that are compared with one another, and [`LOOK`] for each name.
/// All of it takes 0.2 ms.
const MOST_WORK: usize = 65_536;

/// What looking at a name costs, be it compared or not: about as much as so many comparisons.
const LOOK: usize = 32;

/// A name longer than this, in characters, is nobody's typing error.
const LONGEST_TYPO: usize = 32;

/// A right name longer than this differs from every such typing error by more than a third.
const LONGEST_NEAR: usize = LONGEST_TYPO + LONGEST_TYPO / 2;

/// What a request may still spend on suggestions.
#[derive(Debug)]
pub(crate) struct Suggestions {
    names: usize,
    work: usize,
}

impl Suggestions {
    pub(crate) const fn new() -> Suggestions {
        Suggestions { names: MOST_NAMES, work: MOST_WORK }
    }

    /// The end of a message about an unknown name: what was probably meant, and what there is.
    pub(crate) fn alternatives<'a>(
        &mut self,
        name: &str,
        names: &Names,
        kind: &str,
        all: impl Iterator<Item = &'a str>,
    ) -> String {
        let list = list(all);
        match self.nearest(name, names) {
            Some(near) => format!(", did you mean `{near}`? ({kind}: {list})"),
            None => format!(" ({kind}: {list})"),
        }
    }

    /// The name that was probably meant: at most a third of it is wrong. Where what is left of the work does not suffice for all
    /// names there is none.
    fn nearest<'n>(&mut self, name: &str, names: &'n Names) -> Option<&'n str> {
        let name: Vec<char> = name.chars().take(LONGEST_TYPO + 1).collect();
        if name.len() > LONGEST_TYPO {
            return None;
        }
        self.names = self.names.checked_sub(1)?;
        let mut nearest = None;
        let mut known = Vec::new();
        for text in names.all() {
            self.spend(LOOK);
            known.clear();
            known.extend(text.chars().take(LONGEST_NEAR + 1));
            let near = self.distance(&known, &name).map(|distance| (distance, text));
            nearest = nearest.into_iter().chain(near).min();
            if self.work == 0 {
                return None;
            }
        }
        nearest.map(|(_, text)| text)
    }

    /// How many characters must be inserted, removed or replaced to make one of the other; a swap of two neighbours counts
    /// once. Case and the kind of separator count nothing beyond one. `None` if that is more than a third of them.
    fn distance(&mut self, known: &[char], name: &[char]) -> Option<u8> {
        let most = known.len().max(name.len()) / 3;
        if known.len() > LONGEST_NEAR || known.len().abs_diff(name.len()) > most {
            return None;
        }
        if most > 0 && plain(known).eq(plain(name)) {
            return Some(1);
        }
        // Rows of the table of distances between beginnings of the two; a column for each beginning of `name`.
        let mut before = [0; LONGEST_TYPO + 1];
        let mut row: [u8; LONGEST_TYPO + 1] = std::array::from_fn(|column| column as u8);
        for (i, x) in known.iter().enumerate() {
            if !self.spend(name.len()) {
                return None;
            }
            let mut next = [i as u8 + 1; LONGEST_TYPO + 1];
            for (j, y) in name.iter().enumerate() {
                let mut best = (row[j] + u8::from(x != y)).min(row[j + 1] + 1).min(next[j] + 1);
                if i > 0 && j > 0 && known[i - 1] == *y && name[j - 1] == *x {
                    best = best.min(before[j - 1] + 1);
                }
                next[j + 1] = best;
            }
            // No row's least is below that of the row before it.
            if next[..=name.len()].iter().all(|distance| usize::from(*distance) > most) {
                return None;
            }
            (before, row) = (row, next);
        }
        let distance = row[name.len()];
        (usize::from(distance) <= most).then_some(distance)
    }

    /// Takes so much of the allowance; `false`, and nothing is left, where there is less.
    fn spend(&mut self, work: usize) -> bool {
        let left = self.work.checked_sub(work);
        self.work = left.unwrap_or_default();
        left.is_some()
    }
}

/// A name without what people get wrong most: case and separators.
fn plain(name: &[char]) -> impl Iterator<Item = char> {
    name.iter().filter(|c| !matches!(c, '_' | '-')).flat_map(|c| c.to_lowercase())
}

/// The first names that there are.
pub(crate) fn list<'a>(all: impl Iterator<Item = &'a str>) -> String {
    const MOST: usize = 16;
    let mut names: Vec<String> = all.take(MOST + 1).map(|name| format!("`{}`", shown(name))).collect();
    if names.is_empty() {
        return "none".to_owned();
    }
    if names.len() > MOST {
        names.truncate(MOST);
        names.push("…".to_owned());
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use callgate_scaling::{Cost, grows_like_its_input};

    fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> Names {
        let names: Vec<String> = names.into_iter().map(String::from).collect();
        let none = Vec::new();
        Names::new(names.iter().map(|name| (name, &none)))
    }

    /// `n` names of so many characters, each of which is far from the others for half of it.
    fn many(n: usize, length: usize) -> Vec<String> {
        (0..n).map(|at| format!("{at:0>length$}")).collect()
    }

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let names = names(["quantity", "price", "client_id", "note", "a", "größe", &"long".repeat(12)]);
        for (wrong, meant) in [
            ("quantty", Some("quantity")),
            ("quanttiy", Some("quantity")),
            ("qauntity", Some("quantity")),
            ("uqantity", Some("quantity")),
            ("quaxxtity", Some("quantity")),
            ("qxxxtity", None),
            ("clientId", Some("client_id")),
            ("CLIENT-ID", Some("client_id")),
            ("Price", Some("price")),
            ("notes", Some("note")),
            ("nte", Some("note")),
            ("not_so", None),
            ("Größe", Some("größe")),
            ("b", None),
            ("A", None),
            ("", None),
            ("totally_else", None),
            (&*"long".repeat(8), Some(&*"long".repeat(12))),
            (&*"long".repeat(9), None),
        ] {
            assert_eq!(Suggestions::new().nearest(wrong, &names), meant, "{wrong}");
        }
    }

    #[test]
    fn of_two_that_are_as_near_the_first_by_the_alphabet_is_meant() {
        let names = names(["notes", "nodes", "nests"]);
        assert_eq!(Suggestions::new().nearest("noes", &names), Some("nodes"));
        assert_eq!(Suggestions::new().nearest("note", &names), Some("notes"));
    }

    #[test]
    fn a_few_names_of_a_request_get_a_suggestion() {
        let names = names(["quantity"]);
        let mut suggestions = Suggestions::new();
        for _ in 0..MOST_NAMES {
            assert_eq!(suggestions.nearest("quantty", &names), Some("quantity"));
            // Nobody is looked for by a name that is too long.
            assert_eq!(suggestions.nearest(&"q".repeat(33), &names), None);
        }
        assert_eq!(suggestions.nearest("quantty", &names), None);
    }

    #[test]
    fn the_work_for_a_request_is_bounded_whatever_its_names_are() {
        for (known, length) in [(30, 31), (100, 31), (16_000, 31), (100_000, 1), (16_000, 48), (16_000, 300)]
        {
            let known = many(known, length);
            let names = names(known.iter().map(String::as_str));
            let mut suggestions = Suggestions::new();
            for wrong in many(64, 32) {
                suggestions.nearest(&wrong, &names);
            }
            assert_eq!(suggestions.names, 0, "{} of {length}", known.len());
            // Once the work is used up, not even a name that is there is found.
            suggestions = Suggestions { names: 1, work: 0 };
            assert_eq!(suggestions.nearest("000000000000", &names), None);
        }
    }

    #[test]
    fn where_the_work_does_not_suffice_for_all_names_there_is_no_suggestion() {
        let known = many(MOST_WORK / LOOK, 12);
        let names = names(known.iter().map(String::as_str));
        let mut suggestions = Suggestions::new();
        assert_eq!(suggestions.nearest("x00000000000", &names), None);
        assert_eq!(suggestions.work, 0);
    }

    #[test]
    fn twice_as_many_wrong_and_right_names_are_no_more_than_twice_the_work() {
        for length in [8, 31] {
            grows_like_its_input("wrong names beside right ones", 64, |n| {
                let known = many(n, length);
                let names = names(known.iter().map(String::as_str));
                let mut suggestions = Suggestions::new();
                for wrong in many(n, length) {
                    suggestions.nearest(&wrong.replace('0', "x"), &names);
                }
                Cost::default().with_steps(MOST_WORK - suggestions.work)
            });
        }
    }

    #[test]
    fn what_there_is_is_listed_up_to_sixteen_and_each_in_short() {
        let list_of = |names: &[&str]| list(names.iter().copied());
        assert_eq!(list_of(&[]), "none");
        assert_eq!(list_of(&["a", "b"]), "`a`, `b`");
        assert!(list_of(&["a"; 16]).ends_with("`a`, `a`"));
        assert!(list_of(&["a"; 17]).ends_with("`a`, …"));
        assert_eq!(list_of(&["a"; 1000]).len(), list_of(&["a"; 17]).len());
        assert_eq!(list_of(&[&"n".repeat(1000)]), format!("`{}…`", "n".repeat(40)));
    }
}
