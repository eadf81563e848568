//! What becomes of messages between this caller's types and those of instances: judged once for each two schemas, for
//! all connections of a client.
//!
//! A verdict lives as long as some connection uses it. Whoever adds one leaves out those that are gone.

use super::table::{Failed, Origin, Outcome};
use crate::Status;
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
    response: Converter,
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

    /// An instance's answer as this caller reads it.
    pub(crate) fn outcome(&self, method: &Method, outcome: Outcome) -> Outcome {
        let Verdict::Fits(conversion) = self else {
            return outcome;
        };
        let reply = outcome?;
        let mut converted = Vec::with_capacity(reply.len());
        match conversion.response.run(&reply, &mut converted, MAX_ASSEMBLY) {
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
            response: response.map_err(told("the result does not fit"))?,
        })
    }
}
