//! Diagnostics of the tables: which routes cannot stand beside each other.

use super::check;

#[test]
fn a_path_routed_twice_is_shown_at_both_places() {
    check(
        r#"-- a.toml
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /x"
call = "a.b"
-- b.toml
[[routes]]
match = "GET /x"
call = "a.b""#,
        r#"
error: `GET /x` is routed twice
 --> b.toml:2:9
  |
2 | match = "GET /x"
  |         ^^^^^^^^ again
  |
 ::: a.toml:4:9
  |
4 | match = "GET /x"
  |         -------- first here
"#,
    );
}

#[test]
fn paths_of_one_shape_conflict_whatever_their_parameters_are_called() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /a/{x}/c"
call = "a.b"
[[routes]]
match = "GET /a/{y}/c"
call = "a.b""#,
        r#"
error: `GET /a/{y}/c` conflicts with `GET /a/{x}/c`
 --> t.toml:8:9
  |
5 | match = "GET /a/{x}/c"
  |         -------------- first here
...
8 | match = "GET /a/{y}/c"
  |         ^^^^^^^^^^^^^^ takes the same requests
"#,
    );
}

#[test]
fn a_tail_conflicts_with_a_parameter_in_its_place() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /a/{x}/c"
call = "a.b"
[[routes]]
match = "GET /a/{*rest}"
call = "a.b""#,
        r#"
error: `GET /a/{*rest}` conflicts with `GET /a/{x}/c`
 --> t.toml:8:9
  |
5 | match = "GET /a/{x}/c"
  |         -------------- first here
...
8 | match = "GET /a/{*rest}"
  |         ^^^^^^^^^^^^^^^^ takes the same requests
  |
  = note: where one route has a tail, another cannot have a parameter
"#,
    );
}

#[test]
fn paths_that_can_be_told_apart_do_not_conflict() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /a/{x}"
call = "a.b"
[[routes]]
match = "POST /a/{x}"
call = "a.b"
[[routes]]
match = "GET /a/b"
call = "a.b"
[[routes]]
match = "GET /a/{y}/c"
call = "a.b"
[[routes]]
match = "GET /a/b/{*t}"
call = "a.b"
[[routes]]
match = "GET /{*t}"
call = "a.b"
[[routes]]
match = "GET /"
call = "a.b"
[[routes]]
match = "GET /a/"
call = "a.b""#,
        r"
GET /a/{x} → shop a.b
POST /a/{x} → shop a.b
GET /a/b → shop a.b
GET /a/{y}/c → shop a.b
GET /a/b/{*t} → shop a.b
GET /{*t} → shop a.b
GET / → shop a.b
GET /a/ → shop a.b
",
    );
}
