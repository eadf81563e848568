//! What a session says when its handshake is over: who the client is, and what was agreed with it.

use super::failure::Failed;
use crate::front::peer::TlsPeer;
use crate::telemetry::{Agreed, TlsGroup, TlsVersion};
use crate::worker::ListenerTls;
use callgate_tls::rustls::{HandshakeKind, NamedGroup, ProtocolVersion, ServerConnection};
use callgate_tls::{Certificate, Identity, UnixTime};
use std::sync::Arc;

/// The client. A session that goes on is looked at once more: certificates expire.
pub(super) fn peer(
    session: &ServerConnection,
    server_name: Option<String>,
    certificate: Arc<Certificate>,
    tls: &ListenerTls,
) -> Result<TlsPeer, Failed> {
    // A listener that does not ask has verified nobody.
    let shown = session.peer_certificates().filter(|_| tls.asks()).and_then(|chain| chain.first());
    let identity = shown.map(Identity::of).transpose().map_err(Failed::unreadable)?;
    if identity.is_none() && tls.requires() {
        return Err(Failed::no_certificate());
    }
    if is_resumed(session) && identity.as_ref().is_some_and(|identity| identity.expires() < UnixTime::now()) {
        return Err(Failed::expired_since());
    }
    // There are no others.
    let version = if session.protocol_version() == Some(ProtocolVersion::TLSv1_2) { "1.2" } else { "1.3" };
    Ok(TlsPeer::new(server_name, certificate, identity.as_ref(), version))
}

/// What was agreed.
pub(super) fn agreed(session: &ServerConnection) -> Agreed {
    let version = match session.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => TlsVersion::Tls12,
        _ => TlsVersion::Tls13,
    };
    let group = session.negotiated_key_exchange_group().map(|group| group.name());
    Agreed { version, group: group.map_or(TlsGroup::None, of_group), resumed: is_resumed(session) }
}

fn is_resumed(session: &ServerConnection) -> bool {
    session.handshake_kind() == Some(HandshakeKind::Resumed)
}

fn of_group(group: NamedGroup) -> TlsGroup {
    match group {
        NamedGroup::X25519MLKEM768 => TlsGroup::X25519MlKem768,
        NamedGroup::secp256r1MLKEM768 => TlsGroup::Secp256r1MlKem768,
        NamedGroup::MLKEM768 => TlsGroup::MlKem768,
        NamedGroup::X25519 => TlsGroup::X25519,
        NamedGroup::secp256r1 => TlsGroup::Secp256r1,
        NamedGroup::secp384r1 => TlsGroup::Secp384r1,
        _ => TlsGroup::Other,
    }
}
