//! The keys of TLS tickets, carried over to the successor: else all clients would have to shake hands anew, all at once.
//!
//! Only a gateway's own keys are. Those of a file are there for the successor as well.

use crate::certificates::Made;
use callgate_tls::TicketKeys;

/// `tickets SINCE KEY …`, the first key first; none where a file has them.
pub(super) fn line(made: &Made) -> Option<String> {
    let keys = made.keys.to_text();
    made.own.then(|| format!("tickets {} {}", made.since, keys.trim_end().replace('\n', " ")))
}

/// Reads what follows `tickets`; none of what is no key.
pub(super) fn read(rest: &str) -> Option<(TicketKeys, u64)> {
    let (since, keys) = rest.split_once(' ')?;
    let keys = TicketKeys::read(keys.replace(' ', "\n").as_bytes()).ok()?;
    Some((keys, since.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_keys_are_carried_over_with_their_age_and_those_of_a_file_are_not() {
        let mut keys = TicketKeys::random();
        (1..TicketKeys::KEPT).for_each(|_| keys.rotate());
        let made = |own| Made { keys: keys.clone(), since: 1_700_000_000, own, error: None };
        let line = line(&made(true)).unwrap();
        assert!(line.len() < 1024, "it is a line that the other side reads");
        assert_eq!(read(line.strip_prefix("tickets ").unwrap()), Some((keys.clone(), 1_700_000_000)));
        assert_eq!(super::line(&made(false)), None);
        for wrong in ["", "1", "x 00", "1 00", &line] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
