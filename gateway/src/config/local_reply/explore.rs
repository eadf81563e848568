//! `explore` of a route: the page that shows a document, which is the reply of another route.

use super::super::complaint::Complaint;
use super::{Item, Key, Kind, PathTemplate, Reader, RespondSpec};
use crate::config::shape::Shape;
use crate::explorer::Explorer;
use bytes::Bytes;
use serde_json::{Value, json};
use std::fmt;

/// A page, and the path of what it shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExploreSpec {
    /// The document's path, of the same origin.
    pub document: String,
    /// The page as a reply.
    pub page: RespondSpec,
}

impl fmt::Display for ExploreSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "explore {}", self.document)
    }
}

impl Kind for ExploreSpec {
    const KEY: Key = Key::of_every_route("explore", "they get a page that shows such a document");
    const SHAPE: Shape = Shape::Text;

    fn read(reader: &mut Reader<'_>, item: &Item<'_>, _: Option<&PathTemplate>) -> Option<ExploreSpec> {
        let document = reader.text(item, "the path of a document, such as \"/openapi.json\"", |text| {
            let is_path = text.starts_with('/') && !text.starts_with("//");
            match is_path && text.bytes().all(|byte| byte.is_ascii_graphic()) {
                true => Ok(text.to_owned()),
                false => {
                    let complaint = Complaint::new("`explore` names a path of the same host", "this is none");
                    Err(complaint.help("write explore = \"/openapi.json\", and a route with `openapi` there"))
                }
            }
        })?;
        let Explorer { page, policy } = Explorer::of(&document);
        let headers = vec![
            ("cache-control".to_owned(), "no-cache".to_owned()),
            ("content-security-policy".to_owned(), policy),
            ("referrer-policy".to_owned(), "no-referrer".to_owned()),
            ("x-content-type-options".to_owned(), "nosniff".to_owned()),
        ];
        let page = RespondSpec::made("text/html; charset=utf-8", headers, Bytes::from(page));
        Some(ExploreSpec { document, page })
    }

    fn status(&self) -> u16 {
        self.page.status
    }

    fn shown(&self) -> Value {
        json!({ "document": self.document })
    }
}
