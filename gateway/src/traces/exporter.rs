//! The thread that sends spans to their collector, until the process ends.
//!
//! It has a runtime of its own, so that nothing that it waits for or reckons keeps a worker or an acceptor.

use super::Traces;
use crate::config::{HttpTarget, TracesSettings};
use crate::http_client::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use crate::http_client::{Bounds, HeaderMap, Method, Pool, Request};
use crate::priority::stand_back;
use crate::supervise::{Supervisor, Task, supervised};
use callgate_otlp::{Answer, Course, Resource, export};
use callgate_tls::rustls::ClientConfig;
use std::cell::{Cell, RefCell};
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

/// What one request may take, and how long its answer may be.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(10), body: 64 << 10 };
/// How long the end of the process waits for the last spans.
const LAST: Duration = Duration::from_secs(3);

/// The thread. When this is dropped, it ends.
#[derive(Debug)]
pub struct Exporter {
    ends: watch::Sender<bool>,
    ended: oneshot::Receiver<()>,
}

impl Exporter {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// There is no thread, or no runtime for it; or it was started already.
    pub fn start(
        traces: &Arc<Traces>,
        settings: &TracesSettings,
        supervisor: &Arc<Supervisor>,
    ) -> io::Result<Exporter> {
        let rings = traces.rings.lock().ok().and_then(|mut rings| rings.take());
        let rings = rings.ok_or_else(|| io::Error::other("spans are sent already"))?;
        let (ends, told) = watch::channel(false);
        let (done, ended) = oneshot::channel();
        let (traces, settings, supervisor) = (traces.clone(), settings.clone(), supervisor.clone());
        let work = move || {
            stand_back();
            let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                let (mut course, collector) = (Course::new(rings, told), Collector::new(&settings));
                let resource = resource(&settings);
                let mut run = async || {
                    export(&traces.spans, &resource, &mut course, |body| collector.post(body)).await;
                };
                supervised!(supervisor, Task::TraceExporter, run());
            });
            // Without waiting: a name that is being looked up in a thread of its own cannot be told to stop.
            runtime.shutdown_background();
            let _ = done.send(());
        };
        thread::Builder::new().name("traces".to_owned()).spawn(work)?;
        Ok(Exporter { ends, ended })
    }

    /// Has what is left sent, and waits for that, though not long.
    pub async fn finish(self) {
        self.ends.send_replace(true);
        // What is not sent then is lost with the process.
        if timeout(LAST, self.ended).await.is_err() {
            tracing::warn!("the last spans were not sent in time");
        }
    }
}

/// The gateway, as collectors know it.
fn resource(settings: &TracesSettings) -> Resource {
    let version = env!("CARGO_PKG_VERSION");
    let instance = format!("{:032x}", fastrand::u128(..));
    let attributes = [
        ("service.name", settings.service.as_str()),
        ("service.version", version),
        ("service.instance.id", &instance),
    ];
    Resource::new(attributes, ("callgate", version))
}

/// Who collects spans.
struct Collector {
    target: HttpTarget,
    fields: HeaderMap,
    pool: Pool,
    /// Whose certificate is believed, once that was read.
    tls: RefCell<Option<Arc<ClientConfig>>>,
    /// The last request was not taken.
    fails: Cell<bool>,
}

impl Collector {
    fn new(settings: &TracesSettings) -> Collector {
        let mut fields: HeaderMap = settings.headers.iter().cloned().collect();
        fields.insert(CONTENT_TYPE, HeaderValue::from_static(callgate_otlp::CONTENT_TYPE));
        let target = settings.target.clone();
        Collector { target, fields, pool: Pool::default(), tls: RefCell::default(), fails: Cell::new(false) }
    }

    /// Sends a request once.
    async fn post(&self, body: Vec<u8>) -> Answer {
        let (answer, why) = match self.ask(body).await {
            Ok((status, answer)) => (answer, format!("it has answered {status}")),
            Err(why) => (Answer::Unreachable, why),
        };
        let fails = !matches!(answer, Answer::Taken(_));
        if fails {
            // Its CAs may be others by now.
            self.tls.take();
        }
        if fails != self.fails.replace(fails) {
            let collector = self.target.url.authority();
            match fails {
                true => tracing::warn!(collector, error = why, "spans are not taken"),
                false => tracing::info!(collector, "spans are taken again"),
            }
        }
        answer
    }

    async fn ask(&self, body: Vec<u8>) -> Result<(u16, Answer), String> {
        let tls = self.tls().await?;
        let request = Request { method: Method::POST, fields: self.fields.clone(), body: body.into() };
        let reply = self.pool.ask((0, 0), &self.target.url, tls, request, &BOUNDS).await;
        let reply = reply.map_err(|failed| failed.to_string())?;
        let seconds = reply.one(RETRY_AFTER.as_str()).ok().flatten().and_then(|text| text.parse().ok());
        Ok((reply.status, Answer::of(reply.status, seconds, &reply.body)))
    }

    async fn tls(&self) -> Result<Option<Arc<ClientConfig>>, String> {
        if !self.target.url.is_https() {
            return Ok(None);
        }
        if let Some(known) = self.tls.borrow().clone() {
            return Ok(Some(known));
        }
        let whose = self.target.clone();
        // Files are read beside the runtime.
        let read = tokio::task::spawn_blocking(move || whose.tls()).await;
        let read = read.unwrap_or_else(|error| Err(error.to_string()))?;
        self.tls.replace(read.clone());
        Ok(read)
    }
}
