//! What a server answers to a case.

use super::frames::number;
use crate::bytes;
use crate::frame::Code;
use std::collections::BTreeMap;
use std::fmt;

/// What is said on one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The status of the reply, if there is one.
    pub status: Option<u16>,
    /// How many bytes its body has, where that matters.
    pub bytes: Option<usize>,
    /// Whether the reply goes on.
    pub unfinished: bool,
    /// The code with which the stream is reset, if it is.
    pub reset: Option<Code>,
}

/// All of it. Where neither `goaway` nor `closed` is there, the connection goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub replies: BTreeMap<u32, Reply>,
    /// The connection ends with GOAWAY and this code.
    pub goaway: Option<Code>,
    /// The connection ends without one that names an error.
    pub closed: bool,
    /// How many SETTINGS are acknowledged, where that matters.
    pub acks: Option<usize>,
    pub pongs: Vec<[u8; 8]>,
}

impl Verdict {
    /// The same with what a line says as well.
    pub(super) fn and(mut self, text: &str) -> Result<Verdict, String> {
        let words: Vec<&str> = text.split(' ').collect();
        match words[..] {
            ["ignored"] => {}
            ["closed"] => self.closed = true,
            ["goaway", code] => self.goaway = Some(named(code)?),
            [count, "acks"] => self.acks = Some(number(count)?),
            ["pong", text] => {
                let opaque = bytes::parse(text)?.try_into();
                self.pongs.push(opaque.map_err(|_| format!("PING has eight bytes, not `{text}`"))?);
            }
            ["reset", code, "on", stream] => {
                let reset = Some(named(code)?);
                self.replies.entry(number(stream)?).or_default().reset = reset;
            }
            [status, "on", stream, ref rest @ ..] => {
                let reply = self.replies.entry(number(stream)?).or_default();
                reply.status = Some(number(status)?);
                (reply.bytes, reply.unfinished) = match rest {
                    [] => (None, false),
                    ["with", bytes, "bytes"] => (Some(number(bytes)?), false),
                    ["with", bytes, "bytes", "unfinished"] => (Some(number(bytes)?), true),
                    _ => return Err(format!("`{text}` is no reply")),
                };
            }
            _ => return Err(format!("`{text}` is no verdict")),
        }
        Ok(self)
    }

    /// Whether the connection ends.
    pub fn ends(&self) -> bool {
        self.closed || self.goaway.is_some()
    }
}

fn named(code: &str) -> Result<Code, String> {
    Code::named(code).ok_or_else(|| format!("there is no error code {code}"))
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = Vec::new();
        for (stream, reply) in &self.replies {
            if let Some(status) = reply.status {
                let bytes = reply.bytes.map(|bytes| format!(" with {bytes} bytes")).unwrap_or_default();
                let unfinished = if reply.unfinished { " unfinished" } else { "" };
                said.push(format!("{status} on {stream}{bytes}{unfinished}"));
            }
            said.extend(reply.reset.map(|code| format!("reset {code} on {stream}")));
        }
        said.extend(self.acks.map(|acks| format!("{acks} acks")));
        said.extend(self.pongs.iter().map(|pong| format!("pong {}", pong.escape_ascii())));
        said.extend(self.goaway.map(|code| format!("goaway {code}")));
        if self.closed {
            said.push("closed".to_owned());
        }
        f.write_str(&if said.is_empty() { "ignored".to_owned() } else { said.join(", ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_shown_as_it_is_written() {
        for line in [
            "ignored",
            "200 on 1",
            "200 on 1 with 10 bytes unfinished",
            "reset STREAM_CLOSED on 3",
            "2 acks",
            "pong 12345678",
            "goaway PROTOCOL_ERROR",
            "closed",
        ] {
            assert_eq!(Verdict::default().and(line).unwrap().to_string(), line);
        }
    }
}
