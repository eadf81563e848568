//! What tests look at in the moment in which the log is told something: people and scripts wait for a line and then look, so what a line
//! says has to hold before it is written.

use std::sync::{Arc, Mutex};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

struct Look<F, T>(F, Arc<Mutex<Vec<T>>>);

impl<S: Subscriber, T: Send + 'static, F: Fn() -> T + Send + Sync + 'static> Layer<S> for Look<F, T> {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        let seen = self.0();
        self.1.lock().unwrap().push(seen);
    }
}

/// What is seen with each line that is logged meanwhile by this thread, in the moment in which it is logged.
pub(crate) fn seen_when_told<T: Send + 'static>(
    act: impl FnOnce(),
    look: impl Fn() -> T + Send + Sync + 'static,
) -> Vec<T> {
    let seen = Arc::default();
    let subscriber = tracing_subscriber::registry().with(Look(look, Arc::clone(&seen)));
    tracing::subscriber::with_default(subscriber, act);
    std::mem::take(&mut *seen.lock().unwrap())
}
