//! Plays a case against a server, and says what differs from its verdict.

use crate::case::{Case, Reply, Step, Verdict};
use crate::client::Client;
use crate::frame::{Code, Frame, flag};
use crate::heard::{Heard, Stream};
use crate::hpack;
use std::net::SocketAddr;
use std::time::Duration;

/// A stream that no case uses: a sound request on it shows that the connection goes on.
const PROBE: u32 = 0x3fff_ffff;
const PROBE_PING: [u8; 8] = *b"go on?!\0";

/// Plays it, and waits so long for anything that does not come; what differs, if anything does.
pub async fn play(case: &Case, server: SocketAddr, patience: Duration) -> Option<String> {
    let mut client = match Client::connect(server).await {
        Ok(client) => client,
        Err(error) => return Some(format!("there is no connection: {error}")),
    };
    client.patience = patience;
    if !case.from_scratch {
        client.greet(&[]).await;
    }
    let acks = client.heard.settings_acks;
    for step in &case.steps {
        take(&mut client, step, acks).await;
    }
    let is_there = |heard: &Heard| is_there(&case.gets, heard, acks);
    client.wait(is_there).await;
    if !case.gets.ends() {
        probe(&mut client).await;
    }
    difference(case, &client.heard, acks)
}

async fn take(client: &mut Client, step: &Step, acks: usize) {
    match *step {
        Step::Send(ref bytes) => client.send(bytes).await,
        Step::Head(stream) => {
            client.wait(|heard| heard.stream(stream).status.is_some()).await;
        }
        Step::Body(stream, bytes) => {
            client.wait(|heard| heard.stream(stream).body.len() >= bytes).await;
        }
        Step::Over(stream) => {
            client.wait(|heard| heard.stream(stream).is_over()).await;
        }
        Step::Acked(count) => {
            client.wait(|heard| heard.settings_acks >= acks + count).await;
        }
        Step::Finish => client.finish().await,
    }
}

/// Whether all that the verdict names has come.
fn is_there(verdict: &Verdict, heard: &Heard, acks: usize) -> bool {
    let replies = verdict.replies.iter().all(|(id, expected)| {
        let stream = heard.stream(*id);
        if expected.unfinished {
            return stream.body.len() >= expected.bytes.unwrap_or(0) && stream.status.is_some();
        }
        // A reset may follow a whole reply.
        let is_both = expected.reset.is_some() && expected.status.is_some();
        if is_both { stream.reset.is_some() } else { stream.is_over() }
    });
    let acknowledged = verdict.acks.is_none_or(|count| heard.settings_acks >= acks + count);
    let pongs = verdict.pongs.iter().all(|pong| heard.pongs.contains(pong));
    replies && acknowledged && pongs && (!verdict.ends() || heard.ended)
}

/// A PING and a sound request are answered on a connection that goes on. What else was to be said is said before.
async fn probe(client: &mut Client) {
    let request = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/nothing")];
    client.send(&Frame::ping(PROBE_PING).bytes()).await;
    client.send(&Frame::headers(PROBE, hpack::block(&request)).with(flag::END_STREAM).bytes()).await;
    client.wait(|heard| heard.pongs.contains(&PROBE_PING) && heard.stream(PROBE).is_over()).await;
}

fn difference(case: &Case, heard: &Heard, acks: usize) -> Option<String> {
    if let Some(wrong) = &heard.wrong {
        return Some(format!("the server sends {wrong}"));
    }
    let got = verdict(&case.gets, heard, acks);
    if got != case.gets {
        return Some(format!("it got {got} for {}", case.gets));
    }
    let goes_on = heard.pongs.contains(&PROBE_PING) && heard.stream(PROBE).status == Some(204);
    let probed = heard.streams.get(&PROBE);
    (!case.gets.ends() && !goes_on).then(|| format!("the connection does not go on: {probed:?}"))
}

/// What was heard, as far as the verdict that is expected cares.
fn verdict(expected: &Verdict, heard: &Heard, acks: usize) -> Verdict {
    let is_error = |code: &Code| *code != Code(0) || expected.goaway == Some(Code(0));
    let goaway = heard.goaway.filter(is_error);
    let streams = heard.streams.iter().filter(|(id, _)| **id != PROBE);
    // What was under way when a connection ends may be answered or not.
    let counts = |id: &u32| !expected.ends() || expected.replies.contains_key(id);
    let replies = streams.filter(|(id, _)| counts(id));
    Verdict {
        replies: replies.map(|(id, stream)| (*id, reply(expected.replies.get(id), stream))).collect(),
        goaway,
        closed: heard.ended && goaway.is_none(),
        acks: expected.acks.map(|_| heard.settings_acks - acks),
        pongs: heard.pongs.iter().copied().filter(|pong| *pong != PROBE_PING).collect(),
    }
}

fn reply(expected: Option<&Reply>, stream: &Stream) -> Reply {
    Reply {
        status: stream.status,
        bytes: expected.and_then(|expected| expected.bytes).map(|_| stream.body.len()),
        unfinished: stream.status.is_some() && !stream.is_over(),
        reset: stream.reset,
    }
}
