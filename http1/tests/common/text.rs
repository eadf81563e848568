//! Bytes as the case files write them: ASCII with escapes (cases/README.md).

/// The bytes, and how many of them lie before `\!`, if that is there.
pub(crate) fn bytes(text: &str) -> (Vec<u8>, Option<usize>) {
    let (mut bytes, mut mark) = (Vec::new(), None);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        if character != '\\' {
            assert!(character.is_ascii(), "{text}: write other bytes than ASCII as \\xHH");
            bytes.push(character as u8);
            continue;
        }
        let kind = rest.chars().next().unwrap_or_else(|| panic!("{text}: nothing behind a backslash"));
        rest = &rest[kind.len_utf8()..];
        match kind {
            'r' => bytes.push(b'\r'),
            'n' => bytes.push(b'\n'),
            't' => bytes.push(b'\t'),
            '0' => bytes.push(0),
            '\\' => bytes.push(b'\\'),
            '!' => mark = Some(bytes.len()),
            'x' => {
                bytes
                    .push(u8::from_str_radix(&rest[..2], 16).unwrap_or_else(|_| panic!("{text}: \\x{rest}")));
                rest = &rest[2..];
            }
            '(' => {
                let (unit, times, behind) = repetition(rest).unwrap_or_else(|| panic!("{text}: \\({rest}"));
                bytes.extend(self::bytes(unit).0.repeat(times));
                rest = behind;
            }
            other => panic!("{text}: \\{other} means nothing"),
        }
    }
    (bytes, mark)
}

/// `TEXT*N)` and what follows.
fn repetition(text: &str) -> Option<(&str, usize, &str)> {
    text.match_indices('*').find_map(|(star, _)| {
        let (times, behind) = text[star + 1..].split_once(')')?;
        Some((&text[..star], times.parse().ok()?, behind))
    })
}

/// Bytes for people to read.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let text = bytes.escape_ascii().to_string();
    if text.len() <= 600 { text } else { format!("{}… ({} bytes)", &text[..600], bytes.len()) }
}
