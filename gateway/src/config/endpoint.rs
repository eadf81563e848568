//! The endpoints of a backend: where its instances listen, and whether calls may go there.

use super::balance::{Placement, WEIGHT, ZONE};
use super::complaint::Complaint;
use super::diagnostics::Diagnostic;
use super::discovery_name::{Discovered, DiscoveryName, SCHEMES};
use super::endpoint_addr::{EndpointAddr, FORMS};
use super::reader::{Item, Reader};
use super::shape::{Entry, Shape};
use super::suggest::list;
use std::fmt;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

const KEYS: &[Entry] = &[
    Entry::needed("address", Shape::Text, "where the instance listens"),
    Entry::new("drain", Shape::Boolean, "no new calls go there"),
    WEIGHT,
    ZONE,
];
/// What `endpoints` may be.
pub(super) const SHAPE: Shape =
    Shape::List(&Shape::OneOf(&[Shape::Text, Shape::Table(KEYS)]), 1..=usize::MAX);
/// What a list of endpoints looks like, for whoever wrote something else.
const LIST: &str = "an array such as [\"127.0.0.1:7101\"]";
/// What one of them looks like.
const ONE: &str =
    "strings such as \"127.0.0.1:7101\", or tables such as { address = \"127.0.0.1:7101\", drain = true }";

/// One endpoint of a backend, as the tables have it: its address alone, or a table with more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndpointSpec {
    /// Where the instance listens, or the name whose addresses are the instances.
    pub addr: Address,
    /// No new calls go there, and the connections to it close when the last reply is there; by default `false`.
    pub drain: bool,
    /// Its part among the backend's endpoints.
    pub placement: Placement,
}

impl From<EndpointAddr> for EndpointSpec {
    /// An endpoint of which nothing but its address is said.
    fn from(addr: EndpointAddr) -> EndpointSpec {
        Address::At(addr).into()
    }
}

impl From<Address> for EndpointSpec {
    /// The same where the address may be a name.
    fn from(addr: Address) -> EndpointSpec {
        EndpointSpec { addr, drain: false, placement: Placement::default() }
    }
}

impl EndpointSpec {
    fn read(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<(EndpointSpec, Range<usize>)> {
        match item.value.get_ref() {
            DeValue::String(_) => {
                let addr = reader.text(item, ONE, Address::parse)?;
                Some((addr.into(), item.span()))
            }
            DeValue::Table(table) => EndpointSpec::read_table(reader, table, item),
            _ => reader.wrong_type(item.key, item.value, ONE),
        }
    }

    fn read_table(
        reader: &mut Reader<'_>,
        table: &DeTable<'_>,
        item: &Item<'_>,
    ) -> Option<(EndpointSpec, Range<usize>)> {
        let section = reader.section("an endpoint", table, KEYS);
        let drain = section.get("drain").and_then(|item| reader.boolean(&item));
        let placement = Placement::read(reader, &section);
        let Some(address) = section.get("address") else {
            reader.report(
                Diagnostic::new("an endpoint has no `address`")
                    .at(reader.source, item.span(), "where does it listen?")
                    .help("write { address = \"127.0.0.1:7101\" }, or just \"127.0.0.1:7101\""),
            );
            return None;
        };
        let addr = reader.text(&address, "a string such as \"127.0.0.1:7101\"", Address::parse)?;
        if let (Some(DiscoveryName::Service(_)), Some(weight)) = (addr.name(), section.get("weight")) {
            let complaint = Complaint::new("the instances of a service have no `weight` here", "not allowed");
            return reader
                .complain(&weight, complaint.note("their weights are those of the service's records"));
        }
        Some((EndpointSpec { addr, drain: drain.unwrap_or(false), placement }, address.span()))
    }
}

/// Reads the endpoints of the backend `name`: at least one, each once.
pub(super) fn endpoints(reader: &mut Reader<'_>, name: &str, item: &Item<'_>) -> Option<Vec<EndpointSpec>> {
    let before = reader.found.len();
    let mut all: Vec<(EndpointSpec, Range<usize>)> = Vec::new();
    for value in reader.array(item, LIST)? {
        all.extend(EndpointSpec::read(reader, &Item { value, ..item.clone() }));
    }
    if all.is_empty() && reader.found.len() == before {
        let complaint = Complaint::new(format!("backend `{name}` has no endpoints"), "expected at least one");
        reader.complain::<()>(
            item,
            complaint.help("remove the backend and its routes to take it out of service"),
        );
    }
    reader.twice("endpoint", all.iter().map(|(endpoint, span)| (&endpoint.addr, span)));
    Some(all.into_iter().map(|(endpoint, _)| endpoint).collect())
}

/// What a list of endpoints names: one instance, or all that a name stands for. Its text reads back as itself.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Address {
    /// One instance.
    At(EndpointAddr),
    /// All instances that a discovery source lists, which is asked again and again.
    Discovered(Discovered),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::At(addr) => addr.fmt(f),
            Address::Discovered(discovered) => discovered.fmt(f),
        }
    }
}

impl Address {
    fn parse(text: &str) -> Result<Address, Complaint> {
        if let Some(discovered) = Discovered::parse(text) {
            return discovered.map(Address::Discovered);
        }
        EndpointAddr::parse(text).map(Address::At).map_err(|complaint| match names_a_scheme(text) {
            true => complaint.note(format!("an endpoint is {}", forms())),
            false => complaint,
        })
    }

    /// What a source is asked for to know its instances; none where its address is written down.
    pub fn name(&self) -> Option<&DiscoveryName> {
        match self {
            Address::At(_) => None,
            Address::Discovered(discovered) => Some(&discovered.name),
        }
    }
}

/// All that an endpoint of a table can be, for people.
pub(super) fn forms() -> String {
    let forms: Vec<&str> = FORMS.into_iter().chain(SCHEMES.iter().map(|scheme| scheme.form)).collect();
    list(&forms, "or")
}

/// Whether a text that is no endpoint seems to begin with a scheme, as in `etcd:shop`, and not with a host.
fn names_a_scheme(text: &str) -> bool {
    let (scheme, rest) = text.split_once(':').unwrap_or_default();
    let is_word = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte));
    is_word && !["", "unix"].contains(&scheme) && rest.starts_with(|c: char| !c.is_ascii_digit())
}
