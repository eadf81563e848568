//! Fields and an item as an event: a browser hears that event, or it is not sent.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::events::events(input));
