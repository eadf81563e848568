//! One body on its way into a coding. It is given piece by piece, and what has come of it can be taken away meanwhile.

use super::Coding;
use brotli::CompressorWriter;
use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{self, Write};
use std::mem;

/// What an encoder takes beside what has come of its body, in bytes; none takes more.
pub const MEMORY: usize = 4 << 20;

/// How far back encoders look for what comes again, as a power of two in bytes. Text repeats itself soon, and memory grows with it.
const WINDOW: u32 = 18;

/// A level of zstd. 3 is its usual one.
const ZSTD: i32 = 3;
/// A level of Brotli. One more takes two to four times as long.
const BROTLI: i32 = 4;
/// A level of gzip. Its usual one, 6, takes twice as long for a body that is a fifteenth shorter.
const GZIP: u32 = 4;

/// For longer bodies Brotli would take tables of several MiB, in bytes.
const MAX_HINT: usize = (1 << 20) - 1;

/// What Brotli writes at once, in bytes.
const BUFFER: usize = 4096;

/// An encoder.
pub struct Encoder(Kind);

enum Kind {
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Gzip(GzEncoder<Vec<u8>>),
}

impl Encoder {
    /// One for a body of that length.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn new(coding: Coding, length: u64) -> io::Result<Encoder> {
        Ok(Encoder(match coding {
            Coding::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD)?;
                encoder.window_log(WINDOW)?;
                // A short body needs small tables.
                encoder.set_pledged_src_size(Some(length))?;
                Kind::Zstd(encoder)
            }
            Coding::Brotli => {
                let size_hint = usize::try_from(length).map_or(MAX_HINT, |length| length.min(MAX_HINT));
                let lgwin = WINDOW as i32;
                let params = BrotliEncoderParams {
                    quality: BROTLI,
                    lgwin,
                    size_hint,
                    ..BrotliEncoderParams::default()
                };
                Kind::Brotli(Box::new(CompressorWriter::with_params(Vec::new(), BUFFER, &params)))
            }
            Coding::Gzip => Kind::Gzip(GzEncoder::new(Vec::new(), Compression::new(GZIP))),
        }))
    }

    /// Takes the next piece of the body.
    ///
    /// # Errors
    /// There is no memory for what comes of it.
    pub fn put(&mut self, piece: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            Kind::Zstd(encoder) => encoder.write_all(piece),
            Kind::Brotli(encoder) => encoder.write_all(piece),
            Kind::Gzip(encoder) => encoder.write_all(piece),
        }
    }

    /// What has come of it since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        mem::take(self.written())
    }

    /// How much has come of it since the last time, in bytes.
    pub fn ready(&mut self) -> usize {
        self.written().len()
    }

    /// The rest, with the end of the body.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub fn finish(self) -> io::Result<Vec<u8>> {
        match self.0 {
            Kind::Zstd(encoder) => encoder.finish(),
            Kind::Brotli(encoder) => Ok(encoder.into_inner()),
            Kind::Gzip(encoder) => encoder.finish(),
        }
    }

    fn written(&mut self) -> &mut Vec<u8> {
        match &mut self.0 {
            Kind::Zstd(encoder) => encoder.get_mut(),
            Kind::Brotli(encoder) => encoder.get_mut(),
            Kind::Gzip(encoder) => encoder.get_mut(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Read;

    fn decoded(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match coding {
            Coding::Zstd => out = zstd::stream::decode_all(bytes).expect("a frame"),
            Coding::Brotli => {
                brotli::Decompressor::new(bytes, 4096).read_to_end(&mut out).map(drop).expect("a stream");
            }
            Coding::Gzip => {
                flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).map(drop).expect("a member");
            }
        }
        out
    }

    /// A body in a coding, put and taken in pieces of that length.
    fn encoded(coding: Coding, body: &[u8], piece: usize) -> Vec<u8> {
        let mut encoder = Encoder::new(coding, body.len() as u64).expect("memory");
        let mut all = Vec::new();
        for piece in body.chunks(piece) {
            encoder.put(piece).expect("memory");
            let ready = encoder.ready();
            let taken = encoder.take();
            assert_eq!(taken.len(), ready);
            all.extend(taken);
        }
        all.extend(encoder.finish().expect("memory"));
        all
    }

    #[test]
    fn a_body_comes_back_however_it_was_cut_and_text_is_shorter_meanwhile() {
        let item = |n: u32| format!("{{\"id\":{n},\"name\":\"item {n}\",\"price\":\"{}.99\"}},", n * 7 % 300);
        let body: String = (0..20_000).map(item).collect();
        for coding in Coding::ALL {
            for length in [0, 1, 1000, body.len()] {
                let body = &body.as_bytes()[..length];
                for piece in [997, 32 * 1024, 1 << 20] {
                    let encoded = encoded(coding, body, piece);
                    assert!(length < 1000 || encoded.len() * 3 < length, "{coding:?} {}", encoded.len());
                    assert_eq!(decoded(coding, &encoded), body, "{coding:?} {length} {piece}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(body in proptest::collection::vec(any::<u8>(), 0..5000), piece in 1..6000_usize) {
            for coding in Coding::ALL {
                prop_assert_eq!(decoded(coding, &encoded(coding, &body, piece)), &body[..]);
            }
        }
    }
}
