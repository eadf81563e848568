//! The tokens that were revoked before they expire: a list by the claim `jti`, or by a hash.

use crate::{Claims, Digest, Mistake, Mistakes};
use serde_json::Value;
use std::collections::HashSet;

/// Tokens that are not taken any more, though they are otherwise good. By default it is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    ids: HashSet<Box<str>>,
    hashes: HashSet<Digest>,
}

const SHAPE: &str = "a line is `jti ID` or `sha256 HASH`";

impl Revoked {
    /// So many tokens can be on the list.
    pub const MAX: usize = 100_000;

    /// Reads a list, one token a line: `jti ID`, with all that follows the space up to the line's end, or `sha256 HASH`. Empty lines, and those
    /// that begin with `#`, count for nothing.
    ///
    /// The hash is the SHA-256 of a token without its signature and the dot before it, in hexadecimal digits:
    /// `printf %s "${TOKEN%.*}" | sha256sum`. A signature is left out, because whoever has a token signed by ECDSA can make another one of
    /// it that is good as well.
    pub fn read(text: &[u8]) -> Result<Revoked, Mistakes> {
        let (mut revoked, mut found) = (Revoked::default(), Vec::new());
        let mut at = 0;
        for line in text.split(|byte| *byte == b'\n') {
            let here = at..at + line.len();
            at = here.end + 1;
            if let Err((title, label)) = revoked.line(line) {
                found.push(Mistake::new(title).at(here, label).help(SHAPE));
            }
            if revoked.len() > Revoked::MAX {
                return Err(
                    Mistake::new(format!("there are more than {} revoked tokens", Revoked::MAX)).into()
                );
            }
        }
        Mistakes::none_or(text, found).map(|()| revoked)
    }

    fn line(&mut self, line: &[u8]) -> Result<(), (&'static str, &'static str)> {
        let line = std::str::from_utf8(line).map_err(|_| ("this line is no text", "it is no UTF-8"))?;
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.trim().is_empty() || line.starts_with('#') {
            return Ok(());
        }
        match line.split_once(' ') {
            Some(("jti", id)) if !id.is_empty() => {
                self.ids.insert(id.into());
            }
            Some(("sha256", hash)) => {
                let hash =
                    Digest::from_hex(hash).ok_or(("this is no hash", "expected 64 hexadecimal digits"))?;
                self.hashes.insert(hash);
            }
            _ => return Err(("this line revokes nothing", "expected `jti` or `sha256`, and a space")),
        }
        Ok(())
    }

    /// How many tokens are on the list.
    pub fn len(&self) -> usize {
        self.ids.len() + self.hashes.len()
    }

    /// Whether there is no token on it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a token is on it: by what was signed of it, or by its claims.
    pub(super) fn has(&self, signed: &[u8], claims: &Claims) -> bool {
        let id = claims.get("jti").and_then(Value::as_str);
        id.is_some_and(|id| self.ids.contains(id))
            || !self.hashes.is_empty() && self.hashes.contains(&Digest::of(signed))
    }
}
