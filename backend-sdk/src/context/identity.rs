//! Who calls, as a gateway has verified it: metadata `identity` and what goes with it.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Who calls, by what a gateway has verified. Whoever can connect to the service without a gateway can say this too: let the server ask
/// for a [token](crate::Token) or a certificate, or say [whose word counts](crate::Server::speaks_for_others).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    pub(super) name: &'a str,
    pub(super) authenticator: &'a str,
    pub(super) scopes: &'a str,
    pub(super) claims: &'a str,
}

impl<'a> Identity<'a> {
    /// Its name: a token's `sub`, a key's name, a user, a name in a certificate.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The name of the authenticator that has verified it, as the gateway's table declares it. Names of two of them may be the same.
    pub fn authenticator(&self) -> &'a str {
        self.authenticator
    }

    /// Its scopes.
    pub fn scopes(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.scopes.split(' ').filter(|scope| !scope.is_empty())
    }

    /// Whether it has that scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        !scope.is_empty() && self.scopes().any(|one| one == scope)
    }

    /// The value of a claim, of those that the gateway's table lists in `forward_claims`. `None` where it is not there, or is no `T`.
    pub fn claim<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_value(self.claims().remove(name)?).ok()
    }

    /// All claims that have come along.
    pub fn claims(&self) -> serde_json::Map<String, Value> {
        serde_json::from_str(self.claims).unwrap_or_default()
    }
}
