//! What `#[service]` generates and what [`Server`](crate::Server) and [`Client`](crate::Client) drive: the seam between
//! the macros and the runtime. Users do not write it by hand.

use crate::codec;
pub use crate::server::Items;
use crate::{BadSchema, Context, Status};
use callgate_protocol::CallId;
pub use callgate_protocol::Streaming as Directions;
use callgate_protocol::check::{self, CheckError};
use callgate_protocol::schema::{Definition, Field, Fingerprint, MethodSchema, Shape, Type};
use callgate_transcode::{BindError, Constraints};
use serde::de::DeserializeOwned;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

/// One method, as both stubs know it. Lives in a `static` that the macro writes.
pub struct Method {
    /// The service's name: `orders`.
    pub service: &'static str,
    /// The method's name: `quote`.
    pub name: &'static str,
    /// Its number on the wire.
    pub call_id: CallId,
    /// Running it twice does what running it once does.
    pub idempotent: bool,
    /// Who streams beside the arguments and in the place of the result.
    pub streams: Directions,
    /// Describes what it takes and gives.
    pub describe: fn() -> Result<MethodSchema, BadSchema>,
    /// [`schema`](Self::schema) once it was asked for.
    pub cache: OnceLock<Result<Schema, BadSchema>>,
}

/// A method's schema, made once.
pub struct Schema {
    /// The schema itself, as its readers see it.
    pub schema: MethodSchema,
    /// Its bytes.
    pub encoded: Vec<u8>,
    /// The fingerprint of these, by which the schema is asked for.
    pub fingerprint: Fingerprint,
    /// The fingerprint of what the bytes of messages depend on. Where it is the same on both sides, what one writes the other
    /// reads.
    pub wire: Fingerprint,
    /// What the request's fields ask of their values.
    pub constraints: Option<Constraints>,
    /// Whether messages are walked against the schema before they are read. Some types read what the schema refuses.
    pub walked: bool,
}

impl Schema {
    /// Reads a value of one of the schema's types, `ty`, from bytes of the network. `Ok(None)` if they are a value of it, which
    /// [`codec::read`] has to read.
    pub(crate) fn read<T: DeserializeOwned>(&self, ty: &Type, bytes: &[u8]) -> Result<Option<T>, CheckError> {
        if !self.walked
            && let Ok(value) = codec::read_unchecked(bytes)
        {
            return Ok(Some(value));
        }
        check::value(&self.schema, ty, bytes).map(|()| None)
    }
}

/// Whether a type of the schema is read by a `Deserialize` that takes what the schema refuses. That of a duration adds nanoseconds
/// of a second or more to its seconds.
fn is_read_leniently(schema: &MethodSchema) -> bool {
    fn has_duration(ty: &Type) -> bool {
        match ty {
            Type::Duration => true,
            Type::Option(ty)
            | Type::Presence(ty)
            | Type::Logical(_, ty)
            | Type::List(ty)
            | Type::Array(ty, _) => has_duration(ty),
            Type::Map(key, value) => has_duration(key) || has_duration(value),
            Type::Tuple(types) => types.iter().any(has_duration),
            _ => false,
        }
    }
    let in_fields = |fields: &[Field]| fields.iter().any(|field| has_duration(&field.ty));
    let in_definition = |definition: &Definition| match definition {
        Definition::Struct(def) => in_fields(&def.fields),
        Definition::Enum(def) => def.variants.iter().any(|variant| match &variant.shape {
            Shape::Unit => false,
            Shape::Newtype(ty) => has_duration(ty),
            Shape::Tuple(types) => types.iter().any(has_duration),
            Shape::Struct(fields) => in_fields(fields),
        }),
    };
    let MethodSchema { request, request_items, response, error, definitions, .. } = schema;
    let mut types =
        [Some(request), request_items.as_ref(), Some(response), error.as_ref()].into_iter().flatten();
    types.any(has_duration) || definitions.iter().any(in_definition)
}

impl Method {
    /// The method's schema.
    ///
    /// # Errors
    /// When its types cannot be described. No server offers such a method, and no client calls it.
    pub fn schema(&self) -> Result<&Schema, &BadSchema> {
        let schema = self.cache.get_or_init(|| {
            let schema = (self.describe)()?;
            let encoded = schema.encode();
            let (fingerprint, wire) = (Fingerprint::of(&encoded), schema.wire_fingerprint());
            let refused = |error: BindError| BadSchema::Constraint(error.to_string());
            let constraints = Constraints::of(&schema).map_err(refused)?;
            let walked = is_read_leniently(&schema);
            Ok(Schema { schema, encoded, fingerprint, wire, constraints, walked })
        });
        schema.as_ref()
    }
}

/// What a handler's future gives: the encoded result; nothing where the service streams, and then all items were put.
pub type Answer = Pin<Box<dyn Future<Output = Result<Vec<u8>, Status>> + Send>>;

/// A server stub: a service's methods, and how to run one by its index.
pub trait Dispatch: Send + Sync + 'static {
    /// The service's name.
    fn name(&self) -> &'static str;

    /// The service's version; may be empty.
    fn version(&self) -> &'static str;

    /// Its methods.
    fn methods(&self) -> &'static [Method];

    /// Decodes the arguments of method number `method` and gives the future that runs it. The payload is checked against
    /// the method's schema before it is read; a payload that is none of its values is `invalid_argument`. `items` are there for
    /// a method that streams.
    fn call(
        self: Arc<Self>,
        method: usize,
        context: Context,
        payload: &[u8],
        items: Option<Items>,
    ) -> Result<Answer, Status>;
}
