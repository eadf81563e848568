//! `/openapi.json`: what clients can ask at the moment, as a document with an entity tag.

use super::Plane;
use super::replies::{Reply, typed};
use crate::config::{ListenAddress, ListenerSettings};
use crate::explorer::Explorer;
use crate::openapi::{About, document, tag};
use http_body_util::Full;
use hyper::header::{CONTENT_SECURITY_POLICY, ETAG, HeaderValue, IF_NONE_MATCH};
use hyper::{Request, StatusCode};

/// The document of all routes.
pub(super) fn page(plane: &Plane) -> Reply {
    let shared = &plane.shared;
    let about = About {
        title: "Callgate",
        description: Some("All routes of a gateway, made of its tables and of what its instances offer."),
        servers: shared.settings.listeners.iter().filter_map(server).collect(),
        error_types: &shared.settings.server.error_types,
    };
    let text = document(&shared.table.load(), &about, |_| true);
    let tag = tag(text.as_bytes());
    let mut reply = typed(StatusCode::OK, "application/json", text);
    if let Ok(tag) = HeaderValue::try_from(tag) {
        reply.headers_mut().insert(ETAG, tag);
    }
    reply
}

/// The page that shows the document. It has no secrets: what it shows is asked for with a token, where one is set.
pub(super) fn explorer() -> Reply {
    let Explorer { page, policy } = Explorer::of("/openapi.json");
    let mut reply = typed(StatusCode::OK, "text/html; charset=utf-8", page);
    if let Ok(policy) = HeaderValue::try_from(policy) {
        reply.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    reply
}

/// A page for a request, which may have it already.
pub(super) fn unless_known<B>(request: &Request<B>, mut page: Reply) -> Reply {
    let Some(tag) = page.headers().get(ETAG) else { return page };
    let tag = tag.to_str().unwrap_or_default();
    let known = request.headers().get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let is_it = |one: &str| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag;
    if known.flat_map(|value| value.split(',')).any(|one| is_it(one.trim())) {
        *page.status_mut() = StatusCode::NOT_MODIFIED;
        *page.body_mut() = Full::default();
    }
    page
}

/// The URL of a listener at a port. One that listens everywhere is asked by the name that each machine has for itself.
fn server(listener: &ListenerSettings) -> Option<String> {
    let ListenAddress::Tcp(address) = listener.address else { return None };
    let scheme = if listener.tls.is_some() { "https" } else { "http" };
    match (address.ip().is_unspecified(), address.port()) {
        (_, 0) => None,
        (true, port) => Some(format!("{scheme}://localhost:{port}")),
        (false, _) => Some(format!("{scheme}://{address}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Settings, Source};

    #[test]
    fn a_client_that_has_the_page_gets_it_once() {
        for (known, status) in [
            (&["\"a\""][..], 304),
            (&["\"b\", W/\"a\""], 304),
            (&["\"b\"", "\"a\""], 304),
            (&["*"], 304),
            (&["\"b\""], 200),
            (&["a"], 200),
            (&[], 200),
        ] {
            let mut request = Request::builder();
            for value in known {
                request = request.header(IF_NONE_MATCH, *value);
            }
            let mut page = typed(StatusCode::OK, "application/json", "{}".to_owned());
            page.headers_mut().insert(ETAG, HeaderValue::from_static("\"a\""));
            let request = request.body(()).expect("a request");
            assert_eq!(unless_known(&request, page).status(), status, "{known:?}");
        }
    }

    #[test]
    fn servers_are_the_listeners_that_have_a_port() {
        let text = "[[listeners]]\naddress = '127.0.0.1:8080'\n[[listeners]]\naddress = '0.0.0.0:8443'\n\
                    [listeners.tls]\n[[listeners]]\naddress = '127.0.0.1:0'\n[[listeners]]\naddress = '@x'\n";
        let settings = Settings::parse(Source::new("gateway.toml", text), None).expect("sound settings");
        let servers: Vec<String> = settings.listeners.iter().filter_map(server).collect();
        assert_eq!(servers, ["http://127.0.0.1:8080", "https://localhost:8443"]);
    }
}
