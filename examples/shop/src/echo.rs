//! A mirror: gives back what it was given, in every type there is, late, piece by piece or not at all. For trying things out.

use crate::types::AllTypes;
use callgate_sdk::{Code, Context, Json, Status, Stream, Streaming, service};
use futures_util::stream;
use std::time::Duration;
use tokio::time::sleep;

/// Gives back what it is given.
#[service]
pub trait Echo {
    /// Any JSON.
    #[idempotent]
    async fn json(&self, doc: Json) -> Result<Json, Status>;

    /// A value of every type.
    #[idempotent]
    async fn types(&self, all: AllTypes) -> Result<AllTypes, Status>;

    /// Waits that many milliseconds and returns the number.
    #[idempotent]
    async fn delay(&self, ms: u32) -> Result<u32, Status>;

    /// Fails with the code of that name, such as `not_found`.
    async fn fail(&self, cx: &Context, code: String) -> Result<(), Status>;

    /// Streams the numbers from `from` up to `to`.
    #[idempotent]
    async fn count(
        &self,
        /// The first number.
        from: i64,
        /// No number is greater.
        to: i64,
        /// How much each is greater than the one before.
        #[default(1)]
        step: u32,
        /// How many milliseconds pass before the next one.
        #[default]
        pause_ms: u32,
    ) -> Result<impl Stream<Item = Result<i64, Status>>, Status>;

    /// Adds up what the caller streams; `out_of_range` if the sum does not fit 64 bits.
    async fn sum(&self, numbers: Streaming<i64>) -> Result<i64, Status>;

    /// Gives back each message of the caller as it comes.
    async fn chat(
        &self,
        messages: Streaming<String>,
    ) -> Result<impl Stream<Item = Result<String, Status>>, Status>;
}

/// The implementation.
#[derive(Debug)]
pub struct Mirror;

impl Echo for Mirror {
    async fn json(&self, doc: Json) -> Result<Json, Status> {
        Ok(doc)
    }

    async fn types(&self, all: AllTypes) -> Result<AllTypes, Status> {
        Ok(all)
    }

    async fn delay(&self, ms: u32) -> Result<u32, Status> {
        sleep(Duration::from_millis(ms.into())).await;
        Ok(ms)
    }

    // The context is what is known of a call beside its arguments: its deadline, and metadata such as the caller's name.
    async fn fail(&self, cx: &Context, code: String) -> Result<(), Status> {
        let caller = cx.metadata("caller").unwrap_or("the caller");
        match Code::from_name(&code) {
            Some(code) => Err(Status::new(code, format!("as {caller} wished"))),
            None => Err(Status::invalid_argument(format!("there is no code `{code}`"))),
        }
    }

    // The caller is told of a failure that comes before the stream. When it leaves, the stream is dropped, wherever it waits.
    async fn count(
        &self,
        from: i64,
        to: i64,
        step: u32,
        pause_ms: u32,
    ) -> Result<impl Stream<Item = Result<i64, Status>>, Status> {
        if step == 0 {
            return Err(Status::invalid_argument("with a step of 0 the count has no end"));
        }
        let pause = Duration::from_millis(pause_ms.into());
        Ok(stream::unfold(Some(from), move |next| async move {
            let number = next.filter(|number| *number <= to)?;
            if number != from && !pause.is_zero() {
                sleep(pause).await;
            }
            Some((Ok(number), number.checked_add(step.into())))
        }))
    }

    async fn sum(&self, mut numbers: Streaming<i64>) -> Result<i64, Status> {
        let mut sum: i64 = 0;
        while let Some(number) = numbers.next().await {
            let added = sum.checked_add(number?);
            sum = added.ok_or_else(|| Status::out_of_range("the sum does not fit 64 bits"))?;
        }
        Ok(sum)
    }

    // What the caller streams is a stream, and so is what it gets.
    async fn chat(
        &self,
        messages: Streaming<String>,
    ) -> Result<impl Stream<Item = Result<String, Status>>, Status> {
        Ok(messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use callgate_sdk::{Server, testing};
    use tokio::sync::mpsc;

    /// A caller of a server in this process.
    fn echo() -> EchoClient {
        testing::client(Server::new().service(EchoServer::new(Mirror))).into()
    }

    /// The numbers that come, and the code with which the stream fails.
    async fn all(mut numbers: Streaming<i64>) -> (Vec<i64>, Option<Code>) {
        let mut all = Vec::new();
        while let Some(number) = numbers.next().await {
            match number {
                Ok(number) => all.push(number),
                Err(status) => return (all, Some(status.code)),
            }
        }
        (all, None)
    }

    #[tokio::test]
    async fn it_fails_with_the_code_of_that_name() {
        for &code in Code::ALL {
            let failure = Mirror.fail(&Context::background(), code.name().to_owned()).await;
            assert_eq!(failure.map_err(|status| status.code), Err(code));
        }
        let failure = Mirror.fail(&Context::background(), "ok".to_owned()).await;
        assert_eq!(failure.map_err(|status| status.code), Err(Code::InvalidArgument));
    }

    #[tokio::test]
    async fn it_counts_up_to_the_last_number() {
        let echo = echo();
        for (from, to, step, expected) in [
            (10, 20, 2, vec![10, 12, 14, 16, 18, 20]),
            (10, 20, 3, vec![10, 13, 16, 19]),
            (-1, 1, 1, vec![-1, 0, 1]),
            (7, 7, 1, vec![7]),
            (8, 7, 1, vec![]),
            (i64::MAX - 1, i64::MAX, 2, vec![i64::MAX - 1]),
        ] {
            let counted = echo.count(from, to, step, 0).await.expect("it streams");
            assert_eq!(all(counted).await, (expected, None), "{from} to {to} by {step}");
        }
        let endless = echo.count(1, 2, 0, 0).await;
        assert_eq!(endless.map(drop).map_err(|status| status.code), Err(Code::InvalidArgument));
    }

    #[tokio::test(start_paused = true)]
    async fn it_counts_as_slowly_as_it_is_told() {
        let began = tokio::time::Instant::now();
        let counted = echo().count(1, 4, 1, 500).await.expect("it streams");
        assert_eq!(all(counted).await, (vec![1, 2, 3, 4], None));
        assert_eq!(began.elapsed().as_millis() / 100, 15, "three pauses");
        // The client waits for 10 s, unless it is told.
        let counted = echo().count(1, 100, 1, 3000).await.expect("it streams");
        assert_eq!(all(counted).await, (vec![1, 2, 3, 4], Some(Code::DeadlineExceeded)));
    }

    #[tokio::test]
    async fn it_adds_up_what_is_streamed() {
        let echo = echo();
        assert_eq!(echo.sum(Streaming::of(stream::iter(1..=1000))).await, Ok(500_500));
        assert_eq!(echo.sum(Streaming::of(stream::empty())).await, Ok(0));
        let overflow = echo.sum(Streaming::of(stream::iter([i64::MAX, 1]))).await;
        assert_eq!(overflow.map_err(|status| status.code), Err(Code::OutOfRange));
    }

    #[tokio::test]
    async fn each_message_comes_back_before_the_next_is_said() {
        let (say, mut said) = mpsc::channel::<String>(1);
        let messages = Streaming::of(stream::poll_fn(move |cx| said.poll_recv(cx)));
        let mut chat = echo().chat(messages).await.expect("it streams");
        for message in ["hello", "", "good-bye"] {
            say.send(message.to_owned()).await.expect("it is heard");
            assert_eq!(chat.next().await, Some(Ok(message.to_owned())));
        }
        drop(say);
        assert_eq!(chat.next().await, None);
    }
}
