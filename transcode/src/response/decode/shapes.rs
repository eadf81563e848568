//! Objects that are more than the fields of one struct: fields that are absent are left out, wherever they stand; those of
//! flattened structs and the entries of a flattened map stand among the others; a tag stands before all.

use super::{Decoder, Step};
use crate::layout::{Node, NodeId, Struct, Tagged, Variant};
use crate::response::{DecodeReason, is_member};
use callgate_protocol::check::Reason;
use callgate_protocol::wire::Reader;

/// An object whose members are being written.
#[derive(Clone, Copy)]
struct Object<'a> {
    /// Where it begins, if nothing of it is written yet: then its first member opens it.
    begin: Option<usize>,
    tag: Option<&'a str>,
    /// Whose members it has beside those that are left.
    table: Option<&'a Struct>,
}

impl<'a> Decoder<'a> {
    #[inline(never)]
    pub(super) fn presence(&mut self, inner: NodeId) -> Step {
        match self.reader.varint(32)? {
            0 | 1 => self.null(),
            2 => self.apart(inner),
            _ => Err(Reason::UnknownVariant.into()),
        }
    }

    /// A struct of which some fields may be left out, or are flattened.
    #[inline(never)]
    pub(super) fn sparse_object(&mut self, table: &'a Struct) -> Step {
        let begin = self.out.len();
        self.members(table, Object { begin: Some(begin), tag: None, table: Some(table) })?;
        if self.out.len() == begin {
            self.out.push(b'{');
        }
        self.out.push(b'}');
        Ok(())
    }

    fn members(&mut self, table: &'a Struct, object: Object<'a>) -> Step {
        for field in &table.fields {
            if field.flat {
                self.flattened(field.node, object)?;
                continue;
            }
            if is_absent(self.layout.node(field.node), &mut self.reader)? {
                continue;
            }
            let lead = self.out.len();
            field.lead.put(self.out);
            if let Some(opening) = self.out.get_mut(lead) {
                *opening = object.opening(lead);
            }
            self.apart(field.node)?;
        }
        Ok(())
    }

    fn flattened(&mut self, node: NodeId, object: Object<'a>) -> Step {
        match self.layout.node(node) {
            Node::Option(inner) => match self.reader.bool()? {
                true => self.flattened(*inner, object),
                false => Ok(()),
            },
            Node::Struct(table) => {
                self.enter()?;
                self.has_room(table.leads as usize)?;
                let start = self.reader.offset();
                self.members(table, object)?;
                self.leave(start)
            }
            Node::Map(key, value) => self.entries(*key, *value, object),
            // The layout flattens nothing else.
            _ => self.apart(node),
        }
    }

    /// The entries of a map as members. None may be another member of the object.
    fn entries(&mut self, key: NodeId, value: NodeId, object: Object<'a>) -> Step {
        let count = self.reader.length()?;
        self.enter()?;
        let base = self.keys.len();
        for _ in 0..count {
            self.has_room(0)?;
            let opening = object.opening(self.out.len());
            self.out.push(opening);
            let start = self.out.len();
            self.key(key)?;
            let key = self.out.get(start..).unwrap_or_default();
            if !self.style.discard && is_member(key, object.tag, object.table) {
                return Err(DecodeReason::DuplicateKey);
            }
            self.out.push(b':');
            self.value(value)?;
        }
        self.compare_keys(base)?;
        self.depth -= 1;
        Ok(())
    }

    /// A variant whose number was read.
    #[inline(never)]
    pub(super) fn tagged(&mut self, variant: &'a Variant, tagged: &'a Tagged) -> Step {
        self.has_room(variant.opening.len())?;
        self.enter()?;
        self.out.extend_from_slice(&variant.opening);
        match (variant.content, &tagged.content) {
            (None, _) => {}
            (Some(content), Some(_)) => self.value(content)?,
            (Some(content), None) => {
                let table = match self.layout.node(content) {
                    Node::Struct(table) => Some(table),
                    _ => None,
                };
                self.flattened(content, Object { begin: None, tag: Some(&tagged.tag), table })?;
            }
        }
        self.out.push(b'}');
        self.depth -= 1;
        Ok(())
    }
}

impl Object<'_> {
    /// The sign before a member that is written there.
    fn opening(self, at: usize) -> u8 {
        if self.begin == Some(at) { b'{' } else { b',' }
    }
}

/// Passes a field that is absent. Where it is there nothing is passed.
pub(in crate::response) fn is_absent(node: &Node, reader: &mut Reader<'_>) -> Result<bool, DecodeReason> {
    let Node::Presence(_) = node else { return Ok(false) };
    let mut ahead = reader.clone();
    let is_absent = ahead.varint(32)? == 0;
    if is_absent {
        *reader = ahead;
    }
    Ok(is_absent)
}
