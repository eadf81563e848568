//! The URL of something that the gateway itself asks over HTTP.

use super::complaint::Complaint;
use std::fmt;
use std::net::IpAddr;

/// The longest, in bytes.
const LONGEST: usize = 2048;

/// What a URL looks like, for whoever wrote something else.
pub(super) const URL: &str = "a URL such as \"https://id.example.com/jwks.json\"";

/// An absolute URL of HTTP, without a user and a fragment.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HttpUrl {
    text: String,
    is_https: bool,
    /// As it stands in the URL, with its port if that is written.
    authority: String,
    /// A name, or an address without brackets.
    host: String,
    port: u16,
    /// Where the path begins; none where there is none.
    path: Option<usize>,
}

impl HttpUrl {
    /// Whether a text means to be a URL, and no path of a file.
    pub(super) fn is_meant(text: &str) -> bool {
        text.contains("://")
    }

    /// Reads one.
    pub(crate) fn parse(text: &str) -> Result<HttpUrl, String> {
        if text.len() > LONGEST {
            return Err(format!("it has more than {LONGEST} bytes"));
        }
        if text.contains('#') {
            return Err("what follows `#` is never sent".to_owned());
        }
        let uri: http::Uri = text.parse().map_err(|error| format!("{error}"))?;
        let is_https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(other) => return Err(format!("`{other}` is not asked, `https` is")),
            None => return Err("it begins with `https://`".to_owned()),
        };
        let authority = uri.authority().ok_or("it has no host")?;
        if authority.as_str().contains('@') {
            return Err("a user and a password never stand in a table".to_owned());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err("it has no host".to_owned());
        }
        let port = authority.port_u16();
        // A colon with nothing or too much behind it is no port.
        if port.is_none() && authority.as_str().len() != authority.host().len() {
            return Err("its port is not one".to_owned());
        }
        let path = text.find("://").and_then(|at| {
            let rest = at + "://".len();
            text[rest..].find(['/', '?']).map(|path| rest + path)
        });
        Ok(HttpUrl {
            is_https,
            authority: authority.as_str().to_owned(),
            host: host.to_owned(),
            port: port.unwrap_or(if is_https { 443 } else { 80 }),
            path,
            text: text.to_owned(),
        })
    }

    /// The same for a value of a table.
    pub(super) fn read(text: &str) -> Result<HttpUrl, Complaint> {
        HttpUrl::parse(text).map_err(|why| Complaint::new(format!("`{text}` is not a URL to ask"), why))
    }

    /// Whether it is asked inside TLS.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// The host, and the port where that is written.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// A name, or an address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port, or that of its scheme.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What is asked for: the path, with the query.
    pub fn target(&self) -> String {
        match self.path.map(|at| &self.text[at..]) {
            None => "/".to_owned(),
            Some(query) if query.starts_with('?') => format!("/{query}"),
            Some(path) => path.to_owned(),
        }
    }

    /// Whether nothing that is asked there leaves this machine.
    pub(super) fn is_of_this_machine(&self) -> bool {
        self.host == "localhost" || self.host.parse().is_ok_and(|ip: IpAddr| ip.to_canonical().is_loopback())
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        for (text, https, host, port, target) in [
            ("https://id.example/k?a=b", true, "id.example", 443, "/k?a=b"),
            ("https://id.example", true, "id.example", 443, "/"),
            ("http://127.0.0.1:81?x", false, "127.0.0.1", 81, "/?x"),
            ("HTTPS://[::1]:8443/", true, "::1", 8443, "/"),
        ] {
            let url = HttpUrl::parse(text).unwrap();
            let seen = (url.is_https(), url.host(), url.port(), url.target());
            assert_eq!(seen, (https, host, port, target.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_url_to_ask_is_refused() {
        for text in [
            "",
            "/k",
            "id.example/k",
            "ftp://id.example/",
            "https://",
            "https:///k",
            "https://a b/",
            "https://u:p@id.example/",
            "https://u@id.example/",
            "https://id.example/#k",
            "https://id.example:/",
            "https://id.example:99999/",
            "https://id.example/\r\nX: y",
        ] {
            assert!(HttpUrl::parse(text).is_err(), "{text}");
        }
    }
}
