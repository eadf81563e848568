//! Who the caller is, told to the method that it calls: what an authenticator has verified, and nothing that the client has written.

use crate::auth::Identified;
use crate::config::ForwardClaims;
use crate::failure::Failure;
use callgate_protocol::{MetadataBuf, MetadataName};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// What goes along: its name, the authenticator that says so, its scopes with spaces between, and a JSON object of listed claims. No
/// client may say these itself.
const NAMES: [MetadataName; 4] = [
    MetadataName::new("identity"),
    MetadataName::new("identity-by"),
    MetadataName::new("identity-scopes"),
    MetadataName::new("identity-claims"),
];

/// Adds that to what goes along with a call. What does not fit is refused: a method that does not see who calls could take it for anybody.
pub(super) fn tell(
    caller: &Identified,
    claims: &ForwardClaims,
    metadata: &mut MetadataBuf,
) -> Result<(), Failure> {
    let [name, by, scopes, listed] = NAMES;
    let identity = &caller.identity;
    let mut put = |name: MetadataName, value: &[u8]| match metadata.push_known(name, value) {
        true => Ok(()),
        false => Err(Failure::HeaderTooLarge(name.as_str().to_owned())),
    };
    put(name, identity.name().as_bytes())?;
    put(by, caller.authenticator.spec.name.as_bytes())?;
    if !identity.joined_scopes().is_empty() {
        put(scopes, identity.joined_scopes().as_bytes())?;
    }
    let chosen = Chosen { caller, claims };
    if chosen.iter().next().is_some() {
        // JSON in memory does not fail; no claims are none that a method would believe.
        put(listed, &serde_json::to_vec(&chosen).unwrap_or_default())?;
    }
    Ok(())
}

/// Those claims of a caller that are listed.
struct Chosen<'a> {
    caller: &'a Identified,
    claims: &'a ForwardClaims,
}

impl Chosen<'_> {
    fn iter(&self) -> impl Iterator<Item = (&str, &serde_json::Value)> {
        let all = self.caller.identity.claims();
        self.claims.names().iter().filter_map(|name| Some((&**name, all.get(name)?)))
    }
}

impl Serialize for Chosen<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
