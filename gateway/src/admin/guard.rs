//! Who may do what on the admin port. Against browsers that other sites make send requests: a form that posts across
//! sites, and a name that an attacker's DNS has lead here (DNS rebinding). And a token, where one is set.

use super::replies::{Reply, text};
use crate::config::AdminTokens;
use crate::control::{AdminTokensInForce, Plane};
use hyper::header::{AUTHORIZATION, HOST, HeaderName, HeaderValue, ORIGIN, WWW_AUTHENTICATE};
use hyper::http::uri::Authority;
use hyper::{Request, StatusCode, Version};
use std::net::IpAddr;
use std::sync::Arc;

/// Where a browser says how the page that asks is related to us.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What is asked of a request.
pub(super) struct Guard {
    hosts: Vec<String>,
    tokens: Arc<AdminTokensInForce>,
}

/// Why a request is refused.
#[derive(Debug, PartialEq)]
pub(super) enum Refused {
    /// It does not say which host it is for, or says several.
    UnclearHost,
    /// It is for a host that is not known here.
    UnknownHost(String),
    /// It has not the token.
    NoToken,
    /// It may change something, and has the token for reading.
    ReadsOnly,
    /// A page of another site has a browser send it.
    CrossSite,
}

impl Guard {
    /// As the settings say.
    pub(super) fn new(plane: &Plane) -> Guard {
        Guard { hosts: plane.shared.settings.admin.hosts.clone(), tokens: plane.admin_tokens.clone() }
    }

    /// Whether the request may be answered.
    pub(super) fn check<B>(&self, request: &Request<B>) -> Result<(), Refused> {
        let host = self.check_host(request)?;
        if let Some(tokens) = self.tokens.get() {
            check_token(&tokens, request)?;
        }
        if !request.method().is_safe() && is_cross_site(request, host.as_ref()) {
            return Err(Refused::CrossSite);
        }
        Ok(())
    }

    /// Whether it is for a host that is known here, and for which: all that is asked of who wants what is no secret.
    pub(super) fn check_host<B>(&self, request: &Request<B>) -> Result<Option<Authority>, Refused> {
        let host = host(request)?;
        match &host {
            Some(host) if !self.knows(host.host()) => Err(Refused::UnknownHost(host.host().to_owned())),
            _ => Ok(host),
        }
    }

    /// An attacker's name may lead to any address, but an address is nobody's name.
    fn knows(&self, host: &str) -> bool {
        let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        address.parse::<IpAddr>().is_ok()
            || name == "localhost"
            || name.ends_with(".localhost")
            || self.hosts.contains(&name)
    }
}

fn check_token<B>(tokens: &AdminTokens, request: &Request<B>) -> Result<(), Refused> {
    let given = only(request, &AUTHORIZATION).ok().flatten().and_then(bearer).ok_or(Refused::NoToken)?;
    if tokens.all.is(given) {
        return Ok(());
    }
    match &tokens.read {
        Some(read) if read.is(given) && request.method().is_safe() => Ok(()),
        Some(read) if read.is(given) => Err(Refused::ReadsOnly),
        _ => Err(Refused::NoToken),
    }
}

/// The host that a request is for; none in HTTP/1.0, which no browser speaks.
fn host<B>(request: &Request<B>) -> Result<Option<Authority>, Refused> {
    let header = only(request, &HOST).map_err(|()| Refused::UnclearHost)?;
    let Some(header) = header else {
        return if request.version() < Version::HTTP_11 { Ok(None) } else { Err(Refused::UnclearHost) };
    };
    let header = Authority::try_from(header.as_bytes()).map_err(|_| Refused::UnclearHost)?;
    // RFC 9112, 3.2.2: where the target names a host, that one counts. Who names two has something in mind.
    match request.uri().authority() {
        Some(target) if *target != header => Err(Refused::UnclearHost),
        _ => Ok(Some(header)),
    }
}

/// Whether a browser says that a page of another site has it send the request, by either of the headers in which it does.
fn is_cross_site<B>(request: &Request<B>, host: Option<&Authority>) -> bool {
    let site = match only(request, &SEC_FETCH_SITE) {
        Ok(None) => false,
        Ok(Some(site)) => !matches!(site.as_bytes(), b"same-origin" | b"none"),
        Err(()) => true,
    };
    let origin = match only(request, &ORIGIN) {
        Ok(None) => false,
        Ok(Some(origin)) => !is_own(origin, host),
        Err(()) => true,
    };
    site || origin
}

/// Whether an origin is that of the host itself; 80 is the port that is left out.
fn is_own(origin: &HeaderValue, host: Option<&Authority>) -> bool {
    let Some((origin, host)) =
        origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://")).zip(host)
    else {
        return false;
    };
    let Ok(origin) = origin.parse::<Authority>() else { return false };
    let port = |of: &Authority| of.port_u16().unwrap_or(80);
    origin.host().eq_ignore_ascii_case(host.host()) && port(&origin) == port(host)
}

/// RFC 6750, 2.1. The scheme's case does not matter.
fn bearer(value: &HeaderValue) -> Option<&[u8]> {
    let (scheme, token) = value.as_bytes().split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}

/// A header's value, if it is there; an error when it is there more than once.
fn only<'r, B>(request: &'r Request<B>, name: &HeaderName) -> Result<Option<&'r HeaderValue>, ()> {
    let mut values = request.headers().iter().filter(|(found, _)| *found == name).map(|(_, value)| value);
    let first = values.next();
    if values.next().is_some() { Err(()) } else { Ok(first) }
}

impl Refused {
    /// What whoever asked is told.
    pub(super) fn into_reply(self) -> Reply {
        match self {
            Refused::UnclearHost => {
                text(StatusCode::BAD_REQUEST, "a request must name one host in its Host header\n".to_owned())
            }
            Refused::UnknownHost(host) => text(
                StatusCode::FORBIDDEN,
                format!(
                    "`{host}` is not a host of this port; ask by its address, or add the name to `hosts` in [admin] of \
                     gateway.toml\n"
                ),
            ),
            Refused::NoToken => {
                let mut reply = text(
                    StatusCode::UNAUTHORIZED,
                    "send the token of [admin] in gateway.toml: `Authorization: Bearer TOKEN`\n".to_owned(),
                );
                let scheme = HeaderValue::from_static("Bearer realm=\"callgate admin\"");
                reply.headers_mut().insert(WWW_AUTHENTICATE, scheme);
                reply
            }
            Refused::ReadsOnly => text(
                StatusCode::FORBIDDEN,
                "this is the token for reading (`read_token`): changes need `token` of [admin] in gateway.toml\n".to_owned(),
            ),
            Refused::CrossSite => text(
                StatusCode::FORBIDDEN,
                "a page of another site (Origin, Sec-Fetch-Site) cannot change anything here\n".to_owned(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Settings, Source};

    fn guard(hosts: &[&str], token: Option<&str>) -> Guard {
        let lines = token.map(|token| format!("token = {token:?}\nread_token = 'for-reading'\n"));
        let text = format!("[admin]\n{}", lines.unwrap_or_default());
        let settings = Settings::parse(Source::new("gateway.toml", text), None).expect("sound settings");
        let tokens = Arc::new(AdminTokensInForce::new(&settings.admin));
        Guard { hosts: hosts.iter().map(|&host| host.to_owned()).collect(), tokens }
    }

    fn request(method: &str, target: &str, headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request")
    }

    #[test]
    fn only_addresses_localhost_and_listed_names_are_hosts() {
        let guard = guard(&["gateway.example"], None);
        for (host, known) in [
            ("127.0.0.1:8081", true),
            ("10.0.0.1", true),
            ("[::1]:8081", true),
            ("localhost", true),
            ("LocalHost:8081", true),
            ("shop.localhost:8081", true),
            ("gateway.example:8081", true),
            ("Gateway.Example.", true),
            ("evil.example", false),
            ("sub.gateway.example", false),
            ("notlocalhost", false),
            ("127.0.0.1.evil.example", false),
            ("localhost.evil.example", false),
            ("1.2.3", false),
        ] {
            assert_eq!(guard.check(&request("GET", "/config", &[("host", host)])).is_ok(), known, "{host}");
        }
    }

    #[test]
    fn a_request_names_one_host() {
        let guard = guard(&[], None);
        let local = ("host", "127.0.0.1");
        for headers in [vec![], vec![local, local], vec![("host", "")], vec![("host", "a b")]] {
            let refused = guard.check(&request("GET", "/config", &headers));
            assert_eq!(refused, Err(Refused::UnclearHost), "{headers:?}");
        }
        let target = "http://evil.example/config";
        assert_eq!(guard.check(&request("GET", target, &[local])), Err(Refused::UnclearHost));
        let mut old = request("GET", "/config", &[]);
        *old.version_mut() = Version::HTTP_10;
        assert_eq!(guard.check(&old), Ok(()));
    }

    #[test]
    fn pages_of_other_sites_change_nothing() {
        let guard = guard(&[], None);
        for (name, value, passes) in [
            ("origin", "http://127.0.0.1:8081", true),
            ("origin", "https://127.0.0.1:8081", false),
            ("origin", "http://127.0.0.1:80", false),
            ("origin", "http://127.0.0.1", false),
            ("origin", "http://evil.example", false),
            ("origin", "null", false),
            ("origin", "", false),
            ("sec-fetch-site", "same-origin", true),
            ("sec-fetch-site", "none", true),
            ("sec-fetch-site", "same-site", false),
            ("sec-fetch-site", "cross-site", false),
            ("sec-fetch-site", "", false),
            ("user-agent", "curl", true),
        ] {
            let headers = [("host", "127.0.0.1:8081"), (name, value)];
            let checked = guard.check(&request("POST", "/-/drain", &headers));
            assert_eq!(checked.is_ok(), passes, "{name}: {value}");
            assert_eq!(guard.check(&request("GET", "/config", &headers)), Ok(()), "{name}: {value}");
        }
        let twice = [("host", "127.0.0.1"), ("origin", "http://127.0.0.1"), ("origin", "http://127.0.0.1")];
        assert_eq!(guard.check(&request("POST", "/-/drain", &twice)), Err(Refused::CrossSite));
        let one = [("host", "127.0.0.1:80"), ("origin", "http://127.0.0.1")];
        assert_eq!(guard.check(&request("POST", "/-/drain", &one)), Ok(()));
    }

    #[test]
    fn where_a_token_is_set_it_is_asked_for() {
        let guard = guard(&[], Some("s3cret-token"));
        for (value, passes) in [
            ("Bearer s3cret-token", true),
            ("bearer s3cret-token", true),
            ("Bearer s3cret-toke", false),
            ("Bearer s3cret-token ", false),
            ("Bearer", false),
            ("Basic s3cret-token", false),
            ("s3cret-token", false),
        ] {
            let headers = [("host", "127.0.0.1"), ("authorization", value)];
            for method in ["GET", "POST"] {
                assert_eq!(guard.check(&request(method, "/config", &headers)).is_ok(), passes, "{value}");
            }
        }
        let without = request("GET", "/config", &[("host", "127.0.0.1")]);
        assert_eq!(guard.check(&without), Err(Refused::NoToken));
    }

    #[test]
    fn the_token_for_reading_changes_nothing() {
        let guard = guard(&[], Some("s3cret-token"));
        let headers = [("host", "127.0.0.1"), ("authorization", "Bearer for-reading")];
        for (method, expected) in [
            ("GET", Ok(())),
            ("HEAD", Ok(())),
            ("POST", Err(Refused::ReadsOnly)),
            ("PUT", Err(Refused::ReadsOnly)),
            ("DELETE", Err(Refused::ReadsOnly)),
            ("BREW", Err(Refused::ReadsOnly)),
        ] {
            assert_eq!(guard.check(&request(method, "/config", &headers)), expected, "{method}");
        }
    }
}
