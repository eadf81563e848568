//! What a rate limit costs: time a check, memory, and what becomes of a limited key while others go by.
//!
//! `cargo run --release -p callgate --example limits`

use callgate::config::{LimitBy, Rate, RateLimitSpec};
use callgate::limit::{Buckets, Key};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use tokio::time::Instant;

/// Keys that come by.
const KEYS: u32 = 10_000_000;
/// Of every so many checks one is the limited key's.
const EVERY: u32 = 100;

fn buckets(tokens: u32, burst: u32, max_keys: u32) -> Buckets {
    let rate = Rate { tokens, per: Duration::from_secs(1) };
    Buckets::new(RateLimitSpec { rate, burst, by: LimitBy::Client, dry_run: false, max_keys }, Instant::now())
}

fn address(n: u32) -> Key<'static> {
    Key::Client(IpAddr::V4(Ipv4Addr::from_bits(n)))
}

/// The process's resident memory in MiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    line.and_then(|kb| kb.trim().parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

/// The process's time on processors, in nanoseconds, to within a hundredth of a second.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * 1e7
}

/// Nanoseconds of a processor a check, while `threads` go through `keys` keys of their own, again and again.
fn cost(buckets: &Buckets, threads: u32, keys: u32) -> f64 {
    const CHECKS: u32 = 5_000_000;
    let now = Instant::now();
    let began = processor();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for n in 0..CHECKS {
                    std::hint::black_box(buckets.take(&address(thread * 0x0100_0000 + n % keys), now));
                }
            });
        }
    });
    (processor() - began) / f64::from(CHECKS * threads)
}

/// Ten million keys, one a microsecond, and one key that asks 10,000 times a second.
fn pass_by(tokens: u32, burst: u32, max_keys: u32) {
    let before = resident();
    let buckets = buckets(tokens, burst, max_keys);
    let start = Instant::now();
    let (mut wrongly_refused, mut forgotten, mut allowed) = (0_u32, 0_u32, 0_u32);
    for n in 0..KEYS {
        let now = start + Duration::from_micros(n.into());
        let outcome = buckets.take(&address(n), now);
        wrongly_refused += u32::from(!outcome.admitted);
        forgotten += u32::from(outcome.evicted);
        if n % EVERY == 0 {
            allowed += u32::from(buckets.take(&Key::Text(b"limited"), now).admitted);
        }
    }
    let right = burst + (u64::from(tokens) * u64::from(KEYS - 1) / 1_000_000) as u32;
    println!(
        "{tokens}/s, burst {burst}, max_keys {max_keys}: table {:.1} MiB, resident {:+.1} MiB, others wrongly refused \
         {wrongly_refused}, buckets forgotten {forgotten}, the limited key was allowed {allowed} of {} (right: {right})",
        buckets.bytes() as f64 / 1048576.0,
        resident() - before,
        KEYS / EVERY,
    );
}

fn main() {
    for (keys, max_keys) in [(1, 1), (1000, 65_536), (60_000, 65_536), (1_000_000, 1_000_000)] {
        for threads in [1, 2] {
            let buckets = buckets(1000, 1000, max_keys);
            let ns = cost(&buckets, threads, keys);
            println!("{threads} threads, {keys} keys each, room for {max_keys}: {ns:.0} ns a check");
        }
    }
    for (tokens, burst, max_keys) in
        [(10, 20, 65_536), (10, 2, 65_536), (10, 1, 65_536), (10, 1, 1_000_000), (1, 1, 10_000_000)]
    {
        pass_by(tokens, burst, max_keys);
    }
}
