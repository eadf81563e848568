//! The key by which a client says that several requests are one (`Idempotency-Key`, draft-ietf-httpapi-idempotency-key-header). On routes
//! that ask for it, it goes along with the call, so that the method can know a call that it has run. A call with a key may therefore be
//! sent again.

use crate::failure::Failure;
use crate::fields::{self, FieldName, IDEMPOTENCY_KEY};
use callgate_http1::Fields;
use callgate_protocol::MetadataBuf;

/// Puts the request's key among what goes along with its call; `listed` goes along already. Whether there is one: an empty one is none.
pub(super) fn put(
    fields: Fields<'_>,
    listed: &[FieldName],
    metadata: &mut MetadataBuf,
) -> Result<bool, Failure> {
    let Some(key) = fields::line(fields, &IDEMPOTENCY_KEY)?.filter(|key| !key.is_empty()) else {
        return Ok(false);
    };
    if fields::text(key).is_none() {
        return Err(Failure::NotUtf8("the header Idempotency-Key is not visible ASCII".into()));
    }
    let name = &IDEMPOTENCY_KEY;
    if !listed.contains(name) && !metadata.push_named(name.as_str(), key) {
        return Err(Failure::HeaderTooLarge(name.to_string()));
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use callgate_protocol::limits::MAX_METADATA;

    /// Whether a request with these lines has a key, and what goes along then.
    fn of(lines: &[(&str, &[u8])], listed: &[FieldName]) -> Result<(bool, Vec<Vec<u8>>), Failure> {
        let mut metadata = MetadataBuf::with_capacity(64);
        let has_key = put(fields::request(lines).fields(), listed, &mut metadata)?;
        Ok((has_key, metadata.as_metadata().iter().map(|(_, value)| value.to_vec()).collect()))
    }

    #[test]
    fn a_key_goes_along_once_and_as_it_came() {
        for key in ["\"8e03978e\"", "8e03978e", "a, b"] {
            let lines = [("Idempotency-Key", key.as_bytes())];
            assert_eq!(of(&lines, &[]).expect("it is sound"), (true, vec![key.as_bytes().to_vec()]));
            assert_eq!(of(&lines, &["idempotency-key".into()]).expect("it is sound"), (true, Vec::new()));
        }
        assert_eq!(of(&[("x-a", b"1")], &[]).expect("it is sound"), (false, Vec::new()));
        assert_eq!(of(&[("idempotency-key", b"")], &[]).expect("it is sound"), (false, Vec::new()));
    }

    #[test]
    fn two_keys_and_what_is_none_are_refused() {
        let two: [(&str, &[u8]); 2] = [("idempotency-key", b"a"), ("idempotency-key", b"a")];
        assert!(matches!(of(&two, &[]), Err(Failure::RepeatedHeader(_))));
        assert!(matches!(of(&[("idempotency-key", b"\xff")], &[]), Err(Failure::NotUtf8(_))));
        let long = vec![b'x'; MAX_METADATA];
        assert!(matches!(of(&[("idempotency-key", &long)], &[]), Err(Failure::HeaderTooLarge(_))));
    }
}
