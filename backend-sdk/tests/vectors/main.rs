//! `tests/vectors/macros.json`: the schemas that the macros make, of one type of every kind. They are the same in every
//! process, and `tests/vectors/verify` makes the same from what the page says. `CALLGATE_BLESS=1` writes the file.
#![allow(dead_code, reason = "the types are described, not used")]

mod every;

use callgate_protocol::schema::MethodSchema;
use callgate_sdk::service::{Dispatch, Method};
use every::{BY_HAND, EveryServer, Nobody};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};

fn methods() -> Vec<&'static Method> {
    EveryServer::new(Nobody).methods().iter().chain([&BY_HAND]).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_macros_make_what_the_vectors_say() {
    let entry = |method: &&'static Method| {
        let schema = method.schema().expect("its types can be described");
        assert_eq!(MethodSchema::decode(&schema.encoded).as_ref(), Ok(&schema.schema));
        assert_eq!(schema.schema.canonical(), schema.schema, "{}", method.name);
        json!({
            "method": method.name,
            "hex": hex(&schema.encoded),
            "fingerprint": schema.fingerprint.to_string(),
            "wire_form": hex(&schema.schema.wire_form()),
            "wire_fingerprint": schema.wire.to_string(),
        })
    };
    let made: Value = methods().iter().map(entry).collect();
    let made = serde_json::to_string_pretty(&made).expect("they are JSON") + "\n";
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/macros.json"));
    if std::env::var_os("CALLGATE_BLESS").is_some() {
        std::fs::write(path, &made).expect("the folder is there");
    }
    let kept = std::fs::read_to_string(path).expect("the vectors are kept in the repository");
    let line = kept.lines().zip(made.lines()).position(|(a, b)| a != b);
    assert!(kept == made, "macros.json differs from line {:?} on", line.map(|n| n + 1));
}

/// Tells a copy of this program that it is one of the hundred.
const ONE_OF_MANY: &str = "CALLGATE_TEST_ONE_OF_MANY";

#[test]
fn fingerprints_are_equal_in_a_hundred_processes() {
    if std::env::var_os(ONE_OF_MANY).is_some() {
        for method in methods() {
            let schema = method.schema().expect("its types can be described");
            println!("{} {} {}", method.name, schema.fingerprint, schema.wire);
        }
        return;
    }
    let this = std::env::current_exe().expect("this program has a path");
    let start = || {
        Command::new(&this)
            .args(["--exact", "--nocapture", "fingerprints_are_equal_in_a_hundred_processes"])
            .env(ONE_OF_MANY, "")
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts once more")
    };
    let mut said = Vec::new();
    for _ in 0..20 {
        let started: Vec<_> = (0..5).map(|_| start()).collect();
        for child in started {
            let output = child.wait_with_output().expect("it ends");
            assert!(output.status.success());
            let text = String::from_utf8(output.stdout).expect("it writes text");
            let lines: Vec<String> = text
                .lines()
                .filter(|line| methods().iter().any(|m| line.starts_with(&format!("{} ", m.name))))
                .map(str::to_owned)
                .collect();
            assert_eq!(lines.len(), methods().len(), "{text}");
            said.push(lines);
        }
    }
    assert_eq!(said.len(), 100);
    assert!(said.iter().all(|lines| *lines == said[0]));
}
