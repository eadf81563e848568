//! The page at `/` for browsers: files that are served as they lie in `page/`, with what keeps a browser from anything but them. There is no
//! secret in them, so they need no token; what they show is fetched with one.

use super::Reply;
use aws_lc_rs::digest::{SHA256, digest};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{Request, Response, StatusCode};

/// What the page may do: load these files and ask this port. No script or style that is not a file of its own, nothing from elsewhere.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
);

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// A file of the page.
struct File {
    path: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

macro_rules! files {
    ($($path:literal: $file:literal, $type:literal;)+) => {
        [$(File { path: $path, content_type: $type, bytes: include_bytes!(concat!("page/", $file)) }),+]
    };
}

const FILES: &[File] = &files! {
    "/": "index.html", "text/html; charset=utf-8";
    "/page/style.css": "style.css", "text/css; charset=utf-8";
    "/page/icon.svg": "icon.svg", "image/svg+xml";
    "/page/theme.js": "theme.js", "text/javascript; charset=utf-8";
    "/page/main.js": "main.js", "text/javascript; charset=utf-8";
    "/page/ask.js": "ask.js", "text/javascript; charset=utf-8";
    "/page/dom.js": "dom.js", "text/javascript; charset=utf-8";
    "/page/words.js": "words.js", "text/javascript; charset=utf-8";
    "/page/rates.js": "rates.js", "text/javascript; charset=utf-8";
    "/page/chart.js": "chart.js", "text/javascript; charset=utf-8";
    "/page/table.js": "table.js", "text/javascript; charset=utf-8";
    "/page/overview.js": "overview.js", "text/javascript; charset=utf-8";
    "/page/failures.js": "failures.js", "text/javascript; charset=utf-8";
    "/page/routes.js": "routes.js", "text/javascript; charset=utf-8";
    "/page/backends.js": "backends.js", "text/javascript; charset=utf-8";
    "/page/changes.js": "changes.js", "text/javascript; charset=utf-8";
};

/// The files, each with what tells its bytes from others.
pub(super) struct Files(Vec<(&'static File, HeaderValue)>);

impl Files {
    pub(super) fn new() -> Files {
        let tag = |file: &File| {
            let digest = digest(&SHA256, file.bytes);
            let hex: String = digest.as_ref()[..12].iter().map(|byte| format!("{byte:02x}")).collect();
            // Hex digits between quotes are a value.
            HeaderValue::try_from(format!("\"{hex}\"")).unwrap_or(HeaderValue::from_static("\"\""))
        };
        Files(FILES.iter().map(|file| (file, tag(file))).collect())
    }

    /// The file that a request asks for; the page itself only where somebody wants HTML.
    pub(super) fn find<B>(&self, request: &Request<B>) -> Option<Reply> {
        let (file, tag) = self.0.iter().find(|(file, _)| file.path == request.uri().path())?;
        if file.path == "/" && !wants_html(request) {
            return None;
        }
        let known = request.headers().iter().any(|(name, value)| name == IF_NONE_MATCH && has(value, tag));
        let body = if known { Bytes::new() } else { Bytes::from_static(file.bytes) };
        let mut reply = Response::new(Full::new(body));
        if known {
            *reply.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let fields = [
            (CONTENT_TYPE, HeaderValue::from_static(file.content_type)),
            (ETAG, tag.clone()),
            // An upgrade brings other files under the same names.
            (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (VARY, HeaderValue::from_static("accept")),
            (CONTENT_SECURITY_POLICY, POLICY),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
            (OPENER_POLICY, HeaderValue::from_static("same-origin")),
            (RESOURCE_POLICY, HeaderValue::from_static("same-origin")),
        ];
        reply.headers_mut().extend(fields);
        Some(reply)
    }
}

/// A browser says so; programs that want the list of pages do not.
fn wants_html<B>(request: &Request<B>) -> bool {
    let accepts = request.headers().iter().filter(|(name, _)| *name == ACCEPT);
    accepts.into_iter().any(|(_, value)| value.to_str().is_ok_and(|value| value.contains("text/html")))
}

/// Whether one of the tags of `If-None-Match` is that one; a weak one is as good here (RFC 9110, 13.1.2).
fn has(value: &HeaderValue, tag: &HeaderValue) -> bool {
    let is_it = |one: &str| one.trim().trim_start_matches("W/").as_bytes() == tag.as_bytes();
    value.to_str().is_ok_and(|value| value.trim() == "*" || value.split(',').any(is_it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn text(name: &str) -> &'static str {
        let file = FILES.iter().find(|file| file.path == name).expect("there is such a file");
        std::str::from_utf8(file.bytes).expect("it is text")
    }

    fn ask(path: &str, headers: &[(&str, &str)]) -> Option<Reply> {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Files::new().find(&request.body(()).expect("a request"))
    }

    #[test]
    fn whoever_wants_no_html_gets_no_page() {
        assert!(ask("/", &[]).is_none() && ask("/", &[("accept", "*/*")]).is_none());
        assert!(
            ask("/page/nothing.js", &[]).is_none() && ask("/routes", &[("accept", "text/html")]).is_none()
        );
        let reply = ask("/", &[("accept", "text/html,*/*;q=0.8")]).expect("a browser gets it");
        assert_eq!(reply.headers()[CONTENT_SECURITY_POLICY], POLICY);
    }

    #[test]
    fn who_has_a_file_is_told_so_and_nothing_more() {
        let first = ask("/page/main.js", &[]).expect("it is there");
        let tag = first.headers()[ETAG].to_str().expect("it is text").to_owned();
        for (value, known) in [
            (tag.clone(), true),
            (format!("\"a\", W/{tag}"), true),
            ("*".to_owned(), true),
            ("\"a\"".to_owned(), false),
            (tag.replace('"', ""), false),
        ] {
            let again = ask("/page/main.js", &[("if-none-match", &value)]).expect("it is there");
            assert_eq!(again.status() == StatusCode::NOT_MODIFIED, known, "{value}");
        }
    }

    /// What is in the folder is served, what the files name is in the folder, and each name is that of a file.
    #[test]
    fn the_files_name_each_other_and_nothing_else() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/admin/page");
        let entries = std::fs::read_dir(folder).expect("the folder is there").flatten();
        let lie: BTreeSet<String> =
            entries.map(|entry| format!("/page/{}", entry.file_name().to_string_lossy())).collect();
        let paths = FILES.iter().map(|file| file.path.replace("/page/", "/"));
        let served: BTreeSet<String> =
            paths.map(|path| format!("/page{}", if path == "/" { "/index.html" } else { &path })).collect();
        assert_eq!(lie, served);
        let mut named = BTreeSet::from(["/page/index.html".to_owned()]);
        for file in FILES {
            let text = text(file.path);
            let quoted = text.split('"').skip(1).step_by(2);
            named.extend(quoted.clone().filter(|one| one.starts_with("/page/")).map(str::to_owned));
            let own = quoted.filter_map(|one| one.strip_prefix("./")).filter(|one| one.ends_with(".js"));
            named.extend(own.map(|one| format!("/page/{one}")));
        }
        assert_eq!(named, served);
    }

    /// Strangers' bytes are shown here: they must never be read as anything but text. The policy forbids it as well.
    #[test]
    fn no_file_makes_markup_or_code_of_a_text() {
        let page = text("/");
        assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains("onclick"), "inline");
        assert!(
            page.matches("<script").count()
                == page.matches("<script src=\"/page/").count()
                    + page.matches("<script type=\"module\" src=\"/page/").count(),
            "a script in the page"
        );
        for file in FILES.iter().filter(|file| file.path.ends_with(".js")) {
            for word in [
                "innerHTML",
                "outerHTML",
                "insertAdjacent",
                "document.write",
                "eval(",
                "new Function",
                "srcdoc",
            ] {
                assert!(!text(file.path).contains(word), "{} has {word}", file.path);
            }
            for word in ["http:", "https:", "//cdn"] {
                let found =
                    text(file.path).lines().find(|line| line.contains(word) && !line.contains("www.w3.org"));
                assert_eq!(found, None, "{}", file.path);
            }
        }
    }
}
