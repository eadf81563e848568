//! Random requests: with credentials that are good, bad, somebody else's or missing, and with paths that somebody has played with.

use super::tables::{Random, Segment};
use crate::config::testing::Folder;
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use callgate_http1::{Request, RequestBuilder};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::sample::select;

const SECRETS: [&str; 2] =
    ["a secret of the tests, which has many bytes", "another secret of the tests, with many bytes"];

/// What an authenticator says of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Said {
    Nothing,
    Bad,
    Known { scope: Option<&'static str>, tenant: bool },
}

/// An API key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    Plain,
    ScopeA,
    ScopeB,
    Expired,
    Unknown,
}

/// The token of `Authorization: Bearer`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bearer {
    Key(Key),
    /// It says that it is of that issuer, and is signed by that one; with that scope.
    Token {
        issuer: usize,
        signer: usize,
        is_over: bool,
        scope: Option<&'static str>,
    },
    /// It says that it is of that issuer, and is not signed.
    Unsigned(usize),
    Garbage,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    method: &'static str,
    path: String,
    /// Nobody has played with the path.
    pub(super) is_plain: bool,
    pub(super) peer: usize,
    pub(super) key: Option<Key>,
    pub(super) other_key: Option<Key>,
    pub(super) bearer: Option<Bearer>,
}

impl Key {
    const ALL: [Key; 5] = [Key::Plain, Key::ScopeA, Key::ScopeB, Key::Expired, Key::Unknown];

    pub(super) fn said(self) -> Said {
        match self {
            Key::Plain => Said::Known { scope: None, tenant: false },
            Key::ScopeA => Said::Known { scope: Some("a"), tenant: true },
            Key::ScopeB => Said::Known { scope: Some("b"), tenant: false },
            Key::Expired | Key::Unknown => Said::Bad,
        }
    }

    fn text(self) -> String {
        format!("key-of-{self:?}")
    }

    /// What the file has of it.
    fn entry(self) -> String {
        let more = match self {
            Key::Plain => "",
            Key::ScopeA => "scopes = ['a']\nclaims = { tenant = 'acme' }\n",
            Key::ScopeB => "scopes = ['b']\n",
            Key::Expired => "scopes = ['a', 'b']\nexpires = 2001-01-01T00:00:00Z\n",
            Key::Unknown => return String::new(),
        };
        let hash = digest::digest(&digest::SHA256, self.text().as_bytes());
        let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("[[key]]\nname = '{self:?}'\nsha256 = '{hash}'\n{more}")
    }
}

impl Bearer {
    pub(super) fn as_key(self) -> Said {
        if let Bearer::Key(key) = self { key.said() } else { Said::Bad }
    }

    /// As a token of that issuer: the first or the second.
    pub(super) fn as_token_of(self, wanted: usize) -> Said {
        match self {
            Bearer::Token { issuer, signer, is_over: false, scope }
                if issuer == wanted && signer == wanted =>
            {
                Said::Known { scope, tenant: scope.is_some() }
            }
            _ => Said::Bad,
        }
    }

    fn text(self) -> String {
        let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
        let claims = |issuer: usize, is_over: bool, scope: Option<&str>| {
            let exp = if is_over { 1_000_000_000u64 } else { 4_102_444_800 };
            let issuer = ["one", "two"][issuer - 1];
            let more =
                scope.map(|scope| format!(r#","scope":"{scope}","tenant":"acme""#)).unwrap_or_default();
            part(&format!(r#"{{"sub":"ada","iss":"{issuer}","aud":"a","exp":{exp}{more}}}"#))
        };
        match self {
            Bearer::Key(key) => key.text(),
            Bearer::Token { issuer, signer, is_over, scope } => {
                let text = format!("{}.{}", part(r#"{"alg":"HS256"}"#), claims(issuer, is_over, scope));
                let key = hmac::Key::new(hmac::HMAC_SHA256, SECRETS[signer - 1].as_bytes());
                format!("{text}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, text.as_bytes())))
            }
            Bearer::Unsigned(issuer) => {
                format!("{}.{}.", part(r#"{"alg":"none"}"#), claims(issuer, false, None))
            }
            Bearer::Garbage => "a.b.c".to_owned(),
        }
    }
}

/// The files of all authenticators.
pub(super) fn files() -> Folder {
    let folder = Folder::new();
    folder.write("keys.toml", &Key::ALL.map(Key::entry).concat());
    folder.write("secret", SECRETS[0]);
    folder.write("other", SECRETS[1]);
    folder
}

impl Asked {
    /// The method whose routes it meets.
    pub(super) fn method(&self) -> &'static str {
        if self.method == "HEAD" { "GET" } else { self.method }
    }

    /// The path, in which what needs no encoding has none (RFC 3986, 6.2.2).
    pub(super) fn normal(&self) -> String {
        let (mut normal, mut rest) = (String::new(), self.path.as_str());
        while let Some(at) = rest.find('%') {
            normal.push_str(&rest[..at]);
            let digits =
                rest.get(at + 1..at + 3).filter(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
            match byte {
                Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                    normal.push(byte.into())
                }
                Some(byte) => normal.push_str(&format!("%{byte:02X}")),
                None => normal.push('%'),
            }
            rest = &rest[at + 1 + digits.map_or(0, str::len)..];
        }
        normal + rest
    }

    pub(super) fn request(&self) -> Request {
        let mut request = RequestBuilder::new(&crate::fields::NAMES, self.method, &self.path);
        for (name, key) in [("x-api-key", self.key), ("x-other-key", self.other_key)] {
            if let Some(key) = key {
                request = request.field(name, key.text().as_bytes());
            }
        }
        if let Some(bearer) = self.bearer {
            request = request.field("authorization", format!("Bearer {}", bearer.text()).as_bytes());
        }
        request.build()
    }
}

const TRICKS: usize = 17;

/// Plays with a path, at one of its places.
fn played(path: &str, trick: usize, at: usize) -> String {
    let (before, after) = path.split_at(1 + at % (path.len() - 1));
    let (first, rest) = (after.as_bytes()[0], &after[1..]);
    match trick {
        0 => format!("{before}%{first:02x}{rest}"),
        1 => format!("{before}%25{first:02X}{rest}"),
        2 => format!("{before}{}{rest}", char::from(first).to_ascii_uppercase()),
        3 => path.replacen('/', "//", 1 + at % 3),
        4 => format!("{path}/"),
        5 => format!("/{}", path[1..].replace('/', "%2F")),
        6 => format!("/{}", path[1..].replacen('/', "%5c", 1)),
        7 => format!("/x%2F..{path}"),
        8 => path.replace('/', "/./"),
        9 => format!("{path};a=b"),
        10 => format!("{path}%00.png"),
        11 => format!("{path}%20"),
        12 => format!("{path}."),
        13 => path.to_ascii_uppercase(),
        14 => format!("/%2e%2e{path}"),
        15 => format!("/x/..%252F{}", &path[1..]),
        _ => format!("{path}:cancel"),
    }
}

/// A path of a route, with something in the place of each parameter.
fn filled(path: &[Segment], values: &[&str]) -> String {
    let mut values = values.iter().cycle();
    let mut value = || values.next().copied().unwrap_or("x");
    let of = |segment: &Segment| match segment {
        Segment::Literal(text) => format!("/{text}"),
        Segment::Parameter(suffix) => format!("/{}{suffix}", value()),
        Segment::Tail => format!("/{}/{}", value(), value()),
    };
    path.iter().map(of).collect()
}

fn bearer() -> impl Strategy<Value = Bearer> {
    let mut all: Vec<Bearer> = Key::ALL.map(Bearer::Key).into();
    for (issuer, signer) in [(1, 1), (2, 2), (1, 2), (2, 1)] {
        for scope in [None, Some("a"), Some("b")] {
            all.extend([false, true].map(|is_over| Bearer::Token { issuer, signer, is_over, scope }));
        }
    }
    all.extend([Bearer::Unsigned(1), Bearer::Unsigned(2), Bearer::Garbage]);
    select(all)
}

/// Any request for a table.
pub(super) fn asked(table: &Random) -> impl Strategy<Value = Asked> + use<> {
    let of = |route: &super::tables::Route| (route.method, route.path.clone());
    let paths = select(table.routes.iter().map(of).collect::<Vec<_>>());
    let values = vec(select(vec!["x", "y1", "admin", "secret", "users"]), 3);
    let tricks = vec((0..TRICKS, 0..40usize), 0..=3);
    let method = option::weighted(0.2, select(vec!["GET", "HEAD", "POST", "PUT"]));
    let key = || option::weighted(0.35, select(Key::ALL.to_vec()));
    let peer = prop_oneof![6 => Just(0usize), 4 => 1..4usize];
    (paths, values, tricks, method, peer, key(), key(), option::weighted(0.4, bearer())).prop_map(
        |((own, path), values, tricks, method, peer, key, other_key, bearer)| {
            let plain = filled(&path, &values);
            let path = tricks.iter().fold(plain.clone(), |path, (trick, at)| played(&path, *trick, *at));
            let method = method.unwrap_or(own);
            Asked { method, is_plain: path == plain, path, peer, key, other_key, bearer }
        },
    )
}
