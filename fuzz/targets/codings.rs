//! A body in a coding: it comes to something within its bound, or is refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::codings::codings(input));
