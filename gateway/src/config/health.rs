//! `[backends.NAME.health]`: when an instance is left alone for failing or being slow, for how long, and how it comes back.

use super::reader::{Item, Reader};
use super::shape::{Entry, Shape};
use callgate_health::HealthSpec;
use std::ops::RangeInclusive;
use std::time::Duration;

const KEYS: &[Entry] = &[
    Entry::new("failures", Shape::Integer(1..=32), "how many failures in a row eject an instance"),
    Entry::new(
        "failure_rate",
        Shape::Integer(1..=100),
        "how many failures among its last 32 calls eject it, in percent",
    ),
    Entry::new(
        "slow_factor",
        Shape::Integer(2..=1000),
        "a call is slow if it takes so many times as long as the backend's median",
    ),
    Entry::new("ejection", Shape::Duration(EJECTIONS), "how long it gets no calls, the first time"),
    Entry::new("max_ejection", Shape::Duration(EJECTIONS), "how long at most"),
    Entry::new(
        "max_ejected",
        Shape::Integer(0..=100),
        "how many of a backend's instances may be ejected at once, in percent",
    ),
    Entry::new(
        "slow_start",
        Shape::Duration(SLOW_STARTS),
        "how long a new or recovered instance takes to come to its full share",
    ),
];
/// What `health` may be.
pub(super) const SHAPE: Shape = Shape::Table(KEYS);
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
        ("failures", &mut spec.failures),
        ("failure_rate", &mut spec.failure_rate),
        ("slow_factor", &mut spec.slow_factor),
        ("max_ejected", &mut spec.max_ejected),
    ];
    for (key, number) in numbers {
        let read = section.get(key).and_then(|item| reader.integer(&item));
        if let Some(value) = read.and_then(|value| u32::try_from(value).ok()) {
            *number = value;
        }
    }
    let times = [
        ("ejection", &mut spec.ejection),
        ("max_ejection", &mut spec.max_ejection),
        ("slow_start", &mut spec.slow_start),
    ];
    for (key, time) in times {
        if let Some(value) = section.get(key).and_then(|item| reader.duration(&item)) {
            *time = value;
        }
    }
    spec
}
