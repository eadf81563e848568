//! Values of which more is asked than their type: the rules of a field, and sets, which have no item twice.
//!
//! What is broken is noted, and reading goes on: all of it is told at once.

use super::encode::{Encoder, Step};
use crate::json::{Fault, Key, Problem, duplicate};
use crate::layout::{NodeId, Rules};
use crate::tail::{close_count, open_count};
use crate::violation::{At, Refusal, ViolationKind};

/// From so many items on a set is looked through while it is read, whenever their number has doubled.
const MANY: usize = 16;

impl<'a> Encoder<'a> {
    /// Writes a field's value, and asks of it what the field's rules say. `tell` notes what is broken.
    pub(super) fn guarded(
        &mut self,
        rules: &Rules,
        write: impl FnOnce(&mut Self) -> Step,
        tell: impl Fn(&mut Self, Refusal) -> Step,
    ) -> Step {
        let start = self.out.len();
        let outer = self.secret;
        if rules.secret {
            self.secret = outer.or(Some(self.cursor.pos));
        }
        let written = write(self);
        self.secret = outer;
        written?;
        match self.out.get(start..) {
            // It was refused already.
            None | Some([]) => Ok(()),
            Some(value) => {
                let broken = rules.broken(&self.program.patterns, value);
                broken.into_iter().try_for_each(|detail| tell(self, Refusal::constraint(detail)))
            }
        }
    }

    /// A value of the body with rules.
    #[inline(never)]
    pub(super) fn guarded_value(&mut self, inner: NodeId, rules: &Rules) -> Step {
        let at = self.cursor.pos;
        self.guarded(
            rules,
            |encoder| encoder.value(inner),
            |encoder, refusal| encoder.refuse(At::Value(at), refusal),
        )
    }

    /// An array that has no item twice.
    #[inline(never)]
    pub(super) fn set(&mut self, item: NodeId) -> Step {
        if self.cursor.peek() != Some(b'[') {
            return Err(self.wrong_type("an array"));
        }
        self.enter()?;
        let start = open_count(self.out);
        let mut items = Items { base: self.keys.len(), count: 0, watched: true };
        if !self.cursor.open(b']') {
            loop {
                let (at, begin) = (self.cursor.pos, self.out.len());
                self.value(item)?;
                self.noted(&mut items, begin, at)?;
                if !self.cursor.next_item().map_err(|fault| self.fault(fault))? {
                    break;
                }
            }
        }
        self.compared(&mut items)?;
        close_count(self.out, start, items.count as u64);
        self.leave(start)
    }

    /// Notes an item of a set. Many that are the same would take much room if they were compared only at the end.
    fn noted(&mut self, items: &mut Items, begin: usize, at: usize) -> Step {
        items.count += 1;
        if items.watched {
            self.keys.push(Key { start: begin, end: self.out.len(), at, escaped: false });
        }
        match items.count >= MANY && items.count.is_power_of_two() {
            true => self.look_through(items),
            false => Ok(()),
        }
    }

    fn compared(&mut self, items: &mut Items) -> Step {
        self.look_through(items)?;
        self.keys.truncate(items.base);
        Ok(())
    }

    /// Looks for an item that the set has twice. As they are written, two spellings of one value are equal; and where something
    /// was refused they are not what they seem.
    fn look_through(&mut self, items: &mut Items) -> Step {
        let keys = self.keys.get_mut(items.base..).unwrap_or_default();
        if !items.watched || !self.violations.is_empty() {
            items.watched = false;
            self.keys.truncate(items.base);
            return Ok(());
        }
        let Some((second, first)) = duplicate(keys, self.out) else { return Ok(()) };
        items.watched = false;
        self.keys.truncate(items.base);
        let detail =
            Fault { at: second.at, problem: Problem::DuplicateItem(first.at) }.detail(self.cursor.text());
        self.refuse(At::Value(second.at), Refusal::constraint(detail))
    }

    /// The same for a set that parameters fill: whether it has an item twice, where each begins at one of `starts`.
    pub(super) fn has_twin(&self, starts: &[usize]) -> bool {
        let ends = starts.iter().skip(1).copied().chain([self.out.len()]);
        let mut keys: Vec<Key> = (starts.iter().zip(ends))
            .map(|(start, end)| Key { start: *start, end, at: *start, escaped: false })
            .collect();
        duplicate(&mut keys, self.out).is_some()
    }
}

/// The items of a set that is being read.
struct Items {
    /// Where those begin that are noted.
    base: usize,
    count: usize,
    /// Whether they are noted.
    watched: bool,
}

impl Refusal {
    /// The value is of its type and breaks a rule of its field's.
    #[cold]
    pub(super) fn constraint(detail: impl Into<String>) -> Refusal {
        Refusal::new(ViolationKind::Constraint, detail)
    }
}
