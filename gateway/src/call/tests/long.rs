//! Results that are so long that they take room until they were sent.

use super::*;
use crate::transport::callgate::testing::long_reply;
use callgate_protocol::schema::Type;

const GET: &str = "match = 'GET /'";

/// What a call comes to whose result is that long.
async fn result(net: &Net, length: usize) -> Result<Json, Failure> {
    net.links[0].answers(reply(&"7".repeat(length)));
    match run(&net.worker, &net.request(TIMEOUT)).await? {
        Reply::Whole { replied, .. } => Ok(replied.json),
        Reply::Begun(_) => panic!("it is whole"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_result_is_sent_as_it_is_and_takes_room_until_then() {
    local(async {
        let net = Net::new(1, "", GET).await;
        let room = || net.worker.shared.answers.used();
        let short = result(&net, 64 * 1024).await.expect("a result");
        assert!(matches!(&short, Json::Short(json) if json.body().len() == 64 * 1024) && room() == 0);
        let long = result(&net, 64 * 1024 + 1).await.expect("a result");
        let Json::Long(pieces) = long else { panic!("it is long") };
        assert_eq!(pieces.concat(), "7".repeat(64 * 1024 + 1).as_bytes());
        assert!(room() > 64 * 1024);
        drop(pieces);
        assert_eq!(room(), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_result_beyond_the_bound_or_without_room_is_a_failure_that_says_whose() {
    local(async {
        let net = Net::of("workers = 1\nmax_answer = 100000", 1, "", GET).await;
        assert!(result(&net, 100_000).await.is_ok());
        let Err(Failure::AnswerTooLong { bound, call, instance }) = result(&net, 100_001).await else {
            panic!("it is too long")
        };
        assert_eq!((bound, &*call, &*instance), (100_000, "s.a", "127.0.0.1:1"));
        let answers = &net.worker.shared.answers;
        let others = answers.take((256 << 20) - 100_000).expect("there is room");
        let refused = result(&net, 100_000).await;
        assert!(
            matches!(refused, Err(Failure::Shed(ShedReason::AnswerMemory))),
            "with its headroom it is longer"
        );
        assert_eq!(net.shed(ShedReason::AnswerMemory), 1);
        drop(others);
        assert!(result(&net, 100_000).await.is_ok());
        // The instance has answered well each time.
        assert_eq!(net.backend().endpoints()[0].stats.outcomes().collect::<Vec<_>>(), [("ok", 4)]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_result_whose_json_is_yet_to_be_made_is_made_or_is_the_instances_failure() {
    local(async {
        let net = Net::new(1, "", "match = 'GET /'\nretry = false").await;
        for (payload, expected) in [(&[3, 1, 2, 3][..], Some(&b"[1,2,3]"[..])), (&[3, 1, 2], None)] {
            let list = Type::List(Box::new(Type::U8));
            net.links[0].answers(Outcome::Long(Box::new(long_reply(list, payload.to_vec()))));
            match run(&net.worker, &net.request(TIMEOUT)).await {
                Ok(Reply::Whole { replied: Replied { json: Json::Long(pieces), .. }, .. }) => {
                    assert_eq!(Some(&*pieces.concat()), expected);
                }
                Err(Failure::BadReply(_)) => assert_eq!(expected, None),
                _ => panic!("it is long, or broken"),
            }
        }
        let outcomes: Vec<_> = net.backend().endpoints()[0].stats.outcomes().collect();
        assert_eq!(outcomes, [("ok", 1), ("internal", 1)]);
    })
    .await;
}
