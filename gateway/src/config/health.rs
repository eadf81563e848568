//! `[backends.NAME.health]`: when an instance is left alone for failing or being slow, for how long, and how it comes back.

use super::reader::{Item, Reader};
use std::ops::RangeInclusive;
use std::time::Duration;

const KEYS: &[&str] =
    &["failures", "failure_rate", "slow_factor", "ejection", "max_ejection", "max_ejected", "slow_start"];
const EJECTIONS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(3600);
const SLOW_STARTS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(3600);

/// How a backend's instances are judged by what becomes of their calls. Each worker judges by its own calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HealthSpec {
    /// So many failures in a row eject; 1 to 32, by default 5.
    pub failures: u32,
    /// So many failed of the last 32 calls eject, in percent; 1 to 100, by default 40.
    pub failure_rate: u32,
    /// A call is slow that takes so many times as long as the backend's median; 2 to 1000, by default 5.
    pub slow_factor: u32,
    /// How long an instance is ejected for the first time, which doubles with each further time; 100 ms to 1 h, by
    /// default 1 s.
    pub ejection: Duration,
    /// How long at most; 100 ms to 1 h, by default 30 s. Less than `ejection` means `ejection`.
    pub max_ejection: Duration,
    /// How many of a backend's instances may be ejected at once, in percent; 0 to 100, by default 50. 0 ejects none.
    pub max_ejected: u32,
    /// How long a new or recovered instance takes to come to its full share; 1 ms to 1 h, by default 10 s.
    pub slow_start: Duration,
}

impl Default for HealthSpec {
    fn default() -> HealthSpec {
        HealthSpec {
            failures: 5,
            failure_rate: 40,
            slow_factor: 5,
            ejection: Duration::from_secs(1),
            max_ejection: Duration::from_secs(30),
            max_ejected: 50,
            slow_start: Duration::from_secs(10),
        }
    }
}

impl HealthSpec {
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
}
