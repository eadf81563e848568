//! What a source is asked for.

use crate::config::{Address, BackendSpec};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// What the text of a service begins with: no host has a colon.
const SERVICE: &str = "srv:";

/// What a source is asked for: one for each kind of source that an endpoint can name.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Query {
    /// The addresses of a host.
    Host(String),
    /// The instances of a service.
    Service(String),
}

impl fmt::Display for Query {
    /// As metrics and the log name it. The text reads back as itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Query::Host(host) => f.write_str(host),
            Query::Service(name) => write!(f, "{SERVICE}{name}"),
        }
    }
}

impl FromStr for Query {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Query, Infallible> {
        Ok(match text.strip_prefix(SERVICE) {
            Some(name) => Query::Service(name.to_owned()),
            None => Query::Host(text.to_owned()),
        })
    }
}

impl Query {
    /// What has to be asked for to know the instances of an endpoint; none where its address is written down.
    pub fn of(address: &Address) -> Option<Query> {
        match address {
            Address::At(_) => None,
            Address::Host(host) => Some(Query::Host(host.host.clone())),
            Address::Service(service) => Some(Query::Service(service.name.clone())),
        }
    }

    /// What has to be asked for to know the instances of these backends.
    pub fn all<'b>(backends: impl IntoIterator<Item = &'b BackendSpec>) -> BTreeSet<Query> {
        let endpoints = backends.into_iter().flat_map(|backend| &backend.endpoints);
        endpoints.filter_map(|endpoint| Query::of(&endpoint.addr)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_querys_text_reads_back_as_itself() {
        for query in [Query::Host("srv".to_owned()), Query::Service("_shop._tcp.internal".to_owned())] {
            assert_eq!(query.to_string().parse(), Ok(query));
        }
    }
}
