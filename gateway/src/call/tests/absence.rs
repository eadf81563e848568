//! Calls for which no instance is there, or none that can run them.

use super::*;
use std::sync::atomic::Ordering::Relaxed;

const GET: &str = "match = 'GET /'";

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_an_instance_and_is_served_when_one_comes() {
    local(async {
        let net = Rc::new(Net::new(1, "hold = '2s'", GET).await);
        net.links[0].otherwise.set(Some((Duration::ZERO, good)));
        disconnect(&net.local(), false);
        let (began, call) = (Instant::now(), net.start().await);
        assert_eq!(net.backend().stats.0.of(0).held.get(), 1);
        sleep(SECOND).await;
        assert!(!call.is_finished());
        reconnect(&net.local(), &net.links);
        net.worker.pool.changed().notify_waiters();
        assert_eq!(call.await.expect("no panic").expect("a reply"), "good");
        assert_eq!((began.elapsed(), net.holds()), (SECOND, vec![("served", 1)]));
        assert_eq!(net.backend().stats.0.of(0).held.get(), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_as_long_as_the_backend_says_in_all() {
    local(async {
        let net = Rc::new(Net::new(1, "hold = '2s'", GET).await);
        disconnect(&net.local(), false);
        let (began, call) = (Instant::now(), net.start().await);
        // What changes meanwhile is of no use to it.
        for _ in 0..3 {
            sleep(SECOND / 2).await;
            net.worker.pool.changed().notify_waiters();
        }
        assert!(matches!(call.await.expect("no panic"), Err(Failure::NoInstance)));
        assert_eq!((began.elapsed(), net.holds()), (2 * SECOND, vec![("given_up", 1)]));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn it_waits_no_longer_than_its_deadline() {
    local(async {
        let net = Net::new(1, "hold = '20s'", GET).await;
        disconnect(&net.local(), false);
        let began = Instant::now();
        assert!(matches!(net.call().await, Err(Failure::Deadline)));
        assert_eq!((began.elapsed(), net.holds()), (TIMEOUT, vec![("given_up", 1)]));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn it_does_not_wait_where_the_backend_holds_none_or_somebody_else_can_be_asked() {
    local(async {
        for (hold, has_fallback) in [("0s", false), ("2s", true)] {
            let net = Net::new(1, &format!("hold = '{hold}'"), GET).await;
            disconnect(&net.local(), false);
            let began = Instant::now();
            let request = Request { has_fallback, ..net.request(TIMEOUT) };
            assert!(matches!(run(&net.worker, &request).await, Err(Failure::NoInstance)));
            assert_eq!((began.elapsed(), net.holds()), (Duration::ZERO, vec![]), "{hold}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn only_so_many_calls_wait_at_once() {
    local(async {
        let net = Rc::new(Net::new(1, "hold = '2s'", GET).await);
        disconnect(&net.local(), false);
        let counters = net.backend().stats.0.of(0);
        counters.held.set(1023);
        let last = net.start().await;
        assert_eq!(counters.held.get(), 1024);
        assert!(matches!(net.call().await, Err(Failure::NoInstance)));
        assert_eq!(net.holds(), [("refused", 1)]);
        last.abort();
        yield_now().await;
        assert_eq!(counters.held.get(), 1023, "who goes away waits no more");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_being_made_is_waited_for_whatever_the_backend_holds() {
    local(async {
        let net = Rc::new(Net::new(1, "hold = '0s'", GET).await);
        net.links[0].otherwise.set(Some((Duration::ZERO, good)));
        disconnect(&net.local(), true);
        let call = net.start().await;
        sleep(SECOND).await;
        reconnect(&net.local(), &net.links);
        net.worker.pool.changed().notify_waiters();
        assert_eq!(call.await.expect("no panic").expect("a reply"), "good");
        disconnect(&net.local(), true);
        assert!(matches!(net.call().await, Err(Failure::Deadline)));
        assert_eq!(net.holds(), []);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn after_an_attempt_the_last_failure_is_told_unless_somebody_else_can_be_asked() {
    local(async {
        for has_fallback in [false, true] {
            let net = Rc::new(Net::new(1, "hold = '0s'", GET).await);
            let call = {
                let net = net.clone();
                spawn_local(async move {
                    let request = Request { has_fallback, ..net.request(TIMEOUT) };
                    run(&net.worker, &request).await.map(text)
                })
            };
            yield_now().await;
            let local = net.local();
            net.links[0].breaks(|| Outcome::Lost);
            disconnect(&local, false);
            let failure = call.await.expect("no panic").expect_err("there is no other instance");
            assert_eq!(matches!(failure, Failure::NoInstance), has_fallback, "{failure:?}");
            assert_eq!(matches!(failure, Failure::Lost), !has_fallback, "{failure:?}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn where_every_instance_drains_nobody_is_waited_for() {
    local(async {
        let net = Net::new(2, "hold = '2s'", GET).await;
        for endpoint in net.backend().endpoints() {
            endpoint.drained_by_admin.store(true, Relaxed);
        }
        net.worker.pool.follow_drains();
        let began = Instant::now();
        assert!(matches!(net.call().await, Err(Failure::Draining)));
        assert_eq!((began.elapsed(), net.came()), (Duration::ZERO, vec![0, 0]));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_method_that_nobody_offers_is_not_waited_for_and_one_that_others_offer_is_called_there() {
    local(async {
        let net = Net::new(2, "hold = '2s'", GET).await;
        net.links[1].answers(good());
        net.links[0].offers_only(&[]);
        net.prefer(0);
        assert_eq!(net.call().await.expect("a reply"), "good");
        assert_eq!(net.came(), [0, 1]);
        net.links[1].offers_only(&["b"]);
        let began = Instant::now();
        assert!(matches!(net.call().await, Err(Failure::NotOffered { unusable: None })));
        assert_eq!((began.elapsed(), net.came()), (Duration::ZERO, vec![0, 1]));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_the_route_does_not_fit_is_passed_over() {
    local(async {
        let net = Net::new(2, "hold = '2s'", GET).await;
        net.links[1].otherwise.set(Some((Duration::ZERO, good)));
        net.links[0].unfit.set(Some("unknown field `amount`"));
        net.prefer(0);
        for _ in 0..3 {
            assert_eq!(net.call().await.expect("a reply"), "good");
        }
        assert_eq!(net.came(), [0, 3]);
        net.links[1].unfit.set(Some("unknown field `amount`"));
        let failure = net.call().await.expect_err("nobody fits");
        assert!(matches!(&failure, Failure::Misfit(why) if why.contains("amount")), "{failure:?}");
        assert_eq!(net.came(), [0, 3]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn where_one_that_lacks_the_method_is_left_and_the_other_is_away_the_call_waits() {
    local(async {
        let net = Net::new(1, "hold = '2s'", GET).await;
        net.links[0].set_ready(false);
        let began = Instant::now();
        assert!(matches!(net.call().await, Err(Failure::NoInstance)), "it may be ready in a moment");
        assert_eq!(began.elapsed(), 2 * SECOND);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn only_instances_of_the_version_are_called() {
    local(async {
        let net = Net::new(1, "hold = '0s'", GET).await;
        net.links[0].otherwise.set(Some((Duration::ZERO, good)));
        net.links[0].is_version("1");
        let of = async |version| {
            run(&net.worker, &Request { version: Some(version), ..net.request(TIMEOUT) }).await
        };
        assert!(of("1").await.is_ok());
        assert!(matches!(of("2").await, Err(Failure::NoInstance)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_a_later_table_lacks_has_no_instance() {
    local(async {
        let net = Net::new(1, "", GET).await;
        net.worker.pool.retire();
        assert!(matches!(net.call().await, Err(Failure::NoInstance)));
    })
    .await;
}
