//! The secrets under which tickets are sealed, as they are made, kept in a file, and handed to a successor.

use std::fmt;

/// Keys of a server's tickets: the first seals, and each opens. A gateway that has the same ones resumes the sessions of the others.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketKeys(Vec<[u8; KEY]>);

/// A file of ticket keys that cannot be read, and the line where it fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketKeysError {
    line: Option<usize>,
    text: String,
}

const KEY: usize = 32;

impl TicketKeys {
    /// How many keys there may be. Each ticket that is shown is looked up among them by name.
    pub const MAX: usize = 16;
    /// How many keys [`TicketKeys::rotate`] keeps.
    pub const KEPT: usize = 3;

    /// One new key, which nobody else knows.
    pub fn random() -> TicketKeys {
        TicketKeys(vec![new_key()])
    }

    /// Reads keys from text: on each line the 64 hexadecimal digits that `openssl rand -hex 32` prints. Empty lines, and lines
    /// that begin with `#`, count for nothing.
    pub fn read(text: &[u8]) -> Result<TicketKeys, TicketKeysError> {
        let mut keys = Vec::new();
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let at = |text: &str| TicketKeysError { line: Some(index + 1), text: text.to_owned() };
            let key = from_hex(line).ok_or_else(|| {
                at("a ticket key is 64 hexadecimal digits, as `openssl rand -hex 32` prints them")
            })?;
            if keys.contains(&key) {
                return Err(at("this ticket key stands here twice"));
            }
            if keys.len() == TicketKeys::MAX {
                return Err(at("there are more than 16 ticket keys; remove the oldest, which stand last"));
            }
            keys.push(key);
        }
        if keys.is_empty() {
            let text = "there is no ticket key in it; `openssl rand -hex 32` makes one".to_owned();
            return Err(TicketKeysError { line: None, text });
        }
        Ok(TicketKeys(keys))
    }

    /// The text that [`TicketKeys::read`] reads. It is as secret as a private key.
    pub fn to_text(&self) -> String {
        let line = |key: &[u8; KEY]| key.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        self.0.iter().map(|key| line(key) + "\n").collect()
    }

    /// Puts a new key first, and forgets those that are older than the last [`TicketKeys::KEPT`].
    pub fn rotate(&mut self) {
        self.0.insert(0, new_key());
        self.0.truncate(TicketKeys::KEPT);
    }

    /// How many keys there are; at least one.
    #[expect(clippy::len_without_is_empty, reason = "there is always at least one")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8; KEY]> {
        self.0.iter()
    }
}

fn new_key() -> [u8; KEY] {
    let mut key = [0; KEY];
    aws_lc_rs::rand::fill(&mut key).expect("the system gives random bytes");
    key
}

fn from_hex(text: &[u8]) -> Option<[u8; KEY]> {
    let mut key = [0; KEY];
    if text.len() != 2 * KEY {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(text.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(key)
}

impl TicketKeysError {
    /// The line that is wrong, from 1. `None` if it is about the whole text.
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

impl fmt::Display for TicketKeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for TicketKeysError {}

impl fmt::Debug for TicketKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TicketKeys({} keys)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_that_are_written_are_read_again() {
        let mut keys = TicketKeys::random();
        keys.rotate();
        let text = format!("# of today\n\n{}", keys.to_text());
        assert_eq!(TicketKeys::read(text.as_bytes()), Ok(keys));
    }

    #[test]
    fn rotation_puts_a_new_key_first_and_forgets_the_oldest() {
        let first = TicketKeys::random();
        let mut keys = first.clone();
        for _ in 1..TicketKeys::KEPT {
            keys.rotate();
        }
        assert_eq!(keys.0.last(), first.0.first());
        keys.rotate();
        assert_eq!(keys.0.len(), TicketKeys::KEPT);
        assert!(!keys.0.contains(&first.0[0]));
    }

    #[test]
    fn what_is_no_key_is_an_error_with_its_line() {
        let good = TicketKeys::random().to_text();
        for (text, line) in [
            (String::new(), None),
            ("# nothing\n".to_owned(), None),
            (format!("{good}abc\n"), Some(2)),
            (format!("{good}{good}"), Some(2)),
            (format!("\n{}", good.replace(&good[..1], "g")), Some(2)),
            ((0..17).map(|_| TicketKeys::random().to_text()).collect(), Some(17)),
        ] {
            let error = TicketKeys::read(text.as_bytes()).unwrap_err();
            assert_eq!(error.line(), line, "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn whatever_stands_in_a_file_is_keys_or_an_error(text: Vec<u8>) {
            if let Ok(keys) = TicketKeys::read(&text) {
                prop_assert_eq!(TicketKeys::read(keys.to_text().as_bytes()), Ok(keys));
            }
        }

        #[test]
        fn lines_that_are_nearly_keys_are_read_or_told(lines in "([0-9a-fA-F]{63,65}\r?\n|#x\n| \n){0,5}") {
            match TicketKeys::read(lines.as_bytes()) {
                Ok(keys) => prop_assert!(keys.len() <= 5),
                Err(error) => prop_assert!(error.line().is_none_or(|line| line <= 5)),
            }
        }
    }

    #[test]
    fn keys_are_not_printed() {
        assert_eq!(format!("{:?}", TicketKeys::random()), "TicketKeys(1 keys)");
    }
}
