//! Any bytes as a form: what is made of its fields is a message, and a part says what a text says.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::forms::forms(input));
