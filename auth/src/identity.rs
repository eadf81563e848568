//! Who a caller is, once something has verified it. It says nothing by itself: whoever makes one has verified what it is made of.

use crate::{Claims, UnixSeconds};

/// Who a caller is: a name, what it may do by its own word (scopes), and what else is known of it (claims).
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    name: Box<str>,
    scopes: Box<[Box<str>]>,
    /// The same in one text.
    joined: Box<str>,
    claims: Claims,
    expires: Option<UnixSeconds>,
}

impl Identity {
    /// One of that name, without scopes and claims, for ever.
    pub fn new(name: impl Into<Box<str>>) -> Identity {
        Identity {
            name: name.into(),
            scopes: Box::default(),
            joined: Box::default(),
            claims: Claims::default(),
            expires: None,
        }
    }

    /// The same with these scopes; which of them is named first, or twice, does not matter.
    pub fn with_scopes(self, scopes: impl IntoIterator<Item = impl Into<Box<str>>>) -> Identity {
        let mut scopes: Vec<Box<str>> = scopes.into_iter().map(Into::into).collect();
        scopes.sort_unstable();
        scopes.dedup();
        let joined = scopes.join(" ").into();
        Identity { scopes: scopes.into(), joined, ..self }
    }

    /// The same with these claims.
    pub fn with_claims(self, claims: Claims) -> Identity {
        Identity { claims, ..self }
    }

    /// The same, up to that moment.
    pub fn until(self, expires: UnixSeconds) -> Identity {
        Identity { expires: Some(expires), ..self }
    }

    /// What it is called: a token's `sub`, a key's name, a user, a name in a certificate. Never empty where it comes from this crate.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its scopes, in order of their bytes, none twice.
    pub fn scopes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.scopes.iter().map(|scope| &**scope)
    }

    /// The same in one text, with spaces between.
    pub fn joined_scopes(&self) -> &str {
        &self.joined
    }

    /// Whether it has that scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.binary_search_by(|one| (**one).cmp(scope)).is_ok()
    }

    /// What is known of it beside its name.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// When it ends: at that second nobody is it any more.
    pub fn expires(&self) -> Option<UnixSeconds> {
        self.expires
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_found_in_whatever_order_and_however_often_it_was_named() {
        let identity = Identity::new("ada").with_scopes(["b", "a", "c", "a"]);
        assert_eq!(identity.scopes().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert!(["a", "b", "c"].iter().all(|scope| identity.has_scope(scope)));
        assert!(!["", "A", "ab", "d"].iter().any(|scope| identity.has_scope(scope)));
    }
}
