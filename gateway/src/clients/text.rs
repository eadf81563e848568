//! An address as text, in place: it goes along with each call.

use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv4Addr};

/// The longest text of an address: eight groups of an IPv6 address.
const MOST: usize = 39;

/// Each number of an IPv4 address with a point behind it, and how long that is.
const NUMBERS: [([u8; 4], u8); 256] = {
    let mut all = [([0; 4], 0); 256];
    let mut number = 0;
    while number < 256 {
        let (hundreds, tens, ones) = (number / 100, number / 10 % 10, number % 10);
        let digits = [b'0' + hundreds as u8, b'0' + tens as u8, b'0' + ones as u8];
        all[number] = match (hundreds, tens) {
            (0, 0) => ([digits[2], b'.', 0, 0], 2),
            (0, _) => ([digits[1], digits[2], b'.', 0], 3),
            _ => ([digits[0], digits[1], digits[2], b'.'], 4),
        };
        number += 1;
    }
    all
};

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
        for number in address.octets() {
            let (text, length) = &NUMBERS[usize::from(number)];
            self.bytes[self.length..self.length + 4].copy_from_slice(text);
            self.length += usize::from(*length);
        }
        // Behind the last one is no point.
        self.length -= 1;
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
