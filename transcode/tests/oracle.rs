//! Both directions against bincode and serde_json, for random schemas and values of every type.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::check;
use support::generate::{Random, schema, value};
use support::value::bincode_of;
use support::write::Writer;
use support::{decode, encode, whole};

const SEEDS: u64 = 4_000;

#[test]
fn what_is_encoded_is_what_bincode_encodes_however_the_json_is_written() {
    for seed in 0..SEEDS {
        let mut random = Random(seed);
        let schema = schema(&mut random);
        let program = whole(&schema);
        for _ in 0..3 {
            let value = value(&mut random, &schema, &schema.request, 5);
            let expected = bincode_of(&schema, &schema.request, &value);
            let messy = Some(Random(random.next()));
            for messy in [None, messy] {
                let mut writer = Writer { schema: &schema, messy };
                let json = writer.value(&schema.request, &value);
                match encode(&program, json.as_bytes()) {
                    Ok(encoded) => assert_eq!(encoded, expected, "seed {seed}: {json}"),
                    Err(violations) => panic!("seed {seed}: {violations:?}: {json}"),
                }
            }
            assert_eq!(check::value(&schema, &schema.request, &expected), Ok(()), "seed {seed}");
        }
    }
}

#[test]
fn what_is_decoded_is_the_plain_json_of_the_value() {
    for seed in 0..SEEDS {
        let mut random = Random(seed);
        let schema = schema(&mut random);
        let value = value(&mut random, &schema, &schema.response, 5);
        let bytes = bincode_of(&schema, &schema.response, &value);
        let mut writer = Writer { schema: &schema, messy: None };
        let expected = writer.value(&schema.response, &value);
        assert_eq!(decode(&schema, &bytes).as_deref(), Ok(expected.as_str()), "seed {seed}");
        callgate_transcode::json::validate(expected.as_bytes()).unwrap();
    }
}
