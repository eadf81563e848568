//! What comes before a connection's first request is waited for as long as there is time and room, and the worker goes on: a PROXY
//! header, a TLS handshake. (The beginning of HTTP/2 waits by itself: what has come of it counts while the worker ends.)

use super::Connection;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Why it is not waited for any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::front) enum Over {
    /// There are too many handshakes, and this one is to end.
    Crowded,
    /// There is no more time for it.
    Late,
    /// The worker ends.
    Stopping,
}

impl Connection {
    /// Waits for the end of such work. What is done by now counts, whatever has happened meanwhile.
    ///
    /// # Errors
    /// It is not waited for any longer.
    pub(in crate::front) async fn unless_over<F: Future>(&self, work: F) -> Result<F::Output, Over> {
        let mut work = pin!(work);
        poll_fn(|cx| {
            self.remember(cx.waker());
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(Ok(done));
            }
            self.over().map_or(Poll::Pending, |over| Poll::Ready(Err(over)))
        })
        .await
    }

    fn over(&self) -> Option<Over> {
        if self.crowded_out.get() {
            Some(Over::Crowded)
        } else if self.expired.get() {
            Some(Over::Late)
        } else if self.open.stopping.get() {
            Some(Over::Stopping)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;
    use crate::config::HalfClose;
    use std::future::{pending, ready};

    #[tokio::test]
    async fn work_is_waited_for_until_a_mark_is_set_and_what_is_done_counts() {
        type Mark = fn(&Connection);
        let marks: [(Mark, Over); 3] = [
            (|connection| connection.open.stopping.set(true), Over::Stopping),
            (|connection| connection.expired.set(true), Over::Late),
            (|connection| connection.crowded_out.set(true), Over::Crowded),
        ];
        for (mark, over) in marks {
            let connection = testing::register(&testing::open(), HalfClose::Cancel);
            let set = async {
                mark(&connection);
                connection.wake();
            };
            let (ended, ()) = tokio::join!(connection.unless_over(pending::<()>()), set);
            assert_eq!(ended, Err(over));
            assert_eq!(connection.unless_over(ready(7)).await, Ok(7));
        }
    }
}
