//! The invariants of ARCHITECTURE.md that can be read off the sources.

#![allow(clippy::unwrap_used)]

use callgate_tests::modules::{Cycle, Modules};
use std::fs;
use std::path::{Path, PathBuf};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// All Rust sources beneath a folder of the workspace, with their texts.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![workspace().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(workspace()).unwrap().to_path_buf(), text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has sources");
    found
}

/// Asserts that none of `words` occurs in the sources beneath `folder`, but in files under one of `except`.
fn only(folder: &str, words: &[&str], except: &[&str]) {
    for (path, text) in sources(folder) {
        if except.iter().any(|allowed| path.starts_with(allowed)) {
            continue;
        }
        for word in words {
            assert!(!text.contains(word), "{} names `{word}`", path.display());
        }
    }
}

#[test]
fn hyper_is_named_by_admin_and_the_client_only() {
    only("gateway/src", &["hyper", "http_body"], &["gateway/src/admin", "gateway/src/http_client"]);
}

#[test]
fn the_library_of_http_2_is_named_where_it_is_spoken_only() {
    // A body of it is read where bodies are read.
    let body = "gateway/src/front/body/stream.rs";
    // Headers that the gateway itself sends are read as its client takes them.
    let except = ["gateway/src/front/http2", body, "gateway/src/config/settings/traces.rs"];
    only("gateway/src", &["h2::", "http::header", "http::{"], &except);
}

#[test]
fn pingora_is_named_by_the_process_set_up_only_and_its_hash_ring_by_ours() {
    only("gateway/src", &["pingora_core"], &["gateway/src/process/chassis.rs"]);
    only(
        "gateway/src",
        &["pingora"],
        &["gateway/src/process/chassis.rs", "gateway/src/backends/ring.rs", "gateway/src/backends/ring"],
    );
}

#[test]
fn the_resolver_is_named_where_questions_are_asked_only() {
    only("gateway/src", &["hickory"], &["gateway/src/discovery/dns/ask.rs"]);
}

#[test]
fn pure_crates_do_no_io() {
    let io = [
        "TcpStream",
        "UdpSocket",
        "UnixStream",
        "std::fs",
        "std::time",
        "std::thread",
        "std::process",
        "std::env",
        "tokio",
        "async fn",
    ];
    // Health, certificates and tokens are given times, but read none.
    let of_health = io.map(|word| if word == "std::time" { "::now" } else { word });
    for (folder, io) in [
        ("protocol/src", io),
        ("transcode/src", io),
        ("json-schema/src", io),
        ("rules/src", io),
        ("http1/src", io),
        ("health/src", of_health),
        ("tls/src", of_health),
        ("auth/src", of_health),
    ] {
        for (path, text) in sources(folder) {
            // Their tests may read files, such as golden vectors.
            if path.components().any(|part| part.as_os_str().to_string_lossy().contains("test")) {
                continue;
            }
            let code = text.split("#[cfg(test)]").next().unwrap();
            for word in io {
                assert!(!code.contains(word), "{} names `{word}`", path.display());
            }
        }
    }
}

/// Whoever looks a header up takes the first of several lines without a thought; `fields` makes each reader say how it reads.
#[test]
fn headers_of_requests_are_looked_up_in_one_place() {
    let lookups = [
        ".fields().",
        "fields.iter",
        "fields.known",
        "fields.each",
        "fields.lines",
        ".known(",
        ".each_known(",
        "Fields::",
        // Those that hyper has.
        "headers().",
        ".get_all(",
        ".contains_key(",
    ];
    let front = sources("gateway/src/front");
    for (path, text) in front.into_iter().chain(sources("gateway/src/steps")) {
        let code = text.split("#[cfg(test)]").next().unwrap();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let line: String = line.split_whitespace().collect();
            let found = lookups.iter().find(|word| line.contains(**word));
            assert!(found.is_none(), "{} looks a header up by itself: {line}", path.display());
        }
    }
}

#[test]
fn the_gateway_does_not_link_the_sdk() {
    let manifest = fs::read_to_string(workspace().join("gateway/Cargo.toml")).unwrap();
    assert!(!manifest.contains("callgate-sdk"));
}

#[test]
fn every_source_file_says_what_it_owns() {
    for folder in [
        "protocol/src",
        "http1/src",
        "health/src",
        "tls/src",
        "auth",
        "otlp",
        "transcode/src",
        "json-schema/src",
        "rules/src",
        "rules/tests",
        "backend-sdk",
        "gateway/src",
        "fuzz",
        "examples/checkout/src",
        "examples/shop/src",
        "tests/src",
        "tests/chaos",
        "tests/overload",
    ] {
        for (path, text) in sources(folder) {
            // Cases of macro tests are programs of users, not of ours.
            if path.starts_with("backend-sdk/tests/compile") {
                continue;
            }
            assert!(text.starts_with("//!"), "{} does not open with what it owns", path.display());
        }
    }
}

#[test]
fn unsafe_code_is_forbidden_everywhere() {
    let manifest = fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"forbid\""));
    for member in [
        "protocol",
        "http1",
        "health",
        "tls",
        "auth",
        "otlp",
        "transcode",
        "json-schema",
        "rules",
        "backend-sdk",
        "backend-sdk/macros",
        "gateway",
        "examples/checkout",
        "examples/shop",
        "tests",
        "tests/chaos",
        "tests/overload",
    ] {
        let manifest = fs::read_to_string(workspace().join(member).join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{member} keeps the workspace's lints");
    }
    // libFuzzer calls its programs by a function's name, which is unsafe to give; what they do is the library's.
    let fuzz = fs::read_to_string(workspace().join("fuzz/src/lib.rs")).unwrap();
    assert!(fuzz.contains("#![forbid(unsafe_code)]"));
}

/// cargo reads the manifest of each member, whichever it builds. So an image is built only where its context has all of them.
#[test]
fn each_member_of_the_workspace_is_let_into_the_images_context() {
    let manifest = fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    let members = manifest.split("members = [").nth(1).unwrap().split(']').next().unwrap();
    let members: Vec<&str> = members.split(',').map(|member| member.trim().trim_matches('"')).collect();
    assert!(members.len() > 10, "{members:?}");
    let ignored = fs::read_to_string(workspace().join("deploy/docker/Dockerfile.dockerignore")).unwrap();
    let let_in: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    for member in members {
        let folder = member.split('/').next().unwrap();
        assert!(let_in.contains(&folder), "{folder} is not let in by Dockerfile.dockerignore, for {member}");
    }
}

/// Two modules that use each other can neither be read nor changed alone.
#[test]
fn no_modules_of_the_gateway_use_each_other_in_a_circle() {
    let sources = sources("gateway/src");
    let files = sources.iter().map(|(path, text)| {
        let path = path.strip_prefix("gateway/src").unwrap().to_str().unwrap();
        (path, text.as_str())
    });
    let modules = Modules::read(files.filter(|(path, _)| *path != "main.rs")).unwrap();
    let cycles: Vec<String> = modules.cycles().iter().map(Cycle::to_string).collect();
    assert!(cycles.is_empty(), "{}", cycles.join("\n"));
}
