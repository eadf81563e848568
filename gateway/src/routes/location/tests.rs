//! What a redirect says for a request, by cases, and for whatever a client may send.

use super::*;
use crate::config::{LocalReply, Source, Tables};
use crate::discovery::Lists;
use crate::method::Method;
use crate::routes::{Action, Table};
use proptest::prelude::*;

/// The table with that redirect.
fn table(matched: &str, to: &str) -> Table {
    let text = format!("[[routes]]\nmatch = 'GET {matched}'\nredirect = {{ to = '{to}' }}\n");
    let tables = Tables::parse(vec![Source::new("t.toml", text)]).expect("sound tables");
    Table::next(&Table::empty(), tables, &Lists::default(), 1)
}

/// Where a request for that path and query is sent; `None` where it is refused. Panics where the route does not match.
fn sent_to(table: &Table, uri: &str) -> Option<String> {
    let (path, query) = uri.split_once('?').map_or((uri, None), |(path, query)| (path, Some(query)));
    match table.find(Method::Get, None, path) {
        Some((at, params)) => match &table.routes[at].action {
            Action::Local(LocalReply::Redirect(redirect)) => location(&redirect.to, &params.raw(), query),
            _ => panic!("no redirect"),
        },
        _ => panic!("{path} does not match"),
    }
}

#[test]
fn parameters_stay_what_they_are_and_the_query_is_kept_unless_the_target_has_one() {
    for (matched, to, uri, expected) in [
        ("/v1/{id}", "/v2/{id}", "/v1/7", "/v2/7"),
        ("/v1/{id}", "/v2/{id}", "/v1/a%2Fb%3f", "/v2/a%2Fb%3f"),
        ("/v1/{id}", "/v2/{id}", "/v1/a+b;c=d", "/v2/a+b;c=d"),
        ("/v1/{id}", "/v2/{id}", "/v1/%41%7e", "/v2/%41%7e"),
        ("/v1/{id}", "/v2/{id}", "/v1/50%", "/v2/50%25"),
        ("/v1/{id}", "/v2/{id}", "/v1/é\"\\", "/v2/%C3%A9%22%5C"),
        ("/v1/{id}", "/v2/{id}", "/v1/%ff", "/v2/%ff"),
        ("/v1/{id}", "/v2/{id}.html", "/v1/7", "/v2/7.html"),
        ("/v1/{a}/{b}", "/v2/{b}/{a}", "/v1/1/2", "/v2/2/1"),
        ("/v1/{*rest}", "/v2/{*rest}", "/v1/a/b%2Fc//d", "/v2/a/b%2Fc//d"),
        ("/v1/{id}", "/v2/{id}", "/v1/7?a=1&b=%20", "/v2/7?a=1&b=%20"),
        ("/v1/{id}", "/v2/{id}", "/v1/7?", "/v2/7?"),
        ("/v1/{id}", "/v2/{id}", "/v1/7?50%&\"", "/v2/7?50%25&%22"),
        ("/v1/{id}", "/v2?id={id}", "/v1/a+b&c=%26?x=1", "/v2?id=a%2Bb%26c%3D%26"),
        ("/v1/{*rest}", "/v2?p={*rest}", "/v1/a/b", "/v2?p=a%2Fb"),
        ("/v1/{id}", "/v2?", "/v1/7?x=1", "/v2"),
        ("/v1/{id}", "/v2#part-{id}", "/v1/7?x=1", "/v2?x=1#part-7"),
        ("/v1/{id}", "https://b.example:8443/{id}", "/v1/7?x=1", "https://b.example:8443/7?x=1"),
        ("/v1/{id}", "https://b.example", "/v1/7?x=1", "https://b.example?x=1"),
        ("/v1/{*rest}", "https://b.example/{*rest}", "/v1//x", "https://b.example//x"),
    ] {
        assert_eq!(sent_to(&table(matched, to), uri).as_deref(), Some(expected), "{matched} → {to}: {uri}");
    }
}

#[test]
fn no_parameter_leads_to_another_host() {
    let rest = table("/old/{*rest}", "/{*rest}");
    for (uri, expected) in [
        ("/old//evil.example", "/%2Fevil.example"),
        ("/old///evil.example", "/%2F/evil.example"),
        ("/old//", "/%2F"),
        ("/old/\\evil.example", "/%5Cevil.example"),
        ("/old/%5Cevil.example", "/%5Cevil.example"),
        ("/old/%2Fevil.example", "/%2Fevil.example"),
        ("/old/https://evil.example", "/https://evil.example"),
        ("/old/%0d%0aset-cookie:x", "/%0d%0aset-cookie:x"),
        ("/old/@evil.example", "/@evil.example"),
    ] {
        assert_eq!(sent_to(&rest, uri).as_deref(), Some(expected), "{uri}");
    }
}

#[test]
fn no_parameter_leads_up() {
    for (matched, to, value) in [
        ("/v1/{id}", "/v2/{id}", ".."),
        ("/v1/{id}", "/v2/{id}", "%2e%2E"),
        ("/v1/{id}", "/v2/{id}", "."),
        ("/v1/{id}", "/v2/.{id}", "."),
        ("/v1/{id}", "/v2/%2e{id}", "."),
        ("/v1/{*rest}", "/v2/{*rest}", "a/../../x"),
        ("/v1/{*rest}", "/v2/{*rest}", "a/%2E./x"),
    ] {
        assert_eq!(sent_to(&table(matched, to), &format!("/v1/{value}")), None, "{to} with {value}");
    }
    assert_eq!(sent_to(&table("/v1/{id}", "/v2/{id}"), "/v1/...").as_deref(), Some("/v2/..."));
    assert_eq!(sent_to(&table("/v1/{id}", "/v2?id={id}"), "/v1/..").as_deref(), Some("/v2?id=.."));
}

/// Splits a URI reference as RFC 3986, appendix B does: scheme, authority, path, query, fragment.
type Parts<'u> = (Option<&'u str>, Option<&'u str>, &'u str, Option<&'u str>, Option<&'u str>);

fn parts(uri: &str) -> Parts<'_> {
    let cut = |text, mark| {
        str::split_once(text, mark).map_or((text, None), |(before, after)| (before, Some(after)))
    };
    let (rest, fragment) = cut(uri, '#');
    let (rest, query) = cut(rest, '?');
    let colon = rest.find([':', '/']).filter(|at| *at > 0 && rest[*at..].starts_with(':'));
    let (scheme, rest) = colon.map_or((None, rest), |at| (Some(&rest[..at]), &rest[at + 1..]));
    match rest.strip_prefix("//") {
        Some(rest) => {
            let end = rest.find('/').unwrap_or(rest.len());
            (scheme, Some(&rest[..end]), &rest[end..], query, fragment)
        }
        None => (scheme, None, rest, query, fragment),
    }
}

/// Whether a part is made of what RFC 3986 allows there: unreserved, sub-delims, `:@`, `extra`, and encoded bytes.
fn is_valid(part: &str, extra: &str) -> bool {
    let bytes = part.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'%' => bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)),
        _ => {
            let c = char::from(*byte);
            c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@".contains(c) || extra.contains(c)
        }
    })
}

/// RFC 3986, 5.2.4, as far as paths that begin with a slash need it.
fn without_dot_segments(path: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path[1..].split('/').collect();
    for (at, segment) in segments.iter().enumerate() {
        let last = at + 1 == segments.len();
        match *segment {
            "." | ".." => {
                if *segment == ".." {
                    out.pop();
                }
                if last {
                    out.push("");
                }
            }
            other => out.push(other),
        }
    }
    format!("/{}", out.join("/"))
}

/// Percent-decodes, once; what encodes nothing stands for itself.
fn decoded(text: &str) -> Vec<u8> {
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match hex.filter(|_| bytes[at] == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}

/// What a client may send as a segment: whatever HTTP lets through, much of it what attacks are made of.
fn segment() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("."),
        Just(".."),
        Just("%2e"),
        Just("%2E"),
        Just("%2f"),
        Just("%2F"),
        Just("%5c"),
        Just("\\"),
        Just("%0d%0a"),
        Just("%00"),
        Just("%ff"),
        Just("%"),
        Just("%4"),
        Just("%25"),
        Just("@"),
        Just(":"),
        Just("http:"),
        Just("evil.example"),
        Just("+"),
        Just("&"),
        Just("="),
        Just(";"),
        Just("é"),
        Just("🦀"),
        Just("\""),
        Just("{"),
        Just("}"),
        Just("|"),
        Just("^"),
        Just("[::1]"),
        Just("a"),
        Just("%c3%A9"),
    ];
    prop_oneof![prop::collection::vec(part, 1..5).prop_map(|parts| parts.concat()), "[!-~&&[^/?#]]{1,12}",]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_redirect_is_a_uri_of_the_same_origin_that_decodes_to_the_same_values(
        one in segment(), rest in prop::collection::vec(prop_oneof![segment(), Just(String::new())], 1..5),
        query in prop::option::of("[!-~&&[^#]]{0,20}"),
    ) {
        let rest = rest.join("/");
        prop_assume!(!rest.is_empty());
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let uri = format!("/o/{one}/{rest}{query}");
        for (to, before) in [("/{*rest}", "/"), ("/n/{one}/{*rest}", "/n/"), ("/n/{*rest}?one={one}", "/n/")] {
            let Some(location) = sent_to(&table("/o/{one}/{*rest}", to), &uri) else {
                // Refused: that may only be for a dot segment.
                let dotted = |text: &str| text.split('/').any(|segment| matches!(&decoded(segment)[..], b"." | b".."));
                prop_assert!(dotted(&rest) || dotted(&one), "{uri} is refused");
                continue;
            };
            let (scheme, authority, path, found_query, fragment) = parts(&location);
            prop_assert!((scheme, authority, fragment) == (None, None, None), "{location}");
            prop_assert!(path.starts_with(before) && is_valid(path, "/"), "{location}");
            prop_assert!(!location.contains('\\') && location.is_ascii(), "{location}");
            prop_assert_eq!(without_dot_segments(path), path, "it is resolved to what it says");
            let values = if to.starts_with("/n/{one}") {
                let (found, rest) = path[3..].split_once('/').expect("two values");
                prop_assert_eq!(decoded(found), decoded(&one));
                rest
            } else {
                &path[before.len()..]
            };
            prop_assert_eq!(decoded(values), decoded(&rest), "{}", &location);
            if to.contains('?') {
                let value = found_query.and_then(|query| query.strip_prefix("one=")).expect("a query");
                prop_assert!(is_valid(value, "") && !value.contains(['&', '=', '+']));
                prop_assert_eq!(decoded(value), decoded(&one));
            } else {
                let sent = uri.split_once('?').map(|(_, query)| query);
                prop_assert_eq!(found_query.map(decoded), sent.map(decoded));
                prop_assert!(is_valid(found_query.unwrap_or_default(), "/?"));
            }
        }
    }

    #[test]
    fn a_rewrite_keeps_every_byte_of_a_parameter(one in segment(), rest in segment()) {
        let text = "[[routes]]\nmatch = 'GET /o/{one}/{*rest}'\nrewrite = '/n/{one}/x/{*rest}'\n\
                    [[routes]]\nmatch = 'GET /n/{a}/x/{*b}'\nrespond = {}\n";
        let tables = Tables::parse(vec![Source::new("t.toml", text)]).expect("sound tables");
        let table = Table::next(&Table::empty(), tables, &Lists::default(), 1);
        let path = format!("/o/{one}/{rest}");
        let Some((at, params)) = table.find(Method::Get, None, &path) else { panic!("no route") };
        let route = &table.routes[at];
        let Action::Rewrite(rewrite) = &route.action else { panic!("no rewrite") };
        let mut room = "old".to_owned();
        rewritten(&rewrite.target, &params.raw(), &mut room);
        prop_assert_eq!(room, format!("/n/{one}/x/{rest}"));
    }
}
