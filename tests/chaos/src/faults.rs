//! Inflicts the plan's faults.
//!
//! The plan's times are wishes: a drain may take longer than was planned. What must hold, that one instance at least is
//! healthy, is therefore kept by permits, one fewer than instances, each held until its instance has been well for
//! [`SETTLE`].

use crate::Failed;
use crate::journal::Journal;
use crate::plan::{Fault, Kind, SETTLE};
use crate::rig::Rig;
use crate::tables::Tables;
use nix::sys::signal::Signal;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

/// Inflicts all faults of the plan, several at once; ends when the last one is over.
pub(crate) async fn inflict(
    rig: Arc<Rig>,
    plan: Vec<Fault>,
    journal: Arc<Journal>,
    began: Instant,
) -> Result<(), Failed> {
    let permits = Arc::new(Semaphore::new(rig.instances.len() - 1));
    let mut going_on = JoinSet::new();
    for fault in plan {
        sleep_until((began + fault.at).into()).await;
        let permit = match fault.target {
            Some(_) => Some(permits.clone().acquire_owned().await?),
            None => None,
        };
        let (rig, journal) = (rig.clone(), journal.clone());
        going_on.spawn(async move {
            let done = one(&rig, &fault, &journal).await;
            drop(permit);
            done.map_err(|error| Failed::from(format!("{} could not be done: {error}", fault.kind)))
        });
        while let Some(done) = going_on.try_join_next() {
            done??;
        }
    }
    while let Some(done) = going_on.join_next().await {
        done??;
    }
    Ok(())
}

async fn one(rig: &Rig, fault: &Fault, journal: &Journal) -> Result<(), Failed> {
    let Some(target) = fault.target else {
        let number = journal.begins(fault);
        match fault.kind {
            Kind::Upgrade => rig.gateway.lock().await.upgrade().await?,
            _ => retable(rig, |tables| tables.variation = fault.dice % 1000).await?,
        }
        journal.ends(number);
        return Ok(());
    };
    // Held until the instance has settled: it has one fault at a time.
    let mut instance = rig.instances[target].lock().await;
    let number = journal.begins(fault);
    match fault.kind {
        Kind::Kill => {
            instance.kill().await?;
            sleep(fault.lasts).await;
            instance.start().await?;
        }
        Kind::Stop => {
            instance.signal(Signal::SIGSTOP)?;
            sleep(fault.lasts).await;
            instance.signal(Signal::SIGCONT)?;
        }
        Kind::Drain | Kind::Reschema => {
            instance.drain().await?;
            sleep(fault.lasts).await;
            if fault.kind == Kind::Reschema {
                instance.change_schema();
            }
            instance.start().await?;
        }
        Kind::Slow | Kind::Fail | Kind::Refuse | Kind::Hang => {
            instance.tell(&switch(fault)).await?;
            sleep(fault.lasts).await;
            instance.tell("well").await?;
        }
        Kind::Remove | Kind::DrainTable => {
            retable(rig, |tables| listed(tables, fault.kind).insert(target)).await?;
            sleep(fault.lasts).await;
            retable(rig, |tables| listed(tables, fault.kind).remove(&target)).await?;
        }
        Kind::Reload | Kind::Upgrade => {}
    }
    journal.ends(number);
    sleep(SETTLE).await;
    Ok(())
}

/// The command that switches the fault on.
fn switch(fault: &Fault) -> String {
    match fault.kind {
        Kind::Slow => format!("slow {}", 100 + fault.dice % 900),
        Kind::Fail => "fail 50".to_owned(),
        Kind::Refuse => "refuse 50".to_owned(),
        _ => "hang".to_owned(),
    }
}

fn listed(tables: &mut Tables, kind: Kind) -> &mut std::collections::BTreeSet<usize> {
    if kind == Kind::Remove { &mut tables.away } else { &mut tables.drained }
}

/// Changes the tables and waits until the gateway has taken them.
async fn retable<T>(rig: &Rig, change: impl FnOnce(&mut Tables) -> T) -> Result<(), Failed> {
    // The gateway first: while it is replaced, nobody is there to be told.
    let gateway = rig.gateway.lock().await;
    let mut tables = rig.tables.lock().await;
    change(&mut tables);
    tables.write()?;
    let reloaded = tokio::time::timeout(Duration::from_secs(30), gateway.admin.reload()).await;
    reloaded.map_err(|_| "no answer to a reload")?
}
