//! The golden vectors in `tests/vectors/`: what this crate and bincode write today is what is written there.
//!
//! Each file is made anew and compared byte for byte, then read back and decoded. `CALLGATE_BLESS=1` writes the files
//! instead; a change to one of them is a change of the protocol, and has to be argued for as such.

mod frames;
mod hello;
mod schema;
mod streams;
mod values;

use serde::Serialize;
use std::path::PathBuf;

/// Compares a file of vectors with what is produced now, or writes it.
fn check(name: &str, vectors: &impl Serialize) {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors")).join(name);
    let produced = serde_json::to_string_pretty(vectors).expect("vectors are JSON") + "\n";
    if std::env::var_os("CALLGATE_BLESS").is_some() {
        std::fs::write(&path, &produced).expect("the folder is there");
    }
    let kept = std::fs::read_to_string(&path).expect("the vectors are kept in the repository");
    let line = kept.lines().zip(produced.lines()).position(|(a, b)| a != b);
    assert!(kept == produced, "{name} differs from line {:?} on", line.map(|n| n + 1));
}

/// The kept file, to be decoded.
fn kept(name: &str) -> serde_json::Value {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors")).join(name);
    let text = std::fs::read_to_string(path).expect("the vectors are kept in the repository");
    serde_json::from_str(&text).expect("the vectors are JSON")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &serde_json::Value) -> Vec<u8> {
    let digits = text.as_str().expect("a string of hex digits").as_bytes().chunks(2);
    digits
        .map(|pair| {
            let pair = std::str::from_utf8(pair).expect("ASCII");
            u8::from_str_radix(pair, 16).expect("hex digits")
        })
        .collect()
}
