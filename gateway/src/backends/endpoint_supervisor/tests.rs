//! Connections to instances that a test plays behind real sockets, and the pauses between attempts.

use super::*;
use crate::backends::signals::Signals;
use crate::backends::testing::surroundings;
use crate::config::{BackendSpec, EndpointAddr};
use crate::telemetry::{ConnectFailure, Disconnect};
use callgate_protocol::{Hello, Limits, Outbound};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

/// An endpoint where a test listens, connected to by one worker.
struct Net {
    listener: TcpListener,
    local: Rc<LocalEndpoint>,
    surroundings: Surroundings,
    spec: BackendSpec,
}

impl Net {
    async fn new(spec: BackendSpec) -> Net {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it has one").port();
        let addr = EndpointAddr::Tcp { host: "127.0.0.1".to_owned(), port };
        let endpoint = Arc::new(Endpoint::new(addr, 1));
        let surroundings = surroundings();
        let local = Rc::new(LocalEndpoint::new(endpoint, &spec, 0, surroundings.due.clone()));
        Net { listener, local, surroundings, spec }
    }

    fn start(&self) {
        start(&self.local, &Arc::new(Connecting::new(&self.spec, None)), &self.surroundings);
    }

    /// The instance accepts a connection, and says who it is.
    async fn accept(&self, identity: &str) -> TcpStream {
        let (mut peer, _) = self.listener.accept().await.expect("a connection");
        let mut outbound = Outbound::new(&Hello::new(identity, Limits::default(), Vec::new()));
        peer.write_all(&outbound.chunk().to_vec()).await.expect("it is read");
        // What it says is read, so that the peer's end is no reset.
        assert!(peer.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0));
        peer
    }

    /// Waits until that is so; it is looked at whenever the worker is told that something has changed.
    async fn until(&self, is_so: impl Fn(&LocalEndpoint) -> bool) {
        loop {
            let changed = self.surroundings.changed.notified();
            if is_so(&self.local) {
                return;
            }
            changed.await;
        }
    }

    fn disconnects(&self) -> Vec<&'static str> {
        let all = Disconnect::ALL.iter().copied();
        all.filter(|why| self.local.counters().health.disconnects(*why).get() > 0)
            .map(Disconnect::name)
            .collect()
    }
}

/// Runs a test in which tasks of a worker run.
async fn local(test: impl Future<Output = ()>) {
    LocalSet::new().run_until(test).await;
}

fn is_connected(local: &LocalEndpoint) -> bool {
    local.link().is_some()
}

#[tokio::test]
async fn an_endpoint_is_connected_to_and_again_when_its_connection_has_ended() {
    local(async {
        let net = Net::new(BackendSpec::new("b", Vec::new())).await;
        assert!(net.local.is_retired() && !net.local.is_hopeful());
        net.start();
        // Somebody does already.
        net.start();
        assert!(!net.local.is_retired() && net.local.is_hopeful());
        let mut reached = net.local.endpoint.signals.watch_reached();
        let mut ended: Option<Instant> = None;
        for round in 1..3 {
            let peer = net.accept("shop").await;
            assert!(ended.is_none_or(|ended| ended.elapsed() >= FIRST_BACKOFF / 2));
            net.until(is_connected).await;
            let counters = net.local.counters();
            assert_eq!((counters.connects.get(), counters.connections.get()), (round, 1));
            assert!(net.local.is_hopeful() && reached.has_changed().is_ok_and(|changed| changed));
            reached.mark_unchanged();
            let offer = net.local.endpoint.offer.load();
            assert_eq!(offer.as_ref().map(|offer| &*offer.identity), Some("shop"));
            ended = Some(Instant::now());
            drop(peer);
            net.until(|local| !is_connected(local) && local.counters().connections.get() == 0).await;
            assert_eq!(net.disconnects(), ["closed"]);
            // It ended so soon that the next one does not come at once, and calls do not wait for it.
            net.until(|local| !local.is_hopeful()).await;
        }
        assert_eq!(net.local.counters().connect_failures(ConnectFailure::Failed).get(), 0);
        net.local.retire();
        assert!(net.local.is_retired());
    })
    .await;
}

#[tokio::test]
async fn who_waits_for_offers_is_told_of_a_new_one_and_not_of_the_same_again() {
    local(async {
        let net = Net::new(BackendSpec::new("b", Vec::new())).await;
        net.start();
        for told in [true, false] {
            let peer = net.accept("shop").await;
            net.until(is_connected).await;
            assert_eq!(net.surroundings.offers.take().contains("b"), told);
            drop(peer);
            net.until(|local| !is_connected(local)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_out_of_reach_says_why_and_is_told_once() {
    local(async {
        let net = Net::new(BackendSpec::new("b", Vec::new())).await;
        let Net { listener, local, surroundings, spec } = net;
        drop(listener);
        start(&local, &Arc::new(Connecting::new(&spec, None)), &surroundings);
        for attempt in 1..3 {
            while local.counters().connect_failures(ConnectFailure::Failed).get() < attempt {
                surroundings.changed.notified().await;
            }
            let error = local.endpoint.error.load_full().expect("it has failed");
            assert!(error.starts_with("cannot connect: "), "{error}");
            assert!(!local.is_hopeful() && !is_connected(&local));
            assert_eq!(surroundings.offers.take().contains("b"), attempt == 1);
        }
        local.retire();
    })
    .await;
}

#[tokio::test]
async fn an_old_connection_is_replaced_before_it_ends_and_answers_what_is_in_flight() {
    local(async {
        let max_age = Duration::from_millis(20);
        let net = Net::new(BackendSpec { max_age, ..BackendSpec::new("b", Vec::new()) }).await;
        net.start();
        let mut before = net.accept("first").await;
        net.until(is_connected).await;
        for _ in 0..3 {
            let next = net.accept("next").await;
            // It is closed when nothing is in flight on it, and there is another one by then.
            let mut read = Vec::new();
            before.read_to_end(&mut read).await.expect("it ends in order");
            assert!(is_connected(&net.local) && net.local.is_hopeful());
            before = next;
        }
        net.until(|local| local.counters().health.disconnects(Disconnect::Drained).get() >= 3).await;
        assert_eq!(net.disconnects(), ["drained"]);
        net.local.retire();
    })
    .await;
}

#[test]
fn backoff_grows_and_stays_within_its_bounds() {
    for failures in 1..100 {
        let time = backoff(failures);
        assert!(time >= FIRST_BACKOFF / 2 && time <= LAST_BACKOFF, "{failures}: {time:?}");
    }
    assert!(backoff(8) > backoff(1));
}

#[tokio::test(start_paused = true)]
async fn who_could_not_connect_tries_again_as_soon_as_another_worker_has() {
    let signals = Signals::default();
    let mut reached = signals.watch_reached();
    let began = Instant::now();
    // While the attempt of this one was failing.
    signals.raise_reached();
    pause(100, &mut reached).await;
    assert!(began.elapsed() <= FOLLOW_WITHIN + Duration::from_millis(1));
    let began = Instant::now();
    pause(100, &mut reached).await;
    assert!(began.elapsed() >= LAST_BACKOFF / 2, "no news since");
}

#[test]
fn connections_that_began_together_do_not_end_together() {
    let max_age = Duration::from_secs(100);
    let times: Vec<Duration> = (0..100).map(|_| lifetime(max_age)).collect();
    assert!(times.iter().all(|time| *time >= max_age.mul_f64(0.8) && *time <= max_age));
    assert!(times.iter().max() > times.iter().min());
}
