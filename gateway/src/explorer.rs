//! The explorer: a page that shows an OpenAPI document, and tries its operations where they are of the page's own origin. It is one file, which asks for
//! the document and nothing else, so it works where there is no other network.
//!
//! Script and style stand in the page, and the policy has their hashes: whatever else came into it would not run.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const SCRIPT: &str = include_str!("explorer/page.js");
const STYLE: &str = include_str!("explorer/page.css");

/// A page, and the policy that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Explorer {
    /// HTML.
    pub(crate) page: String,
    /// The value of `Content-Security-Policy`.
    pub(crate) policy: String,
}

impl Explorer {
    /// That of the document at a path of the same origin.
    pub(crate) fn of(document: &str) -> Explorer {
        let page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
             <meta name=\"document\" content=\"{}\">\n<title>API</title>\n<style>{STYLE}</style>\n\
             <header><label>Authorization: <input id=\"token\" autocomplete=\"off\" placeholder=\"Bearer …\"></label></header>\n\
             <main id=\"all\">…</main>\n<script>{SCRIPT}</script>\n</html>\n",
            escaped(document)
        );
        let policy = format!(
            "default-src 'none'; script-src '{}'; style-src '{}'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
            hash(SCRIPT),
            hash(STYLE)
        );
        Explorer { page, policy }
    }
}

/// A text between quotes.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

/// What a policy calls a script or a style.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_whole_and_names_its_document_as_a_text() {
        let Explorer { page, policy } = Explorer::of("/a\"<b>&c");
        assert!(page.contains("content=\"/a&quot;&lt;b>&amp;c\""), "{page}");
        // Either would end before its end.
        assert!(!SCRIPT.contains("</script") && !STYLE.contains("</style"));
        assert_eq!(page.matches("<script>").count(), 1);
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(!page.contains("http://") && !page.contains("https://"), "nothing is from elsewhere");
    }
}
