//! The second trial: nothing works any more, three times. First every instance answers each call with a failure that could
//! be retried; then all of them are gone; then all are there and silent. Retries must not multiply the load, nothing may
//! pile up, and when one instance recovers the client must see it.
//!
//! Each has two phases: down, and recovering, in which one instance is well and the others are still as they were.

use crate::Failed;
use crate::caller::Caller;
use crate::gateway::Gateway;
use crate::load::Load;
use crate::options::Options;
use crate::rig::Rig;
use crate::tally::{Call, Record, Tally};
use crate::verdict::Verdict;
use nix::sys::signal::Signal;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How long nothing works, how long one instance alone works, and how long all is well in between.
const DOWN: Duration = Duration::from_secs(6);
const RECOVERING: Duration = Duration::from_secs(10);
const WELL: Duration = Duration::from_secs(3);

/// From the first good answer to the last failure at most.
const SHOWS_WITHIN: Duration = Duration::from_secs(1);

/// What the gateway's memory may grow by while nothing works, in KiB.
const MAY_GROW: u64 = 32 * 1024;

/// A budget allows a few retries whatever the load, a second and worker; beside the share of the requests.
const FLOOR_PER_SECOND: f64 = 20.0;

/// A stretch of time, from the beginning.
#[derive(Clone, Copy, Debug)]
struct Phase {
    from: Duration,
    to: Duration,
}

/// How nothing works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// Every call runs and fails with `unavailable`.
    Failing,
    /// No process is there.
    Killed,
    /// Every process is stopped: its system accepts connections and bytes, and nobody answers.
    Stopped,
}

/// What was measured of one trouble.
struct Measured {
    down: Phase,
    recovering: Phase,
    /// Calls that reached instances while it was down, or attempts to connect.
    attempts: u64,
    kib_before: u64,
    kib_most: u64,
    in_flight_most: f64,
}

/// Runs it.
pub(crate) async fn run(options: Options) -> Result<Verdict, Failed> {
    let rig = Rig::start(&options).await?;
    let began = Instant::now();
    let load = Load::start(Caller::http(rig.gateway.lock().await.http), options.rate, began);
    let mut all = Vec::new();
    for trouble in [Trouble::Failing, Trouble::Killed, Trouble::Stopped] {
        sleep(WELL).await;
        eprintln!("{:4.0} s  all instances: {trouble:?}", began.elapsed().as_secs_f64());
        all.push((trouble, measure(&rig, trouble, began).await?));
    }
    sleep(WELL).await;
    let tails = rig.tails();
    let (tally, _) = load.stop().await?;
    for call in [Call::Lookup, Call::Count] {
        println!("{call:?}: {}", crate::report::outcomes(&tally.by_outcome(call)));
    }
    let mut verdict = Verdict::default();
    for (trouble, measured) in &all {
        judge(&mut verdict, &options, *trouble, measured, &tally);
    }
    let runs = rig.runs().await?;
    let twice = runs.values().filter(|&&times| times > 1).count();
    verdict.promise(twice == 0, format!("no call that is not idempotent ran twice: {twice}"));
    if !verdict.held() {
        println!("\nThe last lines of the logs:\n{tails}");
    }
    if options.keep {
        println!("kept: {}", rig.folder());
    }
    Ok(verdict)
}

/// Brings the trouble about, lets one instance recover, and then the others.
async fn measure(rig: &Rig, trouble: Trouble, began: Instant) -> Result<Measured, Failed> {
    let kib_before = rig.gateway.lock().await.resident_kib();
    for instance in &rig.instances {
        let mut instance = instance.lock().await;
        match trouble {
            Trouble::Failing => drop(instance.tell("fail 100").await?),
            Trouble::Killed => instance.kill().await?,
            Trouble::Stopped => instance.signal(Signal::SIGSTOP)?,
        }
    }
    let from = began.elapsed();
    let before = attempts(rig, trouble).await?;
    let (mut kib_most, mut in_flight_most) = (kib_before, 0.0);
    while began.elapsed() < from + DOWN {
        let (kib, in_flight) = look(&*rig.gateway.lock().await).await?;
        kib_most = kib.max(kib_most);
        in_flight_most = in_flight.max(in_flight_most);
        sleep(Duration::from_millis(100)).await;
    }
    let attempts = attempts(rig, trouble).await? - before;
    let down = Phase { from, to: began.elapsed() };
    recover(rig, trouble, 0..1).await?;
    let from = began.elapsed();
    sleep(RECOVERING).await;
    let recovering = Phase { from, to: began.elapsed() };
    recover(rig, trouble, 1..rig.instances.len()).await?;
    Ok(Measured { down, recovering, attempts, kib_before, kib_most, in_flight_most })
}

async fn recover(rig: &Rig, trouble: Trouble, which: std::ops::Range<usize>) -> Result<(), Failed> {
    for instance in &rig.instances[which] {
        let mut instance = instance.lock().await;
        match trouble {
            Trouble::Failing => drop(instance.tell("well").await?),
            Trouble::Killed => instance.start().await?,
            Trouble::Stopped => instance.signal(Signal::SIGCONT)?,
        }
    }
    Ok(())
}

/// Calls that have reached instances, or, where there are none, the gateway's attempts to connect.
async fn attempts(rig: &Rig, trouble: Trouble) -> Result<u64, Failed> {
    let mut attempts = 0;
    match trouble {
        Trouble::Failing => {
            for instance in &rig.instances {
                attempts += instance.lock().await.calls().await?;
            }
        }
        Trouble::Killed | Trouble::Stopped => {
            let admin = rig.gateway.lock().await.admin;
            for endpoint in &rig.tables.lock().await.endpoints {
                attempts += admin.endpoint(endpoint).await?.connects;
            }
        }
    }
    Ok(attempts)
}

/// The gateway's memory in KiB, and the requests it has.
async fn look(gateway: &Gateway) -> Result<(u64, f64), Failed> {
    Ok((gateway.resident_kib(), gateway.admin.metric("callgate_requests_in_flight").await?))
}

fn judge(verdict: &mut Verdict, options: &Options, trouble: Trouble, measured: &Measured, tally: &Tally) {
    let records = tally.records();
    let requests = within(&records, measured.down).count() as u64;
    let seconds = (measured.down.to - measured.down.from).as_secs_f64();
    let ratio = measured.attempts as f64 / requests.max(1) as f64;
    match trouble {
        Trouble::Failing => {
            let most =
                requests as f64 * (1.0 + f64::from(options.budget) / 100.0) + FLOOR_PER_SECOND * seconds;
            let word = format!(
                "{trouble:?}: {} attempts for {requests} requests meanwhile ({ratio:.2} each); at most {most:.0}",
                measured.attempts
            );
            verdict.promise(measured.attempts as f64 <= most, word);
        }
        Trouble::Killed | Trouble::Stopped => {
            // Two workers, backoff from 50 ms doubling to 1 s: some ten attempts each in that time.
            let most = options.instances as f64 * 2.0 * (10.0 + seconds);
            let word = format!(
                "{trouble:?}: {} attempts to connect meanwhile; at most {most:.0}",
                measured.attempts
            );
            verdict.promise(measured.attempts as f64 <= most, word);
        }
    }
    judge_recovery(verdict, trouble, measured.recovering, &records);
    let grown = measured.kib_most.saturating_sub(measured.kib_before);
    let word = format!("{trouble:?}: the gateway's memory grew by {grown} KiB from {}", measured.kib_before);
    verdict.promise(grown <= MAY_GROW, word);
    // Requests may wait for an instance, but only as long as their timeout says; one second for the measuring.
    let most = f64::from(options.rate) * (options.timeout + 1) as f64;
    let word =
        format!("{trouble:?}: {} requests in flight at once, at most {most:.0}", measured.in_flight_most);
    verdict.promise(measured.in_flight_most <= most, word);
}

/// One instance is well: from a second after the first good answer on, all answers are good.
fn judge_recovery(verdict: &mut Verdict, trouble: Trouble, phase: Phase, records: &[Record]) {
    let lookups = within(records, phase).filter(|record| record.call == Call::Lookup);
    let ends = |record: &Record| record.at + record.took;
    let Some(first) = lookups.clone().filter(|record| record.good).map(ends).min() else {
        return verdict.promise(false, format!("{trouble:?}: no good answer though one instance was well"));
    };
    let last_bad = lookups.clone().filter(|record| !record.good).map(ends).max();
    let settled = last_bad.unwrap_or_default().saturating_sub(first);
    let late = lookups.filter(|record| !record.good && record.at > first + SHOWS_WITHIN).count();
    let word = format!(
        "{trouble:?}: the first good answer {:.2} s after one instance was well; the last failure {:.2} s later; {late} \
         idempotent calls failed that came more than a second after it",
        (first.saturating_sub(phase.from)).as_secs_f64(),
        settled.as_secs_f64(),
    );
    verdict.promise(late == 0, word);
}

/// The calls that were made in a phase.
fn within(records: &[Record], phase: Phase) -> impl Iterator<Item = &Record> + Clone {
    records.iter().filter(move |record| phase.from <= record.at && record.at < phase.to)
}
