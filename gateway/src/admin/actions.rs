//! What requests do that are no pages: read the tables again, drain, change the access log; and the questions that need a body.

use super::drain::{self, Refusal};
use super::made::made;
use super::replies::{Reply, json, text};
use super::{Port, access_log, plan, why};
use crate::control::{Plane, Reload, Request as ReloadRequest};
use crate::worker::Shared;
use crate::workers::Command;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, StatusCode};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::timeout;

/// How long a question may take to come.
const QUESTION_LIMIT: Duration = Duration::from_secs(10);

/// How long a worker may take to say what it has kept.
const REPLAY_LIMIT: Duration = Duration::from_secs(2);

/// Has the tables read again.
pub(super) async fn reload(reloads: &mpsc::Sender<ReloadRequest>) -> Reply {
    let (ask, told) = oneshot::channel();
    if reloads.send(ask).await.is_err() {
        return text(StatusCode::SERVICE_UNAVAILABLE, "the gateway is about to end\n".to_owned());
    }
    match told.await {
        Ok(Reload::Taken(hash)) => {
            json(StatusCode::OK, &serde_json::json!({ "outcome": "ok", "hash": hash }))
        }
        Ok(Reload::Unchanged(hash)) => {
            json(StatusCode::OK, &serde_json::json!({ "outcome": "unchanged", "hash": hash }))
        }
        Ok(Reload::Refused(error)) => json(
            StatusCode::UNPROCESSABLE_ENTITY,
            &serde_json::json!({ "outcome": "failed", "error": error }),
        ),
        Err(_) => text(StatusCode::SERVICE_UNAVAILABLE, "the gateway is about to end\n".to_owned()),
    }
}

/// The body of a request, within the time and the bytes that it may take; or what its client is told.
async fn body(request: Request<Incoming>, most: usize) -> Result<Bytes, Reply> {
    match timeout(QUESTION_LIMIT, Limited::new(request.into_body(), most).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(text(StatusCode::PAYLOAD_TOO_LARGE, format!("at most {most} bytes\n")))
        }
        Ok(Err(error)) => Err(text(StatusCode::BAD_REQUEST, format!("{error}\n"))),
        Err(_) => Err(text(StatusCode::REQUEST_TIMEOUT, format!("not read within {QUESTION_LIMIT:?}\n"))),
    }
}

/// What tables would change, made on the thread for long pages.
pub(super) async fn plan(request: Request<Incoming>, port: &Port, place: OwnedSemaphorePermit) -> Reply {
    let asked = match body(request, plan::MAX_TABLES).await {
        Ok(asked) => asked,
        Err(reply) => return reply,
    };
    let requests = last_requests(&port.workers).await;
    let page = move |plane: &Plane| match plan::page(plane, &asked, &requests) {
        Ok(plan) => json(StatusCode::OK, &plan),
        Err(mistakes) => text(StatusCode::UNPROCESSABLE_ENTITY, mistakes),
    };
    made(page, &port.plane, place).await
}

/// What the workers have kept of the last requests, as far as they say it soon.
async fn last_requests(workers: &[mpsc::Sender<Command>]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for worker in workers {
        let (tell, told) = oneshot::channel();
        let asked = async {
            worker.send(Command::Replay(tell)).await.ok()?;
            told.await.ok()
        };
        all.extend(timeout(REPLAY_LIMIT, asked).await.ok().flatten().unwrap_or_default());
    }
    all
}

/// What would become of a request, or has become of one.
pub(super) async fn explain(request: Request<Incoming>, port: &Port) -> Reply {
    let question = match body(request, why::MAX_QUESTION).await {
        Ok(question) => question,
        Err(reply) => return reply,
    };
    match why::answer(&question, &port.plane.shared, &port.workers).await {
        Ok(answer) => json(StatusCode::OK, &answer),
        Err(why) => text(StatusCode::BAD_REQUEST, why),
    }
}

/// Has other requests have lines in the access log.
pub(super) fn change_access_log(request: &Request<Incoming>, shared: &Shared) -> Reply {
    match access_log::change(request.uri().query().unwrap_or_default(), &shared.access_log) {
        Ok(told) => json(StatusCode::OK, &told),
        Err(why) => text(StatusCode::BAD_REQUEST, why),
    }
}

/// Has an endpoint drain, or takes it back.
pub(super) async fn drain(request: &Request<Incoming>, shared: &Shared, drain: bool) -> Reply {
    let query = request.uri().query().unwrap_or_default();
    match drain::change(query, shared, drain).await {
        Ok(told) => json(StatusCode::OK, &told),
        Err(Refusal::BadRequest(why)) => text(StatusCode::BAD_REQUEST, why),
        Err(Refusal::NotFound(why)) => text(StatusCode::NOT_FOUND, why),
        Err(Refusal::NotHeeded(why)) => text(StatusCode::SERVICE_UNAVAILABLE, why),
    }
}
