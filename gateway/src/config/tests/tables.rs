//! Diagnostics of the tables: what all files together must be.

use super::check;

#[test]
fn a_route_is_a_match_a_call_and_defaults() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /x"
call = "a.b""#,
        r"
GET /x → shop a.b
",
    );
}

#[test]
fn nothing_is_an_empty_table() {
    check("", "");
}

#[test]
fn syntax_errors_are_all_shown_with_their_places() {
    check(
        r"
[backends.shop
endpoints = [
[[routes]]
match = GET",
        r"
error: not valid TOML: unclosed table, expected `]`
 --> t.toml:2:15
  |
2 | [backends.shop
  |               ^

error: not valid TOML: missing comma between array elements, expected `,`
 --> t.toml:5:1
  |
5 | match = GET
  | ^

error: not valid TOML: unexpected `=` in array, expected value, `]`
 --> t.toml:5:7
  |
5 | match = GET
  |       ^

error: not valid TOML: missing comma between array elements, expected `,`
 --> t.toml:5:9
  |
5 | match = GET
  |         ^

error: not valid TOML: unclosed array, expected `]`
 --> t.toml:5:12
  |
5 | match = GET
  |            ^
",
    );
}

#[test]
fn a_key_twice_is_a_syntax_error() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /x"
call = "a.b"
call = "a.c""#,
        r#"
error: not valid TOML: duplicate key
 --> t.toml:7:1
  |
7 | call = "a.c"
  | ^^^^
"#,
    );
}

#[test]
fn unknown_keys_come_with_the_nearest_or_with_all_there_are() {
    check(
        r#"
[backend.shop]
[backends.shop]
endpoints = ["127.0.0.1:7101"]
conect_timeout = "1s"
[[routes]]
match = "GET /x"
call = "a.b"
retries = 3
response = { wrapped = "x" }"#,
        r#"
error: `backend` at the top of a file is the name of its routes' backend
 --> t.toml:2:2
  |
2 | [backend.shop]
  |  ^^^^^^^ this is a table
  |
  = help: a backend is declared as [backends.NAME]

error: unknown key `conect_timeout` in a backend
 --> t.toml:5:1
  |
5 | conect_timeout = "1s"
  | ^^^^^^^^^^^^^^ not known here
  |
  = help: did you mean `connect_timeout`?

error: unknown key `retries` in a route
 --> t.toml:9:1
  |
9 | retries = 3
  | ^^^^^^^ not known here
  |
  = help: write retry = { attempts = 3 }: the first time counts

error: unknown key `wrapped` in `response`
  --> t.toml:10:14
   |
10 | response = { wrapped = "x" }
   |              ^^^^^^^ not known here
   |
   = help: there is `wrap`, `field`, `raw`, `content_type`, `filename`, `inline`, `stream`, `events`, `status`, `headers`, `metadata` and `links`
"#,
    );
}

#[test]
fn settings_of_the_gateway_are_sent_to_its_own_file() {
    check(
        r"
[server]
workers = 2",
        r"
error: unknown key `server` in a table file
 --> t.toml:2:2
  |
2 | [server]
  |  ^^^^^^ not known here
  |
  = help: a setting of the gateway itself; it belongs into gateway.toml and needs a restart
",
    );
}

#[test]
fn a_value_of_another_type_is_told_what_it_must_be() {
    check(
        r#"
backends = 1
routes = { match = "GET /" }"#,
        r#"
error: `backends` must be tables, each written [backends.name]
 --> t.toml:2:12
  |
2 | backends = 1
  |            ^ this is an integer

error: `routes` must be tables, each written [[routes]]
 --> t.toml:3:10
  |
3 | routes = { match = "GET /" }
  |          ^^^^^^^^^^^^^^^^^^^ this is a table
"#,
    );
}

#[test]
fn items_of_another_type_are_told_what_they_must_be() {
    check(
        r#"
routes = [1]
[backends]
shop = "127.0.0.1:7101"
[backends.b]
endpoints = "x:1"
[backends.c]
endpoints = ["x:1", 2]
max_calls = "many""#,
        r#"
error: `routes` must be tables, each written [[routes]]
 --> t.toml:2:11
  |
2 | routes = [1]
  |           ^ this is an integer

error: `shop` must be a table, written [backends.name]
 --> t.toml:4:8
  |
4 | shop = "127.0.0.1:7101"
  |        ^^^^^^^^^^^^^^^^ this is a string

error: `endpoints` must be an array such as ["127.0.0.1:7101"]
 --> t.toml:6:13
  |
6 | endpoints = "x:1"
  |             ^^^^^ this is a string

error: `endpoints` must be strings such as "127.0.0.1:7101", or tables such as { address = "127.0.0.1:7101", drain = true }
 --> t.toml:8:21
  |
8 | endpoints = ["x:1", 2]
  |                     ^ this is an integer

error: `max_calls` must be a whole number
 --> t.toml:9:13
  |
9 | max_calls = "many"
  |             ^^^^^^ this is a string
"#,
    );
}

#[test]
fn an_unknown_backend_comes_with_the_nearest_name() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /x"
call = "a.b"
backend = "shp"
[[routes]]
match = "GET /y"
call = "a.b"
backend = "warehouse""#,
        r#"
error: unknown backend `shp`
 --> t.toml:7:11
  |
7 | backend = "shp"
  |           ^^^^^ declared in no file
  |
  = help: did you mean `shop`?

error: unknown backend `warehouse`
  --> t.toml:11:11
   |
11 | backend = "warehouse"
   |           ^^^^^^^^^^^ declared in no file
   |
   = help: there is `shop`
"#,
    );
}

#[test]
fn where_there_are_several_backends_a_route_names_one() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[backends.stock]
endpoints = ["x:1"]
[[routes]]
match = "GET /x"
call = "a.b""#,
        r#"
error: which backend does this route call?
 --> t.toml:7:9
  |
7 | match = "GET /x"
  |         ^^^^^^^^ names none, and there are several
  |
  = help: write backend = "…" with one of `shop` or `stock`; at the top of the file it holds for all of its routes
"#,
    );
}

#[test]
fn where_there_is_no_backend_a_route_is_told_to_declare_one() {
    check(
        r#"
[[routes]]
match = "GET /x"
call = "a.b""#,
        r#"
error: there is no backend for this route
 --> t.toml:3:9
  |
3 | match = "GET /x"
  |         ^^^^^^^^ calls no one
  |
  = help: declare one: [backends.shop] with endpoints = ["127.0.0.1:7101"]
"#,
    );
}

#[test]
fn a_route_may_use_a_backend_of_another_file() {
    check(
        r#"-- a.toml
[[routes]]
match = "GET /x"
call = "a.b"
-- b.toml
[backends.shop]
endpoints = ["127.0.0.1:7101"]"#,
        r"
GET /x → shop a.b
",
    );
}

#[test]
fn a_file_that_cannot_be_read_does_not_make_its_backends_unknown() {
    check(
        r#"-- a.toml
[[routes]]
match = "GET /x"
call = "a.b"
backend = "shop"
-- b.toml
[backends.shop]
endpoints = ["127.0.0.1:7101"]
endpoints"#,
        r"
error: not valid TOML: key with no value, expected `=`
 --> b.toml:3:10
  |
3 | endpoints
  |          ^
",
    );
}
