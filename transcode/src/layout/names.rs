//! From a name to an index.

use callgate_protocol::schema::Field;

/// Names and aliases, each with the index of what it names.
#[derive(Debug)]
pub(crate) struct Names {
    /// Sorted when there are many.
    entries: Box<[(Box<str>, u32)]>,
}

/// Up to so many names are compared one after another.
const FEW: usize = 8;

impl Names {
    pub(crate) fn new<'a>(names: impl Iterator<Item = (&'a String, &'a Vec<String>)>) -> Names {
        let mut entries: Vec<(Box<str>, u32)> = Vec::new();
        for (index, (name, aliases)) in (0..).zip(names) {
            let all = std::iter::once(name).chain(aliases);
            entries.extend(all.map(|name| (name.as_str().into(), index)));
        }
        Names::of(entries)
    }

    /// Those by which fields are found in JSON; a flattened one is not.
    pub(super) fn of_fields(fields: &[Field]) -> Names {
        let mut names = Vec::new();
        for (index, field) in (0..).zip(fields).filter(|(_, field)| !field.attributes.is_flattened()) {
            let all = std::iter::once(&field.name).chain(&field.aliases);
            names.extend(all.map(|name| (name.as_str().into(), index)));
        }
        Names::of(names)
    }

    /// The same of names that are put together already.
    pub(super) fn of(mut entries: Vec<(Box<str>, u32)>) -> Names {
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

    /// All names and aliases, each with the index of what it names.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, usize)> {
        self.entries.iter().map(|(name, index)| (&**name, *index as usize))
    }

    /// All names and aliases.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| &**name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
