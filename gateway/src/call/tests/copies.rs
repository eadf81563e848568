//! Copies of calls, which are sent at once or not at all.

use super::super::send_copy;
use super::*;
use crate::telemetry::ShadowOutcome;

const GET: &str = "match = 'GET /'";

/// What a copy comes to that is sent now.
async fn copied(net: &Net) -> ShadowOutcome {
    match send_copy(&net.worker, &net.request(TIMEOUT)) {
        Ok(sent) => sent.ended(None).await,
        Err(outcome) => outcome,
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_sent_once_and_what_becomes_of_it_is_told() {
    local(async {
        let cases: [(fn() -> Outcome, ShadowOutcome); 4] = [
            (good, ShadowOutcome::Ok),
            (unavailable, ShadowOutcome::Failed),
            (|| Outcome::Lost, ShadowOutcome::Lost),
            (|| Outcome::Late, ShadowOutcome::Late),
        ];
        for (outcome, expected) in cases {
            let net = Net::new(2, "", GET).await;
            net.links.iter().for_each(|link| link.otherwise.set(Some((MS, outcome))));
            assert_eq!(copied(&net).await, expected);
            assert_eq!((net.came().iter().sum::<usize>(), net.retries()), (1, vec![]));
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_copy_waits_for_nobody() {
    local(async {
        let net = Net::new(1, "hold = '2s'", GET).await;
        let began = Instant::now();
        net.links[0].burden.set(1024);
        assert_eq!(copied(&net).await, ShadowOutcome::NoInstance, "it is full");
        net.links[0].burden.set(0);
        disconnect(&net.local(), false);
        assert_eq!(copied(&net).await, ShadowOutcome::NoInstance);
        net.worker.pool.retire();
        assert_eq!(copied(&net).await, ShadowOutcome::NoInstance);
        assert_eq!((began.elapsed(), net.came(), net.holds()), (Duration::ZERO, vec![0], vec![]));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_has_no_time_is_late_and_one_whose_method_nobody_offers_is_unfit() {
    local(async {
        let net = Net::new(2, "", GET).await;
        let late = send_copy(&net.worker, &net.request(Duration::ZERO));
        assert!(matches!(late, Err(ShadowOutcome::Late)));
        let request = net.request(SECOND);
        sleep(SECOND).await;
        assert!(matches!(send_copy(&net.worker, &request), Err(ShadowOutcome::Late)), "its call has waited");
        net.links[0].offers_only(&[]);
        net.links[1].otherwise.set(Some((Duration::ZERO, good)));
        net.prefer(0);
        assert_eq!(copied(&net).await, ShadowOutcome::Ok, "the other one offers it");
        net.links[1].offers_only(&[]);
        assert_eq!(copied(&net).await, ShadowOutcome::Unfit);
        assert_eq!(net.came(), [0, 1]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_copy_takes_no_permit() {
    local(async {
        let net = Rc::new(Net::new(1, "max_in_flight = 1\nqueue = false", GET).await);
        let call = net.start().await;
        net.links[0].answers(good());
        assert_eq!(copied(&net).await, ShadowOutcome::Ok);
        call.abort();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_copy_may_show_whether_an_instance_is_well_again_where_its_call_is_not_risked_for_that() {
    local(async {
        let net = Net::new(2, "", "match = 'POST /'\nidempotent = false").await;
        net.only(0);
        for _ in 0..5 {
            net.links[0].answers(unavailable());
            assert!(net.call().await.is_err());
        }
        net.links.iter().for_each(|link| link.burden.set(0));
        net.links.iter().for_each(|link| link.otherwise.set(Some((MS, good))));
        // As long as it is ejected.
        sleep(SECOND + SECOND / 4).await;
        assert!(net.call().await.is_ok());
        assert_eq!(net.came(), [5, 1]);
        assert_eq!(copied(&net).await, ShadowOutcome::Ok);
        assert_eq!(net.came(), [6, 1]);
    })
    .await;
}
