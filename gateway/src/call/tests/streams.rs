//! Bodies that come as streams: the first attempt that begins to read one has it.

use super::*;
use bytes::Bytes;
use tokio::sync::mpsc;

const GET: &str = "match = 'GET /'";

/// What a call with that body comes to.
async fn call(net: &Net, body: &BodyStream) -> Result<String, Failure> {
    let request = Request { body: Body::Stream(body, &[]), ..net.request(TIMEOUT) };
    run(&net.worker, &request).await.map(text)
}

#[tokio::test(start_paused = true)]
async fn an_instance_reads_a_stream_while_its_call_is_under_way() {
    local(async {
        let net = Net::new(1, "", GET).await;
        net.links[0].answers_after(SECOND, good());
        let (send, pieces) = mpsc::channel(1);
        let body = BodyStream::new(pieces);
        let instance = async {
            yield_now().await;
            let mut stream = net.links[0].streams.borrow_mut().pop().expect("it has come");
            let mut read = Vec::new();
            while let Some(Piece::Item(item)) = stream.recv().await {
                read.push(item);
            }
            read
        };
        let client = async {
            for piece in ["a", "b", "c"] {
                let item = Piece::Item(Bytes::from_static(piece.as_bytes()));
                send.send(item).await.expect("somebody reads");
            }
            send.send(Piece::End).await.expect("somebody reads");
        };
        let (said, read, ()) = tokio::join!(call(&net, &body), instance, client);
        assert_eq!((said.expect("a reply"), read.concat()), ("good".to_owned(), b"abc".to_vec()));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_was_begun_to_be_read_is_not_sent_again_whatever_has_become_of_it() {
    local(async {
        let outcomes: [fn() -> Outcome; 4] =
            [|| Outcome::NotAccepted, refused, || Outcome::Lost, unavailable];
        for outcome in outcomes {
            let net = Net::new(2, "", GET).await;
            net.links.iter().for_each(|link| link.otherwise.set(Some((Duration::ZERO, outcome))));
            let body = BodyStream::new(mpsc::channel(1).1);
            assert!(call(&net, &body).await.is_err());
            assert_eq!((net.came().iter().sum::<usize>(), net.retries()), (1, vec![]), "{:?}", outcome());
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_lacks_the_method_leaves_the_stream_to_the_next_one() {
    local(async {
        let net = Net::new(2, "", GET).await;
        net.links[0].offers_only(&[]);
        net.prefer(0);
        net.links[1].answers(good());
        let body = BodyStream::new(mpsc::channel(1).1);
        assert_eq!(call(&net, &body).await.expect("a reply"), "good");
        assert_eq!(net.came(), [0, 1]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_only_attempt_has_all_the_time_and_stays_with_an_instance_that_falls_silent() {
    local(async {
        let route = "match = 'GET /'\nretry = { per_try_timeout = '100ms', hedge = 'p90' }";
        let net = Rc::new(Net::new(2, "", route).await);
        net.prefer(0);
        net.links[0].answers_after(5 * SECOND, good());
        let call = {
            let net = net.clone();
            spawn_local(async move { call(&net, &BodyStream::new(mpsc::channel(1).1)).await })
        };
        sleep(SECOND).await;
        net.links[0].falls_silent();
        assert_eq!(call.await.expect("no panic").expect("a reply"), "good");
        let came = &net.links[0].came()[0];
        assert_eq!((net.came(), came.deadline - came.at), (vec![1, 0], TIMEOUT));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_not_copied() {
    local(async {
        let net = Net::new(1, "", GET).await;
        let body = BodyStream::new(mpsc::channel(1).1);
        let request = Request { body: Body::Stream(&body, &[]), ..net.request(TIMEOUT) };
        let copied = super::super::send_copy(&net.worker, &request);
        assert!(matches!(copied, Err(crate::telemetry::ShadowOutcome::Unfit)));
        assert!(body.begin().is_some(), "it is left to its call");
    })
    .await;
}
