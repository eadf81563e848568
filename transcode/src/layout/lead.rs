//! What stands before a member's value, rendered ahead: `{"name":` for the first field and `,"name":` for the others.
//!
//! A name is short, and a call that copies or compares a few bytes costs more than doing so with sixteen at once: all of
//! them are written and then cut to length, or compared under a mask.

use crate::json::put_json_string;

const WIDTH: usize = 16;

#[derive(Debug)]
pub(crate) struct Lead {
    text: Box<[u8]>,
    /// The first bytes of it, with zeros behind it if it is shorter.
    start: [u8; WIDTH],
}

impl Lead {
    pub(super) fn new(opening: u8, name: &str) -> Lead {
        let mut text = vec![opening];
        put_json_string(&mut text, name);
        text.push(b':');
        let mut start = [0; WIDTH];
        start.iter_mut().zip(&text).for_each(|(to, from)| *to = *from);
        Lead { text: text.into_boxed_slice(), start }
    }

    /// Appends it.
    #[inline]
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        if self.text.len() > WIDTH {
            return out.extend_from_slice(&self.text);
        }
        let end = out.len() + self.text.len();
        out.extend_from_slice(&self.start);
        out.truncate(end);
    }

    /// `"name":`
    #[inline]
    pub(crate) fn key(&self) -> &[u8] {
        self.text.get(1..).unwrap_or_default()
    }
}
