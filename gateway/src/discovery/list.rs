//! What a source lists, and the rule for a list that loses most of its instances at once: such an answer is as likely a
//! mistake of the source as it is true, and costs all calls if it is one. So it has to be said twice.

use super::Query;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

/// What sources list. A name that is not in it has no answer yet, and stands for no instance.
pub type Lists = HashMap<Query, Arc<List>>;

/// An instance that a source lists, and what the source says of it. The endpoint in the table says the rest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Listed {
    /// Its address.
    pub ip: IpAddr,
}

impl fmt::Display for Listed {
    /// The text reads back as itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ip.fmt(f)
    }
}

impl FromStr for Listed {
    type Err = NotListed;

    fn from_str(text: &str) -> Result<Listed, NotListed> {
        text.parse::<IpAddr>().map(Listed::from).map_err(|_| NotListed)
    }
}

/// A text that is no instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotListed;

impl From<IpAddr> for Listed {
    fn from(ip: IpAddr) -> Listed {
        Listed { ip }
    }
}

/// The list of one source that is in force.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct List {
    /// What the source lists: each instance once.
    pub listed: Vec<Listed>,
    /// What it listed before and no longer does; that they are gone has been said once only.
    pub unconfirmed: Vec<Listed>,
}

impl List {
    /// What was known before anybody was asked.
    pub fn of(listed: Vec<Listed>) -> List {
        List { listed, unconfirmed: Vec::new() }
    }

    /// The list after this one, by what the source lists now.
    pub fn next(&self, listed: Vec<Listed>) -> List {
        let still: BTreeSet<IpAddr> = listed.iter().map(|one| one.ip).collect();
        let mut gone: Vec<Listed> =
            self.listed.iter().filter(|one| !still.contains(&one.ip)).copied().collect();
        if gone.len() * 2 <= self.listed.len() {
            gone.clear();
        }
        List { listed, unconfirmed: gone }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(last: &[u8]) -> Vec<Listed> {
        last.iter().map(|last| IpAddr::from([10, 0, 0, *last]).into()).collect()
    }

    #[test]
    fn what_most_of_a_list_loses_is_gone_when_it_was_said_twice() {
        let mut list = List::default();
        for (said, unconfirmed) in [
            (&[1, 2, 3, 4][..], &[][..]),
            (&[3, 4], &[]),
            (&[1, 2, 3, 4], &[]),
            (&[1], &[2, 3, 4]),
            (&[1], &[]),
            (&[2], &[1]),
            (&[3], &[2]),
            (&[1, 2, 3], &[]),
            (&[], &[1, 2, 3]),
            (&[1, 2, 3], &[]),
            (&[], &[1, 2, 3]),
            (&[], &[]),
        ] {
            list = list.next(listed(said));
            let expected = List { listed: listed(said), unconfirmed: listed(unconfirmed) };
            assert_eq!(list, expected);
        }
    }
}
