//! A copy of a call, for instances whose answer nobody hears. It is sent once, and at once or not at all: it waits for no
//! instance, is not sent again, takes nothing from the retry budget, and nothing is held for it.

use super::Request;
use crate::backends::{Pick, Tried, Wanted};
use crate::telemetry::ShadowOutcome;
use crate::transport::callgate::{Answer, InFlight, Times, Unsent};
use crate::worker::Worker;
use callgate_transcode::RequestInput;
use tokio::time::Instant;

/// Sends it, if an instance has room for it now. Otherwise what became of it.
pub fn send_copy(worker: &Worker, request: &Request<'_>) -> Result<InFlight, ShadowOutcome> {
    let times = Times { now: Instant::now(), ..request.times };
    if times.now >= times.deadline {
        return Err(ShadowOutcome::Late);
    }
    let backend = worker.pool.backend(request.backend).ok_or(ShadowOutcome::NoInstance)?;
    let wanted = Some(Wanted::new(request.call, request.version));
    let mut tried = Tried { wanted, key: request.key, ..Tried::default() };
    loop {
        let Pick::Ready(conn) = backend.pick(&tried) else {
            let lacks = !tried.lacking.is_empty() || !backend.lacking(&tried).is_empty();
            return Err(if lacks { ShadowOutcome::Unfit } else { ShadowOutcome::NoInstance });
        };
        let Some(program) = conn.transcoder(request.call, worker.pool.transcoders()) else {
            tried.lacking.push(conn.endpoint.id);
            continue;
        };
        let transcoder = program.map_err(|_| ShadowOutcome::Unfit)?;
        let input = RequestInput { path: &request.path, query: &request.query, body: request.body };
        return conn.call(&transcoder, times, request.metadata, &input).map_err(|unsent| match unsent {
            Unsent::Full => ShadowOutcome::NoInstance,
            Unsent::Invalid(_) | Unsent::TooLarge(_) => ShadowOutcome::Unfit,
        });
    }
}

/// What became of one that was sent.
pub fn copy_ended(answer: &Answer) -> ShadowOutcome {
    match answer {
        // The JSON of a long one is not made: nobody would read it.
        Answer::Json(_) | Answer::Long(_) | Answer::TooLong(_) | Answer::NoRoom => ShadowOutcome::Ok,
        Answer::Failed(_) | Answer::BadReply(_) => ShadowOutcome::Failed,
        Answer::Late => ShadowOutcome::Late,
        Answer::NotAccepted | Answer::Refused(_) | Answer::Lost => ShadowOutcome::Lost,
    }
}
