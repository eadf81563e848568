//! A call that goes through the layers of its client, and then to a server.

use super::Client;
use crate::layer::{Call, Layers, Outcome, Side};
use crate::service::Method;
use crate::{Context, Status};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// So much later than the call itself, which says why it is late, a layer is told that the time is up.
const AFTER_THE_CALL: Duration = Duration::from_millis(10);

/// Makes a call. What layers have done to the context when they let it through counts: they may set metadata and shorten the
/// deadline.
pub(super) async fn call(
    client: &Client,
    layers: &Layers,
    method: &'static Method,
    context: Option<&Context>,
    payload: Vec<u8>,
    deadline: Instant,
) -> Outcome {
    let mut context = context.cloned().unwrap_or_else(Context::background);
    context.set_deadline(deadline.into_std());
    let call = Call::new(Side::Client, method, payload.len(), context);
    let client = client.clone();
    let next = layers.around(move |context: Context| async move {
        let deadline = context.deadline().map_or(deadline, Instant::from_std);
        client.send(method, Some(&context), &payload, deadline).await
    });
    timeout_at(deadline + AFTER_THE_CALL, next.run(call)).await.unwrap_or_else(|_| {
        let (service, name) = (method.service, method.name);
        Err(Status::deadline_exceeded(format!("the layers around {service}.{name} were not done in time")))
    })
}
