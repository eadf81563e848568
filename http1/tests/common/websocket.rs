//! Frames of WebSocket as clients write them, and what is promised of any bytes that come in their place.

use super::random::Random;
use callgate_http1::websocket::{Event, Fault, Reader};

/// The longest message of all tests, in bytes.
pub(crate) const MAX_MESSAGE: usize = 70_000;

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
}

/// All that was read, and the rule that was broken in the end.
pub(crate) type Conversation = (Vec<Told>, Option<Fault>);

impl Told {
    pub(crate) fn of(event: Event) -> Told {
        match event {
            Event::Text(text) => Told::Text(text),
            Event::Binary(data) => Told::Binary(data),
            Event::Ping(control) => Told::Ping(control.bytes().to_owned()),
            Event::Pong(control) => Told::Pong(control.bytes().to_owned()),
            Event::Close(close) => Told::Close(close.code, close.reason.into()),
        }
    }

    /// The first byte of its frame, and what that has in it.
    pub(crate) fn parts(&self) -> (u8, Vec<u8>) {
        match self {
            Told::Text(text) => (0x81, text.clone()),
            Told::Binary(data) => (0x82, data.clone()),
            Told::Close(code, reason) => {
                let code = code.map(u16::to_be_bytes).into_iter().flatten();
                (0x88, code.chain(reason.bytes()).collect())
            }
            Told::Ping(data) => (0x89, data.clone()),
            Told::Pong(data) => (0x8a, data.clone()),
        }
    }
}

/// A frame with a mask.
pub(crate) fn frame(first: u8, mask: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        length @ 0..=125 => out.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            out.push(0x80 | 126);
            out.extend((length as u16).to_be_bytes());
        }
        length => {
            out.push(0x80 | 127);
            out.extend((length as u64).to_be_bytes());
        }
    }
    out.extend(mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
    out
}

/// Reads one piece after the other.
pub(crate) fn drive<'b>(pieces: impl IntoIterator<Item = &'b [u8]>) -> Conversation {
    let mut reader = Reader::new(MAX_MESSAGE);
    let (mut told, mut come) = (Vec::new(), 0);
    for piece in pieces {
        let mut input = piece;
        come += piece.len();
        loop {
            match reader.read(&mut input, true) {
                Ok(Some(event)) => told.push(Told::of(event)),
                Ok(None) => break,
                Err(fault) => {
                    assert_eq!(reader.read(&mut input, true), Err(fault), "it is final");
                    assert_eq!(reader.held(), 0);
                    return (told, Some(fault));
                }
            }
            assert!(reader.held() <= 2 * come.max(8), "no more than has come");
        }
        assert!(input.is_empty(), "what comes is read");
    }
    (told, None)
}

/// The same, but whatever belongs to a message is taken only after all that comes before it was.
pub(crate) fn drive_reluctantly(mut input: &[u8]) -> Conversation {
    let mut reader = Reader::new(MAX_MESSAGE);
    let mut told = Vec::new();
    loop {
        let before = input.len();
        for takes_data in [false, true] {
            match reader.read(&mut input, takes_data) {
                Ok(Some(event)) => {
                    let is_data = matches!(event, Event::Text(_) | Event::Binary(_));
                    assert!(takes_data || !is_data, "it was not asked for");
                    told.push(Told::of(event));
                    break;
                }
                Ok(None) => {}
                Err(fault) => return (told, Some(fault)),
            }
        }
        // An empty input may still hold an empty message that was not taken.
        if input.is_empty() && before == 0 {
            return (told, None);
        }
    }
}

/// Any bytes of a client: as the RFC says it in another way, whole or cut anywhere; and written again they are the same.
pub(crate) fn websocket(bytes: &[u8]) {
    let expected = expected(bytes);
    assert_eq!(drive([bytes]), expected);
    assert_eq!(drive_reluctantly(bytes), expected);
    assert_eq!(drive(bytes.chunks(1)), expected);
    let seed =
        bytes.iter().fold(0, |seed: u64, byte| (seed ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    let mut random = Random::new(seed);
    for _ in 0..3 {
        assert_eq!(drive(random.cut(bytes)), expected);
    }
    let again = |told: &Told| {
        let (first, payload) = told.parts();
        frame(first, (random.next() as u32).to_be_bytes(), &payload)
    };
    let again: Vec<u8> = expected.0.iter().flat_map(again).collect();
    assert_eq!(drive([&again[..]]), (expected.0, None));
}

/// What RFC 6455 says of all bytes at once: one frame after the other, each whole.
fn expected(bytes: &[u8]) -> Conversation {
    let mut told = Vec::new();
    let mut message: Option<(u8, Vec<u8>)> = None;
    let mut rest = bytes;
    loop {
        match one(&mut rest, &mut message) {
            Err(fault) => return (told, Some(fault)),
            Ok(None) => return (told, None),
            Ok(Some(Some(event))) => {
                let is_last = matches!(event, Told::Close(..));
                told.push(event);
                if is_last {
                    return (told, None);
                }
            }
            Ok(Some(None)) => {}
        }
    }
}

/// The next frame, and what is told after it, if anything; `None` where it is not whole.
fn one(bytes: &mut &[u8], message: &mut Option<(u8, Vec<u8>)>) -> Result<Option<Option<Told>>, Fault> {
    let [first, second, behind @ ..] = *bytes else { return Ok(None) };
    let (fin, reserved, opcode) = (first & 0x80 != 0, first & 0x70, first & 0x0f);
    let control = opcode > 7;
    match () {
        () if reserved != 0 => return Err(Fault::Reserved),
        () if ![0, 1, 2, 8, 9, 10].contains(&opcode) => return Err(Fault::Opcode),
        () if second < &0x80 => return Err(Fault::Unmasked),
        () if control && !fin => return Err(Fault::ControlFragment),
        () if control && second - 0x80 > 125 => return Err(Fault::ControlTooLong),
        () => {}
    }
    let wide = [0, 2, 8][usize::from(second.saturating_sub(0x80 + 125))];
    if behind.len() < wide + 4 {
        return Ok(None);
    }
    let (written, behind) = behind.split_at(wide);
    let written = written.iter().fold(0u64, |length, byte| length << 8 | u64::from(*byte));
    let length = if wide == 0 { u64::from(second - 0x80) } else { written };
    if wide > 0 && (!(126..1 << 63).contains(&length) || (wide == 8 && length < 1 << 16)) {
        return Err(Fault::Length);
    }
    let (mask, behind) = behind.split_at(4);
    let come = message.as_ref().map_or(0, |(_, data)| data.len() as u64);
    match (opcode, &message) {
        (0, None) => return Err(Fault::NothingToContinue),
        (1 | 2, Some(_)) => return Err(Fault::Unfinished),
        (0..=2, _) if come + length > MAX_MESSAGE as u64 => return Err(Fault::TooLong),
        _ => {}
    }
    let has = behind.len().min(usize::try_from(length).unwrap_or(usize::MAX));
    let payload: Vec<u8> = behind[..has].iter().zip(mask.iter().cycle()).map(|(b, key)| b ^ key).collect();
    if !control {
        let whole = has as u64 == length;
        let (kind, data) = message.get_or_insert((opcode, Vec::new()));
        data.extend(payload);
        // A text that is no UTF-8 is found before it is whole.
        let broken = std::str::from_utf8(data).err();
        if *kind == 1 && broken.is_some_and(|error| error.error_len().is_some() || (whole && fin)) {
            return Err(Fault::NotUtf8);
        }
        if !whole {
            return Ok(None);
        }
        *bytes = &behind[has..];
        let told = if fin { message.take() } else { None };
        return Ok(Some(
            told.map(|(kind, data)| if kind == 1 { Told::Text(data) } else { Told::Binary(data) }),
        ));
    }
    if (has as u64) < length {
        return Ok(None);
    }
    *bytes = &behind[has..];
    Ok(Some(Some(match (opcode, &payload[..]) {
        (9, _) => Told::Ping(payload),
        (10, _) => Told::Pong(payload),
        (_, []) => Told::Close(None, String::new()),
        (_, [_]) => return Err(Fault::CloseCode),
        (_, [high, low, reason @ ..]) => {
            let code = u16::from(*high) << 8 | u16::from(*low);
            if code < 1000
                || [1004, 1005, 1006].contains(&code)
                || (1015..3000).contains(&code)
                || code > 4999
            {
                return Err(Fault::CloseCode);
            }
            let reason = String::from_utf8(reason.to_vec()).map_err(|_| Fault::NotUtf8)?;
            Told::Close(Some(code), reason)
        }
    })))
}
