//! `require`: what a caller needs beside an identity.

use super::{Arrival, Making, Passed, Step};
use crate::config::{Require, RequiredClaim, RoutePolicy, RouteRequire};
use crate::failure::{Failure, Unauthenticated};

impl Step for RouteRequire {
    fn shown(policy: &RoutePolicy) -> Option<String> {
        let lists: Vec<String> =
            policy.require.lists().iter().map(|list| format!("require {list}")).collect();
        (!lists.is_empty()).then(|| lists.join(", "))
    }

    fn next(policy: &RoutePolicy, _: Option<&RouteRequire>, _: &mut Making<'_>) -> Option<RouteRequire> {
        (!policy.require.lists().is_empty()).then(|| policy.require.clone())
    }

    fn check(&self, _: &Arrival<'_>, passed: &mut Passed) -> Result<(), Failure> {
        let Some(caller) = &passed.identified else {
            // The step before lets nobody pass who is not known.
            let unknown = Unauthenticated { challenges: [].into(), bad: None, told: None };
            return Err(Failure::Unauthenticated(Box::new(unknown)));
        };
        let scopes = || self.lists().iter().flat_map(|list| &list.scopes);
        let claims =
            |list: &Require| list.claims.iter().all(|claim: &RequiredClaim| claim.is_of(&caller.identity));
        let lacks_scope = !scopes().all(|scope| caller.identity.has_scope(scope));
        if !lacks_scope && self.lists().iter().all(claims) {
            return Ok(());
        }
        let wanted = || scopes().map(|scope| &**scope).collect::<Vec<_>>().join(" ");
        Err(Failure::Forbidden(Box::new(caller.lacks(lacks_scope.then(wanted)))))
    }
}
