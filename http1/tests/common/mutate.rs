//! Bytes that are nearly a request: valid ones, changed at a few places with what attackers use.

use super::random::Random;

/// What is put into a request: what ends lines for somebody, blanks, and the words that frame messages.
const TOKENS: &[&[u8]] = &[
    b"\r",
    b"\n",
    b"\r\n",
    b"\n\r",
    b"\r\r\n",
    b"\r\n\r\n",
    b"\n\n",
    b"\0",
    b" ",
    b"\t",
    b"\x0b",
    b"\x0c",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xc2\xa0",
    b":",
    b",",
    b";",
    b"\"",
    b"=",
    b"#",
    b"?",
    b"/",
    b"//",
    b"*",
    b"%",
    b"%00",
    b"%2f",
    b"\\",
    b"@",
    b"[",
    b"]",
    b"0",
    b"00",
    b"1",
    b"5",
    b"a",
    b"0x5",
    b"+5",
    b"-1",
    b"ffffffffffffffff",
    b"9223372036854775808",
    b"5;a=b",
    b"5;a=\"b\"",
    b"0\r\n\r\n",
    b"5\r\nhello\r\n",
    b"GET ",
    b"POST ",
    b"HEAD ",
    b"OPTIONS * ",
    b"CONNECT ",
    b" HTTP/1.1",
    b" HTTP/1.0",
    b" HTTP/1.2",
    b"http://a",
    b"https://a/",
    b"Host: a\r\n",
    b"Host: b\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 0\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Transfer-Encoding : chunked\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"Expect: 100-continue\r\n",
    b"Upgrade: h2c\r\n",
    b"chunked",
    b", chunked",
    b"close",
    b"keep-alive",
    b"X: y\r\n",
    b" X: y\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
];

/// One to four changes of these bytes; `other` lends parts.
pub(crate) fn mutate(random: &mut Random, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + random.below(4) {
        change(random, &mut bytes, other);
    }
    bytes.truncate(16 * 1024);
    bytes
}

fn change(random: &mut Random, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = random.below(bytes.len() + 1);
    let some = at..(at + 1 + random.below(12)).min(bytes.len()).max(at);
    match random.below(9) {
        0 | 1 => drop(bytes.splice(at..at, random.one(TOKENS).iter().copied())),
        2 => drop(bytes.splice(some, random.one(TOKENS).iter().copied())),
        3 => drop(bytes.drain(some)),
        4 => {
            let part = bytes[some].to_vec();
            bytes.splice(at..at, part);
        }
        5 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.next() as u8;
            }
        }
        6 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        7 => {
            let from = random.below(other.len() + 1);
            let part = &other[from..(from + random.below(60)).min(other.len())];
            bytes.splice(at..at, part.iter().copied());
        }
        _ => {
            // A line is moved or doubled, as fields that are there twice come from.
            let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
            if !lines.is_empty() {
                let line = lines[random.below(lines.len())].to_vec();
                let before: usize = lines[..random.below(lines.len())].iter().map(|line| line.len()).sum();
                bytes.splice(before..before, line);
            }
        }
    }
}
