//! What a value of a file may be, declared once for each key of each table.
//!
//! The reader takes its bounds and words from here, so that it reads what is declared; the schema for editors (`schema.rs`) is made of
//! it, so that it says what is read. What a text means its parser says, and how several keys go together the file that reads them.

use std::ops::RangeInclusive;
use std::time::Duration;

/// A key of a table.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// As it is written.
    pub(super) key: &'static str,
    /// What its value may be.
    pub(super) shape: Shape,
    /// Whether it has to be there.
    pub(super) needed: Needed,
    /// The key beside which alone it has a place.
    pub(super) beside: Option<&'static str>,
    /// What it is, in a few words. The pages explain it with these.
    pub(super) words: &'static str,
}

/// Whether a key has to be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Needed {
    No,
    Yes,
    /// One at least of the table's keys that have this number.
    OneAtLeastOf(u8),
    /// Exactly one of them.
    OneOf(u8),
}

impl Entry {
    /// A key that may be there.
    pub(super) const fn new(key: &'static str, shape: Shape, words: &'static str) -> Entry {
        Entry { key, shape, needed: Needed::No, beside: None, words }
    }

    /// A key that has to be there.
    pub(super) const fn needed(key: &'static str, shape: Shape, words: &'static str) -> Entry {
        Entry { key, shape, needed: Needed::Yes, beside: None, words }
    }

    /// A key that has to be there, or another of that number.
    pub(super) const fn any(of: u8, key: &'static str, shape: Shape, words: &'static str) -> Entry {
        Entry { key, shape, needed: Needed::OneAtLeastOf(of), beside: None, words }
    }

    /// A key that has to be there, or else exactly one other of that number.
    pub(super) const fn one(of: u8, key: &'static str, shape: Shape, words: &'static str) -> Entry {
        Entry { key, shape, needed: Needed::OneOf(of), beside: None, words }
    }

    /// The same, which has to be there, or another of that number.
    pub(super) const fn or_any(self, of: u8) -> Entry {
        Entry { needed: Needed::OneAtLeastOf(of), ..self }
    }

    /// A key that has a place only beside another.
    pub(super) const fn beside(
        other: &'static str,
        key: &'static str,
        shape: Shape,
        words: &'static str,
    ) -> Entry {
        Entry { key, shape, needed: Needed::No, beside: Some(other), words }
    }
}

/// What a value may be.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// `true` or `false`.
    Boolean,
    /// Only that one of the two.
    Only(bool),
    /// A whole number.
    Integer(RangeInclusive<u64>),
    /// One of these statuses of HTTP.
    Status(&'static [u16]),
    /// Any number.
    Number,
    /// A text with a unit of time.
    Duration(RangeInclusive<Duration>),
    /// A number of bytes, or a text with a unit.
    Size(RangeInclusive<u64>),
    /// A text: bytes a second. Or 0.
    Rate,
    /// One of these texts.
    Words(&'static [&'static str]),
    /// A text that its parser reads.
    Text,
    /// A text like this regular expression, which its parser reads.
    Like(&'static str),
    /// An array of so many.
    List(&'static Shape, RangeInclusive<usize>),
    /// A table with these keys.
    Table(&'static [Entry]),
    /// The same, where the keys are put together from several lists.
    Made(fn() -> &'static [Entry]),
    /// A table whose keys are names, but for these.
    Names(&'static [Entry], &'static Shape),
    /// A table whose keys are names. Behind each is one of these, or such a table again.
    Tree(&'static Shape),
    /// What can be written as JSON.
    Json,
    /// One of several.
    OneOf(&'static [Shape]),
}

const STATUSES: RangeInclusive<u64> = 200..=599;

impl Shape {
    /// Texts, any number of them.
    pub(super) const TEXTS: Shape = Shape::List(&Shape::Text, 0..=usize::MAX);
    /// Texts, one at least.
    pub(super) const SOME_TEXTS: Shape = Shape::List(&Shape::Text, 1..=usize::MAX);

    /// That many texts at most.
    pub(super) const fn texts(most: usize) -> Shape {
        Shape::List(&Shape::Text, 0..=most)
    }

    /// The bounds of a whole number, if it may be one.
    pub(super) fn integer(&self) -> Option<&RangeInclusive<u64>> {
        self.find(|shape| match shape {
            Shape::Integer(bounds) => Some(bounds),
            // Which of them it is not is told by whoever reads it.
            Shape::Status(_) => Some(&STATUSES),
            _ => None,
        })
    }

    /// The bounds of a duration, if it may be one.
    pub(super) fn duration(&self) -> Option<&RangeInclusive<Duration>> {
        self.find(|shape| if let Shape::Duration(bounds) = shape { Some(bounds) } else { None })
    }

    /// The bounds of a size, if it may be one.
    pub(super) fn size(&self) -> Option<&RangeInclusive<u64>> {
        self.find(|shape| if let Shape::Size(bounds) = shape { Some(bounds) } else { None })
    }

    /// Whether it may be exactly one of these words, or all of them are among its.
    pub(super) fn has_words<'w>(&self, mut words: impl Iterator<Item = &'w str>) -> bool {
        let own = self.find(|shape| if let Shape::Words(own) = shape { Some(*own) } else { None });
        own.is_some_and(|own| words.all(|word| own.contains(&word)))
    }

    /// Whether it may be a text.
    pub(super) fn is_text(&self) -> bool {
        self.is(|shape| {
            matches!(
                shape,
                Shape::Text
                    | Shape::Like(_)
                    | Shape::Words(_)
                    | Shape::Duration(_)
                    | Shape::Size(_)
                    | Shape::Rate
            )
        })
    }

    /// Whether it may be `true` and `false`.
    pub(super) fn is_boolean(&self) -> bool {
        self.is(|shape| matches!(shape, Shape::Boolean))
    }

    /// Whether it may be a table.
    pub(super) fn is_table(&self) -> bool {
        self.is(|shape| {
            matches!(
                shape,
                Shape::Table(_) | Shape::Made(_) | Shape::Names(..) | Shape::Tree(_) | Shape::Json
            )
        })
    }

    /// Whether it may be an array.
    pub(super) fn is_list(&self) -> bool {
        self.is(|shape| matches!(shape, Shape::List(..) | Shape::Json))
    }

    /// What may be behind a name, where it is a table of names; otherwise itself.
    pub(super) fn behind(&'static self, name: &str) -> &'static Shape {
        let of_names = self.find(|shape| match shape {
            Shape::Names(entries, rest) => {
                let own = entries.iter().find(|entry| entry.key == name);
                Some(own.map_or(*rest, |entry| &entry.shape))
            }
            _ => None,
        });
        of_names.unwrap_or(self)
    }

    fn is(&self, of: impl Fn(&Shape) -> bool + Copy) -> bool {
        self.find(|shape| of(shape).then_some(())).is_some()
    }

    /// The first that is looked for: it is this, or one of several that this may be, or what an array or a table of names has of it.
    /// A table with keys of its own says itself what is behind them.
    fn find<'s, T>(&'s self, of: impl Fn(&'s Shape) -> Option<T> + Copy) -> Option<T> {
        of(self).or_else(|| match self {
            Shape::OneOf(all) => all.iter().find_map(|one| one.find(of)),
            Shape::List(inner, _) | Shape::Names(_, inner) | Shape::Tree(inner) => inner.find(of),
            _ => None,
        })
    }
}

/// The words of a list that says what each stands for.
pub(super) const fn words<T, const N: usize>(choices: &[(&'static str, T); N]) -> [&'static str; N] {
    let mut words = [""; N];
    let mut at = 0;
    while at < N {
        words[at] = choices[at].0;
        at += 1;
    }
    words
}
