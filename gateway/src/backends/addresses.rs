//! Which instances a backend's endpoints come to: those that are written down, and one at each address of a name.

use crate::config::{Address, BackendSpec, DnsName, EndpointAddr};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

/// Where names lead, by host. A name that is not in it has no answer yet and leads nowhere.
pub type Addresses = HashMap<String, Vec<IpAddr>>;

/// One instance, and by which of the backend's endpoints it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reached {
    /// Where it is.
    pub(super) addr: EndpointAddr,
    /// The place in [`BackendSpec::endpoints`] of what names it.
    pub(super) declared: usize,
}

/// All instances of a backend, each once, in the order of its endpoints. What an endpoint with an address of its own says
/// of an instance goes before what a name says that leads there too; of two names, the first one counts.
pub(super) fn reached(spec: &BackendSpec, addresses: &Addresses) -> Vec<Reached> {
    let written = spec.endpoints.iter().filter_map(|endpoint| match &endpoint.addr {
        Address::At(addr) => Some(addr),
        Address::Named(_) => None,
    });
    let mut taken: HashSet<EndpointAddr> = written.cloned().collect();
    let mut all = Vec::with_capacity(spec.endpoints.len());
    for (declared, endpoint) in spec.endpoints.iter().enumerate() {
        match &endpoint.addr {
            Address::At(addr) => all.push(Reached { addr: addr.clone(), declared }),
            Address::Named(name) => {
                let found = addresses.get(&name.host).into_iter().flatten().map(|ip| at(*ip, name));
                let new = found.filter(|addr| taken.insert(addr.clone()));
                all.extend(new.map(|addr| Reached { addr, declared }));
            }
        }
    }
    all
}

fn at(ip: IpAddr, name: &DnsName) -> EndpointAddr {
    EndpointAddr::Tcp { host: ip.to_string(), port: name.port }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Source, Tables};
    use crate::routes::Table;
    use std::sync::Arc;
    use std::sync::atomic::Ordering::Relaxed;

    const TABLES: &str = r#"
        [backends.shop]
        endpoints = [{ address = "dns:shop:7101", drain = true }, "127.0.0.2:7101", "dns:more:7101", "dns:shop:7102"]
        [backends.stock]
        endpoints = ["127.0.0.1:7101"]
        [[routes]]
        match = "GET /shop"
        call = "s.shop"
        backend = "shop"
        [[routes]]
        match = "GET /stock"
        call = "s.stock"
        backend = "stock"
        [[routes]]
        match = "GET /up"
        respond = { body = "up" }
    "#;

    fn addresses(all: &[(&str, &[&str])]) -> Addresses {
        let ips = |texts: &[&str]| texts.iter().map(|text| text.parse().expect("an address")).collect();
        all.iter().map(|(name, texts)| ((*name).to_owned(), ips(texts))).collect()
    }

    fn table(before: &Table, addresses: &Addresses) -> Table {
        let tables = Tables::parse(vec![Source::new("t.toml", TABLES)]).expect("sound tables");
        Table::next(before, tables, addresses, 1)
    }

    /// The instances of the backend `shop`, with whether they drain.
    fn shop(table: &Table) -> Vec<(String, bool)> {
        let members = table.backends[0].members();
        members.map(|(endpoint, spec)| (endpoint.addr.to_string(), endpoint.drains(spec))).collect()
    }

    #[test]
    fn a_name_stands_for_all_its_addresses_which_inherit_what_is_said_of_it() {
        let answers = addresses(&[("shop", &["127.0.0.1", "127.0.0.2", "::1"]), ("more", &["127.0.0.1"])]);
        let expected = [
            ("127.0.0.1:7101", true),
            ("[::1]:7101", true),
            ("127.0.0.2:7101", false),
            ("127.0.0.1:7102", false),
            ("127.0.0.2:7102", false),
            ("[::1]:7102", false),
        ];
        assert_eq!(
            shop(&table(&Table::empty(), &answers)),
            expected.map(|(addr, drains)| (addr.to_owned(), drains))
        );
        let none = shop(&table(&Table::empty(), &Addresses::default()));
        assert_eq!(none, [("127.0.0.2:7101".to_owned(), false)], "a name without an answer leads nowhere");
    }

    #[test]
    fn where_a_name_moves_all_else_is_the_same_object() {
        let first = table(&Table::empty(), &addresses(&[("more", &["10.0.0.1", "10.0.0.2"])]));
        first.backends[0].endpoints[2].drained_by_admin.store(true, Relaxed);
        let moved = addresses(&[("more", &["10.0.0.2", "10.0.0.3"])]);
        let second = Table::moved(&first, &moved, 1).expect("it has moved");
        assert_eq!((second.generation, &second.hash), (first.generation + 1, &first.hash));
        let texts = ["127.0.0.2:7101", "10.0.0.2:7101", "10.0.0.3:7101"];
        assert_eq!(shop(&second), texts.map(|text| (text.to_owned(), text == "10.0.0.2:7101")));
        let (old, new) = (&first.backends[0], &second.backends[0]);
        assert_ne!(old.id, new.id);
        assert!(Arc::ptr_eq(&old.endpoints[0], &new.endpoints[0]));
        assert!(Arc::ptr_eq(&old.endpoints[2], &new.endpoints[1]), "with its connections");
        assert!(Arc::ptr_eq(&old.stats, &new.stats));
        assert_eq!(first.routes[0].id, second.routes[0].id, "its programs still hold");
        assert!(
            Arc::ptr_eq(&second.routes[0].action.call().expect("a call").backend, new),
            "its calls go to the new set"
        );
        assert!(Arc::ptr_eq(&first.backends[1], &second.backends[1]));
        assert!(Arc::ptr_eq(&first.routes[1], &second.routes[1]));
        assert!(Arc::ptr_eq(&first.routes[2], &second.routes[2]));
    }

    #[test]
    fn answers_that_change_no_endpoint_make_no_table() {
        let answers = addresses(&[("more", &["127.0.0.2"]), ("unlisted", &["10.0.0.1"])]);
        let first = table(&Table::empty(), &Addresses::default());
        assert!(Table::moved(&first, &answers, 1).is_none(), "the address is listed by itself");
        let with = addresses(&[("more", &["127.0.0.3"])]);
        let second = Table::moved(&first, &with, 1).expect("another one");
        assert!(Table::moved(&second, &with, 1).is_none());
        let third = table(&second, &with);
        assert!(Arc::ptr_eq(&second.backends[0], &third.backends[0]), "a reload finds the same");
    }
}
