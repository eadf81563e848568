//! Pages that are made on the thread for that, within a time.

use super::replies::{Reply, text};
use crate::control::Plane;
use hyper::StatusCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// How long a page may take to be made, those before it included.
const PAGE_LIMIT: Duration = Duration::from_secs(30);

/// Has a page made on the thread for that: of 10,000 routes it takes so long that nothing else shall wait for it.
pub(super) async fn made(
    page: impl FnOnce(&Plane) -> Reply + Send + 'static,
    plane: &Arc<Plane>,
    place: OwnedSemaphorePermit,
) -> Reply {
    let plane = plane.clone();
    let make = move || {
        let page = page(&plane);
        // Taken until then, whoever has given up waiting.
        drop(place);
        page
    };
    match timeout(PAGE_LIMIT, spawn_blocking(make)).await {
        Ok(Ok(page)) => page,
        Ok(Err(error)) => {
            tracing::error!(%error, "a page of the admin port failed inside");
            text(StatusCode::INTERNAL_SERVER_ERROR, "an internal error; see the log\n".to_owned())
        }
        Err(_) => text(StatusCode::SERVICE_UNAVAILABLE, format!("not made within {PAGE_LIMIT:?}\n")),
    }
}
