//! What is known of a connection's other end. What an authenticator makes of it is noted with the connection: it is asked once, and not
//! with every request.

use super::Answer;
use callgate_tls::Identity as Certified;
use std::cell::RefCell;

/// For so many authenticators it is noted, before all is forgotten: after changes of tables most of them are gone.
const MOST: usize = 8;

/// A connection's other end.
#[derive(Clone, Copy)]
pub struct Peer<'r> {
    /// Who it is by the certificate that it has shown, which was verified.
    pub certificate: Option<&'r Certified>,
    /// The user of its process, of a Unix socket.
    pub user: Option<u32>,
    /// What authenticators have said of it.
    pub known: &'r KnownPeer,
}

/// What authenticators have said of a connection's other end, by their ids.
#[derive(Default)]
pub struct KnownPeer(RefCell<Vec<(u64, Answer)>>);

impl KnownPeer {
    /// What the authenticator of that id says, which is asked if it was not before.
    pub(super) fn or_ask(&self, id: u64, ask: impl FnOnce() -> Answer) -> Answer {
        let mut known = self.0.borrow_mut();
        if let Some((_, answer)) = known.iter().find(|(known, _)| *known == id) {
            return answer.clone();
        }
        let answer = ask();
        if known.len() >= MOST {
            known.clear();
        }
        known.push((id, answer.clone()));
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Flaw;

    #[test]
    fn an_authenticator_is_asked_once_until_too_many_are_known() {
        let known = KnownPeer::default();
        let asked = |id: u64| {
            let mut asked = false;
            let answer = known.or_ask(id, || {
                asked = true;
                Answer::Bad(Flaw::NotAllowed)
            });
            assert_eq!(answer, Answer::Bad(Flaw::NotAllowed));
            asked
        };
        assert!(asked(1) && !asked(1));
        assert!((2..=MOST as u64).all(&asked) && !asked(1));
        assert!(asked(100) && asked(1), "all are forgotten");
    }
}
