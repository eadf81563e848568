//! What stands at the top of a table file, and the headers that go along with calls.

use super::*;
use crate::fields::FieldName;

const SHOP: &str = "[backends.shop]\nendpoints = ['x:1']\n";
const ROUTE: &str = "[[routes]]\nmatch = 'GET /a/{x}'\ncall = 'a.b'\n";

#[test]
fn a_prefix_is_put_before_the_paths_of_its_file_alone() {
    check(
        r#"-- a.toml
prefix = "/api/{tenant}"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /x/{y}"
call = "a.b"
[[routes]]
match = "GET /"
call = "a.b"
-- b.toml
[[routes]]
match = "GET /x/{y}"
call = "a.b""#,
        r"
GET /api/{tenant}/x/{y} → shop a.b
GET /api/{tenant}/ → shop a.b
GET /x/{y} → shop a.b
",
    );
    let text = format!("prefix = '/api/{{tenant}}'\n{SHOP}{ROUTE}");
    assert_eq!(call(&tables(&text).unwrap().routes[0]).request.path, ["tenant", "x"]);
}

#[test]
fn what_a_prefix_cannot_be_is_told() {
    check(
        r#"-- a.toml
prefix = "/api/"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /x"
call = "a.b"
-- b.toml
prefix = "/{*rest}"
-- c.toml
prefix = "api"
-- d.toml
prefix = "/"
[[routes]]
match = "GET /x"
call = "a.b""#,
        r#"
error: a prefix ends without a slash
 --> a.toml:1:15
  |
1 | prefix = "/api/"
  |               ^ the routes' paths begin with one
  |
  = help: write "/api"

error: a prefix has no tail
 --> b.toml:1:10
  |
1 | prefix = "/{*rest}"
  |          ^^^^^^^^^^ nothing can follow it

error: a path begins with `/`
 --> c.toml:1:11
  |
1 | prefix = "api"
  |           ^^^ this does not
  |
  = help: write `/api`

error: a prefix ends without a slash
 --> d.toml:1:11
  |
1 | prefix = "/"
  |           ^ the routes' paths begin with one
  |
  = help: leave `prefix` out
"#,
    );
}

#[test]
fn conflicts_are_told_by_the_whole_path() {
    check(
        r#"-- a.toml
prefix = "/api"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /x"
call = "a.b"
-- b.toml
[[routes]]
match = "GET /api/x"
call = "a.b"
-- c.toml
prefix = "/v1/{id}"
[[routes]]
match = "GET /of/{id}"
call = "a.b"
[[routes]]
match = "GET /of/{id"
call = "a.b""#,
        r#"
error: `GET /api/x` is routed twice
 --> b.toml:2:9
  |
2 | match = "GET /api/x"
  |         ^^^^^^^^^^^^ again
  |
 ::: a.toml:5:9
  |
5 | match = "GET /x"
  |         -------- first here

error: `id` is in the path twice
 --> c.toml:3:18
  |
3 | match = "GET /of/{id}"
  |                  ^^^^ the second
  |
  = note: `prefix` of the file, "/v1/{id}", is put before it

error: a parameter is a whole segment
 --> c.toml:6:18
  |
6 | match = "GET /of/{id"
  |                  ^^^ text and a parameter in one segment
  |
  = help: write `{name}` between two slashes; only in the last segment text may follow it: `{name}.json`, `{name}:cancel`
"#,
    );
}

#[test]
fn a_rewrite_names_the_whole_path() {
    check(
        r#"
prefix = "/api"
[[routes]]
match = "GET /new"
respond = {}
[[routes]]
match = "GET /old"
rewrite = "/new""#,
        r#"
error: the rewrite of `GET /api/old` leads nowhere
 --> t.toml:8:11
  |
8 | rewrite = "/new"
  |           ^^^^^^ no route matches `GET /new`
  |
  = note: `prefix` is put before what the file's routes match, not before where they lead
  = help: write "/api/new"
"#,
    );
}

#[test]
fn a_file_that_declares_one_backend_calls_that_one_whatever_other_files_declare() {
    check(
        r#"-- a.toml
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /x"
call = "a.b"
-- b.toml
[backends.stock]
endpoints = ["127.0.0.1:7201"]
[[routes]]
match = "GET /y"
call = "a.b"
[[routes]]
match = "GET /z"
call = "a.b"
backend = "shop""#,
        r"
GET /x → shop a.b
GET /y → stock a.b
GET /z → shop a.b
",
    );
}

#[test]
fn a_file_names_the_backend_of_its_routes_at_its_top() {
    check(
        r#"-- a.toml
backend = "stock"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /x"
call = "a.b"
[[routes]]
match = "GET /y"
call = "a.b"
backend = "shop"
[[routes]]
match = "GET /z"
call = "a.b"
split = [{ backend = "shop", weight = 1 }]
-- b.toml
[backends.stock]
endpoints = ["127.0.0.1:7201"]
[backends.more]
endpoints = ["127.0.0.1:7301"]"#,
        r"
GET /x → stock a.b
GET /y → shop a.b
GET /z → shop a.b
",
    );
}

#[test]
fn a_files_backend_that_is_none_is_told_once_and_not_at_each_route() {
    check(
        r#"-- a.toml
backend = "shpo"
[[routes]]
match = "GET /x"
call = "a.b"
[[routes]]
match = "GET /y"
call = "a.b"
-- b.toml
backend = 7
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[backends.stock]
endpoints = ["127.0.0.1:7201"]
[[routes]]
match = "GET /z"
call = "a.b"
-- c.toml
[[routes]]
match = "GET /c"
call = "a.b"
[[routes]]
match = "GET /d"
call = "a.b"
backend = "127.0.0.1:7101""#,
        r#"
error: unknown backend `shpo`
 --> a.toml:1:11
  |
1 | backend = "shpo"
  |           ^^^^^^ declared in no file
  |
  = help: did you mean `shop`?

error: `backend` must be a backend's name
 --> b.toml:1:11
  |
1 | backend = 7
  |           ^ this is an integer

error: which backend does this route call?
 --> c.toml:2:9
  |
2 | match = "GET /c"
  |         ^^^^^^^^ names none, and there are several
  |
  = help: write backend = "…" with one of `shop` or `stock`; at the top of the file it holds for all of its routes

error: unknown backend `127.0.0.1:7101`
 --> c.toml:7:11
  |
7 | backend = "127.0.0.1:7101"
  |           ^^^^^^^^^^^^^^^^ declared in no file
  |
  = help: a backend is called by its name; where its instances listen stands with it: [backends.NAME] with endpoints = ["127.0.0.1:7101"]
"#,
    );
}

#[test]
fn what_a_file_says_of_its_routes_holds_where_a_route_says_nothing() {
    let said = |file: &str, route: &str| {
        let tables = tables(&format!("{file}\n{SHOP}{ROUTE}{route}")).unwrap();
        let CallSpec { timeout, request, response, .. } = call(&tables.routes[0]);
        format!("{timeout:?} {:?} {:?} {:?}", request.unknown_fields, response.int64, response.decimal)
    };
    let file = "timeout = '3s'\nunknown_fields = 'ignore'\nint64 = 'string'\ndecimal = 'number'";
    assert_eq!(said("", ""), "10s Reject Number String");
    assert_eq!(said(file, ""), "3s Ignore String Number");
    let route = "timeout = '1s'\nunknown_fields = 'reject'\nint64 = 'number'\ndecimal = 'string'";
    assert_eq!(said(file, route), "1s Reject Number String");
    let tables = tables(&format!("{file}\n{SHOP}{ROUTE}retry = {{ per_try_timeout = '5s' }}\n"));
    assert!(tables.unwrap_err().to_string().contains("the whole call may take 3s"));
}

#[test]
fn headers_are_listed_by_a_route_or_by_its_file() {
    let names = |file: &str, route: &str| {
        let tables = tables(&format!("{file}\n{SHOP}{ROUTE}{route}")).unwrap();
        let names = call(&tables.routes[0]).policy.metadata.names();
        names.iter().map(FieldName::as_str).collect::<Vec<_>>().join(" ")
    };
    let file = "metadata = ['x-tenant']";
    for (file, route, expected) in [
        ("", "", ""),
        ("", "metadata = ['X-User-Id', 'authorization']", "x-user-id authorization"),
        (file, "", "x-tenant"),
        (file, "metadata = ['cookie']", "cookie"),
        (file, "metadata = []", ""),
    ] {
        assert_eq!(names(file, route), expected, "{file} {route}");
    }
}

#[test]
fn what_cannot_go_along_is_told() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /x"
call = "a.b"
metadata = ["x-tenant", "X-Tenant", "caller", "Request-Id", "traceparent", "a b", 7, "client"]"#,
        r#"
error: `x-tenant` is listed twice
 --> t.toml:7:25
  |
7 | metadata = ["x-tenant", "X-Tenant", "caller", "Request-Id", "traceparent", "a b", 7, "client"]
  |                         ^^^^^^^^^^ again
  |
  = note: header names are the same in upper and lower case

error: `caller` cannot be listed
 --> t.toml:7:37
  |
7 | metadata = ["x-tenant", "X-Tenant", "caller", "Request-Id", "traceparent", "a b", 7, "client"]
  |                                     ^^^^^^^^ in a call's metadata it names the service that calls, which no client may say

error: `request-id` cannot be listed
 --> t.toml:7:47
  |
7 | metadata = ["x-tenant", "X-Tenant", "caller", "Request-Id", "traceparent", "a b", 7, "client"]
  |                                               ^^^^^^^^^^^^ the request's id goes along with every call, as `request-id`

error: `traceparent` cannot be listed
 --> t.toml:7:61
  |
7 | metadata = ["x-tenant", "X-Tenant", "caller", "Request-Id", "traceparent", "a b", 7, "client"]
  |                                                             ^^^^^^^^^^^^^ goes along with every call

error: `a b` is not a header's name
 --> t.toml:7:76
  |
7 | metadata = ["x-tenant", "X-Tenant", "caller", "Request-Id", "traceparent", "a b", 7, "client"]
  |                                                                            ^^^^^ names are letters, digits and !#$%&'*+-.^_`|~

error: `metadata` must be an array of strings such as ["x-tenant"]
 --> t.toml:7:83
  |
7 | metadata = ["x-tenant", "X-Tenant", "caller", "Request-Id", "traceparent", "a b", 7, "client"]
  |                                                                                   ^ this is an integer

error: `client` cannot be listed
 --> t.toml:7:86
  |
7 | metadata = ["x-tenant", "X-Tenant", "caller", "Request-Id", "traceparent", "a b", 7, "client"]
  |                                                                                      ^^^^^^^^ goes along with every call: the client's address, as the gateway knows it
"#,
    );
}
