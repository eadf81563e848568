//! Who may come where, told by reading a table from top to bottom: nothing of the gateway's is used.

use super::requests::{Asked, Said};
use super::tables::{Authenticator, Route, Segment};

/// What an authenticator makes of a request.
pub(super) fn known(asked: &Asked, user: Option<u32>, authenticator: Authenticator) -> Said {
    match authenticator {
        Authenticator::Keys => asked.key.map_or(Said::Nothing, |key| key.said()),
        Authenticator::OtherKeys => asked.other_key.map_or(Said::Nothing, |key| key.said()),
        Authenticator::BearerKeys => asked.bearer.map_or(Said::Nothing, |bearer| bearer.as_key()),
        Authenticator::Tokens => asked.bearer.map_or(Said::Nothing, |bearer| bearer.as_token_of(1)),
        Authenticator::OtherTokens => asked.bearer.map_or(Said::Nothing, |bearer| bearer.as_token_of(2)),
        Authenticator::Users => match user {
            None => Said::Nothing,
            Some(1001) => Said::Known { scope: None, tenant: false },
            Some(_) => Said::Bad,
        },
    }
}

/// Whether a route lets a caller in of whom its authenticators say that.
pub(super) fn passes(route: &Route, said: impl Fn(Authenticator) -> Said) -> bool {
    let (authenticators, anonymous) = &route.auth;
    let asks_more = route.scopes().next().is_some() || route.needs_tenant;
    let mut bad = false;
    for authenticator in authenticators {
        match said(*authenticator) {
            Said::Nothing => {}
            Said::Bad => bad = true,
            Said::Known { scope, tenant } => {
                return route.scopes().all(|wanted| scope == Some(wanted)) && (tenant || !route.needs_tenant);
            }
        }
    }
    *anonymous && !bad && !asks_more
}

/// The route that a path leads to, with what its parameters catch: of all that it matches, segment by segment, a text counts before a
/// parameter with a text behind it, that before a parameter alone, and that before a tail.
pub(super) fn winner(routes: &[Route], method: &str, path: &str) -> Option<(usize, Vec<String>)> {
    let all = routes.iter().enumerate().filter(|(_, route)| route.method == method);
    let matching = all
        .filter_map(|(at, route)| Some((rank(&route.path), at, caught(&route.path, path, str::to_owned)?)));
    matching.min_by_key(|(rank, ..)| rank.clone()).map(|(_, at, caught)| (at, caught))
}

/// The routes that a path leads to, for somebody to whom capitals are small letters.
pub(super) fn careless_winners(routes: &[Route], method: &str, path: &str) -> Vec<usize> {
    let all = routes.iter().enumerate().filter(|(_, route)| route.method == method);
    let matching: Vec<_> = all
        .filter(|(_, route)| caught(&route.path, path, str::to_lowercase).is_some())
        .map(|(at, route)| (rank(&route.path), at, format!("{:?}", route.path).to_lowercase()))
        .collect();
    let best = matching.iter().min_by_key(|(rank, ..)| rank.clone()).map(|(.., path)| path.clone());
    matching.into_iter().filter(|(.., path)| Some(path) == best.as_ref()).map(|(_, at, _)| at).collect()
}

fn rank(path: &[Segment]) -> Vec<u8> {
    let rank = |segment: &Segment| match segment {
        Segment::Literal(_) => 0,
        Segment::Parameter("") => 2,
        Segment::Parameter(_) => 1,
        Segment::Tail => 3,
    };
    path.iter().map(rank).collect()
}

/// What the parameters of a path catch that are no tail, if it matches. Its texts are read so.
fn caught(pattern: &[Segment], path: &str, read: impl Fn(&str) -> String) -> Option<Vec<String>> {
    let mut caught = Vec::new();
    let mut rest = path.strip_prefix('/')?;
    for (at, segment) in pattern.iter().enumerate() {
        let (here, next) = rest.split_once('/').map_or((rest, None), |(here, next)| (here, Some(next)));
        match segment {
            Segment::Tail => return (!rest.is_empty()).then_some(caught),
            Segment::Literal(text) if read(text) == here => {}
            Segment::Literal(_) => return None,
            Segment::Parameter(suffix) => {
                let value = here.strip_suffix(&*read(suffix)).filter(|value| !value.is_empty())?;
                caught.push(value.to_owned());
            }
        }
        match next {
            Some(next) => rest = next,
            None => return (at + 1 == pattern.len()).then_some(caught),
        }
    }
    None
}

/// A path as somebody reads it who is careless in all ways at once: it is decoded until nothing changes, and then taken apart.
pub(super) fn careless(path: &str) -> String {
    let mut text = path.as_bytes().to_vec();
    loop {
        let next = decoded(&text);
        if next == text {
            break;
        }
        text = next;
    }
    let text = String::from_utf8_lossy(&text).to_lowercase().replace('\\', "/");
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let mut kept: Vec<String> = Vec::new();
    for segment in text.split('/') {
        let end = segment.find([';', '\0']).unwrap_or(segment.len());
        let segment = segment[..end].trim_matches(blank);
        if segment == ".." {
            kept.pop();
            continue;
        }
        let segment = segment.trim_end_matches(|c: char| c == '.' || blank(c));
        if !segment.is_empty() {
            kept.push(segment.to_owned());
        }
    }
    format!("/{}", kept.join("/"))
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let (mut all, mut rest) = (Vec::new(), text);
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|two| *first == b'%' && two.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        all.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    all
}
