//! Any bytes as frames of WebSocket: cut anywhere they are the same, and what another reading of the RFC says.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::http1::websocket(input));
