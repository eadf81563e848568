//! What the gateway itself finds of a request for the fields that a route or an authenticator binds.

use crate::fields::FieldName;
use callgate_transcode::{BoundField, FieldSource};

/// What of a request the gateway itself finds for a bound field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outside {
    /// A header.
    Header {
        /// Its name.
        name: FieldName,
        /// Several lines of it are one list, with commas between.
        is_list: bool,
        /// It is an entity tag, which is taken without its quotes.
        is_tag: bool,
    },
    /// The cookie of that name.
    Cookie(String),
    /// The client's address.
    Client,
    /// Its method.
    Method,
    /// The path that it asks for, in the one reading that the gateway has of it.
    Path,
    /// That claim of the caller.
    Claim(String),
    /// The name of the file that is the body, in that header.
    Disposition(FieldName),
    /// What a part of a form says of itself.
    Part {
        /// The part's name.
        name: String,
        /// Its file's name, and not its media type.
        is_filename: bool,
    },
    /// Nothing: the query, the form or the route gives it.
    Nothing,
}

impl Outside {
    /// The header that it is found in, in lower case, if it is a listed one.
    pub fn header(&self) -> Option<&str> {
        match self {
            Outside::Header { name, .. } | Outside::Disposition(name) => Some(name.as_str()),
            _ => None,
        }
    }

    /// What is to be found for that field.
    pub(super) fn of(bound: &BoundField) -> Outside {
        match &bound.source {
            FieldSource::Header(name) => Outside::Header {
                name: name.as_str().into(),
                is_list: bound.split == Some(','),
                is_tag: bound.split.is_none() && ["if-match", "if-none-match"].contains(&name.as_str()),
            },
            FieldSource::Cookie(name) => Outside::Cookie(name.clone()),
            FieldSource::Client => Outside::Client,
            FieldSource::Method => Outside::Method,
            FieldSource::Path => Outside::Path,
            FieldSource::Claim(name) => Outside::Claim(name.clone()),
            FieldSource::Filename(None) => Outside::Disposition("content-disposition".into()),
            FieldSource::Filename(Some(name)) => Outside::Part { name: name.clone(), is_filename: true },
            FieldSource::PartType(name) => Outside::Part { name: name.clone(), is_filename: false },
            FieldSource::Query(_) | FieldSource::Form(_) | FieldSource::Value(_) => Outside::Nothing,
        }
    }
}
