//! Origins of pages as browsers write them (RFC 6454, 6.2), and patterns of them in which a `*` stands for one label of the host.

use super::super::complaint::Complaint;
use super::super::host;
use super::super::reader::{Item, Reader};
use crate::config::shape::Shape;
use std::fmt;

/// The most origins of a list.
const MAX_ORIGINS: usize = 100;
const EXPECTED: &str = "expected such as `https://app.example.com` or `https://*.example.com`";

/// What `origins` may be.
pub(in crate::config) const SHAPE: Shape = Shape::List(&Shape::Text, 1..=MAX_ORIGINS);

/// From where pages may come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origins {
    /// `*`: from everywhere.
    Any,
    /// From these.
    Listed(Vec<Origin>),
}

/// An origin, or those of a pattern. In lower case, without the port that the scheme has anyway.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum Origin {
    /// This one.
    Exact(String),
    /// All that are one label between these two: `https://` and `.example.com`.
    Pattern(String, String),
}

impl Origins {
    /// Whether a page may come that names this origin.
    pub fn admit(&self, origin: &[u8]) -> bool {
        match self {
            Origins::Any => true,
            Origins::Listed(all) => all.iter().any(|one| one.is(origin)),
        }
    }

    /// As the tables write them.
    pub fn texts(&self) -> Vec<String> {
        match self {
            Origins::Any => vec!["*".to_owned()],
            Origins::Listed(all) => all.iter().map(Origin::to_string).collect(),
        }
    }
}

impl Origin {
    fn is(&self, origin: &[u8]) -> bool {
        match self {
            Origin::Exact(text) => text.as_bytes() == origin,
            Origin::Pattern(before, after) => {
                let rest = origin.strip_prefix(before.as_bytes());
                let label = rest.and_then(|rest| rest.strip_suffix(after.as_bytes()));
                let inner = |byte: &u8| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
                };
                label.is_some_and(|label| !label.is_empty() && label.iter().all(inner))
            }
        }
    }

    fn parse(text: &str) -> Result<Origin, Complaint> {
        if text == "null" {
            return Err(Complaint::new("`null` is no origin", "every page in a sandbox says so")
                .note("whoever wants to can be `null`, so that it would be the same as `*`"));
        }
        let lower = text.to_ascii_lowercase();
        let Some((scheme, rest)) = lower.split_once("://") else {
            let host = lower.split(['/', ':']).next().unwrap_or_default();
            let scheme = if host == "localhost" || host.starts_with("127.") { "http" } else { "https" };
            return Err(Complaint::new(format!("`{text}` has no scheme"), EXPECTED)
                .help(format!("write \"{scheme}://{}\"", lower.trim_end_matches('/'))));
        };
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_lowercase())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        if !is_scheme {
            return Err(Complaint::new(format!("`{text}` is not an origin"), EXPECTED));
        }
        if let Some(at) = rest.find(['/', '?', '#', '@']) {
            let start = scheme.len() + 3 + at;
            let complaint = Complaint::new("an origin ends with host and port", "not part of it")
                .within(start..text.len());
            return Err(match rest.as_bytes()[at] {
                b'@' => complaint,
                _ => complaint.help(format!("write \"{scheme}://{}\"", &rest[..at])),
            });
        }
        let (host, port) = split_port(rest)?;
        let usual = match scheme {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        let port =
            port.filter(|port| Some(*port) != usual).map(|port| format!(":{port}")).unwrap_or_default();
        if !host.contains('*') {
            return read_host(host).map(|host| Origin::Exact(format!("{scheme}://{host}{port}")));
        }
        let Some(parent) = host.strip_prefix("*.").filter(|parent| !parent.contains('*')) else {
            return Err(Complaint::new("a `*` stands for the whole first label", EXPECTED));
        };
        if !parent.contains('.') {
            let label = "behind it there are two labels at least";
            return Err(Complaint::new(format!("`*.{parent}` would be everybody's"), label));
        }
        let parent = read_host(parent)?;
        Ok(Origin::Pattern(format!("{scheme}://"), format!(".{parent}{port}")))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Exact(text) => f.write_str(text),
            Origin::Pattern(before, after) => write!(f, "{before}*{after}"),
        }
    }
}

/// The host as browsers write it.
fn read_host(host: &str) -> Result<String, Complaint> {
    let name = host::name(host).filter(|_| !host.ends_with('.'));
    let bracketed = |name: String| if host.starts_with('[') { format!("[{name}]") } else { name };
    name.map(bracketed).ok_or_else(|| {
        let complaint = Complaint::new(format!("`{host}` is not a host"), EXPECTED);
        match host.is_ascii() {
            true => complaint,
            false => complaint.help("write it as browsers send it: `xn--…` (Punycode)"),
        }
    })
}

fn split_port(text: &str) -> Result<(&str, Option<u16>), Complaint> {
    let end = match text.find(']') {
        Some(end) => end + 1,
        None => text.find(':').unwrap_or(text.len()),
    };
    match &text[end..] {
        "" => Ok((text, None)),
        port if port.starts_with(':') && &port[1..] != "*" => {
            host::port(&port[1..]).map(|port| (&text[..end], Some(port))).map_err(without_part)
        }
        _ => Err(Complaint::new("an origin has one port, or none", EXPECTED)),
    }
}

/// The same about all of the text.
fn without_part(mut complaint: Complaint) -> Complaint {
    complaint.within = None;
    complaint
}

/// Reads `origins`.
pub(in crate::config) fn read(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<Origins> {
    let before = reader.found.len();
    let all = reader.texts(item, "[\"https://app.example.com\"]", |text| match text {
        "*" => Ok(None),
        text => Origin::parse(text).map(Some),
    })?;
    let any = all.iter().any(|(origin, _)| origin.is_none());
    let listed: Vec<_> = all.into_iter().filter_map(|(origin, span)| Some((origin?, span))).collect();
    reader.twice("the origin", listed.iter().map(|(origin, span)| (origin, span)));
    let complaint = match (any, listed.len()) {
        (true, 1..) => Complaint::new("`*` stands alone", "it is all origins, so that others say nothing"),
        (false, 0) if reader.found.len() == before => {
            Complaint::new("`origins` is empty", "no page may come")
                .help("list origins, or write cors = false")
        }
        (false, count) if count > MAX_ORIGINS => {
            Complaint::new(format!("more than {MAX_ORIGINS} origins"), format!("{count} are too many"))
        }
        (true, _) => return Some(Origins::Any),
        (false, _) => return Some(Origins::Listed(listed.into_iter().map(|(origin, _)| origin).collect())),
    };
    reader.complain(item, complaint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Option<Origin> {
        Origin::parse(text).ok()
    }

    #[test]
    fn an_origin_is_read_as_browsers_write_it() {
        for (text, expected) in [
            ("https://App.Example.com", "https://app.example.com"),
            ("https://app.example.com:443", "https://app.example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://x.example:80", "http://x.example"),
            ("http://[0:0::1]:8080", "http://[::1]:8080"),
            ("https://*.example.com:8443", "https://*.example.com:8443"),
            ("capacitor://localhost", "capacitor://localhost"),
        ] {
            assert_eq!(parse(text).map(|origin| origin.to_string()).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "app.example.com",
            "https://app.example.com/",
            "https://app.example.com/x",
            "https://u@app.example.com",
            "https://app.example.com:0",
            "https://app.example.com:*",
            "https://*.com",
            "https://*",
            "https://a*.example.com",
            "https://*.*.example.com",
            "https://app.example.com.",
            "https://",
            "://x",
            "null",
            "",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_pattern_is_one_label_longer_and_nothing_else() {
        let all = Origins::Listed(vec![
            parse("https://*.example.com").unwrap(),
            parse("http://localhost:3000").unwrap(),
        ]);
        for (origin, expected) in [
            ("https://a.example.com", true),
            ("https://a-1.example.com", true),
            ("http://localhost:3000", true),
            ("https://example.com", false),
            ("https://.example.com", false),
            ("https://a.b.example.com", false),
            ("https://evil.com/.example.com", false),
            ("https://evil.com#.example.com", false),
            ("https://evil.com:1.example.com", false),
            ("https://aexample.com", false),
            ("https://a.example.com.evil.com", false),
            ("https://a.example.com:8443", false),
            ("http://a.example.com", false),
            ("https://A.example.com", false),
            ("http://localhost:30001", false),
            ("null", false),
            ("*", false),
            ("", false),
        ] {
            assert_eq!(all.admit(origin.as_bytes()), expected, "{origin}");
        }
    }

    proptest! {
        #[test]
        fn an_origin_that_is_read_is_admitted_and_read_again_as_it_is_shown(
            text in "https?://(\\*\\.)?[a-zA-Z0-9.:-]{0,20}|\\PC{0,20}",
        ) {
            if let Some(origin) = parse(&text) {
                let shown = origin.to_string();
                prop_assert_eq!(parse(&shown), Some(origin.clone()));
                prop_assert_eq!(origin.is(shown.as_bytes()), matches!(origin, Origin::Exact(_)));
                prop_assert!(origin.is(shown.replace('*', "a").as_bytes()));
                prop_assert!(shown.bytes().all(|byte| byte.is_ascii_graphic()));
            }
        }
    }
}
