//! A server on loopback that replies with what this crate writes: a body by its length, in chunks, until the connection ends, and none.

use callgate_http1::{
    BodyDecoder, BodyEvent, BodyLength, CONTINUE, KnownNames, LAST_CHUNK, Limits, ReplyBody, ReplyHead,
    Request, Version, chunk, http_date,
};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// What each reply of 200 carries, in pieces.
pub(crate) const PIECES: [&[u8]; 3] = [b"first\r\n0\r\n\r\n", b"\0\xff", &[b'x'; 70_000]];

static NAMES: KnownNames = KnownNames::new(&[]);
const LIMITS: Limits = Limits { max_head: 8192, max_target: 2048, max_fields: 100, max_trailers: 1024 };

/// Serves until the test ends.
pub(crate) fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            std::thread::spawn(move || serve(client));
        }
    });
    address
}

/// One connection, as long as the client and the reply let it be.
fn serve(mut client: TcpStream) {
    let mut request = Request::new(&NAMES);
    loop {
        if !read_until(&mut client, &mut request, |request| request.parse(&LIMITS).unwrap()) {
            return;
        }
        if request.expects_continue() {
            client.write_all(CONTINUE).unwrap();
        }
        let mut decoder = BodyDecoder::new(request.body_length(), &LIMITS);
        let mut used = 0;
        let read = read_until(&mut client, &mut request, |request| {
            while !decoder.has_ended() {
                let decoded = decoder.next(&request.rest()[used..]).unwrap();
                used += decoded.used;
                if decoded.event.is_none() || decoded.event == Some(BodyEvent::End) {
                    break;
                }
            }
            decoder.has_ended()
        });
        assert!(read || request.body_length() == BodyLength::Empty);
        let (reply, goes_on) = reply_to(&request);
        client.write_all(&reply).unwrap();
        if !goes_on {
            return;
        }
        request.finish(used);
    }
}

/// Reads until it is done. `false` when the client has left.
fn read_until(
    client: &mut TcpStream,
    request: &mut Request,
    mut done: impl FnMut(&mut Request) -> bool,
) -> bool {
    while !done(request) {
        let mut bytes = [0; 1024];
        match client.read(&mut bytes) {
            Ok(0) | Err(_) => return false,
            Ok(count) => request.buffer().extend_from_slice(&bytes[..count]),
        }
    }
    true
}

/// The reply that the path names, and whether the connection goes on.
fn reply_to(request: &Request) -> (Vec<u8>, bool) {
    let length = PIECES.iter().map(|piece| piece.len() as u64).sum();
    let old = request.version() == Version::Http10;
    let (status, body) = match request.path() {
        "/length" => (200, ReplyBody::Length(length)),
        "/chunked" if old => (200, ReplyBody::UntilClose),
        "/chunked" => (200, ReplyBody::Chunked),
        "/close" => (200, ReplyBody::UntilClose),
        "/empty" => (200, ReplyBody::Length(0)),
        "/none" => (204, ReplyBody::None),
        "/unchanged" => (304, ReplyBody::None),
        "/strange" => (299, ReplyBody::Length(length)),
        _ => (404, ReplyBody::Length(0)),
    };
    let goes_on = request.keeps_alive() && body != ReplyBody::UntilClose;
    let mut out = Vec::new();
    let mut head = ReplyHead::begin(&mut out, status);
    head.prepared(b"server: test\r\n");
    head.field("date", &http_date(784_111_777));
    head.field("x-split", b"a\r\nset-cookie: evil");
    head.field("x bad", b"a");
    head.field("x-text", b"caf\xe9\t\"quoted\"");
    if !goes_on {
        head.field("connection", b"close");
    } else if old {
        head.field("connection", b"keep-alive");
    }
    head.end(body);
    if request.method() != "HEAD" {
        write_body(&mut out, body);
    }
    (out, goes_on)
}

fn write_body(out: &mut Vec<u8>, body: ReplyBody) {
    match body {
        ReplyBody::None | ReplyBody::Length(0) => {}
        ReplyBody::Length(_) | ReplyBody::UntilClose => out.extend(PIECES.concat()),
        ReplyBody::Chunked => {
            PIECES.iter().for_each(|piece| chunk(out, piece));
            out.extend_from_slice(LAST_CHUNK);
        }
    }
}
