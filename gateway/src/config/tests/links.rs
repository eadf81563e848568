//! What `trailing_slash` and `ignore_query` of a file are read as, and what is said of those that will not do.

use super::*;
use std::borrow::Cow;

const ROUTE: &str = "[backends.b]\nendpoints = ['x:1']\n[[routes]]\nmatch = 'GET /a'\ncall = 'a.b'\n";

#[test]
fn a_file_says_what_becomes_of_slashes() {
    for (line, expected) in [
        ("", TrailingSlash::Strict),
        ("trailing_slash = 'strict'", TrailingSlash::Strict),
        ("trailing_slash = 'redirect'", TrailingSlash::Redirect),
        ("trailing_slash = 'ignore'", TrailingSlash::Ignore),
    ] {
        let read = tables(&format!("{line}\n{ROUTE}max_in_flight = 3\n")).unwrap();
        assert_eq!(read.routes[0].policy.trailing_slash, expected, "{line}");
    }
}

#[test]
fn parameters_that_others_add_are_left_out_unless_the_route_binds_them() {
    let bind = "bind = { from = { query = 'utm_source' } }";
    let left = |more: &str| {
        let read = tables(&format!("ignore_query = ['utm_*', 'fbclid']\n{ROUTE}{more}\n")).unwrap();
        let names = ["utm_source", "utm_", "utm", "Utm_x", "fbclid", "fbclid2", "id"];
        let mut query = names.map(|name| (Cow::Borrowed(name), Cow::Borrowed("1"))).to_vec();
        call(&read.routes[0]).leave_out_ignored(&mut query);
        query.into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(left(""), "utm Utm_x fbclid2 id");
    assert_eq!(left(bind), "utm_source utm Utm_x fbclid2 id");
    let read = tables(&format!("ignore_query = []\n{ROUTE}")).unwrap();
    assert!(call(&read.routes[0]).policy.ignore_query.is_empty());
}

#[test]
fn what_will_not_do_is_said_with_what_to_write() {
    for (line, expected) in [
        ("trailing_slash = true", "`trailing_slash` must be one of `strict`, `redirect` or `ignore`"),
        ("trailing_slash = 'redirected'", "did you mean `redirect`?"),
        ("redirectSlashes = true", "write trailing_slash = \"redirect\""),
        ("ignore_query = ['*']", "write unknown_fields = \"ignore\""),
        ("ignore_query = ['*_id']", "a `*` stands at the end only"),
        ("ignore_query = ['a=b']", "not part of it"),
        ("ignore_query = ['']", "a parameter of the query has a name"),
        ("ignore_query = ['a', 'a']", "the parameter `a` is listed twice"),
        ("ignore_query = 'a'", "an array of strings such as [\"utm_*\", \"fbclid\"]"),
    ] {
        let said = tables(&format!("{line}\n{ROUTE}")).unwrap_err().to_string();
        assert!(said.contains(expected), "{line}: {said}");
    }
    for key in ["trailing_slash = 'ignore'", "ignore_query = ['a']"] {
        let said = tables(&format!("{ROUTE}{key}\n")).unwrap_err().to_string();
        assert!(said.contains("holds for all routes of a file where it stands at its top"), "{said}");
    }
}
