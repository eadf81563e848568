//! The items that a caller streams beside the request: each is a JSON text, or bytes as they are.

use super::encode::Encoder;
use super::params::Params;
use super::{RequestInput, RequestProgram};
use crate::binding::Body;
use crate::json;
use crate::layout::{Layout, Node};
use crate::scalar::Scalar;
use crate::violation::{At, BindError, Pending, Refusal, Violation, ViolationKind, located};
use callgate_protocol::wire::{put_bytes, put_varint};

/// Whether bytes can be the items as they are, wherever they are cut.
///
/// # Errors
/// The method's caller streams nothing, or something else.
pub(super) fn check_raw(layout: &Layout) -> Result<(), BindError> {
    match layout.request_items.map(|items| layout.node(items)) {
        Some(Node::Scalar(Scalar::Bytes | Scalar::String)) => Ok(()),
        Some(_) => Err(BindError(
            "the method's caller streams items that are no bytes and no texts: leave `raw` out of `body`, so that they come as \
             JSON"
                .to_owned(),
        )),
        None => Err(BindError(
            "the method's caller streams nothing: write raw = \"content\" with the field that takes the body, and leave \
             `stream` out"
                .to_owned(),
        )),
    }
}

impl Layout {
    /// Whether a caller's items can be the bytes of a body as they are.
    pub fn has_raw_items(&self) -> bool {
        check_raw(self).is_ok()
    }
}

impl RequestProgram {
    /// Appends the bincode of one item that the caller streams beside the request: of a JSON text, or of these bytes where the body
    /// [is raw](Body::RawItems). What is written always passes [`callgate_protocol::check::value`]. On an error `out` may hold garbage
    /// behind its earlier length.
    ///
    /// # Errors
    /// As [`encode`](Self::encode); and where the method's caller streams nothing. Pointers, lines and columns are those of the item.
    pub fn encode_item(&self, item: &[u8], out: &mut Vec<u8>) -> Result<(), Vec<Violation>> {
        self.encode_item_leaving(item, out, usize::MAX).map(drop)
    }

    /// The same, but bytes of the body that are the item as they are, and are no fewer than that, are left out. Gives where in `out` they
    /// belong then.
    ///
    /// # Errors
    /// As [`encode_item`](Self::encode_item).
    pub fn encode_item_leaving(
        &self,
        item: &[u8],
        out: &mut Vec<u8>,
        at_least: usize,
    ) -> Result<Option<usize>, Vec<Violation>> {
        let Some(node) = self.layout.request_items else {
            return Err(refused(ViolationKind::UnexpectedBody, "the method takes no items".to_owned()));
        };
        if self.has_raw_items() {
            if let (true, Err(error)) = (self.has_texts(), std::str::from_utf8(item)) {
                let detail = format!("not UTF-8 behind byte {}", error.valid_up_to());
                return Err(refused(ViolationKind::NotUtf8, detail));
            }
            if item.len() >= at_least {
                put_varint(out, item.len() as u64);
                return Ok(Some(out.len()));
            }
            put_bytes(out, item);
            return Ok(None);
        }
        let body = json::utf8(item).map_err(|violation| vec![violation])?;
        let (nothing, params) =
            (RequestInput { path: &[], query: &[], bound: &[], body: b"", form: &[] }, Params::default());
        Encoder::new(self, &nothing, &params, &[], body, out).item(node).map(|()| None)
    }

    /// Whether items are the bytes of the body as they are.
    #[inline]
    pub fn has_raw_items(&self) -> bool {
        self.binding.body == Body::RawItems
    }

    /// How many of these bytes of a raw body an item can be made of: all, unless items are texts and the last character has not come
    /// whole.
    pub fn whole_characters(&self, bytes: &[u8]) -> usize {
        // A character has four bytes at most, of which the first says how many.
        let tail = bytes.len().saturating_sub(3)..bytes.len();
        let begun = bytes[tail].iter().rev().position(|byte| byte & 0xc0 != 0x80);
        let Some(from_end) = begun.filter(|_| self.has_texts()) else { return bytes.len() };
        let begin = bytes.len() - 1 - from_end;
        match std::str::from_utf8(&bytes[begin..]) {
            Err(error) if error.error_len().is_none() => begin,
            _ => bytes.len(),
        }
    }

    /// Whether the items are texts.
    fn has_texts(&self) -> bool {
        let items = self.layout.request_items.map(|items| self.layout.node(items));
        matches!(items, Some(Node::Scalar(Scalar::String)))
    }
}

#[cold]
fn refused(kind: ViolationKind, detail: String) -> Vec<Violation> {
    let refusal = Refusal::new(kind, detail);
    located("", vec![Pending { at: At::Value(0), refusal }])
}
