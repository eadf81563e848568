//! `clients`: from which addresses requests may come. A listener, a file and a route each may have such a list, and a request passes all
//! of them: an inner one only narrows.

use super::complaint::Complaint;
use super::networks;
use super::reader::{Item, Reader};
use super::shape::{Entry, Shape};
use crate::clients::Networks;
use std::fmt;
use std::net::IpAddr;

const KEYS: &[Entry] = &[
    Entry::any(1, "allow", networks::SHAPE, "the networks from which clients may come, and no others"),
    Entry::any(1, "deny", networks::SHAPE, "the networks from which none may come"),
];
/// What `clients` may be.
pub(super) const SHAPE: Shape = Shape::Table(KEYS);

/// Who may come: those in `allow`, or everybody without; but none of `deny`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientList {
    allow: Option<Networks>,
    deny: Option<Networks>,
}

impl ClientList {
    /// Whether a client may come. One whose address is not known is in no network.
    pub fn admits(&self, client: Option<IpAddr>) -> bool {
        let is_in = |networks: &Networks| client.is_some_and(|client| networks.contains(client));
        self.allow.as_ref().is_none_or(is_in) && !self.deny.as_ref().is_some_and(is_in)
    }

    /// From where clients may come; from everywhere without.
    pub fn allow(&self) -> Option<&Networks> {
        self.allow.as_ref()
    }

    /// From where none may come.
    pub fn deny(&self) -> Option<&Networks> {
        self.deny.as_ref()
    }

    /// Reads a list.
    pub(super) fn read(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<ClientList> {
        let table = reader.table(item, "a table such as { allow = [\"10.0.0.0/8\"] }")?;
        let before = reader.found.len();
        let section = reader.section("`clients`", table, KEYS);
        let [allow, deny] =
            ["allow", "deny"].map(|key| section.get(key).and_then(|item| networks::read(reader, &item)));
        match (&allow, &deny) {
            (None, None) if reader.found.len() == before => reader
                .complain(item, Complaint::new("`clients` has `allow`, `deny` or both", "it has neither")),
            _ => Some(ClientList { allow, deny }),
        }
    }
}

impl fmt::Display for ClientList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.allow, &self.deny) {
            (Some(allow), Some(deny)) => write!(f, "allow {allow}; deny {deny}"),
            (Some(allow), None) => write!(f, "allow {allow}"),
            (None, Some(deny)) => write!(f, "deny {deny}"),
            (None, None) => Ok(()),
        }
    }
}

/// The lists of a route: its file's, then its own.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RouteClients(Vec<ClientList>);

impl RouteClients {
    /// All of them.
    pub fn lists(&self) -> &[ClientList] {
        &self.0
    }

    /// Reads the list of a route or of a file.
    pub(super) fn read(reader: &mut Reader<'_>, item: &Item<'_>) -> RouteClients {
        RouteClients(ClientList::read(reader, item).into_iter().collect())
    }

    /// The same behind what the file says.
    pub(super) fn within(self, file: &RouteClients) -> RouteClients {
        RouteClients(file.0.iter().cloned().chain(self.0).collect())
    }

    /// Reports what a route allows and its file does not: nobody comes from there.
    pub(super) fn check_within(&self, file: &RouteClients, reader: &mut Reader<'_>, item: &Item<'_>) {
        let allowed = |clients: &RouteClients| clients.0.first().and_then(|list| list.allow.clone());
        let (Some(own), Some(outer)) = (allowed(self), allowed(file)) else { return };
        if let Some(network) = own.listed().iter().find(|network| !outer.overlaps(network)) {
            let title = format!("the file does not allow clients of `{network}`");
            let complaint = Complaint::new(title, "a route can only narrow what its file allows");
            reader.complain::<()>(item, complaint.note(format!("at the top of the file: allow {outer}")));
        }
    }
}
