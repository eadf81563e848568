//! What right files are read as.

use super::*;
use crate::config::error_types::ErrorTypes;
use crate::method::Method;
use callgate_protocol::CallId;
use callgate_transcode::{Body, Decimal, Int64, RequestBinding, Response, ResponseBinding, UnknownFields};
use std::path::{Path, PathBuf};
use std::time::Duration;

const SHOP: &str =
    "[backends.shop]\nendpoints = ['x:1']\n[[routes]]\nmatch = 'POST /a/{f.id}/{*rest}'\ncall = 'a.b'\n";

/// The only route of [`SHOP`] with more keys.
#[track_caller]
fn route(more: &str) -> RouteSpec {
    let tables = tables(&format!("{SHOP}{more}")).unwrap();
    assert_eq!(tables.routes.len(), 1);
    tables.routes.into_iter().next().unwrap()
}

#[test]
fn a_route_without_options_has_the_defaults() {
    let route = route("");
    assert_eq!(route.matcher.method, Method::Post);
    assert_eq!(route.matcher.path.as_str(), "/a/{f.id}/{*rest}");
    assert_eq!(call(&route).backend, "shop");
    assert_eq!(call(&route).timeout, Duration::from_secs(10));
    let path = vec!["f.id".to_owned(), "rest".to_owned()];
    assert_eq!(route.matcher.path.params(), path);
    assert_eq!(call(&route).request, RequestBinding { path, ..RequestBinding::default() });
    assert_eq!(call(&route).response, ResponseBinding::default());
    assert_eq!(call(&route).call.call_id(), CallId::of("a", "b"));
    assert_eq!(route.written.place.to_string(), "t.toml:4:9");
}

#[test]
fn a_routes_options_are_read_into_its_bindings() {
    for (text, expected) in
        [("'*'", Body::Whole), ("'doc.x'", Body::Field("doc.x".into())), ("false", Body::None)]
    {
        assert_eq!(call(&route(&format!("body = {text}"))).request.body, expected);
    }
    for (text, expected) in [
        ("{ wrap = 'result' }", Response::Wrap("result".into())),
        ("{ field = 'a.b' }", Response::Field("a.b".into())),
        ("{ raw = 'a.b' }", Response::Raw(Some("a.b".into()))),
        ("{ raw = true }", Response::Raw(None)),
    ] {
        assert_eq!(call(&route(&format!("response = {text}"))).response.shape, expected);
    }
    assert_eq!(call(&route("int64 = 'string'")).response.int64, Int64::String);
    assert_eq!(call(&route("decimal = 'number'")).response.decimal, Decimal::Number);
    assert_eq!(call(&route("")).response.decimal, Decimal::String);
    assert_eq!(call(&route("unknown_fields = 'ignore'")).request.unknown_fields, UnknownFields::Ignore);
    assert_eq!(call(&route("timeout = '250ms'")).timeout, Duration::from_millis(250));
}

#[test]
fn answers_are_compressed_where_the_route_or_else_its_file_says_so() {
    for (top, own, expected) in [
        ("", "", None),
        ("", "compress = true", Some(true)),
        ("compress = true\n", "", Some(true)),
        ("compress = true\n", "compress = false", Some(false)),
        ("compress = false\n", "compress = true", Some(true)),
    ] {
        let read = tables(&format!("{top}{SHOP}{own}\n")).unwrap();
        assert_eq!(read.routes[0].policy.compress, expected, "{top}{own}");
    }
    assert!(tables(&format!("{SHOP}compress = 'gzip'\n")).is_err());
}

#[test]
fn a_call_is_named_or_numbered_in_three_ways() {
    let number = CallRef::Number(CallId::pinned(0x1234_abcd).unwrap());
    for (text, expected, shown) in [
        ("'0x1234ABCD'", number.clone(), "0x1234abcd"),
        ("0x1234abcd", number.clone(), "0x1234abcd"),
        ("305_441_741", number, "0x1234abcd"),
        (
            "'shop.orders.get'",
            CallRef::Name { service: "shop.orders".into(), method: "get".into() },
            "shop.orders.get",
        ),
    ] {
        let text = SHOP.replace("'a.b'", text);
        let route = tables(&text).unwrap().routes.remove(0);
        assert_eq!(call(&route).call, expected);
        assert_eq!(call(&route).call.to_string(), shown);
    }
}

#[test]
fn a_backends_options_are_read() {
    let text = "[backends.b]\nendpoints = ['x:1', 'unix:/s']\nconnect_timeout = '2s'\nping_interval = '1m'\n\
                ping_timeout = '3s'\nmax_age = '1h'\nmax_calls = 7\n[backends.b.health]\nfailures = 3\n\
                failure_rate = 60\nslow_factor = 9\nejection = '2s'\nmax_ejection = '1m'\nmax_ejected = 0\n\
                slow_start = '20s'\n[backends.a]\nendpoints = ['x:1']\n";
    let tcp = EndpointAddr::Tcp { host: "x".into(), port: 1 };
    let endpoints: Vec<EndpointSpec> = vec![tcp.into(), EndpointAddr::Unix("/s".into()).into()];
    let b = BackendSpec {
        connect_timeout: Duration::from_secs(2),
        ping_interval: Duration::from_secs(60),
        ping_timeout: Duration::from_secs(3),
        max_age: Duration::from_secs(3600),
        max_calls: 7,
        health: HealthSpec {
            failures: 3,
            failure_rate: 60,
            slow_factor: 9,
            ejection: Duration::from_secs(2),
            max_ejection: Duration::from_secs(60),
            max_ejected: 0,
            slow_start: Duration::from_secs(20),
        },
        ..BackendSpec::new("b", endpoints.clone())
    };
    let a = BackendSpec::new("a", endpoints[..1].to_vec());
    assert_eq!(tables(text).unwrap().backends, [a, b], "sorted by name");
}

#[test]
fn an_endpoint_is_its_address_or_a_table_with_it() {
    let text = "[backends.b]\nendpoints = ['x:1', { address = 'x:2' }, { address = 'X:3', drain = true }]\n\
                [[backends.c.endpoints]]\naddress = 'x:1'\ndrain = false\n";
    let spec = |port, drain| EndpointSpec {
        drain,
        ..EndpointSpec::from(EndpointAddr::Tcp { host: "x".into(), port })
    };
    let [b, c] = tables(text).unwrap().backends.try_into().unwrap();
    assert_eq!(b.endpoints, [spec(1, false), spec(2, false), spec(3, true)]);
    assert_eq!(c.endpoints, [spec(1, false)]);
}

#[test]
fn a_route_that_only_moved_in_its_file_is_unchanged() {
    let moved = tables(&format!("# moved\n\n{SHOP}")).unwrap().routes.remove(0);
    assert_eq!(moved, route(""));
    assert_ne!(moved.written.place, route("").written.place);
    assert_ne!(route("timeout = '1s'"), route(""));
}

#[test]
fn a_tables_hash_tells_contents_and_names_but_not_folders() {
    let hash =
        |name: &str, text: &str| super::judge::read_tables(vec![Source::new(name, text)]).unwrap().hash;
    assert_eq!(hash("/one/a.toml", SHOP), hash("/two/a.toml", SHOP));
    assert_ne!(hash("a.toml", SHOP), hash("b.toml", SHOP));
    assert_ne!(hash("a.toml", SHOP), hash("a.toml", &format!("{SHOP}\n")));
    assert_eq!(hash("a.toml", "").to_string().len(), 16);
}

#[test]
fn a_windows_editors_file_is_read() {
    let text = format!("\u{feff}{}", SHOP.replace('\n', "\r\n"));
    assert_eq!(tables(&text).unwrap().routes[0], route(""));
}

fn settings(text: &str, filter: Option<&str>) -> Settings {
    super::judge::read_settings(Source::new("/etc/callgate/gateway.toml", text), filter).unwrap()
}

#[test]
fn the_settings_that_are_shipped_are_the_defaults_and_show_every_key() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/gateway.toml");
    let text = std::fs::read_to_string(shipped).unwrap();
    assert_eq!(settings(&text, None), settings("", None));
    let keys = "listen workers max_body compressed_bodies max_body_memory max_answer max_answer_memory min_send_rate min_send_rate_window min_body_rate min_body_rate_window \
                max_head max_headers \
                max_connections max_handshakes max_requests_per_connection handshake_timeout header_timeout body_timeout idle_timeout websocket_ping drain_timeout lame_duck error_types max_concurrent_streams max_connection_age hosts watch accept_exposure level format socket \
                servers timeout min_ttl max_ttl";
    for key in keys.split_whitespace() {
        assert!(text.contains(&format!("\n{key} = ")), "{key}");
    }
}

/// What the short form makes of an IP address and a port.
fn listener(address: &str) -> ListenerSettings {
    ListenerSettings {
        id: address.to_owned(),
        address: ListenAddress::Tcp(address.parse().unwrap()),
        mode: 0o660,
        group: None,
        protocol: Protocol::Http1,
        http2: Http2::Off,
        half_close: HalfClose::Cancel,
        clients: ListenerClients::default(),
        tls: None,
        https_redirect: None,
        hsts: None,
    }
}

#[test]
fn listeners_are_declared_in_two_forms_together() {
    let text = "server.listen = ['unix:../run/a.sock', '127.0.0.1:0', '127.0.0.1:0']\n\
                [[listeners]]\nid = 'internal'\naddress = 'unix:/run/b.sock'\nmode = '0600'\ngroup = 'www-data'\nprotocol = 'http1'\nhttp2 = 'prior_knowledge'\nhalf_close = 'answer'\n\
                [[listeners]]\naddress = '@name'\n";
    let all = settings(text, None).listeners;
    let shown =
        all.iter().map(|one| (one.id.as_str(), one.address.to_string(), one.mode, one.group.as_deref()));
    let expected = [
        ("unix:/etc/run/a.sock", "unix:/etc/run/a.sock", 0o660, None),
        ("127.0.0.1:0", "127.0.0.1:0", 0o660, None),
        ("127.0.0.1:0#2", "127.0.0.1:0", 0o660, None),
        ("internal", "unix:/run/b.sock", 0o600, Some("www-data")),
        ("@name", "@name", 0o660, None),
    ];
    assert_eq!(
        shown.collect::<Vec<_>>(),
        expected.map(|(id, at, mode, group)| (id, at.to_owned(), mode, group))
    );
    let answers: Vec<_> = all.iter().map(|one| one.half_close == HalfClose::Answer).collect();
    assert_eq!(answers, [false, false, false, true, false]);
    let speak: Vec<_> = all.iter().map(|one| one.http2 == Http2::PriorKnowledge).collect();
    assert_eq!(speak, answers);
    assert_eq!(settings("", None).listeners, [listener("127.0.0.1:8080")]);
    assert_eq!(settings("[[listeners]]\naddress = '[::1]:1'\n", None).listeners, [listener("[::1]:1")]);
}

#[test]
fn every_setting_is_read() {
    let text = "server = { listen = ['[::1]:80', '0.0.0.0:0'], workers = 3, max_body = '1KiB', compressed_bodies = false, max_body_memory = '2KiB', max_answer = '1MiB', max_answer_memory = '2MiB', \
                min_send_rate = '3B/s', min_send_rate_window = '5s', min_body_rate = '9B/s', min_body_rate_window = '6s', max_head = 10000, max_headers = 7, \
                max_connections = 5, max_handshakes = 6, max_requests_per_connection = 11, handshake_timeout = '8s', header_timeout = '1s', body_timeout = '2s', idle_timeout = '3s', websocket_ping = '21s', \
                drain_timeout = '4s', stream_drain = '2s', lame_duck = '7s', state = '/s', error_types = 'https://e.example/' }\n\
                admin = { listen = '127.0.0.1:9', hosts = ['Gateway.Example'], token = 's3cret', read_token = 'for-scrapes' }\ntables.watch = ['x', '/y/z.toml', '../../w']\ntables.accept_exposure = 'any'\n\
                log = { level = 'info,callgate=debug', format = 'json' }\n\
                access_log = { failures = false, successes = '0.5%', format = 'logfmt', headers = ['User-Agent'] }\nreplay.keep = 9\n\
                upgrade = { socket = '@x', drain_timeout = '5s' }\ndns.timeout = '6s'\n\
                http2 = { max_concurrent_streams = 8, max_connection_age = '9s' }\n";
    let seconds = Duration::from_secs;
    let expected = Settings {
        traces: None,
        server: ServerSettings {
            workers: 3,
            zone: None,
            max_body: 1024,
            compressed_bodies: false,
            max_body_memory: 2048,
            max_answer: 1 << 20,
            max_answer_memory: 2 << 20,
            min_send_rate: 3,
            min_send_rate_window: seconds(5),
            min_body_rate: 9,
            min_body_rate_window: seconds(6),
            max_head: 10_000,
            max_headers: 7,
            max_connections: 5,
            max_handshakes: 6,
            max_requests_per_connection: 11,
            handshake_timeout: seconds(8),
            header_timeout: seconds(1),
            body_timeout: seconds(2),
            idle_timeout: seconds(3),
            websocket_ping: seconds(21),
            drain_timeout: seconds(4),
            stream_drain: seconds(2),
            lame_duck: seconds(7),
            state: Some(PathBuf::from("/s")),
            tls_ticket_keys: None,
            error_types: ErrorTypes::parse("https://e.example/").unwrap(),
        },
        listeners: ["[::1]:80", "0.0.0.0:0"].map(listener).to_vec(),
        http2: Http2Settings { max_concurrent_streams: 8, max_connection_age: seconds(9) },
        admin: AdminSettings {
            listen: "127.0.0.1:9".parse().unwrap(),
            hosts: vec!["gateway.example".to_owned()],
            token: callgate_protocol::Token::parse("s3cret").ok(),
            read_token: callgate_protocol::Token::parse("for-scrapes").ok(),
            token_files: [None, None],
        },
        tables: TableSettings {
            watch: ["/etc/callgate/x", "/y/z.toml", "/w"].map(PathBuf::from).to_vec(),
            accept_exposure: AcceptExposure::Any,
        },
        log: LogSettings { level: "info,callgate=debug".into(), format: LogFormat::Json },
        access_log: AccessLogSettings {
            failures: false,
            successes: crate::config::Share::parse("0.5%").unwrap(),
            format: AccessLogFormat::Logfmt,
            headers: vec![crate::fields::FieldName::from("user-agent")],
            ..AccessLogSettings::default()
        },
        replay: ReplaySettings { keep: 9 },
        upgrade: UpgradeSettings { socket: Some("@x".into()), drain_timeout: seconds(5) },
        dns: DnsSettings { timeout: seconds(6), ..DnsSettings::default() },
    };
    assert_eq!(settings(text, None), expected);
}

#[test]
fn a_client_may_read_as_slowly_as_it_likes_where_the_settings_say_so() {
    for (written, expected) in [("0", 0), ("'0'", 0), ("'0B/s'", 0), ("'2KiB/s'", 2048)] {
        assert_eq!(
            settings(&format!("server.min_send_rate = {written}"), None).server.min_send_rate,
            expected
        );
    }
    for wrong in ["1024", "'1KiB'", "true", "'fast'"] {
        let source = Source::new("gateway.toml", format!("server.min_send_rate = {wrong}"));
        assert!(super::judge::read_settings(source, None).is_err(), "{wrong}");
    }
    // All answers have room for one at least.
    let settings = settings("server = { max_answer = '1GiB', max_answer_memory = '1MiB' }", None);
    assert_eq!(settings.server.max_answer_memory, 1 << 30);
}

#[test]
fn an_upgrade_socket_is_a_name_a_path_or_made_up() {
    let parsed = |socket: &str| {
        let source = Source::new("/etc/callgate/gateway.toml", format!("upgrade.socket = '{socket}'"));
        super::judge::read_settings(source, None).map(|settings| settings.upgrade.socket)
    };
    for (written, expected) in [
        ("auto", None),
        ("@a b", Some("@a b")),
        ("up.sock", Some("/etc/callgate/up.sock")),
        ("/run/up.sock", Some("/run/up.sock")),
    ] {
        assert_eq!(parsed(written).unwrap().as_deref(), expected, "{written}");
    }
    for wrong in ["", "@", "a\tb", &"x".repeat(120), &format!("@{}", "x".repeat(106))] {
        assert!(parsed(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn no_workers_are_one_a_core_and_the_environment_overrides_the_level() {
    let settings = settings("server.workers = 0\nlog.level = 'warn'", Some("trace"));
    assert!(settings.server.workers > 0);
    assert_eq!(settings.log.level, "trace");
}
