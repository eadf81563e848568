//! What becomes of messages between this caller's types and those of instances: judged once for each two schemas, for
//! all connections of a client.
//!
//! A verdict lives as long as some connection uses it. Whoever adds one leaves out those that are gone.

use super::outcome::{Failed, Origin, Outcome};
use crate::Status;
use crate::layer::Reply;
use crate::service::Method;
use callgate_protocol::limits::MAX_ASSEMBLY;
use callgate_protocol::schema::{Fingerprint, MethodSchema};
use callgate_transcode::{Converter, Misfit};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The caller's schema and the instance's.
type Pair = (Fingerprint, Fingerprint);

/// The verdicts in use.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    verdicts: Mutex<HashMap<Pair, Weak<Verdict>>>,
}

/// Whether messages can be converted.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// They can.
    Fits(Conversion),
    /// They cannot: why, for people.
    Misfits(String),
}

/// The ways between a caller's types and an instance's.
#[derive(Debug)]
pub(crate) struct Conversion {
    request: Converter,
    /// Of what the caller streams, where it does.
    items: Option<Converter>,
    response: Converter,
    /// `None` if one side has no error type, or they do not fit. Errors then come without their details.
    error: Option<Converter>,
}

impl Schemas {
    /// The verdict on two schemas, if a connection has one.
    pub(crate) fn known(&self, own: Fingerprint, theirs: Fingerprint) -> Option<Arc<Verdict>> {
        self.lock().get(&(own, theirs))?.upgrade()
    }

    /// The verdict on a method and a schema that an instance has sent, or on why there is none. Takes as long as the two
    /// are large.
    pub(crate) fn judge(
        &self,
        method: &'static Method,
        theirs: Fingerprint,
        schema: &Result<MethodSchema, String>,
    ) -> Arc<Verdict> {
        let own = match method.schema() {
            Ok(own) => own,
            Err(error) => return Arc::new(Verdict::Misfits(error.to_string())),
        };
        if let Some(known) = self.known(own.fingerprint, theirs) {
            return known;
        }
        let judged = schema.as_ref().map_err(String::clone);
        let judged = judged.and_then(|schema| Conversion::new(&own.schema, schema));
        let verdict = Arc::new(judged.map_or_else(Verdict::Misfits, Verdict::Fits));
        // What one connection could not tell, another may.
        if schema.is_ok() {
            let mut verdicts = self.lock();
            verdicts.retain(|_, verdict| verdict.strong_count() > 0);
            verdicts.insert((own.fingerprint, theirs), Arc::downgrade(&verdict));
        }
        verdict
    }

    /// What lies under the lock is whole whenever it is not held.
    fn lock(&self) -> MutexGuard<'_, HashMap<Pair, Weak<Verdict>>> {
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Verdict {
    /// Why messages cannot be converted.
    pub(crate) fn misfit(&self) -> Option<&str> {
        match self {
            Verdict::Fits(_) => None,
            Verdict::Misfits(why) => Some(why),
        }
    }

    /// The arguments as the instance reads them, in `most` bytes.
    pub(crate) fn request<'a>(
        &self,
        method: &Method,
        arguments: &'a [u8],
        most: usize,
    ) -> Result<Cow<'a, [u8]>, Failed> {
        let Verdict::Fits(conversion) = self else {
            return Ok(arguments.into());
        };
        let mut converted = Vec::with_capacity(arguments.len());
        match conversion.request.run(arguments, &mut converted, most) {
            Ok(()) => Ok(converted.into()),
            Err(error) => {
                let (service, name) = (method.service, method.name);
                let message =
                    format!("the arguments do not fit the {service}.{name} of the endpoint: {error}");
                let status = Status::failed_precondition(message).not_executed();
                // Another endpoint may be of another version.
                Err(Failed { status, origin: Origin::Endpoint })
            }
        }
    }

    /// An item of the caller as the instance reads it, in `most` bytes.
    pub(crate) fn item(&self, method: &Method, item: &[u8], most: usize) -> Result<Vec<u8>, Failed> {
        let Verdict::Fits(Conversion { items: Some(items), .. }) = self else {
            return Ok(item.to_vec());
        };
        let mut converted = Vec::with_capacity(item.len());
        items.run(item, &mut converted, most).map_err(|error| {
            let (service, name) = (method.service, method.name);
            let message = format!("an item does not fit the {service}.{name} of the endpoint: {error}");
            Failed { status: Status::failed_precondition(message), origin: Origin::Endpoint }
        })?;
        Ok(converted)
    }

    /// An instance's answer as this caller reads it.
    pub(crate) fn outcome(&self, method: &Method, outcome: Outcome) -> Outcome {
        let Verdict::Fits(conversion) = self else {
            return outcome;
        };
        let Reply { payload, metadata } = outcome.map_err(|failed| conversion.failure(failed))?;
        Ok(Reply { payload: self.response(method, payload)?, metadata })
    }

    /// An instance's result, or an item of it, as this caller reads it.
    pub(crate) fn response(&self, method: &Method, payload: Vec<u8>) -> Result<Vec<u8>, Failed> {
        let Verdict::Fits(conversion) = self else {
            return Ok(payload);
        };
        let mut converted = Vec::with_capacity(payload.len());
        match conversion.response.run(&payload, &mut converted, MAX_ASSEMBLY) {
            Ok(()) => Ok(converted),
            Err(error) => {
                let (service, name) = (method.service, method.name);
                let message = format!("the result of {service}.{name} does not fit this caller: {error}");
                Err(Failed { status: Status::internal(message), origin: Origin::Endpoint })
            }
        }
    }
}

impl Conversion {
    fn new(own: &MethodSchema, theirs: &MethodSchema) -> Result<Conversion, String> {
        let told = |what: &'static str| move |misfit: Misfit| format!("{what}: {misfit}");
        let request = Converter::compile((own, &own.request), (theirs, &theirs.request));
        let response = Converter::compile((theirs, &theirs.response), (own, &own.response));
        Ok(Conversion {
            request: request.map_err(told("the arguments do not fit"))?,
            items: match (&own.request_items, &theirs.request_items) {
                (Some(from), Some(to)) => {
                    let items = Converter::compile((own, from), (theirs, to));
                    Some(items.map_err(told("what the caller streams does not fit"))?)
                }
                _ => None,
            },
            response: response.map_err(told("the result does not fit"))?,
            error: match (&theirs.error, &own.error) {
                (Some(from), Some(to)) => Converter::compile((theirs, from), (own, to)).ok(),
                _ => None,
            },
        })
    }

    /// A failure with its error as this caller reads it, or without.
    fn failure(&self, mut failed: Failed) -> Failed {
        failed.status.error = failed.status.error.take().and_then(|theirs| {
            let mut converted = Vec::with_capacity(theirs.len());
            self.error.as_ref()?.run(&theirs, &mut converted, MAX_ASSEMBLY).ok()?;
            Some(converted)
        });
        failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use callgate_protocol::schema::{Definition, EnumDef, Field, Shape, StructDef, Type, Variant};

    fn schema(error: Option<Vec<Variant>>) -> MethodSchema {
        let request = Definition::Struct(StructDef::new("Request", Vec::new()));
        let mut definitions = vec![request];
        definitions
            .extend(error.iter().map(|variants| Definition::Enum(EnumDef::new("Error", variants.clone()))));
        MethodSchema {
            error: error.map(|_| Type::Ref(1)),
            ..MethodSchema::new(Type::Ref(0), Type::Unit, definitions)
        }
    }

    fn errors(names: &[&str]) -> Vec<Variant> {
        let with_id = |name: &&str| Variant::new(*name, Shape::Struct(vec![Field::new("id", Type::U8)]));
        names.iter().map(with_id).collect()
    }

    fn heard(own: &MethodSchema, theirs: &MethodSchema, error: &[u8]) -> Option<Vec<u8>> {
        let conversion = Conversion::new(own, theirs).expect("the messages fit");
        let mut status = Status::not_found("it is not there");
        status.error = Some(error.to_vec());
        let failed = conversion.failure(Failed { status, origin: Origin::Endpoint });
        assert_eq!((failed.status.code, &*failed.status.message), (crate::Code::NotFound, "it is not there"));
        failed.status.error
    }

    #[test]
    fn an_error_comes_as_the_caller_knows_it_or_without_what_it_does_not_know() {
        let theirs = schema(Some(errors(&["Gone", "Missing", "New"])));
        let own = schema(Some(errors(&["Missing", "Gone"])));
        assert_eq!(heard(&own, &theirs, &[1, 7]), Some(vec![0, 7]));
        assert_eq!(heard(&own, &theirs, &[2, 7]), None, "a variant that the caller does not know");
        assert_eq!(heard(&schema(None), &theirs, &[1, 7]), None, "a caller without an error type");
        let other = Variant::new("Missing", Shape::Newtype(Type::String));
        assert_eq!(heard(&schema(Some(vec![other])), &theirs, &[1, 7]), None, "one with another");
    }
}
