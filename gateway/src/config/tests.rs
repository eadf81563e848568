//! What the files may say and what is said about those that are wrong: through [`check`], so that the code behind can
//! move. The expected text is what a person sees.

use super::*;
use callgate_protocol::CallId;
use callgate_transcode::{Body, Int64, Response, UnknownFields};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Tables from files, written one after another, each after a line `-- name`; one file without such a line is `t.toml`.
fn tables(files: &str) -> Result<Tables, Diagnostics> {
    let mut sources = Vec::new();
    match files.starts_with("-- ") {
        false => sources.push(Source::new("t.toml", files)),
        true => {
            for file in files.split("-- ").skip(1) {
                let (name, text) = file.split_once('\n').unwrap();
                sources.push(Source::new(name, text));
            }
        }
    }
    Tables::parse(sources)
}

/// Checks what a table says, or what is said about it.
#[track_caller]
fn check(files: &str, expected: &str) {
    let seen = match tables(files) {
        Ok(tables) => tables
            .routes
            .iter()
            .map(|route| format!("{} {} → {}\n", route.method, route.path, route.call))
            .collect(),
        Err(diagnostics) => diagnostics.to_string(),
    };
    assert!(
        seen.trim_end() == expected.trim_matches('\n').trim_end(),
        "saw:\n{seen}\n\nexpected:\n{expected}"
    );
}

#[test]
fn p() {
    for t in [
        "[[routes]]\nmatch = \"GET /\"\ncall=\"a.b\"\n\n[[routes]]\nmatch = 'GET /x/{a}y'\n",
        "[backends.a]\nendpoints = [\"x:1\", 'X:1', 3, 'y']\nconnect_timeout=2\n[[routes]]\nmatch = \"GTE /\"\ncall=\"a.b\"\ntimout='3s'\nbackend='b'\n[a.b.\n",
        "[backends.a]\nendpoints = [\"x:1\", 'X:1', 3, 'y']\nconnect_timeout=2\nmax_calls=0\n[[routes]]\nmatch = \"GTE /\"\ncall=\"a.b\"\ntimout='3s'\nbackend='b'\n",
        "-- a.toml\n[backends.a]\nendpoints=['x:1']\n[[routes]]\nmatch='GET /a/{x}'\ncall=1\n-- b.toml\n\n[backends.a]\nendpoints=['x:1']\n[[routes]]\nmatch='GET /a/{y}'\ncall=0x1\n[[routes]]\nmatch='GET /a/{*y}'\ncall='0x0'\n[server]\nlisten=1\n",
    ] {
        match tables(t) {
            Ok(t) => println!("{t:?}"),
            Err(d) => println!("{d}\n  {}\n=======", d.summary()),
        }
    }
    println!(
        "{:?}",
        Tables::load(&[PathBuf::from("../routes")]).map(|t| t.hash.to_string())
    );
    println!("{:?}", Settings::load(Path::new("../config/gateway.toml")));
}
