//! More calls than a backend can serve, in an open loop: how many are served in time, without control and with it, at what
//! latency and at what cost. Says whether what is promised holds.

mod load;
mod plot;
mod report;
mod tally;

use callgate_tests::{Gateway, Setup, free_port};
use clap::Parser;
use load::Flow;
use report::{Point, Sweep};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tally::Tally;

/// What the backend does at once, and how long each call takes it.
const PERMITS: u32 = 16;
const WORK_MS: u32 = 15;

/// The multiples of what the backend can do that are offered.
const FACTORS: [f64; 5] = [0.5, 1.0, 1.5, 2.0, 3.0];

/// What the backend's table says in each sweep.
const SWEEPS: [(&str, &str); 3] = [
    ("no control", "adaptive = false\nqueue = false"),
    ("the defaults", ""),
    ("adaptive = true", "adaptive = true"),
];

/// What the flows of the mixed trial offer.
const MIX: [(&str, f64); 3] = [("critical", 0.5), ("default", 1.0), ("sheddable", 1.5)];

/// More calls than a backend can serve.
#[derive(Parser)]
struct Options {
    /// How long each point is measured, in seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How long before that, in seconds.
    #[arg(long, default_value_t = 4)]
    warm_up: u64,
    /// Only the trial of mixed priorities.
    #[arg(long)]
    mixed: bool,
    /// Where to write the plot.
    #[arg(long)]
    plot: Option<PathBuf>,
    /// Where to write the tables.
    #[arg(long)]
    tables: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let setup = Setup::new();
    let endpoint = format!("127.0.0.1:{}", free_port());
    let arguments = ["--permits", &PERMITS.to_string(), "--work-ms", &WORK_MS.to_string()].map(str::to_owned);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let backend = setup.backend_told("overload-backend", endpoint.clone(), &arguments);
    let mut sweeps = Vec::new();
    let mut capacity = 0.0;
    for (name, lines) in SWEEPS {
        write_table(&setup, &endpoint, lines);
        let gateway = setup.gateway().await;
        gateway.connected(&backend).await;
        if capacity == 0.0 {
            capacity = measure_capacity(&gateway).await;
            eprintln!("the backend can do {capacity:.0} calls a second");
        }
        let mut points = Vec::new();
        for factor in FACTORS.into_iter().filter(|_| !options.mixed) {
            let flows = [Flow { path: "/default", rate: factor * capacity }];
            let (mut tallies, memory, cpu_us) = measure(&gateway, &flows, &options).await;
            let tally = tallies.remove(0);
            eprintln!("{name}, {factor}×: {:.0}/s in time", tally.goodput());
            points.push(Point { factor, tally, memory, cpu_us });
        }
        sweeps.push(Sweep { name, lines: lines.split('\n').next().unwrap_or_default(), points });
    }
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    let mixed = mix(&gateway, capacity, &options).await;
    drop(gateway);
    verdict(&sweeps, &mixed, capacity, &options)
}

fn write_table(setup: &Setup, endpoint: &str, lines: &str) {
    let mut table = format!("[backends.work]\nendpoints = [\"{endpoint}\"]\n{lines}\n");
    for (priority, _) in MIX {
        table.push_str(&format!(
            "[[routes]]\nmatch = \"GET /{priority}\"\ncall = \"work.work\"\ntimeout = \"500ms\"\n\
             response = {{ wrap = \"n\" }}\nretry = false\npriority = \"{priority}\"\n"
        ));
    }
    setup.write_routes("work.toml", &table);
}

/// What the backend does a second when it always has just enough to do.
async fn measure_capacity(gateway: &Gateway) -> f64 {
    let (mut low, mut best) = (f64::from(PERMITS * 1000 / WORK_MS) * 0.7, 0.0_f64);
    for _ in 0..6 {
        let flows = [Flow { path: "/default", rate: low }];
        let time = Duration::from_millis(1500);
        let tally = load::run(gateway.addr, &flows, Duration::from_millis(500), time).await.remove(0);
        if tally.percentile(0.5) > f64::from(WORK_MS) * 3.0 {
            break;
        }
        best = best.max(tally.goodput());
        low *= 1.08;
    }
    best
}

/// What came of the flows, with the most memory that the gateway had meanwhile in MiB, and its processor time a request in
/// microseconds.
async fn measure(gateway: &Gateway, flows: &[Flow], options: &Options) -> (Vec<Tally>, f64, f64) {
    let (warm_up, time) = (Duration::from_secs(options.warm_up), Duration::from_secs(options.seconds));
    let spent = async || {
        (
            gateway.metric("process_cpu_seconds_total", &[]).await,
            gateway.metric("callgate_requests_total", &[]).await,
        )
    };
    let before = spent().await;
    let mut most = 0;
    let loads = load::run(gateway.addr, flows, warm_up, time);
    let mut loads = std::pin::pin!(loads);
    let tallies = loop {
        tokio::select! {
            tallies = &mut loads => break tallies,
            () = tokio::time::sleep(Duration::from_millis(100)) => most = most.max(gateway.resident_bytes()),
        }
    };
    let after = spent().await;
    let cpu_us = (after.0 - before.0) / (after.1 - before.1).max(1.0) * 1e6;
    (tallies, most as f64 / f64::from(1 << 20), cpu_us)
}

/// All priorities at once, at three times of what the backend can do.
async fn mix(gateway: &Gateway, capacity: f64, options: &Options) -> Vec<Tally> {
    let paths = ["/critical", "/default", "/sheddable"];
    let flows: Vec<Flow> =
        MIX.iter().zip(paths).map(|((_, factor), path)| Flow { path, rate: factor * capacity }).collect();
    let tallies = measure(gateway, &flows, options).await.0;
    for reason in ["adaptive", "queue"] {
        for (priority, _) in MIX {
            let labels = [format!("priority=\"{priority}\""), format!("reason=\"{reason}\"")];
            let n = gateway.metric("callgate_shed_total", &[&labels[0], &labels[1]]).await;
            eprintln!("{priority}: {n:.0} turned away by {reason}", n = n + 0.0);
        }
    }
    tallies
}

fn verdict(sweeps: &[Sweep], mixed: &[Tally], capacity: f64, options: &Options) -> ExitCode {
    let flows: Vec<(&str, f64, &Tally)> =
        MIX.iter().zip(mixed).map(|((name, factor), tally)| (*name, *factor, tally)).collect();
    let tables = format!("{}\n{}", report::table(sweeps), report::mixed(&flows));
    println!("{tables}");
    let mut promises: Vec<(String, bool)> = sweeps.iter().skip(1).flat_map(report::promises).collect();
    let success: Vec<f64> = mixed.iter().map(Tally::success).collect();
    promises.push((
        format!("critical: {:.2} % answered well, 99 promised", success[0] * 100.0),
        success[0] >= 0.99,
    ));
    promises.push(("default goes before sheddable".to_owned(), success[1] > success[2]));
    for (what, holds) in &promises {
        println!("{} {what}", if *holds { "holds: " } else { "BROKEN:" });
    }
    let files = [(&options.plot, plot::svg(sweeps, capacity)), (&options.tables, tables)];
    let written = files.iter().all(|(path, text)| {
        path.as_ref().is_none_or(|path| match std::fs::write(path, text) {
            Ok(()) => true,
            Err(error) => {
                eprintln!("{} cannot be written: {error}", path.display());
                false
            }
        })
    });
    let holds = promises.iter().all(|(_, holds)| *holds);
    if written && holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
