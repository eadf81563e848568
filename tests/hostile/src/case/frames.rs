//! Frames as the case files write them.

use crate::bytes;
use crate::frame::{Code, Frame, PREFACE, SETTINGS, flag, kind};
use crate::hpack;
use std::str::FromStr;

/// Fields that many cases send, by a word.
const REQUESTS: &[(&str, &[(&str, &str)])] = &[
    ("GET", &[(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/up")]),
    ("HANG", &[(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/hang/3600000")]),
    ("BIG", &[(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/big")]),
    (
        "POST",
        &[
            (":method", "POST"),
            (":scheme", "http"),
            (":authority", "a"),
            (":path", "/echo"),
            ("content-type", "application/json"),
        ],
    ),
];

/// The bytes that a line stands for.
pub(super) fn bytes(line: &str) -> Result<Vec<u8>, String> {
    let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
    match name {
        "preface" => Ok(PREFACE.to_vec()),
        "raw" => bytes::parse(rest),
        "many" => many(rest),
        _ => frame(name, &rest.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>()),
    }
}

/// `N FRAME`: so many of them; `#` stands for 1, 3, 5, …
fn many(line: &str) -> Result<Vec<u8>, String> {
    let (count, frame) = line.split_once(' ').ok_or("`many` has a number and a frame")?;
    let count: u32 = number(count)?;
    let each = (0..count).map(|one| bytes(&frame.replace('#', &(2 * one + 1).to_string())));
    Ok(each.collect::<Result<Vec<_>, _>>()?.concat())
}

fn frame(name: &str, words: &[&str]) -> Result<Vec<u8>, String> {
    if name == "frame" {
        return any_frame(words);
    }
    let kind = kind::NAMES.iter().position(|known| *known == name);
    let kind = kind.ok_or_else(|| format!("`{name}` is no frame"))? as u8;
    let mut options = Options::default();
    let (stream, words) = match kind {
        kind::SETTINGS | kind::PING | kind::GOAWAY => (0, words),
        _ => {
            let (stream, rest) = words.split_first().ok_or("a frame has a stream")?;
            (number(stream)?, rest)
        }
    };
    let words = options.take(kind, words)?;
    let payload = match kind {
        kind::DATA => texts(words)?,
        kind::HEADERS | kind::CONTINUATION => block(words)?,
        kind::PUSH_PROMISE => {
            let (promised, fields) = words.split_first().ok_or("PUSH_PROMISE promises a stream")?;
            [number::<u32>(promised)?.to_be_bytes().to_vec(), block(fields)?].concat()
        }
        kind::SETTINGS => {
            let values = words.iter().map(|word| setting(word)).collect::<Result<Vec<_>, _>>()?;
            Frame::settings(&values).payload
        }
        kind::PRIORITY => priority(words.first().copied().unwrap_or_default())?,
        kind::RST_STREAM => code(words.first().copied().unwrap_or_default())?,
        kind::WINDOW_UPDATE => {
            number::<u32>(words.first().copied().unwrap_or_default())?.to_be_bytes().to_vec()
        }
        kind::GOAWAY => {
            let [last, named, debug @ ..] = words else {
                return Err("GOAWAY has a stream and a code".into());
            };
            [number::<u32>(last)?.to_be_bytes().to_vec(), code(named)?, texts(debug)?].concat()
        }
        _ => texts(words)?,
    };
    let payload = [options.before, payload, options.behind].concat();
    Ok(Frame { kind, flags: options.flags, stream, payload }.bytes())
}

/// `KIND FLAGS STREAM BYTES`, with a length that is claimed behind it: `length=N`.
fn any_frame(words: &[&str]) -> Result<Vec<u8>, String> {
    let [kind, flags, stream, payload @ ..] = words else {
        return Err("`frame` has a kind, flags and a stream".to_owned());
    };
    let named = kind::NAMES.iter().position(|known| known == kind);
    let kind = named.map_or_else(|| number(kind), |kind| Ok(kind as u8))?;
    let (claimed, payload) = match payload.split_last() {
        Some((last, rest)) if last.starts_with("length=") => (Some(number(&last["length=".len()..])?), rest),
        _ => (None, payload),
    };
    let frame = Frame { kind, flags: number(flags)?, stream: number(stream)?, payload: texts(payload)? };
    Ok(claimed.map_or_else(|| frame.bytes(), |length| frame.claiming(length)))
}

/// Words behind a frame's stream that are flags, and what they add to its payload.
#[derive(Default)]
struct Options {
    flags: u8,
    before: Vec<u8>,
    behind: Vec<u8>,
}

impl Options {
    /// Takes them off the words.
    fn take<'w>(&mut self, kind: u8, words: &'w [&'w str]) -> Result<&'w [&'w str], String> {
        let has_block = matches!(kind, kind::HEADERS | kind::CONTINUATION | kind::PUSH_PROMISE);
        self.flags = if has_block { flag::END_HEADERS } else { 0 };
        let mut words = words;
        while let Some((word, rest)) = words.split_first() {
            match word.split_once('=').unwrap_or((*word, "")) {
                ("ack", "") => self.flags |= flag::ACK,
                ("end", "") => self.flags |= flag::END_STREAM,
                ("more", "") if has_block => self.flags &= !flag::END_HEADERS,
                ("pad", length) => {
                    let length: u8 = number(length)?;
                    self.flags |= flag::PADDED;
                    self.before.insert(0, length);
                    self.behind = vec![0; length.into()];
                }
                ("priority", on) if has_block => {
                    self.flags |= flag::PRIORITY;
                    self.before.extend(priority(on)?);
                }
                _ => break,
            }
            words = rest;
        }
        Ok(words)
    }
}

/// Fields: a request's word, `NAME=VALUE`, `+NAME=VALUE` for one that goes into the table, `~BYTES` of a block.
fn block(words: &[&str]) -> Result<Vec<u8>, String> {
    let mut block = Vec::new();
    for word in words {
        if let Some((_, fields)) = REQUESTS.iter().find(|(known, _)| known == word) {
            block.extend(hpack::block(fields));
        } else if let Some(raw) = word.strip_prefix('~') {
            block.extend(bytes::parse(raw)?);
        } else {
            let field = word.strip_prefix('+').unwrap_or(word);
            let (name, value) = field.split_once('=').ok_or_else(|| format!("`{word}` is no field"))?;
            let add = if word.starts_with('+') { hpack::indexed_literal } else { hpack::literal };
            add(&mut block, &bytes::parse(name)?, &bytes::parse(value)?);
        }
    }
    Ok(block)
}

/// `NAME=VALUE`, or a number for a name that nobody knows.
fn setting(word: &str) -> Result<(u16, u32), String> {
    let (name, value) = word.split_once('=').ok_or_else(|| format!("`{word}` is no setting"))?;
    let known = SETTINGS.iter().position(|known| *known == name).map(|place| place as u16 + 1);
    Ok((known.map_or_else(|| number(name), Ok)?, number(value)?))
}

/// `DEPENDENCY,WEIGHT`: what a stream depends on, and the byte for its weight.
fn priority(text: &str) -> Result<Vec<u8>, String> {
    let (on, weight) = text.split_once(',').ok_or_else(|| format!("`{text}` is no priority"))?;
    Ok([number::<u32>(on)?.to_be_bytes().to_vec(), vec![number(weight)?]].concat())
}

fn code(word: &str) -> Result<Vec<u8>, String> {
    let code = Code::named(word).map_or_else(|| number(word), |code| Ok(code.0))?;
    Ok(code.to_be_bytes().to_vec())
}

fn texts(words: &[&str]) -> Result<Vec<u8>, String> {
    Ok(words.iter().map(|word| bytes::parse(word)).collect::<Result<Vec<_>, _>>()?.concat())
}

/// A number, decimal or hexadecimal with `0x`.
pub(super) fn number<N: FromStr + TryFrom<u64>>(word: &str) -> Result<N, String> {
    let wrong = || format!("`{word}` is no number, or too large");
    match word.strip_prefix("0x") {
        Some(digits) => {
            let number = u64::from_str_radix(digits, 16).map_err(|_| wrong())?;
            N::try_from(number).map_err(|_| wrong())
        }
        None => word.parse().map_err(|_| wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn lines_are_frames() {
        for (line, expected) in [
            ("data 1 end pad=2 ab", &b"\0\0\x05\0\x09\0\0\0\x01\x02ab\0\0"[..]),
            (
                "headers 3 end more priority=1,15 x=y ~\\x82",
                b"\0\0\x0b\x01\x21\0\0\0\x03\0\0\0\x01\x0f\0\x01x\x01y\x82",
            ),
            (
                "settings INITIAL_WINDOW_SIZE=0x10 99=1",
                b"\0\0\x0c\x04\0\0\0\0\0\0\x04\0\0\0\x10\0\x63\0\0\0\x01",
            ),
            ("settings ack", b"\0\0\0\x04\x01\0\0\0\0"),
            ("ping ack 12345678", b"\0\0\x08\x06\x01\0\0\0\0" as &[u8]),
            ("rst_stream 1 CANCEL", b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08"),
            ("goaway 0 NO_ERROR x", b"\0\0\x09\x07\0\0\0\0\0\0\0\0\0\0\0\0\0x"),
            ("frame 0x0a 0xff 1 abc length=9", b"\0\0\x09\x0a\xff\0\0\0\x01abc"),
            (
                "many 2 window_update # 7",
                b"\0\0\x04\x08\0\0\0\0\x01\0\0\0\x07\0\0\x04\x08\0\0\0\0\x03\0\0\0\x07",
            ),
        ] {
            let found = bytes(line).unwrap();
            assert_eq!(found[..expected.len()], *expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for line in
            ["date 1", "data", "data x", "headers 1 nofield", "settings A=1", "priority 1 2", "frame 1 2"]
        {
            assert!(bytes(line).is_err(), "{line}");
        }
    }
}
