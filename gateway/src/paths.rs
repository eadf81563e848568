//! The one reading of a path: the spelling in which routes are compared with it, and the readings that somebody careless behind the gateway
//! could have of it.

use memchr::{memchr, memchr2};
use std::borrow::Cow;

/// A path in the spelling in which routes are compared with it: what needs no percent-encoding has none, hex digits are in upper case, and a `%`
/// that encodes nothing is encoded. Both spellings are the same path (RFC 3986, 6.2.2). It is put into `room` where it is another one than was sent.
#[inline]
pub(crate) fn normal<'p>(path: &'p str, room: &'p mut String) -> &'p str {
    match memchr(b'%', path.as_bytes()) {
        None => path,
        Some(first) => {
            *room = normal_from(path, first);
            room
        }
    }
}

/// The same of one whose first `%` is there.
fn normal_from(path: &str, first: usize) -> String {
    let (plain, mut rest) = path.split_at(first);
    let mut normal = String::with_capacity(path.len());
    normal.push_str(plain);
    while let Some(at) = memchr(b'%', rest.as_bytes()) {
        normal.push_str(&rest[..at]);
        match encoded(&rest.as_bytes()[at..]) {
            Some(byte) => {
                if is_unreserved(byte) {
                    normal.push(byte as char);
                } else {
                    normal.push('%');
                    normal.push_str(&rest[at + 1..at + 3].to_ascii_uppercase());
                }
                rest = &rest[at + 3..];
            }
            // It stands for itself, and with what follows it could stand for something else.
            None => {
                normal.push_str("%25");
                rest = &rest[at + 1..];
            }
        }
    }
    normal.push_str(rest);
    normal
}

/// The byte that a text begins with in percent-encoding.
fn encoded(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    let digit = |byte: &u8| (*byte as char).to_digit(16);
    Some((digit(high)? * 16 + digit(low)?) as u8)
}

/// RFC 3986, 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Whether one of a path's segments is `.` or `..`, percent-encoded or not.
#[inline]
pub(crate) fn has_dot_segment(path: &str) -> bool {
    memchr2(b'.', b'%', path.as_bytes()).is_some() && path.split('/').any(is_dot_segment)
}

/// Whether clients take a segment for `.` or `..`, percent-encoded or not (WHATWG URL, 4.2).
pub(crate) fn is_dot_segment(segment: &str) -> bool {
    let (mut rest, mut dots) = (segment.as_bytes(), 0);
    while !rest.is_empty() {
        let length = match rest {
            [b'.', ..] => 1,
            [b'%', b'2', b'e' | b'E', ..] => 3,
            _ => return false,
        };
        rest = &rest[length..];
        dots += 1;
    }
    dots == 1 || dots == 2
}

/// A path as somebody could read it who decodes it again and again, takes `\` for `/`, joins slashes, resolves dots, cuts off what stands
/// behind `;` or a NUL, does not mind a slash, a space or a dot at the end of a segment, nor capitals. Borrowed where that is what was sent.
///
/// Whoever is at a file system or a framework behind the gateway may do some of this. What two readers take for two paths must not lead
/// past the guard of one of them.
pub(crate) fn careless(path: &str) -> Cow<'_, str> {
    if is_plain(path) {
        return Cow::Borrowed(path);
    }
    let bytes = decode_all(path.as_bytes());
    let text = String::from_utf8_lossy(&bytes).to_lowercase().replace('\\', "/");
    let mut segments: Vec<&str> = Vec::new();
    for segment in text.split('/') {
        let segment = segment.split([';', '\0']).next().unwrap_or_default();
        let dots = segment.trim_matches(is_blank);
        match dots {
            ".." => drop(segments.pop()),
            _ => match dots.trim_end_matches(|c| c == '.' || is_blank(c)) {
                "" => {}
                segment => segments.push(segment),
            },
        }
    }
    Cow::Owned(format!("/{}", segments.join("/")))
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// Which bytes everybody reads alike, but for slashes and dots.
const PLAIN: [bool; 256] = {
    let mut all = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let own = byte as u8;
        all[byte] =
            own.is_ascii_graphic() && !own.is_ascii_uppercase() && !matches!(own, b'%' | b';' | b'\\');
        byte += 1;
    }
    all
};

/// Whether everybody reads it alike.
fn is_plain(path: &str) -> bool {
    let mut before = b' ';
    for byte in path.bytes() {
        if !PLAIN[usize::from(byte)] || (byte == b'/' && matches!(before, b'/' | b'.')) {
            return false;
        }
        before = byte;
    }
    path.len() == 1 || !matches!(before, b'/' | b'.')
}

/// Decodes until nothing is encoded any more: also what decoding has made. Each byte is looked at once, and once more for each that it goes into.
fn decode_all(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    for byte in text {
        decoded.push(*byte);
        while let Some(at) = decoded.len().checked_sub(3)
            && let Some(byte) = encoded(&decoded[at..])
        {
            decoded.truncate(at);
            decoded.push(byte);
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(path: &str) -> String {
        let mut room = String::new();
        normal(path, &mut room).to_owned()
    }

    #[test]
    fn two_spellings_of_one_path_are_one() {
        for (path, expected) in [
            ("/v1/orders", "/v1/orders"),
            ("/v1/%6frder%73", "/v1/orders"),
            ("/%2e%2E/%7e%5f%2D", "/../~_-"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            // Not the same path (RFC 3986, 2.2).
            ("/a%2fb%3acancel", "/a%2Fb%3Acancel"),
            ("/a%20b%25", "/a%20b%25"),
            // Decoded once.
            ("/%2561", "/%2561"),
            ("/%25%36%31", "/%2561"),
            // What encodes nothing stands for itself.
            ("/50%", "/50%25"),
            ("/%zz%6", "/%25zz%256"),
            ("/%%61", "/%25a"),
            // Otherwise what was decoded would make another one.
            ("/%%330", "/%2530"),
        ] {
            assert_eq!(of(path), expected, "{path}");
        }
    }

    #[test]
    fn a_segment_of_dots_is_found_however_it_is_spelled() {
        for path in ["/.", "/..", "/a/../b", "/a/.", "/%2e", "/a/%2e%2E/b", "/.%2e/a"] {
            assert!(has_dot_segment(path), "{path}");
        }
        for path in ["/", "/a.b", "/...", "/a/..b", "/.well-known/x", "/a%2f..", "*"] {
            assert!(!has_dot_segment(path), "{path}");
        }
    }

    #[test]
    fn somebody_careless_reads_many_paths_as_one() {
        for path in [
            "/v1/admin",
            "/V1/Admin",
            "/v1/%61dmin",
            "/v1/%2561dmin",
            "/v1/%252561dmin",
            "/v1%2fadmin",
            "/v1%252Fadmin",
            "/v1\\admin",
            "/v1%5cadmin",
            "//v1//admin",
            "/v1/admin/",
            "/v1/admin//",
            "/v1/./admin",
            "/v1/x/../admin",
            "/v1/x%2f..%2fadmin",
            "/v1/admin;a=b",
            "/v1;x/admin;",
            "/v1/admin%3b",
            "/v1/admin%00",
            "/v1/admin%00.json",
            "/v1/admin.",
            "/v1/admin...",
            "/v1/admin%20",
            "/v1/%09admin",
            "/v1/admin%0a",
            "/v1/admin./",
            "/v1/.%20/admin",
        ] {
            assert_eq!(careless(path), "/v1/admin", "{path}");
        }
        for path in ["/", "/v1/a.b-c", "/v1/orders:batch", "/a/.well-known", "/a/b=c,d"] {
            assert!(matches!(careless(path), Cow::Borrowed(same) if same == path), "{path}");
        }
        // In one pass: in as many as there are levels, this would take as many times a hundred thousand steps.
        assert_eq!(careless(&format!("/%{}61", "25".repeat(50_000))), "/a");
        assert_eq!(careless("//"), "/");
        assert_eq!(careless("/../.."), "/");
    }

    proptest! {
        #[test]
        fn both_readings_are_read_as_themselves(path in "/[a-dA-D./%;\\\\ 0-9]{0,24}") {
            let normal = of(&path);
            prop_assert_eq!(&of(&normal), &normal);
            let careless_once = careless(&path).into_owned();
            prop_assert_eq!(careless(&careless_once), careless_once.as_str());
            prop_assert_eq!(careless(&normal), careless_once.as_str());
        }
    }
}
