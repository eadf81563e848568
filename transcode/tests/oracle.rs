//! Both directions against bincode and serde_json, for random schemas and values of every type.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::check;
use proptest::prelude::*;
use support::generate::{Random, runs, values};
use support::value::bincode_of;
use support::write::Writer;
use support::{decode, encode, whole};

proptest! {
    #![proptest_config(runs(6_000))]

    #[test]
    fn what_is_encoded_is_what_bincode_encodes_however_the_json_is_written(
        (schema, value, spelling) in values(),
    ) {
        let program = whole(&schema);
        let expected = bincode_of(&schema, &schema.request, &value);
        prop_assert_eq!(check::value(&schema, &schema.request, &expected), Ok(()));
        for messy in [None, Some(Random::tape(spelling))] {
            let mut writer = Writer { schema: &schema, messy };
            let json = writer.value(&schema.request, &value);
            let encoded = encode(&program, json.as_bytes());
            prop_assert_eq!(encoded.as_ref(), Ok(&expected), "{}", json);
        }
    }

    #[test]
    fn what_is_decoded_is_the_plain_json_of_the_value((schema, value, _) in values()) {
        let bytes = bincode_of(&schema, &schema.response, &value);
        let mut writer = Writer { schema: &schema, messy: None };
        let expected = writer.value(&schema.response, &value);
        prop_assert_eq!(decode(&schema, &bytes), Ok(expected.clone()));
        prop_assert_eq!(callgate_transcode::json::validate(expected.as_bytes()), Ok(()));
    }
}
