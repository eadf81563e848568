//! Diagnostics of the tables: what a route matches.

use super::check;

#[test]
fn a_match_is_a_method_and_a_path() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "/x"
call = "a.b"
[[routes]]
match = "GET"
call = "a.b"
[[routes]]
match = "get /x"
call = "a.b"
[[routes]]
match = "GET x"
call = "a.b"
[[routes]]
match = "FETCH /x"
call = "a.b""#,
        r#"
error: a route matches a method and a path
 --> t.toml:5:9
  |
5 | match = "/x"
  |         ^^^^ expected both, with a space between
  |
  = help: write "GET /x" or "POST /x"

error: a route matches a method and a path
 --> t.toml:8:9
  |
8 | match = "GET"
  |         ^^^^^ expected both, with a space between
  |
  = help: write "GET /v1/orders/{id}"

error: unknown method `get`
  --> t.toml:11:10
   |
11 | match = "get /x"
   |          ^^^ expected GET, POST, PUT, PATCH or DELETE
   |
   = help: did you mean `GET`?

error: a path begins with `/`
  --> t.toml:14:14
   |
14 | match = "GET x"
   |              ^ this does not
   |
   = help: write `/x`

error: unknown method `FETCH`
  --> t.toml:17:10
   |
17 | match = "FETCH /x"
   |          ^^^^^ expected GET, POST, PUT, PATCH or DELETE
"#,
    );
}

#[test]
fn head_and_options_are_the_gateways_own() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "HEAD /x"
call = "a.b"
[[routes]]
match = "OPTIONS /x"
call = "a.b""#,
        r#"
error: `HEAD` needs no route
 --> t.toml:5:10
  |
5 | match = "HEAD /x"
  |          ^^^^ answered by the GET route of the path
  |
  = help: remove it; write a GET route if there is none

error: `OPTIONS` needs no route
 --> t.toml:8:10
  |
8 | match = "OPTIONS /x"
  |          ^^^^^^^ answered by the gateway itself
  |
  = help: remove it
"#,
    );
}

#[test]
fn the_wrong_part_of_a_path_is_underlined() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /a//b"
call = "a.b"
[[routes]]
match = "GET /a/../b"
call = "a.b"
[[routes]]
match = "GET /a/{}"
call = "a.b"
[[routes]]
match = "GET /a/{x y}"
call = "a.b"
[[routes]]
match = "GET /a/{x.}"
call = "a.b"
[[routes]]
match = "GET /a/{x}:go/b"
call = "a.b"
[[routes]]
match = "GET /a?b=1"
call = "a.b"
[[routes]]
match = "GET /café"
call = "a.b"
[[routes]]
match = "GET /100%"
call = "a.b"
[[routes]]
match = "GET /{*rest}/x"
call = "a.b"
[[routes]]
match = "GET /{x}/{x}"
call = "a.b"
[[routes]]
match = "GET /{x}/{x.y}"
call = "a.b""#,
        r#"
error: an empty segment
 --> t.toml:5:16
  |
5 | match = "GET /a//b"
  |                ^^ two slashes with nothing between

error: clients resolve dot segments before they send
 --> t.toml:8:17
  |
8 | match = "GET /a/../b"
  |                 ^^ this would never match

error: a parameter needs a field's name
  --> t.toml:11:17
   |
11 | match = "GET /a/{}"
   |                 ^^ there is none

error: a parameter needs a field's name
  --> t.toml:14:17
   |
14 | match = "GET /a/{x y}"
   |                 ^^^^^ names are letters, digits, `_` and `-`, nested with dots

error: a parameter needs a field's name
  --> t.toml:17:17
   |
17 | match = "GET /a/{x.}"
   |                 ^^^^ a dot stands between two names

error: a parameter is a whole segment
  --> t.toml:20:17
   |
20 | match = "GET /a/{x}:go/b"
   |                 ^^^^^^ text and a parameter in one segment
   |
   = help: write `{name}` between two slashes; only in the last segment text may follow it: `{name}.json`, `{name}:cancel`

error: a path has no query
  --> t.toml:23:16
   |
23 | match = "GET /a?b=1"
   |                ^^^^ this is not part of the path
   |
   = help: query parameters fill the fields of their names; nothing needs to be declared

error: a path as it is sent has no such character
  --> t.toml:26:18
   |
26 | match = "GET /café"
   |                  ^ not sent as it stands
   |
   = help: write it as clients send it: `%C3%A9`

error: a path as it is sent has no bare `%`
  --> t.toml:29:18
   |
29 | match = "GET /100%"
   |                  ^ two hex digits must follow
   |
   = help: write `%25` for a percent sign

error: a tail stands at the end of a path
  --> t.toml:32:15
   |
32 | match = "GET /{*rest}/x"
   |               ^^^^^^^ something follows it

error: `x` is in the path twice
  --> t.toml:35:19
   |
35 | match = "GET /{x}/{x}"
   |                   ^^^ the second

error: `x` and `x.y` fill the same field
  --> t.toml:38:19
   |
38 | match = "GET /{x}/{x.y}"
   |                   ^^^^^ one lies within the other
"#,
    );
}

#[test]
fn too_many_parameters_are_refused_before_the_router_panics() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /{p0}/{p1}/{p2}/{p3}/{p4}/{p5}/{p6}/{p7}/{p8}/{p9}/{p10}/{p11}/{p12}/{p13}/{p14}/{p15}/{p16}/{p17}/{p18}/{p19}/{p20}/{p21}/{p22}/{p23}/{p24}/{p25}"
call = "a.b""#,
        r#"
error: more than 16 parameters
 --> t.toml:5:101
  |
5 | match = "GET /{p0}/{p1}/{p2}/{p3}/{p4}/{p5}/{p6}/{p7}/{p8}/{p9}/{p10}/{p11}/{p12}/{p13}/{p14}/{p15}/{p16}/{p17}/{p18}/{p19}/{p20}/{p2...
  |                                                                                                     ^^^^^ one too many
"#,
    );
}

#[test]
fn an_escaped_string_is_underlined_as_a_whole() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /\u0061//b"
call = "a.b""#,
        r#"
error: an empty segment
 --> t.toml:5:9
  |
5 | match = "GET /\u0061//b"
  |         ^^^^^^^^^^^^^^^^ two slashes with nothing between
"#,
    );
}
