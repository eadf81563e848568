//! The bounds by which instances are judged. Whoever reads them from users checks them.

use core::time::Duration;

/// How the instances of a backend are judged by what becomes of their calls.
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
