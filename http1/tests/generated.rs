//! Valid requests, made at random, are read back as they were made: one, and several on a connection, however they are cut.

mod common;
mod valid;

use common::drive::{Conversation, End, drive, whole};
use common::random::Random;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_valid_request_is_read_back(request in valid::request()) {
        let message = request.message();
        let end = if message.keeps_alive { End::Idle } else { End::Closed };
        prop_assert_eq!(whole(&request.bytes()), Conversation { messages: vec![message], end });
    }

    #[test]
    fn requests_are_read_back_however_they_are_cut(
        requests in prop::collection::vec(valid::request(), 1..5),
        seed in any::<u64>(),
    ) {
        let bytes: Vec<u8> = requests.iter().flat_map(valid::Valid::bytes).collect();
        let mut messages: Vec<_> = requests.iter().map(valid::Valid::message).collect();
        let closes = messages.iter().position(|message| !message.keeps_alive);
        messages.truncate(closes.map_or(messages.len(), |at| at + 1));
        let end = if closes.is_some() { End::Closed } else { End::Idle };
        let (got, _) = drive(Random::new(seed).cut(&bytes));
        prop_assert_eq!(got, Conversation { messages, end });
    }

    /// What is cut off is asked for, and never taken for whole.
    #[test]
    fn a_part_of_a_request_is_no_request(request in valid::request(), part in 0.0..1.0f64) {
        let bytes = request.bytes();
        let got = whole(&bytes[..(bytes.len() as f64 * part) as usize]);
        prop_assert!(matches!(got.end, End::Idle | End::Head | End::Body), "{:?}", got.end);
        prop_assert!(got.messages.iter().all(|message| !message.ended) || request.message().body.is_empty());
    }
}
