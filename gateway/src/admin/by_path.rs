//! Which page has which path, and how it is made.

use super::asked::Asked;
use super::replies::{Reply, compact, json, text, typed};
use super::{access_log, backends, certificates, in_force, openapi, overview, routes, scrape};
use crate::control::Plane;
use hyper::StatusCode;

/// The list of pages.
pub(super) const INDEX: &str = "\
GET  /            for a browser: a page that shows all of it
GET  /metrics     for Prometheus
GET  /healthz     the process lives
GET  /readyz      requests can be answered; ?strict: and every backend has an instance
GET  /overview    how everything is: totals, and problems with why; /overview/history: the totals of the last ten minutes
GET  /overview/routes, /overview/backends, /overview/instances  ?q=word&state=…&sort=-calls&offset=0&limit=50: rows
GET  /reasons     why requests fail: each reason with what it means
GET  /reloads     the last reloads, with what they changed
GET  /routes      the routes in force, and what they call; ?q=word&offset=0&limit=50 for some of them
GET  /backends    the backends, their instances, methods and schemas; ?backend=name&endpoint=host:port for some of them
GET  /certificates  the certificates in force, when they expire, and what is wrong with their files
GET  /failures    the last requests whose answers were no success, the newest first, each as the access log has it; ?offset=0&limit=50 for some of them
GET  /openapi.json  what clients can ask and are answered, as OpenAPI 3.1
GET  /explore     a page that shows it
GET  /exposure    who could call what: `callgate check --diff` compares tables with it
GET  /config      the settings and tables in force, and the last error
POST /-/reload    read the tables again
POST /-/drain     ?endpoint=host:port[&backend=name]: no new calls there; those in flight finish
POST /-/undrain   the same: calls go there again
POST /-/why       what would become of a request, or what has become of one: `callgate why` asks it
POST /-/plan      what tables would change that are not in force: `callgate plan` asks it
POST /-/log       ?successes=1%25&failures=true: which requests have lines in the access log, until the next such request
";

/// How a page is made, by its query.
pub(super) type Page = fn(&Plane, &str) -> Reply;

/// The page of a path, if there is one.
pub(super) fn page(path: &str) -> Option<Page> {
    Some(match path {
        "/" => |_, _| text(StatusCode::OK, INDEX.to_owned()),
        "/metrics" => |plane, _| {
            typed(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", scrape::metrics(plane))
        },
        "/routes" => {
            |plane, query| part(query, |asked| Ok(json(StatusCode::OK, &routes::page(plane, asked))))
        }
        "/backends" => {
            |plane, query| part(query, |asked| Ok(json(StatusCode::OK, &backends::page(plane, asked))))
        }
        "/certificates" => |plane, _| json(StatusCode::OK, &certificates::page(&plane.shared)),
        "/failures" => |plane, query| part(query, |asked| Ok(failures(plane, asked))),
        "/config" => |plane, _| json(StatusCode::OK, &in_force::config(plane)),
        "/exposure" => |plane, _| typed(StatusCode::OK, "application/json", in_force::exposure(plane)),
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
