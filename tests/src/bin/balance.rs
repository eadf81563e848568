//! What one slow instance among three does to the clients, by the backend's `balance`: its share of the calls, and the latency
//! of all against that with three quick ones. A table in Markdown; `scripts/balance` runs it.
//!
//! Calls fall due at a steady rate whatever became of those before them. The instances do nothing but wait.

use callgate_tests::moody::{Mood, Moody, beside};
use callgate_tests::{Backend, Client, Gateway, Setup, eventually};
use clap::Parser;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

#[derive(Parser)]
struct Arguments {
    /// Calls a second
    #[arg(long, default_value_t = 600)]
    rate: u32,
    /// How long each is measured, in seconds, after as long again or two seconds to settle
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// How long the usual instances take, in milliseconds
    #[arg(long, default_value_t = 2)]
    usual: u32,
    /// How long the slow one takes, in milliseconds
    #[arg(long, default_value_t = 50)]
    slow: u32,
}

/// The names of the backends and what they are told.
const STRATEGIES: [(&str, &str); 6] = [
    ("peak_ewma", "\"peak_ewma\""),
    ("least_request", "\"least_request\""),
    ("round_robin", "\"round_robin\""),
    ("random", "\"random\""),
    ("hash", "{ hash = \"header:x-user\" }"),
    ("hash_125", "{ hash = \"header:x-user\", load_factor = \"125%\" }"),
];

/// What was measured of one backend.
struct Measured {
    /// The slow instance's share of the calls, in percent.
    share: f64,
    /// Of all calls.
    p50: Duration,
    p99: Duration,
    failed: usize,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments = Arguments::parse();
    let setup = Setup::new();
    let backends: Vec<Backend> = (0..3).map(|_| setup.backend("moody")).collect();
    setup.write_routes("balance.toml", &tables(&backends));
    let gateway = setup.gateway().await;
    for backend in &backends {
        gateway.connected(backend).await;
        be(backend, arguments.usual).await;
    }
    let mut usual = Vec::new();
    for (name, _) in STRATEGIES {
        usual.push(measure(&gateway, name, &backends[0], &arguments).await);
    }
    be(&backends[0], arguments.slow).await;
    println!("| `balance` | share | p50 | p99 | share | p99 |");
    println!("|---|---|---|---|---|---|");
    for ((name, _), usual) in STRATEGIES.iter().zip(usual) {
        let alone = measure(&gateway, name, &backends[0], &arguments).await;
        let judged = measure(&gateway, &format!("{name}_judged"), &backends[0], &arguments).await;
        let ratio = |slow: Duration, usual: Duration| slow.as_secs_f64() / usual.as_secs_f64();
        println!(
            "| `{name}` | {:.1} % | {:.2} | {:.2} | {:.1} % | {:.2} |",
            alone.share,
            ratio(alone.p50, usual.p50),
            ratio(alone.p99, usual.p99),
            judged.share,
            ratio(judged.p99, usual.p99),
        );
        let [usual_p50, usual_p99, p99, judged_p99] =
            [usual.p50, usual.p99, alone.p99, judged.p99].map(|time| time.as_secs_f64() * 1000.0);
        let failed = usual.failed + alone.failed + judged.failed;
        eprintln!(
            "{name}: {usual_p50:.1} and {usual_p99:.1} ms usually, then p99 {p99:.1} and {judged_p99:.1} ms; {failed} failed"
        );
    }
}

/// For each strategy a backend in which nobody is left for being slow, and one with health as it is by default.
fn tables(backends: &[Backend]) -> String {
    let endpoints: Vec<String> = backends.iter().map(Backend::endpoint).collect();
    let table = |name: &str, balance: &str, health: &str| {
        format!(
            "[backends.{name}]\nendpoints = {endpoints:?}\nbalance = {balance}\n{health}\n[[routes]]\n\
             match = \"GET /{name}\"\nbackend = \"{name}\"\ncall = \"moody.ask\"\nresponse = {{ wrap = \"pid\" }}\n"
        )
    };
    let both = STRATEGIES.iter().map(|(name, balance)| {
        let alone = table(name, balance, "health = { slow_factor = 1000 }");
        alone + &table(&format!("{name}_judged"), balance, "")
    });
    both.collect()
}

async fn be(backend: &Backend, takes: u32) {
    beside(&backend.endpoint()).be(Mood::Slow(takes)).await.expect("it does as it is told");
}

async fn measure(gateway: &Gateway, name: &str, slow: &Backend, arguments: &Arguments) -> Measured {
    let warm = Duration::from_secs(arguments.seconds.min(2));
    load(&gateway.client, name, arguments.rate, warm).await;
    let labels = [format!("backend=\"{name}\""), slow.endpoint()];
    let [all, ours] = [vec![&*labels[0]], vec![&*labels[0], &*labels[1]]];
    let count = async |labels: &[&str]| gateway.metric("callgate_calls_total", labels).await;
    let before = (count(&all).await, count(&ours).await);
    let length = Duration::from_secs(arguments.seconds);
    let (mut times, failed) = load(&gateway.client, name, arguments.rate, length).await;
    let idle = || async {
        let in_flight = gateway.metric("callgate_calls_in_flight", &all).await;
        (in_flight == 0.0).then_some(())
    };
    eventually("the last answers", idle).await;
    let share = (count(&ours).await - before.1) * 100.0 / (count(&all).await - before.0);
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    Measured { share, p50: at(50), p99: at(99), failed }
}

/// Calls at a steady rate for so long: what each took from when it was due, and how many failed.
async fn load(client: &Client, name: &str, rate: u32, length: Duration) -> (Vec<Duration>, usize) {
    let mut due = interval(Duration::from_secs(1) / rate);
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let began = Instant::now();
    let mut calls = JoinSet::new();
    while began.elapsed() < length {
        let at = due.tick().await.into_std();
        let (client, path, user) = (client.clone(), format!("/{name}"), fastrand::u32(..1000).to_string());
        calls.spawn(async move {
            let answer = client.try_send("GET", &path, &[("x-user", &user)], "").await;
            (at.elapsed(), answer.is_ok_and(|answer| answer.status == 200))
        });
    }
    let ended = calls.join_all().await;
    // Nobody's connections are to meet the next load's.
    sleep(Duration::from_millis(200)).await;
    let failed = ended.iter().filter(|(_, good)| !good).count();
    (ended.into_iter().map(|(took, _)| took).collect(), failed)
}
