//! What operators have said of drains (`/-/drain`), carried over to the successor: else an upgrade would send calls to a machine
//! that somebody is servicing.
//!
//! What holds is said with the sockets, so that the successor knows it before it connects to anybody. What operators say while
//! the successor gets ready is said before `yours`.

use crate::backends::Member;
use crate::routes::Table;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering::Relaxed;

/// Endpoints that drain by an operator's word: a backend's name and an address each.
pub(super) type Drained = BTreeSet<(String, String)>;

/// An operator's word on one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    drain: bool,
    backend: String,
    address: String,
}

impl Word {
    /// Reads `drain BACKEND ADDRESS` or `undrain BACKEND ADDRESS`; none of another line.
    pub(super) fn read(line: &str) -> Option<Word> {
        let (word, rest) = line.split_once(' ')?;
        let (backend, address) = rest.split_once(' ')?;
        let drain = match word {
            "drain" => true,
            "undrain" => false,
            _ => return None,
        };
        Some(Word { drain, backend: backend.to_owned(), address: address.to_owned() })
    }
}

/// What drains by an operator's word in that table.
pub(super) fn drained(table: &Table) -> Drained {
    let mut drained = Drained::new();
    for backend in &table.backends {
        let members = backend.members();
        let endpoints = members.iter().map(|member| &member.endpoint);
        let of_backend = endpoints.filter(|endpoint| endpoint.drained_by_admin.load(Relaxed));
        drained.extend(of_backend.map(|endpoint| (backend.spec.name.clone(), endpoint.addr.to_string())));
    }
    drained
}

/// The lines that tell who knows of `told` what holds now.
pub(super) fn lines(told: &Drained, now: &Drained) -> Vec<String> {
    let more = now.difference(told).map(|(backend, address)| format!("drain {backend} {address}"));
    let fewer = told.difference(now).map(|(backend, address)| format!("undrain {backend} {address}"));
    more.chain(fewer).collect()
}

/// Has the endpoints of that table obey. A word on one that the table lacks is dropped, and the log says so.
pub fn obey(table: &Table, words: &[Word]) {
    for Word { drain, backend, address } in words {
        let of_name = table.backends.iter().find(|one| one.spec.name == *backend);
        let members = of_name.map(|backend| backend.members_now());
        let mut members = members.iter().flat_map(|members| members.iter());
        match members.find(|member| member.endpoint.addr.to_string() == *address) {
            Some(Member { endpoint, .. }) => {
                endpoint.drained_by_admin.store(*drain, Relaxed);
                tracing::info!(
                    backend,
                    endpoint = address,
                    drain,
                    "an operator's word, told by the gateway before"
                );
            }
            None => tracing::warn!(
                backend,
                endpoint = address,
                drain,
                "an operator's word is dropped: the tables do not have the endpoint"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Drained {
        pairs.iter().map(|(backend, address)| ((*backend).to_owned(), (*address).to_owned())).collect()
    }

    #[test]
    fn what_is_said_tells_what_has_changed_since_and_is_read_back() {
        let told = of(&[("a", "h:1"), ("b", "unix:/run/a b.sock")]);
        let now = of(&[("a", "h:1"), ("a", "h:2")]);
        let lines = lines(&told, &now);
        assert_eq!(lines, ["drain a h:2", "undrain b unix:/run/a b.sock"]);
        let word = |drain, backend: &str, address: &str| Word {
            drain,
            backend: backend.to_owned(),
            address: address.to_owned(),
        };
        let read: Vec<Word> = lines.iter().filter_map(|line| Word::read(line)).collect();
        assert_eq!(read, [word(true, "a", "h:2"), word(false, "b", "unix:/run/a b.sock")]);
        for other in ["drain", "drain a", "drains a h:1", "yours", ""] {
            assert_eq!(Word::read(other), None, "{other}");
        }
    }
}
