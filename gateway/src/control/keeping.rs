//! What the names list is kept on disk, for a start while their servers fail. A disk that is slow, or hangs, keeps nothing waiting but
//! the next write.

use super::{Plane, aside};
use crate::discovery::kept;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// From one write to the next. What changes in between is written together.
const PACE: Duration = Duration::from_secs(1);

/// Writes the lists whenever one has changed, for ever.
pub(super) async fn keep(plane: &Arc<Plane>) {
    // Before, a name may list nothing only because nobody has waited for its answer.
    plane.shared.names_have_begun().await;
    loop {
        plane.names.unkept().await;
        aside(plane, |plane| plane.state.write(kept::FILE, &kept::written(&plane.names.lists()))).await;
        sleep(PACE).await;
    }
}
