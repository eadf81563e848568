//! What a server has said on one connection, and the rules that hold for every frame of it, whatever the client sends.

use crate::frame::{Code, Frame, INITIAL_WINDOW_SIZE, MAX_PAYLOAD, WINDOW, flag, kind};
use crate::hpack::Decoder;
use std::collections::BTreeMap;

/// What was said on a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    /// The status of the reply.
    pub status: Option<u16>,
    /// The reply's fields.
    pub fields: Vec<(String, String)>,
    /// Bytes of the body.
    pub body: Vec<u8>,
    /// The reply is complete.
    pub ended: bool,
    /// The stream was reset.
    pub reset: Option<Code>,
}

impl Stream {
    /// Nothing more comes.
    pub fn is_over(&self) -> bool {
        self.ended || self.reset.is_some()
    }
}

/// A field block that goes on in CONTINUATION.
#[derive(Debug)]
struct Block {
    stream: u32,
    ends_stream: bool,
    bytes: Vec<u8>,
}

/// All of it.
#[derive(Debug)]
pub struct Heard {
    pub streams: BTreeMap<u32, Stream>,
    /// The code of the last GOAWAY.
    pub goaway: Option<Code>,
    /// The server's settings, in the order in which they came.
    pub settings: Vec<(u16, u32)>,
    /// How many SETTINGS have come.
    pub settings_frames: usize,
    /// How many of ours were acknowledged.
    pub settings_acks: usize,
    /// The bytes of each PONG.
    pub pongs: Vec<[u8; 8]>,
    /// The connection has ended.
    pub ended: bool,
    /// The rule that the server broke first.
    pub wrong: Option<String>,
    /// What the server may still send: on the connection, and on each stream. What a stream may at first.
    window: i64,
    windows: BTreeMap<u32, i64>,
    initial_window: i64,
    block: Option<Block>,
    decoder: Decoder,
}

impl Default for Heard {
    fn default() -> Heard {
        Heard {
            streams: BTreeMap::new(),
            goaway: None,
            settings: Vec::new(),
            settings_frames: 0,
            settings_acks: 0,
            pongs: Vec::new(),
            ended: false,
            wrong: None,
            window: WINDOW,
            windows: BTreeMap::new(),
            initial_window: WINDOW,
            block: None,
            decoder: Decoder::default(),
        }
    }
}

impl Heard {
    /// What was said on that stream so far.
    pub fn stream(&self, stream: u32) -> Stream {
        self.streams.get(&stream).cloned().unwrap_or_default()
    }

    /// The server's value of a setting, if it has said one.
    pub fn setting(&self, id: u16) -> Option<u32> {
        self.settings.iter().rev().find(|(known, _)| *known == id).map(|(_, value)| *value)
    }

    /// The client sends these bytes, which may change what the server may send.
    pub fn sent(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((frame, length)) = Frame::parse(rest) {
            rest = &rest[length..];
            self.sent_frame(&frame);
        }
    }

    fn sent_frame(&mut self, frame: &Frame) {
        match (frame.kind, <[u8; 4]>::try_from(&frame.payload[..])) {
            (kind::WINDOW_UPDATE, Ok(increment)) => {
                let increment = i64::from(u32::from_be_bytes(increment) & 0x7fff_ffff);
                if frame.stream == 0 {
                    self.window += increment;
                } else {
                    *self.windows.entry(frame.stream).or_insert(self.initial_window) += increment;
                }
            }
            (kind::SETTINGS, _) if !frame.has(flag::ACK) => {
                for [a, b, value @ ..] in frame.payload.as_chunks::<6>().0 {
                    if u16::from_be_bytes([*a, *b]) == INITIAL_WINDOW_SIZE {
                        self.begin_with(i64::from(u32::from_be_bytes(*value)));
                    }
                }
            }
            _ => {}
        }
    }

    /// Streams that are open get or lose the difference (RFC 9113, 6.9.2).
    fn begin_with(&mut self, window: i64) {
        // Until the server has seen it, it may still use what it was given before: only a larger one counts here at once.
        let more = window - self.initial_window;
        self.initial_window = window;
        for open in self.windows.values_mut() {
            *open += more;
        }
    }

    /// Takes a frame.
    pub fn take(&mut self, frame: Frame) {
        if let Err(wrong) = self.checked(frame)
            && self.wrong.is_none()
        {
            self.wrong = Some(wrong);
        }
    }

    fn checked(&mut self, frame: Frame) -> Result<(), String> {
        let Frame { kind, stream, .. } = frame;
        if frame.payload.len() > MAX_PAYLOAD {
            return Err(format!("a frame of {} bytes", frame.payload.len()));
        }
        if self.settings_frames == 0 && kind != kind::SETTINGS {
            return Err(format!("the first frame is of kind {kind}"));
        }
        if let Some(block) = &self.block
            && (kind, stream) != (kind::CONTINUATION, block.stream)
        {
            return Err(format!("a frame of kind {kind} within a field block"));
        }
        let of_connection = matches!(kind, kind::SETTINGS | kind::PING | kind::GOAWAY);
        let of_either = kind == kind::WINDOW_UPDATE || usize::from(kind) >= kind::NAMES.len();
        if !of_either && of_connection != (stream == 0) {
            return Err(format!("a frame of kind {kind} on stream {stream}"));
        }
        match kind {
            kind::DATA => self.data(&frame),
            kind::HEADERS => self.headers(&frame),
            kind::CONTINUATION => self.continuation(&frame),
            kind::RST_STREAM => self.reset(&frame),
            kind::SETTINGS => self.setting_values(&frame),
            kind::PING => self.ping(&frame),
            kind::GOAWAY => self.going_away(&frame),
            kind::PUSH_PROMISE => Err("a server of requests pushes".to_owned()),
            _ => Ok(()),
        }
    }

    fn data(&mut self, frame: &Frame) -> Result<(), String> {
        let length = frame.payload.len() as i64;
        let window = self.windows.entry(frame.stream).or_insert(self.initial_window);
        *window -= length;
        self.window -= length;
        if length > 0 && (*window < 0 || self.window < 0) {
            return Err(format!("{length} bytes of DATA beyond a window"));
        }
        let content = frame.content().ok_or("padding that is too long")?;
        let stream = self.open(frame.stream)?;
        if stream.status.is_none() {
            return Err("DATA before a reply's head".to_owned());
        }
        stream.body.extend_from_slice(content);
        stream.ended = frame.has(flag::END_STREAM);
        Ok(())
    }

    /// The stream, on which something may still be said.
    fn open(&mut self, id: u32) -> Result<&mut Stream, String> {
        let stream = self.streams.entry(id).or_default();
        if stream.is_over() {
            return Err(format!("something on stream {id}, which is over"));
        }
        Ok(stream)
    }

    fn headers(&mut self, frame: &Frame) -> Result<(), String> {
        let bytes = frame.content().ok_or("padding that is too long")?.to_vec();
        let block = Block { stream: frame.stream, ends_stream: frame.has(flag::END_STREAM), bytes };
        self.block_part(block, frame.has(flag::END_HEADERS))
    }

    fn continuation(&mut self, frame: &Frame) -> Result<(), String> {
        let mut block = self.block.take().ok_or("CONTINUATION without HEADERS")?;
        block.bytes.extend_from_slice(&frame.payload);
        self.block_part(block, frame.has(flag::END_HEADERS))
    }

    fn block_part(&mut self, block: Block, is_whole: bool) -> Result<(), String> {
        if !is_whole {
            self.block = Some(block);
            return Ok(());
        }
        let fields = self.decoder.decode(&block.bytes)?;
        let status = fields.iter().find(|(name, _)| name == ":status").map(|(_, value)| value.parse::<u16>());
        let stream = self.open(block.stream)?;
        match (status, stream.status) {
            // Interim replies are not the reply.
            (Some(Ok(100..=199)), None) => {}
            (Some(Ok(status)), None) => (stream.status, stream.fields) = (Some(status), fields),
            (None, Some(_)) if block.ends_stream => {}
            _ => return Err(format!("a field block where none belongs: {fields:?}")),
        }
        stream.ended = block.ends_stream;
        Ok(())
    }

    fn reset(&mut self, frame: &Frame) -> Result<(), String> {
        let code = <[u8; 4]>::try_from(&frame.payload[..]).map_err(|_| "RST_STREAM has four bytes")?;
        // That a stream is over does not keep a server from telling that it wants no more of it.
        self.streams.entry(frame.stream).or_default().reset = Some(Code(u32::from_be_bytes(code)));
        Ok(())
    }

    fn setting_values(&mut self, frame: &Frame) -> Result<(), String> {
        if frame.has(flag::ACK) {
            self.settings_acks += 1;
            return if frame.payload.is_empty() { Ok(()) } else { Err("an ACK with settings".to_owned()) };
        }
        self.settings_frames += 1;
        let (values, rest) = frame.payload.as_chunks::<6>();
        for [a, b, value @ ..] in values {
            self.settings.push((u16::from_be_bytes([*a, *b]), u32::from_be_bytes(*value)));
        }
        if rest.is_empty() { Ok(()) } else { Err("SETTINGS that end within one".to_owned()) }
    }

    fn ping(&mut self, frame: &Frame) -> Result<(), String> {
        let opaque = <[u8; 8]>::try_from(&frame.payload[..]).map_err(|_| "PING has eight bytes")?;
        if frame.has(flag::ACK) {
            self.pongs.push(opaque);
        }
        Ok(())
    }

    fn going_away(&mut self, frame: &Frame) -> Result<(), String> {
        let (_, rest) = frame.payload.split_first_chunk::<4>().ok_or("GOAWAY has eight bytes")?;
        let (code, _) = rest.split_first_chunk::<4>().ok_or("GOAWAY has eight bytes")?;
        self.goaway = Some(Code(u32::from_be_bytes(*code)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hpack;

    fn heard(frames: &[Frame]) -> Heard {
        let mut heard = Heard::default();
        heard.take(Frame::settings(&[(3, 100)]));
        frames.iter().for_each(|frame| heard.take(frame.clone()));
        heard
    }

    #[test]
    fn a_reply_is_its_status_its_fields_and_its_body() {
        let head = hpack::block(&[(":status", "200"), ("x", "y")]);
        let (one, two) = head.split_at(5);
        let heard = heard(&[
            Frame::new(kind::HEADERS, 1, one),
            Frame::new(kind::CONTINUATION, 1, two).with(flag::END_HEADERS),
            Frame::new(kind::DATA, 1, *b"up"),
            Frame::new(kind::DATA, 1, *b"").with(flag::END_STREAM),
        ]);
        let stream = heard.stream(1);
        assert_eq!((stream.status, &stream.body[..], stream.ended), (Some(200), &b"up"[..], true));
        assert_eq!((heard.wrong, heard.settings), (None, vec![(3, 100)]));
    }

    #[test]
    fn what_a_server_must_not_send_is_noticed() {
        let head = Frame::headers(1, hpack::block(&[(":status", "200")]));
        let data = |bytes: usize| Frame::new(kind::DATA, 1, vec![0; bytes]);
        let end = Frame::new(kind::DATA, 1, *b"").with(flag::END_STREAM);
        for wrong in [
            vec![data(1)],
            vec![head.clone(), head.clone()],
            vec![head.clone(), end.clone(), data(1)],
            vec![head.clone(), data(MAX_PAYLOAD + 1)],
            [vec![head.clone()], vec![data(16_000); 5]].concat(),
            vec![Frame::new(kind::HEADERS, 1, *b""), Frame::ping([0; 8])],
            vec![Frame::headers(1, *b"\xff\xff")],
            vec![Frame::new(kind::PUSH_PROMISE, 1, *b"\0\0\0\x02").with(flag::END_HEADERS)],
            vec![Frame::new(kind::PING, 1, [0; 8])],
        ] {
            assert!(heard(&wrong).wrong.is_some(), "{wrong:?}");
        }
    }

    #[test]
    fn windows_grow_by_what_the_client_says() {
        let mut heard = heard(&[]);
        heard.sent(&[Frame::settings(&[(4, 10)]).bytes(), Frame::window(1, 5).bytes()].concat());
        heard.take(Frame::headers(1, hpack::block(&[(":status", "200")])));
        heard.take(Frame::new(kind::DATA, 1, [0; 15]));
        assert_eq!(heard.wrong, None);
        heard.take(Frame::new(kind::DATA, 1, [0; 1]));
        assert!(heard.wrong.is_some());
    }
}
