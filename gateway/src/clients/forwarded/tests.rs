//! Who the client is by lists that proxies, and others, have written.

use super::ForwardedHeader::{Forwarded, XForwardedFor};
use super::*;
use proptest::prelude::*;

/// Proxies are in 10.0.0.0/8 and fd00::/8. The nearest one is 10.0.0.1.
fn client(header: ForwardedHeader, lines: &[&str]) -> Option<String> {
    let trusted = ["10.0.0.0/8", "fd00::/8"].map(|text| text.parse().expect("a network"));
    let trusted = Networks::new(trusted.to_vec());
    let nearest = Some([10, 0, 0, 1].into());
    let client = header.client(lines.iter().map(|line| line.as_bytes()), nearest, &trusted);
    client.map(|address| address.to_string())
}

#[track_caller]
fn check(header: ForwardedHeader, cases: &[(&[&str], Option<&str>)]) {
    for (lines, expected) in cases {
        assert_eq!(client(header, lines).as_deref(), *expected, "{lines:?}");
    }
}

#[test]
fn the_last_address_that_is_no_proxys_is_the_clients() {
    check(
        XForwardedFor,
        &[
            (&[], Some("10.0.0.1")),
            (&[""], Some("10.0.0.1")),
            (&["192.0.2.1"], Some("192.0.2.1")),
            (&["198.51.100.7, 192.0.2.1"], Some("192.0.2.1")),
            (&["198.51.100.7, 192.0.2.1, 10.0.0.2,10.0.0.3"], Some("192.0.2.1")),
            // Of several lines the last one is the last.
            (&["192.0.2.1", "10.0.0.2"], Some("192.0.2.1")),
            (&["10.0.0.2", "192.0.2.1"], Some("192.0.2.1")),
            (&["192.0.2.1", "", " , "], Some("192.0.2.1")),
            // Proxies only: the first of them.
            (&["10.0.0.4, 10.0.0.3"], Some("10.0.0.4")),
            (&["2001:db8::1, fd00::7"], Some("2001:db8::1")),
            (&["[2001:db8::1]:443"], Some("2001:db8::1")),
            (&["[2001:db8::1]"], Some("2001:db8::1")),
            (&["192.0.2.1:4711"], Some("192.0.2.1")),
            (&["::ffff:192.0.2.1"], Some("192.0.2.1")),
            (&["192.0.2.1, ::ffff:10.0.0.2"], Some("192.0.2.1")),
        ],
    );
}

#[test]
fn what_a_client_has_written_itself_is_not_looked_at() {
    check(
        XForwardedFor,
        &[
            (&["unknown, \"\u{1f980}, 10.0.0.9", "192.0.2.1"], Some("192.0.2.1")),
            (&["\", 192.0.2.1"], Some("192.0.2.1")),
        ],
    );
    check(
        Forwarded,
        &[
            (&["for=\"198.51.100.7, for=192.0.2.1"], Some("192.0.2.1")),
            (&["for=\"\\, for=192.0.2.1;host=\"a,b\""], Some("192.0.2.1")),
            (&["for=198.51.100.7;by=\"", "for=192.0.2.1"], Some("192.0.2.1")),
            (&["\", for=\"192.0.2.1\", for=10.0.0.2"], Some("192.0.2.1")),
        ],
    );
}

#[test]
fn where_a_proxy_does_not_say_who_its_client_is_nobody_is() {
    check(
        XForwardedFor,
        &[
            (&["192.0.2.1, unknown"], None),
            (&["192.0.2.1, unknown, 10.0.0.2"], None),
            (&["192.0.2.1, _hidden"], None),
            (&["192.0.2.1 198.51.100.7"], None),
            (&["192.0.2.01"], None),
            (&["fe80::1%eth0"], None),
            (&["[2001:db8::1"], None),
            (&["[192.0.2.1]"], None),
            (&["[2001:db8::1]443"], None),
            (&["192.0.2.1:"], None),
            (&["192.0.2.1:http"], None),
            (&["example.com"], None),
        ],
    );
    check(
        Forwarded,
        &[
            (&["for=unknown"], None),
            (&["for=\"_gazonk\""], None),
            (&["for=192.0.2.1, for=_hidden, for=10.0.0.2"], None),
            (&["for=192.0.2.1, proto=https"], None),
            (&["for=192.0.2.1;for=192.0.2.1"], None),
            (&["for"], None),
            (&["for="], None),
            (&["for=192.0.2.1 x"], None),
            (&["for=\"192.0.2.1"], None),
            (&["for=\"192.0.2.1\"x"], None),
            (&["for=\"192.0.2.1\\\""], None),
            (&["f\"or=192.0.2.1"], None),
        ],
    );
}

#[test]
fn elements_of_forwarded_are_read_as_rfc_7239_writes_them() {
    check(
        Forwarded,
        &[
            (&["For=\"[2001:db8:cafe::17]:4711\""], Some("2001:db8:cafe::17")),
            (&["for=192.0.2.60;proto=http;by=203.0.113.43"], Some("192.0.2.60")),
            (&["for=192.0.2.43, for=\"[fd00::17]\""], Some("192.0.2.43")),
            (&["by=\"a\\\"b,;for=c\"; host=x;FOR=\"192.0.2.1:_port\""], Some("192.0.2.1")),
            (&[";;for=192.0.2.1;"], Some("192.0.2.1")),
            (&["for=192.0.2.1,,", "for=10.0.0.2 ; by=_x"], Some("192.0.2.1")),
            // Without the quotes that it must have.
            (&["for=[2001:db8::1]:80"], Some("2001:db8::1")),
            (&["for=192.0.2.1:80"], Some("192.0.2.1")),
        ],
    );
}

/// A proxy, or somebody else.
fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u8>().prop_map(|n| [10, 0, 0, n].into()),
        any::<u8>().prop_map(|n| [0xfd00, 0, 0, 0, 0, 0, 0, u16::from(n)].into()),
        any::<u8>().prop_map(|n| [192, 0, 2, n].into()),
        any::<u8>().prop_map(|n| [0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(n)].into()),
    ]
}

/// What a proxy adds for an address, in one of the ways in which that may be written.
fn element(header: ForwardedHeader, address: IpAddr, way: u8) -> String {
    let port = if way & 1 == 0 { "" } else { ":4711" };
    let node = match address {
        IpAddr::V6(address) if header == Forwarded || !port.is_empty() => format!("[{address}]{port}"),
        _ => format!("{address}{port}"),
    };
    match (header, way & 2) {
        (XForwardedFor, _) => node,
        (Forwarded, 0) => format!("for=\"{node}\""),
        (Forwarded, _) => format!("proto=https;by=\"a, \\\"b\\\"\";for=\"{node}\";host=x"),
    }
}

proptest! {
    /// From the right through trusted networks, said in another way.
    #[test]
    fn the_client_is_the_last_one_who_is_no_proxy_or_else_the_first(
        hops in prop::collection::vec((address(), any::<u8>()), 0..8),
        breaks in prop::collection::vec(any::<bool>(), 8),
        invented in "[ -~]{0,20}",
    ) {
        let is_proxy = |address: &IpAddr| {
            let text = address.to_string();
            text.starts_with("10.") || text.starts_with("fd00:")
        };
        let real = hops.iter().rev().map(|(address, _)| *address).find(|address| !is_proxy(address));
        let first = hops.first().map(|(address, _)| *address);
        for header in [Forwarded, XForwardedFor] {
            let mut lines = vec![String::new()];
            for ((address, way), breaks) in hops.iter().zip(&breaks) {
                let element = element(header, *address, *way);
                match lines.last_mut() {
                    Some(line) if !breaks && !line.is_empty() => line.push_str(&format!(", {element}")),
                    _ => lines.push(element),
                }
            }
            let expected = real.or(first).unwrap_or([10, 0, 0, 1].into()).to_string();
            let borrowed: Vec<&str> = lines.iter().map(String::as_str).collect();
            prop_assert_eq!(client(header, &borrowed), Some(expected.clone()), "{:?}", &lines);
            // The client may have sent what it liked before.
            if real.is_some() {
                lines[1] = format!("{invented}, {}", lines[1]);
                let borrowed: Vec<&str> = lines.iter().map(String::as_str).collect();
                prop_assert_eq!(client(header, &borrowed), Some(expected), "{:?}", &lines);
            }
        }
    }

    #[test]
    fn whatever_is_written_is_read_to_an_end(
        lines in prop::collection::vec(
            prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"\"\\,;= for10.:[]".to_vec())], 0..60),
            0..4,
        ),
    ) {
        let trusted = Networks::new(vec!["0.0.0.0/0".parse().expect("a network")]);
        for header in [Forwarded, XForwardedFor] {
            let lines = lines.iter().map(Vec::as_slice);
            let _ = header.client(lines, None, &trusted);
        }
    }
}
