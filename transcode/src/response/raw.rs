//! A field that is the body as it is: bytes, or a text, without JSON around them.

use super::DecodeReason;
use crate::layout::{Layout, Node, NodeId};
use crate::path;
use crate::scalar::Scalar;
use crate::violation::BindError;
use callgate_protocol::wire::Reader;

/// The way to the field, from the outside in; none to the result itself, if no field is named.
///
/// # Errors
/// There is no such field, or it is neither bytes nor a text.
pub(super) fn resolve(layout: &Layout, root: NodeId, name: Option<&str>) -> Result<Vec<u32>, BindError> {
    let told = |why: String| {
        BindError(match name {
            Some(name) => format!("the response's raw field `{name}`: {why}"),
            None => format!("the response is the raw result: {why}"),
        })
    };
    let (steps, node) = match name {
        Some(name) => {
            let found = path::resolve_or_tell(layout, root, name).map_err(told)?;
            (found.steps, found.node)
        }
        None => (Vec::new(), root),
    };
    match layout.bare(node) {
        Node::Scalar(Scalar::Bytes | Scalar::String) => Ok(steps),
        _ => Err(told("only bytes and strings can be a body as they are".to_owned())),
    }
}

/// Reads such a field where it is there.
pub(super) fn read<'a>(reader: &mut Reader<'a>, node: &Node) -> Result<&'a [u8], DecodeReason> {
    match node {
        Node::Scalar(Scalar::String) => Ok(reader.str()?.as_bytes()),
        _ => Ok(reader.bytes()?),
    }
}
