//! Which page has which path, and how it is made.

use super::asked::Asked;
use super::replies::{Reply, compact, json, text, typed};
use super::{access_log, certificates, openapi, overview, pages};
use crate::control::Plane;
use hyper::StatusCode;

/// How a page is made, by its query.
pub(super) type Page = fn(&Plane, &str) -> Reply;

/// The page of a path, if there is one.
pub(super) fn page(path: &str) -> Option<Page> {
    Some(match path {
        "/" => |_, _| text(StatusCode::OK, pages::INDEX.to_owned()),
        "/metrics" => |plane, _| {
            typed(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", pages::metrics(plane))
        },
        "/routes" => {
            |plane, query| part(query, |asked| Ok(json(StatusCode::OK, &pages::routes(plane, asked))))
        }
        "/backends" => {
            |plane, query| part(query, |asked| Ok(json(StatusCode::OK, &pages::backends(plane, asked))))
        }
        "/certificates" => |plane, _| json(StatusCode::OK, &certificates::page(&plane.shared)),
        "/failures" => |plane, query| part(query, |asked| Ok(failures(plane, asked))),
        "/config" => |plane, _| json(StatusCode::OK, &pages::config(plane)),
        "/exposure" => |plane, _| typed(StatusCode::OK, "application/json", pages::exposure(plane)),
        "/openapi.json" => |plane, _| openapi::page(plane),
        "/explore" => |_, _| openapi::explorer(),
        "/overview" => |plane, _| compact(&overview::page(plane)),
        "/overview/history" => |_, _| compact(&serde_json::Value::Null),
        "/overview/routes" => {
            |plane, query| part(query, |asked| Ok(compact(&overview::routes(plane, asked)?)))
        }
        "/overview/backends" => {
            |plane, query| part(query, |asked| Ok(compact(&overview::backends(plane, asked)?)))
        }
        "/overview/instances" => {
            |plane, query| part(query, |asked| Ok(compact(&overview::instances(plane, asked)?)))
        }
        "/reasons" => |_, _| json(StatusCode::OK, &overview::reasons()),
        "/reloads" => |plane, _| json(StatusCode::OK, &overview::reloads(plane)),
        _ => return None,
    })
}

fn failures(plane: &Plane, asked: &Asked) -> Reply {
    typed(StatusCode::OK, "application/json", access_log::failures(&plane.shared.access_log, asked))
}

/// A page of which a part may be asked for.
fn part(query: &str, page: impl FnOnce(&Asked) -> Result<Reply, String>) -> Reply {
    let made = Asked::of(query).and_then(|asked| page(&asked));
    made.unwrap_or_else(|why| text(StatusCode::BAD_REQUEST, format!("{why}\n")))
}
