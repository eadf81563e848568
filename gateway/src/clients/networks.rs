//! Sets of networks, compiled: to look an address up is a binary search, which takes no memory.

use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// How many networks a person is shown of a set.
const SHOWN: usize = 8;

/// A set of networks. Its clones share it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Arc<Set>);

/// Ranges are sorted and do not overlap; each is its first and its last address.
#[derive(Debug, Default, PartialEq, Eq)]
struct Set {
    listed: Box<[IpNet]>,
    v4: Box<[(u32, u32)]>,
    v6: Box<[(u128, u128)]>,
}

impl Networks {
    /// The set of these, which may overlap.
    pub fn new(listed: Vec<IpNet>) -> Networks {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for network in &listed {
            match network {
                IpNet::V4(network) => v4.push((network.network().to_bits(), network.broadcast().to_bits())),
                IpNet::V6(network) => v6.push((network.network().to_bits(), network.broadcast().to_bits())),
            }
        }
        Networks(Arc::new(Set { listed: listed.into(), v4: merged(v4), v6: merged(v6) }))
    }

    /// Whether an address is in one of them. An IPv4 address is the same however it is written.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => holds(&self.0.v4, address.to_bits(), address.to_bits()),
            IpAddr::V6(address) => holds(&self.0.v6, address.to_bits(), address.to_bits()),
        }
    }

    /// Whether some address of a network is in one of them.
    pub fn overlaps(&self, network: &IpNet) -> bool {
        match network {
            IpNet::V4(network) => {
                holds(&self.0.v4, network.network().to_bits(), network.broadcast().to_bits())
            }
            IpNet::V6(network) => {
                holds(&self.0.v6, network.network().to_bits(), network.broadcast().to_bits())
            }
        }
    }

    /// The networks as they were listed.
    pub fn listed(&self) -> &[IpNet] {
        &self.0.listed
    }
}

impl fmt::Display for Networks {
    /// The first of them, and how many more there are. What is one address is written as one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = self.listed();
        for (at, network) in listed.iter().take(SHOWN).enumerate() {
            f.write_str(if at == 0 { "" } else { ", " })?;
            if network.prefix_len() == network.max_prefix_len() {
                write!(f, "{}", network.addr())?;
            } else {
                write!(f, "{network}")?;
            }
        }
        match listed.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// Ranges that may overlap, sorted and joined.
fn merged<A: Ord + Copy>(mut ranges: Vec<(A, A)>) -> Box<[(A, A)]> {
    ranges.sort_unstable();
    let mut all: Vec<(A, A)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match all.last_mut() {
            Some((_, end)) if first <= *end => *end = last.max(*end),
            _ => all.push((first, last)),
        }
    }
    all.into()
}

/// Whether something between `first` and `last` is in one of the ranges.
fn holds<A: Ord + Copy>(ranges: &[(A, A)], first: A, last: A) -> bool {
    let begun = ranges.partition_point(|(begin, _)| *begin <= last);
    ranges[..begun].last().is_some_and(|(_, end)| first <= *end)
}

/// Whose word counts when they say who their client is: proxies in these networks, or behind a Unix socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trusted {
    /// Proxies that have an address.
    pub networks: Networks,
    /// Whoever connects to a Unix socket.
    pub unix: bool,
}

impl Trusted {
    /// Whether the word of who has that address counts. Nobody has an address at a Unix socket.
    pub fn trusts(&self, address: Option<IpAddr>) -> bool {
        match address {
            Some(address) => self.networks.contains(address),
            None => self.unix,
        }
    }
}

impl fmt::Display for Trusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.unix, self.networks.listed()) {
            (true, []) => f.write_str("unix"),
            (true, _) => write!(f, "unix, {}", self.networks),
            (false, _) => write!(f, "{}", self.networks),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn networks(listed: &[&str]) -> Networks {
        Networks::new(listed.iter().map(|text| text.parse().expect("a network")).collect())
    }

    #[test]
    fn an_address_is_in_a_set_if_it_is_in_one_of_its_networks() {
        let set = networks(&["10.0.0.0/8", "10.1.0.0/16", "192.0.2.1/32", "2001:db8::/32", "0.0.0.0/32"]);
        for (address, expected) in [
            ("10.0.0.0", true),
            ("10.255.255.255", true),
            ("10.1.2.3", true),
            ("9.255.255.255", false),
            ("11.0.0.0", false),
            ("192.0.2.1", true),
            ("192.0.2.2", false),
            ("0.0.0.0", true),
            ("::ffff:10.1.2.3", true),
            ("2001:db8:ffff::1", true),
            ("2001:db9::", false),
            ("::", false),
        ] {
            assert_eq!(set.contains(address.parse().expect("an address")), expected, "{address}");
        }
        assert!(!Networks::default().contains(Ipv4Addr::LOCALHOST.into()));
        let everybody = networks(&["0.0.0.0/0", "::/0"]);
        for address in [Ipv4Addr::BROADCAST.into(), IpAddr::from(Ipv6Addr::from_bits(u128::MAX))] {
            assert!(everybody.contains(address));
        }
    }

    #[test]
    fn networks_overlap_or_do_not() {
        let set = networks(&["10.0.0.0/8", "192.0.2.0/24"]);
        for (network, expected) in [
            ("10.1.0.0/16", true),
            ("0.0.0.0/0", true),
            ("192.0.0.0/16", true),
            ("192.0.3.0/24", false),
            ("11.0.0.0/8", false),
            ("::/0", false),
        ] {
            assert_eq!(set.overlaps(&network.parse().expect("a network")), expected, "{network}");
        }
    }

    #[test]
    fn a_person_is_shown_a_few() {
        assert_eq!(networks(&["10.0.0.0/8", "192.0.2.1/32"]).to_string(), "10.0.0.0/8, 192.0.2.1");
        let many = Networks::new((0..11).map(|n| IpNet::from(IpAddr::from([192, 0, 2, n]))).collect());
        assert!(many.to_string().ends_with(", 192.0.2.7 and 3 more"), "{many}");
    }

    #[test]
    fn who_has_no_address_is_trusted_at_unix_sockets_only() {
        let trusted = |unix| Trusted { networks: networks(&["10.0.0.0/8"]), unix };
        assert!(trusted(false).trusts("10.1.2.3".parse().ok()) && trusted(true).trusts(None));
        assert!(!trusted(false).trusts(None) && !trusted(true).trusts("11.1.2.3".parse().ok()));
    }

    /// Networks that are near each other, so that many overlap.
    fn near() -> impl Strategy<Value = IpNet> {
        let v4 = (0..4096_u32, 20..=32_u8).prop_map(|(bits, length)| {
            IpNet::new(Ipv4Addr::from_bits(0x0a00_0000 | bits).into(), length).expect("a length").trunc()
        });
        let v6 = (0..4096_u128, 116..=128_u8).prop_map(|(bits, length)| {
            IpNet::new(Ipv6Addr::from_bits(0xfd << 120 | bits).into(), length).expect("a length").trunc()
        });
        prop_oneof![v4, v6]
    }

    proptest! {
        #[test]
        fn a_set_holds_what_its_networks_hold_one_by_one(
            listed in prop::collection::vec(near(), 0..12),
            bits in 0..4096_u32,
            other in near(),
        ) {
            let set = Networks::new(listed.clone());
            let v4 = IpAddr::from(Ipv4Addr::from_bits(0x0a00_0000 | bits));
            let v6 = IpAddr::from(Ipv6Addr::from_bits(0xfd << 120 | u128::from(bits)));
            for address in [v4, v6] {
                prop_assert_eq!(set.contains(address), listed.iter().any(|one| one.contains(&address)));
            }
            let overlaps = |one: &IpNet| one.contains(&other) || other.contains(one);
            prop_assert_eq!(set.overlaps(&other), listed.iter().any(overlaps));
        }
    }
}
