//! Who calls by the user of its process, which has connected to a Unix socket.

use super::{Answer, Peer};
use crate::config::{OVERFLOW_UID, UnixSpec};
use crate::failure::Flaw;
use callgate_auth::{Claims, Identity};
use serde_json::{Map, Value};
use std::sync::Arc;

/// What the authenticator of that id says.
pub(super) fn ask(id: u64, spec: &UnixSpec, peer: &Peer<'_>) -> Answer {
    match peer.user {
        Some(uid) => peer.known.or_ask(id, || identify(spec, uid)),
        None => Answer::Nothing,
    }
}

fn identify(spec: &UnixSpec, uid: u32) -> Answer {
    if uid == OVERFLOW_UID {
        return Answer::Bad(Flaw::NotAllowed);
    }
    let name = match &spec.users {
        None => Some(uid.to_string().into_boxed_str()),
        Some(users) => users.iter().find(|user| user.uid == uid).map(|user| user.name.clone()),
    };
    let Some(name) = name else { return Answer::Bad(Flaw::NotAllowed) };
    let claims: Map<String, Value> = [("uid".to_owned(), Value::from(uid))].into_iter().collect();
    Answer::Known(Arc::new(Identity::new(name).with_claims(Claims::from(claims))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::UnixUser;

    #[test]
    fn a_listed_user_is_known_by_its_name_and_the_overflow_user_never_is() {
        let all = UnixSpec { users: None };
        let some = UnixSpec { users: Some(vec![UnixUser { name: "deploy".into(), uid: 1001 }]) };
        let name = |spec: &UnixSpec, uid: u32| match identify(spec, uid) {
            Answer::Known(identity) => {
                assert_eq!(identity.claims().get("uid"), Some(&Value::from(uid)));
                Some(identity.name().to_owned())
            }
            Answer::Bad(Flaw::NotAllowed) => None,
            other => panic!("{other:?}"),
        };
        assert_eq!((name(&all, 0).as_deref(), name(&all, 1001).as_deref()), (Some("0"), Some("1001")));
        assert_eq!((name(&some, 1001).as_deref(), name(&some, 1002)), (Some("deploy"), None));
        assert_eq!((name(&all, OVERFLOW_UID), name(&some, OVERFLOW_UID)), (None, None));
    }
}
