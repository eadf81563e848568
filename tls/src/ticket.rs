//! Tickets: the state of a session, sealed, which the client keeps and shows when it comes again.
//!
//! A ticket is the name of its key (16 bytes), a nonce (12) and the sealed state with its tag, by AES-256-GCM-SIV. That is safe
//! also where several gateways seal under one key and two of them draw the same nonce. Name and key are both derived from the secret.

use crate::ticket_keys::TicketKeys;
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::{digest, error::Unspecified};
use rustls::server::ProducesTickets;
use std::fmt;

const NAME: usize = 16;
const NONCE: usize = 12;
/// What clients are told: for how long a ticket is of use. Rotation decides it.
const LIFETIME_SECS: u32 = 12 * 60 * 60;

/// Seals and opens the tickets of one configuration.
pub(crate) struct Ticketer {
    keys: Vec<Key>,
    /// What a ticket has to be shown for: it is authenticated with the state, and not sent.
    scope: Vec<u8>,
}

struct Key {
    name: [u8; NAME],
    key: RandomizedNonceKey,
}

impl Ticketer {
    pub(crate) fn new(keys: &TicketKeys, scope: &[u8]) -> Ticketer {
        Ticketer { keys: keys.iter().map(Key::new).collect(), scope: scope.to_vec() }
    }

    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let key = self.keys.first().ok_or(Unspecified)?;
        let mut state = plain.to_vec();
        let nonce = key.key.seal_in_place_append_tag(Aad::from(&self.scope), &mut state)?;
        let nonce: &[u8; NONCE] = nonce.as_ref();
        Ok([&key.name[..], nonce, &state].concat())
    }

    fn open(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let (name, rest) = ticket.split_first_chunk::<NAME>()?;
        let (nonce, state) = rest.split_first_chunk::<NONCE>()?;
        let key = self.keys.iter().find(|key| key.name == *name)?;
        let mut state = state.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = key.key.open_in_place(nonce, Aad::from(&self.scope), &mut state).ok()?;
        let length = plain.len();
        state.truncate(length);
        Some(state)
    }
}

impl Key {
    fn new(secret: &[u8; 32]) -> Key {
        let mut name = [0; NAME];
        name.copy_from_slice(&derive(secret, b"callgate ticket name")[..NAME]);
        let key = derive(secret, b"callgate ticket key");
        let key = RandomizedNonceKey::new(&AES_256_GCM_SIV, &key).expect("the key has 32 bytes");
        Key { name, key }
    }
}

/// 32 bytes of the secret's that are used for one thing only.
fn derive(secret: &[u8; 32], purpose: &[u8]) -> [u8; 32] {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    let mut bytes = [0; digest::SHA256_OUTPUT_LEN];
    bytes.copy_from_slice(aws_lc_rs::hmac::sign(&key, purpose).as_ref());
    bytes
}

impl ProducesTickets for Ticketer {
    fn enabled(&self) -> bool {
        !self.keys.is_empty()
    }

    fn lifetime(&self) -> u32 {
        LIFETIME_SECS
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.seal(plain).ok()
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.open(cipher)
    }
}

impl fmt::Debug for Ticketer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticketer").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ticketer(keys: &TicketKeys) -> Ticketer {
        Ticketer::new(keys, b"scope")
    }

    #[test]
    fn a_ticket_is_opened_by_whoever_has_its_key() {
        let mut keys = TicketKeys::random();
        let ticket = ticketer(&keys).encrypt(b"state").unwrap();
        keys.rotate();
        assert_eq!(ticketer(&keys).decrypt(&ticket).as_deref(), Some(&b"state"[..]));
        let newer = ticketer(&keys).encrypt(b"state").unwrap();
        assert_ne!(newer[..NAME], ticket[..NAME], "the new key seals");
        assert_eq!(ticketer(&TicketKeys::random()).decrypt(&ticket), None);
    }

    #[test]
    fn a_ticket_of_another_scope_is_not_opened() {
        let keys = TicketKeys::random();
        let ticket = ticketer(&keys).encrypt(b"state").unwrap();
        assert_eq!(Ticketer::new(&keys, b"other").decrypt(&ticket), None);
    }

    #[test]
    fn a_ticket_with_any_bit_changed_is_not_opened() {
        let ticketer = ticketer(&TicketKeys::random());
        let ticket = ticketer.encrypt(b"state").unwrap();
        for bit in 0..ticket.len() * 8 {
            let mut forged = ticket.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(ticketer.decrypt(&forged), None, "bit {bit}");
        }
        for length in 0..ticket.len() {
            assert_eq!(ticketer.decrypt(&ticket[..length]), None, "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn what_was_sealed_is_opened(state in prop::collection::vec(any::<u8>(), 0..2048)) {
            let ticketer = ticketer(&TicketKeys::random());
            let ticket = ticketer.encrypt(&state).unwrap();
            prop_assert_eq!(ticketer.decrypt(&ticket), Some(state));
        }

        #[test]
        fn strangers_bytes_open_nothing(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            let ticketer = ticketer(&TicketKeys::random());
            prop_assert_eq!(ticketer.decrypt(&bytes), None);
            let named = [&ticketer.keys[0].name[..], &bytes].concat();
            prop_assert_eq!(ticketer.decrypt(&named), None);
        }
    }
}
