//! From a name to an index, and from a wrong name to the one that was meant.

/// Names and aliases, each with the index of what it names.
#[derive(Debug)]
pub(crate) struct Names {
    /// Sorted when there are many.
    entries: Box<[(Box<str>, u32)]>,
}

/// Up to so many names are compared one after another.
const FEW: usize = 8;

/// A name longer than this is nobody's typing error, and comparing it would take long.
const LONGEST_TYPO: usize = 32;

impl Names {
    pub(crate) fn new<'a>(names: impl Iterator<Item = (&'a String, &'a Vec<String>)>) -> Names {
        let mut entries: Vec<(Box<str>, u32)> = Vec::new();
        for (index, (name, aliases)) in (0..).zip(names) {
            let all = std::iter::once(name).chain(aliases);
            entries.extend(all.map(|name| (name.as_str().into(), index)));
        }
        if entries.len() > FEW {
            entries.sort_unstable();
        }
        let entries = entries.into_boxed_slice();
        Names { entries }
    }

    /// The index of what `name` names.
    #[inline]
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let entry = if self.entries.len() <= FEW {
            self.entries.iter().find(|(known, _)| **known == *name)
        } else {
            let place = self.entries.binary_search_by(|(known, _)| (**known).cmp(name));
            place.ok().and_then(|place| self.entries.get(place))
        };
        entry.map(|(_, index)| *index as usize)
    }

    /// The name that was probably meant: at most a third of it is wrong.
    pub(crate) fn nearest(&self, name: &str) -> Option<&str> {
        let length = name.chars().take(LONGEST_TYPO + 1).count();
        if length > LONGEST_TYPO {
            return None;
        }
        let near = |known: &str| {
            let known_length = known.chars().count();
            let most = length.max(known_length) / 3;
            if length.abs_diff(known_length) > most {
                return None;
            }
            Some(distance(known, name)).filter(|distance| *distance <= most)
        };
        let known = self.entries.iter().map(|(known, _)| &**known);
        let nearest = known.filter_map(|known| Some((near(known)?, known))).min()?;
        Some(nearest.1)
    }
}

/// How many characters must be inserted, removed, replaced or (ASCII) change case to make one of the other; a swap of
/// two neighbours counts once. Case and the kind of separator count nothing beyond one.
fn distance(a: &str, b: &str) -> usize {
    let plain = |text: &str| text.to_lowercase().replace(['_', '-'], "");
    if plain(a) == plain(b) {
        return 1;
    }
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut last = None;
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (row[j] + usize::from(x != *y)).min(row[j + 1] + 1).min(next[j] + 1);
            if j > 0 && Some(*y) == last && b[j - 1] == x {
                best = best.min(before[j - 1] + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
        last = Some(x);
    }
    row.last().copied().unwrap_or_default()
}

/// The end of a message about an unknown name: what was probably meant, or else what there is.
pub(crate) fn alternatives<'a>(
    nearest: Option<&str>,
    kind: &str,
    all: impl Iterator<Item = &'a str>,
) -> String {
    const MOST: usize = 16;
    let mut names: Vec<String> = all.take(MOST + 1).map(|name| format!("`{name}`")).collect();
    if names.len() > MOST {
        names.truncate(MOST);
        names.push("…".to_owned());
    }
    let list = match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    };
    match nearest {
        Some(name) => format!(", did you mean `{name}`? ({kind}: {list})"),
        None => format!(" ({kind}: {list})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let names = ["quantity", "price", "client_id", "note", "a"].map(String::from);
        let none = Vec::new();
        let names = Names::new(names.iter().map(|name| (name, &none)));
        for (wrong, meant) in [
            ("quantty", Some("quantity")),
            ("qauntity", Some("quantity")),
            ("clientId", Some("client_id")),
            ("Price", Some("price")),
            ("notes", Some("note")),
            ("b", None),
            ("totally_else", None),
        ] {
            assert_eq!(names.nearest(wrong), meant, "{wrong}");
        }
    }

    #[test]
    fn names_are_found_whether_few_or_many() {
        for count in [0, 1, 8, 9, 500] {
            let names: Vec<String> = (0..count).map(|i| format!("f{i}")).collect();
            let aliases: Vec<Vec<String>> = (0..count).map(|i| vec![format!("alias{i}")]).collect();
            let table = Names::new(names.iter().zip(&aliases));
            for i in 0..count {
                assert_eq!(table.find(&format!("f{i}")), Some(i));
                assert_eq!(table.find(&format!("alias{i}")), Some(i));
            }
            assert_eq!(table.find("f"), None);
            assert_eq!(table.find(""), None);
        }
    }
}
