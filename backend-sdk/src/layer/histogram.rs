//! How long calls take, counted in buckets.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds of the buckets, in microseconds, and as they are shown, in seconds.
const BOUNDS: [(u64, &str); 13] = [
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (2_500_000, "2.5"),
    (5_000_000, "5"),
    (10_000_000, "10"),
];

#[derive(Debug, Default)]
pub(super) struct Histogram {
    /// The last one is for what is longer than all bounds.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    sum_us: AtomicU64,
}

impl Histogram {
    pub(super) fn add(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|(bound, _)| us <= *bound).unwrap_or(BOUNDS.len());
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// Writes it as the Prometheus text format has it. `labels` are the series' own.
    pub(super) fn render(&self, name: &str, labels: &str, out: &mut String) -> fmt::Result {
        let mut count = 0;
        for (bucket, (_, bound)) in self.buckets.iter().zip(BOUNDS) {
            count += bucket.load(Ordering::Relaxed);
            writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}")?;
        }
        count += self.buckets[BOUNDS.len()].load(Ordering::Relaxed);
        writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}")?;
        let sum = Duration::from_micros(self.sum_us.load(Ordering::Relaxed)).as_secs_f64();
        writeln!(out, "{name}_sum{{{labels}}} {sum}")?;
        writeln!(out, "{name}_count{{{labels}}} {count}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bucket_has_what_is_not_longer_than_its_bound() {
        let histogram = Histogram::default();
        for us in [0, 1_000, 1_001, 9_999_999, 10_000_000, 10_000_001] {
            histogram.add(Duration::from_micros(us));
        }
        let mut text = String::new();
        histogram.render("seconds", "a=\"b\"", &mut text).expect("a text takes all");
        for line in [
            "seconds_bucket{a=\"b\",le=\"0.001\"} 2",
            "seconds_bucket{a=\"b\",le=\"0.0025\"} 3",
            "seconds_bucket{a=\"b\",le=\"5\"} 3",
            "seconds_bucket{a=\"b\",le=\"10\"} 5",
            "seconds_bucket{a=\"b\",le=\"+Inf\"} 6",
            "seconds_sum{a=\"b\"} 30.002001",
            "seconds_count{a=\"b\"} 6",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn what_is_shown_of_a_bound_is_the_bound() {
        for (us, shown) in BOUNDS {
            assert_eq!(Duration::from_micros(us).as_secs_f64().to_string(), shown);
        }
    }
}
