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
