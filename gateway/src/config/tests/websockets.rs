//! What `websocket` is read as, and what is said of those that will not do.

use super::*;

fn route(method: &str, own: &str) -> Result<Tables, Diagnostics> {
    tables(&format!(
        "[backends.b]\nendpoints = ['x:1']\n[[routes]]\nmatch = '{method} /a'\ncall = 's.m'\n{own}\n"
    ))
}

#[test]
fn it_is_read_with_its_defaults() {
    let json = Messages::Json;
    for (own, expected) in [
        ("", None),
        ("websocket = false", None),
        ("websocket = true", Some((None, json))),
        ("websocket = {}", Some((None, json))),
        ("websocket = { messages = 'text' }", Some((None, Messages::Text))),
        ("websocket = { origins = ['*'], messages = 'json' }", Some((Some(vec!["*".to_owned()]), json))),
        ("websocket = { origins = ['https://*.B.example:443'], messages = 'binary' }", {
            Some((Some(vec!["https://*.b.example".to_owned()]), Messages::Binary))
        }),
    ] {
        let tables = route("GET", own).unwrap();
        let spec = call(&tables.routes[0]).websocket.as_deref();
        let seen = spec.map(|spec| (spec.origins.as_ref().map(Origins::texts), spec.messages));
        assert_eq!(seen, expected, "{own}");
    }
}

#[test]
fn what_will_not_do_is_said_with_what_to_write() {
    for (method, own, expected) in [
        ("POST", "websocket = true", "a WebSocket begins with GET"),
        ("GET", "websocket = 'yes'", "`websocket` must be"),
        ("GET", "websocket = { origin = ['*'] }", "origins"),
        ("GET", "websocket = { origins = [] }", "`origins` is empty"),
        ("GET", "websocket = { origins = ['a.example'] }", "help: write \"https://a.example\""),
        ("GET", "websocket = { messages = 'bytes' }", "binary"),
        ("GET", "websocket = true\netag = true", "`etag` does not go with `websocket`"),
        ("GET", "websocket = true\nbody = { stream = true }", "`body` does not go with `websocket`"),
        ("GET", "websocket = true\ncompress = true", "`compress` does not go with `websocket`"),
        (
            "GET",
            "websocket = true\nresponse = { stream = 'sse' }",
            "`response.stream` does not go with `websocket`",
        ),
        (
            "GET",
            "websocket = true\nresponse = { field = 'a', status = 201 }",
            "`response.status` does not go with",
        ),
        ("GET", "websocket = true\nversion = '2'", "`version` does not go with `websocket`"),
        ("GET", "websocket = true\nfallback = { status = 503 }", "`fallback` does not go with `websocket`"),
    ] {
        let told = route(method, own).expect_err(own).to_string();
        assert!(told.contains(expected), "{own}: {told}");
    }
}
