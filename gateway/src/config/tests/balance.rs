//! What tables and gateway.toml may say of how calls are spread, and what is said about what will not do.

use super::*;

/// The only backend of a table, with more keys.
#[track_caller]
fn backend(more: &str) -> BackendSpec {
    tables(&format!("[backends.b]\nendpoints = ['x:1']\n{more}")).unwrap().backends.remove(0)
}

#[test]
fn a_backends_strategy_is_read() {
    let hash = |by, load_factor| Balance::Hash(HashSpec { by, load_factor });
    for (text, expected) in [
        ("", Balance::PeakEwma),
        ("balance = 'peak_ewma'", Balance::PeakEwma),
        ("balance = 'least_request'", Balance::LeastRequest),
        ("balance = 'round_robin'", Balance::RoundRobin),
        ("balance = 'random'", Balance::Random),
        ("balance = { hash = 'header:X-User' }", hash(HashBy::Header("x-user".into()), None)),
        ("balance.hash = 'path:user_id'", hash(HashBy::Path("user_id".into()), None)),
        (
            "balance = { hash = 'cookie:Session', load_factor = '125%' }",
            hash(HashBy::Cookie("Session".into()), Some(125)),
        ),
        ("balance = { hash = 'client', load_factor = '1000%' }", hash(HashBy::Client, Some(1000))),
    ] {
        let read = backend(text);
        assert_eq!(read.balance, expected, "{text}");
        assert_eq!(read == backend(""), expected == Balance::PeakEwma, "{text}");
        assert!(read.connects_like(&backend("")), "connections are made alike");
    }
}

#[test]
fn an_endpoints_weight_and_zone_are_read() {
    let text = "[backends.b]\nendpoints = ['x:1', { address = 'x:2', weight = 1000, zone = 'eu-1a' }]\n";
    let backend = tables(text).unwrap().backends.remove(0);
    let placements: Vec<(u32, Option<&str>)> =
        backend.endpoints.iter().map(|one| (one.placement.weight, one.placement.zone.as_deref())).collect();
    assert_eq!(placements, [(1, None), (1000, Some("eu-1a"))]);
}

#[test]
fn the_gateways_zone_is_the_files_or_the_environments() {
    let zone = |text: &str, variable: Option<&str>| {
        let source = Source::new("gateway.toml", text);
        Settings::parse_beside(source, None, variable).map(|settings| settings.server.zone)
    };
    assert_eq!(zone("", None).unwrap(), None);
    assert_eq!(zone("server.zone = 'a'", None).unwrap().as_deref(), Some("a"));
    assert_eq!(zone("server.zone = 'a'", Some("b")).unwrap().as_deref(), Some("b"));
    let error = zone("", Some("no zone")).unwrap_err().to_string();
    assert!(error.contains("CALLGATE_ZONE") && error.contains("cannot name a zone"), "{error}");
}

#[test]
fn strategies_weights_and_zones_that_will_not_do_are_told() {
    check(
        r#"
[backends.a]
endpoints = [{ address = "x:1", weight = 0, zone = "" }, { address = "x:2", weight = "2", zone = 7 }]
balance = "lest_request"
[backends.b]
endpoints = ["x:1"]
balance = "consistent_hash"
[backends.c]
endpoints = ["x:1"]
balance = { hash = "heder:x-user", load_factor = 125 }
[backends.d]
endpoints = ["x:1"]
balance = { hash = "header", load_factor = "100%" }
[backends.e]
endpoints = ["x:1"]
balance = { load_factor = "120%", hsh = "client" }
[backends.f]
endpoints = ["x:1"]
balance = { hash = "cookie:a b" }
[backends.g]
endpoints = ["x:1"]
balance = true
[backends.h]
endpoints = ["x:1"]
balance = "header:x-user""#,
        r#"
error: `weight` is out of bounds
 --> t.toml:3:42
  |
3 | endpoints = [{ address = "x:1", weight = 0, zone = "" }, { address = "x:2", weight = "2", zone = 7 }]
  |                                          ^ expected 1 to 1000

error: `` cannot name a zone
 --> t.toml:3:52
  |
3 | endpoints = [{ address = "x:1", weight = 0, zone = "" }, { address = "x:2", weight = "2", zone = 7 }]
  |                                                    ^^ expected 1 to 64 ASCII letters, digits, `_`, `-`, `.`

error: `weight` must be a whole number
 --> t.toml:3:86
  |
3 | endpoints = [{ address = "x:1", weight = 0, zone = "" }, { address = "x:2", weight = "2", zone = 7 }]
  |                                                                                      ^^^ this is a string

error: `zone` must be a string such as "eu-1a"
 --> t.toml:3:98
  |
3 | endpoints = [{ address = "x:1", weight = 0, zone = "" }, { address = "x:2", weight = "2", zone = 7 }]
  |                                                                                                  ^ this is an integer

error: there is no strategy `lest_request`
 --> t.toml:4:11
  |
4 | balance = "lest_request"
  |           ^^^^^^^^^^^^^^ expected a strategy, or { hash = … }
  |
  = help: did you mean `least_request`?

error: there is no strategy `consistent_hash`
 --> t.toml:7:11
  |
7 | balance = "consistent_hash"
  |           ^^^^^^^^^^^^^^^^^ expected a strategy, or { hash = … }
  |
  = help: write balance = { hash = "header:x-user" }

error: `heder` is nothing to hash by
  --> t.toml:10:21
   |
10 | balance = { hash = "heder:x-user", load_factor = 125 }
   |                     ^^^^^ not known
   |
   = help: did you mean `header`?

error: `load_factor` is a share of the average
  --> t.toml:10:50
   |
10 | balance = { hash = "heder:x-user", load_factor = 125 }
   |                                                  ^^^ percent?
   |
   = help: write "125%"

error: `header` is nothing to hash by
  --> t.toml:13:20
   |
13 | balance = { hash = "header", load_factor = "100%" }
   |                    ^^^^^^^^ expected `header:name`, `path:name`, `cookie:name`, `client`, `identity` or `claim:name`
   |
   = help: which one? write "header:name"

error: `100%` is no load factor
  --> t.toml:13:44
   |
13 | balance = { hash = "header", load_factor = "100%" }
   |                                            ^^^^^^ expected "101%" to "1000%"

error: `balance` as a table needs `hash`
  --> t.toml:16:11
   |
16 | balance = { load_factor = "120%", hsh = "client" }
   |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ by what?
   |
   = help: write { hash = "header:x-user" }

error: unknown key `hsh` in `balance`
  --> t.toml:16:35
   |
16 | balance = { load_factor = "120%", hsh = "client" }
   |                                   ^^^ not known here
   |
   = help: did you mean `hash`?

error: not a cookie's name
  --> t.toml:19:28
   |
19 | balance = { hash = "cookie:a b" }
   |                            ^^^ expected letters, digits, `-`, `_`, `.`

error: `balance` must be a strategy such as "least_request", or a table such as { hash = "header:x-user" }
  --> t.toml:22:11
   |
22 | balance = true
   |           ^^^^ this is true or false

error: there is no strategy `header:x-user`
  --> t.toml:25:11
   |
25 | balance = "header:x-user"
   |           ^^^^^^^^^^^^^^^ expected a strategy, or { hash = … }
   |
   = help: write balance = { hash = "header:x-user" }
"#,
    );
}

#[test]
fn a_path_parameter_that_no_route_has_is_told_as_soon_as_all_routes_are_known() {
    let with = |path: &str| {
        format!(
            "[backends.users]\nendpoints = [\"x:1\"]\nbalance = {{ hash = \"path:user_id\" }}\n\
             [[routes]]\nmatch = \"GET /users{path}\"\ncall = \"users.get\"\n"
        )
    };
    assert!(tables(&with("/{user_id}")).is_ok());
    let nobody_yet = with("").split("[[routes]]").next().unwrap().to_owned();
    assert!(tables(&nobody_yet).is_ok());
    check(
        &with("/{userid}/orders/{id}"),
        r#"
error: backend `users` hashes by `user_id`, which is no route's path parameter
 --> t.toml:1:11
  |
1 | [backends.users]
  |           ^^^^^ declared here
  |
  = help: did you mean `userid`?
"#,
    );
}
