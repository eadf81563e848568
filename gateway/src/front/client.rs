//! Who the client of a request is: who has connected, or whom a proxy names that has connected.

use super::connection::Connection;
use crate::auth::Identified;
use crate::clients::ForwardedHeader;
use crate::config::ListenerClients;
use crate::fields::{self, FORWARDED, FieldName, X_FORWARDED_FOR};
use callgate_http1::Fields;
use std::net::IpAddr;

/// Who a request is from, as far as that is known.
#[derive(Clone, Copy)]
pub(super) struct Who<'r> {
    /// The address of its client.
    pub(super) client: Option<IpAddr>,
    /// Its caller.
    pub(super) caller: Option<&'r Identified>,
}

/// The address of a request's client, if that is known.
#[inline]
pub(super) fn of(connection: &Connection, fields: Fields<'_>) -> Option<IpAddr> {
    let client = connection.client.get();
    if connection.is_proxy.get() { named(&connection.listener.clients, client, fields) } else { client }
}

/// The client whom a proxy names.
fn named(clients: &ListenerClients, proxy: Option<IpAddr>, fields: Fields<'_>) -> Option<IpAddr> {
    let Some(forwarded) = &clients.forwarded else { return proxy };
    let lines = fields::each(fields, field(forwarded.header));
    forwarded.header.client(lines, proxy, &forwarded.from.networks)
}

/// The field in which the proxy that has connected says so; none where nobody's word counts.
pub(super) fn believed(connection: &Connection) -> Option<&'static FieldName> {
    let forwarded = connection.listener.clients.forwarded.as_ref().filter(|_| connection.is_proxy.get());
    forwarded.map(|forwarded| field(forwarded.header))
}

/// Whether a field says who the client is, so that it must not be believed of everybody.
pub(super) fn names_clients(name: &FieldName) -> bool {
    [&FORWARDED, &X_FORWARDED_FOR].contains(&name)
}

fn field(header: ForwardedHeader) -> &'static FieldName {
    match header {
        ForwardedHeader::Forwarded => &FORWARDED,
        ForwardedHeader::XForwardedFor => &X_FORWARDED_FOR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Settings, Source};
    use crate::fields::request;

    #[test]
    fn the_header_that_counts_is_read_and_the_other_one_is_not() {
        let lines = [
            ("X-Forwarded-For", "192.0.2.7, 192.0.2.1"),
            ("Forwarded", "for=192.0.2.2"),
            ("x-forwarded-for", "10.0.0.2"),
        ];
        let request = request(&lines);
        let proxy = Some([10, 0, 0, 1].into());
        for (header, expected) in [("x-forwarded-for", [192, 0, 2, 1]), ("forwarded", [192, 0, 2, 2])] {
            let text = format!(
                "[[listeners]]\naddress = '127.0.0.1:0'\nforwarded = {{ header = '{header}', from = ['10.0.0.0/8'] }}\n"
            );
            let settings = Settings::parse(Source::new("gateway.toml", text), None).expect("sound settings");
            let clients = &settings.listeners[0].clients;
            assert!(clients.is_proxy(proxy) && !clients.is_proxy(Some([192, 0, 2, 1].into())));
            assert_eq!(named(clients, proxy, request.fields()), Some(expected.into()), "{header}");
        }
    }
}
