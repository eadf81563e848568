//! Names that are looked up again: as endpoints, and `[dns]` of the gateway's file.

use super::{Source, check, check_settings, tables};
use crate::config::{DiscoveryName, DnsSettings};
use std::time::Duration;

#[test]
fn a_name_is_an_endpoint_like_others_and_a_host_may_be_called_dns() {
    let text = "[backends.b]\nendpoints = ['dns:Shop.Internal:7101', { address = 'dns:x.:1', drain = true }, \
                'dns:7101', 'shop.internal:7101']\n";
    let backend = tables(text).unwrap().backends.remove(0);
    let shown: Vec<(String, bool, bool)> = backend
        .endpoints
        .iter()
        .map(|one| (one.addr.to_string(), matches!(one.addr.name(), Some(DiscoveryName::Host(_))), one.drain))
        .collect();
    let expected = [
        ("dns:shop.internal:7101", true, false),
        ("dns:x.:1", true, true),
        ("dns:7101", false, false),
        ("shop.internal:7101", false, false),
    ];
    assert_eq!(shown, expected.map(|(text, named, drain)| (text.to_owned(), named, drain)));
}

#[test]
fn what_is_no_name_is_shown_with_what_to_write() {
    check(
        r#"
[backends.shop]
endpoints = [
  "dns:shop",
  "dns:///shop:7101",
  "dns:shop:0",
  "dns:10.0.0.7:7101",
  "dns:[::1]:7101",
  "dns:a..b:1",
  "dns:shop:1",
  { address = "dns:SHOP:1", drain = true },
]"#,
        r#"
error: `dns:shop` is not a name to look up
 --> t.toml:4:3
  |
4 |   "dns:shop",
  |   ^^^^^^^^^^ expected `dns:host:port`
  |
  = help: the port is missing: "dns:shop:7101"

error: `dns:///shop:7101` is not a name to look up
 --> t.toml:5:3
  |
5 |   "dns:///shop:7101",
  |   ^^^^^^^^^^^^^^^^^^ expected `dns:host:port`, without slashes
  |
  = help: write "dns:shop:7101"

error: `0` is not a port
 --> t.toml:6:13
  |
6 |   "dns:shop:0",
  |             ^ expected 1 to 65535

error: `10.0.0.7` is an address
 --> t.toml:7:8
  |
7 |   "dns:10.0.0.7:7101",
  |        ^^^^^^^^ there is nothing to look up
  |
  = help: write "10.0.0.7:7101"

error: `[::1]` is an address
 --> t.toml:8:8
  |
8 |   "dns:[::1]:7101",
  |        ^^^^^ there is nothing to look up
  |
  = help: write "[::1]:7101"

error: `a..b` is not a host
 --> t.toml:9:8
  |
9 |   "dns:a..b:1",
  |        ^^^^ expected a name

error: endpoint `dns:shop:1` is listed twice
  --> t.toml:11:15
   |
10 |   "dns:shop:1",
   |   ------------ first here
11 |   { address = "dns:SHOP:1", drain = true },
   |               ^^^^^^^^^^^^ again
"#,
    );
}

#[test]
fn a_service_is_an_endpoint_like_others_and_a_host_may_be_called_srv() {
    let text = "[backends.b]\nendpoints = ['srv:_Shop._tcp.Internal.', { address = 'srv:shop', drain = true }, \
                'srv:7101']\n";
    let backend = tables(text).unwrap().backends.remove(0);
    let shown: Vec<(String, bool, bool)> = backend
        .endpoints
        .iter()
        .map(|one| {
            (one.addr.to_string(), matches!(one.addr.name(), Some(DiscoveryName::Service(_))), one.drain)
        })
        .collect();
    let expected =
        [("srv:_shop._tcp.internal.", true, false), ("srv:shop", true, true), ("srv:7101", false, false)];
    assert_eq!(shown, expected.map(|(text, service, drain)| (text.to_owned(), service, drain)));
}

#[test]
fn what_is_no_service_is_shown_with_what_to_write() {
    check(
        r#"
[backends.shop]
endpoints = [
  "srv:_shop._tcp.internal:7101",
  "srv://_shop._tcp.internal",
  "srv:_shop..internal",
  "srv:10.0.0.7",
  { address = "srv:_shop._tcp.internal", weight = 5 },
  "srv:a",
  "srv:A",
]"#,
        r#"
error: `srv:_shop._tcp.internal:7101` is not a service to look up
 --> t.toml:4:3
  |
4 |   "srv:_shop._tcp.internal:7101",
  |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected `srv:name`
  |
  = note: the records of a service say at which ports its instances are
  = help: write "srv:_shop._tcp.internal"

error: `srv://_shop._tcp.internal` is not a service to look up
 --> t.toml:5:3
  |
5 |   "srv://_shop._tcp.internal",
  |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected `srv:name`, without slashes
  |
  = help: write "srv:_shop._tcp.internal"

error: `srv:_shop..internal` is not a service to look up
 --> t.toml:6:8
  |
6 |   "srv:_shop..internal",
  |        ^^^^^^^^^^^^^^^ expected a name such as `_shop._tcp.internal`

error: `srv:10.0.0.7` is not a service to look up
 --> t.toml:7:8
  |
7 |   "srv:10.0.0.7",
  |        ^^^^^^^^ expected a name such as `_shop._tcp.internal`

error: the instances of a service have no `weight` here
 --> t.toml:8:51
  |
8 |   { address = "srv:_shop._tcp.internal", weight = 5 },
  |                                                   ^ not allowed
  |
  = note: their weights are those of the service's records

error: endpoint `srv:a` is listed twice
  --> t.toml:10:3
   |
 9 |   "srv:a",
   |   ------- first here
10 |   "srv:A",
   |   ^^^^^^^ again
"#,
    );
}

fn settings(text: &str) -> DnsSettings {
    super::judge::read_settings(Source::new("gateway.toml", text), None).unwrap().dns
}

#[test]
fn the_systems_servers_are_asked_unless_others_are_named() {
    assert_eq!(settings("[dns]\nservers = 'system'"), DnsSettings::default());
    let named = settings(
        "[dns]\nservers = ['10.0.0.2', '[::1]:5353', '::1']\ntimeout = '500ms'\nmin_ttl = '2s'\nmax_ttl = '1m'",
    );
    let expected = DnsSettings {
        servers: ["10.0.0.2:53", "[::1]:5353", "[::1]:53"].map(|text| text.parse().unwrap()).to_vec(),
        timeout: Duration::from_millis(500),
        min_ttl: Duration::from_secs(2),
        max_ttl: Duration::from_secs(60),
    };
    assert_eq!(named, expected);
}

#[test]
fn what_is_wrong_with_the_settings_of_look_ups_is_shown() {
    check_settings(
        r#"
[dns]
servers = ["10.0.0.2", "dns.internal", "10.0.0.2:53", "10.0.0.2:0"]
timeout = "1m"
min_ttl = "2m"
ttl = "5s""#,
        None,
        r#"
error: `dns.internal` is not a server's address
 --> gateway.toml:3:24
  |
3 | servers = ["10.0.0.2", "dns.internal", "10.0.0.2:53", "10.0.0.2:0"]
  |                        ^^^^^^^^^^^^^^ expected an IP address, with or without a port

error: server `10.0.0.2:53` is listed twice
 --> gateway.toml:3:40
  |
3 | servers = ["10.0.0.2", "dns.internal", "10.0.0.2:53", "10.0.0.2:0"]
  |            ---------- first here       ^^^^^^^^^^^^^ again

error: `10.0.0.2:0` is not a server's address
 --> gateway.toml:3:55
  |
3 | servers = ["10.0.0.2", "dns.internal", "10.0.0.2:53", "10.0.0.2:0"]
  |                                                       ^^^^^^^^^^^^ expected an IP address, with or without a port

error: `timeout` is out of bounds
 --> gateway.toml:4:11
  |
4 | timeout = "1m"
  |           ^^^^ expected 10ms to 30s

error: `min_ttl` is longer than `max_ttl`
 --> gateway.toml:5:11
  |
5 | min_ttl = "2m"
  |           ^^^^ from 2m to 30s

error: unknown key `ttl` in [dns]
 --> gateway.toml:6:1
  |
6 | ttl = "5s"
  | ^^^ not known here
  |
  = help: there is `servers`, `timeout`, `min_ttl` and `max_ttl`
"#,
    );
    for (servers, expected) in [
        ("[]", "there is nobody to ask"),
        ("'10.0.0.2'", "`servers` must be \"system\", or an array such as"),
        ("5", "`servers` must be"),
    ] {
        let source = Source::new("gateway.toml", format!("dns.servers = {servers}"));
        let told = super::judge::read_settings(source, None).unwrap_err().to_string();
        assert!(told.contains(expected), "{servers}: {told}");
    }
}
