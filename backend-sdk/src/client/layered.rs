//! A call that goes through the layers of its client, and then to a server.

use crate::layer::{Call, Layers, Outcome, Side};
use crate::service::Method;
use crate::{Context, Status};
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// So much later than the call itself, which says why it is late, a layer is told that the time is up.
const AFTER_THE_CALL: Duration = Duration::from_millis(10);

/// Makes a call by `end`, which is given the context and the deadline. What layers have done to the context when they let it through counts: they may set metadata and shorten the
/// deadline.
pub(super) async fn call<R>(
    layers: &Layers,
    method: &'static Method,
    context: Option<&Context>,
    size: usize,
    deadline: Instant,
    end: impl FnOnce(Context, Instant) -> R + Send + 'static,
) -> Outcome
where
    R: Future<Output = Outcome> + Send + 'static,
{
    let mut context = context.cloned().unwrap_or_else(Context::background);
    context.set_deadline(deadline.into_std());
    let call = Call::new(Side::Client, method, size, context);
    let next = layers.around(move |context: Context| {
        let deadline = context.deadline().map_or(deadline, Instant::from_std);
        end(context, deadline)
    });
    timeout_at(deadline + AFTER_THE_CALL, next.run(call)).await.unwrap_or_else(|_| {
        let (service, name) = (method.service, method.name);
        Err(Status::deadline_exceeded(format!("the layers around {service}.{name} were not done in time")))
    })
}
