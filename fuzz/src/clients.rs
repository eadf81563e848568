//! What proxies say of their clients: PROXY headers, and the lists of `Forwarded` and `X-Forwarded-For`.

use callgate::clients::proxy::{Begin, Binary, FIXED, MAX_LINE, MAX_REST, Said, begin, text};
use callgate::clients::{ForwardedHeader, Networks};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

/// Whose word counts here: of IPv4 addresses a half, so that lists are read far to the left.
static TRUSTED: LazyLock<Networks> = LazyLock::new(|| {
    let networks = ["0.0.0.0/1", "fc00::/6"].map(|text| text.parse().expect("a network"));
    Networks::new(networks.to_vec())
});

/// The proxy that has sent a request.
const NEAREST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The first bytes of a connection: a header or none as soon as they tell, whatever follows; where we read an address, another parser
/// reads the same.
pub fn proxy(input: &[u8]) {
    let begins = begin(input);
    let prefixes = (0..input.len().min(MAX_REST + FIXED)).map(|end| begin(&input[..end]));
    for prefix in prefixes.skip_while(Option::is_none) {
        assert_eq!(prefix, begins, "it tells, and then more bytes change that");
    }
    assert!(begins.is_some() || input.len() < MAX_LINE, "that many bytes tell");
    let said = match begins {
        Some(Begin::Text(length)) => text(&input[..length]).ok().map(|said| (said, length)),
        Some(Begin::Binary) => binary(input),
        Some(Begin::TooLong | Begin::Other) | None => None,
    };
    let Some((Said::Client(client), length)) = said else { return };
    assert_eq!(client, client.to_canonical(), "there is one way to write it");
    assert_eq!(theirs(&input[..length]), Some(client));
}

/// What a header of version 2 says, and how long it is, if all of it is there.
fn binary(input: &[u8]) -> Option<(Said, usize)> {
    let header = Binary::read(input.first_chunk()?).ok()?;
    assert!(header.wanted() <= header.rest && header.rest <= MAX_REST);
    let rest = input.get(FIXED..FIXED + header.rest)?;
    let said = header.said(&rest[..header.wanted()]);
    assert_eq!(header.said(rest), said, "what is skipped says nothing");
    Some((said, FIXED + header.rest))
}

/// The client by another parser.
fn theirs(header: &[u8]) -> Option<IpAddr> {
    if header.starts_with(b"\r\n") {
        return match ppp::v2::Header::try_from(header).ok()?.addresses {
            ppp::v2::Addresses::IPv4(both) => Some(both.source_address.into()),
            ppp::v2::Addresses::IPv6(both) => Some(IpAddr::from(both.source_address).to_canonical()),
            ppp::v2::Addresses::Unix(_) | ppp::v2::Addresses::Unspecified => None,
        };
    }
    match ppp::v1::Header::try_from(header).ok()?.addresses {
        ppp::v1::Addresses::Tcp4(both) => Some(both.source_address.into()),
        ppp::v1::Addresses::Tcp6(both) => Some(IpAddr::from(both.source_address).to_canonical()),
        ppp::v1::Addresses::Unknown => None,
    }
}

/// The lines of a list. Its client stands in it, nothing left of a client changes who that is; and of a list that proxies make of
/// these bytes the client is the last who is no proxy.
pub fn forwarded(input: &[u8]) {
    let lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
    for (_, header) in ForwardedHeader::ALL {
        let client = header.client(lines.iter().copied(), Some(NEAREST), &TRUSTED);
        if let Some(client) = client.filter(|client| *client != NEAREST) {
            assert!(stands_in(client, input), "nobody has said {client}");
        }
        if let Some(client) = client.filter(|client| !TRUSTED.contains(*client)) {
            left_of_it(header, &lines, client);
        }
        written(header, input);
    }
}

/// Whether an address stands among these bytes, with a port or without.
fn stands_in(client: IpAddr, input: &[u8]) -> bool {
    let is_it = |text: &str| text.parse::<IpAddr>().is_ok_and(|address| address.to_canonical() == client);
    let between = |byte: &u8| !(byte.is_ascii_hexdigit() || b".:".contains(byte));
    let mut texts = input.split(between).map(|text| std::str::from_utf8(text).unwrap_or_default());
    texts.any(|text| {
        let without_port = text.rsplit_once(':').map_or(text, |(address, _)| address);
        is_it(text) || is_it(without_port)
    })
}

/// A client can write what it likes before what proxies add.
fn left_of_it(header: ForwardedHeader, lines: &[&[u8]], client: IpAddr) {
    let element = if header == ForwardedHeader::Forwarded { "for=198.51.100.9" } else { "198.51.100.9" };
    for invented in [element, "\"", "for=\"", "\\\"", ";,=", "unknown", "\u{fc}"] {
        let first = [invented.as_bytes(), b",", lines[0]].concat();
        let longer = std::iter::once(&first[..]).chain(lines[1..].iter().copied());
        assert_eq!(header.client(longer, Some(NEAREST), &TRUSTED), Some(client), "{invented:?} before it");
        let more = std::iter::once(invented.as_bytes()).chain(lines.iter().copied());
        assert_eq!(header.client(more, Some(NEAREST), &TRUSTED), Some(client), "a line of {invented:?}");
    }
}

/// A list that is well formed, whose addresses and forms are made of these bytes.
fn written(header: ForwardedHeader, input: &[u8]) {
    let (mut lines, mut addresses) = (vec![String::new()], Vec::new());
    for part in input.chunks_exact(5).take(50) {
        let [form, rest @ ..] = part else { continue };
        let v4 = Ipv4Addr::from([rest[0], rest[1], rest[2], rest[3]]);
        let (address, node) = match form & 3 {
            0 => (IpAddr::from(v4), v4.to_string()),
            1 => (IpAddr::from(v4), format!("{v4}:{}", rest[0])),
            other => {
                let v6 = Ipv6Addr::from_bits(u128::from(v4.to_bits()) << 96 | 1);
                (v6.into(), if other == 2 { format!("[{v6}]") } else { format!("[{v6}]:_a.{}", rest[0]) })
            }
        };
        addresses.push(address);
        let element = match (header, form & 4) {
            (ForwardedHeader::XForwardedFor, _) => node,
            (ForwardedHeader::Forwarded, 0) => format!("For=\"{node}\""),
            (ForwardedHeader::Forwarded, _) => format!("by=\"a,\\\"b\"; for={node};proto=http"),
        };
        let line = lines.last_mut().expect("there is one");
        line.push_str(&element);
        line.push_str(if form & 8 == 0 { ", " } else { " ,,\t" });
        if form & 16 != 0 {
            lines.push(String::new());
        }
    }
    let strangers = addresses.iter().rev().find(|address| !TRUSTED.contains(**address));
    let expected = strangers.or(addresses.first()).copied().unwrap_or(NEAREST);
    let read = header.client(lines.iter().map(|line| line.as_bytes()), Some(NEAREST), &TRUSTED);
    assert_eq!(read, Some(expected), "{lines:?}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise the targets would look at refusals only.
    #[test]
    fn the_seeds_name_a_client() {
        for seed in [&include_bytes!("../corpus/proxy/text")[..], include_bytes!("../corpus/proxy/binary-v6")]
        {
            let said = match begin(seed) {
                Some(Begin::Text(length)) => text(&seed[..length]).ok(),
                _ => binary(seed).map(|(said, _)| said),
            };
            assert!(matches!(said, Some(Said::Client(_))), "{said:?}");
        }
        let list = include_bytes!("../corpus/forwarded/forwarded");
        let lines = list.split(|byte| *byte == b'\n');
        let lines: Vec<&[u8]> = lines.collect();
        let client = ForwardedHeader::Forwarded.client(lines.into_iter(), Some(NEAREST), &TRUSTED);
        assert_eq!(client, Some([203, 0, 113, 7].into()));
    }
}
