//! Single fields of an encoded message: found by their names when a program is made, read where they lie when a message is there.
//!
//! Whoever decides by a request's fields reads them here, out of the very bytes that the instance reads. The fields that a reply's head
//! is made of are found by the same walk.

mod value;
mod walk;

use crate::layout::{Layout, Node, NodeId, Suggestions};
use callgate_protocol::wire::Reader;
use std::sync::Arc;
pub use value::{FieldType, FieldValue, Form};
pub(crate) use walk::{Walk, Wanted};

/// The most fields that are read of one message.
pub const MAX_FIELDS: usize = 64;

/// Stands for a field that is absent.
const ABSENT: u32 = u32::MAX;

/// Fields of a method's request.
#[derive(Debug)]
pub struct Fields {
    layout: Arc<Layout>,
    /// Sorted by their paths.
    wanted: Vec<Wanted>,
    /// By place.
    nodes: Vec<NodeId>,
}

/// Where the fields lie in one message.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    fields: &'a Fields,
    message: &'a [u8],
    offsets: [u32; MAX_FIELDS],
}

/// Why there is no such field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoField {
    /// Which of its names leads nowhere.
    pub name: usize,
    /// Why, for people.
    pub why: String,
}

impl Fields {
    /// None, of a method of that layout.
    pub fn new(layout: Arc<Layout>) -> Fields {
        Fields { layout, wanted: Vec::new(), nodes: Vec::new() }
    }

    /// Adds the field to which these names lead, from the outside in, and gives its place; the first one has 0.
    ///
    /// # Errors
    /// The request has no such field, or there are [`MAX_FIELDS`] already.
    pub fn add<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) -> Result<usize, NoField> {
        let (mut path, mut node) = (Vec::new(), self.layout.request);
        for (name, text) in names.into_iter().enumerate() {
            let told = |why: String| NoField { name, why };
            let Node::Struct(table) = self.layout.bare(node) else {
                return Err(told(format!("`{text}` is not in an object")));
            };
            let index =
                table.find(text).ok_or_else(|| told(table.refusal(text, &mut Suggestions::new()).detail))?;
            table.put_steps(index, &mut path);
            node = self.layout.member(table, index).0.node;
        }
        let at = self.nodes.len();
        if at == MAX_FIELDS || path.is_empty() {
            return Err(NoField { name: 0, why: format!("more than {MAX_FIELDS} fields are read") });
        }
        self.nodes.push(self.layout.bare_id(node));
        self.wanted.push(Wanted { at, path, node });
        self.wanted.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(at)
    }

    /// The type of the field at that place; one that may be absent has the type that it has when it is there.
    pub fn type_of(&self, at: usize) -> FieldType {
        self.nodes.get(at).map_or(FieldType::Other("no field"), |node| FieldType::of(&self.layout, *node))
    }

    /// Finds them in a message, which was encoded by a program of the layout. One walk, up to the last of them.
    #[inline]
    pub fn find<'a>(&'a self, message: &'a [u8]) -> Found<'a> {
        let mut offsets = [ABSENT; MAX_FIELDS];
        if !self.wanted.is_empty() {
            let mut note = |wanted: &Wanted, offset: usize| {
                if let Some(place) = offsets.get_mut(wanted.at) {
                    *place = u32::try_from(offset).unwrap_or(ABSENT);
                }
            };
            // A message that is none has no fields.
            let _ =
                Walk::new(&self.layout, message).find(self.layout.request, &self.wanted, 0, true, &mut note);
        }
        Found { fields: self, message, offsets }
    }
}

impl<'a> Found<'a> {
    /// Whether the field at that place is there, and not null.
    pub fn is_there(&self, at: usize) -> bool {
        self.reader(at).is_some()
    }

    /// Its value. `None` if it is not there, or is none that can be compared: a variant with content, or a list.
    #[inline]
    pub fn value(&self, at: usize) -> Option<FieldValue<'a>> {
        let mut reader = self.reader(at)?;
        value::read(&self.fields.layout, self.node(at)?, &mut reader).ok().flatten()
    }

    /// The values of the list at that place, each as [`value`](Self::value) gives it. `None` if it is not there, or is no list.
    pub fn values(&self, at: usize) -> Option<impl Iterator<Item = Option<FieldValue<'a>>> + use<'a>> {
        let mut reader = self.reader(at)?;
        let layout = &*self.fields.layout;
        let (item, count) = match self.node(at)? {
            Node::List(item) | Node::Set(item) => (*item, reader.length().ok()?),
            Node::Array(item, count) => (*item, u64::from(*count)),
            _ => return None,
        };
        let mut walk = Walk::at(layout, reader);
        let mut is_whole = true;
        Some((0..count).map_while(move |_| {
            // What cannot be read is no value, and nothing behind it is looked for.
            let value = is_whole.then(|| walk.item(item))?;
            is_whole = value.is_ok();
            Some(value.ok().flatten())
        }))
    }

    fn node(&self, at: usize) -> Option<&'a Node> {
        self.fields.nodes.get(at).map(|node| self.fields.layout.node(*node))
    }

    #[inline]
    fn reader(&self, at: usize) -> Option<Reader<'a>> {
        let offset = *self.offsets.get(at).filter(|offset| **offset != ABSENT)?;
        Some(Reader::new(self.message.get(offset as usize..)?))
    }
}
