//! base64url as tokens have it (RFC 7515, 2): without padding, and each text of its own bytes only, so that nobody can change a
//! token's text and have the same token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The bytes, if the text is the one that stands for them.
pub(super) fn read(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_that_of_its_own_bytes() {
        assert_eq!(read(b"-_8A").as_deref(), Some(&[0xfb, 0xff, 0][..]));
        assert_eq!(read(b"").as_deref(), Some(&[][..]));
        for wrong in ["-_8A=", "YQ==", "YR", "YWJ", "Y", "YWJj\n", " YWJj", "YW Jj", "+/8A", "YWJj.", "ÿÿ"]
        {
            assert_eq!(read(wrong.as_bytes()), None, "{wrong:?}");
        }
    }
}
