//! Whom a trust lets in, and which files make none.

use super::*;
use crate::testing::{Authority, Pair, connect, self_signed};
use crate::{Certificate, ClientCertificates, Identity, TicketKeys, Versions};
use rcgen::SerialNumber;
use rustls::sign::SingleCertAndKey;
use rustls::{CertificateError, Error};

fn certificate(pair: &Pair) -> Certificate {
    Certificate::read(pair.chain.as_bytes(), pair.key.as_bytes(), UnixTime::now()).unwrap()
}

fn with_serial(authority: &Authority, serial: u64) -> Certificate {
    certificate(
        &authority
            .issue_with(&["a.example"], |params| params.serial_number = Some(SerialNumber::from(serial))),
    )
}

/// Lets a client show its certificate, if it has one, to a server that has that one. Who the server takes it for.
fn shown(
    own: &Certificate,
    trusted: &Trust,
    client: Option<&Certificate>,
    clients: &ClientCertificates,
) -> Result<Option<Identity>, Error> {
    let resolver = Arc::new(SingleCertAndKey::from(own.certified_key().clone()));
    let server = crate::server(resolver, clients, Versions::From12, &TicketKeys::random(), &[]);
    let (_, server) = connect(&crate::client(trusted, client, &[]), &server, "a.example")?;
    let chain = server.peer_certificates();
    Ok(chain.map(|chain| Identity::of(&chain[0]).unwrap()))
}

#[test]
fn clients_are_let_in_by_what_the_server_asks_for() {
    let (authority, other) = (Authority::new("ours"), Authority::new("another"));
    let trust = Trust::read(authority.pem().as_bytes(), &[]).unwrap();
    let (own, good, strange) =
        (certificate(&authority.issue(&["a.example"])), with_serial(&authority, 7), with_serial(&other, 7));
    let ask = |client, clients| shown(&own, &trust, client, clients);
    let (required, optional) =
        (ClientCertificates::Required(trust.clone()), ClientCertificates::Optional(trust.clone()));
    assert_eq!(ask(None, &ClientCertificates::None), Ok(None));
    assert_eq!(ask(Some(&good), &ClientCertificates::None), Ok(None), "nobody has asked");
    assert_eq!(ask(None, &optional), Ok(None));
    assert_eq!(ask(None, &required), Err(Error::NoCertificatesPresented));
    for clients in [&required, &optional] {
        let identity = ask(Some(&good), clients).unwrap().unwrap();
        assert_eq!(
            (identity.common_name(), identity.dns_names()),
            (Some("a.example"), &["a.example".to_owned()][..])
        );
        assert_eq!(identity.fingerprint(), good.fingerprint());
        let unknown = Err(Error::InvalidCertificate(CertificateError::UnknownIssuer));
        assert_eq!(ask(Some(&strange), clients), unknown);
    }
}

#[test]
fn who_was_revoked_is_refused_and_so_is_who_nobody_answers_for() {
    let authority = Authority::new("ours");
    let ca = authority.pem();
    let trust = Trust::read(ca.as_bytes(), &[]).unwrap();
    let own = certificate(&authority.issue(&["a.example"]));
    let ask = |ca: &str, crls: &[Vec<u8>], serial| {
        let clients = ClientCertificates::Required(Trust::read(ca.as_bytes(), crls).unwrap());
        shown(&own, &trust, Some(&with_serial(&authority, serial)), &clients).map(|_| ())
    };
    let refused = |why| Err(Error::InvalidCertificate(why));
    assert_eq!(ask(&ca, &[], 7), Ok(()));
    let lists = [authority.revokes(&[7, 9], 2100)];
    assert_eq!(ask(&ca, &lists, 8), Ok(()));
    assert_eq!(ask(&ca, &lists, 7), refused(CertificateError::Revoked));
    let other = Authority::new("another");
    let both = ca.clone() + &other.pem();
    assert_eq!(
        ask(&both, &[other.revokes(&[], 2100)], 8),
        refused(CertificateError::UnknownRevocationStatus)
    );
    let overdue = ask(&ca, &[authority.revokes(&[], 2022)], 8).unwrap_err();
    assert!(
        matches!(overdue, Error::InvalidCertificate(CertificateError::ExpiredRevocationListContext { .. })),
        "{overdue:?}"
    );
}

#[test]
fn a_file_that_is_no_trust_is_an_error_and_never_everybody() {
    let authority = Authority::new("ours");
    let (ca, list) = (authority.pem(), authority.revokes(&[], 2100));
    let torn = list[..list.len() / 2].to_vec();
    let key = self_signed(&["a.example"], |_| {}).key;
    for (ca, lists, problem, text) in [
        ("", vec![], TrustProblem::Ca, "there is no CA certificate in it"),
        (key.as_str(), vec![], TrustProblem::Ca, "there is no CA certificate in it"),
        (&ca[..100], vec![], TrustProblem::Ca, "the PEM cannot be read"),
        (ca.as_str(), vec![vec![]], TrustProblem::Crl(0), "there is no list of revoked certificates in it"),
        (ca.as_str(), vec![list.clone(), torn], TrustProblem::Crl(1), "the PEM cannot be read"),
        (ca.as_str(), vec![ca.clone().into_bytes()], TrustProblem::Crl(0), "there is no list"),
    ] {
        let error = Trust::read(ca.as_bytes(), &lists).unwrap_err();
        assert_eq!(error.problem(), problem);
        assert!(error.to_string().contains(text), "{error}");
        assert!(error.advice().is_some());
    }
}

#[test]
fn the_first_list_that_is_overdue_is_known_and_all_that_was_read_tells_trusts_apart() {
    let authority = Authority::new("ours");
    let ca = authority.pem();
    let read = |lists: &[Vec<u8>]| Trust::read(ca.as_bytes(), lists).unwrap();
    let (early, late) = (authority.revokes(&[], 2031), authority.revokes(&[1], 2032));
    assert_eq!(read(&[]).next_update(), None);
    assert_eq!(read(&[late.clone(), early.clone()]).next_update().unwrap().as_secs(), 1_924_992_000);
    assert_eq!(read(&[]).fingerprint(), read(&[]).fingerprint());
    assert_ne!(read(&[]).fingerprint(), read(std::slice::from_ref(&early)).fingerprint());
    assert_ne!(read(&[early]).fingerprint(), read(&[late]).fingerprint());
}
