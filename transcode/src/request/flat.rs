//! Objects whose members are not the fields of one struct: some are flattened, or a tag stands beside them.
//!
//! On the wire each struct is where its field is. In JSON the members of all come in any order. So each member is written where
//! it comes, its place is kept, and at the object's end all are copied into order, as it is done for an object out of order.

use super::encode::{Encoder, Slot, Step};
use super::params::Given;
use crate::json::{Key, RawString, duplicate, duplicate_in_text};
use crate::layout::{Absent, Node, Rest, Struct, shown};
use crate::violation::{At, Refusal, ViolationKind};
use callgate_protocol::wire::put_varint;

/// Such an object that is being read, or put together without one.
pub(super) struct Object<'a> {
    /// Where it begins in the body, if it is there.
    pub(super) at: Option<usize>,
    /// Whose members it has.
    pub(super) table: Option<&'a Struct>,
    /// Who takes the members that are left.
    pub(super) rest: Option<Rest>,
    /// The member that was read ahead.
    pub(super) tag: Option<&'a str>,
    tag_at: Option<usize>,
    given: Given,
    /// Where its slots and its keys begin.
    slots: usize,
    keys: usize,
    /// Where the entries stand of what is left.
    entries: Vec<Slot>,
}

impl<'a> Encoder<'a> {
    /// Reads an object as a struct with flattened fields.
    #[inline(never)]
    pub(super) fn flat_structure(&mut self, table: &'a Struct, given: Given) -> Step {
        let at = self.cursor.pos;
        self.enter()?;
        let start = self.out.len();
        let mut object = Object { given, ..self.object(Some(at), Some(table)) };
        self.members(&mut object)?;
        self.leave(start)
    }

    /// Writes a struct with flattened fields of which the body says nothing.
    #[inline(never)]
    pub(super) fn flat_assembled(&mut self, table: &'a Struct, given: Given) -> Step {
        self.enter()?;
        let start = self.out.len();
        let object = Object { given, ..self.object(None, Some(table)) };
        self.slots.resize(object.slots + object.count(), Slot::EMPTY);
        self.put_fields(&object, table, given, &mut 0)?;
        self.slots.truncate(object.slots);
        self.leave(start)
    }

    pub(super) fn object(&self, at: Option<usize>, table: Option<&'a Struct>) -> Object<'a> {
        Object {
            at,
            table,
            rest: table.and_then(Struct::rest),
            tag: None,
            tag_at: None,
            given: Given::NONE,
            slots: self.slots.len(),
            keys: self.keys.len(),
            entries: Vec::new(),
        }
    }

    /// Reads the members, and writes them in order.
    pub(super) fn members(&mut self, object: &mut Object<'a>) -> Step {
        let begin = self.out.len();
        self.slots.resize(object.slots + object.count(), Slot::EMPTY);
        if !self.cursor.open(b'}') {
            loop {
                self.any_member(object)?;
                if !self.cursor.next_member().map_err(|fault| self.fault(fault))? {
                    break;
                }
            }
        }
        let keys = self.keys.get_mut(object.keys..).unwrap_or_default();
        let twice = match object.rest {
            Some(_) => duplicate(keys, self.out),
            None => duplicate_in_text(keys, self.cursor.text()),
        };
        if let Some((second, first)) = twice {
            return Err(self.duplicate_key(second.at, first.at));
        }
        self.keys.truncate(object.keys);
        let behind = self.out.len();
        match (object.table, object.rest) {
            (Some(table), _) => self.put_fields(object, table, object.given, &mut 0)?,
            (None, Some(_)) => self.put_entries(object)?,
            (None, None) => {}
        }
        let ordered = self.out.len() - behind;
        self.out.copy_within(behind.., begin);
        self.out.truncate(begin + ordered);
        self.slots.truncate(object.slots);
        Ok(())
    }

    fn any_member(&mut self, object: &mut Object<'a>) -> Step {
        let at = self.cursor.pos;
        let raw = self.cursor.key().map_err(|fault| self.fault(fault))?;
        self.cursor.colon().map_err(|fault| self.fault(fault))?;
        let name = raw.decode();
        if let Some(table) = object.table
            && let Some(index) = table.find(&name)
        {
            return self.known_member(object, table, index, at);
        }
        if object.tag == Some(&*name) {
            if let Some(first) = object.tag_at.replace(at) {
                return Err(self.again(at, first));
            }
            return self.string().map(drop);
        }
        match object.rest {
            Some(rest) => self.entry(object, rest, at, raw),
            None => self.member_of_none(at, raw, |encoder| object.refusal(&name, encoder)),
        }
    }

    /// A member that the object does not have.
    pub(super) fn member_of_none(
        &mut self,
        at: usize,
        raw: RawString<'a>,
        refusal: impl FnOnce(&mut Self) -> Refusal,
    ) -> Step {
        match self.program.ignores_unknown() {
            true => self.keys.push(Key::in_text(at, raw)),
            false => {
                let refusal = refusal(self);
                self.refuse(At::Member(at), refusal)?;
            }
        }
        // The key must stay below the scratch of what follows.
        self.skip()
    }

    fn known_member(&mut self, object: &Object<'a>, table: &'a Struct, index: usize, at: usize) -> Step {
        let (field, inside) = self.layout.member(table, index);
        let given = self.given_member(object.given, table, index);
        if let Some(given) = given.filter(|given| self.params.is_leaf(*given)) {
            return self.given_too(at, given);
        }
        let slot = object.slots + index;
        if self.slots[slot].start != Slot::EMPTY.start {
            let first = self.first_member(object.at, |name| table.find(name) == Some(index));
            return Err(self.again(at, first));
        }
        let start = self.out.len();
        // Those around it are entered at the end, which finds out if they are too many.
        self.depth += inside;
        self.joined(field.node, given)?;
        self.depth -= inside;
        self.slots[slot] = Slot { start, end: self.out.len() };
        Ok(())
    }

    /// What path and query give for a member.
    fn given_member(&self, given: Given, table: &Struct, index: usize) -> Option<Given> {
        if given.is_empty() {
            return None;
        }
        let mut steps = Vec::new();
        table.put_steps(index, &mut steps);
        steps.iter().try_fold(given, |given, step| self.params.of(given, *step as usize))
    }

    /// A member that goes into the map of what is left.
    fn entry(&mut self, object: &mut Object<'a>, rest: Rest, at: usize, raw: RawString<'a>) -> Step {
        let start = self.out.len();
        self.put_key(rest.key, at, raw)?;
        self.depth += rest.depth;
        self.value(rest.value)?;
        self.depth -= rest.depth;
        object.entries.push(Slot { start, end: self.out.len() });
        Ok(())
    }

    /// Writes the fields of a struct of the object in wire order. `next` counts the object's members.
    fn put_fields(&mut self, object: &Object<'a>, table: &'a Struct, given: Given, next: &mut usize) -> Step {
        for (index, field) in table.fields.iter().enumerate() {
            let given = self.params.of(given, index);
            if !field.flat {
                let member = *next;
                *next += 1;
                let slot = self.slots[object.slots + member];
                if slot.start != Slot::EMPTY.start {
                    self.out.extend_from_within(slot.start..slot.end);
                } else {
                    self.missing(field, given, |encoder| {
                        let mut steps = Vec::new();
                        object.table.iter().for_each(|table| table.put_steps(member, &mut steps));
                        encoder.place_of(object.at, object.given, &steps, &field.name)
                    })?;
                }
                continue;
            }
            let (is_option, node) = match self.layout.node(field.node) {
                Node::Option(inner) => (true, self.layout.node(*inner)),
                node => (false, node),
            };
            let inner = match node {
                Node::Struct(inner) => Some(inner),
                _ => None,
            };
            let members = *next..*next + inner.map_or(0, Struct::count);
            let has_rest = inner.is_none_or(|inner| inner.rest().is_some());
            let is_there = given.is_some_and(|given| self.params.fills(given))
                || (has_rest && !object.entries.is_empty())
                || members.clone().any(|at| self.slots[object.slots + at].start != Slot::EMPTY.start);
            match &field.absent {
                Absent::Default(_) | Absent::None if !is_there => {
                    *next = members.end;
                    self.missing(field, None, |encoder| encoder.place_in(object))?;
                    continue;
                }
                _ => {}
            }
            if is_option {
                self.out.push(1);
            }
            match inner {
                Some(inner) => {
                    self.enter()?;
                    let start = self.out.len();
                    self.put_fields(object, inner, given.unwrap_or(Given::NONE), next)?;
                    self.leave(start)?;
                }
                None => self.put_entries(object)?,
            }
        }
        Ok(())
    }

    /// Where it is told that the default of a flattened field cannot stand: at the object.
    fn place_in(&self, object: &Object<'a>) -> At {
        match object.at {
            Some(at) => At::Value(at),
            None => At::Field(self.pointer(self.params.prefix(object.given))),
        }
    }

    /// Writes the map of what is left.
    fn put_entries(&mut self, object: &Object<'a>) -> Step {
        self.enter()?;
        let start = self.out.len();
        put_varint(self.out, object.entries.len() as u64);
        for entry in &object.entries {
            self.out.extend_from_within(entry.start..entry.end);
        }
        self.leave(start)
    }
}

impl Object<'_> {
    fn count(&self) -> usize {
        self.table.map_or(0, Struct::count)
    }

    #[cold]
    fn refusal(&self, name: &str, encoder: &mut Encoder<'_>) -> Refusal {
        match self.table {
            Some(table) => table.refusal(name, &mut encoder.suggestions),
            None => {
                let detail = format!("unknown field `{}`: the variant has no fields", shown(name));
                Refusal::new(ViolationKind::UnknownField, detail)
            }
        }
    }
}
