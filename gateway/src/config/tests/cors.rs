//! What `cors` and `security_headers` are read as, and what is said of those that will not do.

use super::*;
use crate::method::Method;
use std::time::Duration;

const ROUTE: &str = "[[routes]]\nmatch = 'GET /a'\nrespond = {}\n";

fn route(top: &str, own: &str) -> RouteSpec {
    tables(&format!("{top}\n{ROUTE}{own}\n")).unwrap().routes.remove(0)
}

#[test]
fn every_key_of_cors_is_read() {
    let text = "cors = { origins = ['https://A.example:443', 'http://*.b.example:81'], methods = ['GET', 'PUT'], headers = ['X-A'], \
                credentials = true, max_age = '2m', expose = ['X-B', 'x-c'] }";
    let route = route("", text);
    let spec = route.policy.cors.spec().unwrap();
    assert_eq!(spec.origins.texts(), ["https://a.example", "http://*.b.example:81"]);
    assert_eq!(spec.methods, Some(vec![Method::Get, Method::Put]));
    assert_eq!(
        (spec.headers.clone(), spec.expose.clone()),
        (Some(vec!["x-a".into()]), vec!["x-b".into(), "x-c".into()])
    );
    assert_eq!((spec.credentials, spec.max_age), (true, Some(Duration::from_secs(120))));
}

#[test]
fn a_route_that_says_nothing_has_what_its_file_says() {
    let origins = |top: &str, own: &str| route(top, own).policy.cors.spec().map(|spec| spec.origins.texts());
    let name = |top: &str, own: &str| route(top, own).policy.security_headers.name();
    let (file, own) = ("cors = { origins = ['*'] }", "cors = { origins = ['http://a'] }");
    for (top, more, expected) in [
        ("", "", None),
        (file, "", Some(vec!["*".to_owned()])),
        (file, own, Some(vec!["http://a".to_owned()])),
        (file, "cors = false", None),
        ("cors = false", own, Some(vec!["http://a".to_owned()])),
    ] {
        assert_eq!(origins(top, more), expected, "{top} {more}");
    }
    let (api, page) = ("security_headers = 'api'", "security_headers = 'page'");
    for (top, own, expected) in [
        ("", "", None),
        (api, "", Some("api")),
        (api, page, Some("page")),
        (api, "security_headers = false", None),
    ] {
        assert_eq!(name(top, own), expected, "{top} {own}");
    }
}

#[test]
fn what_will_not_do_is_said_with_what_to_write() {
    for (line, expected) in [
        ("cors = true", "help: write cors = { origins = [\"https://app.example.com\"] }"),
        ("cors = {}", "`cors` needs `origins`"),
        ("cors = { origins = [] }", "`origins` is empty"),
        ("cors = { origins = '*' }", "`origins` must be an array of strings"),
        ("cors = { origins = ['*', 'http://a'] }", "`*` stands alone"),
        ("cors = { origins = ['http://a', 'HTTP://A:80'] }", "the origin `http://a` is listed twice"),
        ("cors = { origins = ['*'], credentials = true }", "credentials go to pages that are listed"),
        ("cors = { origins = ['null'] }", "every page in a sandbox says so"),
        ("cors = { origins = ['app.example.com'] }", "help: write \"https://app.example.com\""),
        ("cors = { origins = ['localhost:3000'] }", "help: write \"http://localhost:3000\""),
        ("cors = { origins = ['https://a.example/'] }", "help: write \"https://a.example\""),
        ("cors = { origins = ['https://*.com'] }", "`*.com` would be everybody's"),
        ("cors = { origins = ['https://a*.example.com'] }", "a `*` stands for the whole first label"),
        ("cors = { origins = ['https://ä.example'] }", "Punycode"),
        ("cors = { origins = ['*'], methods = ['*'] }", "leave `methods` out"),
        ("cors = { origins = ['*'], methods = ['HEAD'] }", "`GET` brings it"),
        ("cors = { origins = ['*'], headers = ['*'] }", "leave `headers` out"),
        ("cors = { origins = ['*'], expose = ['a b'] }", "`a b` is not a header's name"),
        ("cors = { origins = ['*'], max_age = '25h' }", "expected 0ms to 24h"),
        ("cors = { origins = ['*'], max_age = 600 }", "help: write \"600s\""),
        ("cors = { allow_origins = ['*'] }", "write origins = "),
        ("cors = { origins = ['*'], allowCredentials = true }", "write credentials = true"),
        ("security_headers = true", "write \"api\" for what programs read"),
        ("security_headers = 'apis'", "did you mean `api`?"),
    ] {
        let said = tables(&format!("{ROUTE}{line}\n")).unwrap_err().to_string();
        assert!(said.contains(expected), "{line}: {said}");
    }
}

#[test]
fn a_header_that_cors_says_cannot_be_said_beside_it() {
    let backend = "[backends.b]\nendpoints = ['x:1']\n[[routes]]\nmatch = 'GET /a'\n";
    let cors = "cors = { origins = ['*'] }\n";
    for (action, place) in [
        ("respond = { headers = { Access-Control-Allow-Origin = '*' } }\n", "t.toml:5:11"),
        ("call = 's.m'\nresponse = { headers = { access-control-max-age = '1' } }\n", "t.toml:6:12"),
        (
            "call = 's.m'\nfallback = { status = 503, headers = { access-control-max-age = '1' } }\n",
            "t.toml:6:12",
        ),
        ("call = 's.m'\nresponse = { metadata = ['access-control-expose-headers'] }\n", "t.toml:6:12"),
    ] {
        let said = tables(&format!("{backend}{action}{cors}")).unwrap_err().to_string();
        assert!(said.contains("is said by `cors`") && said.contains(place), "{said}");
        tables(&format!("{backend}{action}")).unwrap();
    }
}
