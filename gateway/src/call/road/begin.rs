//! A reply in items that begins. Its client is not to wait for its head until the method has something to say: so a reply counts as begun
//! when its first item, its end or a failure has come, and after a moment in any case. What fails before it has begun fails as any call.

use super::{Road, Sent};
use crate::transport::Progress;
use std::time::Duration;
use tokio::time::timeout_at;

/// After so long a reply in items counts as begun, though nothing has come of it.
const PATIENCE: Duration = Duration::from_secs(1);

/// Awaits what comes of an attempt whose method replies in items, and of those that are sent beside it.
pub(in crate::call) async fn progress(road: &mut Road<'_>, sent: &mut Sent) -> Progress {
    let until = road.request.times.now + PATIENCE;
    let come = timeout_at(until, road.progress(sent)).await;
    come.unwrap_or_else(|_| sent.attempt.begin())
}
