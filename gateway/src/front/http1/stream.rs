//! A reply that has only begun, as its items come: in chunks, or until the connection ends for a client of HTTP/1.0.

use crate::call::ReplyStream;
use crate::failure::Failure;
use crate::front::wire::Wire;
use callgate_http1::{LAST_CHUNK, chunk};
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

/// Items that are there are sent together, up to so many bytes.
const FULL: usize = 64 * 1024;

/// Why a reply has no end.
#[derive(Debug)]
pub(super) enum BrokenOff {
    /// Its client takes nothing any more.
    Client(io::Error),
    /// Its call has failed, which its client cannot be told any more.
    Call(Failure),
}

impl From<io::Error> for BrokenOff {
    fn from(error: io::Error) -> BrokenOff {
        BrokenOff::Client(error)
    }
}

/// Sends the head, which is in `out`, and what comes behind it. A client that leaves meanwhile ends it, and so does a reply that breaks
/// off: without its last chunk nobody takes it for whole.
pub(super) async fn stream(
    wire: &Wire,
    out: &mut Vec<u8>,
    reply: &mut ReplyStream,
    is_chunked: bool,
) -> Result<(), BrokenOff> {
    let mut goes_on = true;
    while goes_on {
        let gathered = poll_fn(|cx| gather(cx, wire, out, reply, is_chunked)).await;
        // What has come before it breaks off goes to the client, too.
        wire.write_all(out, &[]).await?;
        out.clear();
        goes_on = gathered?;
    }
    Ok(())
}

/// Puts the items that are there into `out`; waits when there is nothing to send. Says whether more may come.
fn gather(
    cx: &mut Context<'_>,
    wire: &Wire,
    out: &mut Vec<u8>,
    reply: &mut ReplyStream,
    is_chunked: bool,
) -> Poll<Result<bool, BrokenOff>> {
    while out.len() < FULL {
        match reply.poll_next(cx) {
            Poll::Ready(Some(Ok(item))) if is_chunked => chunk(out, &item),
            Poll::Ready(Some(Ok(item))) => out.extend_from_slice(&item),
            Poll::Ready(Some(Err(failure))) => return Poll::Ready(Err(BrokenOff::Call(failure))),
            Poll::Ready(None) => {
                out.extend_from_slice(if is_chunked { LAST_CHUNK } else { b"" });
                return Poll::Ready(Ok(false));
            }
            Poll::Pending if !out.is_empty() => return Poll::Ready(Ok(true)),
            Poll::Pending if wire.poll_left(cx) => {
                return Poll::Ready(Err(BrokenOff::Client(io::ErrorKind::ConnectionAborted.into())));
            }
            Poll::Pending => return Poll::Pending,
        }
    }
    Poll::Ready(Ok(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{self, tests::with_begun_reply};
    use crate::config::HalfClose;
    use crate::front::connection::testing;
    use crate::stream::AsyncStream;
    use crate::transport::Outcome;
    use tokio::io::AsyncReadExt;
    use tokio::net::UnixStream;

    #[tokio::test]
    async fn items_are_sent_as_they_come_and_a_reply_that_breaks_off_has_no_end() {
        for (outcome, is_chunked, expected) in [
            (Outcome::Complete, true, Some("3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n")),
            (Outcome::Complete, false, Some("[1,2]")),
            (Outcome::Lost, true, None),
        ] {
            with_begun_reply(async |reply, sending| {
                let call::Reply::Begun(mut begun) = reply else { panic!("it has begun") };
                let (mut client, stream_of) = UnixStream::pair().expect("two sockets");
                let connection = testing::register(&testing::open(), HalfClose::Cancel);
                let wire = Wire::new(AsyncStream::Unix(stream_of), connection);
                let mut out = b"head ".to_vec();
                let send = stream(&wire, &mut out, &mut begun, is_chunked);
                let hear = async {
                    let mut head = [0; 5];
                    client.read_exact(&mut head).await.expect("the head does not wait");
                    assert_eq!(&head, b"head ");
                    assert!(sending.send("[1,").await && sending.send("2]").await);
                    sending.ends(outcome);
                };
                let (sent, ()) = tokio::join!(send, hear);
                match expected {
                    Some(_) => sent.expect("it has an end"),
                    None => assert!(matches!(sent, Err(BrokenOff::Call(Failure::Lost))), "{sent:?}"),
                }
                drop(wire);
                let mut rest = String::new();
                client.read_to_string(&mut rest).await.expect("it can be read");
                match expected {
                    Some(expected) => assert_eq!(rest, expected),
                    None => assert!(!rest.contains("0\r\n\r\n"), "{rest}"),
                }
            })
            .await;
        }
    }

    #[tokio::test]
    async fn a_client_that_leaves_ends_the_call() {
        with_begun_reply(async |reply, _sending| {
            let call::Reply::Begun(mut begun) = reply else { panic!("it has begun") };
            let (client, stream_of) = UnixStream::pair().expect("two sockets");
            let connection = testing::register(&testing::open(), HalfClose::Cancel);
            let wire = Wire::new(AsyncStream::Unix(stream_of), connection);
            drop(client);
            let sent = stream(&wire, &mut Vec::new(), &mut begun, true).await;
            assert!(matches!(sent, Err(BrokenOff::Client(_))), "{sent:?}");
        })
        .await;
    }
}
