//! Field names nested with dots (`filter.name`), as routes and query parameters use them.

use crate::layout::{Layout, Node, NodeId, shown};
use callgate_protocol::limits::MAX_DEPTH;

/// Where a name leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resolved {
    /// The index of the field in each struct, from the outside in.
    pub(crate) steps: Vec<u32>,
    /// The field's type.
    pub(crate) node: NodeId,
}

/// Finds the field that `name` names, in `root` or in structs (or optional structs) inside of it.
///
/// # Errors
/// It names no field; the text says what there is instead.
pub(crate) fn resolve(layout: &Layout, root: NodeId, name: &str) -> Result<Resolved, String> {
    let (mut steps, mut node, mut rest) = (Vec::new(), root, Some(name));
    while let Some(name) = rest {
        let Some(table) = structure(layout, node) else {
            return Err(format!("`{}` is not in a struct", shown(name)));
        };
        let Some((index, inner)) = split(name, |head| table.names.find(head)) else {
            let head = name.split_once('.').map_or(name, |(head, _)| head);
            return Err(table.refusal(head));
        };
        if steps.len() == MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH}"));
        }
        steps.push(index as u32);
        node = table.fields[index].node;
        rest = inner;
    }
    Ok(Resolved { steps, node })
}

/// The first field of a dotted name, and what follows its dot. A field's own name may have dots too.
fn split(name: &str, find: impl Fn(&str) -> Option<usize>) -> Option<(usize, Option<&str>)> {
    if let Some(index) = find(name) {
        return Some((index, None));
    }
    name.match_indices('.')
        .find_map(|(dot, _)| Some((find(name.get(..dot)?)?, name.get(dot + 1..))))
}

fn structure(layout: &Layout, node: NodeId) -> Option<&crate::layout::Struct> {
    match layout.node(node) {
        Node::Struct(table) => Some(table),
        Node::Option(inner) => structure(layout, *inner),
        _ => None,
    }
}

/// Whether a value can be said by one text, outside of JSON.
pub(crate) fn is_text(layout: &Layout, node: NodeId) -> bool {
    match layout.node(node) {
        Node::Scalar(_) | Node::Json => true,
        Node::Enum(table) => table.has_unit(),
        Node::Option(inner) => is_text(layout, *inner),
        _ => false,
    }
}

/// Whether a value is a list whose items can each be said by one text.
pub(crate) fn is_text_list(layout: &Layout, node: NodeId) -> bool {
    match layout.node(node) {
        Node::List(item) => is_text(layout, *item),
        Node::Option(inner) => is_text_list(layout, *inner),
        _ => false,
    }
}
