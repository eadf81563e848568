//! Field names nested with dots (`filter.name`), as routes and query parameters use them.

use crate::layout::{Layout, Node, NodeId, Struct, Suggestions, shown};
use crate::scalar::Scalar;
use crate::violation::{Refusal, ViolationKind};
use callgate_protocol::limits::MAX_DEPTH;

/// Where a name leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resolved {
    /// The index of the field in each struct, from the outside in.
    pub(crate) steps: Vec<u32>,
    /// The field's type.
    pub(crate) node: NodeId,
}

/// Why a name leads nowhere. Words are made only when somebody asks: unknown names may be ignored.
#[derive(Debug)]
pub(crate) enum Nowhere<'a> {
    /// The struct has no such field.
    NoField(&'a Struct, &'a str),
    /// It goes on where there is no struct.
    NoStruct(&'a str),
    /// More than 128 names.
    TooDeep,
}

impl Nowhere<'_> {
    /// Its kind, and the words for people.
    #[cold]
    pub(crate) fn refusal(&self, suggestions: &mut Suggestions) -> Refusal {
        match self {
            Nowhere::NoField(table, name) => table.refusal(name, suggestions),
            Nowhere::NoStruct(name) => {
                Refusal::new(ViolationKind::UnknownField, format!("`{}` is not in a struct", shown(name)))
            }
            Nowhere::TooDeep => {
                Refusal::new(ViolationKind::TooDeep, format!("nested deeper than {MAX_DEPTH}"))
            }
        }
    }
}

/// Finds the field that `name` names, or says why there is none.
pub(crate) fn resolve_or_tell(layout: &Layout, root: NodeId, name: &str) -> Result<Resolved, String> {
    resolve(layout, root, name).map_err(|nowhere| nowhere.refusal(&mut Suggestions::new()).detail)
}

/// Finds the field that `name` names, in `root` or in structs (also those that may be missing) inside of it.
pub(crate) fn resolve<'a>(layout: &'a Layout, root: NodeId, name: &'a str) -> Result<Resolved, Nowhere<'a>> {
    let (mut steps, mut node, mut rest) = (Vec::new(), root, Some(name));
    while let Some(name) = rest {
        let table = structure(layout, node).ok_or(Nowhere::NoStruct(name))?;
        let Some((index, inner)) = split(name, |head| table.find(head)) else {
            let head = name.split_once('.').map_or(name, |(head, _)| head);
            return Err(Nowhere::NoField(table, head));
        };
        if steps.len() >= MAX_DEPTH {
            return Err(Nowhere::TooDeep);
        }
        table.put_steps(index, &mut steps);
        node = layout.member(table, index).0.node;
        rest = inner;
    }
    Ok(Resolved { steps, node })
}

/// The first field of a dotted name, and what follows its dot. A field's own name may have dots too.
fn split(name: &str, find: impl Fn(&str) -> Option<usize>) -> Option<(usize, Option<&str>)> {
    if let Some(index) = find(name) {
        return Some((index, None));
    }
    name.match_indices('.').find_map(|(dot, _)| Some((find(name.get(..dot)?)?, name.get(dot + 1..))))
}

fn structure(layout: &Layout, node: NodeId) -> Option<&Struct> {
    match layout.bare(node) {
        Node::Struct(table) => Some(table),
        _ => None,
    }
}

/// Whether a value can be said by one text, outside of JSON.
pub(crate) fn is_text(layout: &Layout, node: NodeId) -> bool {
    match layout.bare(node) {
        Node::Scalar(_) | Node::Json => true,
        Node::Enum(table) => table.has_unit,
        _ => false,
    }
}

/// Whether bytes as they are can be the value of any kind: it is bytes or a text.
pub(crate) fn is_content(layout: &Layout, node: NodeId) -> bool {
    matches!(layout.bare(node), Node::Scalar(Scalar::Bytes | Scalar::String))
}

/// Whether an empty text is a value, or an item of a list.
pub(crate) fn can_be_empty(layout: &Layout, node: NodeId) -> bool {
    match layout.bare(node) {
        Node::List(item) | Node::Set(item) => is_content(layout, *item),
        _ => is_content(layout, node),
    }
}

/// Whether a value is a list whose items can each be said by one text.
pub(crate) fn is_text_list(layout: &Layout, node: NodeId) -> bool {
    match layout.bare(node) {
        Node::List(item) | Node::Set(item) => is_text(layout, *item),
        _ => false,
    }
}
