//! After which ends a call is sent again, how often, and after which pause.

use super::*;

/// What a call comes to whose first attempt ends so, at one of two instances the other one of which answers well; and how often it
/// was sent.
async fn after(route: &str, first: Outcome) -> (Result<String, Failure>, usize, Vec<(&'static str, u64)>) {
    let net = Net::new(2, "", route).await;
    net.prefer(0);
    net.links[0].answers(first);
    net.links.iter().for_each(|link| link.otherwise.set(Some((Duration::ZERO, good))));
    (net.call().await, net.came().iter().sum(), net.retries())
}

/// How the first attempt ends, whether the call is sent again if it may run twice and if it may not, and for which reason.
type Case = (fn() -> Outcome, bool, bool, &'static str);

const ONCE: &str = "match = 'POST /'\nidempotent = false";
const TWICE: &str = "match = 'POST /'\nidempotent = true";

#[tokio::test(start_paused = true)]
async fn what_may_have_run_is_sent_again_only_if_it_is_idempotent() {
    local(async {
        let cases: [Case; 11] = [
            (good, false, false, ""),
            (|| Outcome::NotAccepted, true, true, "not_accepted"),
            (refused, true, true, "refused"),
            (|| Outcome::Lost, true, false, "lost"),
            (unavailable, true, false, "unavailable"),
            (|| Outcome::Late, false, false, ""),
            (|| Outcome::Failed(Status::not_found("").into()), false, false, ""),
            (|| Outcome::Failed(Status::deadline_exceeded("").into()), false, false, ""),
            (|| Outcome::BadReply("odd".to_owned()), false, false, ""),
            (|| Outcome::TooLarge, false, false, ""),
            (|| Outcome::NoRoom, false, false, ""),
        ];
        for (first, twice, once, reason) in cases {
            for (route, again) in [(TWICE, twice), (ONCE, once)] {
                let (result, sent, retries) = after(route, first()).await;
                let well = again || matches!(first(), Outcome::Reply(_));
                assert_eq!(result.is_ok(), well, "{:?}: {result:?}", first());
                assert_eq!(sent, if again { 2 } else { 1 }, "{:?}, {route}", first());
                assert_eq!(retries, if again { vec![(reason, 1)] } else { vec![] }, "{:?}", first());
            }
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_call_with_a_key_may_run_twice_whatever_its_route_says() {
    local(async {
        for (has_key, sent) in [(true, 2), (false, 1)] {
            let net = Net::new(2, "", ONCE).await;
            net.prefer(0);
            net.links[0].answers(Outcome::Lost);
            net.links.iter().for_each(|link| link.otherwise.set(Some((Duration::ZERO, good))));
            let request = Request { has_key, ..net.request(TIMEOUT) };
            assert_eq!(run(&net.worker, &request).await.is_ok(), has_key);
            assert_eq!(net.came().iter().sum::<usize>(), sent);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_last_failure_is_told_as_what_it_was() {
    local(async {
        let failure = async |first: Outcome| after("match = 'POST /'\nretry = false", first).await.0;
        assert!(matches!(failure(Outcome::Lost).await, Err(Failure::Lost)));
        assert!(matches!(failure(Outcome::Late).await, Err(Failure::Deadline)));
        assert!(matches!(failure(refused()).await, Err(Failure::Method(failure)) if failure.status.message == "full"));
        assert!(
            matches!(failure(unavailable()).await, Err(Failure::Method(failure)) if failure.status.message == "busy")
        );
        assert!(matches!(failure(Outcome::NoRoom).await, Err(Failure::Shed(ShedReason::AnswerMemory))));
        let Err(Failure::BadReply(text)) = failure(Outcome::BadReply("odd".to_owned())).await else {
            panic!("it is bad")
        };
        assert_eq!(text, "the reply of 127.0.0.1:1 is broken: odd");
        let Err(Failure::AnswerTooLong { bound, call, instance }) = failure(Outcome::TooLong(7)).await else {
            panic!("it is too long")
        };
        assert_eq!((bound, &*call, &*instance), (7, "s.a", "127.0.0.1:1"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn bad_replies_and_what_has_no_room_are_counted_with_their_route() {
    local(async {
        let net = Net::new(1, "", "match = 'GET /'").await;
        net.links[0].answers(Outcome::BadReply(String::new()));
        net.links[0].answers(Outcome::TooLarge);
        net.links[0].answers(Outcome::NoRoom);
        for _ in 0..3 {
            assert!(net.call().await.is_err());
        }
        assert_eq!(net.route().stats.0.of(0).bad_replies.get(), 2);
        assert_eq!(net.shed(ShedReason::AnswerMemory), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_call_is_sent_as_often_as_its_route_says() {
    local(async {
        for (retry, sent) in [("false", 1), ("{ attempts = 2 }", 2), ("{ attempts = 3 }", 3), ("{}", 4)] {
            let net = Net::new(5, "", &format!("match = 'GET /'\nretry = {retry}")).await;
            net.links.iter().for_each(|link| link.otherwise.set(Some((MS, || Outcome::Lost))));
            assert!(matches!(net.call().await, Err(Failure::Lost)), "{retry}");
            assert_eq!(net.came().iter().sum::<usize>(), sent, "{retry}");
            // To another instance each time, as long as there is one.
            assert!(net.came().iter().all(|n| *n <= 1), "{retry}: {:?}", net.came());
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn only_after_what_the_route_wants_it_is_sent_again() {
    local(async {
        for (first, on) in [("refused", refused as fn() -> Outcome), ("unavailable", unavailable)] {
            for (wanted, sent) in [(first, 2), ("lost", 1)] {
                let route = format!("match = 'GET /'\nretry = {{ on = [\"{wanted}\"] }}");
                assert_eq!(after(&route, on()).await.1, sent, "{first}, wanted: {wanted}");
            }
        }
        let route = "match = 'GET /'\nretry = { on = [\"refused\"] }";
        assert_eq!(after(route, Outcome::Lost).await.1, 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_was_not_accepted_goes_on_whatever_the_route_says_but_not_for_ever() {
    local(async {
        let net = Net::new(1, "retry_budget = '0%'", "match = 'POST /'\nretry = false").await;
        net.links[0].otherwise.set(Some((Duration::ZERO, || Outcome::NotAccepted)));
        assert!(matches!(net.call().await, Err(Failure::NoInstance)));
        assert_eq!((net.came(), net.retries()), (vec![9], vec![("not_accepted", 8)]));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_has_failed_the_call_is_asked_again_when_it_says() {
    local(async {
        let after = |ms: Option<u32>| {
            let status = Status::unavailable("busy");
            Outcome::Failed(ms.map_or(status.clone(), |ms| status.with_retry_after_ms(ms)).into())
        };
        for (ms, least) in [(None, 50), (Some(300), 300), (Some(1000), 1000)] {
            let net = Net::new(1, "", "match = 'GET /'").await;
            net.links[0].answers(after(ms));
            net.links[0].answers(good());
            let began = Instant::now();
            assert_eq!(net.call().await.expect("a reply"), "good");
            let took = began.elapsed();
            assert!(took >= least * MS && took <= least * MS * 3 / 2 + MS, "{ms:?}: {took:?}");
        }
        let net = Net::new(1, "", "match = 'GET /'").await;
        net.links[0].answers(after(Some(1001)));
        let began = Instant::now();
        let failure = net.call().await;
        assert!(matches!(failure, Err(Failure::Method(failure)) if failure.status.message == "busy"));
        assert_eq!((began.elapsed(), net.came()), (Duration::ZERO, vec![1]), "it is not waited for");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_would_last_longer_than_the_call_is_not_made() {
    local(async {
        let net = Net::new(1, "", "match = 'GET /'").await;
        net.links[0].answers(unavailable());
        let result = run(&net.worker, &net.request(40 * MS)).await.map(text);
        assert!(matches!(result, Err(Failure::Method(_))), "{result:?}");
        assert_eq!(net.came(), [1]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_attempt_has_its_own_time_and_the_last_one_all_that_is_left() {
    local(async {
        let route = "match = 'GET /'\nretry = { attempts = 3, per_try_timeout = '100ms' }";
        let net = Net::new(3, "", route).await;
        let began = Instant::now();
        assert!(matches!(net.call().await, Err(Failure::Deadline)));
        assert_eq!(began.elapsed(), TIMEOUT);
        let mut deadlines: Vec<Duration> =
            net.links.iter().flat_map(|link| link.came()).map(|came| came.deadline - began).collect();
        deadlines.sort_unstable();
        assert_eq!(deadlines, [100 * MS, 200 * MS, TIMEOUT]);
        assert_eq!(net.retries(), [("timeout", 2)]);
        // The instance's clock runs out at the same time.
        let net = Net::new(2, "", route).await;
        net.prefer(0);
        net.links[0].answers(Outcome::Failed(Status::deadline_exceeded("").into()));
        net.links[1].answers(good());
        assert_eq!(net.call().await.expect("a reply"), "good");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_attempt_of_a_call_that_may_not_run_twice_has_all_the_time() {
    local(async {
        let route = "match = 'POST /'\nretry = { per_try_timeout = '100ms' }";
        let net = Net::new(1, "", route).await;
        for idempotent in [false, true] {
            net.links[0].idempotent.set(idempotent);
            net.links[0].answers(good());
            assert!(net.call().await.is_ok());
            let came = net.links[0].came().pop().expect("it came");
            assert_eq!(came.deadline - came.at, if idempotent { 100 * MS } else { TIMEOUT });
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_fails_in_vain_is_sent_again_within_the_budget_only() {
    local(async {
        for (percent, again) in [("0%", 0), ("20%", 60)] {
            let backend = format!("retry_budget = '{percent}'");
            let net = Net::new(2, &backend, "match = 'GET /'\nretry = { attempts = 2 }").await;
            net.links.iter().for_each(|link| link.otherwise.set(Some((Duration::ZERO, || Outcome::Lost))));
            for _ in 0..100 {
                assert!(matches!(net.call().await, Err(Failure::Lost)));
            }
            // What no instance works on any more costs half.
            assert_eq!(net.came().iter().sum::<usize>(), 100 + again, "{percent}");
            assert_eq!(net.backend().stats.0.of(0).budget_exhausted.get(), 100 - again as u64);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_result_gives_back_what_it_took_but_for_what_an_instance_has_worked_on() {
    local(async {
        let unavailable = || Outcome::Failed(Status::unavailable("").with_retry_after_ms(0).into());
        let refused =
            || Outcome::Refused(Status::unavailable("").not_executed().with_retry_after_ms(0).into());
        // Each call fails twice. What an instance has worked on before it failed again is lost: one attempt a call, of the thirty
        // that there are whatever the share.
        for (failure, all) in [(refused as fn() -> Outcome, 300), (unavailable, 29 * 3 + 2 + 70)] {
            let net = Net::new(2, "", "match = 'GET /'").await;
            net.links.iter().for_each(|link| link.otherwise.set(Some((Duration::ZERO, good))));
            for _ in 0..100 {
                for link in &net.links {
                    link.script.borrow_mut().clear();
                    link.answers(failure());
                }
                let _ = net.call().await;
            }
            assert_eq!(net.came().iter().sum::<usize>(), all, "{:?}", failure());
        }
    })
    .await;
}

/// When an ejected instance is tried again, after the last of the calls that it has failed.
async fn tried_again_after(route: &str) -> Duration {
    let net = Net::new(2, "", &format!("match = 'POST /'\nretry = false\n{route}")).await;
    net.only(0);
    net.links[0].otherwise.set(Some((Duration::ZERO, unavailable)));
    net.links[1].otherwise.set(Some((Duration::ZERO, good)));
    for _ in 0..5 {
        assert!(net.call().await.is_err());
    }
    net.links[1].burden.set(0);
    sleep(200 * MS).await;
    let (began, before) = (Instant::now(), net.came()[0]);
    while net.came()[0] == before {
        let _ = net.call().await;
        sleep(50 * MS).await;
    }
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn an_ejected_instance_is_tried_with_calls_that_may_run_twice_and_only_later_with_others() {
    local(async {
        let twice = tried_again_after("idempotent = true").await;
        for route in ["idempotent = false", ""] {
            let once = tried_again_after(route).await;
            assert!(once >= twice + SECOND / 2, "{route}: {once:?}, {twice:?}");
        }
    })
    .await;
}
