//! A call that goes through the layers of its server, and then to its method.

use super::call;
use super::items::Items;
use super::registry::Target;
use crate::Context;
use crate::context::CallState;
use crate::layer::{Call, Layers, Reply, Side};
use crate::service::Answer;
use callgate_protocol::Metadata;
use std::sync::Arc;

/// The future that goes through the layers. They come before the arguments are read, so these are copied: they lie in the
/// connection's buffer.
pub(super) fn serve(
    layers: &Layers,
    target: &Arc<Target>,
    state: Arc<CallState>,
    context: Context,
    payload: &[u8],
    items: Option<Items>,
) -> Answer {
    let call = Call::new(Side::Server, target.method, payload.len(), context);
    let (target, payload) = (target.clone(), payload.to_vec());
    let next = layers.around(move |context| async move {
        let answer = call::start(&target, &state, context, &payload, items)?;
        drop(payload);
        // A panic ends here, so that layers see what the caller gets.
        let result = call::finish(answer, target.method, &state).await?;
        Ok(Reply::new(result, Metadata::default()))
    });
    Box::pin(async move { Ok(next.run(call).await?.payload) })
}
