//! What is done with a request of the admin port: who may make it, which page or action it asks for, and where that is made.

use super::made::made;
use super::replies::{Reply, compact, text, wrong_method};
use super::{MAX_REQUESTS, Port, actions, by_path, guard, openapi, ready};
use crate::worker::Shared;
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};

/// The reply to a request.
pub(super) async fn reply(request: Request<Incoming>, port: &Port) -> Reply {
    let path = request.uri().path();
    if let Some(page) = vital(path, request.uri().query(), &port.plane.shared) {
        return if reads(&request) { page } else { wrong_method("GET, HEAD") };
    }
    if reads(&request)
        && let Some(file) = port.files.find(&request)
    {
        return port.guard.check_host(&request).map_or_else(guard::Refused::into_reply, |_| file);
    }
    // A browser opens it without a token, which it asks for.
    if reads(&request) && path == "/explore" {
        return port
            .guard
            .check_host(&request)
            .map_or_else(guard::Refused::into_reply, |_| openapi::explorer());
    }
    if path != "/metrics"
        && let Err(refusal) = port.guard.check(&request)
    {
        return refusal.into_reply();
    }
    let posts = request.method() == Method::POST;
    let kind = if posts { &port.actions } else { &port.pages };
    let Ok(place) = kind.clone().try_acquire_owned() else {
        return text(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{MAX_REQUESTS} requests are under way here\n"),
        );
    };
    match path {
        "/-/reload" if posts => actions::reload(&port.reloads).await,
        "/-/drain" if posts => actions::drain(&request, &port.plane.shared, true).await,
        "/-/undrain" if posts => actions::drain(&request, &port.plane.shared, false).await,
        "/-/log" if posts => actions::change_access_log(&request, &port.plane.shared),
        "/-/why" if posts => actions::explain(request, port).await,
        "/-/plan" if posts => actions::plan(request, port, place).await,
        "/-/reload" | "/-/drain" | "/-/undrain" | "/-/log" | "/-/why" | "/-/plan" => wrong_method("POST"),
        path => match by_path::page(path) {
            None => text(StatusCode::NOT_FOUND, format!("no such page\n\n{}", by_path::INDEX)),
            Some(_) if !reads(&request) => wrong_method("GET, HEAD"),
            // It is short, and nobody else has it.
            Some(_) if path == "/overview/history" => compact(&port.history.shown()),
            Some(page) => {
                let query = request.uri().query().unwrap_or_default().to_owned();
                let page = made(move |plane| page(plane, &query), &port.plane, place).await;
                openapi::unless_known(&request, page)
            }
        },
    }
}

fn reads(request: &Request<Incoming>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

/// How the process is: answered to everybody, whatever else goes on.
fn vital(path: &str, query: Option<&str>, shared: &Shared) -> Option<Reply> {
    Some(match path {
        "/healthz" => text(StatusCode::OK, "ok\n".to_owned()),
        "/readyz" => ready::readyz(query, shared),
        _ => return None,
    })
}
