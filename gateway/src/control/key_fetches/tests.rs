//! Keys that are fetched by a simulated clock, from a provider that comes and goes.

use super::schedule::{ASKED_EVERY, LAST_PAUSE};
use super::*;
use crate::config::HttpUrl;
use crate::telemetry::FetchOutcome;
use std::cell::{Cell, RefCell};
use std::ops::RangeInclusive;
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);

fn document(kid: &str) -> Vec<u8> {
    format!(
        r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}]}}"#
    )
    .into_bytes()
}

/// A provider that is simulated.
struct Provider {
    set: Arc<KeySet>,
    refresh: Duration,
    is_away: Cell<bool>,
    kid: RefCell<String>,
    max_age: Cell<Option<Duration>>,
    /// When it was asked.
    asked: RefCell<Vec<Instant>>,
}

impl Provider {
    fn new(refresh: Duration) -> Provider {
        let target = HttpTarget { url: HttpUrl::parse("https://id.example/keys").expect("a URL"), ca: None };
        Provider {
            set: KeySets::default().at(&target),
            refresh,
            is_away: Cell::new(false),
            kid: RefCell::new("one".to_owned()),
            max_age: Cell::new(None),
            asked: RefCell::default(),
        }
    }

    async fn answer(&self) -> Answer {
        self.asked.borrow_mut().push(Instant::now());
        sleep(SECOND / 10).await;
        match self.is_away.get() {
            true => (Err((FetchOutcome::Unreachable, "away".to_owned())), None),
            false => (Ok(document(&self.kid.borrow())), self.max_age.get()),
        }
    }

    /// How often it is asked in that time, while `meanwhile` goes on ten times a second.
    async fn asked_within(&self, time: Duration, meanwhile: impl Fn()) -> usize {
        let before = self.asked.borrow().len();
        let end = Instant::now() + time;
        while Instant::now() < end {
            meanwhile();
            sleep(SECOND / 10).await;
        }
        self.asked.borrow().len() - before
    }

    /// Plays, while keys are fetched from it.
    async fn play(&self, play: impl Future<Output = ()>) {
        tokio::select! {
            () = keep(&self.set, self.refresh, || self.answer()) => unreachable!("it has no end"),
            () = play => {}
        }
    }
}

fn is_within(n: usize, expected: RangeInclusive<usize>) {
    assert!(expected.contains(&n), "{n}: {expected:?}");
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_at_once_and_then_once_in_each_period() {
    let provider = Provider::new(SECOND * 600);
    provider
        .play(async {
            provider.set.tried().await;
            assert!(provider.set.is_known());
            is_within(provider.asked_within(SECOND * 6000, || {}).await, 10..=11);
            // An answer that is good for less is asked for sooner, but not all the time.
            provider.max_age.set(Some(SECOND * 60));
            provider.asked_within(SECOND * 600, || {}).await;
            is_within(provider.asked_within(SECOND * 600, || {}).await, 10..=12);
            provider.max_age.set(Some(Duration::ZERO));
            provider.asked_within(SECOND * 60, || {}).await;
            is_within(provider.asked_within(SECOND * 600, || {}).await, 20..=23);
            // One that is good for longer is not believed that long.
            provider.max_age.set(Some(SECOND * 86400));
            provider.asked_within(SECOND * 60, || {}).await;
            is_within(provider.asked_within(SECOND * 6000, || {}).await, 9..=11);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn tokens_with_unknown_keys_have_them_fetched_once_in_a_while() {
    let provider = Provider::new(SECOND * 86400);
    provider
        .play(async {
            provider.set.tried().await;
            assert_eq!(provider.asked_within(SECOND * 60, || {}).await, 0);
            // The first is heard at once; of those that go on, one in ten seconds.
            assert_eq!(provider.asked_within(SECOND, || provider.set.want()).await, 1);
            let n = provider.asked_within(SECOND * 600, || provider.set.want()).await;
            is_within(n, 55..=60);
            let asked = provider.asked.borrow();
            let apart = asked.windows(2).skip(1).map(|pair| pair[1] - pair[0]).min();
            assert!(apart.expect("many") >= ASKED_EVERY, "{apart:?}");
        })
        .await;
}

/// Must 4 of the design: ten minutes without a provider.
#[tokio::test(start_paused = true)]
async fn a_provider_may_be_away_for_ten_minutes() {
    let provider = Provider::new(SECOND * 60);
    provider
        .play(async {
            provider.set.tried().await;
            provider.is_away.set(true);
            // Every tenth of a second a token comes whose key is not known.
            let n = provider.asked_within(SECOND * 600, || provider.set.want()).await;
            is_within(n, 10..=26);
            assert!(provider.set.is_known(), "those that were fetched go on");
            assert_eq!(provider.set.problem().expect("it is told").as_str(), "away");
            let last = provider.asked.borrow().len() - 3;
            let apart: Vec<Duration> =
                provider.asked.borrow()[last..].windows(2).map(|pair| pair[1] - pair[0]).collect();
            assert!(apart.iter().all(|apart| *apart >= LAST_PAUSE / 2), "{apart:?}");
            // Back, and with another key: it is asked once, and then as always.
            provider.is_away.set(false);
            *provider.kid.borrow_mut() = "two".to_owned();
            let n = provider.asked_within(LAST_PAUSE + SECOND, || {}).await;
            is_within(n, 1..=2);
            assert_eq!(provider.set.problem(), None);
            is_within(provider.asked_within(SECOND * 600, || {}).await, 10..=12);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_was_never_there_is_asked_until_it_is() {
    let provider = Provider::new(SECOND * 600);
    provider.is_away.set(true);
    provider
        .play(async {
            provider.set.tried().await;
            assert!(!provider.set.is_known());
            is_within(provider.asked_within(SECOND * 10, || provider.set.want()).await, 3..=5);
            provider.is_away.set(false);
            provider.asked_within(LAST_PAUSE, || {}).await;
            assert!(provider.set.is_known());
        })
        .await;
}
