//! A call to an instance, and what comes of it, printed as it comes.

use super::session::Session;
use super::{Call, Input, output};
use crate::call::{Alone, Answer, Body, BodyStream, Bounds};
use crate::cli::{Failure, signature};
use crate::config::{CallRef, CallSpec, ReplySpec, Source, Tables};
use crate::transport::callgate::MethodEntry;
use crate::transport::{Binding, Call as LinkCall, Times};
use bytes::Bytes;
use callgate_protocol::MetadataBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long a stream may go on: as long as anybody would wait.
const MAX_STREAM: Duration = Duration::from_secs(30 * 24 * 3600);

/// How long a result may be as JSON, in bytes.
const LONGEST: u64 = 512 << 20;

/// Makes the call, and prints what comes of it.
pub(super) async fn run(
    session: &Session,
    method: &MethodEntry,
    name: &CallRef,
    input: &Input,
    call: &Call,
) -> Result<(), Failure> {
    let spec = spec(name)?;
    let reply = Arc::new(ReplySpec { all_metadata: true, ..ReplySpec::default() });
    let binding = Binding {
        id: 1,
        slot: 0,
        call: &spec.call,
        request: &spec.request,
        response: &spec.response,
        // With streams there is no head to say it in.
        reply: (call.verbose && !method.streams.service).then_some(&reply),
        rules: &spec.policy.rules,
    };
    let metadata = metadata(input)?;
    let stream = match method.streams.caller {
        true => Some(BodyStream::beside(input.json.clone(), input.pieces(&call.items)?)),
        false => None,
    };
    let body = stream.as_ref().map_or(Body::Whole(&input.json), |stream| Body::Stream(stream, &[]));
    if call.verbose {
        tell(session, method, input);
    }
    let (query, now) = (input.query(), Instant::now());
    let times = Times { now, deadline: now + call.timeout, stream: MAX_STREAM };
    let what = LinkCall {
        binding,
        path: &[],
        query: &query,
        bound: &[],
        body,
        metadata: metadata.as_metadata(),
        identity: None,
        on_written: None,
    };
    let bounds = Bounds { memory: session.memory.clone(), longest: LONGEST };
    let done = match Alone::send(&session.link, &what, times, &bounds) {
        Ok(mut sent) => print(&mut sent, now, call.verbose).await,
        Err(failure) => Err(failure),
    };
    done.map_err(|failure| output::failure(&failure, call.output.json))
}

/// What a table says of a route that calls the method and nothing else: all that a body has are its arguments.
fn spec(name: &CallRef) -> Result<Arc<CallSpec>, Failure> {
    let call = match name {
        CallRef::Name { .. } => format!("\"{name}\""),
        CallRef::Number(number) => format!("\"{number}\""),
    };
    let text = format!(
        "[backends.instance]\nendpoints = [\"127.0.0.1:1\"]\n[[routes]]\nmatch = \"POST /\"\ncall = {call}\n"
    );
    let tables = Tables::parse(vec![Source::new("command line", text)])?;
    let spec = tables.routes.first().and_then(|route| route.action.call().cloned());
    spec.ok_or_else(|| Failure::NotAsked(format!("`{name}` cannot be called")))
}

fn metadata(input: &Input) -> Result<MetadataBuf, Failure> {
    let mut metadata = MetadataBuf::default();
    for (name, value) in &input.headers {
        if !metadata.push_named(name, value.as_bytes()) {
            return Err(Failure::NotAsked(format!("`{name}` does not go along: there is too much of it")));
        }
    }
    Ok(metadata)
}

/// Prints the result, or each item as it comes.
async fn print(sent: &mut Alone, began: Instant, verbose: bool) -> Result<(), crate::failure::Failure> {
    let answer = sent.answer().await?;
    let first = began.elapsed();
    let mut printed = output::Printed::default();
    match answer {
        Answer::Whole(replied) => {
            if verbose {
                let metadata = replied.noted.iter().flat_map(|noted| &noted.all_metadata);
                metadata.for_each(|(name, value)| {
                    output::aside('<', &format!("{name}: {}", String::from_utf8_lossy(value)));
                });
            }
            printed.result(replied.pieces());
        }
        Answer::Items => {
            while let Some(item) = sent.item().await? {
                if !printed.item(&item) {
                    // Its reader has gone, and nobody else wants it.
                    break;
                }
            }
        }
    }
    if verbose {
        let all = began.elapsed();
        output::aside('<', &format!("{printed}, begun after {first:.1?}, ended after {all:.1?}"));
    }
    Ok(())
}

/// What is called, and what goes along.
fn tell(session: &Session, method: &MethodEntry, input: &Input) {
    let schema = &method.fingerprint;
    output::aside('>', &signature::of(method));
    let inside =
        session.tls.as_ref().map(|tls| format!(" inside {}, as {}", tls.version, tls.identity.subject()));
    let inside = inside.unwrap_or_default();
    let Session { addr, offer, took, .. } = session;
    output::aside('>', &format!("{addr} ({}){inside}, connected after {took:.1?}", offer.identity));
    output::aside('>', &format!("Call ID {}, schema {schema}", method.call_id));
    for (name, value) in &input.headers {
        output::aside('>', &format!("{name}: {value}"));
    }
    if !input.json.is_empty() {
        output::aside('>', &String::from_utf8_lossy(&Bytes::clone(&input.json)));
    }
}
