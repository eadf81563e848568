//! What each flood sends. `most` is the memory that the gateway's bounds allow it (docs/operations.md), with room for what an allocator keeps.

use super::{Begin, Flood};
use crate::frame::{Code, Frame, INITIAL_WINDOW_SIZE, flag, kind};
use crate::hpack;

/// No settings of its own.
const GREETED: Begin = Begin::Http2(&[]);
/// Replies have no room.
const NO_WINDOW: Begin = Begin::Http2(&[(INITIAL_WINDOW_SIZE, 0)]);
/// Replies have room for a byte.
const TINY_WINDOW: Begin = Begin::Http2(&[(INITIAL_WINDOW_SIZE, 1)]);

/// All of them.
pub const ALL: &[Flood] = &[
    Flood {
        name: "rapid reset",
        begin: GREETED,
        opening: Vec::new,
        unit: |number| [get(number, "/hang/3600000"), Frame::reset(id(number), CANCEL).bytes()].concat(),
        connections: [4, 50],
        units: [5_000, 50_000],
        reads: true,
        most: 48,
    },
    Flood {
        name: "rapid reset, deaf",
        begin: GREETED,
        opening: Vec::new,
        unit: |number| [get(number, "/up"), Frame::reset(id(number), CANCEL).bytes()].concat(),
        connections: [4, 50],
        units: [5_000, 50_000],
        reads: false,
        most: 48,
    },
    Flood {
        name: "rapid reset with trailers",
        begin: GREETED,
        opening: Vec::new,
        unit: |number| {
            let trailers = Frame::headers(id(number), field(1)).with(flag::END_STREAM).bytes();
            let open = Frame::headers(id(number), request("/hang/3600000")).bytes();
            [open, trailers, Frame::reset(id(number), CANCEL).bytes()].concat()
        },
        connections: [4, 50],
        units: [5_000, 50_000],
        reads: true,
        most: 48,
    },
    Flood {
        name: "streams that make themselves reset",
        begin: GREETED,
        opening: Vec::new,
        unit: |number| [get(number, "/hang/3600000"), Frame::window(id(number), 0).bytes()].concat(),
        connections: [4, 50],
        units: [5_000, 50_000],
        reads: true,
        most: 48,
    },
    Flood {
        name: "malformed requests",
        begin: GREETED,
        opening: Vec::new,
        unit: |number| Frame::headers(id(number), *b"\x82").with(flag::END_STREAM).bytes(),
        connections: [4, 50],
        units: [5_000, 50_000],
        reads: false,
        most: 48,
    },
    Flood {
        name: "CONTINUATION, full",
        begin: GREETED,
        opening: || Frame::new(kind::HEADERS, 1, *b"").bytes(),
        unit: |_| Frame::new(kind::CONTINUATION, 1, field(16_000)).bytes(),
        connections: [8, 100],
        units: [200, 2_000],
        reads: true,
        most: 48,
    },
    Flood {
        name: "CONTINUATION, empty",
        begin: GREETED,
        opening: || Frame::new(kind::HEADERS, 1, *b"").bytes(),
        unit: |_| Frame::new(kind::CONTINUATION, 1, *b"").bytes(),
        connections: [4, 50],
        units: [20_000, 500_000],
        reads: true,
        most: 48,
    },
    Flood {
        name: "SETTINGS",
        begin: GREETED,
        opening: Vec::new,
        unit: |number| Frame::settings(&[(INITIAL_WINDOW_SIZE, number)]).bytes(),
        connections: [4, 50],
        units: [20_000, 500_000],
        reads: true,
        most: 48,
    },
    Flood {
        name: "SETTINGS, deaf",
        begin: GREETED,
        opening: Vec::new,
        unit: |_| Frame::settings(&[]).bytes(),
        connections: [4, 50],
        units: [200_000, 1_000_000],
        reads: false,
        most: 48,
    },
    Flood {
        name: "PING",
        begin: GREETED,
        opening: Vec::new,
        unit: |number| Frame::ping(u64::from(number).to_be_bytes()).bytes(),
        connections: [4, 50],
        units: [20_000, 500_000],
        reads: true,
        most: 48,
    },
    Flood {
        name: "PING, deaf",
        begin: GREETED,
        opening: Vec::new,
        unit: |number| Frame::ping(u64::from(number).to_be_bytes()).bytes(),
        connections: [4, 50],
        units: [200_000, 1_000_000],
        reads: false,
        most: 48,
    },
    Flood {
        name: "DATA, empty",
        begin: GREETED,
        opening: post,
        unit: |_| Frame::new(kind::DATA, 1, *b"").bytes(),
        connections: [4, 50],
        units: [20_000, 500_000],
        reads: true,
        most: 48,
    },
    Flood {
        name: "DATA, padding only",
        begin: GREETED,
        opening: post,
        unit: |_| Frame::new(kind::DATA, 1, *b"\0").with(flag::PADDED).bytes(),
        connections: [4, 50],
        units: [20_000, 500_000],
        reads: true,
        most: 48,
    },
    Flood {
        name: "DATA, much padding",
        begin: GREETED,
        opening: post,
        unit: |_| {
            let padding = [&[200][..], &[0; 200]].concat();
            Frame::new(kind::DATA, 1, padding).with(flag::PADDED).bytes()
        },
        connections: [4, 50],
        units: [20_000, 500_000],
        reads: true,
        most: 48,
    },
    Flood {
        name: "HEADERS, empty",
        begin: GREETED,
        opening: Vec::new,
        unit: |number| Frame::headers(id(number), *b"").bytes(),
        connections: [4, 50],
        units: [20_000, 500_000],
        reads: true,
        most: 48,
    },
    Flood {
        name: "PRIORITY",
        begin: GREETED,
        opening: Vec::new,
        unit: |number| Frame::new(kind::PRIORITY, id(number), *b"\0\0\0\0\x0f").bytes(),
        connections: [4, 50],
        units: [20_000, 500_000],
        reads: true,
        most: 48,
    },
    Flood {
        name: "WINDOW_UPDATE",
        begin: GREETED,
        opening: Vec::new,
        unit: |_| Frame::window(0, 1).bytes(),
        connections: [4, 50],
        units: [20_000, 500_000],
        reads: true,
        most: 48,
    },
    Flood {
        name: "unknown frames",
        begin: GREETED,
        opening: Vec::new,
        unit: |_| Frame::new(0xee, 0, *b"").bytes(),
        connections: [4, 50],
        units: [20_000, 500_000],
        reads: true,
        most: 48,
    },
    Flood {
        name: "windows of one byte",
        begin: TINY_WINDOW,
        opening: Vec::new,
        unit: |number| get(number, "/big"),
        connections: [20, 100],
        units: [200, 200],
        reads: true,
        most: 256,
    },
    Flood {
        name: "490 fields, no window",
        begin: NO_WINDOW,
        opening: Vec::new,
        unit: many_fields,
        connections: [100, 100],
        units: [200, 200],
        reads: true,
        most: 256,
    },
    Flood {
        name: "90 fields, no window",
        begin: NO_WINDOW,
        opening: Vec::new,
        unit: fewer_fields,
        connections: [100, 100],
        units: [200, 200],
        reads: true,
        most: 256,
    },
    Flood {
        name: "half a preface",
        begin: Begin::Silent,
        opening: || b"PRI * HTTP/2.0\r\n".to_vec(),
        unit: |_| Vec::new(),
        connections: [500, 2_000],
        units: [0, 0],
        reads: true,
        most: 48,
    },
    Flood {
        name: "a preface and no SETTINGS",
        begin: Begin::Silent,
        opening: || crate::frame::PREFACE.to_vec(),
        unit: |_| Vec::new(),
        connections: [500, 2_000],
        units: [0, 0],
        reads: true,
        most: 48,
    },
    Flood {
        name: "half a ClientHello",
        begin: Begin::HalfHello,
        opening: Vec::new,
        unit: |_| Vec::new(),
        connections: [500, 2_000],
        units: [0, 0],
        reads: true,
        most: 48,
    },
    Flood {
        name: "a TLS handshake and no preface",
        begin: Begin::Tls,
        opening: Vec::new,
        unit: |_| Vec::new(),
        connections: [200, 1_000],
        units: [0, 0],
        reads: true,
        most: 48,
    },
];

const CANCEL: Code = Code(8);

/// The stream of the n-th unit.
fn id(number: u32) -> u32 {
    2 * number + 1
}

fn get(number: u32, path: &str) -> Vec<u8> {
    Frame::headers(id(number), request(path)).with(flag::END_STREAM).bytes()
}

fn request(path: &str) -> Vec<u8> {
    hpack::block(&[(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", path)])
}

fn post() -> Vec<u8> {
    let fields = [(":method", "POST"), (":scheme", "http"), (":authority", "a"), (":path", "/echo")];
    Frame::headers(1, hpack::block(&fields)).bytes()
}

/// A field with a value of so many bytes.
fn field(bytes: usize) -> Vec<u8> {
    hpack::block(&[("x", &"x".repeat(bytes))])
}

/// A request with a field that it has many times: once in the table, each is a byte.
fn with_fields(number: u32, count: usize) -> Vec<u8> {
    let mut block = request("/up");
    hpack::indexed_literal(&mut block, b"x", b"y");
    block.extend(std::iter::repeat_n(0xbe, count - 1));
    Frame::headers(id(number), block).with(flag::END_STREAM).bytes()
}

fn many_fields(number: u32) -> Vec<u8> {
    with_fields(number, 490)
}

/// As many as a request may have.
fn fewer_fields(number: u32) -> Vec<u8> {
    with_fields(number, 90)
}
