//! Media types as a route lists them.

use super::complaint::Complaint;
use std::fmt;

/// A media type, or all of one kind: `image/*`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MediaRange {
    /// In lower case; empty for all.
    main: Box<str>,
    /// Likewise.
    sub: Box<str>,
}

impl MediaRange {
    /// Whether that type is one of them; both parts in lower case.
    pub fn takes(&self, main: &str, sub: &str) -> bool {
        let is = |own: &str, other: &str| own.is_empty() || own == other;
        is(&self.main, main) && is(&self.sub, sub)
    }

    pub(super) fn parse(text: &str) -> Result<MediaRange, Complaint> {
        let complaint = || {
            Complaint::new(
                format!("`{text}` is no media type"),
                "expected one such as `image/png` or `text/*`",
            )
        };
        let lower = text.to_ascii_lowercase();
        let (main, sub) = lower.split_once('/').ok_or_else(complaint)?;
        let is_token = |part: &str| !part.is_empty() && part.bytes().all(super::metadata::is_token);
        match (main, sub) {
            ("*", "*") => Ok(MediaRange { main: "".into(), sub: "".into() }),
            (main, "*") if is_token(main) && !main.contains('*') => {
                Ok(MediaRange { main: main.into(), sub: "".into() })
            }
            (main, sub) if is_token(main) && is_token(sub) && !lower.contains('*') => {
                Ok(MediaRange { main: main.into(), sub: sub.into() })
            }
            _ => Err(complaint()),
        }
    }
}

impl fmt::Display for MediaRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |part: &str| if part.is_empty() { "*".to_owned() } else { part.to_owned() };
        write!(f, "{}/{}", shown(&self.main), shown(&self.sub))
    }
}
