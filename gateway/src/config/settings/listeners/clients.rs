//! What a listener believes of who its clients are, who of them may come, and how much each may take.

use super::{ListenAddress, ListenerSettings};
use crate::clients::{ForwardedHeader, Trusted};
use crate::config::client_list::{self, ClientList};
use crate::config::complaint::Complaint;
use crate::config::networks::{self, network};
use crate::config::rate_limit::{self, RateLimitSpec};
use crate::config::reader::{Item, Reader, Section};
use crate::config::shape::{Entry, Shape, words};
use std::net::IpAddr;

const FROM: Entry = Entry::needed("from", networks::SHAPE, "the networks of those whose word counts");
const PROXY_KEYS: &[Entry] =
    &[FROM, Entry::new("optional", Shape::Boolean, "a connection without a PROXY header is let in, too")];
const FORWARDED_KEYS: &[Entry] =
    &[Entry::needed("header", Shape::Words(&words(&ForwardedHeader::ALL)), "the header that counts"), FROM];
pub(super) const PROXY_PROTOCOL: Entry = Entry::new(
    "proxy_protocol",
    Shape::Table(PROXY_KEYS),
    "connections begin with a PROXY header (version 1 or 2) that says who the client is",
);
pub(super) const FORWARDED_ENTRY: Entry = Entry::new(
    "forwarded",
    Shape::Table(FORWARDED_KEYS),
    "requests of the proxies in `from` say in that header",
);
pub(super) const CLIENTS: Entry =
    Entry::new("clients", client_list::SHAPE, "from which addresses clients may come");
pub(super) const MAX_CONNECTIONS: Entry = Entry::new(
    "max_connections_per_client",
    Shape::Integer(1..=10_000_000),
    "connections that one client may have open at this listener",
);
pub(super) const NEW_CONNECTIONS: Entry = Entry::new(
    "new_connections_per_client",
    rate_limit::OF_CONNECTIONS,
    "new connections that one client may make in a time",
);

const PROXY: &str = "a table such as { from = [\"10.0.0.0/8\"] }";
const FORWARDED: &str = "a table such as { header = \"x-forwarded-for\", from = [\"10.0.0.0/8\"] }";
/// What stands in `from` for whoever connects to a Unix socket.
const UNIX: &str = "unix";

/// A listener's clients. By default they are who their sockets say, and everybody may come.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ListenerClients {
    /// Connections begin with a PROXY header.
    pub proxy_protocol: Option<ProxyProtocol>,
    /// Requests say who their client is.
    pub forwarded: Option<Forwarded>,
    /// Who may come.
    pub list: Option<ClientList>,
    /// The most connections of a client; without, any number.
    pub max_connections: Option<usize>,
    /// How many new ones it may make in a time; without, any number.
    pub new_connections: Option<RateLimitSpec>,
}

/// `proxy_protocol`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProxyProtocol {
    /// Who may connect.
    pub from: Trusted,
    /// A connection without a header is let in, too.
    pub optional: bool,
}

/// `forwarded`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Forwarded {
    /// Which header counts.
    pub header: ForwardedHeader,
    /// Whose word counts.
    pub from: Trusted,
}

impl ListenerClients {
    /// Whether who has that address speaks for others, by a header of each request.
    pub fn is_proxy(&self, client: Option<IpAddr>) -> bool {
        self.forwarded.as_ref().is_some_and(|forwarded| forwarded.from.trusts(client))
    }
}

/// Reads all of it.
pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, listener: &mut ListenerSettings) {
    let is_unix = !matches!(listener.address, ListenAddress::Tcp(_));
    let proxy = section.get("proxy_protocol");
    let forwarded = section.get("forwarded");
    let clients = &mut listener.clients;
    clients.proxy_protocol = proxy.as_ref().and_then(|item| read_proxy(reader, item, is_unix));
    let first_is_unix = is_unix && proxy.is_none();
    clients.forwarded =
        forwarded.as_ref().and_then(|item| read_forwarded(reader, item, is_unix, first_is_unix));
    let knows_clients = !is_unix || proxy.is_some() || forwarded.is_some();
    let knows_connections = !is_unix || proxy.is_some();
    let mut get = |key, has_effect: bool| {
        let item = section.get(key)?;
        if has_effect {
            return Some(item);
        }
        let complaint =
            Complaint::new(format!("`{key}` has no effect"), "clients of a Unix socket have no address");
        reader.complain(
            &item,
            complaint.help("a proxy can say who they are: `proxy_protocol`, or `forwarded` for requests"),
        )
    };
    let list = get("clients", knows_clients);
    let most = get("max_connections_per_client", knows_connections);
    let rate = get("new_connections_per_client", knows_connections);
    clients.list = list.and_then(|item| ClientList::read(reader, &item));
    let most = most.and_then(|item| reader.integer(&item));
    clients.max_connections = most.and_then(|most| usize::try_from(most).ok());
    clients.new_connections = rate.and_then(|item| rate_limit::read_of_connections(reader, &item));
}

fn read_proxy(reader: &mut Reader<'_>, item: &Item<'_>, is_unix: bool) -> Option<ProxyProtocol> {
    let table = reader.table(item, PROXY)?;
    let section = reader.section("`proxy_protocol`", table, PROXY_KEYS);
    let optional = section.get("optional").and_then(|item| reader.boolean(&item)).unwrap_or(false);
    let from = read_from(reader, item, &section, is_unix, is_unix)?;
    Some(ProxyProtocol { from, optional })
}

fn read_forwarded(
    reader: &mut Reader<'_>,
    item: &Item<'_>,
    is_unix: bool,
    first_is_unix: bool,
) -> Option<Forwarded> {
    let table = reader.table(item, FORWARDED)?;
    let section = reader.section("`forwarded`", table, FORWARDED_KEYS);
    let header = match section.get("header") {
        Some(item) => reader.choice(&item, &ForwardedHeader::ALL),
        None => {
            let complaint =
                Complaint::new("`forwarded` needs `header`", "it does not say which header counts");
            reader.complain(item, complaint.help("write header = \"x-forwarded-for\", or \"forwarded\""))
        }
    };
    let from = read_from(reader, item, &section, is_unix, first_is_unix)?;
    Some(Forwarded { header: header?, from })
}

/// Reads whose word counts: networks, and `unix` at a Unix socket, where it may be needed.
fn read_from(
    reader: &mut Reader<'_>,
    table: &Item<'_>,
    section: &Section<'_>,
    is_unix: bool,
    needs_unix: bool,
) -> Option<Trusted> {
    let Some(item) = section.get("from") else {
        let complaint =
            Complaint::new(format!("`{}` needs `from`", table.key), "it does not say whose word counts");
        return reader
            .complain(table, complaint.help("list the networks of the proxies: from = [\"10.0.0.0/8\"]"));
    };
    let before = reader.found.len();
    let listed = reader.texts(&item, networks::EXPECTED, |text| match text {
        UNIX if is_unix => Ok(None),
        UNIX => Err(Complaint::new(
            "`unix` is for listeners at Unix sockets",
            "clients of this one have addresses",
        )),
        _ => network(text).map(Some),
    })?;
    let unix = listed.iter().any(|(network, _)| network.is_none());
    let is_well = reader.found.len() == before;
    if is_well && needs_unix && !unix {
        let complaint = Complaint::new(
            "`from` does not list \"unix\"",
            "whoever connects to this Unix socket has no address",
        );
        return reader.complain(
            &item,
            complaint
                .help("write from = [\"unix\"]: who may connect is for the file's `mode` and `group` to say"),
        );
    }
    if is_well && listed.is_empty() {
        return reader.complain(&item, Complaint::new("`from` is empty", "expected at least one network"));
    }
    let networks = listed.into_iter().filter_map(|(network, span)| Some((network?, span))).collect();
    Some(Trusted { networks: networks::compile(reader, &item, networks)?, unix })
}
