//! Calls that are too many.

use super::super::shed;
use super::*;

const GET: &str = "match = 'GET /'";

#[tokio::test(start_paused = true)]
async fn a_call_beyond_the_bound_is_shed_and_one_that_has_ended_makes_room() {
    local(async {
        let net = Rc::new(Net::new(1, "max_in_flight = 2\nqueue = false", GET).await);
        let calls = [net.start().await, net.start().await];
        assert!(matches!(net.call().await, Err(Failure::Shed(ShedReason::Backend))));
        assert_eq!((net.came(), net.shed(ShedReason::Backend)), (vec![2], 1));
        calls[0].abort();
        yield_now().await;
        net.links[0].answers(good());
        assert_eq!(net.call().await.expect("a reply"), "good");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_permit_is_held_until_the_reply_was_sent() {
    local(async {
        let net = Net::new(1, "max_in_flight = 1\nqueue = false", GET).await;
        net.links[0].otherwise.set(Some((Duration::ZERO, good)));
        let first = run(&net.worker, &net.request(TIMEOUT)).await.expect("a reply");
        assert!(matches!(net.call().await, Err(Failure::Shed(ShedReason::Backend))));
        let Reply::Whole { replied, guards } = first else { panic!("it is whole") };
        drop(replied);
        assert!(matches!(net.call().await, Err(Failure::Shed(ShedReason::Backend))));
        drop(guards);
        assert!(net.call().await.is_ok());
        assert_eq!(net.backend().gauge.count().get(), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_permit_is_given_back_with_a_failure_at_once() {
    local(async {
        let net = Net::new(1, "max_in_flight = 1\nqueue = false", "match = 'GET /'\nretry = false").await;
        net.links[0].otherwise.set(Some((Duration::ZERO, || Outcome::Lost)));
        for _ in 0..3 {
            assert!(matches!(net.call().await, Err(Failure::Lost)));
        }
        assert_eq!(net.backend().gauge.count().get(), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_a_moment_for_another_to_end() {
    local(async {
        let backend = "max_in_flight = 1\nqueue = { size = 1, timeout = '100ms' }";
        let net = Rc::new(Net::new(1, backend, GET).await);
        net.links[0].answers_after(60 * MS, good());
        net.links[0].answers(good());
        let first = net.start().await;
        let began = Instant::now();
        let second = net.start().await;
        assert_eq!(net.backend().stats.0.of(0).overload.queued.get(), 1);
        assert!(second.await.expect("no panic").is_ok() && first.await.expect("no panic").is_ok());
        assert_eq!(began.elapsed(), 60 * MS);
        let counters = &net.backend().stats.0.of(0).overload;
        assert_eq!((counters.queued.get(), counters.served.get()), (0, 1));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_has_waited_too_long_is_shed_and_who_has_no_more_time_is_late() {
    local(async {
        let backend = "max_in_flight = 1\nqueue = { size = 2, timeout = '100ms' }";
        let net = Rc::new(Net::new(1, backend, GET).await);
        let _first = net.start().await;
        let began = Instant::now();
        assert!(matches!(net.call().await, Err(Failure::Shed(ShedReason::Queue))));
        assert_eq!((began.elapsed(), net.shed(ShedReason::Queue)), (100 * MS, 1));
        let began = Instant::now();
        let late = run(&net.worker, &net.request(50 * MS)).await;
        assert!(matches!(late, Err(Failure::Deadline)));
        assert_eq!((began.elapsed(), net.came()), (50 * MS, vec![1]));
        assert_eq!(net.backend().stats.0.of(0).overload.queued.get(), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_waits_and_goes_away_takes_nobodys_place() {
    local(async {
        let backend = "max_in_flight = 1\nqueue = { size = 2, timeout = '100ms' }";
        let net = Rc::new(Net::new(1, backend, GET).await);
        let first = net.start().await;
        let (second, third) = (net.start().await, net.start().await);
        third.abort();
        net.links[0].otherwise.set(Some((Duration::ZERO, good)));
        first.abort();
        assert_eq!(second.await.expect("no panic").expect("a reply"), "good");
        yield_now().await;
        assert_eq!((net.backend().gauge.count().get(), net.came()), (0, vec![2]));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn where_every_instance_is_full_a_call_waits_or_is_turned_away() {
    local(async {
        for (queue, waits) in [("false", false), ("{ size = 2, timeout = '100ms' }", true)] {
            let backend = format!("max_in_flight_per_instance = 1\nqueue = {queue}");
            let net = Rc::new(Net::new(1, &backend, GET).await);
            let first = net.start().await;
            let began = Instant::now();
            assert!(matches!(net.call().await, Err(Failure::Busy)));
            assert_eq!(began.elapsed(), if waits { 100 * MS } else { Duration::ZERO });
            assert_eq!((net.came(), net.shed(ShedReason::Instance)), (vec![1], 1));
            net.links[0].otherwise.set(Some((Duration::ZERO, good)));
            let second = net.start().await;
            first.abort();
            assert_eq!(second.await.expect("no panic").is_ok(), waits);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_room_at_an_instance_does_not_wait_beyond_its_deadline() {
    local(async {
        let backend = "max_in_flight_per_instance = 1\nqueue = { size = 2, timeout = '100ms' }";
        let net = Rc::new(Net::new(1, backend, GET).await);
        let _first = net.start().await;
        let late = run(&net.worker, &net.request(50 * MS)).await;
        assert!(matches!(late, Err(Failure::Deadline)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_dispensable_gets_four_fifths_and_is_turned_away_before_it_is_read() {
    local(async {
        let backend = "max_in_flight = 5\nqueue = { size = 2, timeout = '100ms' }";
        let route = "match = 'GET /'\npriority = 'sheddable'";
        let net = Rc::new(Net::new(1, backend, route).await);
        let mut calls = Vec::new();
        for _ in 0..4 {
            let early = net.local().admission.shed_early(net.action().spec.policy.priority, Instant::now());
            assert_eq!(early, None);
            calls.push(net.start().await);
        }
        let early = net.local().admission.shed_early(net.action().spec.policy.priority, Instant::now());
        assert_eq!(early, Some(ShedReason::Backend));
        assert!(matches!(net.call().await, Err(Failure::Shed(ShedReason::Backend))));
        assert_eq!(net.came(), [4]);
        calls.into_iter().for_each(|call| call.abort());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_shed_is_counted_with_its_route() {
    local(async {
        let net = Net::new(1, "", GET).await;
        assert!(matches!(
            shed(&net.worker, net.route(), ShedReason::Memory),
            Failure::Shed(ShedReason::Memory)
        ));
        assert_eq!(net.shed(ShedReason::Memory), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_adaptive_limit_is_learned_from_the_attempts_and_binds_the_calls() {
    local(async {
        let backend = "adaptive = { when = 'always' }\nqueue = false";
        let net = Rc::new(Net::new(1, backend, "match = 'GET /'\nretry = false").await);
        let limit = net.backend().gauge.limit();
        assert_eq!(limit.most(), None);
        // What is typical is learned first; then each call takes ten times as long, as there are too many.
        for (took, calls) in [(10, 200), (100, 400)] {
            let answer: fn() -> Outcome = good;
            net.links[0].otherwise.set(Some((took * MS, answer)));
            for _ in 0..calls / 20 {
                let mut under_way = Vec::new();
                for _ in 0..20 {
                    under_way.push(net.start().await);
                }
                for call in under_way {
                    let _ = call.await;
                }
            }
        }
        assert!(limit.most().is_some_and(|most| most < 20), "{:?}", limit.most());
        assert!(net.shed(ShedReason::Adaptive) > 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_given_up_after_far_longer_than_is_typical_lower_the_limit() {
    local(async {
        let backend = "adaptive = { when = 'always' }\nqueue = false";
        let net = Rc::new(Net::new(1, backend, "match = 'GET /'\nretry = false").await);
        net.links[0].otherwise.set(Some((10 * MS, good)));
        for patient in [true, false] {
            for _ in 0..20 {
                let mut under_way = Vec::new();
                for _ in 0..20 {
                    under_way.push(net.start().await);
                }
                sleep(100 * MS).await;
                under_way.iter().for_each(JoinHandle::abort);
                yield_now().await;
            }
            assert_eq!(net.shed(ShedReason::Adaptive) > 0, !patient);
            net.links[0].otherwise.set(None);
        }
    })
    .await;
}
