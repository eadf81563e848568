//! Arrays, maps and enums of the body.

use super::encode::{Encoder, Step, Stop};
use super::params::Given;
use crate::json::{Fault, Key, Problem, RawString, duplicate};
use crate::layout::{Enum, Node, NodeId, Suggestions};
use crate::scalar::Scalar;
use crate::tail::{close_count, open_count};
use crate::violation::{At, Refusal};
use callgate_protocol::wire::{put_bytes, put_varint};

impl<'a> Encoder<'a> {
    pub(super) fn list(&mut self, item: NodeId) -> Step {
        if self.cursor.peek() != Some(b'[') {
            return Err(self.wrong_type("an array"));
        }
        self.enter()?;
        let start = open_count(self.out);
        let mut count = 0;
        let node = self.layout.node(item);
        if !self.cursor.open(b']') {
            loop {
                match node {
                    // Long lists are of objects, as a rule; which they are is not asked for each.
                    Node::Struct(table) => self.structure(table, Given::NONE)?,
                    _ => self.value(item)?,
                }
                count += 1;
                if !self.next_item()? {
                    break;
                }
            }
        }
        close_count(self.out, start, count);
        self.leave(start)
    }

    pub(super) fn array(&mut self, item: NodeId, length: u32) -> Step {
        self.items(length as usize, |_| item)
    }

    pub(super) fn tuple(&mut self, items: &'a [NodeId]) -> Step {
        self.items(items.len(), |index| items[index])
    }

    fn items(&mut self, length: usize, item: impl Fn(usize) -> NodeId) -> Step {
        let at = self.cursor.pos;
        if self.cursor.peek() != Some(b'[') {
            return Err(self.wrong_type(&format!("an array of {}", counted(length))));
        }
        self.enter()?;
        let start = self.out.len();
        let mut count = 0;
        if !self.cursor.open(b']') {
            loop {
                match count < length {
                    true => self.value(item(count))?,
                    // Only counted, so that the message is right.
                    false => self.skip()?,
                }
                count += 1;
                if !self.next_item()? {
                    break;
                }
            }
        }
        if count != length {
            let detail = format!("expected an array of {}, got {count}", counted(length));
            return Err(self.stop(at, Refusal::value(detail)));
        }
        self.leave(start)
    }

    #[inline]
    fn next_item(&mut self) -> Result<bool, Stop> {
        self.cursor.next_item().map_err(|fault| self.fault(fault))
    }

    pub(super) fn map(&mut self, key: NodeId, value: NodeId) -> Step {
        if self.cursor.peek() != Some(b'{') {
            return Err(self.wrong_type("an object"));
        }
        self.enter()?;
        let start = open_count(self.out);
        let base = self.keys.len();
        if !self.cursor.open(b'}') {
            loop {
                self.map_key(key)?;
                self.cursor.colon().map_err(|fault| self.fault(fault))?;
                self.value(value)?;
                if !self.cursor.next_member().map_err(|fault| self.fault(fault))? {
                    break;
                }
            }
        }
        let keys = self.keys.get_mut(base..).unwrap_or_default();
        let count = keys.len() as u64;
        // As they are written, two spellings of one key are equal.
        if let Some((second, first)) = duplicate(keys, self.out) {
            return Err(self.duplicate_key(second.at, first.at));
        }
        self.keys.truncate(base);
        close_count(self.out, start, count);
        self.leave(start)
    }

    fn map_key(&mut self, node: NodeId) -> Step {
        let at = self.cursor.pos;
        let raw = self.cursor.key().map_err(|fault| self.fault(fault))?;
        self.put_key(node, at, raw)
    }

    /// Writes a map's key, which is at `at`, and notes it.
    pub(super) fn put_key(&mut self, node: NodeId, at: usize, raw: RawString<'a>) -> Step {
        let start = self.out.len();
        let written = match self.layout.node(node) {
            Node::Scalar(Scalar::String) if !raw.escaped => {
                put_bytes(self.out, raw.raw.as_bytes());
                Ok(())
            }
            Node::Scalar(scalar) => scalar.put_text(&raw.decode(), self.out),
            Node::Enum(table) => put_unit_variant(table, &raw.decode(), self.out, &mut self.suggestions),
            _ => Ok(()),
        };
        if let Err(refusal) = written {
            return self.refuse(At::Member(at), refusal.of("the key")).and(Err(Stop));
        }
        self.keys.push(Key { start, end: self.out.len(), at, escaped: false });
        Ok(())
    }

    #[cold]
    pub(super) fn duplicate_key(&mut self, at: usize, first: usize) -> Stop {
        self.fault(Fault { at, problem: Problem::DuplicateKey(first) })
    }

    pub(super) fn enumeration(&mut self, table: &'a Enum) -> Step {
        if let Some(tagged) = &table.tagged {
            return self.tagged(table, tagged);
        }
        let at = self.cursor.pos;
        match self.cursor.peek() {
            Some(b'"') => {
                let name = self.string()?.decode();
                put_unit_variant(table, &name, self.out, &mut self.suggestions)
                    .map_err(|refusal| self.stop(at, refusal))
            }
            Some(b'{') => self.variant_object(table),
            _ => Err(self.wrong_type(match table.has_unit {
                true => "a variant's name or an object of one variant",
                false => "an object of one variant",
            })),
        }
    }

    /// `{"Variant": content}`
    fn variant_object(&mut self, table: &'a Enum) -> Step {
        let at = self.cursor.pos;
        self.enter()?;
        if self.cursor.open(b'}') {
            return Err(self.stop(at, Refusal::value("expected an object of one variant, got an empty one")));
        }
        let key_at = self.cursor.pos;
        let raw = self.cursor.key().map_err(|fault| self.fault(fault))?;
        let index = self.variant(table, key_at, raw)?;
        self.cursor.colon().map_err(|fault| self.fault(fault))?;
        put_varint(self.out, index as u64);
        match table.variants[index].content {
            Some(content) => self.value(content)?,
            None if self.cursor.peek() == Some(b'n') => self.literal("null")?,
            None => return Err(self.wrong_type("`null`: the variant has no content")),
        }
        if self.cursor.next_member().map_err(|fault| self.fault(fault))? {
            return Err(
                self.stop(at, Refusal::value("expected an object of one variant, got several members"))
            );
        }
        self.depth -= 1;
        Ok(())
    }

    fn variant(&mut self, table: &'a Enum, at: usize, raw: RawString<'a>) -> Result<usize, Stop> {
        let name = raw.decode();
        match table.names.find(&name) {
            Some(index) => Ok(index),
            None => {
                let refusal = table.refusal(&name, &mut self.suggestions);
                self.refuse(At::Member(at), refusal).and(Err(Stop))
            }
        }
    }
}

/// Writes the variant that a string names: one without content.
pub(super) fn put_unit_variant(
    table: &Enum,
    name: &str,
    out: &mut Vec<u8>,
    suggestions: &mut Suggestions,
) -> Result<(), Refusal> {
    match table.names.find(name) {
        Some(index) if table.variants[index].content.is_none() => {
            put_varint(out, index as u64);
            Ok(())
        }
        _ => Err(table.refusal(name, suggestions)),
    }
}

fn counted(items: usize) -> String {
    match items {
        1 => "1 item".to_owned(),
        n => format!("{n} items"),
    }
}
