//! What holds for all bytes: nothing depends on how they are cut, what was made is read as it was made, and no reply's head is split.

use crate::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

static NAMES: KnownNames = KnownNames::new(&["x-a", "content-type"]);

/// Small, so that they are met.
const LIMITS: Limits = Limits { max_head: 160, max_target: 24, max_fields: 4, max_trailers: 32 };
const WIDE: Limits =
    Limits { max_head: 64 * 1024, max_target: 8 * 1024, max_fields: 100, max_trailers: 8 * 1024 };

/// What a client of the crate is told of a request, with its body and whether it has ended.
#[derive(Debug, Default, PartialEq)]
struct Told {
    line: String,
    fields: Vec<(String, Vec<u8>)>,
    known: Vec<Vec<u8>>,
    body: Vec<u8>,
    ended: bool,
}

impl Told {
    fn of(request: &Request) -> Told {
        let line = (request.method(), request.path(), request.query(), request.version(), request.host());
        let body = (request.body_length(), request.expects_continue(), request.keeps_alive());
        let fields = request.fields();
        Told {
            line: format!("{line:?} {body:?}"),
            fields: fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            known: fields.each_known(Known(0)).map(<[u8]>::to_owned).collect(),
            ..Told::default()
        }
    }
}

/// Reads a connection's bytes, which come in these pieces: what was told, and why it ended if it did.
fn connection<'p>(pieces: impl Iterator<Item = &'p [u8]>, limits: &Limits) -> (Vec<Told>, Option<Refusal>) {
    let mut request = Request::new(&NAMES);
    let mut body: Option<(BodyDecoder, usize)> = None;
    let mut told = Vec::new();
    for piece in pieces {
        request.buffer().extend_from_slice(piece);
        loop {
            let Some((decoder, used)) = &mut body else {
                match request.parse(limits) {
                    Ok(true) => {
                        told.push(Told::of(&request));
                        body = Some((BodyDecoder::new(request.body_length(), limits), 0));
                        continue;
                    }
                    Ok(false) => break,
                    Err(refusal) => return (told, Some(refusal)),
                }
            };
            let shown = &request.rest()[*used..];
            let decoded = match decoder.next(shown) {
                Ok(decoded) => decoded,
                Err(refusal) => return (told, Some(refusal)),
            };
            let last = told.last_mut().expect("its head was told");
            *used += decoded.used;
            match decoded.event {
                Some(BodyEvent::Piece(range)) => last.body.extend_from_slice(&shown[range]),
                Some(BodyEvent::End) => {
                    last.ended = true;
                    request.finish(*used);
                    body = None;
                }
                None => break,
            }
        }
    }
    (told, None)
}

/// Up to three requests that are nearly HTTP.
fn nearly_http() -> impl Strategy<Value = Vec<u8>> {
    let begins = select(vec![
        "GET / HTTP/1.1\r\nHost: h\r\n",
        "POST /a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n",
        "\r\nPUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n",
        "GET http://h/ HTTP/1.0\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: h\r\n",
        "PRI * HTTP/2.0\r\n",
        "GET ",
        "",
    ]);
    let lines = select(vec![
        "X-A: 1\r\n",
        "x-a:\t v w \t\r\n",
        "Connection: close\r\n",
        "Expect: 100-continue\r\n",
        "Host: h\r\n",
        "A",
        "",
    ]);
    let bodies = select(vec![
        "abc",
        "3\r\nabc\r\n",
        "1;a=\"b\\c\" ; d\r\na\r\n",
        "0\r\n\r\n",
        "0\r\nX-A: b\r\n\r\n",
        "0\r\n",
        "f",
        "",
        " ",
    ]);
    let strays = select(vec!["\n", "\r", "\r\n", " ", "\t", ":", ";", "/", "\0", "\u{e9}", "?", "#", "%"]);
    let request = (
        begins,
        vec(lines, 0..4),
        any::<bool>(),
        vec(bodies, 0..4),
        option::weighted(0.3, (strays, any::<Index>())),
    );
    let request = request.prop_map(|(begin, lines, ends, bodies, stray)| {
        let end = if ends { "\r\n" } else { "" };
        let mut bytes = [begin, &lines.concat(), end, &bodies.concat()].concat().into_bytes();
        if let Some((stray, at)) = stray {
            let at = at.index(bytes.len() + 1);
            bytes.splice(at..at, stray.bytes());
        }
        bytes
    });
    vec(request, 1..4).prop_map(|requests| requests.concat())
}

/// The pieces that cuts make.
fn cut<'b>(bytes: &'b [u8], cuts: &[Index]) -> Vec<&'b [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

fn token() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,12}".prop_filter("has a meaning", |name| {
        let meant = ["host", "content-length", "transfer-encoding", "connection", "expect"];
        !meant.iter().any(|meant| name.eq_ignore_ascii_case(meant))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_depends_on_how_bytes_are_cut(bytes in nearly_http(), cuts in vec(any::<Index>(), 0..6)) {
        let whole = connection(std::iter::once(&bytes[..]), &LIMITS);
        prop_assert_eq!(&whole, &connection(cut(&bytes, &cuts).into_iter(), &LIMITS));
        prop_assert_eq!(&whole, &connection(bytes.chunks(1), &LIMITS));
    }

    #[test]
    fn no_bytes_do_harm(bytes in vec(any::<u8>(), 0..200), length in any::<u16>()) {
        connection(std::iter::once(&bytes[..]), &LIMITS);
        for length in [BodyLength::Chunked, BodyLength::Known(length.into()), BodyLength::Empty] {
            let mut decoder = BodyDecoder::new(length, &LIMITS);
            for piece in bytes.chunks(7) {
                if let Ok(decoded) = decoder.next(piece) {
                    prop_assert!(decoded.used <= piece.len());
                }
            }
        }
    }

    #[test]
    fn a_request_is_read_as_it_was_made(
        path in "/[a-zA-Z0-9/._~!$&'()*+,;=:@%-]{0,40}",
        query in option::of("[a-zA-Z0-9/?._~!$&'()*+,;=:@%|{}\\[\\]^`-]{0,40}"),
        fields in vec((token(), "([!-~\u{e9}]([ -~\t\u{e9}]{0,40}[!-~])?)?"), 0..20),
        chunks in vec(vec(any::<u8>(), 1..40), 0..6),
        is_chunked in any::<bool>(),
    ) {
        let body = chunks.concat();
        let target = query.as_ref().map_or(path.clone(), |query| format!("{path}?{query}"));
        let mut bytes = format!("POST {target} HTTP/1.1\r\nHost: h\r\n").into_bytes();
        for (name, value) in &fields {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        if is_chunked {
            bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
            chunks.iter().for_each(|piece| chunk(&mut bytes, piece));
            bytes.extend_from_slice(LAST_CHUNK);
        } else {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
            bytes.extend_from_slice(&body);
        }
        let mut request = Request::new(&NAMES);
        request.buffer().extend_from_slice(&bytes);
        prop_assert_eq!(request.parse(&WIDE), Ok(true));
        prop_assert_eq!((request.path(), request.query()), (path.as_str(), query.as_deref()));
        let read: Vec<(&str, &[u8])> = request.fields().iter().collect();
        let made: Vec<(&str, &[u8])> = fields.iter().map(|(name, value)| (&name[..], value.as_bytes())).collect();
        prop_assert_eq!(&read[1..read.len() - 1], &made[..]);
        for (name, _) in &fields {
            let lines = request.fields().each(name).count();
            prop_assert_eq!(lines, fields.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).count());
        }
        let (told, refusal) = connection(bytes.chunks(11), &WIDE);
        prop_assert_eq!((told.len(), refusal), (1, None));
        prop_assert!(told[0].ended && told[0].body == body);
    }

    #[test]
    fn a_reply_is_read_as_it_was_written_and_never_split(
        status in 100_u16..1_000,
        fields in vec((any::<String>(), vec(any::<u8>(), 0..30)), 0..8),
        good in vec((token(), "[!-~]([ -~]{0,20}[!-~])?"), 0..8),
        length in any::<u64>(),
    ) {
        let mut out = b"before".to_vec();
        let mut head = ReplyHead::begin(&mut out, status);
        fields.iter().for_each(|(name, value)| head.field(name, value));
        good.iter().for_each(|(name, value)| head.field(name, value.as_bytes()));
        head.prepared(b"x-prepared: 1\r\n");
        head.end(ReplyBody::Length(length));
        let mut read = [httparse::EMPTY_HEADER; 32];
        let mut reply = httparse::Response::new(&mut read);
        let size = reply.parse(&out[6..]);
        prop_assert_eq!(size, Ok(httparse::Status::Complete(out.len() - 6)));
        prop_assert_eq!(reply.code, Some(status));
        let lines: Vec<(&str, &[u8])> = reply.headers.iter().map(|line| (line.name, line.value)).collect();
        let length = length.to_string();
        let mut expected: Vec<(&str, &[u8])> = good.iter().map(|(name, value)| (&name[..], value.as_bytes())).collect();
        expected.extend([("x-prepared", &b"1"[..]), ("content-length", length.as_bytes())]);
        prop_assert!(lines.len() >= expected.len() && lines.len() <= expected.len() + fields.len());
        prop_assert_eq!(&lines[lines.len() - expected.len()..], &expected[..]);
    }
}
