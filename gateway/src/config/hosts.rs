//! `hosts` of a file or a route: the hosts whose requests it takes, exact ones or all that are one label longer than a name.

use super::complaint::Complaint;
use super::keys;
use super::reader::{Reader, Section};
use super::shape::Shape;
use crate::host::without_port;
use callgate_tls::Name;
use std::fmt;
use std::sync::Arc;

/// The most hosts of a list.
const MAX_HOSTS: usize = 100;
const EXAMPLE: &str = "[\"api.example.com\", \"*.example.com\"]";

/// The hosts of a route; by default all.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Hosts(Option<Arc<[Name]>>);

/// What a file or a route says of them.
#[derive(Clone, Debug)]
pub(super) enum SaidHosts {
    /// Nothing.
    Unsaid,
    /// These.
    These(Hosts),
    /// Something that will not do, which is reported: nobody knows which requests are meant.
    Bad,
}

impl Hosts {
    /// Those that are listed; none: all.
    pub fn listed(&self) -> &[Name] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Under which names routes of these are found: each that is listed, or `None`, which is all.
    pub fn names(&self) -> impl Iterator<Item = Option<&Name>> {
        let all = self.0.is_none().then_some(None);
        self.listed().iter().map(Some).chain(all)
    }
}

impl fmt::Display for Hosts {
    /// With commas between; nothing for all.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.listed().iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            write!(f, "{comma}{}", shown(name))?;
        }
        Ok(())
    }
}

/// A name as requests have it: an IPv6 address in brackets.
pub(crate) fn shown(name: &Name) -> String {
    match name {
        Name::Ip(ip) if ip.is_ipv6() => format!("[{ip}]"),
        name => name.to_string(),
    }
}

/// What `hosts` may be.
pub(super) const SHAPE: Shape = Shape::List(&Shape::Text, 1..=MAX_HOSTS);

impl SaidHosts {
    /// The same, or what the file says where this says nothing. `None`: nobody knows.
    pub(super) fn or(self, file: &SaidHosts) -> Option<Hosts> {
        match (self, file) {
            (SaidHosts::These(hosts), _) => Some(hosts),
            (SaidHosts::Unsaid, SaidHosts::These(hosts)) => Some(hosts.clone()),
            (SaidHosts::Unsaid, SaidHosts::Unsaid) => Some(Hosts::default()),
            (SaidHosts::Bad, _) | (_, SaidHosts::Bad) => None,
        }
    }

    /// Reads `hosts` of a route or of a file.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> SaidHosts {
        let Some(item) = section.get(keys::HOSTS.name) else { return SaidHosts::Unsaid };
        let before = reader.found.len();
        let names = reader.texts(&item, EXAMPLE, |text| match text {
            "*" => Ok(None),
            text => name(text).map(Some),
        });
        let names = names.unwrap_or_default();
        let all = names.iter().any(|(name, _)| name.is_none());
        let listed: Vec<_> = names.into_iter().filter_map(|(name, span)| Some((name?, span))).collect();
        reader.twice("the host", listed.iter().map(|(name, span)| (name, span)));
        let complaint = match (all, listed.len()) {
            (true, 1..) => Some(Complaint::new("`*` stands alone", "it is all hosts")),
            (false, 0) => {
                Some(Complaint::new("`hosts` is empty", "no request would be taken").help(
                    "for requests of all hosts leave it out, or write [\"*\"] where the file says others",
                ))
            }
            (_, count) if count > MAX_HOSTS => {
                Some(Complaint::new(format!("more than {MAX_HOSTS} hosts"), format!("{count} are too many")))
            }
            _ => None,
        };
        if reader.found.len() > before {
            return SaidHosts::Bad;
        }
        if let Some(complaint) = complaint {
            reader.complain::<()>(&item, complaint);
            return SaidHosts::Bad;
        }
        SaidHosts::These(Hosts((!all).then(|| listed.into_iter().map(|(name, _)| name).collect())))
    }
}

fn name(text: &str) -> Result<Name, Complaint> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let bare = bare.strip_suffix('.').unwrap_or(bare);
    Name::parse(bare).ok_or_else(|| {
        let complaint = Complaint::new(format!("`{text}` is not a host"), "expected a host's name");
        let host = text.split_once("://").map_or(text, |(_, rest)| rest);
        let host = without_port(host.split('/').next().unwrap_or_default());
        if host != text && Name::parse(host).is_some() {
            return complaint.help(format!("write \"{host}\": a host has no scheme, port or path"));
        }
        match text.contains('*') {
            true => complaint.help("a `*` stands for the whole first label: \"*.example.com\""),
            false => complaint.help("write the name that stands in the URL, such as \"api.example.com\""),
        }
    })
}
