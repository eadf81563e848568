//! What a field of a method's result is in JSON, for whoever reads results by names that are not the operator's to choose.

use super::{Layout, Node, NodeId};
use crate::scalar::Scalar;

/// What a field of a result is in JSON, as far as its type says it. One that may be absent is what it is when it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultField {
    /// A text.
    Text,
    /// A whole number.
    Whole,
    /// A list of texts.
    Texts,
    /// An object.
    Object,
    /// Whatever the method likes.
    Any,
    /// Something else.
    Other,
}

impl Layout {
    /// What the result's field of that name is; `None` if it has none.
    pub fn result_field(&self, name: &str) -> Option<ResultField> {
        let Node::Struct(table) = self.bare(self.response) else { return None };
        let (field, _) = self.member(table, table.find(name)?);
        Some(self.json_of(field.node))
    }

    fn json_of(&self, node: NodeId) -> ResultField {
        match self.bare(node) {
            Node::Scalar(Scalar::Int(_)) => ResultField::Whole,
            Node::Scalar(Scalar::Bool | Scalar::F32 | Scalar::F64) => ResultField::Other,
            Node::Scalar(_) => ResultField::Text,
            Node::Enum(table) if table.variants.iter().all(|variant| variant.content.is_none()) => {
                ResultField::Text
            }
            Node::Json => ResultField::Any,
            Node::Struct(_) | Node::Map(..) => ResultField::Object,
            Node::List(item) | Node::Set(item) | Node::Array(item, _) => match self.bare(*item) {
                // A list in a list is none of texts, however deep.
                Node::List(_) | Node::Set(_) | Node::Array(..) => ResultField::Other,
                _ if self.json_of(*item) == ResultField::Text => ResultField::Texts,
                Node::Json => ResultField::Any,
                _ => ResultField::Other,
            },
            _ => ResultField::Other,
        }
    }
}
