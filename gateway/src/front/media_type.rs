//! Which bodies are read as JSON, by what their request says of them.

use crate::failure::Failure;
use crate::fields::{self, CONTENT_ENCODING, CONTENT_TYPE};
use callgate_http1::Fields;

/// Refuses bodies that are not JSON in UTF-8. A missing type is taken for JSON.
pub(super) fn check_type(fields: Fields<'_>) -> Result<(), Failure> {
    if !fields::members(fields, &CONTENT_ENCODING).all(|coding| coding.eq_ignore_ascii_case(b"identity")) {
        return Err(Failure::UnsupportedEncoding);
    }
    let Some(value) = fields::single(fields, &CONTENT_TYPE)? else {
        return Ok(());
    };
    if value == b"application/json" {
        return Ok(());
    }
    let text = fields::text(value).unwrap_or_default();
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let is_json =
        essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    let charset_fits = parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        !name.eq_ignore_ascii_case("charset") || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    if is_json && charset_fits {
        return Ok(());
    }
    Err(Failure::UnsupportedMediaType(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[(&str, &str)]) -> Result<(), Failure> {
        check_type(fields::request(lines).fields())
    }

    #[test]
    fn only_json_is_accepted() {
        let accepted =
            ["application/json", "Application/JSON; charset=UTF-8", "application/merge-patch+json"];
        for value in accepted {
            assert!(check(&[("content-type", value)]).is_ok(), "{value}");
        }
        for value in
            ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", ""]
        {
            assert!(check(&[("content-type", value)]).is_err(), "{value}");
        }
        assert!(check(&[]).is_ok());
        assert!(check(&[("content-encoding", "gzip")]).is_err());
    }
}
