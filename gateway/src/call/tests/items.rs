//! Replies that come in items: the queue between the instance and whoever reads, and what it means that a reply has begun.

use super::*;
use std::future::poll_fn;
use std::task::{Context, Waker};

const GET: &str = "match = 'GET /'";

/// Items of a reply that may wait for their reader, in bytes.
const MOST: usize = 1000;

/// A reply that begins at once at the first instance, and its other end.
pub(super) async fn begun(net: &Rc<Net>) -> (Box<ReplyStream>, Sending) {
    net.prefer(0);
    begun_at(net, 0, start(net).await).await
}

/// A call whose reply is taken as it comes.
async fn start(net: &Rc<Net>) -> JoinHandle<Result<Reply, Failure>> {
    let net = net.clone();
    let call = spawn_local(async move { run(&net.worker, &net.request(TIMEOUT)).await });
    yield_now().await;
    call
}

async fn begun_at(
    net: &Net,
    at: usize,
    call: JoinHandle<Result<Reply, Failure>>,
) -> (Box<ReplyStream>, Sending) {
    let sending = net.links[at].begins(MOST);
    let Ok(Reply::Begun(stream)) = call.await.expect("no panic") else { panic!("it has begun") };
    (stream, sending)
}

/// What comes next; none at the end.
async fn next(stream: &mut ReplyStream) -> Option<Result<String, Failure>> {
    let item = poll_fn(|cx| stream.poll_next(cx)).await;
    item.map(|item| item.map(|item| String::from_utf8(item.to_vec()).expect("it is text")))
}

/// Whether something has come, or the end.
fn has_come(stream: &mut ReplyStream) -> bool {
    stream.poll_next(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// How the attempts at an instance have ended, how many are in flight, and how many of them its health counts.
fn counted(net: &Net, at: usize) -> (Vec<(&'static str, u64)>, u64) {
    let stats = &net.backend().endpoints()[at].stats;
    (stats.outcomes().collect(), stats.0.of(0).in_flight.get())
}

#[tokio::test(start_paused = true)]
async fn items_come_in_order_and_then_the_end() {
    local(async {
        let net = Rc::new(Net::new(1, "", GET).await);
        let (mut stream, sending) = begun(&net).await;
        assert!(!has_come(&mut stream) && !stream.has_ended());
        let instance = async {
            for item in ["a", "", "b", "c"] {
                assert!(sending.send(item).await);
                sleep(MS).await;
            }
            sending.ends(Outcome::Complete);
        };
        let reader = async {
            let mut read = Vec::new();
            while let Some(item) = next(&mut stream).await {
                read.push(item.expect("an item"));
                assert_eq!(counted(&net, 0), (vec![], 1));
            }
            read
        };
        let ((), read) = tokio::join!(instance, reader);
        assert_eq!(
            (read.concat(), read.len(), counted(&net, 0)),
            ("abc".to_owned(), 4, (vec![("ok", 1)], 0))
        );
        assert!(stream.has_ended() && next(&mut stream).await.is_none(), "it stays so");
        drop(stream);
        assert_eq!((counted(&net, 0), net.links[0].cancelled()), ((vec![("ok", 1)], 0), 0));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_instance_waits_where_its_reader_is_slower() {
    local(async {
        let net = Rc::new(Net::new(1, "", GET).await);
        let (mut stream, sending) = begun(&net).await;
        let sent = Rc::new(std::cell::Cell::new(0));
        let instance = spawn_local({
            let sent = sent.clone();
            async move {
                let item = "x".repeat(MOST / 5);
                while sending.send(&item).await {
                    sent.set(sent.get() + 1);
                }
            }
        });
        sleep(SECOND).await;
        let first = sent.get();
        assert!((4..=5).contains(&first), "{first}");
        for taken in 1..10 {
            assert!(next(&mut stream).await.is_some_and(|item| item.is_ok()));
            sleep(MS).await;
            assert_eq!(sent.get(), first + taken);
        }
        drop(stream);
        instance.await.expect("an instance that waits hears that its reader has left");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_leaves_cancels_the_call_and_says_nothing_against_the_instance() {
    local(async {
        for items in 0..3 {
            let net = Rc::new(Net::new(1, "max_in_flight = 1\nqueue = false", GET).await);
            let (mut stream, sending) = begun(&net).await;
            for _ in 0..items {
                assert!(sending.send("a").await && next(&mut stream).await.is_some());
            }
            sleep(5 * SECOND).await;
            drop(stream);
            assert_eq!((counted(&net, 0), net.links[0].cancelled()), ((vec![("cancelled", 1)], 0), 1));
            assert!(!sending.send("b").await, "nobody wants it");
            assert_eq!((net.backend().gauge.count().get(), net.retries()), (0, vec![]));
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_end_that_its_reader_has_not_heard_counts_as_what_it_was() {
    local(async {
        let net = Rc::new(Net::new(1, "", GET).await);
        let (stream, sending) = begun(&net).await;
        assert!(sending.send("a").await);
        sending.ends(Outcome::Complete);
        drop(stream);
        assert_eq!((counted(&net, 0), net.links[0].cancelled()), ((vec![("ok", 1)], 0), 0));
    })
    .await;
}

/// How a reply ends that has begun, and what the attempt is counted as.
type End = (fn() -> Outcome, &'static str);

#[tokio::test(start_paused = true)]
async fn what_fails_after_its_beginning_fails_whatever_the_reason_and_is_sent_nowhere_else() {
    local(async {
        let ends: [End; 6] = [
            (|| Outcome::Lost, "lost"),
            (|| Outcome::NotAccepted, "refused"),
            (refused, "refused"),
            (unavailable, "unavailable"),
            (|| Outcome::BadReply("odd".to_owned()), "internal"),
            (|| Outcome::NoRoom, "resource_exhausted"),
        ];
        for (outcome, label) in ends {
            let net = Rc::new(Net::new(2, "", "match = 'GET /'\nretry = {}").await);
            let (mut stream, sending) = begun(&net).await;
            assert!(sending.send("a").await);
            net.links[0].breaks(outcome);
            assert_eq!(
                next(&mut stream).await.and_then(Result::ok).as_deref(),
                Some("a"),
                "what came counts"
            );
            let failure = next(&mut stream).await.and_then(Result::err).expect("it has broken off");
            let expected = crate::call::retry::result(outcome()).expect_err("it has failed");
            assert_eq!(failure.reason(), expected.reason(), "{:?}", outcome());
            assert!(stream.has_ended() && next(&mut stream).await.is_none());
            assert_eq!((net.came(), net.retries()), (vec![1, 0], vec![]), "{:?}", outcome());
            assert_eq!(counted(&net, 0), (vec![(label, 1)], 0));
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_broken_reply_is_told_with_its_instance_and_counted() {
    local(async {
        let net = Rc::new(Net::new(1, "", GET).await);
        let (mut stream, sending) = begun(&net).await;
        sending.ends(Outcome::BadReply("odd".to_owned()));
        let Some(Err(Failure::BadReply(error))) = next(&mut stream).await else { panic!("it is broken") };
        assert_eq!(error, "the reply of 127.0.0.1:1 is broken: odd");
        assert_eq!(net.route().stats.0.of(0).bad_replies.get(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_does_not_end_in_time_ends_with_its_calls_deadline() {
    local(async {
        let net = Rc::new(Net::new(1, "", GET).await);
        let began = Instant::now();
        let (mut stream, sending) = begun(&net).await;
        assert!(sending.send("a").await && next(&mut stream).await.is_some_and(|item| item.is_ok()));
        assert!(matches!(next(&mut stream).await, Some(Err(Failure::Deadline))));
        assert_eq!((began.elapsed(), counted(&net, 0)), (TIMEOUT, (vec![("deadline_exceeded", 1)], 0)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_a_call_holds_is_held_until_the_last_item_was_taken() {
    local(async {
        let net = Rc::new(Net::new(1, "max_in_flight = 1\nqueue = false", GET).await);
        let (mut stream, sending) = begun(&net).await;
        assert!(sending.send("a").await);
        sending.ends(Outcome::Complete);
        let is_full = async || matches!(net.call().await, Err(Failure::Shed(ShedReason::Backend)));
        assert!(is_full().await);
        assert!(next(&mut stream).await.is_some() && is_full().await);
        assert!(next(&mut stream).await.is_none());
        net.links[0].answers(good());
        assert!(net.call().await.is_ok());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn of_attempts_side_by_side_the_one_counts_whose_reply_begins_first() {
    local(async {
        let net = Rc::new(Net::new(2, "", GET).await);
        for first in [0, 1] {
            net.prefer(0);
            let (cancelled, call) = (net.links[1 - first].cancelled(), start(&net).await);
            net.links[0].falls_silent();
            yield_now().await;
            let (mut stream, sending) = begun_at(&net, first, call).await;
            assert_eq!(net.links[1 - first].cancelled(), cancelled + 1);
            // From now on nobody else can go on with it.
            net.links.iter().for_each(|link| link.falls_silent());
            assert!(!has_come(&mut stream) && sending.send("a").await);
            sending.ends(Outcome::Complete);
            assert!(next(&mut stream).await.is_some() && next(&mut stream).await.is_none());
            assert_eq!(net.came().iter().sum::<usize>(), 2 * (first + 1));
            net.links.iter().for_each(|link| link.gives_a_sign());
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_hedge_that_begins_first_wins_and_its_time_is_that_of_its_beginning() {
    local(async {
        let net = super::side_by_side::hedged(2, "", "match = 'GET /'\nretry = { hedge = 'p90' }").await;
        net.prefer(0);
        let call = start(&net).await;
        sleep(30 * MS).await;
        assert_eq!(net.links.iter().map(|link| link.in_flight()).collect::<Vec<_>>(), [1, 2]);
        let (stream, sending) = begun_at(&net, 1, call).await;
        let hedges: Vec<_> = net.backend().stats.hedges().filter(|(_, n)| *n > 0).collect();
        assert_eq!((hedges, net.links[0].cancelled()), (vec![("second", 1)], 1));
        sending.ends(Outcome::Complete);
        drop(stream);
    })
    .await;
}

/// How many calls that take 100 ms are shed after many whose replies have begun after 10 ms, and had readers that took ten times as
/// long; `away`: the worker was away when they began.
async fn shed_after_begun_replies(away: bool) -> u64 {
    let backend = "adaptive = { when = 'always' }\nqueue = false";
    let net = Rc::new(Net::new(1, backend, "match = 'GET /'\nretry = false").await);
    for _ in 0..20 {
        let mut under_way = Vec::new();
        for _ in 0..20 {
            under_way.push(start(&net).await);
        }
        sleep(10 * MS).await;
        net.links[0].disturbed.set(away);
        let begun: Vec<_> = under_way.iter().map(|_| net.links[0].begins(MOST)).collect();
        net.links[0].disturbed.set(false);
        sleep(100 * MS).await;
        begun.into_iter().for_each(|sending| sending.ends(Outcome::Complete));
        for call in under_way {
            let Ok(Reply::Begun(mut stream)) = call.await.expect("no panic") else { panic!("it has begun") };
            assert!(next(&mut stream).await.is_none());
        }
    }
    assert_eq!(net.shed(ShedReason::Adaptive), 0);
    net.links[0].otherwise.set(Some((100 * MS, good)));
    for _ in 0..20 {
        let mut under_way = Vec::new();
        for _ in 0..20 {
            under_way.push(net.start().await);
        }
        for call in under_way {
            let _ = call.await;
        }
    }
    net.shed(ShedReason::Adaptive)
}

#[tokio::test(start_paused = true)]
async fn the_limit_learns_the_time_until_the_beginning_if_the_worker_was_there_and_not_that_of_the_reader() {
    local(async {
        assert!(shed_after_begun_replies(false).await > 0, "10 ms are typical");
        assert_eq!(shed_after_begun_replies(true).await, 0, "nothing is");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn nobody_hears_the_items_of_a_copy_and_it_ends_with_them() {
    local(async {
        let net = Rc::new(Net::new(1, "", GET).await);
        let request = net.request(TIMEOUT);
        let Ok(copy) = crate::call::send_copy(&net.worker, &request) else { panic!("it is sent") };
        let sending = net.links[0].begins(MOST);
        let instance = async {
            for _ in 0..20 {
                assert!(sending.send(&"x".repeat(MOST)).await);
            }
            sending.ends(Outcome::Complete);
        };
        let (ended, ()) = tokio::join!(copy.ended(None), instance);
        assert_eq!(ended, crate::telemetry::ShadowOutcome::Ok);
    })
    .await;
}

/// A call of a method that replies in items, which says nothing.
async fn silent(net: &Rc<Net>) -> JoinHandle<Result<Reply, Failure>> {
    net.links.iter().for_each(|link| link.in_items.set(true));
    net.prefer(0);
    start(net).await
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_says_nothing_counts_as_begun_after_a_second() {
    local(async {
        let net = Rc::new(Net::new(1, "", GET).await);
        let began = Instant::now();
        let call = silent(&net).await;
        let Ok(Reply::Begun(mut stream)) = call.await.expect("no panic") else { panic!("it has begun") };
        assert_eq!((began.elapsed(), has_come(&mut stream)), (SECOND, false));
        let sending = net.links[0].begins_late(MOST);
        assert!(sending.send("a").await);
        sending.ends(Outcome::Complete);
        assert!(matches!(next(&mut stream).await, Some(Ok(item)) if item == "a"));
        assert!(next(&mut stream).await.is_none());
        assert_eq!(counted(&net, 0), (vec![("ok", 1)], 0));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_fails_within_that_second_fails_as_any_call_and_is_sent_again() {
    local(async {
        let net = Rc::new(Net::new(2, "", "match = 'GET /'\nretry = {}").await);
        let call = silent(&net).await;
        sleep(500 * MS).await;
        net.links[0].breaks(|| Outcome::Lost);
        yield_now().await;
        let (mut stream, sending) = begun_at(&net, 1, call).await;
        sending.ends(Outcome::Failed(Status::not_found("").into()));
        assert!(matches!(next(&mut stream).await, Some(Err(Failure::Method(_)))));
        assert_eq!(net.came(), [1, 1]);

        let net = Rc::new(Net::new(1, "", GET).await);
        let call = silent(&net).await;
        net.links[0].breaks(|| Outcome::Failed(Status::not_found("").into()));
        assert!(matches!(call.await.expect("no panic"), Err(Failure::Method(_))));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_counted_from_its_beginning_to_its_end() {
    use crate::telemetry::StreamOutcome as Ends;
    local(async {
        let ends = [
            (Some(Outcome::Complete), Ends::Ok),
            (Some(Outcome::Lost), Ends::Lost),
            (Some(Outcome::Failed(Status::not_found("").into())), Ends::Failed),
            (None, Ends::Left),
        ];
        for (outcome, expected) in ends {
            let net = Rc::new(Net::new(1, "", GET).await);
            let call = silent(&net).await;
            let (mut stream, sending) = begun_at(&net, 0, call).await;
            let streams = net.route().stats.0.of(0).streams();
            assert!(sending.send("a").await && next(&mut stream).await.is_some());
            assert_eq!((streams.open.get(), streams.reply_items.get()), (1, 1));
            match outcome {
                Some(outcome) => {
                    sending.ends(outcome);
                    let _ = next(&mut stream).await;
                }
                None => drop(stream),
            }
            assert_eq!((streams.open.get(), streams.count(expected)), (0, 1), "{expected:?}");
        }
    })
    .await;
}
