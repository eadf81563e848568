//! Bodies that are compressed (`Content-Encoding`, RFC 9110, 8.4): what they come to is what everybody behind sees of them.
//!
//! What comes out has the bounds of any body, and no length that is claimed is believed: a few bytes that become many are refused as soon
//! as they are more than a body may have. Long ones are decoded in steps, between which others work. A step ends after so many bytes, be
//! they written or read, because a stream may have many bytes that stand for none.

mod decoders;

use super::content::{Bounds, Content};
use crate::buffers::Buffers;
use crate::coding::Coding;
use crate::failure::Failure;
use crate::fields::{self, CONTENT_ENCODING, Lines};
use callgate_http1::Fields;
use callgate_protocol::Budget;
use decoders::{Brotli, Portion, WINDOW_LOG, Zstd};
use flate2::bufread::MultiGzDecoder;
use std::cell::Cell;
use std::future::Future;
use std::io::{self, ErrorKind, Read};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use tokio::task::yield_now;

/// What is written or read in a step, in bytes.
const STEP: usize = 64 * 1024;

/// The codings that are read, as `Accept-Encoding` lists them; and where none are.
const CODINGS: &str = "gzip, br, zstd";
const NONE: &str = "identity";

/// How a request's body is coded: by one coding at most, if any `may` be read.
#[inline]
pub(super) fn of(fields: Fields<'_>, may: bool) -> Result<Option<Coding>, Failure> {
    match fields::lines(fields, &CONTENT_ENCODING) {
        Lines::None => Ok(None),
        _ => named(fields, may),
    }
}

#[inline(never)]
fn named(fields: Fields<'_>, may: bool) -> Result<Option<Coding>, Failure> {
    let mut found = None;
    for name in fields::members(fields, &CONTENT_ENCODING) {
        let coding = match name.to_ascii_lowercase().as_slice() {
            b"identity" => continue,
            b"gzip" | b"x-gzip" => Some(Coding::Gzip),
            b"br" => Some(Coding::Brotli),
            b"zstd" => Some(Coding::Zstd),
            _ => None,
        };
        if coding.is_none() || !may || found.is_some() {
            return Err(Failure::UnsupportedEncoding(if may { CODINGS } else { NONE }));
        }
        found = coding;
    }
    Ok(found)
}

/// What a decoder may need of its own, in bytes: mostly the window.
fn window(coding: Coding) -> usize {
    match coding {
        Coding::Gzip => 64 << 10,
        Coding::Brotli => 16 << 20,
        Coding::Zstd => 1 << WINDOW_LOG,
    }
}

/// What bytes in a coding come to, and whether others have worked meanwhile.
pub(super) async fn decode(
    coding: Coding,
    encoded: &[u8],
    bounds: &Bounds<'_>,
) -> Result<(Content, bool), Failure> {
    let allowance = Cell::new(0);
    let malformed = |_| Failure::MalformedEncoding(coding.name());
    let input = Portion { rest: encoded, allowance: &allowance };
    let mut decoder: Box<dyn Read> = match coding {
        // It reads one member after the other, and refuses what is none.
        Coding::Gzip => Box::new(MultiGzDecoder::new(input)),
        Coding::Brotli => Box::new(Brotli::new(input)),
        Coding::Zstd => Box::new(Zstd::new(input)),
    };
    let (mut content, mut stepped) = (Content::default(), false);
    *content.buffer() = bounds.buffers.take();
    loop {
        allowance.set(STEP);
        let out = content.buffer();
        let ended = step(&mut decoder, out, bounds.most).map_err(malformed)?;
        let length = out.len();
        if length > bounds.most {
            return Err(Failure::BodyTooLarge(bounds.most as u64));
        }
        if ended {
            content.hold(length, bounds)?;
            return Ok((content, stepped));
        }
        // Only one is decoded at a time until here; from here on there may be many.
        content.hold(length + window(coding), bounds)?;
        stepped = true;
        yield_now().await;
    }
}

/// What bytes in a coding come to within `most` bytes, without a runtime: for whoever tries what decoders take.
///
/// # Errors
/// They are nothing in that coding, or come to more.
pub fn decoded(coding: Coding, encoded: &[u8], most: usize) -> Result<Vec<u8>, Failure> {
    let (buffers, budget) = (Buffers::default(), Budget::new(most + window(coding)));
    let bounds = Bounds { most, free: 0, budget: &budget, buffers: &buffers };
    let mut decoding = pin!(decode(coding, encoded, &bounds));
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        // It waits for nothing but for others to have worked.
        if let Poll::Ready(decoded) = decoding.as_mut().poll(&mut cx) {
            return decoded.map(|(content, _)| content.bytes(b"").to_vec());
        }
    }
}

/// Reads on, until so much is read or written, or there is one byte more than `most`. Says whether that was all.
fn step(decoder: &mut dyn Read, out: &mut Vec<u8>, most: usize) -> io::Result<bool> {
    let mut at = out.len();
    out.resize(at + STEP.min(most + 1 - at), 0);
    let ended = loop {
        let room = &mut out[at..];
        if room.is_empty() {
            break false;
        }
        match decoder.read(room) {
            Ok(0) => break true,
            Ok(more) => at += more,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    };
    out.truncate(at);
    Ok(ended)
}

#[cfg(test)]
mod tests;
