//! What stands in a form before the file that is a stream: its fields, which its call needs before it begins.
//!
//! They are read as a whole, within the bounds of a body that is one. So a form has its fields before its file: browsers send them in the
//! order of the page, curl in that of its options.

use super::content::{Bounds, Content};
use super::pieces::Left;
use super::source::Source;
use crate::failure::Failure;
use bytes::Bytes;
use callgate_http1::{Boundary, FileSearch, Request};
use std::future::poll_fn;
use std::time::Duration;
use tokio::time::timeout;

/// How the beginning of a form is read.
pub(super) struct FormBegin<'f> {
    pub(super) boundary: &'f Boundary,
    /// The name of the file's part.
    pub(super) file: &'f str,
    /// A client may be silent for so long.
    pub(super) body_timeout: Duration,
}

impl FormBegin<'_> {
    /// Reads it into `content`, where it is a form of its own whose last part is the file, without its content. Gives what has come of that.
    pub(super) async fn read(
        &self,
        source: &mut Source,
        head: &Request,
        content: &mut Content,
        bounds: &Bounds<'_>,
        left: &mut Left,
    ) -> Result<Bytes, Failure> {
        let malformed = |error: callgate_http1::MultipartError| Failure::MalformedForm(error.detail());
        let mut search = FileSearch::new(self.boundary, self.file);
        // What comes with the last piece may be more than the beginning.
        let any = Bounds { most: usize::MAX, ..*bounds };
        content.gather(&[], bounds.buffers);
        loop {
            let piece = timeout(self.body_timeout, poll_fn(|cx| source.poll_piece(cx, head)));
            let Some(piece) = piece.await.unwrap_or(Err(Failure::BodyTimeout))? else {
                return Err(Failure::MalformedForm("it ends without the file that is expected"));
            };
            left.take(piece.len())?;
            let before = content.buffer().len();
            content.put(&piece, 0..piece.len(), &any)?;
            let begins = search.find(content.buffer()).map_err(malformed)?;
            if begins.unwrap_or(content.buffer().len()) > bounds.most {
                return Err(Failure::BodyTooLarge(bounds.most as u64));
            }
            if let Some(begins) = begins {
                content.buffer().truncate(begins);
                content.buffer().extend_from_slice(&self.boundary.end());
                content.is_whole();
                return Ok(piece.slice(begins.saturating_sub(before).min(piece.len())..));
            }
        }
    }
}
