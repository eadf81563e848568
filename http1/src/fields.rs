//! The field lines of a request: ranges into the bytes that they were read from, in their order.
//!
//! The names that the owner reads of most requests are known beforehand ([`KnownNames`](crate::KnownNames)): where their lines are is
//! noted while the head is parsed. All others are searched when somebody asks for one.

use crate::bytes::Span;
use crate::known::Known;
use std::iter::FusedIterator;

/// The lines of a field in a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lines<'h> {
    /// The request does not have the field.
    #[default]
    None,
    /// One line, which may be empty. Without the blanks around it.
    One(&'h [u8]),
    /// More than one.
    Several,
}

/// Where a line is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldSpan {
    pub(crate) name: Span,
    pub(crate) value: Span,
}

/// All lines of a head, and the first of each known name.
#[derive(Debug)]
pub(crate) struct FieldTable {
    lines: Vec<FieldSpan>,
    /// Bit by bit: the known names of which there is a line, and those with several.
    present: u32,
    several: u32,
    /// For each of the present ones, the place of its first line.
    first: [u32; 32],
}

impl Default for FieldTable {
    fn default() -> FieldTable {
        FieldTable::new()
    }
}

impl FieldTable {
    const fn new() -> FieldTable {
        FieldTable { lines: Vec::new(), present: 0, several: 0, first: [0; 32] }
    }

    pub(crate) fn clear(&mut self) {
        self.lines.clear();
        (self.present, self.several) = (0, 0);
    }

    /// Gives memory back if there is more of it than `most` bytes.
    pub(crate) fn shrink(&mut self, most: usize) {
        self.lines.shrink_to(most / size_of::<FieldSpan>());
    }

    pub(crate) fn push(&mut self, line: FieldSpan, known: Option<Known>) {
        if let Some(Known(name)) = known {
            let bit = 1 << name;
            if self.present & bit != 0 {
                self.several |= bit;
            } else {
                self.present |= bit;
                self.first[usize::from(name)] = self.lines.len() as u32;
            }
        }
        self.lines.push(line);
    }

    /// The lines from the first of a known name on. `true`: there are several of it.
    fn known(&self, Known(name): Known) -> Option<(&[FieldSpan], bool)> {
        let bit = 1_u32.checked_shl(name.into())?;
        if self.present & bit == 0 {
            return None;
        }
        let lines = self.lines.get(self.first[usize::from(name)] as usize..)?;
        Some((lines, self.several & bit != 0))
    }
}

/// The field lines of a request.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'h> {
    head: &'h [u8],
    table: &'h FieldTable,
}

impl<'h> Fields<'h> {
    pub(crate) fn new(head: &'h [u8], table: &'h FieldTable) -> Fields<'h> {
        Fields { head, table }
    }

    pub(crate) fn none() -> Fields<'h> {
        static NONE: FieldTable = FieldTable::new();
        Fields { head: &[], table: &NONE }
    }

    /// All lines in their order: name as it was sent, value without the blanks around it.
    pub fn iter(&self) -> impl Iterator<Item = (&'h str, &'h [u8])> + use<'h> {
        let Fields { head, table } = *self;
        table.lines.iter().map(move |line| (line.name.text(head), line.value.of(head)))
    }

    /// The names of all lines, as they were sent.
    pub fn names(&self) -> impl Iterator<Item = &'h [u8]> + use<'h> {
        let Fields { head, table } = *self;
        table.lines.iter().map(move |line| line.name.of(head))
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.table.lines.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.table.lines.is_empty()
    }

    /// The lines of a known field: no search.
    pub fn known(&self, name: Known) -> Lines<'h> {
        match self.table.known(name) {
            Some((_, true)) => Lines::Several,
            Some(([line, ..], false)) => Lines::One(line.value.of(self.head)),
            _ => Lines::None,
        }
    }

    /// Each line of a known field, in their order. Only several are searched for.
    pub fn each_known(&self, name: Known) -> impl DoubleEndedIterator<Item = &'h [u8]> + use<'h> {
        let head = self.head;
        let (lines, name) = match self.table.known(name) {
            Some((lines @ [line, ..], true)) => (lines, line.name.of(head)),
            Some(([line, ..], false)) => (std::slice::from_ref(line), line.name.of(head)),
            _ => (&[][..], &[][..]),
        };
        Named { head, lines, name }
    }

    /// The lines of any field, whatever the case of its name: a search.
    pub fn lines(&self, name: &str) -> Lines<'h> {
        let mut each = self.each(name);
        match (each.next(), each.next()) {
            (None, _) => Lines::None,
            (Some(line), None) => Lines::One(line),
            (Some(_), Some(_)) => Lines::Several,
        }
    }

    /// Each line of any field, in their order.
    pub fn each<'n>(&self, name: &'n str) -> impl DoubleEndedIterator<Item = &'h [u8]> + use<'h, 'n> {
        Named { head: self.head, lines: &self.table.lines, name: name.as_bytes() }
    }
}

/// Values of the lines with a name.
struct Named<'h, 'n> {
    head: &'h [u8],
    lines: &'h [FieldSpan],
    name: &'n [u8],
}

impl<'h> Iterator for Named<'h, '_> {
    type Item = &'h [u8];

    fn next(&mut self) -> Option<&'h [u8]> {
        while let [line, rest @ ..] = self.lines {
            self.lines = rest;
            if line.name.of(self.head).eq_ignore_ascii_case(self.name) {
                return Some(line.value.of(self.head));
            }
        }
        None
    }
}

impl<'h> DoubleEndedIterator for Named<'h, '_> {
    fn next_back(&mut self) -> Option<&'h [u8]> {
        while let [rest @ .., line] = self.lines {
            self.lines = rest;
            if line.name.of(self.head).eq_ignore_ascii_case(self.name) {
                return Some(line.value.of(self.head));
            }
        }
        None
    }
}

impl FusedIterator for Named<'_, '_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_fields_gives_memory_back() {
        let mut table = FieldTable::new();
        for _ in 0..1_000 {
            table.push(FieldSpan { name: Span::default(), value: Span::default() }, None);
        }
        table.shrink(0);
        assert!(table.lines.len() == 1_000 && table.lines.capacity() >= 1_000);
        table.clear();
        table.shrink(64 * size_of::<FieldSpan>());
        assert!((64..1_000).contains(&table.lines.capacity()));
    }
}
