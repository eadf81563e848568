//! How a body is read, by what its request says of it and what its route takes: as JSON, as a form, as it is, or as a stream of items.

use crate::config::BodyTypes;
use crate::failure::Failure;
use crate::fields::{self, CONTENT_TYPE, Lines};
use callgate_http1::{Boundary, Fields, Parameters};
use callgate_transcode::ItemForm;

/// How a body is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Media {
    /// As JSON, or as nothing where there is none.
    #[default]
    Json,
    /// As it is.
    Raw,
    /// As a form whose fields are encoded as those of a query are.
    Urlencoded,
    /// As a form of several parts.
    Multipart(Boundary),
    /// As a stream of items that stand in that form.
    Items(ItemForm),
    /// As a stream of items that are its bytes.
    RawItems,
    /// As a form of several parts, of which the file of that name is a stream of items.
    FormItems(Boundary, Box<str>),
}

/// What programs call UTF-8 (the labels of the WHATWG's Encoding Standard).
const UTF8: [&str; 6] =
    ["utf-8", "utf8", "unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "x-unicode20utf8"];

/// How a body is read that a request brings. A missing type is taken for JSON, or for bytes.
#[inline]
pub(super) fn of(fields: Fields<'_>, takes: &BodyTypes) -> Result<Media, Failure> {
    match (takes, fields::lines(fields, &CONTENT_TYPE)) {
        (BodyTypes::Json, Lines::None | Lines::One(b"application/json")) => Ok(Media::Json),
        _ => other(fields, takes),
    }
}

#[inline(never)]
fn other(fields: Fields<'_>, takes: &BodyTypes) -> Result<Media, Failure> {
    let value = fields::single(fields, &CONTENT_TYPE)?;
    let (essence, parameters) = Parameters::split(value.unwrap_or(b""));
    let essence = fields::text(essence).unwrap_or_default().to_ascii_lowercase();
    let media = match essence.as_str() {
        _ if raw(takes, value.map(|_| essence.as_str())) => {
            return Ok(if takes.stream() { Media::RawItems } else { Media::Raw });
        }
        "" if value.is_none() && *takes == BodyTypes::Items => Media::Items(ItemForm::Array),
        _ if *takes == BodyTypes::Items && is_json(&essence) => Media::Items(ItemForm::Array),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" if *takes == BodyTypes::Items => {
            Media::Items(ItemForm::Lines)
        }
        "" if value.is_none() && takes.takes_json() => Media::Json,
        _ if takes.takes_json() && is_json(&essence) => Media::Json,
        "application/x-www-form-urlencoded" if takes.takes_forms() && !takes.stream() => Media::Urlencoded,
        "multipart/form-data" if takes.takes_forms() => {
            let boundary =
                Boundary::of(parameters).map_err(|error| Failure::MalformedForm(error.detail()))?;
            return Ok(match takes {
                BodyTypes::FormItems(file) => Media::FormItems(boundary, file.as_str().into()),
                _ => Media::Multipart(boundary),
            });
        }
        _ => {
            let given = value.map(|value| fields::text(value).unwrap_or_default().to_owned());
            return Err(Failure::UnsupportedMediaType { given, takes: takes.names().join(", ") });
        }
    };
    let charset = parameters.flatten().find(|(name, value)| {
        let is_utf8 = |label: &&str| value.trim_ascii().eq_ignore_ascii_case(label.as_bytes());
        name.eq_ignore_ascii_case("charset") && !UTF8.iter().any(is_utf8)
    });
    match charset {
        Some((_, label)) => Err(Failure::UnsupportedCharset(String::from_utf8_lossy(&label).into_owned())),
        None => Ok(media),
    }
}

/// Whether a body of that type is read as it is. One without a type may be anything (RFC 9110, 8.3).
fn raw(takes: &BodyTypes, essence: Option<&str>) -> bool {
    let (BodyTypes::Raw(ranges) | BodyTypes::RawItems(ranges)) = takes else { return false };
    let essence = essence.unwrap_or("application/octet-stream").split_once('/');
    ranges.is_empty() || essence.is_some_and(|(main, sub)| ranges.iter().any(|range| range.takes(main, sub)))
}

fn is_json(essence: &str) -> bool {
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Source, Tables};

    /// What a route with that `body` takes.
    fn types(body: &str) -> BodyTypes {
        let route = format!("[[routes]]\nmatch = 'POST /'\ncall = 'a.b'\nbody = {body}\n");
        let text = format!("[backends.a]\nendpoints = ['x:1']\n{route}");
        let tables = Tables::parse(vec![Source::new("t.toml", text)]).expect("it is sound");
        tables.routes[0].action.call().expect("it calls").body.clone()
    }

    fn media(takes: &BodyTypes, value: Option<&str>) -> Result<Media, String> {
        let lines: Vec<(&str, &str)> = value.into_iter().map(|value| ("content-type", value)).collect();
        of(fields::request(&lines).fields(), takes).map_err(|failure| failure.detail().into_owned())
    }

    #[test]
    fn bytes_that_are_items_are_of_the_types_that_the_route_takes() {
        let takes = types("{ stream = true, raw = true }");
        for value in [None, Some("application/json"), Some("image/png")] {
            assert_eq!(media(&takes, value), Ok(Media::RawItems), "{value:?}");
        }
        let takes = types("{ stream = true, raw = true, accept = ['image/*'] }");
        assert_eq!(media(&takes, Some("image/png")), Ok(Media::RawItems));
        assert!(media(&takes, None).is_err() && media(&takes, Some("text/csv")).is_err());
    }

    #[test]
    fn items_stand_on_lines_or_in_an_array() {
        let takes = types("{ stream = true }");
        let (lines, array) = (Media::Items(ItemForm::Lines), Media::Items(ItemForm::Array));
        for (value, expected) in [
            (Some("application/x-ndjson"), &lines),
            (Some("Application/NDJSON; charset=utf-8"), &lines),
            (Some("application/jsonl"), &lines),
            (Some("application/json"), &array),
            (Some("application/vnd.x+json"), &array),
            (None, &array),
        ] {
            assert_eq!(media(&takes, value).as_ref(), Ok(expected), "{value:?}");
        }
        let told = media(&takes, Some("text/csv")).expect_err("refused");
        assert_eq!(told, "the body must be one of application/x-ndjson, application/json, not `text/csv`");
        let told = media(&takes, Some("application/x-ndjson; charset=latin1")).expect_err("refused");
        assert_eq!(told, "the body must be in UTF-8, not in `latin1`");
        let told = media(&BodyTypes::Json, Some("application/x-ndjson")).expect_err("refused");
        assert_eq!(told, "the body must be application/json, not `application/x-ndjson`");
    }

    #[test]
    fn json_in_utf8_is_read_however_that_is_spelt() {
        for value in [
            None,
            Some("application/json"),
            Some("Application/JSON; charset=UTF-8"),
            Some("application/json;charset=utf8"),
            Some("application/json; Charset=\"Utf-8\"; v=1"),
            Some("application/json; charset=\" utf-8 \""),
            Some("application/json; charset=unicode-1-1-utf-8"),
            Some("application/json; charset=x-unicode20utf8"),
            Some("application/json;"),
            Some("application/json; charset"),
            Some("application/merge-patch+json; charset=utf-8"),
        ] {
            assert_eq!(media(&BodyTypes::Json, value), Ok(Media::Json), "{value:?}");
        }
        for value in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "",
            "text/json",
            "json",
            "multipart/form-data",
        ] {
            let told = media(&BodyTypes::Json, Some(value)).expect_err("refused");
            assert_eq!(told, format!("the body must be application/json, not `{value}`"));
        }
        for charset in ["latin1", "utf-16", "us-ascii", "\"utf 8\"", "utf-8x"] {
            let told = media(&BodyTypes::Json, Some(&format!("application/json; charset={charset}")));
            let charset = charset.trim_matches('"');
            assert_eq!(told, Err(format!("the body must be in UTF-8, not in `{charset}`")));
        }
        let twice =
            fields::request(&[("content-type", "application/json"), ("content-type", "application/json")]);
        assert!(matches!(of(twice.fields(), &BodyTypes::Json), Err(Failure::RepeatedHeader(_))));
    }

    #[test]
    fn forms_are_read_where_the_route_says_so() {
        let (forms, both) = (types("{ accept = ['form'] }"), types("{ accept = ['json', 'form'] }"));
        let urlencoded = "application/x-www-form-urlencoded";
        for takes in [&forms, &both] {
            assert_eq!(media(takes, Some(urlencoded)), Ok(Media::Urlencoded));
            assert_eq!(media(takes, Some(&format!("{urlencoded}; charset=utf8"))), Ok(Media::Urlencoded));
            let latin = media(takes, Some(&format!("{urlencoded}; charset=latin1")));
            assert_eq!(latin, Err("the body must be in UTF-8, not in `latin1`".to_owned()));
            let multipart = media(takes, Some("Multipart/Form-Data; boundary=x"));
            assert!(matches!(multipart, Ok(Media::Multipart(_))), "{multipart:?}");
            let told = media(takes, Some("multipart/form-data")).expect_err("refused");
            assert!(
                told.starts_with("the form cannot be read: its Content-Type must have one boundary"),
                "{told}"
            );
        }
        assert_eq!(media(&both, None), Ok(Media::Json));
        assert_eq!(media(&both, Some("application/json; charset=utf8")), Ok(Media::Json));
        for value in [None, Some("application/json"), Some("text/plain")] {
            let told = media(&forms, value).expect_err("refused");
            assert!(
                told.contains("must be one of application/x-www-form-urlencoded, multipart/form-data"),
                "{told}"
            );
        }
    }

    #[test]
    fn raw_bodies_are_those_of_the_routes_types() {
        let (any, some) = (types("{ raw = 'a' }"), types("{ raw = 'a', accept = ['image/PNG', 'text/*'] }"));
        for value in [None, Some("a/b"), Some("application/json; charset=latin1"), Some(""), Some("x")] {
            assert_eq!(media(&any, value), Ok(Media::Raw), "{value:?}");
        }
        for value in ["image/png", "Image/Png; q=1", "text/csv; charset=latin1", "text/plain"] {
            assert_eq!(media(&some, Some(value)), Ok(Media::Raw), "{value}");
        }
        for value in [None, Some("image/jpeg"), Some("application/json"), Some(""), Some("text")] {
            let told = media(&some, value).expect_err("refused");
            assert!(told.starts_with("the body must be one of image/png, text/*"), "{told}");
        }
        let octets = types("{ raw = 'a', accept = ['application/octet-stream'] }");
        assert_eq!(media(&octets, None), Ok(Media::Raw));
    }
}
