//! Which codings are read; that what was coded comes back, whatever it is; and that what comes out has its bounds.

use super::*;
use crate::fields::request;
use proptest::prelude::*;
use std::future::poll_fn;
use std::io::Write;

const MIB: usize = 1 << 20;

fn encode(coding: Coding, bytes: &[u8]) -> Vec<u8> {
    match coding {
        Coding::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(bytes).expect("it is memory");
            encoder.finish().expect("it is memory")
        }
        Coding::Brotli => {
            let mut encoded = Vec::new();
            let mut encoder = brotli::CompressorWriter::new(&mut encoded, 4096, 9, 22);
            encoder.write_all(bytes).expect("it is memory");
            drop(encoder);
            encoded
        }
        Coding::Zstd => zstd::encode_all(bytes, 19).expect("it is memory"),
    }
}

/// What that comes to, how often others could work meanwhile, and the most room that it took.
fn decode(
    coding: Coding,
    encoded: &[u8],
    most: usize,
    room: usize,
) -> (Result<Vec<u8>, String>, usize, usize) {
    let (buffers, budget) = (Buffers::default(), Budget::new(room));
    let bounds = Bounds { most, free: super::super::content::LONG, budget: &budget, buffers: &buffers };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let (mut stops, mut peak) = (0, 0);
    let result = {
        let mut decoding = pin!(super::decode(coding, encoded, &bounds));
        runtime.block_on(poll_fn(|cx| {
            let polled = decoding.as_mut().poll(cx);
            peak = peak.max(budget.used());
            stops += usize::from(polled.is_pending());
            polled
        }))
    };
    let result = result.map(|(content, stepped)| {
        assert_eq!(stepped, stops > 0);
        content.bytes(b"").to_vec()
    });
    assert_eq!(budget.used(), 0);
    (result.map_err(|failure| failure.detail().into_owned()), stops, peak)
}

fn told(coding: Coding) -> Result<Vec<u8>, String> {
    Err(format!("the body is not the {} that its Content-Encoding says", coding.name()))
}

#[test]
fn a_body_has_one_coding_at_most() {
    for (lines, expected) in [
        (&[][..], Ok(None)),
        (&["identity"], Ok(None)),
        (&[""], Ok(None)),
        (&["gzip"], Ok(Some(Coding::Gzip))),
        (&["X-GZip"], Ok(Some(Coding::Gzip))),
        (&["br"], Ok(Some(Coding::Brotli))),
        (&["zstd, identity"], Ok(Some(Coding::Zstd))),
        (&["gzip, gzip"], Err("gzip, br, zstd")),
        (&["gzip", "br"], Err("gzip, br, zstd")),
        (&["deflate"], Err("gzip, br, zstd")),
        (&["compress"], Err("gzip, br, zstd")),
        (&["gzip;q=1"], Err("gzip, br, zstd")),
    ] {
        let lines: Vec<(&str, &str)> = lines.iter().map(|line| ("content-encoding", *line)).collect();
        let request = request(&lines);
        let found = |may| {
            of(request.fields(), may).map_err(|failure| match failure {
                Failure::UnsupportedEncoding(codings) => codings,
                other => panic!("{other:?}"),
            })
        };
        assert_eq!(found(true), expected, "{lines:?}");
        let switched_off = if expected == Ok(None) { Ok(None) } else { Err("identity") };
        assert_eq!(found(false), switched_off, "{lines:?}");
    }
}

#[test]
fn what_was_coded_comes_back_in_steps() {
    let long: Vec<u8> = (0..MIB as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for coding in Coding::ALL {
        for bytes in [&b""[..], b"{\"a\":1}"] {
            let (found, stops, peak) = decode(coding, &encode(coding, bytes), 100, 0);
            assert_eq!((found, stops, peak), (Ok(bytes.to_vec()), 0, 0), "{coding:?}");
        }
        for bytes in [long.clone(), vec![b'a'; MIB]] {
            let (found, stops, peak) = decode(coding, &encode(coding, &bytes), MIB, 64 * MIB);
            assert!(found == Ok(bytes), "{coding:?}");
            assert!((8..64).contains(&stops), "{coding:?}: {stops}");
            assert!((MIB..MIB + window(coding) + 1).contains(&peak), "{coding:?}: {peak}");
        }
    }
}

#[test]
fn a_bomb_is_refused_within_the_bound_whatever_it_would_become() {
    for coding in Coding::ALL {
        let bomb = encode(coding, &vec![0; 64 * MIB]);
        assert!(bomb.len() < 100_000, "{coding:?}: {}", bomb.len());
        let (found, _, peak) = decode(coding, &bomb, MIB, 64 * MIB);
        assert_eq!(found, Err("the request is larger than 1048576 bytes".to_owned()), "{coding:?}");
        assert!(peak <= MIB + window(coding), "{coding:?}: {peak}");
        let (found, _, _) = decode(coding, &bomb, 128 * MIB, MIB);
        assert_eq!(found, Err(Failure::Shed(crate::failure::ShedReason::Memory).detail().into_owned()));
        for exact in [MIB, MIB - 1] {
            let (found, ..) = decode(coding, &encode(coding, &vec![7; MIB]), exact, 64 * MIB);
            assert_eq!(found.is_ok(), exact == MIB, "{coding:?}");
        }
    }
}

#[test]
fn several_members_are_one_body_and_anything_else_behind_it_is_refused() {
    for coding in [Coding::Gzip, Coding::Zstd] {
        let twice = [encode(coding, b"ab"), encode(coding, b""), encode(coding, b"c")].concat();
        assert_eq!(decode(coding, &twice, 100, 0).0, Ok(b"abc".to_vec()), "{coding:?}");
    }
    for coding in Coding::ALL {
        let whole = encode(coding, b"a body that has some length, a body that has some length");
        for garbage in [&b"\0"[..], b"x", b"\x1f\x8b", b"{}", &[0; 100]] {
            assert_eq!(decode(coding, &[&whole, garbage].concat(), 1000, 0).0, told(coding), "{garbage:?}");
        }
        for end in 1..whole.len() {
            assert_eq!(decode(coding, &whole[..end], 1000, 0).0, told(coding), "{coding:?} {end}");
        }
        assert_eq!(decode(coding, b"{\"a\":1}", 1000, 0).0, told(coding));
    }
}

#[test]
fn many_members_without_content_end_steps_too() {
    for coding in [Coding::Gzip, Coding::Zstd] {
        let empty = encode(coding, b"");
        let many = empty.repeat(4 * STEP / empty.len());
        let (found, stops, _) = decode(coding, &many, 100, 64 * MIB);
        assert_eq!(found, Ok(Vec::new()), "{coding:?}");
        assert!(stops >= 3, "{coding:?}: {stops}");
    }
}

#[test]
fn a_window_that_is_too_large_and_an_old_format_are_refused() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
    encoder.window_log(24).expect("it is possible");
    encoder.write_all(&[1; 100]).expect("it is memory");
    let large = encoder.finish().expect("it is memory");
    assert_eq!(decode(Coding::Zstd, &large, 1000, 0).0, told(Coding::Zstd));
    // The magic number of zstd 0.7.
    assert_eq!(decode(Coding::Zstd, b"\x27\xb5\x2f\xfd\0\0\0\0", 1000, 0).0, told(Coding::Zstd));
    // A skippable frame stands for nothing.
    let skipped = [&b"\x50\x2a\x4d\x18\x03\0\0\0abc"[..], &encode(Coding::Zstd, b"x")].concat();
    assert_eq!(decode(Coding::Zstd, &skipped, 1000, 0).0, Ok(b"x".to_vec()));
    // The first byte of a stream with a large window, which RFC 7932 does not know.
    assert_eq!(decode(Coding::Brotli, b"\x11\x1e\x03", 1000, 0).0, told(Coding::Brotli));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_is_coded_comes_back_and_any_bytes_are_read_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        changed in any::<prop::sample::Index>(),
        to in any::<u8>(),
    ) {
        for coding in Coding::ALL {
            let mut encoded = encode(coding, &bytes);
            prop_assert_eq!(decode(coding, &encoded, 300, 0).0, Ok(bytes.clone()));
            let at = changed.index(encoded.len());
            encoded[at] = to;
            if let Ok(read) = decode(coding, &encoded, 300, 64 * MIB).0 {
                prop_assert!(read.len() <= 300);
            }
        }
    }
}
