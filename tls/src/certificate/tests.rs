//! Certificates that are taken, and those that are not: in which file, and why.

use super::*;
use crate::CertificateProblem;
use crate::testing::{Authority, Pair, days_after, now, self_signed, signed_by};
use proptest::prelude::*;
use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd};

fn read(pair: &Pair) -> Result<Certificate, CertificateError> {
    Certificate::read(pair.chain.as_bytes(), pair.key.as_bytes(), now())
}

#[track_caller]
fn refused(pair: &Pair) -> CertificateError {
    read(pair).unwrap_err()
}

/// A leaf with its two authorities.
fn chain() -> (Authority, Authority, Pair) {
    let root = Authority::new("root");
    let middle = root.beneath("middle");
    let leaf = middle.issue(&["a.example"]);
    (root, middle, leaf)
}

#[test]
fn chains_are_taken_with_and_without_their_issuers() {
    let (root, middle, leaf) = chain();
    let with = |issuers: &[&Authority]| Pair {
        chain: leaf.chain.clone() + &issuers.iter().map(|issuer| issuer.pem()).collect::<String>(),
        key: leaf.key.clone(),
    };
    for pair in [with(&[]), with(&[&middle]), with(&[&middle, &root])] {
        let certificate = read(&pair).unwrap();
        assert_eq!(certificate.names(), [Name::Dns("a.example".to_owned())]);
        assert_eq!(certificate.certified_key().cert.len(), pair.chain.matches("BEGIN").count());
    }
    read(&self_signed(&["a.example"], |_| {})).unwrap();
    // As `openssl req -x509` makes it.
    read(&self_signed(&["a.example"], |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)))
        .unwrap();
}

#[test]
fn all_kinds_of_keys_that_clients_know_are_taken() {
    for algorithm in [
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_ED25519,
        &rcgen::PKCS_RSA_SHA256,
    ] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        read(&signed_by(&["a.example"], key, |_| {})).unwrap();
    }
}

#[test]
fn names_are_told_and_cover_hosts() {
    let certificate =
        read(&self_signed(&["B.example", "*.A.example", "127.0.0.1", "b.example"], |_| {})).unwrap();
    let names: Vec<String> = certificate.names().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["b.example", "*.a.example", "127.0.0.1"]);
    for (host, covered) in
        [("x.a.example", true), ("a.example", false), ("B.EXAMPLE", true), ("127.0.0.1", true)]
    {
        assert_eq!(certificate.covers(host), covered, "{host}");
    }
    for (name, covered) in [("x.a.example", true), ("*.a.example", true), ("*.b.example", false)] {
        assert_eq!(certificate.covers_name(&Name::parse(name).unwrap()), covered, "{name}");
    }
}

#[test]
fn dates_are_those_of_the_certificate_itself() {
    let pair = self_signed(&["a.example"], |params| {
        (params.not_before, params.not_after) = (date_time_ymd(2030, 1, 2), date_time_ymd(2030, 1, 4));
    });
    let at = |days| Certificate::read(pair.chain.as_bytes(), pair.key.as_bytes(), days_after(days));
    let problem = |days| at(days).map(|_| ()).map_err(|error| error.problem());
    assert_eq!(problem(0), Err(CertificateProblem::NotYetValid));
    assert_eq!((problem(1), problem(3)), (Ok(()), Ok(())));
    assert_eq!(problem(4), Err(CertificateProblem::Expired));
    assert_eq!(at(40).unwrap_err().to_string(), "the certificate expired 37 days ago");
    let certificate = at(2).unwrap();
    assert_eq!(certificate.expires(), days_after(3));
    let expired =
        Certificate::read_even_if_expired(pair.chain.as_bytes(), pair.key.as_bytes(), days_after(9)).unwrap();
    assert_eq!(expired.fingerprint(), certificate.fingerprint());
}

#[test]
fn the_chains_file_is_blamed_for_what_is_wrong_in_it() {
    let (root, middle, leaf) = chain();
    let other = Authority::new("middle");
    let good = &leaf.chain;
    for (chain, problem, text) in [
        (String::new(), CertificateProblem::Chain, "there is no certificate in it"),
        (leaf.key.clone(), CertificateProblem::Chain, "there is no certificate in it"),
        ("-----BEGIN CERTIFICATE-----\nMII".to_owned(), CertificateProblem::Chain, "the PEM cannot be read"),
        (
            good.replacen("MII", "MIJ", 1),
            CertificateProblem::Chain,
            "certificate 1 of the file cannot be read",
        ),
        (
            good.repeat(11),
            CertificateProblem::Chain,
            "there are 11 certificates in it, and at most 10 may be",
        ),
        (middle.pem() + good, CertificateProblem::Order, "the key belongs to certificate 2 of the file"),
        (
            good.clone() + &root.pem(),
            CertificateProblem::Order,
            "certificate 1 of the file (CN=a.example) was issued by",
        ),
        (good.clone() + &other.pem(), CertificateProblem::Trial, "was not signed by the next one"),
    ] {
        let error = refused(&Pair { chain, key: leaf.key.clone() });
        assert_eq!(error.problem(), problem, "{error}");
        assert!(error.to_string().contains(text), "{error}");
        assert!(!error.in_key());
    }
}

#[test]
fn the_keys_file_is_blamed_for_what_is_wrong_in_it() {
    let (_, middle, leaf) = chain();
    let other = middle.issue(&["a.example"]);
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (key, problem, text) in [
        (String::new(), CertificateProblem::Key, "there is no private key in it"),
        (leaf.chain.clone(), CertificateProblem::Key, "there is no private key in it"),
        (encrypted.to_owned(), CertificateProblem::Key, "the key is encrypted with a passphrase"),
        (leaf.key.replacen("MIG", "MIH", 1), CertificateProblem::Key, "the key cannot be used"),
        (leaf.key[..60].to_owned(), CertificateProblem::Key, "the PEM cannot be read"),
        (
            other.key,
            CertificateProblem::Mismatch,
            "the key does not belong to the certificate (CN=a.example)",
        ),
    ] {
        let error = refused(&Pair { chain: leaf.chain.clone(), key });
        assert_eq!(error.problem(), problem, "{error}");
        assert!(error.to_string().contains(text), "{error}");
        assert!(error.in_key() && (error.advice().is_some() || text.contains("PEM")), "{error}");
    }
}

#[test]
fn chain_and_key_may_be_in_one_file() {
    let leaf = self_signed(&["a.example"], |_| {});
    let both = leaf.key + &leaf.chain;
    read(&Pair { chain: both.clone(), key: both }).unwrap();
}

#[test]
fn a_certificate_without_names_is_a_clients_only() {
    let authority = Authority::new("root");
    let pair = authority.issue(&[]);
    assert_eq!(refused(&pair).problem(), CertificateProblem::Names);
    Certificate::read_for_client(pair.chain.as_bytes(), pair.key.as_bytes(), now()).unwrap();
}

#[test]
fn what_a_certificate_may_be_used_for_counts() {
    let authority = Authority::new("root");
    let with = |usages: &[ExtendedKeyUsagePurpose], key: &[KeyUsagePurpose]| {
        let pair = authority.issue_with(&["a.example"], |params| {
            (params.extended_key_usages, params.key_usages) = (usages.to_vec(), key.to_vec());
        });
        // With its issuer, so that the trial verifies it too.
        let pair = Pair { chain: pair.chain + &authority.pem(), ..pair };
        let client = Certificate::read_for_client(pair.chain.as_bytes(), pair.key.as_bytes(), now());
        [read(&pair), client].map(|read| read.map(|_| ()).map_err(|error| error.problem()))
    };
    use ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
    let wrong = Err(CertificateProblem::Usage);
    assert_eq!(with(&[], &[]), [Ok(()), Ok(())]);
    assert_eq!(with(&[ServerAuth], &[KeyUsagePurpose::DigitalSignature]), [Ok(()), wrong]);
    assert_eq!(with(&[ClientAuth], &[]), [wrong, Ok(())]);
    assert_eq!(with(&[ServerAuth, ClientAuth], &[]), [Ok(()), Ok(())]);
    assert_eq!(with(&[], &[KeyUsagePurpose::KeyEncipherment]), [wrong, wrong]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_the_files_hold_is_an_error_and_no_panic(chain: Vec<u8>, key: Vec<u8>) {
        prop_assert!(Certificate::read(&chain, &key, now()).is_err());
    }

    /// DER that is nearly right leads further into the parsers than noise does.
    #[test]
    fn a_certificate_with_bytes_changed_is_no_panic(at in 0..4000_usize, byte: u8) {
        let pair = self_signed(&["a.example", "*.b.example"], |_| {});
        let mut der = CertificateDer::from_pem_slice(pair.chain.as_bytes()).unwrap().to_vec();
        let at = at % der.len();
        der[at] = byte;
        let parsed = x509::parse(&der);
        if let Ok(certificate) = &parsed {
            drop(x509::names(certificate));
        }
        drop(crate::Identity::of(&CertificateDer::from(der.clone())));
        drop(fits_any(&der, &pair.key));
    }
}

/// Reads a chain that is given as bytes, with its key.
fn fits_any(der: &[u8], key: &str) -> Result<(), CertificateError> {
    let key = provider().key_provider.load_private_key(private_key(key.as_bytes())?).unwrap();
    let chain = vec![CertificateDer::from(der.to_vec())];
    trial::run(
        &Arc::new(CertifiedKey::new(chain, key)),
        &[Name::Dns("a.example".to_owned())],
        Usage::Server,
        now(),
    )
}
