//! The last good lists on disk, where `[server] state` names a folder: what a gateway starts with when nobody answers.
//!
//! The file is text: a line that says what it is, with a checksum of the rest, and a line for each instance. A file that is not
//! exactly that is not used.

use super::{Listed, Lists};
use crate::config::DiscoveryName;
use std::fmt::Write;

/// The name of the file.
pub const FILE: &str = "lists";

/// What the file begins with.
const HEAD: &str = "callgate lists 1 ";

/// What the file says of these lists. What is not confirmed to be gone is not written.
pub fn written(lists: &Lists) -> Vec<u8> {
    let mut lines: Vec<String> = Vec::new();
    for (name, list) in lists {
        lines.extend(list.listed.iter().map(|one| format!("{name} {one}\n")));
    }
    lines.sort_unstable();
    let body = lines.concat();
    let mut text = format!("{HEAD}{:08x}\n", crc32fast::hash(body.as_bytes()));
    // A string takes all.
    let _ = text.write_str(&body);
    text.into_bytes()
}

/// Reads it back.
///
/// # Errors
///
/// What is wrong with the file.
pub fn read(content: &[u8]) -> Result<Vec<(DiscoveryName, Listed)>, &'static str> {
    let text = std::str::from_utf8(content).map_err(|_| "it is no text")?;
    let rest = text.strip_prefix(HEAD).ok_or("it is another file, or of another version")?;
    let (sum, body) = rest.split_once('\n').ok_or("it is cut short")?;
    if u32::from_str_radix(sum, 16) != Ok(crc32fast::hash(body.as_bytes())) {
        return Err("its checksum is wrong");
    }
    let line = |line: &str| {
        let (name, one) = line.split_once(' ')?;
        Some((name.parse().ok()?, one.parse().ok()?))
    };
    body.lines().map(|text| line(text).ok_or("a line cannot be read")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::List;
    use std::net::IpAddr;
    use std::sync::Arc;

    fn lists() -> Lists {
        let one = Listed::from(IpAddr::from([10, 0, 0, 1]));
        let of_service = Listed { port: Some(1), weight: Some(2), priority: 3, ..one };
        let host = List { listed: vec![one], unconfirmed: vec![IpAddr::from([10, 0, 0, 2]).into()] };
        Lists::from([
            (DiscoveryName::Host("shop".to_owned()), Arc::new(host)),
            (
                DiscoveryName::Service("_shop._tcp".to_owned()),
                Arc::new(List::of(vec![of_service, of_service])),
            ),
            (DiscoveryName::Host("none".to_owned()), Arc::default()),
        ])
    }

    #[test]
    fn what_is_written_is_read_back() {
        let content = written(&lists());
        let text = String::from_utf8(content.clone()).expect("it is text");
        let body = text.split_once('\n').expect("lines").1;
        assert_eq!(body, "shop 10.0.0.1\nsrv:_shop._tcp 10.0.0.1 1 2 3\nsrv:_shop._tcp 10.0.0.1 1 2 3\n");
        let read = read(&content).expect("it is sound");
        assert_eq!(read.len(), 3);
        assert_eq!(read[0], (DiscoveryName::Host("shop".to_owned()), IpAddr::from([10, 0, 0, 1]).into()));
        assert_eq!(super::read(&written(&Lists::default())), Ok(Vec::new()));
    }

    #[test]
    fn a_file_that_is_cut_short_changed_or_another_is_not_used() {
        let content = written(&lists());
        for end in 0..content.len() {
            assert!(read(&content[..end]).is_err(), "the first {end} bytes");
        }
        for at in 0..content.len() {
            let mut changed = content.clone();
            changed[at] ^= 1;
            assert!(read(&changed).is_err(), "byte {at}");
        }
        for other in
            [&b""[..], b"\xff", b"x", b"callgate lists 2 00000000\n", b"callgate lists 1 00000000\nx\n"]
        {
            assert!(read(other).is_err(), "{other:?}");
        }
        let unreadable = "shop 10.0.0.1 1\n";
        let summed = format!("{HEAD}{:08x}\n{unreadable}", crc32fast::hash(unreadable.as_bytes()));
        assert_eq!(read(summed.as_bytes()), Err("a line cannot be read"));
    }
}
