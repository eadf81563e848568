//! Bodies: their pieces and ends, however they are cut, and what is refused in chunks and trailers.

use super::*;

const LIMITS: Limits = Limits { max_head: 512, max_target: 64, max_fields: 4, max_trailers: 64 };

/// What was read: the bytes of all pieces, and how many bytes are behind the end. Or why not.
type Read = Result<Option<(Vec<u8>, usize)>, Refusal>;

/// Shows pieces one after the other. An owner keeps none of them.
fn show(length: BodyLength, pieces: &[&[u8]]) -> Read {
    let mut decoder = BodyDecoder::new(length, &LIMITS);
    let mut body = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        let mut shown = *piece;
        loop {
            let Decoded { used, event } = decoder.next(shown)?;
            match event {
                Some(BodyEvent::Piece(range)) => {
                    assert!(!range.is_empty() && range.end <= used);
                    body.extend_from_slice(&shown[range]);
                }
                Some(BodyEvent::End) => {
                    assert!(decoder.has_ended());
                    let behind = &pieces[index + 1..];
                    return Ok(Some((body, shown.len() - used + behind.concat().len())));
                }
                None => {
                    assert_eq!(used, shown.len());
                    break;
                }
            }
            shown = &shown[used..];
        }
    }
    Ok(None)
}

/// The same whole and byte by byte.
fn read(length: BodyLength, bytes: &[u8]) -> Read {
    let by_byte: Vec<&[u8]> = bytes.chunks(1).collect();
    let whole = show(length, &[bytes, b""]);
    assert_eq!(whole, show(length, &by_byte), "{:?}", bytes.escape_ascii().to_string());
    whole
}

fn chunked(text: &str) -> Result<Option<(String, usize)>, Refusal> {
    let read = read(BodyLength::Chunked, text.as_bytes())?;
    Ok(read.map(|(body, behind)| (String::from_utf8(body).unwrap(), behind)))
}

#[test]
fn a_body_of_known_length_ends_with_its_last_byte() {
    assert_eq!(read(BodyLength::Known(5), b"helloGET"), Ok(Some((b"hello".to_vec(), 3))));
    assert_eq!(read(BodyLength::Known(5), b"hell"), Ok(None));
    let mut decoder = BodyDecoder::new(BodyLength::Known(5), &LIMITS);
    assert_eq!((decoder.at_least(), decoder.has_ended()), (5, false));
    decoder.next(b"he").unwrap();
    assert_eq!((decoder.at_least(), decoder.has_ended()), (3, false));
    decoder.next(b"lloGET").unwrap();
    assert_eq!((decoder.at_least(), decoder.has_ended()), (0, true));
    let decoder = BodyDecoder::new(BodyLength::Known(i64::MAX as u64), &LIMITS);
    assert_eq!(decoder.at_least(), i64::MAX as u64);
}

#[test]
fn an_empty_body_has_ended_before_it_begins() {
    let mut decoder = BodyDecoder::new(BodyLength::Empty, &LIMITS);
    assert!(decoder.has_ended());
    for _ in 0..2 {
        assert_eq!(decoder.next(b"GET"), Ok(Decoded { used: 0, event: Some(BodyEvent::End) }));
    }
}

#[test]
fn chunks_are_joined_and_what_is_about_them_is_dropped() {
    let body = |body: &str, behind| Ok(Some((body.to_owned(), behind)));
    for (text, expected) in [
        ("0\r\n\r\nGET", body("", 3)),
        ("5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", body("hello!", 0)),
        ("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", body("01234567890123456789", 0)),
        ("0000000000000001\r\na\r\n0000000000000000\r\n\r\n", body("a", 0)),
        ("1 ;\ta = b ; c=\"d;\\\"\t\" ;e\r\na\r\n0;f\r\n\r\n", body("a", 0)),
        ("2\r\n\r\n\r\n0\r\n\r\n", body("\r\n", 0)),
        ("1\r\na\r\n0\r\nA: b\r\nC:\r\n\r\nGET", body("a", 3)),
        ("1\r\na\r\n0\r\n\r", Ok(None)),
        ("1\r\na\r\n0\r\nA: b\r\n", Ok(None)),
    ] {
        assert_eq!(chunked(text), expected, "{text:?}");
    }
    let mut decoder = BodyDecoder::new(BodyLength::Chunked, &LIMITS);
    assert_eq!(decoder.next(b"5\r\nhe"), Ok(Decoded { used: 5, event: Some(BodyEvent::Piece(3..5)) }));
    assert_eq!((decoder.at_least(), decoder.has_ended()), (3, false));
}

#[test]
fn chunks_that_are_none_are_refused() {
    use Refusal::*;
    let extension = |size: usize| format!("1;{}\r\na\r\n0\r\n\r\n", "a".repeat(size));
    assert_eq!(chunked(&extension(255)), Ok(Some(("a".to_owned(), 0))));
    let chunk = format!("1;{}\r\na\r\n", "a".repeat(255));
    let most = chunk.repeat(32);
    assert_eq!(chunked(&format!("{most}0\r\n\r\n")), Ok(Some(("a".repeat(32), 0))));
    let many = format!("{most}0;a\r\n\r\n");
    for (text, refusal) in [
        ("\r\n", ChunkSize),
        ("g\r\n", ChunkSize),
        ("0x1\r\n", ChunkSize),
        ("+1\r\n", ChunkSize),
        ("-1\r\n", ChunkSize),
        (" 1\r\n", ChunkSize),
        (" ;a\r\n", ChunkSize),
        ("1 \r\n", ChunkSize),
        ("1\t\r\n", ChunkSize),
        ("1 a\r\n", ChunkSize),
        ("1,\r\n", ChunkSize),
        ("\u{661}\r\n", ChunkSize),
        (";a\r\n", ChunkSize),
        ("00000000000000001\r\n", ChunkSize),
        ("8000000000000000\r\n", ChunkSize),
        ("ffffffffffffffff\r\n", ChunkSize),
        ("1\n", BareLf),
        ("1\ra", BareCr),
        ("1\0", ControlByte),
        ("1;a\n", BareLf),
        ("1;a\0", ControlByte),
        ("1;\r\n", ChunkExtension),
        ("1;a=\r\n", ChunkExtension),
        ("1;a \r\n", ChunkExtension),
        ("1;a= b \r\n", ChunkExtension),
        ("1;;a\r\n", ChunkExtension),
        ("1;a;\r\n", ChunkExtension),
        ("1;=a\r\n", ChunkExtension),
        ("1;a=b=c\r\n", ChunkExtension),
        ("1;a b\r\n", ChunkExtension),
        ("1;a=\"b\r\n", ChunkExtension),
        ("1;a=\"b\n\"\r\n", BareLf),
        ("1;a=\"\\\n\"\r\n", BareLf),
        ("1;a=\"b\"c\r\n", ChunkExtension),
        ("1;a=\"b\"c;d\r\n", ChunkExtension),
        ("1;a=b@;c\r\n", ChunkExtension),
        ("1;@\r\n", ChunkExtension),
        (&extension(256), ChunkExtension),
        (&many, ChunkExtension),
        ("1\r\nab\r\n", ChunkEnd),
        ("1\r\na\n", BareLf),
        ("1\r\na\rb", BareCr),
        ("1\r\na0\r\n\r\n", ChunkEnd),
    ] {
        assert_eq!(chunked(text), Err(refusal), "{text:?}");
    }
    assert_eq!(chunked("7fffffffffffffff\r\n"), Ok(None));
}

#[test]
fn trailers_obey_the_rules_of_heads() {
    use Refusal::*;
    for (trailers, refusal) in [
        ("\n", BareLf),
        ("\ra", BareCr),
        ("A: b\n", BareLf),
        ("A: b\rc", BareCr),
        ("A: \0", ControlByte),
        ("A : b", SpaceBeforeColon),
        (": b", FieldName),
        ("A\r\n", FieldName),
        (" A: b", ObsFold),
        ("A: b\r\n c", ObsFold),
        ("A:\r\nB:\r\nC:\r\nD:\r\nE:\r\n\r\n", TooManyFields),
        (&format!("A: {}\r\n\r\n", "a".repeat(58)), TrailersTooLarge),
        (&format!("A: {}", "a".repeat(61)), TrailersTooLarge),
    ] {
        assert_eq!(chunked(&format!("0\r\n{trailers}")), Err(refusal), "{trailers:?}");
    }
    let largest = format!("0\r\nA: {}\r\n\r\n", "a".repeat(57));
    assert_eq!(chunked(&largest), Ok(Some((String::new(), 0))));
}

#[test]
fn a_refused_body_stays_refused() {
    let mut decoder = BodyDecoder::new(BodyLength::Chunked, &LIMITS);
    assert_eq!(decoder.next(b"x"), Err(Refusal::ChunkSize));
    assert_eq!(decoder.next(b"0\r\n\r\n"), Err(Refusal::ChunkSize));
    assert!(!decoder.has_ended());
}
