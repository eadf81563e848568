//! Attempts of one call side by side: hedges, and what is sent elsewhere when an instance falls silent.

use super::*;

const HEDGED: &str = "match = 'GET /'\nretry = { hedge = 'p90' }";

/// A net in which 40 calls have taken 10 ms each, so that a hedge is sent after little more.
pub(super) async fn hedged(instances: usize, backend: &str, route: &str) -> Rc<Net> {
    let net = Net::new(instances, backend, route).await;
    net.links.iter().for_each(|link| link.otherwise.set(Some((10 * MS, good))));
    for _ in 0..40 {
        assert!(net.call().await.is_ok());
    }
    net.links.iter().for_each(|link| link.otherwise.set(None));
    Rc::new(net)
}

/// Hedges, by what became of them.
fn hedges(net: &Net) -> Vec<(&'static str, u64)> {
    net.backend().stats.hedges().filter(|(_, n)| *n > 0).collect()
}

/// How many calls came to each instance since then.
fn since(net: &Net, before: &[usize]) -> Vec<usize> {
    net.came().iter().zip(before).map(|(now, before)| now - before).collect()
}

#[tokio::test(start_paused = true)]
async fn a_second_attempt_is_sent_when_the_first_is_slow_and_the_first_reply_counts() {
    local(async {
        for (first, second, took, outcome) in
            [(1000, 20, 20..35, "second"), (15, 1000, 15..16, "first"), (5, 0, 5..6, "")]
        {
            let net = hedged(2, "", HEDGED).await;
            let before = net.came();
            net.prefer(0);
            net.links[0].answers_after(first * MS, reply("first"));
            net.links[1].answers_after(second * MS, reply("second"));
            let began = Instant::now();
            let said = net.call().await.expect("a reply");
            assert_eq!(said, if outcome == "second" { "second" } else { "first" });
            assert!(took.contains(&(began.elapsed().as_millis() as u64)), "{:?}", began.elapsed());
            let sent = since(&net, &before);
            assert_eq!(sent, if outcome.is_empty() { [1, 0] } else { [1, 1] });
            assert_eq!(hedges(&net), if outcome.is_empty() { vec![] } else { vec![(outcome, 1)] });
            // The other one is taken back.
            let cancelled: usize = net.links.iter().map(|link| link.cancelled()).sum();
            assert_eq!(cancelled, usize::from(!outcome.is_empty()));
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn no_second_attempt_is_sent_where_no_other_instance_is_there_or_nothing_is_left_of_the_budget() {
    local(async {
        for (instances, backend) in [(1, ""), (2, "retry_budget = '0%'")] {
            let net = hedged(instances, backend, HEDGED).await;
            let before = net.came();
            net.prefer(0);
            net.links[0].answers_after(SECOND, reply("first"));
            assert_eq!(net.call().await.expect("a reply"), "first");
            assert_eq!(since(&net, &before).iter().sum::<usize>(), 1);
            assert_eq!(hedges(&net), [("not_sent", 1)]);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_may_not_run_twice_or_is_sent_once_is_not_hedged() {
    local(async {
        let route = "match = 'POST /'\nidempotent = true\nretry = { hedge = 'p90' }";
        for (route, idempotent) in [(route, true), ("match = 'POST /'\nretry = { hedge = 'p90' }", false)] {
            let net = hedged(2, "", route).await;
            net.links.iter().for_each(|link| link.idempotent.set(idempotent));
            let before = net.came();
            net.links.iter().for_each(|link| link.answers_after(SECOND, good()));
            assert!(net.call().await.is_ok());
            assert_eq!(since(&net, &before).iter().sum::<usize>(), if idempotent { 2 } else { 1 });
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_one_is_no_end_while_the_other_is_under_way() {
    local(async {
        let net = hedged(2, "", HEDGED).await;
        net.prefer(0);
        net.links[0].answers_after(50 * MS, unavailable());
        net.links[1].answers_after(100 * MS, reply("second"));
        assert_eq!(net.call().await.expect("a reply"), "second");
        assert_eq!((hedges(&net), net.retries()), (vec![("second", 1)], vec![]));
        // Where both fail there is nobody to wait for.
        let route = "match = 'GET /'\nretry = { hedge = 'p90', attempts = 2 }";
        let net = hedged(2, "", route).await;
        net.prefer(0);
        net.links[0].answers_after(50 * MS, unavailable());
        net.links[1].answers_after(100 * MS, unavailable());
        let began = Instant::now();
        assert!(net.call().await.is_err() && began.elapsed() < 200 * MS, "{:?}", began.elapsed());
        // One that would not be repeated is the end.
        let net = hedged(2, "", HEDGED).await;
        net.prefer(0);
        net.links[0].answers_after(50 * MS, Outcome::Failed(Status::not_found("none").into()));
        let began = Instant::now();
        assert!(
            matches!(net.call().await, Err(Failure::Method(failure)) if failure.status.message == "none")
        );
        assert_eq!((began.elapsed(), hedges(&net)), (50 * MS, vec![("first", 1)]));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn one_that_has_not_accepted_a_call_uses_up_no_attempt_while_another_has_it() {
    local(async {
        // Of three instances two are looked at, so the call may pass by the one that does not accept it.
        let came = async || {
            let net = hedged(3, "", "match = 'GET /'\nretry = { hedge = 'p90', attempts = 2 }").await;
            net.links.iter().for_each(|link| link.otherwise.set(Some((100 * MS, unavailable))));
            let before = net.came();
            net.prefer(0);
            net.links[0].answers_after(50 * MS, Outcome::NotAccepted);
            assert!(net.call().await.is_err());
            since(&net, &before)
        };
        for _ in 0..100 {
            let came = came().await;
            if came[0] > 0 {
                assert_eq!(came, [1, 1, 1]);
                return;
            }
        }
        panic!("it was passed by a hundred times");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_instance_falls_silent_goes_elsewhere_if_it_may_run_twice() {
    local(async {
        for (route, elsewhere) in [("match = 'GET /'", true), ("match = 'POST /'\nidempotent = false", false)]
        {
            let net = Rc::new(Net::new(2, "", route).await);
            net.prefer(0);
            net.links[0].answers_after(5 * SECOND, reply("first"));
            net.links[1].answers_after(20 * MS, reply("second"));
            let (began, call) = (Instant::now(), net.start().await);
            sleep(SECOND).await;
            net.links[0].falls_silent();
            let said = call.await.expect("no panic").expect("a reply");
            assert_eq!(said, if elsewhere { "second" } else { "first" });
            assert_eq!(began.elapsed(), if elsewhere { SECOND + 20 * MS } else { 5 * SECOND });
            assert_eq!(net.retries(), if elsewhere { vec![("silent", 1)] } else { vec![] });
            assert_eq!(net.links[0].cancelled(), usize::from(elsewhere));
            // Whoever is given up for its silence is not judged for slowness as well.
            let outcomes: Vec<_> = net.backend().endpoints()[0].stats.outcomes().collect();
            assert_eq!(outcomes, if elsewhere { [("cancelled", 1)] } else { [("ok", 1)] });
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_silent_ones_reply_counts_if_it_comes_first_all_the_same() {
    local(async {
        let net = Rc::new(Net::new(2, "", "match = 'GET /'").await);
        net.prefer(0);
        net.links[0].answers_after(SECOND + 10 * MS, reply("first"));
        net.links[1].answers_after(20 * MS, reply("second"));
        let call = net.start().await;
        sleep(SECOND).await;
        net.links[0].falls_silent();
        assert_eq!(call.await.expect("no panic").expect("a reply"), "first");
        assert_eq!((net.came(), net.links[1].cancelled()), (vec![1, 1], 1));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_is_asked_and_gives_no_sign_is_in_doubt_as_well() {
    local(async {
        let net = Rc::new(Net::new(3, "", "match = 'GET /'").await);
        net.only(0);
        let (began, call) = (Instant::now(), net.start().await);
        sleep(SECOND).await;
        // The second was heard of a moment ago, and so it gets the call; it gives no sign any more.
        net.links[1].burden.set(0);
        net.links[2].burden.set(0);
        net.links[1].gives_a_sign();
        net.links[2].otherwise.set(Some((Duration::ZERO, good)));
        net.links[0].falls_silent();
        assert_eq!(call.await.expect("no panic").expect("a reply"), "good");
        assert_eq!((began.elapsed(), net.came()), (SECOND + 50 * MS, vec![1, 1, 1]));
        assert_eq!(net.links[1].asked.get(), 1);
        assert_eq!(net.retries(), [("silent", 2)]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn one_that_gives_signs_is_asked_again_and_again_and_keeps_the_call() {
    local(async {
        let net = Rc::new(Net::new(3, "", "match = 'GET /'").await);
        net.only(0);
        net.links[1].answers_after(SECOND, good());
        let call = net.start().await;
        sleep(SECOND).await;
        net.links[1].burden.set(0);
        net.links[2].burden.set(0);
        net.links[1].gives_a_sign();
        net.links[0].falls_silent();
        for _ in 0..50 {
            sleep(20 * MS).await;
            net.links[1].gives_a_sign();
        }
        assert_eq!(call.await.expect("no panic").expect("a reply"), "good");
        assert_eq!(net.came(), [1, 1, 0]);
        assert!((10..=25).contains(&net.links[1].asked.get()), "{}", net.links[1].asked.get());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn where_attempts_or_other_instances_are_lacking_a_call_stays_with_the_silent_one() {
    local(async {
        for (instances, route) in [(1, "match = 'GET /'"), (2, "match = 'GET /'\nretry = { attempts = 1 }")] {
            let net = Rc::new(Net::new(instances, "", route).await);
            net.prefer(0);
            net.links[0].answers_after(2 * SECOND, good());
            let call = net.start().await;
            net.links[0].falls_silent();
            sleep(SECOND).await;
            net.links[0].gives_a_sign();
            assert_eq!(call.await.expect("no panic").expect("a reply"), "good");
            assert_eq!(net.came().iter().sum::<usize>(), 1);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_has_come_while_the_worker_was_away_is_read_before_a_hedge_is_sent() {
    local(async {
        let net = hedged(2, "", HEDGED).await;
        let before = net.came();
        net.prefer(0);
        net.links[0].answers_after(15 * MS, reply("first"));
        let call = net.start().await;
        // Both times have come when the worker is back: the hedge's, and then the reply's.
        tokio::time::advance(20 * MS).await;
        assert_eq!(call.await.expect("no panic").expect("a reply"), "first");
        assert_eq!((since(&net, &before), hedges(&net)), (vec![1, 0], vec![]));
    })
    .await;
}
