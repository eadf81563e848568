//! The decoders, each as a reader that stops where its portion of the input ends and goes on with the next one.

use brotli::enc::StandardAlloc;
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState};
use std::cell::Cell;
use std::io::{self, BufRead, ErrorKind, Read};
use zstd::zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer};

/// The largest window of zstd, as a power of two: 8 MiB, which a decoder must have (RFC 9659).
pub(super) const WINDOW_LOG: u32 = 23;

/// What is coded, of which so many bytes may be read for now.
pub(super) struct Portion<'a> {
    pub(super) rest: &'a [u8],
    pub(super) allowance: &'a Cell<usize>,
}

impl BufRead for Portion<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match (self.rest, self.allowance.get()) {
            ([], _) => Ok(&[]),
            (_, 0) => Err(ErrorKind::WouldBlock.into()),
            (rest, allowance) => Ok(&rest[..rest.len().min(allowance)]),
        }
    }

    fn consume(&mut self, read: usize) {
        self.rest = self.rest.get(read..).unwrap_or_default();
        self.allowance.set(self.allowance.get().saturating_sub(read));
    }
}

impl Read for Portion<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut portion = self.fill_buf()?;
        let read = portion.read(out)?;
        self.consume(read);
        Ok(read)
    }
}

/// A stream of brotli (RFC 7932), without the large windows that are no part of it.
pub(super) struct Brotli<'a> {
    input: Portion<'a>,
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    has_ended: bool,
}

impl<'a> Brotli<'a> {
    pub(super) fn new(input: Portion<'a>) -> Brotli<'a> {
        let alloc = StandardAlloc::default;
        Brotli { input, state: BrotliState::new_strict(alloc(), alloc(), alloc()), has_ended: false }
    }
}

impl Read for Brotli<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.has_ended {
            let portion = self.input.fill_buf()?;
            let (mut left, mut read) = (portion.len(), 0);
            let (mut room, mut written) = (out.len(), 0);
            let result = BrotliDecompressStream(
                &mut left,
                &mut read,
                portion,
                &mut room,
                &mut written,
                out,
                &mut 0,
                &mut self.state,
            );
            let is_last = portion.is_empty();
            self.input.consume(read);
            match result {
                BrotliResult::ResultSuccess => self.has_ended = true,
                BrotliResult::ResultFailure => return Err(ErrorKind::InvalidData.into()),
                BrotliResult::NeedsMoreInput if is_last && written == 0 => {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
            }
            if written > 0 {
                return Ok(written);
            }
        }
        // Nothing may follow.
        if self.input.rest.is_empty() { Ok(0) } else { Err(ErrorKind::InvalidData.into()) }
    }
}

/// Frames of zstd (RFC 8878), one after the other.
pub(super) struct Zstd<'a> {
    input: Portion<'a>,
    context: DCtx<'static>,
    /// A frame has begun and not ended.
    is_inside: bool,
}

impl<'a> Zstd<'a> {
    pub(super) fn new(input: Portion<'a>) -> Zstd<'a> {
        Zstd { input, context: DCtx::create(), is_inside: false }
    }

    /// Looks at the beginning of a frame: the library would read formats as well that were before there was a standard.
    fn begin(&mut self) -> io::Result<()> {
        match self.input.rest {
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {}
            _ => return Err(ErrorKind::InvalidData.into()),
        }
        let bounded = self.context.set_parameter(DParameter::WindowLogMax(WINDOW_LOG));
        bounded.map_err(|_| ErrorKind::InvalidInput)?;
        self.is_inside = true;
        Ok(())
    }
}

impl Read for Zstd<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.is_inside {
                if self.input.rest.is_empty() {
                    return Ok(0);
                }
                self.begin()?;
            }
            let portion = self.input.fill_buf()?;
            let is_last = portion.is_empty();
            let (mut from, mut to) = (InBuffer::around(portion), OutBuffer::around(&mut *out));
            let wanted =
                self.context.decompress_stream(&mut to, &mut from).map_err(|_| ErrorKind::InvalidData)?;
            let (read, written) = (from.pos(), to.pos());
            self.input.consume(read);
            self.is_inside = wanted != 0;
            if written > 0 {
                return Ok(written);
            }
            if self.is_inside && (is_last || read == 0) {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }
}
