//! The road of a call, with instances that the test plays and a clock that it moves.

use super::{Body, BodyStream, Reply, ReplyStream, Request, run, takes};
use crate::backends::testing::{disconnect, links, reconnect};
use crate::backends::{Backend, LocalBackend};
use crate::config::{Settings, Source, Tables};
use crate::discovery::Lists;
use crate::failure::{Failure, ShedReason};
use crate::routes::{CallAction, Table};
use crate::transport::memory::{MemoryLink, Sending, reply};
use crate::transport::{Json, MAX_STREAM, Outcome, Piece, Replied, Times};
use crate::worker::{RouteRef, Shared, Worker};
use callgate_protocol::{Metadata, Status};
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinHandle, LocalSet, spawn_local, yield_now};
use tokio::time::{Instant, sleep};

mod absence;
mod admission;
mod copies;
mod items;
mod long;
mod retries;
mod side_by_side;
mod streams;
mod unheard;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// What a call takes that is not told otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A worker with one backend, the instances of which the test plays, and a route that calls it.
struct Net {
    worker: Rc<Worker>,
    route: RouteRef,
    links: Vec<Rc<MemoryLink>>,
}

/// Runs a test in which tasks of a worker run.
async fn local(test: impl Future<Output = ()>) {
    LocalSet::new().run_until(test).await;
}

impl Net {
    /// With so many instances, those lines of the backend, and these of the route, which begin with its `match`.
    async fn new(instances: usize, backend: &str, route: &str) -> Net {
        Net::of("workers = 1", instances, backend, route).await
    }

    /// The same with those lines of the server.
    async fn of(server: &str, instances: usize, backend: &str, route: &str) -> Net {
        let endpoints: Vec<String> = (0..instances).map(|n| format!("\"127.0.0.1:{}\"", n + 1)).collect();
        let text = format!(
            "[backends.b]\nendpoints = [{}]\nhealth = {{ slow_start = \"1ms\" }}\n{backend}\n\
             [[routes]]\ncall = \"s.a\"\n{route}\n",
            endpoints.join(", ")
        );
        let tables = Tables::parse(vec![Source::new("t.toml", text)]).expect("sound tables");
        let table = Table::next(&Table::empty(), tables, &Lists::default(), 1);
        let settings = Source::new("gateway.toml", format!("[server]\n{server}\n"));
        let settings = Settings::parse(settings, None).expect("sound settings");
        let shared = Arc::new(Shared::new(settings, Arc::default(), None));
        shared.table.store(Arc::new(table));
        let mut worker = Worker::new(0, shared);
        worker.pool.play_instances();
        let worker = Rc::new(worker);
        let route = RouteRef::new(worker.table(), 0);
        // All have their whole share by then.
        sleep(SECOND).await;
        let mut net = Net { worker, route, links: Vec::new() };
        net.links = links(&net.local());
        net
    }

    fn route(&self) -> &RouteRef {
        &self.route
    }

    fn action(&self) -> &CallAction {
        self.route().action.call().expect("it is a call")
    }

    fn backend(&self) -> &Arc<Backend> {
        &self.action().backend
    }

    fn local(&self) -> Rc<LocalBackend> {
        self.worker.pool.backend(self.backend()).expect("the table has it")
    }

    /// The other instances are full.
    fn only(&self, at: usize) {
        self.links.iter().enumerate().for_each(|(other, link)| {
            link.burden.set(if other == at { 0 } else { 1024 });
        });
    }

    /// Of two instances the next call goes to that one first.
    fn prefer(&self, at: usize) {
        self.links.iter().enumerate().for_each(|(other, link)| link.burden.set(usize::from(other != at)));
    }

    fn request(&self, timeout: Duration) -> Request<'_> {
        let now = Instant::now();
        Request {
            route: self.route(),
            call: self.action(),
            backend: self.backend(),
            key: None,
            version: None,
            has_key: false,
            has_fallback: false,
            path: Vec::new(),
            query: Vec::new(),
            body: Body::Whole(b"{}"),
            bound: Vec::new(),
            metadata: Metadata::default(),
            times: Times { now, deadline: now + timeout, stream: MAX_STREAM },
            identity: None,
            on_sent: None,
            on_written: None,
            trail: None,
        }
    }

    async fn call(&self) -> Result<String, Failure> {
        run(&self.worker, &self.request(TIMEOUT)).await.map(text)
    }

    /// Begins a call, which is under way when this returns.
    async fn start(self: &Rc<Self>) -> JoinHandle<Result<String, Failure>> {
        let net = self.clone();
        let call = spawn_local(async move { net.call().await });
        yield_now().await;
        call
    }

    /// How many calls came to each instance.
    fn came(&self) -> Vec<usize> {
        self.links.iter().map(|link| link.came().len()).collect()
    }

    /// Calls sent again, by reason; those that were.
    fn retries(&self) -> Vec<(&'static str, u64)> {
        self.backend().stats.retries().filter(|(_, n)| *n > 0).collect()
    }

    /// Waits for an instance, by how they ended.
    fn holds(&self) -> Vec<(&'static str, u64)> {
        self.backend().stats.holds().filter(|(_, n)| *n > 0).collect()
    }

    fn shed(&self, reason: ShedReason) -> u64 {
        self.route().stats.0.of(0).shed.of(reason).get()
    }
}

/// Runs a test with a reply that has just begun, and its other end.
pub(crate) async fn with_begun_reply(test: impl AsyncFnOnce(Reply, Sending)) {
    local(async {
        let net = Rc::new(Net::new(1, "", "match = 'GET /'").await);
        let (stream, sending) = items::begun(&net).await;
        test(Reply::Begun(stream), sending).await;
    })
    .await;
}

fn text(reply: Reply) -> String {
    let Reply::Whole { replied: Replied { json: Json::Short(json), .. }, .. } = reply else {
        panic!("it is whole and short")
    };
    String::from_utf8(json.body().to_vec()).expect("it is text")
}

fn unavailable() -> Outcome {
    Outcome::Failed(Status::unavailable("busy").into())
}

fn refused() -> Outcome {
    Outcome::Refused(Status::unavailable("full").not_executed().into())
}

fn good() -> Outcome {
    reply("good")
}

#[tokio::test(start_paused = true)]
async fn a_call_is_sent_once_with_its_body_and_its_deadline_and_its_reply_comes_back() {
    local(async {
        let net = Net::new(2, "", "match = 'POST /'").await;
        net.prefer(1);
        net.links[1].answers_after(20 * MS, good());
        let began = Instant::now();
        assert_eq!(net.call().await.expect("a reply"), "good");
        assert_eq!((began.elapsed(), net.came()), (20 * MS, vec![0, 1]));
        let came = &net.links[1].came()[0];
        assert_eq!((came.at, came.deadline, &*came.body), (began, began + TIMEOUT, &b"{}"[..]));
        assert_eq!(net.backend().endpoints()[1].stats.outcomes().collect::<Vec<_>>(), [("ok", 1)]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_call_without_time_is_not_sent_and_one_that_gets_no_reply_ends_with_its_time() {
    local(async {
        let net = Net::new(1, "", "match = 'GET /'").await;
        let late = run(&net.worker, &net.request(Duration::ZERO)).await;
        assert!(matches!(late, Err(Failure::Deadline)) && net.came() == [0]);
        let began = Instant::now();
        assert!(matches!(net.call().await, Err(Failure::Deadline)));
        assert_eq!((began.elapsed(), net.came()), (TIMEOUT, vec![1]));
        let outcomes = net.backend().endpoints()[0].stats.outcomes().collect::<Vec<_>>();
        assert_eq!(outcomes, [("deadline_exceeded", 1)]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn whoever_wants_to_know_is_told_of_each_attempt() {
    local(async {
        let net = Net::new(2, "", "match = 'GET /'").await;
        net.links.iter().for_each(|link| link.answers(Outcome::Lost));
        net.links.iter().for_each(|link| link.answers(good()));
        let told = std::cell::Cell::new(0);
        let on_sent = |_: &Request<'_>| told.set(told.get() + 1);
        let request = Request { on_sent: Some(&on_sent), ..net.request(TIMEOUT) };
        assert_eq!(run(&net.worker, &request).await.map(text).expect("a reply"), "good");
        assert_eq!((told.get(), net.came().iter().sum::<usize>()), (3, 3));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_backend_takes_a_call_as_one_of_its_share_while_an_instance_is_there_that_wants_calls() {
    local(async {
        let net = Net::new(1, "", "match = 'GET /'").await;
        let takes = |version| takes(&net.worker, net.action(), net.backend(), version);
        assert!(takes(None) && !takes(Some("2")));
        net.links[0].set_ready(false);
        assert!(!takes(None));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn calls_of_one_key_go_to_one_instance() {
    local(async {
        let net = Net::new(4, "balance = { hash = 'client' }", "match = 'GET /'").await;
        net.links.iter().for_each(|link| link.otherwise.set(Some((Duration::ZERO, good))));
        let mut used = std::collections::BTreeSet::new();
        for key in 0..40_u64 {
            let before = net.came();
            let key = Some(crate::backends::hash(0, &key.to_le_bytes()));
            for _ in 0..3 {
                let request = Request { key, ..net.request(TIMEOUT) };
                assert!(run(&net.worker, &request).await.is_ok());
            }
            let came = net.came().into_iter().zip(before).map(|(now, before)| now - before);
            let at: Vec<usize> = came.enumerate().filter(|(_, n)| *n > 0).map(|(at, _)| at).collect();
            assert_eq!(at.len(), 1, "{key:?}");
            used.extend(at);
        }
        assert_eq!(used.len(), 4);
    })
    .await;
}
