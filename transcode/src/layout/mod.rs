//! A schema compiled to a flat arena of nodes: what both directions walk.
//!
//! A node's index stands for a type, so that recursion is an index and not a pointer. The first nodes are the schema's
//! definitions, in their order. Names are rendered ahead: a struct's member is written by copying, and read by
//! comparing, what stands before its value ([`Lead`]).

mod build;
mod flat;
mod lead;
mod names;
mod patterns;
mod result_field;
mod rules;
#[cfg(test)]
mod scaling_tests;
mod suggest;

pub(crate) use flat::{Flat, Rest};
pub(crate) use lead::Lead;
pub(crate) use names::Names;
pub(crate) use patterns::Patterns;
pub use result_field::ResultField;
pub(crate) use rules::{Content, Rules};
pub(crate) use suggest::{Suggestions, list};

use crate::json::put_json_string;
use crate::scalar::Scalar;
use crate::violation::{Refusal, ViolationKind};
use callgate_protocol::Code;
use regex::Regex;

/// The index of a node.
pub(crate) type NodeId = u32;

/// A method's schema, compiled: all types that its messages can contain. Of one layout come the programs of all routes that
/// call the method.
#[derive(Debug)]
pub struct Layout {
    nodes: Vec<Node>,
    /// What a request is.
    pub(crate) request: NodeId,
    /// What each item is that a caller streams beside its request, if it streams.
    pub(crate) request_items: Option<NodeId>,
    /// What a result is, or each item of one that is streamed.
    pub(crate) response: NodeId,
    /// What an error of the method's own is.
    pub(crate) errors: Option<Errors>,
    /// The patterns of all fields.
    pub(crate) patterns: Vec<Regex>,
}

/// The errors that a method may fail with.
#[derive(Debug)]
pub(crate) struct Errors {
    /// The enum's name in the schema.
    pub(crate) name: Box<str>,
    /// The enum.
    pub(crate) node: NodeId,
    /// By variant.
    pub(crate) codes: Box<[Code]>,
}

impl Layout {
    /// The node of an index that this layout gave out.
    #[inline]
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    /// The names of the errors that the method declares, as JSON has them.
    pub fn error_names(&self) -> impl Iterator<Item = &str> {
        let variants = self.errors.as_ref().and_then(|errors| match self.node(errors.node) {
            Node::Enum(table) => Some(&table.variants),
            _ => None,
        });
        variants.into_iter().flat_map(|variants| variants.iter().map(|variant| &*variant.name))
    }

    /// The node of the value itself: without option, presence and rules around it.
    pub(crate) fn bare(&self, id: NodeId) -> &Node {
        self.node(self.bare_id(id))
    }

    /// The index of that node.
    pub(crate) fn bare_id(&self, id: NodeId) -> NodeId {
        match self.node(id) {
            Node::Option(inner) | Node::Presence(inner) | Node::Guarded(inner, _) => self.bare_id(*inner),
            _ => id,
        }
    }
}

/// One type.
// With a tag of its own, which is looked at as it is; in a gap of a struct's flag it would be computed for each value.
#[derive(Debug)]
#[repr(u8)]
pub(crate) enum Node {
    /// No bytes; `null`.
    Unit,
    /// What one number, boolean or string says.
    Scalar(Scalar),
    /// Any JSON.
    Json,
    /// `null` or a value.
    Option(NodeId),
    /// A field's: nothing, `null` or a value.
    Presence(NodeId),
    /// A field's value of which more is asked than its type.
    Guarded(NodeId, Box<Rules>),
    /// An array of any length.
    List(NodeId),
    /// The same, without an item twice.
    Set(NodeId),
    /// An array of one length.
    Array(NodeId, u32),
    /// An array with a type for each place.
    Tuple(Box<[NodeId]>),
    /// An object whose keys are values.
    Map(NodeId, NodeId),
    /// An object with known members.
    Struct(Struct),
    /// A string or an object with one member.
    Enum(Enum),
}

/// The fields of a struct, or of a struct variant.
#[derive(Debug)]
pub(crate) struct Struct {
    /// In wire order.
    pub(crate) fields: Box<[Field]>,
    /// From name or alias to index; a flattened field has none.
    pub(crate) names: Names,
    /// How many bytes of JSON stand before the values of all fields.
    pub(crate) leads: u32,
    /// Whether there are fields that are left out where they are absent, or flattened ones.
    pub(crate) sparse: bool,
    /// The members of its object, where some of its fields are flattened.
    pub(crate) flat: Option<Box<Flat>>,
}

/// One field.
#[derive(Debug)]
pub(crate) struct Field {
    /// Its name.
    pub(crate) name: Box<str>,
    /// What stands before its value.
    pub(crate) lead: Lead,
    /// Its type.
    pub(crate) node: NodeId,
    /// What stands for it when it is missing.
    pub(crate) absent: Absent,
    /// Whether its members stand beside the other fields. It is a struct, an option of one, or a map.
    pub(crate) flat: bool,
}

/// What stands for a missing field.
#[derive(Debug)]
pub(crate) enum Absent {
    /// Nothing: that is an error.
    Refused,
    /// A byte 0: `None`, or absent.
    None,
    /// The schema's default.
    Default(Fixed),
}

/// An encoded value, with what it adds to the message's bounds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fixed {
    /// The value.
    pub(crate) bytes: Box<[u8]>,
    /// How deep its containers nest.
    pub(crate) depth: usize,
    /// How many zero-sized values it has.
    pub(crate) zero_sized: usize,
}

/// The variants of an enum.
#[derive(Debug)]
pub(crate) struct Enum {
    /// The index is the number on the wire.
    pub(crate) variants: Box<[Variant]>,
    /// From name or alias to index.
    pub(crate) names: Names,
    /// Whether any value of it can be written as a string.
    pub(crate) has_unit: bool,
    /// How its values are objects with a tag. `None` for serde's external form.
    pub(crate) tagged: Option<Box<Tagged>>,
}

/// The members of an object that says which variant it is.
#[derive(Debug)]
pub(crate) struct Tagged {
    /// The member that names the variant.
    pub(crate) tag: Box<str>,
    /// The member that holds its content. `None` if the content's members stand beside the tag.
    pub(crate) content: Option<Box<str>>,
}

impl Tagged {
    /// What stands before a variant's content, or before its members.
    fn opening(&self, quoted: &[u8], has_content: bool) -> Vec<u8> {
        let mut opening = vec![b'{'];
        put_json_string(&mut opening, &self.tag);
        opening.push(b':');
        opening.extend_from_slice(quoted);
        if let Some(content) = self.content.as_ref().filter(|_| has_content) {
            opening.push(b',');
            put_json_string(&mut opening, content);
            opening.push(b':');
        }
        opening
    }
}

/// One variant.
#[derive(Debug)]
pub(crate) struct Variant {
    /// Its name.
    pub(crate) name: Box<str>,
    /// The name as a JSON string.
    pub(crate) quoted: Box<[u8]>,
    /// With a tag, what stands before the content, or before its members: `{"type":"card"` or `{"type":"card","of":`.
    pub(crate) opening: Box<[u8]>,
    /// Its content; `None` for a unit. A tuple variant's is a tuple, a struct variant's a struct.
    pub(crate) content: Option<NodeId>,
}

impl Enum {
    /// Why `name` is refused: no variant, or one that a string does not say.
    #[cold]
    pub(crate) fn refusal(&self, name: &str, suggestions: &mut Suggestions) -> Refusal {
        let kind = ViolationKind::UnknownVariant;
        if self.names.find(name).is_some() {
            return Refusal::new(
                kind,
                format!("the variant `{}` has content: write {{\"{0}\": …}}", shown(name)),
            );
        }
        let variants = self.variants.iter().map(|variant| &*variant.name);
        let alternatives = suggestions.alternatives(name, &self.names, "variants", variants);
        Refusal::new(kind, format!("unknown variant `{}`{alternatives}", shown(name)))
    }
}

impl Struct {
    /// Why `name` is refused: it names no field.
    #[cold]
    pub(crate) fn refusal(&self, name: &str, suggestions: &mut Suggestions) -> Refusal {
        let alternatives = match &self.flat {
            None => {
                let fields = self.fields.iter().map(|field| &*field.name);
                suggestions.alternatives(name, &self.names, "fields", fields)
            }
            Some(flat) => {
                let fields = flat.members.iter().map(|member| &*member.name);
                suggestions.alternatives(name, &flat.names, "fields", fields)
            }
        };
        Refusal::new(ViolationKind::UnknownField, format!("unknown field `{}`{alternatives}", shown(name)))
    }
}

/// `text`, shortened where it is too long for a message.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}
