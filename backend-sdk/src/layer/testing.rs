//! Calls for the tests of layers.

use super::{Call, Layer, Next, Outcome, Reply, Side, Stack};
use crate::service::{Directions, Method};
use crate::{Context, Status};
use callgate_protocol::schema::{Definition, MethodSchema, StructDef, Type};
use callgate_protocol::{CallId, Metadata};
use std::future::Future;
use std::sync::OnceLock;

pub(super) static QUOTE: Method = method("quote");
pub(super) static CANCEL: Method = method("cancel");

const fn method(name: &'static str) -> Method {
    Method {
        service: "orders",
        name,
        call_id: CallId::of("orders", name),
        idempotent: true,
        streams: Directions { caller: false, service: false },
        describe: || {
            let request = Definition::Struct(StructDef::new("Request", Vec::new()));
            Ok(MethodSchema::new(Type::Ref(0), Type::Unit, vec![request]))
        },
        cache: OnceLock::new(),
    }
}

/// A call of `orders.quote`, at the server's end.
pub(super) fn call() -> Call {
    of(&QUOTE, Side::Server, Context::background())
}

pub(super) fn of(method: &'static Method, side: Side, context: Context) -> Call {
    Call::new(side, method, 3, context)
}

pub(super) fn reply(size: usize) -> Reply {
    Reply::new(vec![0; size], Metadata::default())
}

/// Lets a call go through a layer.
pub(super) async fn through<R>(
    layer: impl Layer,
    call: Call,
    end: impl FnOnce(Context) -> R + Send + 'static,
) -> Result<Reply, Status>
where
    R: Future<Output = Outcome> + Send + 'static,
{
    next(layer, end).run(call).await
}

/// The way through a layer to an end.
pub(super) fn next<R>(layer: impl Layer, end: impl FnOnce(Context) -> R + Send + 'static) -> Next
where
    R: Future<Output = Outcome> + Send + 'static,
{
    let mut stack = Stack::default();
    stack.add(layer);
    stack.share().expect("there is one").around(end)
}
