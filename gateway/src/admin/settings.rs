//! The settings in force, for `/config`.

use super::access_log;
use super::names;
use crate::config::{
    ClientList, ClientSettings, ListenAddress, ListenerClients, ListenerSettings, Settings, TlsSettings,
};
use serde_json::{Value, json};
use std::time::Duration;

/// The settings as gateway.toml names them; sizes in bytes.
pub(super) fn of(settings: &Settings) -> Value {
    let Settings { server, listeners, http2, admin, tables, log, access_log, replay, upgrade, dns } =
        settings;
    let time = |time: Duration| format!("{time:?}");
    json!({
        "server": {
            "listen": listeners.iter().map(|one| one.address.to_string()).collect::<Vec<_>>(),
            "workers": server.workers,
            "zone": server.zone,
            "max_body": server.max_body,
            "compressed_bodies": server.compressed_bodies,
            "max_body_memory": server.max_body_memory,
            "max_head": server.max_head,
            "max_headers": server.max_headers,
            "max_connections": server.max_connections,
            "max_handshakes": server.max_handshakes,
            "max_requests_per_connection": server.max_requests_per_connection,
            "handshake_timeout": time(server.handshake_timeout),
            "header_timeout": time(server.header_timeout),
            "body_timeout": time(server.body_timeout),
            "idle_timeout": time(server.idle_timeout),
            "drain_timeout": time(server.drain_timeout),
            "stream_drain": time(server.stream_drain),
            "lame_duck": time(server.lame_duck),
            "state": server.state,
            "tls_ticket_keys": server.tls_ticket_keys.as_ref().map(|keys| &keys.path),
        },
        "listeners": listeners.iter().map(listener).collect::<Vec<_>>(),
        "http2": {
            "max_concurrent_streams": http2.max_concurrent_streams,
            "max_connection_age": time(http2.max_connection_age),
        },
        // Whether there is a token, and never which.
        "admin": { "listen": admin.listen, "hosts": admin.hosts, "token": admin.token.is_some(), "read_token": admin.read_token.is_some() },
        "tables": { "watch": tables.watch },
        "log": { "level": log.level, "format": format!("{:?}", log.format).to_lowercase() },
        "access_log": access_log::shown(access_log),
        "replay": { "keep": replay.keep },
        "upgrade": {
            "socket": upgrade.socket.as_deref().unwrap_or("auto"),
            "drain_timeout": time(upgrade.drain_timeout),
        },
        "dns": names::settings(dns),
    })
}

fn listener(settings: &ListenerSettings) -> Value {
    let ListenerSettings {
        id,
        address,
        mode,
        group,
        protocol,
        http2,
        half_close,
        clients,
        tls,
        https_redirect,
        hsts,
    } = settings;
    let has_file = matches!(address, ListenAddress::Unix(_));
    json!({
        "id": id,
        "address": address.to_string(),
        "mode": has_file.then(|| format!("{mode:04o}")),
        "group": group,
        "protocol": protocol.name(),
        "http2": http2.shown(),
        "half_close": half_close.name(),
        "clients": self::clients(clients),
        "tls": tls.as_ref().map(self::tls),
        "https_redirect": https_redirect,
        "hsts": hsts.map(|hsts| hsts.value()),
    })
}

fn tls(settings: &TlsSettings) -> Value {
    let clients = settings.clients.as_ref();
    json!({
        "min_version": settings.min_version(),
        "client_certificates": clients.map(ClientSettings::name),
        "ca": clients.map(|clients| &clients.ca),
        "crl": clients.map(|clients| &clients.crl),
    })
}

fn clients(settings: &ListenerClients) -> Value {
    let ListenerClients { proxy_protocol, forwarded, list, max_connections, new_connections } = settings;
    json!({
        "proxy_protocol": proxy_protocol.as_ref().map(|proxy| json!({ "from": proxy.from.to_string(), "optional": proxy.optional })),
        "forwarded": forwarded.as_ref().map(|one| json!({ "header": one.header.name(), "from": one.from.to_string() })),
        "list": list.as_ref().map(ClientList::to_string),
        "max_connections": max_connections,
        "new_connections": new_connections.as_ref().map(|one| format!("{}, burst {}", one.rate, one.burst)),
    })
}
