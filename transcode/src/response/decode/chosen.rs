//! A field that a route shows in the place of the whole. What else the message has is read and not shown.

use super::{Decoder, Step};
use crate::layout::{Node, NodeId};
use crate::response::raw;
use callgate_protocol::check::Reason;

/// How the field is written that is chosen.
#[derive(Clone, Copy, PartialEq)]
enum Shown {
    AsJson,
    AsItIs,
}

impl Decoder<'_> {
    /// Walks all of a struct and writes only the field to which `path` leads.
    pub(in crate::response) fn field(&mut self, node: NodeId, path: &[u32]) -> Step {
        self.choose(node, path, Shown::AsJson)
    }

    /// The same, and writes the field as it is: its bytes or its text. One that is absent has none.
    pub(in crate::response) fn raw(&mut self, node: NodeId, path: &[u32]) -> Step {
        self.choose(node, path, Shown::AsItIs)
    }

    fn choose(&mut self, node: NodeId, path: &[u32], shown: Shown) -> Step {
        let next = path.split_first();
        if next.is_none() && shown == Shown::AsJson {
            return self.value(node);
        }
        match self.layout.node(node) {
            Node::Option(inner) => match self.reader.bool()? {
                true => self.choose(*inner, path, shown),
                false => self.absent(shown),
            },
            Node::Presence(inner) => match self.reader.varint(32)? {
                0 | 1 => self.absent(shown),
                2 => self.choose(*inner, path, shown),
                _ => Err(Reason::UnknownVariant.into()),
            },
            Node::Guarded(inner, _) => self.choose(*inner, path, shown),
            scalar if next.is_none() => {
                let bytes = raw::read(&mut self.reader, scalar)?;
                self.has_room(bytes.len())?;
                self.out.extend_from_slice(bytes);
                Ok(())
            }
            Node::Struct(table) => {
                self.enter()?;
                let start = self.reader.offset();
                for (index, field) in (0..).zip(&table.fields) {
                    match next {
                        Some((wanted, rest)) if *wanted == index => self.choose(field.node, rest, shown)?,
                        _ => self.discard(field.node)?,
                    }
                }
                self.leave(start)
            }
            // The program's compiler lets a path lead only through those above.
            _ => self.value(node),
        }
    }

    fn absent(&mut self, shown: Shown) -> Step {
        if shown == Shown::AsJson { self.null() } else { Ok(()) }
    }

    fn discard(&mut self, node: NodeId) -> Step {
        let length = self.out.len();
        let discard = std::mem::replace(&mut self.style.discard, true);
        let result = self.value(node);
        self.style.discard = discard;
        self.out.truncate(length);
        result
    }
}
