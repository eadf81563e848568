//! Bytes as case files write them: ASCII with escapes (cases/README.md).

/// Reads them.
pub fn parse(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        if character != '\\' {
            let byte = u8::try_from(character).ok().filter(u8::is_ascii);
            bytes.push(byte.ok_or_else(|| format!("{text}: other bytes than ASCII are written \\xHH"))?);
            continue;
        }
        let kind = rest.chars().next().ok_or_else(|| format!("{text}: nothing behind a backslash"))?;
        rest = &rest[kind.len_utf8()..];
        match kind {
            'r' => bytes.push(b'\r'),
            'n' => bytes.push(b'\n'),
            't' => bytes.push(b'\t'),
            '0' => bytes.push(0),
            '\\' => bytes.push(b'\\'),
            'x' => {
                let digits = rest.get(..2).ok_or_else(|| format!("{text}: \\x has two digits"))?;
                bytes.push(u8::from_str_radix(digits, 16).map_err(|error| format!("\\x{digits}: {error}"))?);
                rest = &rest[2..];
            }
            '(' => {
                let (unit, times, behind) =
                    repetition(rest).ok_or_else(|| format!("{text}: \\( goes on with TEXT*N)"))?;
                bytes.extend(parse(unit)?.repeat(times));
                rest = behind;
            }
            other => return Err(format!("{text}: \\{other} means nothing")),
        }
    }
    Ok(bytes)
}

/// `TEXT*N)` and what follows.
fn repetition(text: &str) -> Option<(&str, usize, &str)> {
    text.match_indices('*').find_map(|(star, _)| {
        let (times, behind) = text[star + 1..].split_once(')')?;
        Some((&text[..star], times.parse().ok()?, behind))
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn escapes_stand_for_bytes() {
        assert_eq!(parse(r"a\x00\r\n\t\0\\\(\xfe*3)b").unwrap(), b"a\0\r\n\t\0\\\xfe\xfe\xfeb");
        assert_eq!(parse(r"\(a*b*2)").unwrap(), b"a*ba*b");
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for text in [r"\", r"\q", r"\x1", r"\xgg", r"\(a", "é"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
