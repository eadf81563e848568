//! Whatever stands in a file, it is read or complained of.

use super::*;
use proptest::prelude::*;

const TABLE: &str = r#"# A table with everything.
prefix = "/api"
metadata = ["x-tenant"]
backend = "shop"
[backends.sealed]
endpoints = ["sealed.internal:1"]
tls = { ca = "ca.pem", cert = "é.pem", key = { env = "KEY" }, server_name = "x.y" }
token = { file = "token" }
[backends.shop]
endpoints = ["127.0.0.1:7101", "unix:/run/é.sock", "dns:x.y:1", { address = "[::1]:1", drain = true }]
connect_timeout = "1.5s"
max_calls = 0x10
retry_budget = "10%"
hold = "2s"
[[routes]]
match = "POST /v1/{a.b}/é/{*rest}"
call = "orders.quote"
backend = 'shop'
timeout = """2s"""
idempotent = true
retry = { attempts = 2, on = ["lost"], per_try_timeout = "1s", hedge = "p95" }
rate_limit = [{ rate = "100/s", burst = 3, by = "header:x-e" }, "all"]
body = false
response = { wrap = "result", status = { field = "é.made", true = 201 }, metadata = ["x-cost"], links = { next = "/v1?after={next}&n={query.n}" }, headers = { location = "https://x.y/v1/{id}/{*path.rest}?q={a.b}#{id}", x-e = "{{{id}}}" } }
etag = "é.version"
errors = { out_of_stock = 409, "orders.gone" = 410, aborted = 423 }
[[routes]]
match = "GET /v1/{x}"
call = 7
unknown_fields = "ignore"
metadata = ["Cookie"]
[[routes]]
match = "GET /old/{id}/{*rest}"
redirect = { to = "https://[::1]:8443/new/{id}.x/{*rest}?q={id}#{id}", status = 303 }
[[routes]]
match = "GET /older/{id}"
rewrite = "/api/old/{id}/x"
[[routes]]
match = "GET /up"
respond = { status = 200, json = { up = [true, 1, 1.5] }, headers = { cache-control = "no-store" } }
[[certificates]]
names = ["api.example.com", "*.example.com"]
cert = "é.pem"
key = { env = "KEY" }
default = false
[limits.all]
rate = "5/h"
by = "api_key"
max_keys = 7
"#;

/// What is put in, at random places: what has a meaning somewhere.
const PARTS: [&str; 28] = [
    "\"",
    "'",
    "[",
    "]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "/",
    "*",
    "%",
    "\n",
    "\r",
    "\u{1b}",
    "é",
    "🦀",
    "0x",
    "-1",
    "[[routes]]\n",
    "match = ",
    "respond = ",
    "rewrite = \"/\"",
    "{*rest}",
    "..",
    "\"GET /{x}\"",
    "99999999999999999999",
    "\u{0}",
];

#[derive(Clone, Debug)]
enum Edit {
    Insert(usize, usize),
    Remove(usize, usize),
    Repeat(usize, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (any::<usize>(), 0..PARTS.len()).prop_map(|(at, part)| Edit::Insert(at, part)),
        (any::<usize>(), 1..20usize).prop_map(|(at, length)| Edit::Remove(at, length)),
        (any::<usize>(), 1..60usize).prop_map(|(at, length)| Edit::Repeat(at, length)),
    ]
}

fn apply(text: &str, edits: &[Edit]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for edit in edits {
        let spot = |at: usize| at % (chars.len() + 1);
        match *edit {
            Edit::Insert(at, part) => drop(chars.splice(spot(at)..spot(at), PARTS[part].chars()).count()),
            Edit::Remove(at, length) => {
                let start = spot(at);
                chars.drain(start..(start + length).min(chars.len()));
            }
            Edit::Repeat(at, length) => {
                let start = spot(at);
                let piece = chars[start..(start + length).min(chars.len())].to_vec();
                chars.splice(start..start, piece);
            }
        }
    }
    chars.into_iter().collect()
}

/// Reads a text as both kinds of file, and shows what is wrong in every way.
fn read_and_show(text: &str) {
    let table =
        super::judge::read_tables(vec![Source::new("a.toml", text), Source::new("b.toml", TABLE)]).err();
    let settings = super::judge::read_settings(Source::new("gateway.toml", text), Some(text)).err();
    for diagnostics in [table, settings].into_iter().flatten() {
        assert!(!diagnostics.render(false).contains('\u{1b}'));
        assert!(!diagnostics.render(true).is_empty());
        assert!(!diagnostics.summary().is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_table_with_random_edits_is_read_or_complained_of(edits in prop::collection::vec(edit(), 1..8)) {
        read_and_show(&apply(TABLE, &edits));
    }

    #[test]
    fn random_text_is_read_or_complained_of(text in "\\PC{0,80}", parts in prop::collection::vec(0..PARTS.len(), 0..12)) {
        let parts: String = parts.into_iter().map(|part| PARTS[part]).collect();
        read_and_show(&format!("{text}{parts}"));
    }

    #[test]
    fn a_path_that_is_taken_never_fails_in_the_router(path in "(/[a-c{}*.:%A]{0,5}){1,20}") {
        let table = TABLE.replace("/v1/{x}", &path);
        if let Ok(tables) = tables(&table) {
            let mut router = matchit::Router::new();
            prop_assert!(router.insert(tables.routes[1].matcher.path.as_str(), ()).is_ok());
        }
    }
}

#[test]
fn tables_nested_without_end_are_complained_of() {
    for text in [format!("a = {}", "[".repeat(100_000)), format!("{}x = 1", "a.".repeat(10_000))] {
        read_and_show(&text);
    }
}
