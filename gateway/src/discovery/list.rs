//! What a source lists, and the rule for a list that loses most of its instances at once: such an answer is as likely a
//! mistake of the source as it is true, and costs all calls if it is one. So it has to be said twice.

use crate::config::DiscoveryName;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

/// What sources list. A name that is not in it has no answer yet, and stands for no instance.
pub type Lists = HashMap<DiscoveryName, Arc<List>>;

/// An instance that a source lists, and what the source says of it. The endpoint in the table says the rest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Listed {
    /// Its address.
    pub ip: IpAddr,
    /// Its port, if the source says it.
    pub port: Option<u16>,
    /// Its weight, if the source says it; 1 to 1000.
    pub weight: Option<u32>,
    /// Those of a higher number are used while the others cannot take all calls; 0 where nobody says more.
    pub priority: u16,
}

impl Listed {
    /// Where it is: what tells instances of a list apart.
    pub(super) fn at(&self) -> (IpAddr, Option<u16>) {
        (self.ip, self.port)
    }
}

impl fmt::Display for Listed {
    /// The text reads back as itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.port, self.weight) {
            (Some(port), Some(weight)) => write!(f, "{} {port} {weight} {}", self.ip, self.priority),
            _ => self.ip.fmt(f),
        }
    }
}

impl FromStr for Listed {
    type Err = NotListed;

    fn from_str(text: &str) -> Result<Listed, NotListed> {
        let mut words = text.split(' ');
        let ip: IpAddr = words.next().and_then(|word| word.parse().ok()).ok_or(NotListed)?;
        let rest: Vec<&str> = words.collect();
        let number = |text: &str| text.parse::<u16>().map_err(|_| NotListed);
        match rest[..] {
            [] => Ok(ip.into()),
            [port, weight, priority] => {
                let (port, weight, priority) = (number(port)?, number(weight)?, number(priority)?);
                let sound = port != 0 && (1..=1000).contains(&weight);
                let listed = Listed { ip, port: Some(port), weight: Some(weight.into()), priority };
                sound.then_some(listed).ok_or(NotListed)
            }
            _ => Err(NotListed),
        }
    }
}

/// A text that is no instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotListed;

impl From<IpAddr> for Listed {
    fn from(ip: IpAddr) -> Listed {
        Listed { ip, port: None, weight: None, priority: 0 }
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
        let still: BTreeSet<(IpAddr, Option<u16>)> = listed.iter().map(Listed::at).collect();
        let mut gone: Vec<Listed> =
            self.listed.iter().filter(|one| !still.contains(&one.at())).copied().collect();
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
    fn the_text_of_an_instance_reads_back_as_itself_and_no_other_text_is_one() {
        let ip = IpAddr::from([10, 0, 0, 1]);
        let of_service = Listed { ip, port: Some(7101), weight: Some(1000), priority: 2 };
        for (listed, text) in [(Listed::from(ip), "10.0.0.1"), (of_service, "10.0.0.1 7101 1000 2")] {
            assert_eq!(listed.to_string(), text);
            assert_eq!(text.parse(), Ok(listed));
        }
        for text in [
            "",
            "x",
            "10.0.0.1 ",
            "10.0.0.1 1",
            "10.0.0.1 0 1 0",
            "10.0.0.1 1 0 0",
            "10.0.0.1 1 1001 0",
            "::1 1 1 65536",
            "::1 1 1 1 1",
        ] {
            assert_eq!(text.parse::<Listed>(), Err(NotListed), "{text:?}");
        }
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
