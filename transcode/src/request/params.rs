//! Values from outside of the body, sorted by the fields they fill, so that they can join the body's as these are read.

use super::RequestProgram;
use super::encode::MAX_VIOLATIONS;
use crate::json::push_segment;
use crate::layout::{Suggestions, shown};
use crate::path;
use crate::violation::{At, Pending, Refusal, ViolationKind};
use callgate_protocol::limits::MAX_DEPTH;
use std::borrow::Cow;
use std::ops::Range;

/// Where a value is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The path's parameter of that index.
    Path(usize),
    /// The query's pair of that index.
    Query(usize),
    /// The form's field of that index.
    Form(usize),
    /// The body, where it is one field.
    Body,
    /// The text of that index, for a field that is bound.
    Bound(usize),
    /// Nothing, for the bound field of that index.
    Absent(usize),
}

/// One value, and the field that it fills.
#[derive(Clone, Debug)]
struct Param {
    steps: Range<usize>,
    source: Source,
}

/// All such values.
#[derive(Clone, Debug, Default)]
pub(super) struct Params {
    /// The field's index in each struct from the outside in, of all params one after another.
    steps: Vec<u32>,
    /// In the order of their fields; those of one field in the order in which they were given.
    list: Vec<Param>,
}

/// The values for one struct or field: some of the list that have the first `level` steps in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given {
    from: usize,
    to: usize,
    pub(super) level: usize,
}

impl Given {
    /// Nothing is given.
    pub(super) const NONE: Given = Given { from: 0, to: 0, level: 0 };

    #[inline]
    pub(super) fn is_empty(self) -> bool {
        self.from == self.to
    }

    pub(super) fn count(self) -> usize {
        self.to - self.from
    }
}

impl Params {
    pub(super) fn add(&mut self, steps: &[u32], source: Source) {
        let start = self.steps.len();
        self.steps.extend_from_slice(steps);
        self.list.push(Param { steps: start..self.steps.len(), source });
    }

    pub(super) fn sort(&mut self) {
        let Params { steps, list } = self;
        let of = |param: &Param| steps.get(param.steps.clone()).unwrap_or_default();
        list.sort_by(|a, b| of(a).cmp(of(b)));
    }

    pub(super) fn remove_body(&mut self) {
        self.list.retain(|param| param.source != Source::Body);
    }

    /// A value whose field is the same, or around it, or inside of it.
    pub(super) fn overlapping(&self, steps: &[u32]) -> Option<Source> {
        let overlaps = |param: &&Param| {
            let other = self.steps.get(param.steps.clone()).unwrap_or_default();
            other.starts_with(steps) || steps.starts_with(other)
        };
        self.list.iter().find(overlaps).map(|param| param.source)
    }

    /// Adds what the query gives; what it gives wrongly goes to `violations`.
    pub(super) fn add_query(
        &mut self,
        program: &RequestProgram,
        query: &[(Cow<'_, str>, Cow<'_, str>)],
        violations: &mut Vec<Pending>,
        suggestions: &mut Suggestions,
    ) {
        for (index, (name, _)) in query.iter().enumerate() {
            if program.binds_query(name) {
                continue;
            }
            let pending = self.add_named(program, name, Source::Query(index), suggestions);
            violations.extend(pending.map(|(at, problem)| Pending {
                at,
                refusal: problem.of(format_args!("query parameter `{}`", shown(name))),
            }));
            if violations.len() >= MAX_VIOLATIONS {
                return;
            }
        }
    }

    /// Adds a value for the field that a name names; or says what is wrong with that.
    pub(super) fn add_named(
        &mut self,
        program: &RequestProgram,
        name: &str,
        source: Source,
        suggestions: &mut Suggestions,
    ) -> Option<(At, Refusal)> {
        let layout = &program.layout;
        let problem = match path::resolve(layout, program.root, name) {
            Ok(found) => match program.bound_around(&found.steps) {
                Some(bound) => Refusal::new(
                    ViolationKind::DuplicateField,
                    format!("the field is filled by {} only", program.bound_name(bound)),
                ),
                None if path::is_text(layout, found.node) || path::is_text_list(layout, found.node) => {
                    self.add(&found.steps, source);
                    return None;
                }
                None => Refusal::new(
                    ViolationKind::WrongType,
                    "the field is no number, boolean, string or enum, nor a list of such",
                ),
            },
            Err(_) if program.ignores_unknown() => return None,
            Err(nowhere) => nowhere.refusal(suggestions),
        };
        let mut pointer = String::new();
        name.split('.').take(MAX_DEPTH).for_each(|part| push_segment(&mut pointer, part));
        Some((At::Field(pointer), problem))
    }

    /// All of them, for the request itself.
    pub(super) fn all(&self) -> Given {
        Given { from: 0, to: self.list.len(), level: 0 }
    }

    /// All of them, where they are for one field, to which so many steps lead.
    pub(super) fn for_field(&self, level: usize) -> Given {
        Given { from: 0, to: self.list.len(), level }
    }

    /// Whether there is a value among `given`, and not only places of bound fields for which the request gives none.
    #[inline]
    pub(super) fn fills(&self, given: Given) -> bool {
        self.sources(given).any(|source| !matches!(source, Source::Absent(_)))
    }

    /// Those for the field of that index in the struct which `given` is for.
    pub(super) fn of(&self, given: Given, field: usize) -> Option<Given> {
        let list = self.list.get(given.from..given.to)?;
        let step = |param: &Param| self.steps.get(param.steps.start + given.level).copied();
        let before = list.partition_point(|param| step(param) < Some(field as u32));
        let through = list.partition_point(|param| step(param) <= Some(field as u32));
        (before < through).then_some(Given {
            from: given.from + before,
            to: given.from + through,
            level: given.level + 1,
        })
    }

    /// The first field of the struct which `given` is for from which on there is none.
    #[inline]
    pub(super) fn end(&self, given: Given) -> usize {
        match given.is_empty() {
            true => 0,
            false => self.last_step(given).map_or(0, |step| step as usize + 1),
        }
    }

    fn last_step(&self, given: Given) -> Option<u32> {
        let last = self.list.get(given.from..given.to)?.last()?;
        self.steps.get(last.steps.start + given.level).copied()
    }

    /// Whether `given` is for the field itself, and not only for fields inside of it.
    pub(super) fn is_leaf(&self, given: Given) -> bool {
        self.steps_of(given).len() == given.level
    }

    /// The sources of `given`.
    pub(super) fn sources(&self, given: Given) -> impl Iterator<Item = Source> + '_ {
        let list = self.list.get(given.from..given.to).unwrap_or_default();
        list.iter().map(|param| param.source)
    }

    /// The steps that all of `given` have in common.
    pub(super) fn prefix(&self, given: Given) -> &[u32] {
        self.steps_of(given).get(..given.level).unwrap_or_default()
    }

    fn steps_of(&self, given: Given) -> &[u32] {
        let first = self.list.get(given.from).filter(|_| !given.is_empty());
        let steps = first.and_then(|param| self.steps.get(param.steps.clone()));
        steps.unwrap_or_default()
    }
}
