//! What PROXY headers say, and what is none. Crate `ppp`, which parses them another way, is asked the same.

use super::*;
use proptest::prelude::*;

fn client(address: &str) -> Result<Said, Malformed> {
    Ok(Said::Client(address.parse().expect("an address")))
}

#[test]
fn a_line_says_the_address_of_its_client_or_nothing() {
    for (line, expected) in [
        ("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", client("192.0.2.1")),
        ("PROXY TCP6 2001:db8::1 ::1 0 65535\r\n", client("2001:db8::1")),
        ("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", client("192.0.2.1")),
        ("PROXY UNKNOWN\r\n", Ok(Said::Nothing)),
        ("PROXY UNKNOWN ffff::1 anything 1 2\r\n", Ok(Said::Nothing)),
        ("PROXY UNKNOWNS\r\n", Err(Malformed)),
        ("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\n", Err(Malformed)),
        ("PROXY  TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", Err(Malformed)),
        ("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 \r\n", Err(Malformed)),
        ("PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n", Err(Malformed)),
        ("PROXY TCP4 192.0.2.1 198.51.100.1 056324 443\r\n", Err(Malformed)),
        ("PROXY TCP4 192.0.2.1 198.51.100.1 56324 65536\r\n", Err(Malformed)),
        ("PROXY TCP4 192.0.2.1 198.51.100.1 +1 443\r\n", Err(Malformed)),
        ("PROXY TCP4 192.0.2.01 198.51.100.1 1 443\r\n", Err(Malformed)),
        ("PROXY TCP4 2001:db8::1 ::1 1 2\r\n", Err(Malformed)),
        ("PROXY TCP6 192.0.2.1 198.51.100.1 1 2\r\n", Err(Malformed)),
        ("PROXY TCP4 192.0.2.1 nowhere 1 2\r\n", Err(Malformed)),
        ("PROXY UDP4 192.0.2.1 198.51.100.1 1 2\r\n", Err(Malformed)),
        ("PROXY \r\n", Err(Malformed)),
        ("PROXY \u{fc}\r\n", Err(Malformed)),
        ("proxy UNKNOWN\r\n", Err(Malformed)),
    ] {
        assert_eq!(text(line.as_bytes()), expected, "{line:?}");
    }
}

/// The fixed part with that command, family and length.
fn fixed(command: u8, family: u8, rest: u16) -> [u8; FIXED] {
    let mut bytes = [0; FIXED];
    bytes[..12].copy_from_slice(BINARY);
    bytes[12..14].copy_from_slice(&[command, family]);
    bytes[14..].copy_from_slice(&rest.to_be_bytes());
    bytes
}

#[test]
fn a_binary_header_says_the_address_of_its_client_or_nothing() {
    let mut rest = vec![0; 500];
    rest[..16].copy_from_slice(&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    for (command, family, length, expected) in [
        (0x21, 0x11, 12, client("32.1.13.184")),
        (0x21, 0x11, 500, client("32.1.13.184")),
        (0x21, 0x11, 11, Err(Malformed)),
        (0x21, 0x21, 36, client("2001:db8::1")),
        (0x21, 0x21, 35, Err(Malformed)),
        (0x20, 0x00, 0, Ok(Said::Nothing)),
        (0x20, 0x11, 12, Ok(Said::Nothing)),
        (0x20, 0xff, 7, Ok(Said::Nothing)),
        (0x21, 0x00, 0, Ok(Said::Nothing)),
        (0x21, 0x31, 216, Ok(Said::Nothing)),
        (0x21, 0x12, 12, Err(Malformed)),
        (0x21, 0x22, 36, Err(Malformed)),
        (0x22, 0x11, 12, Err(Malformed)),
        (0x11, 0x11, 12, Err(Malformed)),
        (0x21, 0x11, MAX_REST as u16, client("32.1.13.184")),
        (0x21, 0x11, MAX_REST as u16 + 1, Err(Malformed)),
        (0x20, 0x00, u16::MAX, Err(Malformed)),
    ] {
        let seen = Binary::read(&fixed(command, family, length)).map(|header| {
            assert_eq!(header.rest, usize::from(length));
            header.said(&rest[..header.wanted()])
        });
        assert_eq!(seen, expected, "{command:x} {family:x} {length}");
    }
    let mapped = [[0; 10].as_slice(), &[0xff, 0xff, 192, 0, 2, 1]].concat();
    let header = Binary::read(&fixed(0x21, 0x21, 36)).expect("a header");
    assert_eq!(Ok(header.said(&mapped)), client("192.0.2.1"));
}

#[test]
fn a_connection_begins_with_a_header_or_not_as_soon_as_its_bytes_tell() {
    let line = b"PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n";
    for end in 0..15 {
        assert_eq!(begin(&line[..end]), None, "{end}");
    }
    assert_eq!(begin(&line[..15]), Some(Begin::Text(15)));
    assert_eq!(begin(line), Some(Begin::Text(15)));
    let binary = fixed(0x21, 0x11, 12);
    for end in 0..FIXED {
        assert_eq!(begin(&binary[..end]), None, "{end}");
    }
    assert_eq!(begin(&binary), Some(Begin::Binary));
    for other in
        ["G", "POST / HTTP/1.1", "PRI * HTTP/2.0", "PROXYS", "\n", "\r\nG", "\r\n\r\nGET", "\u{16}\u{3}\u{1}"]
    {
        assert_eq!(begin(other.as_bytes()), Some(Begin::Other), "{other:?}");
    }
    let mut endless = b"PROXY TCP4 ".to_vec();
    endless.resize(MAX_LINE - 1, b' ');
    assert_eq!(begin(&endless), None);
    endless.push(b'\r');
    assert_eq!(begin(&endless), Some(Begin::TooLong));
    endless.push(b'\n');
    assert_eq!(begin(&endless), Some(Begin::TooLong));
}

/// What crate `ppp` makes of a whole header.
fn asked(header: &[u8]) -> Option<Option<IpAddr>> {
    if header.starts_with(BINARY) {
        let header = ppp::v2::Header::try_from(header).ok()?;
        if header.command == ppp::v2::Command::Local {
            return Some(None);
        }
        return Some(match header.addresses {
            ppp::v2::Addresses::IPv4(both) => Some(both.source_address.into()),
            ppp::v2::Addresses::IPv6(both) => Some(IpAddr::from(both.source_address).to_canonical()),
            _ => None,
        });
    }
    Some(match ppp::v1::Header::try_from(header).ok()?.addresses {
        ppp::v1::Addresses::Tcp4(both) => Some(both.source_address.into()),
        ppp::v1::Addresses::Tcp6(both) => Some(IpAddr::from(both.source_address).to_canonical()),
        ppp::v1::Addresses::Unknown => None,
    })
}

/// What we make of it.
fn ours(header: &[u8]) -> Option<Said> {
    match begin(header)? {
        Begin::Text(length) => text(&header[..length]).ok(),
        Begin::Binary => {
            let fixed = header.first_chunk()?;
            let header_of = Binary::read(fixed).ok()?;
            let rest = header.get(FIXED..FIXED + header_of.rest)?;
            Some(header_of.said(&rest[..header_of.wanted()]))
        }
        Begin::TooLong | Begin::Other => None,
    }
}

/// Bytes that are nearly a header.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        "TCP4",
        "TCP6",
        "UNKNOWN",
        "[0-9a-f.:]{0,12}",
        "192\\.0\\.2\\.[0-9]",
        "::[0-9]",
        "[0-9]{1,5}",
        "[ -~]{0,3}"
    ];
    let line = prop::collection::vec(part, 0..7).prop_map(|parts| format!("PROXY {}\r\n", parts.join(" ")));
    let binary =
        (0x1f..0x23_u8, prop::sample::select(vec![0, 0x11, 0x12, 0x21, 0x31]), 0..80_u16, 0..100_usize);
    let binary = binary.prop_flat_map(|(command, family, length, there)| {
        prop::collection::vec(any::<u8>(), there)
            .prop_map(move |rest| [&fixed(command, family, length)[..], &rest].concat())
    });
    prop_oneof![line.prop_map(String::into_bytes), binary, prop::collection::vec(any::<u8>(), 0..200)]
}

proptest! {
    #[test]
    fn whatever_comes_is_a_header_or_none(bytes in nearly()) {
        let seen = ours(&bytes);
        // Where we read an address, it is the one that others read.
        if let Some(Said::Client(address)) = seen {
            prop_assert_eq!(asked(&bytes), Some(Some(address)));
        }
    }

    #[test]
    fn what_is_behind_a_header_changes_nothing(bytes in nearly(), behind in prop::collection::vec(any::<u8>(), 0..40)) {
        if let Some(begins) = begin(&bytes) {
            let more = [&bytes[..], &behind].concat();
            prop_assert_eq!(begin(&more), Some(begins));
            if let (Some(seen), true) = (ours(&bytes), matches!(begins, Begin::Text(_) | Begin::Binary)) {
                prop_assert_eq!(ours(&more), Some(seen));
            }
        }
    }

    #[test]
    fn a_line_that_a_proxy_writes_is_read(v4: u32, v6: u128, port: u16) {
        let (v4, v6) = (Ipv4Addr::from_bits(v4), Ipv6Addr::from_bits(v6));
        let line = format!("PROXY TCP4 {v4} {v4} {port} {port}\r\n");
        prop_assert_eq!(ours(line.as_bytes()), Some(Said::Client(v4.into())));
        let line = format!("PROXY TCP6 {v6} {v6} {port} {port}\r\n");
        prop_assert_eq!(ours(line.as_bytes()), Some(Said::Client(IpAddr::from(v6).to_canonical())));
    }
}
