//! What routes say of replies, filled in with what strangers send.

use callgate::config::{HeaderValue, Source, Tables, UriTemplate};
use callgate::front::headers_of_request;
use std::borrow::Cow;

/// The longest value of a header that is made.
const MOST: usize = 8192;

/// Four lines: the template of a location, the template of another header, the value of the path's parameter, and that of the query's, which
/// may be missing. Whatever the values are, they stay within their places.
pub fn templates(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut lines = text.splitn(4, '\n');
    let mut next = || lines.next().unwrap_or_default();
    let (uri, other, in_path, in_query) = (next(), next(), next(), next());
    // None that could end the text in which it stands in the file.
    let fits = |line: &str| !line.contains(|char: char| char == '\'' || (char.is_control() && char != '\t'));
    if !fits(uri) || !fits(other) {
        return;
    }
    let file = format!(
        "[backends.b]\nendpoints = ['x:1']\n[[routes]]\nmatch = 'GET /a/{{p}}'\ncall = 's.m'\n\
         response = {{ headers = {{ location = '{uri}', x-a = '{other}' }} }}\n"
    );
    let tables = match Tables::parse(vec![Source::new("fuzz.toml", file)]) {
        Ok(tables) => tables,
        Err(mistakes) => return assert!(!mistakes.render(false).is_empty()),
    };
    let spec = tables.routes[0].action.call().and_then(|call| call.reply.clone());
    let spec = spec.expect("it says something");
    let path = [Cow::Borrowed(in_path)];
    let query: Vec<_> = Some((Cow::Borrowed("q"), Cow::Borrowed(in_query)))
        .filter(|_| !in_query.is_empty())
        .into_iter()
        .collect();
    for (name, value) in headers_of_request(&spec, &path, &query) {
        let is_plain = value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
        assert!(is_plain && !value.is_empty() && value.len() <= MOST, "{value:?}");
        let header = spec.headers.iter().find(|header| header.name == name).expect("it is said");
        if let HeaderValue::Uri(template) = &header.value
            && template.whole.is_none()
        {
            stays(template, &value);
        }
    }
}

/// What is made of a template has its origin, as many segments as its path has without values that are several, and its parameters.
fn stays(template: &UriTemplate, value: &str) {
    let rest = value.strip_prefix(&template.origin).unwrap_or_else(|| panic!("{value} is another origin"));
    let (rest, fragment) =
        rest.split_once('#').map_or((rest, None), |(rest, fragment)| (rest, Some(fragment)));
    let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    assert!(path.is_empty() || path.starts_with('/'), "{value}");
    assert!(!template.origin.is_empty() || !path.starts_with("//"), "{value} is another host");
    assert!(path.split('/').all(|segment| !matches!(segment, "." | "..")), "{value} leads elsewhere");
    assert_eq!(fragment.is_some(), !template.fragment.is_empty(), "{value}");
    let pairs = query.map_or(0, |query| query.split('&').count());
    let most = template.query.len();
    let least = template.query.iter().filter(|pair| !pair.optional).count();
    assert!((least..=most).contains(&pairs), "{value} has {pairs} parameters");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise the target would compare nothing.
    #[test]
    fn a_template_is_filled_in() {
        templates(b"https://x.example/a/{path.p}?q={query.q}#{path.p}\nfor {path.p}\na/../b?c#d\n&x=1");
        let shown = std::panic::catch_unwind(|| {
            stays(
                &UriTemplate { origin: "https://x.example".to_owned(), ..UriTemplate::default() },
                "https://y",
            )
        });
        assert!(shown.is_err());
    }
}
