//! Diagnostics of the tables: what a route must be.

use super::check;

#[test]
fn what_a_route_lacks_is_said_with_an_example() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]"#,
        r#"
error: a route needs `match`
 --> t.toml:4:1
  |
4 | [[routes]]
  | ^^^^^^^^^^ this one has none
  |
  = help: write match = "GET /v1/orders/{id}"

error: a route needs `call`
 --> t.toml:4:1
  |
4 | [[routes]]
  | ^^^^^^^^^^ this one has none
  |
  = help: write call = "orders.get"
"#,
    );
}

#[test]
fn a_name_that_no_backend_can_offer_is_a_mistake() {
    check(
        &r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /0"
call = "größe.get"
[[routes]]
match = "GET /1"
call = "acme.-v1.get"
[[routes]]
match = "GET /2"
call = "acme.v1.7up"
[[routes]]
match = "GET /3"
call = "acme.LONG"
"#
        .replace("LONG", &"l".repeat(129)),
        &r#"
error: no backend can offer `größe.get`
 --> t.toml:6:11
  |
6 | call = "größe.get"
  |           ^ names have ASCII letters, digits, `_` and `-` only

error: no backend can offer `acme.-v1.get`
 --> t.toml:9:14
  |
9 | call = "acme.-v1.get"
  |              ^ a word of a name begins with an ASCII letter or `_`

error: no backend can offer `acme.v1.7up`
  --> t.toml:12:17
   |
12 | call = "acme.v1.7up"
   |                 ^ a word of a name begins with an ASCII letter or `_`

error: no backend can offer `acme.LONG`
  --> t.toml:15:14
   |
15 | ...me.LONG"
   |       MARK a name has at most 128 characters
"#
        .replace("LONG", &"l".repeat(129))
        .replace("MARK", &"^".repeat(129)),
    );
}

#[test]
fn a_call_is_a_name_or_a_number_that_is_not_zero() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /0"
call = "quote"
[[routes]]
match = "GET /1"
call = "/orders/quote"
[[routes]]
match = "GET /2"
call = "orders."
[[routes]]
match = "GET /3"
call = "a b.c"
[[routes]]
match = "GET /4"
call = "0x0"
[[routes]]
match = "GET /5"
call = "0x123456789"
[[routes]]
match = "GET /6"
call = "7"
[[routes]]
match = "GET /7"
call = 0
[[routes]]
match = "GET /8"
call = 4294967296
[[routes]]
match = "GET /9"
call = -1
[[routes]]
match = "GET /10"
call = true"#,
        r#"
error: `quote` names no method
 --> t.toml:6:8
  |
6 | call = "quote"
  |        ^^^^^^^ expected `service.method`, or a number such as `0x1234abcd`

error: `/orders/quote` names no method
 --> t.toml:9:8
  |
9 | call = "/orders/quote"
  |        ^^^^^^^^^^^^^^^ expected `service.method`, or a number such as `0x1234abcd`
  |
  = help: write "orders.quote"

error: `orders.` names no method
  --> t.toml:12:8
   |
12 | call = "orders."
   |        ^^^^^^^^^ expected `service.method`, or a number such as `0x1234abcd`

error: `a b.c` names no method
  --> t.toml:15:8
   |
15 | call = "a b.c"
   |        ^^^^^^^ expected `service.method`, or a number such as `0x1234abcd`

error: `0x0` is no Call ID
  --> t.toml:18:8
   |
18 | call = "0x0"
   |        ^^^^^ expected `0x1` to `0xffffffff`

error: `0x123456789` is no Call ID
  --> t.toml:21:8
   |
21 | call = "0x123456789"
   |        ^^^^^^^^^^^^^ expected `0x1` to `0xffffffff`

error: `7` names no method
  --> t.toml:24:8
   |
24 | call = "7"
   |        ^^^ expected `service.method`, or a number such as `0x1234abcd`
   |
   = help: a number stands without quotes: call = 7

error: `call` is out of bounds
  --> t.toml:27:8
   |
27 | call = 0
   |        ^ expected 1 to 4294967295

error: `call` is out of bounds
  --> t.toml:30:8
   |
30 | call = 4294967296
   |        ^^^^^^^^^^ expected 1 to 4294967295

error: `call` is out of bounds
  --> t.toml:33:8
   |
33 | call = -1
   |        ^^ expected 1 to 4294967295

error: `call` must be a method's name or its number
  --> t.toml:36:8
   |
36 | call = true
   |        ^^^^ this is true or false
"#,
    );
}

#[test]
fn a_body_is_everything_a_field_or_false() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "POST /0/{doc.id}"
call = "a.b"
body = ""
[[routes]]
match = "POST /1/{doc.id}"
call = "a.b"
body = "none"
[[routes]]
match = "POST /2/{doc.id}"
call = "a.b"
body = true
[[routes]]
match = "POST /3/{doc.id}"
call = "a.b"
body = "a b"
[[routes]]
match = "POST /4/{doc.id}"
call = "a.b"
body = "doc"
[[routes]]
match = "POST /5/{doc.id}"
call = "a.b"
body = "doc.id"
[[routes]]
match = "POST /6/{doc.id}"
call = "a.b"
body = "doc.id.x""#,
        r#"
error: no body is written `false`
 --> t.toml:7:8
  |
7 | body = ""
  |        ^^ not a field's name
  |
  = help: write body = false

error: no body is written `false`
  --> t.toml:11:8
   |
11 | body = "none"
   |        ^^^^^^ not a field's name
   |
   = help: write body = false

error: `body` must be "*", a field's name, false, or a table such as { raw = "content" }
  --> t.toml:15:8
   |
15 | body = true
   |        ^^^^ this is true or false

error: `body` must be "*", a field's name, or false
  --> t.toml:19:8
   |
19 | body = "a b"
   |        ^^^^^ names are letters, digits, `_` and `-`, nested with dots

error: the path and the body both fill `doc`
  --> t.toml:23:8
   |
23 | body = "doc"
   |        ^^^^^ the path has `{doc.id}`

error: the path and the body both fill `doc.id`
  --> t.toml:27:8
   |
27 | body = "doc.id"
   |        ^^^^^^^^ the path has `{doc.id}`

error: the path and the body both fill `doc.id.x`
  --> t.toml:31:8
   |
31 | body = "doc.id.x"
   |        ^^^^^^^^^^ the path has `{doc.id}`
"#,
    );
}

#[test]
fn a_response_has_either_wrap_or_field() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "POST /0"
call = "a.b"
response = "result"
[[routes]]
match = "POST /1"
call = "a.b"
response = {}
[[routes]]
match = "POST /2"
call = "a.b"
response = { wrap = "a", field = "b" }
[[routes]]
match = "POST /3"
call = "a.b"
response = { wrap = "" }
[[routes]]
match = "POST /4"
call = "a.b"
response = { field = "a..b" }
[[routes]]
match = "POST /5"
call = "a.b"
response = { wrap = 1 }"#,
        r#"
error: `response` must be a table such as { wrap = "result" }
 --> t.toml:7:12
  |
7 | response = "result"
  |            ^^^^^^^^ this is a string

error: `response` is empty
  --> t.toml:11:12
   |
11 | response = {}
   |            ^^ it says nothing
   |
   = help: remove it, or write response = { status = 201 }

error: `response` has either `wrap` or `field`
  --> t.toml:15:12
   |
15 | response = { wrap = "a", field = "b" }
   |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^ it has both

error: `wrap` is the member's name
  --> t.toml:19:21
   |
19 | response = { wrap = "" }
   |                     ^^ there is none

error: `field` is a field's name
  --> t.toml:23:22
   |
23 | response = { field = "a..b" }
   |                      ^^^^^^ a dot stands between two names

error: `wrap` must be the member's name
  --> t.toml:27:21
   |
27 | response = { wrap = 1 }
   |                     ^ this is an integer
"#,
    );
}

#[test]
fn choices_are_listed() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /x"
call = "a.b"
unknown_fields = "ignored"
int64 = "decimal"
decimal = "float""#,
        r#"
error: `unknown_fields` cannot be `ignored`
 --> t.toml:7:18
  |
7 | unknown_fields = "ignored"
  |                  ^^^^^^^^^ expected `reject` or `ignore`
  |
  = help: did you mean `ignore`?

error: `int64` cannot be `decimal`
 --> t.toml:8:9
  |
8 | int64 = "decimal"
  |         ^^^^^^^^^ expected `number` or `string`

error: `decimal` cannot be `float`
 --> t.toml:9:11
  |
9 | decimal = "float"
  |           ^^^^^^^ expected `string` or `number`
"#,
    );
}
