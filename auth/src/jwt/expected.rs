//! What a token has to be, checked once when a table is read.

use super::{Algorithm, ClaimName, Keys};
use crate::UnixSeconds;
use std::fmt;

/// What is asked of tokens, as somebody wrote it down. [`Expected::new`] checks it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Who may have issued a token (`iss`). Empty: whoever has one of the keys, and `iss` is not looked at.
    pub issuers: Vec<String>,
    /// For whom a token may be (`aud`): one of these. Empty: a token that says for whom it is, is refused (RFC 7519, 4.1.3).
    pub audiences: Vec<String>,
    /// By which algorithms a token may be signed; at least one.
    pub algorithms: Vec<Algorithm>,
    /// By how many seconds clocks may differ: [`Asked::LEEWAY`] without a reason for more, [`Asked::MAX_LEEWAY`] at most.
    pub leeway: UnixSeconds,
    /// Claims that must be there, beside `exp` and the one with the name.
    pub required: Vec<String>,
    /// The claim that is the caller's name; `sub`.
    pub name: String,
    /// The claims that have scopes, of which each may be missing: a text with spaces, or a list of texts. `scope` and `scp`.
    pub scopes: Vec<String>,
    /// The types of tokens (`typ`) that are taken, in whatever case, with `application/` in front or without. Empty: `JWT`, `at+jwt` and none.
    pub types: Vec<String>,
    /// How long a token may be, in bytes: 8 KiB, and [`Asked::MAX_LEN`] at most.
    pub max_len: usize,
}

impl Asked {
    /// So many seconds of difference between clocks are forgiven by default.
    pub const LEEWAY: UnixSeconds = 30;
    /// So many at most.
    pub const MAX_LEEWAY: UnixSeconds = 300;
    /// No token may be longer, in bytes.
    pub const MAX_LEN: usize = 64 * 1024;

    /// What is asked where nothing else is said than the algorithms.
    pub fn by(algorithms: impl Into<Vec<Algorithm>>) -> Asked {
        Asked {
            issuers: Vec::new(),
            audiences: Vec::new(),
            algorithms: algorithms.into(),
            leeway: Asked::LEEWAY,
            required: Vec::new(),
            name: "sub".to_owned(),
            scopes: vec!["scope".to_owned(), "scp".to_owned()],
            types: Vec::new(),
            max_len: 8 * 1024,
        }
    }
}

/// What a token has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    pub(super) issuers: Box<[String]>,
    pub(super) audiences: Box<[String]>,
    pub(super) algorithms: Box<[Algorithm]>,
    pub(super) leeway: UnixSeconds,
    pub(super) required: Box<[ClaimName]>,
    pub(super) name: ClaimName,
    pub(super) scopes: Box<[ClaimName]>,
    types: Box<[String]>,
    pub(super) max_len: usize,
}

/// What is wrong with what is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedError {
    /// Which field of [`Asked`].
    pub field: &'static str,
    /// Which item, where the field is a list.
    pub index: Option<usize>,
    /// What is wrong.
    pub text: String,
}

impl Expected {
    /// Checks what is asked.
    pub fn new(asked: Asked) -> Result<Expected, AskedError> {
        let wrong = |field, text: String| AskedError { field, index: None, text };
        if asked.algorithms.is_empty() {
            return Err(wrong("algorithms", "at least one algorithm must be named".to_owned()));
        }
        if asked.leeway > Asked::MAX_LEEWAY {
            return Err(wrong("leeway", format!("at most {} seconds are forgiven", Asked::MAX_LEEWAY)));
        }
        if !(1..=Asked::MAX_LEN).contains(&asked.max_len) {
            return Err(wrong("max_len", format!("a token has 1 to {} bytes", Asked::MAX_LEN)));
        }
        let texts = [("issuers", &asked.issuers), ("audiences", &asked.audiences), ("types", &asked.types)];
        for (field, texts) in texts {
            if let Some(index) = texts.iter().position(String::is_empty) {
                return Err(AskedError { field, index: Some(index), text: "this is empty".to_owned() });
            }
        }
        let name = ClaimName::parse(&asked.name).ok_or_else(|| wrong("name", NO_CLAIM.to_owned()))?;
        Ok(Expected {
            issuers: asked.issuers.into(),
            audiences: asked.audiences.into(),
            algorithms: asked.algorithms.into(),
            leeway: asked.leeway,
            required: claims("required", &asked.required)?,
            name,
            scopes: claims("scopes", &asked.scopes)?,
            types: asked.types.iter().map(|name| short_type(name)).collect(),
            max_len: asked.max_len,
        })
    }

    /// The algorithms that none of the keys is for: tokens signed by them can never be taken.
    pub fn unserved<'e>(&'e self, keys: &'e Keys) -> impl Iterator<Item = Algorithm> + 'e {
        self.algorithms.iter().copied().filter(|one| !keys.serves(*one))
    }

    /// Whether tokens of that type are taken.
    pub(super) fn takes_type(&self, name: Option<&str>) -> bool {
        match name.map(short_type) {
            None => self.types.is_empty(),
            Some(name) if self.types.is_empty() => name == "jwt" || name == "at+jwt",
            Some(name) => self.types.contains(&name),
        }
    }
}

const NO_CLAIM: &str = "expected a claim's name, or a JSON Pointer such as `/realm_access/roles`";

fn claims(field: &'static str, names: &[String]) -> Result<Box<[ClaimName]>, AskedError> {
    let parse = |(index, name): (usize, &String)| {
        let wrong = || AskedError { field, index: Some(index), text: NO_CLAIM.to_owned() };
        ClaimName::parse(name).ok_or_else(wrong)
    };
    names.iter().enumerate().map(parse).collect()
}

/// A media type as tokens shorten it (RFC 7515, 4.1.9), in lower case.
fn short_type(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.strip_prefix("application/") {
        Some(short) if !short.contains('/') => short.to_owned(),
        _ => name,
    }
}

impl fmt::Display for AskedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.field, self.text)
    }
}

impl std::error::Error for AskedError {}
