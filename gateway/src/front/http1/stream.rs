//! A reply that has only begun, as its items come: in chunks, or until the connection ends for a client of HTTP/1.0.

use crate::buffers::Buffers;
use crate::failure::Failure;
use crate::front::reply::{End, Gathered, Streamed};
use crate::front::wire::Wire;
use callgate_http1::{LAST_CHUNK, chunk};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Sends the head, which is in `out`, and what comes behind it. `cut` tells the log why it is cut, if it is, and gives the problem. Says how
/// it has ended: one that is torn has no last chunk, so that nobody takes it for whole. A client that leaves meanwhile ends it, which is an
/// error.
pub(super) async fn stream(
    wire: &Wire,
    out: &mut Vec<u8>,
    reply: &mut Streamed,
    is_chunked: bool,
    cut: &dyn Fn(&Failure) -> Vec<u8>,
) -> io::Result<End> {
    // Its client may pause.
    let _free = wire.connection.pace.set_free();
    let buffers = wire.connection.open.buffers.clone();
    loop {
        let mut batch = Vec::new();
        let has_head = !out.is_empty();
        let gathered = poll_fn(|cx| gather(cx, wire, reply, &buffers, &mut batch, has_head)).await?;
        let end = match gathered {
            Gathered::Some => None,
            Gathered::Last => Some(End::Whole),
            // What has come before goes to the client, too.
            Gathered::Cut(failure) => Some(reply.put_cut(&failure, &cut(&failure), &mut batch)),
        };
        if is_chunked {
            chunk(out, &batch);
        } else {
            out.extend_from_slice(&batch);
        }
        buffers.give_back(batch);
        if is_chunked && end.is_some_and(|end| end != End::Torn) {
            out.extend_from_slice(LAST_CHUNK);
        }
        write(wire, reply, out, cut).await?;
        // Nobody keeps a buffer who waits.
        buffers.give_back(std::mem::take(out));
        if let Some(end) = end {
            return Ok(end);
        }
    }
}

/// Gathers what has come; waits when there is nothing to send, and no head either. While nothing comes there is no buffer for it.
fn gather(
    cx: &mut Context<'_>,
    wire: &Wire,
    reply: &mut Streamed,
    buffers: &Rc<Buffers>,
    batch: &mut Vec<u8>,
    has_head: bool,
) -> Poll<io::Result<Gathered>> {
    *batch = buffers.take();
    let gathered = reply.poll_gather(cx, wire.connection.open.streams_over.get(), batch);
    if let Poll::Ready(gathered) = gathered {
        return Poll::Ready(Ok(gathered));
    }
    buffers.give_back(std::mem::take(batch));
    if has_head {
        return Poll::Ready(Ok(Gathered::Some));
    }
    if wire.poll_left(cx) {
        return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
    }
    Poll::Pending
}

/// Writes all that is in `out`, as long as the client is there and there is time for it.
async fn write(
    wire: &Wire,
    reply: &mut Streamed,
    out: &[u8],
    cut: &dyn Fn(&Failure) -> Vec<u8>,
) -> io::Result<()> {
    let mut written = pin!(wire.write_all(out, &[]));
    poll_fn(|cx| {
        if let Poll::Ready(written) = written.as_mut().poll(cx) {
            return Poll::Ready(written);
        }
        if wire.poll_left(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        reply.poll_blocked(cx).map(|failure| {
            failure.iter().for_each(|failure| drop(cut(failure)));
            Err(io::ErrorKind::TimedOut.into())
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{self, tests::with_begun_reply};
    use crate::config::{CallSpec, HalfClose, Source, Tables};
    use crate::front::connection::testing;
    use crate::front::reply::{Content, Reply};
    use crate::stream::AsyncStream;
    use crate::transport::Outcome;
    use std::sync::Arc;
    use tokio::io::AsyncReadExt;
    use tokio::net::UnixStream;

    fn spec() -> Arc<CallSpec> {
        let text = "[backends.a]\nendpoints = ['x:1']\n[[routes]]\nmatch = 'GET /'\ncall = 's.m'\n";
        let tables = Tables::parse(vec![Source::new("t.toml", text)]).expect("sound tables");
        tables.routes[0].action.call().expect("it calls").clone()
    }

    /// A reply whose items are sent as they are.
    fn begun(reply: call::Reply) -> Box<Streamed> {
        let Content::Begun(begun) = Reply::of_call(&spec(), reply).content else { panic!("it has begun") };
        begun
    }

    #[tokio::test]
    async fn items_are_sent_as_they_come_and_a_reply_that_is_torn_has_no_end() {
        for (outcome, is_chunked, expected) in [
            (Outcome::Complete, true, Some("\r\n0\r\n\r\n")),
            (Outcome::Complete, false, Some("2]")),
            (Outcome::Lost, true, None),
        ] {
            with_begun_reply(async |reply, sending| {
                let mut begun = begun(reply);
                let (mut client, stream_of) = UnixStream::pair().expect("two sockets");
                let connection = testing::register(&testing::open(), HalfClose::Cancel);
                let wire = Wire::new(AsyncStream::Unix(stream_of), connection);
                let mut out = b"head ".to_vec();
                let cut = |_: &Failure| Vec::new();
                let send = stream(&wire, &mut out, &mut begun, is_chunked, &cut);
                let hear = async {
                    let mut head = [0; 5];
                    client.read_exact(&mut head).await.expect("the head does not wait");
                    assert_eq!(&head, b"head ");
                    assert!(sending.send("[1,").await && sending.send("2]").await);
                    sending.ends(outcome);
                };
                let (sent, ()) = tokio::join!(send, hear);
                assert_eq!(sent.ok(), Some(if expected.is_some() { End::Whole } else { End::Torn }));
                drop(wire);
                let mut rest = String::new();
                client.read_to_string(&mut rest).await.expect("it can be read");
                let is_item = |part: &&str| part.starts_with('[') || part.ends_with(']');
                match expected {
                    Some(end) => {
                        assert_eq!(rest.split("\r\n").filter(is_item).collect::<String>(), "[1,2]");
                        assert!(rest.ends_with(end), "{rest}");
                    }
                    None => assert!(!rest.contains("0\r\n\r\n"), "{rest}"),
                }
            })
            .await;
        }
    }

    #[tokio::test]
    async fn a_client_that_leaves_ends_the_call() {
        with_begun_reply(async |reply, _sending| {
            let mut begun = begun(reply);
            let (client, stream_of) = UnixStream::pair().expect("two sockets");
            let connection = testing::register(&testing::open(), HalfClose::Cancel);
            let wire = Wire::new(AsyncStream::Unix(stream_of), connection);
            drop(client);
            let cut = |_: &Failure| Vec::new();
            let sent = stream(&wire, &mut Vec::new(), &mut begun, true, &cut).await;
            assert!(sent.is_err(), "{sent:?}");
        })
        .await;
    }
}
