//! What a route says of streams: forms, events, bounds.

use super::*;
use std::sync::Arc;
use std::time::Duration;

fn route(lines: &str) -> Arc<CallSpec> {
    let text =
        format!("[backends.a]\nendpoints = ['x:1']\n[[routes]]\nmatch = 'GET /'\ncall = 's.m'\n{lines}\n");
    tables(&text).unwrap().routes[0].action.call().unwrap().clone()
}

#[test]
fn a_route_says_the_form_of_its_items_and_what_events_are_made_of() {
    assert_eq!(route("").reply, None);
    for (name, form) in [("sse", StreamForm::Sse), ("ndjson", StreamForm::Ndjson), ("json", StreamForm::Json)]
    {
        let spec = route(&format!("response = {{ stream = '{name}' }}"));
        let reply = spec.reply.as_ref().unwrap();
        assert_eq!((reply.stream, reply.events, form.name()), (Some(form), None, name));
    }
    let text = "response = { events = { event = 'kind', id = 'seq.n', retry = 'kind', heartbeat = '2s' } }";
    let spec = route(text);
    let reply = spec.reply.as_ref().unwrap();
    let heartbeat = Duration::from_secs(2);
    let expected = EventsSpec { event: Some(0), id: Some(1), retry: Some(0), heartbeat };
    assert_eq!((reply.stream, reply.events), (None, Some(expected)));
    assert!(reply.picks_of_items() && reply.is_of_items());
    let picked: Vec<&str> = spec.response.picks.iter().map(|pick| pick.field.as_str()).collect();
    assert_eq!(picked, ["kind", "seq.n"]);
    let bare = route("response = { events = { heartbeat = '2s' } }");
    assert!(!bare.reply.as_ref().unwrap().picks_of_items());
}

#[test]
fn a_file_bounds_the_streams_of_routes_that_say_nothing() {
    let text = "max_stream = { time = '2h', bytes = '1KiB' }\nstream_idle = '1m'\n\
                [backends.a]\nendpoints = ['x:1']\n\
                [[routes]]\nmatch = 'GET /a'\ncall = 's.m'\n\
                [[routes]]\nmatch = 'GET /b'\ncall = 's.m'\nmax_stream = '3h'\n\
                [[routes]]\nmatch = 'GET /c'\ncall = 's.m'\nmax_stream.bytes = 7\nstream_idle = '2m'\n";
    let tables = tables(text).unwrap();
    let minutes = |n: u64| Duration::from_secs(60 * n);
    let seen: Vec<StreamLimits> =
        tables.routes.iter().map(|route| route.action.call().unwrap().stream).collect();
    assert_eq!(
        seen,
        [
            StreamLimits { time: minutes(120), bytes: Some(1024), idle: Some(minutes(1)) },
            StreamLimits { time: minutes(180), bytes: None, idle: Some(minutes(1)) },
            StreamLimits { time: minutes(60), bytes: Some(7), idle: Some(minutes(2)) },
        ]
    );
    assert_eq!(route("").stream, StreamLimits { time: minutes(60), bytes: None, idle: None });
}

#[test]
fn what_cannot_be_of_streams_is_told() {
    for (lines, expected) in [
        ("response = { stream = 'xml' }", "`stream`"),
        ("response = { raw = 'a', stream = 'sse' }", "a raw answer has no form"),
        ("response = { raw = 'a', events = { id = 'a' } }", "a raw answer has no form"),
        ("response = { stream = 'json', events = { id = 'a' } }", "the route streams application/json"),
        ("response = { events = { ident = 'a' } }", "unknown key `ident` in `events`"),
        ("response = { events = { id = 'a..b' } }", "`id` is a field of an item"),
        ("response = { events = { heartbeat = '1ms' } }", "`heartbeat`"),
        ("etag = true\nresponse = { stream = 'sse' }", "a stream has no entity tag"),
        ("compress = true\nresponse = { stream = 'ndjson' }", "a stream is not compressed"),
        ("max_stream = {}", "`max_stream` is empty"),
        ("max_stream = { items = 7 }", "unknown key `items` in `max_stream`"),
        ("max_stream = '0s'", "`max_stream`"),
        ("stream_idle = 'x'", "not a duration"),
    ] {
        let text = format!(
            "[backends.a]\nendpoints = ['x:1']\n[[routes]]\nmatch = 'GET /'\ncall = 's.m'\n{lines}\n"
        );
        let told = tables(&text).unwrap_err().to_string();
        assert!(told.contains(expected), "{lines}: {told}");
    }
    // Of a file it is said once for all its routes, and does nothing for those that stream.
    let text = "compress = true\n[backends.a]\nendpoints = ['x:1']\n\
                [[routes]]\nmatch = 'GET /'\ncall = 's.m'\nresponse = { stream = 'sse' }\n";
    tables(text).unwrap();
}

#[test]
fn streams_end_before_connections_are_closed() {
    let parsed = |text: &str| super::judge::read_settings(Source::new("gateway.toml", text), None);
    let drain = |text: &str| parsed(text).unwrap().server.stream_drain;
    assert_eq!(drain(""), Duration::from_secs(20));
    assert_eq!(drain("server.drain_timeout = '3s'"), Duration::from_secs(2));
    assert_eq!(drain("server.stream_drain = '30s'"), Duration::from_secs(30));
    assert_eq!(drain("server.stream_drain = '0s'"), Duration::ZERO);
    let told = parsed("server = { drain_timeout = '3s', stream_drain = '4s' }").unwrap_err().to_string();
    assert!(told.contains("`stream_drain` is longer than `drain_timeout`"), "{told}");
}
