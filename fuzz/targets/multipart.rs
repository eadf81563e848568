//! A boundary and any bytes as a form of several parts: its parts stand there, and written again they are the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::forms::multipart(input));
