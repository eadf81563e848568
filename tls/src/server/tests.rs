//! What a server agrees to with a client, and when a session is resumed.

use super::*;
use crate::testing::{Authority, connect};
use crate::{Certificate, UnixTime};
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, HandshakeKind, NamedGroup, ProtocolVersion};

struct Side {
    authority: Authority,
    own: Certificate,
    trust: Trust,
}

impl Side {
    fn new() -> Side {
        let authority = Authority::new("ours");
        let pair = authority.issue(&["a.example", "b.example"]);
        let own = Certificate::read(pair.chain.as_bytes(), pair.key.as_bytes(), UnixTime::now()).unwrap();
        let trust = Trust::read(authority.pem().as_bytes(), &[]).unwrap();
        Side { authority, own, trust }
    }

    fn server(
        &self,
        clients: &ClientCertificates,
        versions: Versions,
        tickets: &TicketKeys,
    ) -> Arc<ServerConfig> {
        let resolver = Arc::new(SingleCertAndKey::from(self.own.certified_key().clone()));
        server(resolver, clients, versions, tickets, &[b"h2", b"http/1.1"])
    }

    /// Of one version only.
    fn client(&self, version: &'static rustls::SupportedProtocolVersion) -> Arc<ClientConfig> {
        let own = SingleCertAndKey::from(self.own.certified_key().clone());
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_webpki_verifier(self.trust.servers())
            .with_client_cert_resolver(Arc::new(own));
        Arc::new(config)
    }
}

fn kind(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>, name: &str) -> HandshakeKind {
    connect(client, server, name).unwrap().1.handshake_kind().unwrap()
}

#[test]
fn both_versions_are_spoken_unless_the_older_is_ruled_out() {
    let (side, tickets) = (Side::new(), TicketKeys::random());
    let both = side.server(&ClientCertificates::None, Versions::From12, &tickets);
    for (version, expected) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        let (_, server) = connect(&side.client(version), &both, "a.example").unwrap();
        assert_eq!(server.protocol_version(), Some(expected));
    }
    let newer = side.server(&ClientCertificates::None, Versions::Only13, &tickets);
    assert!(connect(&side.client(&TLS12), &newer, "a.example").is_err());
    connect(&side.client(&TLS13), &newer, "a.example").unwrap();
}

#[test]
fn keys_are_exchanged_post_quantum_and_the_first_common_protocol_is_spoken() {
    let side = Side::new();
    let server = side.server(&ClientCertificates::None, Versions::From12, &TicketKeys::random());
    let (_, server) =
        connect(&crate::client(&side.trust, None, &[b"http/1.1", b"h2"]), &server, "a.example").unwrap();
    let group = server.negotiated_key_exchange_group().map(|group| group.name());
    assert_eq!((group, server.alpn_protocol()), (Some(NamedGroup::X25519MLKEM768), Some(&b"h2"[..])));
}

#[test]
fn sessions_are_resumed_by_whoever_has_the_keys_in_both_versions() {
    let (side, tickets) = (Side::new(), TicketKeys::random());
    let make = |tickets: &TicketKeys| side.server(&ClientCertificates::None, Versions::From12, tickets);
    for version in [&TLS12, &TLS13] {
        let client = side.client(version);
        let first = kind(&client, &make(&tickets), "a.example");
        assert!(first == HandshakeKind::Full || first == HandshakeKind::FullWithHelloRetryRequest);
        let mut rotated = tickets.clone();
        rotated.rotate();
        assert_eq!(kind(&client, &make(&rotated), "a.example"), HandshakeKind::Resumed, "another process");
        assert_eq!(kind(&client, &make(&rotated), "b.example"), HandshakeKind::Full, "for its name only");
        let client = side.client(version);
        kind(&client, &make(&tickets), "a.example");
        assert_eq!(
            kind(&client, &make(&TicketKeys::random()), "a.example"),
            HandshakeKind::Full,
            "a stranger"
        );
    }
}

#[test]
fn a_session_is_resumed_only_under_the_trust_that_its_client_was_verified_by() {
    let (side, tickets) = (Side::new(), TicketKeys::random());
    let make = |clients: &ClientCertificates| side.server(clients, Versions::From12, &tickets);
    let lists = [side.authority.revokes(&[], 2100)];
    let newer = Trust::read(side.authority.pem().as_bytes(), &lists).unwrap();
    let (required, optional) =
        (ClientCertificates::Required(side.trust.clone()), ClientCertificates::Optional(side.trust.clone()));
    for version in [&TLS12, &TLS13] {
        for (second, expected) in [
            (required.clone(), HandshakeKind::Resumed),
            (optional.clone(), HandshakeKind::Full),
            (ClientCertificates::None, HandshakeKind::Full),
            (ClientCertificates::Required(newer.clone()), HandshakeKind::Full),
        ] {
            let client = side.client(version);
            let (_, server) = connect(&client, &make(&required), "a.example").unwrap();
            let shown = server.peer_certificates().unwrap().to_vec();
            let (_, server) = connect(&client, &make(&second), "a.example").unwrap();
            assert_eq!(server.handshake_kind(), Some(expected), "{second:?}");
            if expected == HandshakeKind::Resumed {
                assert_eq!(server.peer_certificates(), Some(&shown[..]), "who it is goes on");
            }
        }
        let client = side.client(version);
        connect(&client, &make(&ClientCertificates::None), "a.example").unwrap();
        assert_eq!(kind(&client, &make(&required), "a.example"), HandshakeKind::Full, "nobody was verified");
    }
}
