//! How a WebSocket ends: a code and a reason (RFC 6455, 7.4).

use super::Fault;

/// The longest reason of a close frame, in bytes.
pub const MAX_REASON: usize = super::MAX_CONTROL - 2;

/// The codes that we send (RFC 6455, 7.4.1, and IANA's registry of them).
pub mod code {
    /// All is done.
    pub const NORMAL: u16 = 1000;
    /// Whoever sends it goes away: a browser leaves its page.
    pub const AWAY: u16 = 1001;
    /// A rule of the protocol was broken.
    pub const PROTOCOL: u16 = 1002;
    /// A message is of a kind that is not taken.
    pub const UNSUPPORTED: u16 = 1003;
    /// A text is not UTF-8.
    pub const NOT_UTF8: u16 = 1007;
    /// What was sent, or has come of it, breaks a rule of whoever says so.
    pub const POLICY: u16 = 1008;
    /// A message is too long.
    pub const TOO_LONG: u16 = 1009;
    /// The server has failed.
    pub const INTERNAL: u16 = 1011;
    /// The server restarts: come again.
    pub const RESTART: u16 = 1012;
    /// The server has too much to do: come again later.
    pub const TRY_LATER: u16 = 1013;
}

/// What a close frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// Its code; none where the frame is empty.
    pub code: Option<u16>,
    /// Its reason, which may be empty.
    pub reason: Box<str>,
}

impl Close {
    /// Reads a close frame.
    pub(super) fn read(payload: &[u8]) -> Result<Close, Fault> {
        let (code, reason) = match payload {
            [] => return Ok(Close { code: None, reason: Box::default() }),
            [_] => return Err(Fault::CloseCode),
            [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
        };
        if !may_be_sent(code) {
            return Err(Fault::CloseCode);
        }
        let reason = std::str::from_utf8(reason).map_err(|_| Fault::NotUtf8)?;
        Ok(Close { code: Some(code), reason: reason.into() })
    }
}

/// Whether a frame may have that code: 1004 means nothing yet, 1005, 1006 and 1015 are for what came without a frame.
fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}
