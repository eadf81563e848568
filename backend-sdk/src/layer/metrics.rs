//! Counts calls, as Prometheus wants it.

use super::by_method::ByMethod;
use super::histogram::Histogram;
use super::{Call, Layer, Next, Outcome, Side, dropped};
use crate::Code;
use crate::service::Method;
use std::fmt::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const CALLS: &str = "callgate_sdk_calls_total";
const DURATION: &str = "callgate_sdk_call_duration_seconds";
const IN_FLIGHT: &str = "callgate_sdk_calls_in_flight";

/// What is counted under the code 0, which is no failure's.
const OK: usize = 0;

/// Counts the calls of each method: how many have ended and how (`callgate_sdk_calls_total`), how long they have taken
/// (`callgate_sdk_call_duration_seconds`), and how many are running (`callgate_sdk_calls_in_flight`). Labels are `side` (`server` or
/// `client`), `service`, `method`, and for the first `code`, which is `ok` or that of the failure.
///
/// Clones count together. One may be a layer of a server and of clients at once. [`render`](Self::render) gives the text that
/// Prometheus reads; the program offers it as it likes.
///
/// ```
/// use callgate_sdk::layer::Metrics;
///
/// let metrics = Metrics::new();
/// let server = callgate_sdk::Server::new().layer(metrics.clone());
/// let client = callgate_sdk::Client::builder().layer(metrics.clone());
/// // For GET /metrics:
/// let text: String = metrics.render();
/// ```
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// By side and the address of the method.
    series: Arc<ByMethod<(Side, usize), Series>>,
}

/// The calls of one method at one side.
struct Series {
    side: Side,
    method: &'static Method,
    /// Calls that have ended, by the number of their code.
    ended: [AtomicU64; Code::ALL.len() + 1],
    took: Histogram,
    running: AtomicU64,
}

impl Metrics {
    /// Nothing is counted yet.
    pub fn new() -> Metrics {
        Metrics::default()
    }

    /// All of it in Prometheus' text format, version 0.0.4 (`text/plain; version=0.0.4`).
    pub fn render(&self) -> String {
        let mut all = self.series.all();
        all.sort_by_key(|one| (one.side.name(), one.method.service, one.method.name));
        let mut out = String::new();
        // Writing to a text does not fail.
        let _ = write_all(&all, &mut out);
        out
    }

    fn series(&self, side: Side, method: &'static Method) -> Arc<Series> {
        let key = (side, std::ptr::from_ref(method).addr());
        self.series.get(key, || Series::new(side, method))
    }
}

impl Layer for Metrics {
    async fn call(&self, call: Call, next: Next) -> Outcome {
        let series = self.series(call.side(), call.target());
        let running = Running::begin(&series, call.context().deadline());
        let outcome = next.run(call).await;
        running.end(outcome.as_ref().map_or_else(|status| status.code as usize, |_| OK));
        outcome
    }
}

/// A call that is running. When it is dropped it was cancelled, or its deadline has passed.
struct Running<'a> {
    series: &'a Series,
    began: Instant,
    deadline: Option<Instant>,
    ended: bool,
}

impl<'a> Running<'a> {
    fn begin(series: &'a Series, deadline: Option<Instant>) -> Running<'a> {
        series.running.fetch_add(1, Ordering::Relaxed);
        Running { series, began: Instant::now(), deadline, ended: false }
    }

    fn end(mut self, code: usize) {
        self.ended = true;
        self.count(code, self.began.elapsed());
    }

    fn count(&self, code: usize, took: Duration) {
        self.series.ended[code].fetch_add(1, Ordering::Relaxed);
        self.series.took.add(took);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.series.running.fetch_sub(1, Ordering::Relaxed);
        if !self.ended {
            self.count(dropped(self.deadline) as usize, self.began.elapsed());
        }
    }
}

impl Series {
    fn new(side: Side, method: &'static Method) -> Series {
        Series {
            side,
            method,
            ended: Default::default(),
            took: Histogram::default(),
            running: AtomicU64::new(0),
        }
    }

    fn labels(&self) -> String {
        // Names of services and methods have nothing that would have to be escaped.
        let (side, Method { service, name, .. }) = (self.side.name(), self.method);
        format!("side=\"{side}\",service=\"{service}\",method=\"{name}\"")
    }
}

impl fmt::Debug for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Series").field(&self.labels()).finish()
    }
}

fn write_all(all: &[Arc<Series>], out: &mut String) -> fmt::Result {
    writeln!(out, "# HELP {CALLS} Calls that have ended.\n# TYPE {CALLS} counter")?;
    for series in all {
        let labels = series.labels();
        for (number, ended) in series.ended.iter().enumerate() {
            let (ended, code) = (ended.load(Ordering::Relaxed), name(number));
            if ended > 0 {
                writeln!(out, "{CALLS}{{{labels},code=\"{code}\"}} {ended}")?;
            }
        }
    }
    writeln!(out, "# HELP {DURATION} How long calls have taken.\n# TYPE {DURATION} histogram")?;
    for series in all {
        series.took.render(DURATION, &series.labels(), out)?;
    }
    writeln!(out, "# HELP {IN_FLIGHT} Calls that are running.\n# TYPE {IN_FLIGHT} gauge")?;
    for series in all {
        writeln!(out, "{IN_FLIGHT}{{{}}} {}", series.labels(), series.running.load(Ordering::Relaxed))?;
    }
    Ok(())
}

fn name(number: usize) -> &'static str {
    match number {
        OK => "ok",
        code => Code::from_number(u8::try_from(code).unwrap_or_default()).name(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{CANCEL, QUOTE, next, of, reply, through};
    use super::*;
    use crate::{Context, Status};
    use std::future::pending;

    #[track_caller]
    fn has(metrics: &Metrics, line: &str) {
        let text = metrics.render();
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }

    #[tokio::test]
    async fn calls_are_counted_by_side_method_and_code() {
        let metrics = Metrics::new();
        let none = Context::background;
        for _ in 0..2 {
            let call = of(&QUOTE, Side::Server, none());
            through(metrics.clone(), call, |_| async { Ok(reply(1)) }).await.expect("succeeds");
        }
        let refuse = |_| async { Err(Status::unauthenticated("no")) };
        through(metrics.clone(), of(&QUOTE, Side::Server, none()), refuse).await.expect_err("fails");
        through(metrics.clone(), of(&CANCEL, Side::Client, none()), refuse).await.expect_err("fails");
        let (server, client) = (
            r#"side="server",service="orders",method="quote""#,
            r#"side="client",service="orders",method="cancel""#,
        );
        has(&metrics, &format!("callgate_sdk_calls_total{{{server},code=\"ok\"}} 2"));
        has(&metrics, &format!("callgate_sdk_calls_total{{{server},code=\"unauthenticated\"}} 1"));
        has(&metrics, &format!("callgate_sdk_calls_total{{{client},code=\"unauthenticated\"}} 1"));
        has(&metrics, &format!("callgate_sdk_call_duration_seconds_count{{{server}}} 3"));
        has(&metrics, &format!("callgate_sdk_calls_in_flight{{{client}}} 0"));
    }

    #[tokio::test]
    async fn a_call_that_is_dropped_was_cancelled_or_late() {
        let metrics = Metrics::new();
        let late = Context::background().with_timeout(Duration::ZERO);
        let mut calls = [Context::background(), late]
            .map(|cx| Box::pin(next(metrics.clone(), |_| pending()).run(of(&QUOTE, Side::Server, cx))));
        for call in &mut calls {
            assert!(poll(call.as_mut()).is_pending());
        }
        let labels = r#"side="server",service="orders",method="quote""#;
        has(&metrics, &format!("callgate_sdk_calls_in_flight{{{labels}}} 2"));
        drop(calls);
        has(&metrics, &format!("callgate_sdk_calls_in_flight{{{labels}}} 0"));
        has(&metrics, &format!("callgate_sdk_calls_total{{{labels},code=\"cancelled\"}} 1"));
        has(&metrics, &format!("callgate_sdk_calls_total{{{labels},code=\"deadline_exceeded\"}} 1"));
    }

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> std::task::Poll<F::Output> {
        future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
    }

    #[test]
    fn every_code_has_its_place() {
        for &code in Code::ALL {
            assert_eq!(name(code as usize), code.name());
        }
        assert_eq!(name(OK), "ok");
    }
}
