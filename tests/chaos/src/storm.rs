//! The first trial: many faults at once, drawn from a seed, under a steady load. While one instance is healthy, no
//! idempotent call may fail, and no other call may run twice or vanish.

use crate::Failed;
use crate::caller::Caller;
use crate::faults::inflict;
use crate::journal::Journal;
use crate::load::Load;
use crate::options::{By, Options};
use crate::plan::{Fault, plan};
use crate::report::Storm;
use crate::rig::Rig;
use crate::tally::{Call, Tally};
use crate::verdict::Verdict;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{interval, sleep};

/// Runs it.
pub(crate) async fn run(options: Options) -> Result<Verdict, Failed> {
    let kinds = options.kinds();
    let plan = plan(options.seed, &kinds, options.faults, options.length(), options.instances.into());
    println!(
        "seed {}: {} calls a second, {} faults over {:.0} s or a little more",
        options.seed,
        options.rate,
        plan.len(),
        options.length().as_secs_f64()
    );
    let rig = Arc::new(Rig::start(&options).await?);
    let began = Instant::now();
    let journal = Arc::new(Journal::new(began));
    let caller = match options.caller {
        By::Gateway => Caller::http(rig.gateway.lock().await.http),
        By::Sdk => Caller::sdk(&rig.tables.lock().await.endpoints, Duration::from_secs(options.timeout))?,
    };
    let load = Load::start(caller, options.rate, began);
    let tally = load.tally.clone();
    let done = tokio::select! {
        done = storm(&rig, plan, &journal, began, &tally, options.calls) => done,
        never = progress(&tally, &journal, began, options.faults) => match never {},
    };
    if let Err(error) = done {
        eprintln!("{}", rig.tails());
        return Err(error);
    }
    let (tally, connections) = load.stop().await?;
    let alive = rig.gateway.lock().await.is_running();
    let admin = rig.gateway.lock().await.admin;
    let over_budget = if alive { admin.metric("callgate_retry_budget_exhausted_total").await? } else { 0.0 };
    // Before the instances are told to end, of which the gateway has much to say.
    let tails = rig.tails();
    let runs = rig.runs().await?;
    let mut verdict = Storm {
        tally: &tally,
        journal: &journal,
        runs: &runs,
        connections: &connections,
        kinds: &kinds,
        over_budget: over_budget as u64,
    }
    .judge();
    verdict.promise(alive, "the gateway still ran at the end");
    if !verdict.held() {
        println!("\nThe last lines of the logs:\n{tails}");
    }
    if options.keep {
        println!("kept: {}", rig.folder());
    }
    Ok(verdict)
}

/// Ends when all faults are over and all calls are made.
async fn storm(
    rig: &Arc<Rig>,
    plan: Vec<Fault>,
    journal: &Arc<Journal>,
    began: Instant,
    tally: &Tally,
    calls: u64,
) -> Result<(), Failed> {
    inflict(rig.clone(), plan, journal.clone(), began).await?;
    while tally.calls(Call::Lookup) < calls {
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// A line now and then on how far it is.
async fn progress(
    tally: &Tally,
    journal: &Journal,
    began: Instant,
    faults: usize,
) -> std::convert::Infallible {
    let mut now_and_then = interval(Duration::from_secs(5));
    now_and_then.tick().await;
    loop {
        now_and_then.tick().await;
        eprintln!(
            "{:4.0} s  idempotent {} ({} failed)  others {} ({} failed)  faults {}/{faults}  now: {}",
            began.elapsed().as_secs_f64(),
            tally.calls(Call::Lookup),
            tally.failures(Call::Lookup),
            tally.calls(Call::Count),
            tally.failures(Call::Count),
            journal.counts().values().sum::<usize>(),
            journal.now(),
        );
    }
}
