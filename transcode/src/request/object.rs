//! Structs: members in any order, joined by what path and query give, completed by defaults.
//!
//! bincode wants the fields in their own order, JSON has its members in any. Each member is written where it comes. As
//! long as they come in the fields' order, which is what most writers do, that is all. From the first that does not, the
//! members' places in `out` are kept in slots, and at the object's end they are copied into order behind what was
//! written, and moved down.

use super::encode::{Encoder, Slot, Step};
use super::params::{Given, Source};
use crate::json::{Key, RawString, duplicate_in_text};
use crate::layout::{Node, NodeId, Struct};
use crate::violation::{At, Refusal, ViolationKind};

/// An object that is being read; or a struct that is put together without one.
pub(super) struct Open<'a> {
    pub(super) table: &'a Struct,
    /// What path and query give for its fields.
    given: Given,
    /// Where it begins in the body, if it is there.
    at: Option<usize>,
    /// From this field on, path and query give nothing.
    pub(super) free: usize,
    /// The fields before this one are written, in order.
    pub(super) done: usize,
    /// The field that the next member is probably of.
    pub(super) likely: usize,
    /// Where its slots begin and where in `out` the members out of order begin; `None` while all are in order.
    pub(super) unordered: Option<(usize, usize)>,
    /// Where its keys begin that name no field.
    unknown: usize,
}

impl<'a> Encoder<'a> {
    /// Reads an object as a struct.
    pub(super) fn structure(&mut self, table: &'a Struct, given: Given) -> Step {
        if self.cursor.peek() != Some(b'{') {
            return Err(self.wrong_type("an object"));
        }
        if table.flat.is_some() {
            return self.flat_structure(table, given);
        }
        let mut open = self.opened(table, given, Some(self.cursor.pos));
        self.enter()?;
        let start = self.out.len();
        self.take_given(&mut open)?;
        if !self.cursor.open(b'}') {
            while !self.plain_members(&mut open)? {
                self.member(&mut open)?;
                if !self.cursor.next_member().map_err(|fault| self.fault(fault))? {
                    break;
                }
            }
        }
        self.close(&open)?;
        self.leave(start)
    }

    /// Writes a struct of which the body says nothing.
    pub(super) fn assembled(&mut self, table: &'a Struct, given: Given) -> Step {
        if table.flat.is_some() {
            return self.flat_assembled(table, given);
        }
        let open = self.opened(table, given, None);
        self.enter()?;
        let start = self.out.len();
        self.close(&open)?;
        self.leave(start)
    }

    fn opened(&self, table: &'a Struct, given: Given, at: Option<usize>) -> Open<'a> {
        let free = self.params.end(given);
        Open { table, given, at, free, done: 0, likely: 0, unordered: None, unknown: self.keys.len() }
    }

    #[inline]
    fn member(&mut self, open: &mut Open<'a>) -> Step {
        let table = open.table;
        if let Some(field) = table.fields.get(open.likely) {
            let at = self.cursor.pos;
            if let Some(length) = field.lead.key_length(self.cursor.rest()) {
                self.cursor.pos += length;
                self.cursor.space();
                // Until one comes out of order, the likely field is the next one.
                if open.unordered.is_none() && open.likely >= open.free {
                    open.done += 1;
                    open.likely += 1;
                    return self.value(field.node);
                }
                return self.field(open, open.likely, at);
            }
        }
        self.named_member(open)
    }

    /// A member that is not the likely one, or does not have its colon directly behind its name.
    fn named_member(&mut self, open: &mut Open<'a>) -> Step {
        let at = self.cursor.pos;
        let raw = self.cursor.key().map_err(|fault| self.fault(fault))?;
        self.cursor.colon().map_err(|fault| self.fault(fault))?;
        let table = open.table;
        match table.fields.get(open.likely) {
            Some(field) if !raw.escaped && *field.name == *raw.raw => self.field(open, open.likely, at),
            _ => match table.names.find(&raw.decode()) {
                Some(index) => self.field(open, index, at),
                None => self.unknown_member(table, at, raw),
            },
        }
    }

    /// The value of a member whose key is at `at`.
    fn field(&mut self, open: &mut Open<'a>, index: usize, at: usize) -> Step {
        let table = open.table;
        let node = table.fields[index].node;
        let given = self.given(open, index);
        if let Some(given) = given.filter(|given| self.params.is_leaf(*given)) {
            return self.given_too(at, given);
        }
        if self.is_written(open, index) {
            let first = self.first_member(open.at, |name| table.names.find(name) == Some(index));
            return Err(self.again(at, first));
        }
        if open.unordered.is_none() && index == open.done {
            self.joined(node, given)?;
            open.done += 1;
            open.likely = open.done;
            return self.take_given(open);
        }
        let (base, _) = match open.unordered {
            Some(unordered) => unordered,
            None => {
                let unordered = (self.slots.len(), self.out.len());
                self.slots.resize(unordered.0 + table.fields.len(), Slot::EMPTY);
                *open.unordered.insert(unordered)
            }
        };
        let start = self.out.len();
        self.joined(node, given)?;
        let end = self.out.len();
        self.slots[base + index] = Slot { start, end };
        open.likely = index + 1;
        Ok(())
    }

    /// What path and query give for a field.
    #[inline]
    fn given(&self, open: &Open<'a>, index: usize) -> Option<Given> {
        match index < open.free {
            true => self.params.of(open.given, index),
            false => None,
        }
    }

    fn is_written(&self, open: &Open<'a>, index: usize) -> bool {
        index < open.done || self.slot(open, index).is_some()
    }

    fn slot(&self, open: &Open<'a>, index: usize) -> Option<Slot> {
        let (base, _) = open.unordered?;
        let slot = self.slots.get(base + index).copied()?;
        (slot.start != Slot::EMPTY.start).then_some(slot)
    }

    /// A value of the body, which path and query may give parts of.
    pub(super) fn joined(&mut self, node: NodeId, given: Option<Given>) -> Step {
        let Some(given) = given else {
            return self.value(node);
        };
        match self.layout.node(node) {
            _ if self.cursor.peek() == Some(b'n') && !self.params.fills(given) => self.value(node),
            Node::Struct(table) => self.structure(table, given),
            Node::Option(inner) if self.cursor.peek() != Some(b'n') => {
                self.out.push(1);
                self.joined(*inner, Some(given))
            }
            Node::Presence(inner) if self.cursor.peek() != Some(b'n') => {
                self.out.push(2);
                self.joined(*inner, Some(given))
            }
            Node::Guarded(inner, rules) => {
                let at = self.cursor.pos;
                self.guarded(
                    rules,
                    |encoder| encoder.joined(*inner, Some(given)),
                    |encoder, refusal| encoder.refuse(At::Value(at), refusal),
                )
            }
            _ => {
                let other = self.params.sources(given).next().unwrap_or(Source::Body);
                let detail = format!(
                    "given twice: `null` in the body, and a part of it by {}",
                    self.source_name(other)
                );
                self.refuse(At::Value(self.cursor.pos), Refusal::new(ViolationKind::DuplicateField, detail))?;
                self.skip()
            }
        }
    }

    /// Writes what path and query give for the fields whose turn it is.
    #[inline]
    fn take_given(&mut self, open: &mut Open<'a>) -> Step {
        while open.done < open.free && open.unordered.is_none() {
            match self.given(open, open.done) {
                Some(given) if self.params.is_leaf(given) => match self.params.fills(given) {
                    true => self.write_given(open.table.fields[open.done].node, given)?,
                    false => self.absent(open, open.done)?,
                },
                _ => break,
            }
            open.done += 1;
            open.likely = open.done;
        }
        Ok(())
    }

    fn unknown_member(&mut self, table: &Struct, at: usize, raw: RawString<'a>) -> Step {
        match self.program.ignores_unknown() {
            true => self.keys.push(Key::in_text(at, raw)),
            false => {
                let refusal = table.refusal(&raw.decode(), &mut self.suggestions);
                self.refuse(At::Member(at), refusal)?;
            }
        }
        // The key must stay below the scratch of what follows.
        self.skip()
    }

    /// Completes the struct and puts its fields into order, unless that is what it is.
    #[inline]
    fn close(&mut self, open: &Open<'a>) -> Step {
        let all = open.done == open.table.fields.len() && open.unordered.is_none();
        match all && self.keys.len() == open.unknown {
            true => Ok(()),
            false => self.complete(open),
        }
    }

    #[inline(never)]
    fn complete(&mut self, open: &Open<'a>) -> Step {
        if self.keys.len() > open.unknown {
            let keys = self.keys.get_mut(open.unknown..).unwrap_or_default();
            if let Some((second, first)) = duplicate_in_text(keys, self.cursor.text()) {
                return Err(self.duplicate_key(second.at, first.at));
            }
            self.keys.truncate(open.unknown);
        }
        let behind = self.out.len();
        for index in open.done..open.table.fields.len() {
            match self.slot(open, index) {
                Some(slot) => self.out.extend_from_within(slot.start..slot.end),
                None => self.absent(open, index)?,
            }
        }
        if let Some((base, begin)) = open.unordered {
            let ordered = self.out.len() - behind;
            self.out.copy_within(behind.., begin);
            self.out.truncate(begin + ordered);
            self.slots.truncate(base);
        }
        Ok(())
    }

    /// A field that the object does not have.
    fn absent(&mut self, open: &Open<'a>, index: usize) -> Step {
        let given = self.given(open, index);
        self.missing(&open.table.fields[index], given, |encoder| encoder.missing_at(open, index))
    }

    #[cold]
    fn missing_at(&self, open: &Open<'a>, index: usize) -> At {
        self.place_of(open.at, open.given, &[index as u32], &open.table.fields[index].name)
    }
}
