//! The line `Date` of a worker's replies (RFC 9110, 6.6.1): made once a second and not for each of them. The worker's sweep brings it
//! in line with the system's clock, wherever that goes.

use callgate_http1::http_date;
use http::HeaderValue;
use std::cell::{Cell, RefCell};
use std::time::{SystemTime, UNIX_EPOCH};

const NAME: &[u8; 6] = b"date: ";
const LENGTH: usize = NAME.len() + 29 + 2;

/// The line.
pub(super) struct DateLine {
    line: Cell<[u8; LENGTH]>,
    /// Its value, as HTTP/2 sends it.
    value: RefCell<HeaderValue>,
    /// The second that it tells.
    second: Cell<u64>,
}

impl DateLine {
    /// By the system's clock as it is now.
    pub(super) fn now() -> DateLine {
        let second = unix_seconds();
        let line = line(second);
        DateLine { value: RefCell::new(value(&line)), line: Cell::new(line), second: Cell::new(second) }
    }

    /// Tells the time as it is now.
    pub(super) fn refresh(&self) {
        self.tell(unix_seconds());
    }

    /// With its end.
    pub(super) fn line(&self) -> [u8; LENGTH] {
        self.line.get()
    }

    /// The date alone. All that get it share its bytes.
    pub(super) fn value(&self) -> HeaderValue {
        self.value.borrow().clone()
    }

    fn tell(&self, second: u64) {
        if self.second.replace(second) != second {
            let line = line(second);
            *self.value.borrow_mut() = value(&line);
            self.line.set(line);
        }
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn value(line: &[u8; LENGTH]) -> HeaderValue {
    let date = &line[NAME.len()..NAME.len() + 29];
    // A date is in ASCII.
    HeaderValue::from_bytes(date).unwrap_or(HeaderValue::from_static(""))
}

fn line(second: u64) -> [u8; LENGTH] {
    let mut line = [0; LENGTH];
    let (name, rest) = line.split_at_mut(NAME.len());
    name.copy_from_slice(NAME);
    let (date, end) = rest.split_at_mut(29);
    date.copy_from_slice(&http_date(second));
    end.copy_from_slice(b"\r\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_the_clock_back_as_well() {
        let date = DateLine::now();
        for second in [784_111_777, 784_111_778, 784_111_777] {
            date.tell(second);
            let text = format!("date: Sun, 06 Nov 1994 08:49:{} GMT\r\n", second - 784_111_740);
            assert_eq!(date.line(), text.as_bytes());
            assert_eq!(date.value(), text.as_bytes()[6..35]);
        }
        date.refresh();
        assert!(!date.line().windows(4).any(|four| four == b"1994"));
    }
}
