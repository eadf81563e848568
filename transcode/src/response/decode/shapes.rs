//! Fields that may be absent: their members are left out, wherever they stand in the object.

use super::{Decoder, Step};
use crate::layout::{Node, NodeId, Struct};
use crate::response::DecodeReason;
use callgate_protocol::check::Reason;
use callgate_protocol::wire::Reader;

impl<'a> Decoder<'a> {
    #[inline(never)]
    pub(super) fn presence(&mut self, inner: NodeId) -> Step {
        match self.reader.varint(32)? {
            0 | 1 => self.null(),
            2 => self.apart(inner),
            _ => Err(Reason::UnknownVariant.into()),
        }
    }

    /// The fields of a struct of which some are left out where they are absent. The first that is there opens the object.
    #[inline(never)]
    pub(super) fn sparse_fields(&mut self, table: &'a Struct) -> Step {
        let begin = self.out.len();
        for field in &table.fields {
            if is_absent(self.layout.node(field.node), &mut self.reader)? {
                continue;
            }
            let lead = self.out.len();
            field.lead.put(self.out);
            if let Some(opening) = self.out.get_mut(lead) {
                *opening = if lead == begin { b'{' } else { b',' };
            }
            self.apart(field.node)?;
        }
        if self.out.len() == begin {
            self.out.push(b'{');
        }
        self.out.push(b'}');
        Ok(())
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
