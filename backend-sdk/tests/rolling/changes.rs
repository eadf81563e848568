//! What can be bridged: no call fails, and none gets another answer than it should.

use crate::earlier::{self, Ledger as _};
use crate::later::{self, Ledger as _};
use crate::support::{Instance, client, earlier, later, soon};
use callgate_sdk::{Client, Context, Status};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Calls of one round: each method once by a caller of either version.
const ROUND: usize = 14;

/// Calls each method as a caller of the earlier version does. `others` may be of any version.
async fn call_as_earlier(client: &Client, n: u64) -> Result<(), Status> {
    use earlier::*;
    let ledger = LedgerClient::new(client.clone());
    assert_eq!(ledger.documented(n).await?, n);
    assert_eq!(ledger.argument(n).await?, n.to_string());
    let grown = |id| Grown { id };
    let answer = ledger.grown(grown(n), vec![grown(n + 1), grown(n + 2)]).await?;
    assert_eq!(answer, [grown(n), grown(n + 1), grown(n + 2)]);
    let shrunk = Shrunk { legacy: format!("l{n}"), id: n, hint: Some(7) };
    let answer = ledger.shrunk(shrunk.clone()).await?;
    // The later version knows nothing of the two, so they come back as if they had not been there.
    assert!(
        answer == shrunk || answer == Shrunk { legacy: String::new(), hint: None, ..shrunk },
        "{answer:?}"
    );
    let reordered = Reordered { id: n, name: format!("n{n}"), on: n.is_multiple_of(2) };
    let answer = ledger.reordered(reordered.clone(), 3).await?;
    assert_eq!(answer, Reordered { id: n + 3, ..reordered });
    let answer = ledger.swapped(Swapped { from: format!("a{n}"), to: format!("b{n}") }).await?;
    assert_eq!(answer, Swapped { from: format!("from a{n}"), to: format!("to b{n}") });
    let payments = vec![
        Payment::Cash,
        Payment::Card(format!("c{n}")),
        Payment::Transfer { iban: format!("i{n}"), days: n as u8 },
    ];
    assert_eq!(ledger.paid(payments.clone()).await?, payments);
    Ok(())
}

/// The same for the later version.
async fn call_as_later(client: &Client, n: u64) -> Result<(), Status> {
    use later::*;
    let ledger = LedgerClient::new(client.clone());
    assert_eq!(ledger.documented(n).await?, n);
    let answer = ledger.argument(Some("noted".into()), n).await?;
    assert!(answer == n.to_string() || answer == format!("{n} noted"), "{answer}");
    let grown = |id| Grown { tag: format!("t{id}"), id, memo: Some(format!("m{id}")), marks: vec![1, 2, 3] };
    let known = |id| Grown { tag: tag(), id, memo: None, marks: Vec::new() };
    let answer = ledger.grown(vec![grown(n + 1)], grown(n)).await?;
    assert!(answer == [grown(n), grown(n + 1)] || answer == [known(n), known(n + 1)], "{answer:?}");
    assert_eq!(ledger.shrunk(Shrunk { id: n }).await?, Shrunk { id: n });
    let reordered = Reordered { on: n.is_multiple_of(2), id: n, name: format!("n{n}") };
    let answer = ledger.reordered(3, reordered.clone()).await?;
    assert_eq!(answer, Reordered { id: n + 3, ..reordered });
    let answer = ledger.swapped(Swapped { to: format!("b{n}"), from: format!("a{n}") }).await?;
    assert_eq!(answer, Swapped { to: format!("to b{n}"), from: format!("from a{n}") });
    let payments = vec![
        Payment::Cash,
        Payment::Card(format!("c{n}")),
        Payment::Transfer { iban: format!("i{n}"), days: n as u8 },
    ];
    assert_eq!(ledger.paid(payments.clone()).await?, payments);
    Ok(())
}

async fn both(client: &Client, n: u64) {
    call_as_earlier(client, n).await.expect("a call of the earlier version");
    call_as_later(client, n).await.expect("a call of the later version");
}

/// Calls by some tasks, in all so many; each round that is done is told by a permit.
fn callers(client: &Client, calls: usize, done: &Arc<Semaphore>) -> JoinSet<()> {
    const TASKS: usize = 8;
    let rounds = calls.div_ceil(ROUND * TASKS);
    (0..TASKS)
        .map(|task| {
            let (client, done) = (client.clone(), done.clone());
            async move {
                for n in 0..rounds {
                    both(&client, (task * rounds + n) as u64 * 100).await;
                    done.add_permits(1);
                }
            }
        })
        .collect()
}

#[tokio::test]
async fn a_change_of_the_documentation_is_no_change_for_callers() {
    let instance = Instance::run(later()).await;
    let ledger = earlier::LedgerClient::new(client([&instance]));
    assert_eq!(soon(ledger.documented(7)).await, Ok(7));
}

#[tokio::test]
async fn an_optional_argument_more_is_no_change_for_callers() {
    let instance = Instance::run(later()).await;
    let ledger = earlier::LedgerClient::new(client([&instance]));
    assert_eq!(soon(ledger.argument(7)).await, Ok("7".to_owned()));
}

#[tokio::test]
async fn each_version_calls_the_other_alone() {
    for server in [earlier, later] {
        let instance = Instance::run(server()).await;
        soon(both(&client([&instance]), 250)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_are_served_by_both_versions_side_by_side() {
    let instances = [Instance::run(earlier()).await, Instance::run(later()).await];
    let client = client(&instances);
    let mut callers = callers(&client, 10_000, &Arc::new(Semaphore::new(0)));
    while let Some(called) = soon(callers.join_next()).await {
        called.expect("no call failed and none was wrong");
    }
    let ledger = later::LedgerClient::new(client);
    let mut seen = [false, false];
    while seen != [true, true] {
        match soon(ledger.version(&Context::background())).await.expect("an instance answers").as_str() {
            "earlier" => seen[0] = true,
            _ => seen[1] = true,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_are_served_while_instances_are_replaced_one_by_one() {
    let mut instances = Vec::new();
    for _ in 0..4 {
        instances.push(Instance::run(earlier()).await);
    }
    let done = Arc::new(Semaphore::new(0));
    let mut callers = callers(&client(&instances), 10_000, &done);
    // Forth, and back again: each replacement waits for a tenth of the calls.
    let tenth = 10_000 / ROUND as u32 / 10;
    for server in [later, earlier] {
        for instance in &mut instances {
            soon(done.acquire_many(tenth)).await.expect("it is never closed").forget();
            instance.replace(server()).await;
        }
    }
    while let Some(called) = soon(callers.join_next()).await {
        called.expect("no call failed and none was wrong");
    }
}
