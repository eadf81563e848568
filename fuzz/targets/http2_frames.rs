//! Any bytes as frames of HTTP/2, cut anywhere: the same are seen.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::http2::http2_frames(input));
