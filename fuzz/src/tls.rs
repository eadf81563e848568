//! The files that TLS is configured with, as operators and their tools write them.

use callgate_tls::{Certificate, CertificateError, TicketKeys, Trust, UnixTime};
use std::time::Duration;

/// What stands between a chain and its key.
const BETWEEN: &[u8] = b"\n====\n";

/// The first of January 2030, when the certificates among the seeds are valid.
fn now() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(1_893_456_000))
}

/// A chain and, behind a line of `====`, its key: a certificate with names and dates, the same when it is read again, or a mistake in
/// words. The same bytes as CAs, as lists of revoked certificates, and as keys of tickets.
pub fn pem(input: &[u8]) {
    let at = input.windows(BETWEEN.len()).position(|window| window == BETWEEN);
    let (chain, key) = at.map_or((input, input), |at| (&input[..at], &input[at + BETWEEN.len()..]));
    match Certificate::read_even_if_expired(chain, key, now()) {
        Ok(certificate) => is_whole(&certificate, chain, key),
        Err(error) => is_told(&error),
    }
    match Certificate::read_for_client(chain, key, now()) {
        Ok(certificate) => assert!(now() <= certificate.expires()),
        Err(error) => is_told(&error),
    }
    match Trust::read(chain, &[]) {
        Ok(trust) => with_lists(&trust, chain, key),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    match TicketKeys::read(input) {
        Ok(keys) => assert!(TicketKeys::read(keys.to_text().as_bytes()).is_ok_and(|again| again == keys)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn is_told(error: &CertificateError) {
    assert!(!error.to_string().is_empty());
}

/// A server's certificate covers what its names say, and is one for clients to find.
fn is_whole(certificate: &Certificate, chain: &[u8], key: &[u8]) {
    assert!(!certificate.names().is_empty(), "nobody could ask for it");
    for name in certificate.names() {
        assert!(certificate.covers_name(name), "{name}");
        let host = name.to_string().replacen('*', "a", 1);
        assert!(certificate.covers(&host), "{host}");
    }
    let again = Certificate::read_even_if_expired(chain, key, now()).expect("it was read before");
    assert_eq!(again.fingerprint(), certificate.fingerprint());
    let is_valid = now() <= certificate.expires();
    assert_eq!(Certificate::read(chain, key, now()).is_ok(), is_valid, "it has expired, or has not");
}

/// CAs trust the same when they are read again, and something else with a list of what they have revoked.
fn with_lists(trust: &Trust, ca: &[u8], lists: &[u8]) {
    assert!(trust.next_update().is_none(), "there is no list");
    let again = Trust::read(ca, &[]).expect("it was read before");
    assert_eq!(again.fingerprint(), trust.fingerprint());
    match Trust::read(ca, &[lists.to_vec()]) {
        Ok(with_lists) => assert_ne!(with_lists.fingerprint(), trust.fingerprint()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(seed: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let at = seed.windows(BETWEEN.len()).position(|window| window == BETWEEN).expect("two parts");
        (seed[..at].to_vec(), seed[at + BETWEEN.len()..].to_vec())
    }

    /// Otherwise the target would look at refusals only.
    #[test]
    fn the_seeds_are_taken() {
        let (chain, key) = parts(include_bytes!("../corpus/pem/chain"));
        let certificate = Certificate::read(&chain, &key, now()).expect("a sound certificate");
        assert_eq!(certificate.names().len(), 3);
        let (chain, key) = parts(include_bytes!("../corpus/pem/client"));
        Certificate::read_for_client(&chain, &key, now()).expect("a sound certificate of a client");
        let (ca, list) = parts(include_bytes!("../corpus/pem/revoked"));
        let trust = Trust::read(&ca, &[list]).expect("a CA and its list");
        assert!(trust.next_update().is_some());
        assert!(TicketKeys::read(include_bytes!("../corpus/pem/tickets")).is_ok());
    }
}
