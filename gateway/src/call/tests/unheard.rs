//! Calls whose makers are told that they were written, and hear nothing of the reply.

use super::*;
use crate::transport::OnWritten;
use std::cell::Cell;

/// How often it was told, and whom.
fn counter() -> (Rc<Cell<usize>>, OnWritten) {
    let told = Rc::<Cell<usize>>::default();
    let counts = told.clone();
    (told, Rc::new(move || counts.set(counts.get() + 1)))
}

#[tokio::test(start_paused = true)]
async fn its_maker_is_told_when_it_was_written_and_not_when_it_was_sent() {
    local(async {
        let net = Rc::new(Net::new(1, "", "match = 'POST /'\nidempotent = false").await);
        net.links[0].holds_back.set(true);
        let (told, on_written) = counter();
        let call = spawn_local({
            let net = net.clone();
            async move {
                let request = Request { on_written: Some(&on_written), ..net.request(TIMEOUT) };
                run(&net.worker, &request).await.map(drop)
            }
        });
        yield_now().await;
        assert_eq!((net.came(), told.get()), (vec![1], 0));
        net.links[0].is_written();
        assert_eq!(told.get(), 1);
        assert!(!call.is_finished(), "it goes on");
        net.links[0].breaks(|| Outcome::Lost);
        assert!(matches!(call.await.expect("no panic"), Err(Failure::Lost)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn it_is_sent_again_as_any_and_of_its_reply_nothing_is_made() {
    local(async {
        let replies: [fn() -> Outcome; 4] =
            [good, || Outcome::TooLong(1), || Outcome::NoRoom, || Outcome::Complete];
        for reply in replies {
            let net = Net::new(2, "", "match = 'POST /'").await;
            net.links.iter().for_each(|link| link.answers(refused()));
            net.links.iter().for_each(|link| link.answers(reply()));
            let (told, on_written) = counter();
            let request = Request { on_written: Some(&on_written), ..net.request(TIMEOUT) };
            let Ok(Reply::Whole { replied: Replied { json: Json::Long(pieces), .. }, .. }) =
                run(&net.worker, &request).await
            else {
                panic!("it has replied")
            };
            assert!(pieces.is_empty());
            assert_eq!((told.get(), net.came().iter().sum::<usize>()), (3, 3));
        }
        let net = Net::new(1, "", "match = 'POST /'").await;
        net.links[0].answers(Outcome::TooLarge);
        let (_, on_written) = counter();
        let request = Request { on_written: Some(&on_written), ..net.request(TIMEOUT) };
        assert!(matches!(run(&net.worker, &request).await.map(drop), Err(Failure::BadReply(_))));
    })
    .await;
}
