//! A token's header, as far as anything of it is followed: the algorithm, the name of the key, the type.
//!
//! Where a key or a certificate could be fetched (`jku`, `x5u`), or stands in the header itself (`jwk`, `x5c`), is passed over: keys
//! come from whoever runs the gateway. What must be understood (`crit`, `b64`) is refused, since none of it is.

use super::{Algorithm, Expected, Refused};
use crate::json;
use serde_json::{Map, Value};

/// A key's name is no longer than that, in bytes.
pub(super) const MAX_KID: usize = 256;

/// What is followed of a header.
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<Box<str>>,
}

impl Header {
    /// Reads the JSON of a header, and checks all that can be without a key.
    pub(super) fn read(text: &[u8], expected: &Expected) -> Result<Header, Refused> {
        let header = json::object(text).map_err(|_| Refused::Malformed)?;
        let algorithm = header.get("alg").and_then(Value::as_str).ok_or(Refused::Malformed)?;
        let algorithm = Algorithm::parse(algorithm).filter(|one| expected.algorithms.contains(one));
        let algorithm = algorithm.ok_or(Refused::Algorithm)?;
        // With `enc` it is an encrypted token, with `cty` a token in a token (RFC 7519, 5.2).
        if ["crit", "b64", "enc", "zip", "cty"].iter().any(|name| header.contains_key(*name)) {
            return Err(Refused::Header);
        }
        if !expected.takes_type(text_of(&header, "typ")?) {
            return Err(Refused::Header);
        }
        let kid = text_of(&header, "kid")?;
        if kid.is_some_and(|kid| kid.len() > MAX_KID) {
            return Err(Refused::Header);
        }
        Ok(Header { algorithm, kid: kid.map(Box::from) })
    }
}

/// A member that is a text if it is there.
fn text_of<'h>(header: &'h Map<String, Value>, name: &str) -> Result<Option<&'h str>, Refused> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refused::Header),
    }
}
