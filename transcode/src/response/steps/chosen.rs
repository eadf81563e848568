//! The one field that a route shows: what else the message has is read, checked, and not shown.

use super::open::Open;
use super::{Decoding, Step};
use crate::layout::{Field, Node, NodeId};
use crate::response::raw;

impl<'a> Decoding<'a> {
    /// Begins the value to which a path leads from `node`; what else there is on the way is read and not shown.
    pub(super) fn choose(&mut self, node: NodeId, path: &'a [u32], out: &mut Vec<u8>, end: usize) -> Step {
        if path.is_empty() && !self.raw {
            return self.begin(node, out, end);
        }
        let Some(inner) = self.there(node)? else {
            if !self.raw {
                out.extend_from_slice(b"null");
            }
            return Ok(());
        };
        if path.is_empty() {
            let bytes = raw::read(&mut self.reader, self.program.layout.node(inner))?;
            let end = self.reader.offset();
            self.raw_body = end - bytes.len()..end;
            return Ok(());
        }
        let Node::Struct(table) = self.program.layout.node(inner) else {
            // The program's compiler lets a path lead only through those and what says whether they are there.
            return self.begin(inner, out, end);
        };
        self.enter()?;
        self.open.push(Open::Chosen(table.fields.iter().enumerate(), path, self.reader.offset()));
        Ok(())
    }

    pub(super) fn chosen(
        &mut self,
        index: usize,
        field: &Field,
        path: &'a [u32],
        out: &mut Vec<u8>,
        end: usize,
    ) -> Step {
        match path.split_first() {
            Some((wanted, rest)) if *wanted as usize == index => self.choose(field.node, rest, out, end),
            _ => {
                self.open.push(Open::Discarded);
                self.style.discard = true;
                self.value = Some(field.node);
                Ok(())
            }
        }
    }
}
