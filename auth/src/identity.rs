//! Who a caller is, once something has verified it. It says nothing by itself: whoever makes one has verified what it is made of.

use crate::{Claims, UnixSeconds};
use callgate_protocol::{Metadata, MetadataBuf, identity};

/// Who a caller is: a name, what it may do by its own word (scopes), and what else is known of it (claims).
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    name: Box<str>,
    scopes: Box<[Box<str>]>,
    /// Its name and its scopes as a method is told them: written once, and not with each call. Nothing where they are too long for it.
    told: Option<MetadataBuf>,
    claims: Claims,
    expires: Option<UnixSeconds>,
}

impl Identity {
    /// One of that name, without scopes and claims, for ever.
    pub fn new(name: impl Into<Box<str>>) -> Identity {
        let name = name.into();
        let told = told(&name, &[]);
        Identity { name, scopes: Box::default(), told, claims: Claims::default(), expires: None }
    }

    /// The same with these scopes; which of them is named first, or twice, does not matter.
    pub fn with_scopes(self, scopes: impl IntoIterator<Item = impl Into<Box<str>>>) -> Identity {
        let mut scopes: Vec<Box<str>> = scopes.into_iter().map(Into::into).collect();
        scopes.sort_unstable();
        scopes.dedup();
        let told = told(&self.name, &scopes);
        Identity { scopes: scopes.into(), told, ..self }
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

    /// The [entries](identity) that tell a method its name and its scopes. Nothing where these are longer than entries may be.
    pub fn told(&self) -> Option<Metadata<'_>> {
        self.told.as_ref().map(MetadataBuf::as_metadata)
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

fn told(name: &str, scopes: &[Box<str>]) -> Option<MetadataBuf> {
    let mut told = MetadataBuf::default();
    let fits = told.push_known(identity::NAME, name.as_bytes());
    let fits = fits && (scopes.is_empty() || told.push_known(identity::SCOPES, scopes.join(" ").as_bytes()));
    fits.then_some(told)
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

    #[test]
    fn a_method_is_told_its_name_and_its_scopes_or_nothing_where_they_are_too_long() {
        let entries = |identity: &Identity| {
            let told = identity.told()?;
            let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
            Some(told.iter().map(|(name, value)| (name.to_owned(), text(value))).collect::<Vec<_>>())
        };
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let ada = Identity::new("ada");
        assert_eq!(entries(&ada), Some(vec![own("identity", "ada")]));
        let both = vec![own("identity", "ada"), own("identity-scopes", "a b")];
        assert_eq!(entries(&ada.with_scopes(["b", "a"])), Some(both));
        let many = (0..20_000).map(|at| format!("scope-{at}"));
        assert_eq!(entries(&Identity::new("ada").with_scopes(many)), None);
    }
}
