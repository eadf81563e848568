//! The third trial: an instance whose packets vanish, and one whose path is bad. Nobody is told by an error, so the
//! gateway has to notice by what does not come.

mod net;

use crate::Failed;
use crate::caller::Caller;
use crate::load::Load;
use crate::options::Options;
use crate::relay::Relay;
use crate::rig::{Place, Rig};
use crate::tally::{Call, Tally};
use crate::verdict::Verdict;
use net::Net;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// Instances, of which one is silenced and another one has the bad path.
const INSTANCES: usize = 3;
const SILENCED: usize = 0;
const BAD_PATH: usize = 1;
const PORT: u16 = 7101;

/// By then the gateway must have left, or turned from, an instance.
const LEFT_WITHIN: Duration = Duration::from_secs(3);
/// How long the trouble lasts.
const TROUBLE: Duration = Duration::from_secs(10);
/// How long the gateway may take to come back to an instance that is well again.
const PATIENCE: Duration = Duration::from_secs(60);
/// A share up to this is none: an instance may be tried now and then whether it has recovered.
const NONE: f64 = 0.02;

/// How many calls each endpoint had been given at a time.
struct Sample {
    at: Duration,
    calls: Vec<u64>,
}

/// Runs it, where it is permitted.
pub(crate) async fn run(options: Options) -> Result<Verdict, Failed> {
    // Dropped after the rig, whose processes live in it.
    let net = match Net::new(INSTANCES) {
        Ok(net) => net,
        Err(error) => return Ok(Verdict::skipped(format!("no network namespaces here: {error}"))),
    };
    let relay = match net.link(BAD_PATH).netem("0%", "0ms") {
        Ok(()) => None,
        Err(error) => {
            println!("no netem here ({error}): a relay makes the bad path");
            Some(Relay::start(format!("{}:{PORT}", net.link(BAD_PATH).instance)).await?)
        }
    };
    let places = (0..INSTANCES).map(|number| {
        let link = net.link(number);
        let listen = format!("{}:{PORT}", link.instance);
        let relayed = relay.as_ref().filter(|_| number == BAD_PATH).map(|relay| relay.endpoint.clone());
        Place { endpoint: relayed.unwrap_or(listen.clone()), listen, netns: Some(link.netns.clone()) }
    });
    let rig = Rig::start_at(&options, places.collect()).await?;
    let began = Instant::now();
    let load = Load::start(Caller::http(rig.gateway.lock().await.http), options.rate, began);
    sleep(Duration::from_secs(2)).await;
    let mut verdict = Verdict::default();

    net.link(SILENCED).drop_all()?;
    let samples = watch(&rig, began).await?;
    judge(&mut verdict, "every packet dropped", &samples, SILENCED, NONE);
    net.link(SILENCED).drop_none()?;
    let failed = settled_failures(&rig, SILENCED, &load.tally, options.timeout).await?;
    verdict.promise(failed == 0, format!("every packet dropped: {failed} idempotent calls failed"));

    match &relay {
        Some(relay) => relay.set_bad(true),
        None => net.link(BAD_PATH).netem("30%", "100ms")?,
    }
    let samples = watch(&rig, began).await?;
    // Half of what it would have if it were like the others.
    judge(&mut verdict, "30 % lost and 100 ms late", &samples, BAD_PATH, 0.5 / INSTANCES as f64);
    match &relay {
        Some(relay) => relay.set_bad(false),
        None => net.link(BAD_PATH).netem("0%", "0ms")?,
    }
    let all = settled_failures(&rig, BAD_PATH, &load.tally, options.timeout).await?;
    let failed = all - failed;
    verdict.promise(failed == 0, format!("30 % lost and 100 ms late: {failed} idempotent calls failed"));
    finish(&rig, load, options, verdict).await
}

async fn finish(rig: &Rig, load: Load, options: Options, mut verdict: Verdict) -> Result<Verdict, Failed> {
    let tails = rig.tails();
    let (tally, _) = load.stop().await?;
    for call in [Call::Lookup, Call::Count] {
        println!("{call:?}: {}", crate::report::outcomes(&tally.by_outcome(call)));
    }
    println!("{}", crate::report::times(tally.records().iter()));
    let twice = rig.runs().await?.values().filter(|&&times| times > 1).count();
    verdict.promise(twice == 0, format!("no call that is not idempotent ran twice: {twice}"));
    if !verdict.held() {
        println!("\nThe last lines of the logs:\n{tails}");
    }
    if options.keep {
        println!("kept: {}", rig.folder());
    }
    Ok(verdict)
}

/// Notes for as long as the trouble lasts who is given calls.
async fn watch(rig: &Rig, began: Instant) -> Result<Vec<Sample>, Failed> {
    let start = began.elapsed();
    let admin = rig.gateway.lock().await.admin;
    let endpoints = rig.tables.lock().await.endpoints.clone();
    let mut samples = Vec::new();
    while began.elapsed() < start + TROUBLE {
        let at = began.elapsed() - start;
        let mut calls = Vec::new();
        for endpoint in &endpoints {
            calls.push(admin.endpoint(endpoint).await?.calls);
        }
        samples.push(Sample { at, calls });
        sleep(Duration::from_millis(100)).await;
    }
    Ok(samples)
}

/// Waits until the gateway is connected to the instance again, and until every call from the time of trouble has ended;
/// how many idempotent calls have failed so far.
async fn settled_failures(rig: &Rig, number: usize, tally: &Tally, seconds: u64) -> Result<u64, Failed> {
    let admin = rig.gateway.lock().await.admin;
    let endpoint = rig.tables.lock().await.endpoints[number].clone();
    let connecting = async {
        while admin.endpoint(&endpoint).await?.connections < 2 {
            sleep(Duration::from_millis(50)).await;
        }
        Ok::<(), Failed>(())
    };
    timeout(PATIENCE, connecting)
        .await
        .map_err(|_| format!("the gateway does not come back to {endpoint}"))??;
    sleep(Duration::from_secs(seconds + 1)).await;
    Ok(tally.failures(Call::Lookup))
}

/// Judges an endpoint's share of the calls after the gateway has had its time.
fn judge(verdict: &mut Verdict, trouble: &str, samples: &[Sample], number: usize, most: f64) {
    let after = samples.iter().position(|sample| sample.at >= LEFT_WITHIN).unwrap_or_default();
    let share = share(&samples[after..], number);
    // The first second from which on every second's share is small enough.
    let second = |start: usize| {
        let end = samples[start].at + Duration::from_secs(1);
        let length = samples[start..].iter().take_while(|sample| sample.at <= end).count();
        self::share(&samples[start..start + length], number)
    };
    let last_above = (0..samples.len()).rev().find(|&start| second(start) > most);
    let left = last_above.map_or(Duration::ZERO, |start| samples[start].at);
    let word = format!(
        "{trouble}: its share of the calls after {LEFT_WITHIN:?} is {:.1} %, at most {:.1}; so from {:.1} s on",
        share * 100.0,
        most * 100.0,
        left.as_secs_f64(),
    );
    verdict.promise(share <= most, word);
}

/// An endpoint's share of the calls between the first and the last sample.
fn share(samples: &[Sample], number: usize) -> f64 {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return 0.0 };
    let given = |at: usize| last.calls[at].saturating_sub(first.calls[at]);
    let all: u64 = (0..last.calls.len()).map(given).sum();
    given(number) as f64 / all.max(1) as f64
}
