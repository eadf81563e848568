//! Who calls, where an authenticator asks a method of the operator's own: what of the request the method is told, and what its answer
//! comes to.
//!
//! The call goes by the road of all calls, to the instances of a backend, and is cancelled with its exchange. It has nothing of the client
//! beside the fields that the table binds, so that these are all that an answer can depend on: where answers are kept, they are kept by
//! them. What the road counts by routes (that it was shed, or that a reply was broken) it counts for the route that wants to know.

use super::client::Who;
use super::exchange::Exchange;
use super::metadata::{self, Origin, Trace};
use super::outside;
use crate::auth::{Authenticator, Question, Unanswered, Verdict};
use crate::call::{self, Json, Reply};
use crate::config::{AuthKind, RpcSpec};
use crate::failure::{Failure, Flaw};
use crate::routes::{BoundTexts, OwnCall, PathParams, QueryPairs, query_pairs};
use crate::transport::Times;
use crate::worker::RouteRef;
use callgate_auth::{Identity, told};
use callgate_protocol::Code;
use std::borrow::Cow;
use tokio::time::Instant;

/// Has an authenticator's service asked who calls a route. Nothing is said where the request is to be looked up again, by another table.
///
/// # Errors
///
/// What is asked about cannot be read.
pub(super) async fn ask(
    exchange: &Exchange,
    route: &RouteRef,
    authenticator: &Authenticator,
) -> Result<Option<Verdict>, Failure> {
    let AuthKind::Rpc(spec) = &authenticator.spec.kind else {
        return Err(Failure::Internal("an authenticator has nobody to ask".to_owned()));
    };
    let Exchange { worker, head, context, .. } = exchange;
    let who = Who { client: context.client, caller: None };
    let bound = outside::of(&spec.call.outside, head, who)?;
    let mut query = query_pairs(head.query().unwrap_or_default()).map_err(|_| Failure::query_not_utf8())?;
    query.retain(|(name, _)| spec.call.binds_query(name));
    let question = Question {
        authenticator,
        spec: &spec.external,
        told: &told_bytes(&bound, &query),
        worker: worker.id,
        verified: &worker.verified,
        request_id: context.id.as_str(),
    };
    let verdict = question.ask(call(exchange, (route, authenticator), spec, bound, query)).await;
    // Its backend may have gone with the table.
    let is_gone = verdict == Err(Flaw::Away) && worker.table().generation != route.table().generation;
    Ok((!is_gone).then_some(verdict))
}

/// Asks the method.
async fn call(
    exchange: &Exchange,
    (route, authenticator): (&RouteRef, &Authenticator),
    spec: &RpcSpec,
    bound: BoundTexts<'_>,
    query: QueryPairs<'_>,
) -> Result<Identity, Unanswered> {
    let gone = || Unanswered::new(Flaw::Away, "its backend is in no table");
    let OwnCall { call, .. } = route.table().own_call(authenticator.id).ok_or_else(gone)?;
    // Who the client is, only its fields say.
    let (id, trace) = (exchange.context.id.as_str(), Trace::of(exchange));
    let origin = Origin { id: id.as_bytes(), client: None, named_by: None, trace };
    let metadata =
        metadata::of(&[], exchange.head.fields(), &origin).map_err(|failure| unanswered(&failure))?;
    let now = Instant::now();
    let timeout = spec.external.timeout;
    let request = call::Request {
        route,
        call,
        backend: &call.backend,
        key: None,
        version: None,
        has_key: false,
        has_fallback: false,
        path: PathParams::default(),
        query,
        bound,
        body: call::Body::Whole(b""),
        metadata: metadata.as_metadata(),
        identity: None,
        times: Times { now, deadline: now + timeout, stream: timeout },
        on_sent: None,
        on_written: None,
        trail: None,
    };
    let reply = call::run(&exchange.worker, &request).await.map_err(|failure| unanswered(&failure))?;
    let Reply::Whole { replied, guards: _guards } = reply else {
        return Err(Unanswered::new(Flaw::BadAnswer, "the method streams its answer"));
    };
    let answer: Cow<'_, [u8]> = match &replied.json {
        Json::Short(json) => Cow::Borrowed(json.body()),
        Json::Long(pieces) if pieces.iter().map(bytes::Bytes::len).sum::<usize>() > told::MAX_TOLD => {
            return Err(Unanswered::new(Flaw::BadAnswer, "the answer is too long"));
        }
        Json::Long(pieces) => Cow::Owned(pieces.concat()),
    };
    told::from_json(&answer)?
        .ok_or_else(|| Unanswered::new(Flaw::Unknown, "the method knows nobody like that"))
}

/// What it means that there is no answer. A method says by codes that it does not know the caller, or does not let it in.
fn unanswered(failure: &Failure) -> Unanswered {
    let flaw = match failure {
        Failure::Method(failed) => match failed.status.code {
            Code::Unauthenticated | Code::NotFound => Flaw::Unknown,
            Code::PermissionDenied => Flaw::Forbidden,
            Code::DeadlineExceeded => Flaw::Late,
            _ => Flaw::Away,
        },
        Failure::Deadline => Flaw::Late,
        Failure::BadReply(_) | Failure::AnswerTooLong { .. } => Flaw::BadAnswer,
        // What the caller shows is no value of the method's field.
        Failure::Invalid(_) => Flaw::Malformed,
        Failure::MessageTooLarge(_) => Flaw::TooLong,
        _ => Flaw::Away,
    };
    let why = match failure {
        Failure::Misfit(error) | Failure::BadReply(error) | Failure::Internal(error) => error.clone(),
        Failure::Method(failed) => format!("{}: {}", failed.status.code.name(), failed.status.message),
        _ => failure.detail().into_owned(),
    };
    Unanswered::new(flaw, why)
}

/// All that the method is told, each text with its length before it. The order is that of the table.
fn told_bytes(bound: &BoundTexts<'_>, query: &QueryPairs<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut put = |text: Option<&str>| {
        // No text is that long; so one that is not there is like no other.
        let length = text.map_or(u64::MAX, |text| text.len() as u64);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(text.unwrap_or_default().as_bytes());
    };
    bound.iter().for_each(|text| put(text.as_deref()));
    query.iter().for_each(|(name, value)| {
        put(Some(name));
        put(Some(value));
    });
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use callgate_protocol::Status;

    #[test]
    fn two_questions_are_told_the_same_only_if_each_text_is_the_same_in_its_place() {
        let told = |bound: &[Option<&str>], query: &[(&str, &str)]| {
            let bound: BoundTexts<'_> = bound.iter().map(|text| text.map(Cow::from)).collect();
            let query = query.iter().map(|(name, value)| (Cow::from(*name), Cow::from(*value))).collect();
            told_bytes(&bound, &query)
        };
        let all = [
            told(&[Some("ab"), Some("c")], &[]),
            told(&[Some("a"), Some("bc")], &[]),
            told(&[Some("abc"), Some("")], &[]),
            told(&[Some("abc"), None], &[]),
            told(&[None, Some("abc")], &[]),
            told(&[None, None], &[("t", "abc")]),
            told(&[None, None], &[("ta", "bc")]),
            told(&[None, None], &[("t", "a"), ("t", "bc")]),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(all[..at].iter().all(|other| other != one), "{at}");
        }
        assert_eq!(all[0], told(&[Some("ab"), Some("c")], &[]));
    }

    #[test]
    fn what_has_failed_says_whose_fault_it_is_and_never_who_calls() {
        let method = |code| Failure::Method(Status::new(code, "because").into());
        for (failure, expected) in [
            (method(Code::Unauthenticated), Flaw::Unknown),
            (method(Code::NotFound), Flaw::Unknown),
            (method(Code::PermissionDenied), Flaw::Forbidden),
            (method(Code::DeadlineExceeded), Flaw::Late),
            (method(Code::Unavailable), Flaw::Away),
            (method(Code::Internal), Flaw::Away),
            (Failure::Deadline, Flaw::Late),
            (Failure::NoInstance, Flaw::Away),
            (Failure::NotOffered { unusable: None }, Flaw::Away),
            (Failure::Misfit("no".to_owned()), Flaw::Away),
            (Failure::BadReply("no".to_owned()), Flaw::BadAnswer),
            (Failure::Invalid(Vec::new()), Flaw::Malformed),
            (Failure::MessageTooLarge(1), Flaw::TooLong),
        ] {
            assert_eq!(unanswered(&failure).flaw, expected, "{failure:?}");
        }
    }
}
