//! The key by which a backend spreads its calls, where it does so by keys: found in the request, and hashed.

use super::client::Who;
use crate::backends::{Backend, hash};
use crate::clients::AddressText;
use crate::config::{Balance, HashBy};
use crate::fields::{self, Repeated};
use crate::routes::{PathParams, Route};
use callgate_http1::Fields;

/// The hash of a request's key for that backend; `None` for a backend that goes by no key, and for a request without one. An
/// empty value is none. A header has one line, or is an error; of several cookies of one name the first counts, which is the one
/// with the longest path (RFC 6265, 5.4).
#[inline]
pub(super) fn hash_key<'b>(
    backend: &'b Backend,
    route: &Route,
    path: &PathParams<'_>,
    fields: Fields<'_>,
    who: Who<'_>,
) -> Result<Option<u64>, Repeated<'b>> {
    match &backend.spec.balance {
        Balance::Hash(spec) => find(&spec.by, route, path, fields, who),
        _ => Ok(None),
    }
}

/// The number by which a split chooses a request's target: of its key, where the split goes by one. It says nothing of the instance that the
/// same key has in a backend which spreads its calls by keys.
pub(super) fn lot<'b>(
    by: Option<&'b HashBy>,
    route: &Route,
    path: &PathParams<'_>,
    fields: Fields<'_>,
    who: Who<'_>,
) -> Result<Option<u64>, Repeated<'b>> {
    let Some(by) = by else { return Ok(None) };
    let key = find(by, route, path, fields, who)?;
    Ok(key.map(|key| hash(1, &key.to_le_bytes())))
}

fn find<'b>(
    by: &'b HashBy,
    route: &Route,
    path: &PathParams<'_>,
    fields: Fields<'_>,
    who: Who<'_>,
) -> Result<Option<u64>, Repeated<'b>> {
    let of = |bytes: &[u8]| (!bytes.is_empty()).then(|| hash(0, bytes));
    Ok(match by {
        HashBy::Header(name) => fields::line(fields, name)?.and_then(of),
        HashBy::Path(name) => {
            let at = route.matcher.path.params().iter().position(|param| param == name);
            at.and_then(|at| path.get(at)).and_then(|value| of(value.as_bytes()))
        }
        HashBy::Cookie(name) => fields::cookie(fields, name).and_then(of),
        HashBy::Client => who.client.and_then(|client| of(AddressText::of(client).as_bytes())),
        HashBy::Identity => who.caller.and_then(|caller| of(caller.identity.name().as_bytes())),
        HashBy::Claim(name) => {
            who.caller.and_then(|caller| caller.claim_text(name)).and_then(|text| of(text.as_bytes()))
        }
    })
}
