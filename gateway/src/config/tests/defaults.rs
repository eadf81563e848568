//! What stands at the top of a table file, and the headers that go along with calls.

use super::*;

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
    assert_eq!(tables(&text).unwrap().routes[0].request.path, ["tenant", "x"]);
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
  = help: write `{name}` between two slashes, and a verb as a segment of its own
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
fn headers_are_listed_by_a_route_or_by_its_file() {
    let names = |file: &str, route: &str| {
        let tables = tables(&format!("{file}\n{SHOP}{ROUTE}{route}")).unwrap();
        tables.routes[0].policy.metadata.names().join(" ")
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
metadata = ["x-tenant", "X-Tenant", "caller", "Request-Id", "traceparent", "a b", 7]"#,
        r#"
error: `x-tenant` is listed twice
 --> t.toml:7:25
  |
7 | metadata = ["x-tenant", "X-Tenant", "caller", "Request-Id", "traceparent", "a b", 7]
  |                         ^^^^^^^^^^ again
  |
  = note: header names are the same in upper and lower case

error: `caller` cannot be listed
 --> t.toml:7:37
  |
7 | metadata = ["x-tenant", "X-Tenant", "caller", "Request-Id", "traceparent", "a b", 7]
  |                                     ^^^^^^^^ in a call's metadata it names the service that calls, which no client may say

error: `request-id` cannot be listed
 --> t.toml:7:47
  |
7 | metadata = ["x-tenant", "X-Tenant", "caller", "Request-Id", "traceparent", "a b", 7]
  |                                               ^^^^^^^^^^^^ the request's id goes along with every call, as `request-id`

error: `traceparent` cannot be listed
 --> t.toml:7:61
  |
7 | metadata = ["x-tenant", "X-Tenant", "caller", "Request-Id", "traceparent", "a b", 7]
  |                                                             ^^^^^^^^^^^^^ goes along with every call

error: `a b` is not a header's name
 --> t.toml:7:76
  |
7 | metadata = ["x-tenant", "X-Tenant", "caller", "Request-Id", "traceparent", "a b", 7]
  |                                                                            ^^^^^ names are letters, digits and !#$%&'*+-.^_`|~

error: `metadata` must be an array of strings such as ["x-tenant"]
 --> t.toml:7:83
  |
7 | metadata = ["x-tenant", "X-Tenant", "caller", "Request-Id", "traceparent", "a b", 7]
  |                                                                                   ^ this is an integer
"#,
    );
}
