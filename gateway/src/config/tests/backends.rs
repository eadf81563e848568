//! Diagnostics of the tables: what a backend must be.

use super::check;
use crate::config::endpoint;

#[test]
fn times_need_a_unit_and_have_bounds() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
connect_timeout = 0
ping_interval = "5"
ping_timeout = "2min"
[[routes]]
match = "GET /0"
call = "a.b"
timeout = "0s"
[[routes]]
match = "GET /1"
call = "a.b"
timeout = "25h"
[[routes]]
match = "GET /2"
call = "a.b"
timeout = "soon"
[[routes]]
match = "GET /3"
call = "a.b"
timeout = 1.5
[[routes]]
match = "GET /4"
call = "a.b"
timeout = "-1s""#,
        r#"
error: `connect_timeout` needs a unit
 --> t.toml:4:19
  |
4 | connect_timeout = 0
  |                   ^ milliseconds, seconds, …?

error: a duration needs a unit
 --> t.toml:5:17
  |
5 | ping_interval = "5"
  |                 ^^^ milliseconds, seconds, …?
  |
  = help: write "5s" or "5ms"

error: unknown unit `min`
 --> t.toml:6:16
  |
6 | ping_timeout = "2min"
  |                ^^^^^^ expected `ms`, `s`, `m` or `h`

error: `timeout` is out of bounds
  --> t.toml:10:11
   |
10 | timeout = "0s"
   |           ^^^^ expected 1ms to 24h

error: `timeout` is out of bounds
  --> t.toml:14:11
   |
14 | timeout = "25h"
   |           ^^^^^ expected 1ms to 24h

error: not a duration
  --> t.toml:18:11
   |
18 | timeout = "soon"
   |           ^^^^^^ expected a number and a unit, such as "250ms" or "2s"

error: `timeout` must be a string such as "2s"
  --> t.toml:22:11
   |
22 | timeout = 1.5
   |           ^^^ this is a number

error: not a duration
  --> t.toml:26:11
   |
26 | timeout = "-1s"
   |           ^^^^^ expected a number and a unit, such as "250ms" or "2s"
"#,
    );
}

#[test]
fn counts_have_bounds() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
max_calls = 0
[backends.b]
endpoints = ["x:1"]
max_calls = 99999999999999999999"#,
        r"
error: `max_calls` is out of bounds
 --> t.toml:4:13
  |
4 | max_calls = 0
  |             ^ expected 1 to 65536

error: `max_calls` is out of bounds
 --> t.toml:7:13
  |
7 | max_calls = 99999999999999999999
  |             ^^^^^^^^^^^^^^^^^^^^ expected 1 to 65536
",
    );
}

#[test]
fn health_has_bounds_and_known_keys() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
max_age = "0s"
health = true
[backends.b]
endpoints = ["x:1"]
[backends.b.health]
failures = 0
failure_rate = 101
max_ejected = "half"
ejection = "10ms"
slowstart = "1s""#,
        r#"
error: `max_age` is out of bounds
 --> t.toml:4:11
  |
4 | max_age = "0s"
  |           ^^^^ expected 1s to 168h

error: `health` must be a table such as { failures = 5 }
 --> t.toml:5:10
  |
5 | health = true
  |          ^^^^ this is true or false

error: `failures` is out of bounds
 --> t.toml:9:12
  |
9 | failures = 0
  |            ^ expected 1 to 32

error: `failure_rate` is out of bounds
  --> t.toml:10:16
   |
10 | failure_rate = 101
   |                ^^^ expected 1 to 100

error: `max_ejected` must be a whole number
  --> t.toml:11:15
   |
11 | max_ejected = "half"
   |               ^^^^^^ this is a string

error: `ejection` is out of bounds
  --> t.toml:12:12
   |
12 | ejection = "10ms"
   |            ^^^^^^ expected 100ms to 1h

error: unknown key `slowstart` in a backend's health
  --> t.toml:13:1
   |
13 | slowstart = "1s"
   | ^^^^^^^^^ not known here
   |
   = help: did you mean `slow_start`?
"#,
    );
}

#[test]
fn a_backends_name_is_a_metric_label() {
    check(
        r#"
[backends."my shop"]
endpoints = ["x:1"]"#,
        r#"
error: `my shop` cannot name a backend
 --> t.toml:2:11
  |
2 | [backends."my shop"]
  |           ^^^^^^^^^ expected 1 to 64 ASCII letters, digits, `_`, `-`, `.`
"#,
    );
}

#[test]
fn a_backend_needs_endpoints() {
    check(
        r"
[backends.a]
[backends.b]
endpoints = []",
        r#"
error: backend `a` has no `endpoints`
 --> t.toml:2:11
  |
2 | [backends.a]
  |           ^ declared here
  |
  = help: write where its instances listen: endpoints = ["127.0.0.1:7101"]

error: backend `b` has no endpoints
 --> t.toml:4:13
  |
4 | endpoints = []
  |             ^^ expected at least one
  |
  = help: remove the backend and its routes to take it out of service
"#,
    );
}

#[test]
fn what_is_no_endpoint_is_told_how_to_write_it() {
    check(
        r#"
[backends.a]
endpoints = [
  "shop",
  "http://shop:80/",
  "::1",
  "shop:0",
  "shop:http",
  "10.0.0.256:1",
  "unix:run/x.sock",
]"#,
        &r#"
error: `shop` is not an endpoint
 --> t.toml:4:3
  |
4 |   "shop",
  |   ^^^^^^ expected `host:port` or `unix:/path`
  |
  = help: the port is missing: "shop:7101"

error: `http://shop:80/` is not an endpoint
 --> t.toml:5:3
  |
5 |   "http://shop:80/",
  |   ^^^^^^^^^^^^^^^^^ expected `host:port` or `unix:/path`
  |
  = note: there is no `http://`: Callgate speaks its own protocol to backends, `callgate://`, which need not be written
  = note: an endpoint is FORMS
  = help: write "shop:80"

error: `::1` is not an endpoint
 --> t.toml:6:3
  |
6 |   "::1",
  |   ^^^^^ expected `host:port` or `unix:/path`
  |
  = help: an IPv6 address stands in brackets: "[::1]:7101"

error: `0` is not a port
 --> t.toml:7:9
  |
7 |   "shop:0",
  |         ^ expected 1 to 65535

error: `http` is not a port
 --> t.toml:8:9
  |
8 |   "shop:http",
  |         ^^^^ expected 1 to 65535
  |
  = note: an endpoint is FORMS

error: `10.0.0.256` is not a host
 --> t.toml:9:4
  |
9 |   "10.0.0.256:1",
  |    ^^^^^^^^^^ expected a name or an IP address

error: not a Unix socket's path
  --> t.toml:10:9
   |
10 |   "unix:run/x.sock",
   |         ^^^^^^^^^^ the path begins with `/`
"#
        .replace("FORMS", &endpoint::forms()),
    );
}

#[test]
fn an_endpoint_twice_is_shown_at_both_places() {
    check(
        r#"
[backends.a]
endpoints = ["Shop:1", "[::1]:1", "shop:1", "[0:0::1]:1"]"#,
        r#"
error: endpoint `shop:1` is listed twice
 --> t.toml:3:35
  |
3 | endpoints = ["Shop:1", "[::1]:1", "shop:1", "[0:0::1]:1"]
  |              -------- first here  ^^^^^^^^ again

error: endpoint `[::1]:1` is listed twice
 --> t.toml:3:45
  |
3 | endpoints = ["Shop:1", "[::1]:1", "shop:1", "[0:0::1]:1"]
  |                        --------- first here ^^^^^^^^^^^^ again
"#,
    );
}

#[test]
fn an_endpoints_table_has_an_address_and_nothing_unknown() {
    check(
        r#"
[backends.a]
endpoints = [
  { drain = true },
  { adress = "x:1" },
  { address = 7101 },
  { address = "x", drain = "yes" },
  { address = "x:1", capacity = 2 },
  {},
  true,
]"#,
        r#"
error: an endpoint has no `address`
 --> t.toml:4:3
  |
4 |   { drain = true },
  |   ^^^^^^^^^^^^^^^^ where does it listen?
  |
  = help: write { address = "127.0.0.1:7101" }, or just "127.0.0.1:7101"

error: an endpoint has no `address`
 --> t.toml:5:3
  |
5 |   { adress = "x:1" },
  |   ^^^^^^^^^^^^^^^^^^ where does it listen?
  |
  = help: write { address = "127.0.0.1:7101" }, or just "127.0.0.1:7101"

error: unknown key `adress` in an endpoint
 --> t.toml:5:5
  |
5 |   { adress = "x:1" },
  |     ^^^^^^ not known here
  |
  = help: did you mean `address`?

error: `address` must be a string such as "127.0.0.1:7101"
 --> t.toml:6:15
  |
6 |   { address = 7101 },
  |               ^^^^ this is an integer

error: `x` is not an endpoint
 --> t.toml:7:15
  |
7 |   { address = "x", drain = "yes" },
  |               ^^^ expected `host:port` or `unix:/path`
  |
  = help: the port is missing: "x:7101"

error: `drain` must be true or false
 --> t.toml:7:28
  |
7 |   { address = "x", drain = "yes" },
  |                            ^^^^^ this is a string

error: unknown key `capacity` in an endpoint
 --> t.toml:8:22
  |
8 |   { address = "x:1", capacity = 2 },
  |                      ^^^^^^^^ not known here
  |
  = help: there is `address`, `drain`, `weight` and `zone`

error: an endpoint has no `address`
 --> t.toml:9:3
  |
9 |   {},
  |   ^^ where does it listen?
  |
  = help: write { address = "127.0.0.1:7101" }, or just "127.0.0.1:7101"

error: `endpoints` must be strings such as "127.0.0.1:7101", or tables such as { address = "127.0.0.1:7101", drain = true }
  --> t.toml:10:3
   |
10 |   true,
   |   ^^^^ this is true or false
"#,
    );
}

#[test]
fn an_endpoint_twice_is_shown_in_whichever_form_it_is_written() {
    check(
        r#"
[backends.a]
endpoints = ["x:1", { address = "X:1", drain = true }]"#,
        r#"
error: endpoint `x:1` is listed twice
 --> t.toml:3:33
  |
3 | endpoints = ["x:1", { address = "X:1", drain = true }]
  |              ----- first here   ^^^^^ again
"#,
    );
}

#[test]
fn a_backend_in_two_files_is_shown_in_both() {
    check(
        r#"-- a.toml
[backends.shop]
endpoints = ["127.0.0.1:7101"]
-- b.toml

[backends.shop]
endpoints = ["127.0.0.1:7101"]"#,
        r"
error: backend `shop` is declared twice
 --> b.toml:2:11
  |
2 | [backends.shop]
  |           ^^^^ again
  |
 ::: a.toml:1:11
  |
1 | [backends.shop]
  |           ---- first here
",
    );
}
