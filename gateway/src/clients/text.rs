//! An address as text, in place: it goes along with each call.

use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv4Addr};

/// The longest text of an address: eight groups of an IPv6 address.
const MOST: usize = 39;

/// The text of an address, as [`IpAddr`] shows it.
#[derive(Clone, Copy)]
pub struct AddressText {
    bytes: [u8; MOST],
    length: usize,
}

impl AddressText {
    /// That of an address.
    pub fn of(address: IpAddr) -> AddressText {
        let mut text = AddressText { bytes: [0; MOST], length: 0 };
        match address {
            IpAddr::V4(address) => text.put_v4(address),
            // It has room for all of them.
            IpAddr::V6(address) => drop(write!(text, "{address}")),
        }
        text
    }

    /// The text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Most clients have one, and the standard library takes much longer.
    fn put_v4(&mut self, address: Ipv4Addr) {
        for (at, number) in address.octets().into_iter().enumerate() {
            if at > 0 {
                self.put(b'.');
            }
            if number >= 100 {
                self.put(b'0' + number / 100);
            }
            if number >= 10 {
                self.put(b'0' + number / 10 % 10);
            }
            self.put(b'0' + number % 10);
        }
    }

    fn put(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }
}

impl Write for AddressText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        let room = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::Ipv6Addr;

    fn check(address: IpAddr) {
        assert_eq!(AddressText::of(address).as_bytes(), address.to_string().as_bytes());
    }

    #[test]
    fn each_number_of_an_address_is_shown_without_zeros_before_it() {
        (0..=255).for_each(|n| check([n, 255 - n, 0, n / 3].into()));
        for address in ["::", "::1", "::ffff:192.0.2.1", "1111:2222:3333:4444:5555:6666:7777:8888"] {
            check(address.parse().expect("an address"));
        }
    }

    proptest! {
        #[test]
        fn an_address_is_shown_as_the_standard_library_does(v4: u32, v6: u128) {
            check(Ipv4Addr::from_bits(v4).into());
            check(Ipv6Addr::from_bits(v6).into());
        }
    }
}
