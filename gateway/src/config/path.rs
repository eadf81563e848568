//! A route's path: literal segments, `{name}` for one segment, `{*name}` for all that is left; in the last segment text may follow a
//! parameter, as in `{name}.json`.
//!
//! Literals are compared with the path in its normal spelling ([`crate::paths`]): nothing is joined or folded before. What could
//! therefore never match (a space, a `..`, an `a` that is percent-encoded) is refused here.

use super::complaint::Complaint;
use super::field;
use super::foreign_paths;
use crate::paths;
use std::fmt;
use std::ops::Range;

/// The most parameters a path may have; the router behind it panics beyond 25.
pub const MAX_PARAMETERS: usize = 16;

/// A checked path.
#[derive(Clone, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub struct PathTemplate {
    raw: String,
    params: Vec<String>,
}

impl PathTemplate {
    /// The path as it was written, which is also matchit's pattern for it.
    pub fn as_str(&self) -> &str {
        &self.raw
    }

    /// The parameters' names, each a field's name (nested with dots), in the order of the path.
    pub fn params(&self) -> &[String] {
        &self.params
    }

    /// Whether the last parameter takes the rest of the path.
    pub fn has_tail(&self) -> bool {
        self.raw.contains("{*")
    }

    /// Whether text follows the last parameter in its segment.
    pub(super) fn has_suffix(&self) -> bool {
        self.segments().any(|segment| segment.starts_with('{') && !segment.ends_with('}'))
    }

    pub(super) fn parse(raw: &str) -> Result<PathTemplate, Complaint> {
        foreign_paths::whole(raw)?;
        let mut params: Vec<String> = Vec::new();
        let mut rest = Some(1);
        while let Some(start) = rest {
            let end = raw[start..].find('/').map(|at| start + at);
            let segment = start..end.unwrap_or(raw.len());
            if let Some(name) = parameter(raw, segment.clone(), end.is_none())? {
                admit(&params, name, segment)?;
                params.push(name.to_owned());
            }
            rest = end.map(|end| end + 1);
        }
        Ok(PathTemplate { raw: raw.to_owned(), params })
    }

    /// The path with another one before it, which ends without a slash.
    pub(super) fn below(prefix: &PathTemplate, raw: &str) -> Result<PathTemplate, Complaint> {
        // By itself first: then what is wrong with both together is a parameter that the prefix has as well.
        PathTemplate::parse(raw)?;
        PathTemplate::parse(&format!("{prefix}{raw}")).map_err(|complaint| {
            complaint
                .shifted_back(prefix.raw.len())
                .note(format!("`prefix` of the file, \"{prefix}\", is put before it"))
        })
    }

    /// The path's segments, as they are written.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &str> {
        self.raw[1..].split('/')
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.raw)
    }
}

/// The name of a segment's parameter; `None` for a literal.
fn parameter(raw: &str, at: Range<usize>, last: bool) -> Result<Option<&str>, Complaint> {
    let segment = &raw[at.clone()];
    if let Some(complaint) = foreign_paths::segment(segment, at.clone(), last) {
        return Err(complaint);
    }
    let Some((inner, suffix)) = segment.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
        return literal(segment, at, last).map(|()| None);
    };
    if !suffix.is_empty() {
        if !last || inner.starts_with('*') {
            return Err(not_whole(at));
        }
        literal(suffix, at.end - suffix.len()..at.end, last)?;
    }
    let name = inner.strip_prefix('*').unwrap_or(inner);
    if let Some(reason) = field::error(name) {
        return Err(Complaint::new("a parameter needs a field's name", reason).within(at));
    }
    if inner.len() != name.len() && !last {
        return Err(Complaint::new("a tail stands at the end of a path", "something follows it").within(at));
    }
    Ok(Some(name))
}

/// Refuses a parameter that the path already fills, in whole or in part.
fn admit(params: &[String], name: &str, at: Range<usize>) -> Result<(), Complaint> {
    if params.len() == MAX_PARAMETERS {
        return Err(
            Complaint::new(format!("more than {MAX_PARAMETERS} parameters"), "one too many").within(at)
        );
    }
    match params.iter().find(|other| field::overlap(other, name)) {
        Some(other) if other == name => {
            Err(Complaint::new(format!("`{name}` is in the path twice"), "the second").within(at))
        }
        Some(other) => Err(Complaint::new(
            format!("`{other}` and `{name}` fill the same field"),
            "one lies within the other",
        )
        .within(at)),
        None => Ok(()),
    }
}

fn not_whole(at: Range<usize>) -> Complaint {
    Complaint::new("a parameter is a whole segment", "text and a parameter in one segment").within(at).help(
        "write `{name}` between two slashes; only in the last segment text may follow it: `{name}.json`, `{name}:cancel`",
    )
}

fn literal(segment: &str, at: Range<usize>, last: bool) -> Result<(), Complaint> {
    let complain = |title: &str, label: &str| Complaint::new(title, label).within(at.clone());
    if segment.contains(['{', '}']) {
        return Err(not_whole(at));
    }
    if segment.contains('#') {
        return Err(complain("a path has no fragment", "clients keep it to themselves").help("leave it out"));
    }
    if segment == "." || segment == ".." {
        return Err(complain("clients resolve dot segments before they send", "this would never match"));
    }
    if segment.is_empty() && !last {
        return Err(complain("an empty segment", "two slashes with nothing between")
            .within(at.start - 1..at.start + 1));
    }
    if let Some((offset, bad)) = segment.char_indices().find(|(_, c)| !allowed(*c)) {
        let mut utf8 = [0; 4];
        let encoded: String = bad.encode_utf8(&mut utf8).bytes().map(|byte| format!("%{byte:02X}")).collect();
        let start = at.start + offset;
        return Err(Complaint::new("a path as it is sent has no such character", "not sent as it stands")
            .within(start..start + bad.len_utf8())
            .help(format!("write it as clients send it: `{encoded}`")));
    }
    percent(segment, at.clone())?;
    let mut room = String::new();
    match paths::normal(segment, &mut room) {
        same if same == segment => Ok(()),
        normal => Err(complain("paths are compared in another spelling", "this would never match")
            .help(format!("write `{normal}`, which is the same path"))),
    }
}

/// Every `%` begins an encoded byte.
pub(super) fn percent(segment: &str, at: Range<usize>) -> Result<(), Complaint> {
    for (offset, _) in segment.match_indices('%') {
        let hex = segment.as_bytes().get(offset + 1..offset + 3);
        if !hex.is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) {
            let start = at.start + offset;
            return Err(Complaint::new("a path as it is sent has no bare `%`", "two hex digits must follow")
                .within(start..start + 1)
                .help("write `%25` for a percent sign"));
        }
    }
    Ok(())
}

/// RFC 3986, section 3.3: what a path segment is made of.
pub(super) fn allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@%".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_come_in_the_order_of_the_path() {
        let path = PathTemplate::parse("/v1/{b}/x:y/{a.b-c}/{*rest}").ok().unwrap();
        assert_eq!(path.params(), ["b", "a.b-c", "rest"]);
        assert!(path.has_tail());
        assert_eq!(path.as_str(), "/v1/{b}/x:y/{a.b-c}/{*rest}");
    }

    #[test]
    fn what_could_never_match_is_refused() {
        for raw in [
            "",
            "v1",
            "/a//b",
            "/a/./b",
            "/../a",
            "/a b",
            "/é",
            "/%",
            "/%2",
            "/%zz",
            "/a?b",
            "/a#b",
            "/{}",
            "/{*}",
            "/{a",
            "/a}",
            "/x{a}",
            "/{a}:go/b",
            "/{*a}.json",
            "/{a}.{b}",
            "/{a} x",
            "/{a}%",
            "/{}.json",
            "/{a}}",
            "/{a}{b}",
            "/{*a}/b",
            "/{a}/{a}",
            "/{a}/{a.b}",
            "/{a.}",
            "/{.a}",
            "/{a b}",
            "/{{a}}",
            "/{a*}",
            "/caf%c3%a9",
            "/%61",
            "/{a}:%67o",
        ] {
            assert!(PathTemplate::parse(raw).is_err(), "{raw:?}");
        }
        let many: String = (0..=MAX_PARAMETERS).map(|n| format!("/{{p{n}}}")).collect();
        assert!(PathTemplate::parse(&many).is_err());
    }

    #[test]
    fn every_path_that_is_taken_the_router_takes_and_gives_its_parameters_back() {
        let most: String = (0..MAX_PARAMETERS).map(|n| format!("/{{p{n}}}")).collect();
        for raw in [
            "/",
            "/a/",
            "/caf%C3%A9",
            "/{a.b}/x",
            "/v1/{id}.json",
            "/{a}/{b}:cancel",
            "/{*rest}",
            "/v1/{é}/{_1-x}",
            &most,
        ] {
            let path = PathTemplate::parse(raw).ok().unwrap();
            let mut router = matchit::Router::new();
            router.insert(path.as_str(), ()).unwrap();
            let sent = raw.replace(['{', '}', '*'], "");
            let found = router.at(&sent).unwrap();
            let names: Vec<&str> = found.params.iter().map(|(name, _)| name).collect();
            assert_eq!(names, path.params(), "{raw}");
        }
    }

    #[test]
    fn a_parameter_takes_at_least_one_byte() {
        let mut router = matchit::Router::new();
        router.insert("/a/{x}/b", 1).unwrap();
        router.insert("/t/{*x}", 2).unwrap();
        router.insert("/e/{x}", 3).unwrap();
        for path in ["/a//b", "/t/", "/t", "/e/", "/e"] {
            assert!(router.at(path).is_err(), "{path}");
        }
    }

    #[test]
    fn the_longest_text_behind_a_parameter_goes_before_and_that_before_the_parameter_alone() {
        let mut router = matchit::Router::new();
        for pattern in ["/a/{x}", "/a/{x}.json", "/a/{x}.tar.json", "/a/{x}:cancel", "/a/b.json", "/a/{x}/c"]
        {
            router.insert(pattern, pattern).unwrap();
        }
        for (path, expected, x) in [
            ("/a/1", "/a/{x}", "1"),
            ("/a/1.json", "/a/{x}.json", "1"),
            ("/a/1.tar.json", "/a/{x}.tar.json", "1"),
            ("/a/1.json.json", "/a/{x}.json", "1.json"),
            ("/a/b:c:cancel", "/a/{x}:cancel", "b:c"),
            ("/a/:cancel", "/a/{x}", ":cancel"),
            ("/a/1:Cancel", "/a/{x}", "1:Cancel"),
            ("/a/1.json/c", "/a/{x}/c", "1.json"),
        ] {
            let found = router.at(path).unwrap();
            assert_eq!((*found.value, found.params.get("x")), (expected, Some(x)), "{path}");
        }
        assert_eq!(router.at("/a/b.json").map(|found| *found.value), Ok("/a/b.json"));
    }

    #[test]
    fn static_goes_before_parameter_goes_before_tail_wherever_they_branch() {
        let mut router = matchit::Router::new();
        for pattern in ["/a/b", "/a/{x}", "/a/b/{*t}", "/{*t}"] {
            router.insert(pattern, pattern).unwrap();
        }
        for (path, expected) in [
            ("/a/b", "/a/b"),
            ("/a/c", "/a/{x}"),
            ("/a/b/c", "/a/b/{*t}"),
            ("/a/c/d", "/{*t}"),
            ("/z", "/{*t}"),
        ] {
            assert_eq!(router.at(path).map(|found| *found.value).ok(), Some(expected), "{path}");
        }
    }
}
