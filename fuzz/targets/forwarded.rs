//! Any bytes as the lines of a `Forwarded` or `X-Forwarded-For`: who the client is.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::clients::forwarded(input));
