//! The primitives held against bincode's own.

use super::*;
use proptest::prelude::*;

fn bincode_of<T: serde::Serialize>(value: T) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, bincode::config::standard()).expect("bincode encodes plain values")
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

proptest! {
    #![proptest_config(crate::generate::runs(256))]

    #[test]
    fn integers_are_written_as_bincode_writes_them(bits in 0u32..128, raw in any::<u128>()) {
        let v = raw >> bits;
        prop_assert_eq!(written(|o| put_varint(o, v as u64)), bincode_of(v as u64));
        prop_assert_eq!(written(|o| put_varint(o, v as u16 as u64)), bincode_of(v as u16));
        prop_assert_eq!(written(|o| put_varint128(o, v)), bincode_of(v));
        prop_assert_eq!(written(|o| put_zigzag(o, v as i64)), bincode_of(v as i64));
        prop_assert_eq!(written(|o| put_zigzag(o, v as i32 as i64)), bincode_of(v as i32));
        prop_assert_eq!(written(|o| put_zigzag128(o, v as i128)), bincode_of(v as i128));
    }

    #[test]
    fn what_is_written_is_read(v in any::<u128>(), c in any::<char>(), s in any::<String>()) {
        let bytes = written(|o| {
            put_varint(o, v as u32 as u64);
            put_zigzag(o, v as i64);
            put_varint128(o, v);
            put_zigzag128(o, v as i128);
            put_char(o, c);
            put_bytes(o, s.as_bytes());
        });
        let mut r = Reader::new(&bytes);
        prop_assert_eq!(r.varint(32), Ok(v as u32 as u64));
        prop_assert_eq!(r.zigzag(64), Ok(v as i64));
        prop_assert_eq!(r.varint128(), Ok(v));
        prop_assert_eq!(r.zigzag128(), Ok(v as i128));
        prop_assert_eq!(r.char(), Ok(c));
        prop_assert_eq!(r.str(), Ok(s.as_str()));
        prop_assert_eq!(r.remaining(), 0);
    }

    #[test]
    fn random_bytes_are_read_as_bincode_reads_them(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
        fn bincode_read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Option<(T, usize)> {
            bincode::serde::decode_from_slice(bytes, bincode::config::standard()).ok()
        }
        fn ours<'a, T>(bytes: &'a [u8], read: impl FnOnce(&mut Reader<'a>) -> Result<T, WireError>) -> Option<(T, usize)> {
            let mut reader = Reader::new(bytes);
            read(&mut reader).ok().map(|value| (value, reader.offset()))
        }
        prop_assert_eq!(ours(&bytes, |r| r.varint(16).map(|v| v as u16)), bincode_read::<u16>(&bytes));
        prop_assert_eq!(ours(&bytes, |r| r.varint(32).map(|v| v as u32)), bincode_read::<u32>(&bytes));
        prop_assert_eq!(ours(&bytes, |r| r.zigzag(64)), bincode_read::<i64>(&bytes));
        prop_assert_eq!(ours(&bytes, |r| r.varint128()), bincode_read::<u128>(&bytes));
        prop_assert_eq!(ours(&bytes, |r| r.char()), bincode_read::<char>(&bytes));
        prop_assert_eq!(ours(&bytes, |r| r.bool()), bincode_read::<bool>(&bytes));
    }
}

#[test]
fn a_length_that_claims_too_much_is_refused_without_allocating() {
    let bytes = written(|o| put_varint(o, u64::MAX));
    assert_eq!(Reader::new(&bytes).bytes(), Err(WireError::Truncated));
}

#[test]
fn integers_on_either_side_of_a_width_are_written_as_bincode_writes_them() {
    let edges = [0, 1, 250, 251, 252, 253, 254, 255, 256, 65_535, 65_536, u32::MAX.into(), 1 << 32, u64::MAX];
    for value in edges {
        assert_eq!(written(|o| put_varint(o, value)), bincode_of(value), "{value}");
        assert_eq!(written(|o| put_varint128(o, value.into())), bincode_of(u128::from(value)), "{value}");
        let bytes = bincode_of(value);
        assert_eq!(Reader::new(&bytes).varint(64), Ok(value));
        assert_eq!(Reader::new(&bytes).varint128(), Ok(value.into()));
        for signed in [value as i64, (value as i64).wrapping_neg()] {
            assert_eq!(written(|o| put_zigzag(o, signed)), bincode_of(signed), "{signed}");
            assert_eq!(
                written(|o| put_zigzag128(o, signed.into())),
                bincode_of(i128::from(signed)),
                "{signed}"
            );
            assert_eq!(Reader::new(&bincode_of(signed)).zigzag(64), Ok(signed));
            assert_eq!(Reader::new(&bincode_of(i128::from(signed))).zigzag128(), Ok(signed.into()));
        }
    }
    for value in [u128::from(u64::MAX) + 1, u128::MAX] {
        assert_eq!(written(|o| put_varint128(o, value)), bincode_of(value));
        assert_eq!(Reader::new(&bincode_of(value)).varint128(), Ok(value));
    }
}

#[test]
fn a_wider_integer_than_the_types_is_refused_and_a_longer_form_is_read() {
    let (two, four, eight) = ([251, 7, 0], [252, 7, 0, 0, 0], [253, 7, 0, 0, 0, 0, 0, 0, 0]);
    for (bytes, narrowest) in [(&two[..], 16), (&four[..], 32), (&eight[..], 64)] {
        for bits in [16, 32, 64] {
            let expected = if bits < narrowest { Err(WireError::IntegerOutOfRange) } else { Ok(7) };
            assert_eq!(Reader::new(bytes).varint(bits), expected, "{bytes:?} as {bits} bits");
        }
        assert_eq!(Reader::new(bytes).varint128(), Ok(7));
    }
    for mark in [254, 255] {
        assert_eq!(Reader::new(&[mark; 17]).varint(64), Err(WireError::IntegerOutOfRange));
    }
    assert_eq!(Reader::new(&[255; 17]).varint128(), Err(WireError::IntegerOutOfRange));
}

#[test]
fn a_reader_knows_what_it_has_read() {
    let mut reader = Reader::new(b"abcdef");
    assert_eq!((reader.offset(), reader.remaining()), (0, 6));
    assert_eq!(reader.since(0), b"");
    assert_eq!(reader.take(2), Ok(&b"ab"[..]));
    let begin = reader.offset();
    assert_eq!(reader.u8(), Ok(b'c'));
    assert_eq!(reader.array(), Ok(*b"de"));
    assert_eq!((reader.offset(), reader.remaining()), (5, 1));
    assert_eq!(reader.since(begin), b"cde");
    assert_eq!(reader.since(0), b"abcde");
    assert_eq!(reader.since(6), b"", "an offset that is still ahead");
    assert_eq!(reader.take(2), Err(WireError::Truncated));
    assert_eq!(reader.offset(), 5, "what cannot be read whole is not read in part");
}

#[test]
fn ascii_is_told_from_everything_else_at_any_length_and_place() {
    for length in 0..=40 {
        for plain in [0, b'a', 0x7f] {
            assert!(is_ascii(&vec![plain; length]), "{length} of {plain:#x}");
        }
        // One byte that is none, and two of them, which must not make up for each other.
        for first in 0..length {
            for second in first..length {
                let mut bytes = vec![b'a'; length];
                (bytes[first], bytes[second]) = (0x80, 0xff);
                assert!(!is_ascii(&bytes), "{length}: {first} and {second}");
            }
        }
        assert!(!is_ascii(&vec![0x80; length]) || length == 0);
    }
}

#[test]
fn a_string_is_passed_where_it_would_be_read() {
    for bytes in [
        &b"\x03abc"[..],
        "\u{4}\u{e9}\u{e9}".as_bytes(),
        b"\x02\xc3\xa9",
        b"\x01\xff",
        b"\x09aaaaaaaa\xc3",
        b"\x02a",
    ] {
        let (mut passed, mut read) = (Reader::new(bytes), Reader::new(bytes));
        assert_eq!(passed.skip_str(), read.str().map(drop), "{bytes:?}");
        assert_eq!(passed.offset(), read.offset());
    }
}

#[test]
fn fields_are_read_to_their_end() {
    let bytes = written(|o| {
        put_field(o, 7, b"seven");
        put_field(o, 8, b"");
    });
    let mut reader = Reader::new(&bytes);
    assert_eq!(reader.field(), Ok(Some((7, &b"seven"[..]))));
    assert_eq!(reader.field(), Ok(Some((8, &b""[..]))));
    assert_eq!(reader.field(), Ok(None));
}

#[test]
fn every_wire_error_has_words_of_its_own() {
    use WireError::*;
    let words: std::collections::BTreeSet<String> =
        [Truncated, IntegerOutOfRange, InvalidUtf8, InvalidBool].iter().map(WireError::to_string).collect();
    assert!(words.len() == 4 && !words.contains(""));
}
