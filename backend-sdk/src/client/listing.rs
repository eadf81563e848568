//! The addresses that a name stands for, answer by answer: a state machine without socket and clock.
//!
//! An answer that lacks most of what the one before it had is as likely a mistake as it is true: one family's question may
//! have failed, or a server may have loaded half of its zone. So the addresses that are missing stay until the next answer
//! lacks them too.

use std::collections::BTreeSet;
use std::net::SocketAddr;

/// The most addresses of one name that are used. Each has a connection.
pub(crate) const MAX_ADDRESSES: usize = 64;

/// What is known of a name.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// What the last answer said, as far as it is used.
    listed: BTreeSet<SocketAddr>,
    /// What the answer before it said, while that it is gone has been said once only.
    unconfirmed: BTreeSet<SocketAddr>,
    /// How many more addresses the last answer had.
    left_out: usize,
}

impl Listing {
    /// Takes an answer in, which is not empty.
    pub(crate) fn hear(&mut self, answer: &[SocketAddr]) {
        let answer: BTreeSet<SocketAddr> = answer.iter().copied().collect();
        let (mut listed, mut new): (BTreeSet<_>, Vec<_>) = (BTreeSet::new(), Vec::new());
        for address in answer {
            if self.listed.contains(&address) || self.unconfirmed.contains(&address) {
                listed.insert(address);
            } else {
                new.push(address);
            }
        }
        // Of too many each client uses others, and the same ones from answer to answer.
        fastrand::shuffle(&mut new);
        let room = MAX_ADDRESSES.saturating_sub(listed.len());
        self.left_out = new.len().saturating_sub(room);
        listed.extend(new.into_iter().take(room));
        let gone: BTreeSet<_> = self.listed.difference(&listed).copied().collect();
        let most = gone.len() * 2 > self.listed.len();
        self.unconfirmed = if most { gone } else { BTreeSet::new() };
        self.listed = listed;
    }

    /// The addresses to be used.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.listed.union(&self.unconfirmed).copied()
    }

    /// Whether the next answer decides about some of them.
    pub(crate) fn is_unconfirmed(&self) -> bool {
        !self.unconfirmed.is_empty()
    }

    /// How many addresses are not used because they are too many.
    pub(crate) fn left_out(&self) -> usize {
        self.left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(last: impl IntoIterator<Item = u8>) -> Vec<SocketAddr> {
        last.into_iter().map(|last| ([10, 0, 0, last], 7101).into()).collect()
    }

    #[test]
    fn what_most_of_a_name_loses_is_gone_when_it_was_said_twice() {
        let mut listing = Listing::default();
        for (said, used, unconfirmed) in [
            (&[2, 1, 2][..], &[1, 2][..], false),
            (&[1, 2, 3, 4], &[1, 2, 3, 4], false),
            (&[3, 4], &[3, 4], false),
            (&[5], &[3, 4, 5], true),
            (&[5], &[5], false),
            (&[6], &[5, 6], true),
            (&[5, 6], &[5, 6], false),
            (&[7], &[5, 6, 7], true),
            (&[8], &[7, 8], true),
        ] {
            listing.hear(&addresses(said.iter().copied()));
            assert_eq!(listing.addresses().collect::<Vec<_>>(), addresses(used.iter().copied()), "{said:?}");
            assert_eq!(listing.is_unconfirmed(), unconfirmed, "{said:?}");
        }
    }

    #[test]
    fn of_too_many_addresses_the_same_ones_are_used_from_answer_to_answer() {
        let mut listing = Listing::default();
        listing.hear(&addresses(0..200));
        let used: Vec<_> = listing.addresses().collect();
        assert_eq!((used.len(), listing.left_out()), (MAX_ADDRESSES, 200 - MAX_ADDRESSES));
        listing.hear(&addresses((0..250).rev()));
        assert_eq!(listing.addresses().collect::<Vec<_>>(), used);
        // One that is used is gone, and one of the others takes its place.
        let without: Vec<_> = addresses(0..200).into_iter().filter(|one| *one != used[0]).collect();
        listing.hear(&without);
        assert!(
            listing.addresses().count() == MAX_ADDRESSES && listing.addresses().all(|one| one != used[0])
        );
    }

    #[test]
    fn addresses_that_nobody_has_confirmed_to_be_gone_stay_within_twice_the_bound() {
        let mut listing = Listing::default();
        listing.hear(&addresses(0..100));
        for _ in 0..10 {
            listing.hear(&addresses(100..200));
            listing.hear(&addresses(0..100));
            assert!(listing.addresses().count() <= 2 * MAX_ADDRESSES);
        }
    }
}
