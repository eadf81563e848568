//! Who the caller is, told to the method that it calls: what an authenticator has verified, and nothing that the client has written.

use crate::auth::Identified;
use crate::config::ForwardClaims;
use crate::failure::Failure;
use callgate_protocol::{MetadataBuf, MetadataName, identity};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// Adds [that](identity) to what goes along with a call. What does not fit is refused: a method that does not see who calls could take it for anybody.
pub(super) fn tell(
    caller: &Identified,
    claims: &ForwardClaims,
    metadata: &mut MetadataBuf,
) -> Result<(), Failure> {
    let fits = caller.identity.told().is_some_and(|told| metadata.push_all(told));
    if !fits || !metadata.push_all(caller.authenticator.told.as_metadata()) {
        return Err(too_large(identity::NAME));
    }
    let chosen = Chosen { caller, claims };
    if chosen.iter().next().is_some() {
        // JSON in memory does not fail; no claims are none that a method would believe.
        let json = serde_json::to_vec(&chosen).unwrap_or_default();
        if !metadata.push_known(identity::CLAIMS, &json) {
            return Err(too_large(identity::CLAIMS));
        }
    }
    Ok(())
}

fn too_large(name: MetadataName) -> Failure {
    Failure::HeaderTooLarge(name.as_str().to_owned())
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
