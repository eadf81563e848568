//! `[backends.NAME.health]`: when an instance is left alone for failing or being slow, for how long, and how it comes back.

use super::reader::{Item, Reader};
use callgate_health::HealthSpec;
use std::ops::RangeInclusive;
use std::time::Duration;

const KEYS: &[&str] =
    &["failures", "failure_rate", "slow_factor", "ejection", "max_ejection", "max_ejected", "slow_start"];
const EJECTIONS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(3600);
const SLOW_STARTS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(3600);

/// Reads the table; what is not said has its default.
pub(super) fn read(reader: &mut Reader<'_>, item: &Item<'_>) -> HealthSpec {
    let mut spec = HealthSpec::default();
    let Some(table) = reader.table(item, "a table such as { failures = 5 }") else {
        return spec;
    };
    let section = reader.section("a backend's health", table, KEYS);
    let numbers = [
        ("failures", 1..=32, &mut spec.failures),
        ("failure_rate", 1..=100, &mut spec.failure_rate),
        ("slow_factor", 2..=1000, &mut spec.slow_factor),
        ("max_ejected", 0..=100, &mut spec.max_ejected),
    ];
    for (key, bounds, number) in numbers {
        let read = section.get(key).and_then(|item| reader.integer(&item, bounds));
        if let Some(value) = read.and_then(|value| u32::try_from(value).ok()) {
            *number = value;
        }
    }
    let times = [
        ("ejection", EJECTIONS, &mut spec.ejection),
        ("max_ejection", EJECTIONS, &mut spec.max_ejection),
        ("slow_start", SLOW_STARTS, &mut spec.slow_start),
    ];
    for (key, bounds, time) in times {
        if let Some(value) = section.get(key).and_then(|item| reader.duration(&item, bounds)) {
            *time = value;
        }
    }
    spec
}
