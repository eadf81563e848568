//! How many requests a connection may have, so that clients spread anew over gateways that have come since.
//!
//! Each connection draws its own number, so that connections that began together do not end together.

/// The bound of a worker's connections.
#[derive(Clone, Copy, Debug)]
pub(in crate::front) struct RequestBound(u32);

impl RequestBound {
    /// About so many; 0 for any number.
    pub(in crate::front) fn new(about: u64) -> RequestBound {
        RequestBound(u32::try_from(about).unwrap_or(u32::MAX))
    }

    /// How many a new connection may have: between nine tenths of the bound and all of it.
    pub(super) fn draw(self) -> u32 {
        match self.0 {
            // So many that their end is no trouble: its client makes another connection.
            0 => u32::MAX,
            most => most - fastrand::u32(0..=most / 10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_draws_a_number_near_the_bound() {
        let drawn: Vec<u32> = (0..1_000).map(|_| RequestBound::new(1_000).draw()).collect();
        assert!(drawn.iter().all(|most| (900..=1_000).contains(most)));
        assert!(drawn.iter().max() > drawn.iter().min(), "not all draw the same");
        assert_eq!([1, 9].map(|about| RequestBound::new(about).draw()), [1, 9]);
        assert_eq!(RequestBound::new(0).draw(), u32::MAX);
    }
}
