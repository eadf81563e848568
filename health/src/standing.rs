//! The words for how an instance stands, and for why it was ejected.

/// How an instance stands; from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It gets its share.
    Well,
    /// It gets a growing part of its share.
    SlowStart,
    /// It fails, and gets a trickle, because too many are ejected already.
    Throttled,
    /// It was ejected; one call at a time shows whether it is well again.
    Probing,
    /// It fails, and gets no calls for a while.
    Ejected,
}

/// Why an instance was ejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EjectionReason {
    /// So many failures in a row.
    Failures,
    /// So many failures among the last calls.
    FailureRate,
    /// Far slower than others.
    Slow,
}

impl EjectionReason {
    /// All of them; the index of each is its number as `usize`.
    pub const ALL: &'static [EjectionReason] =
        &[EjectionReason::Failures, EjectionReason::FailureRate, EjectionReason::Slow];

    /// Its name in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            EjectionReason::Failures => "failures",
            EjectionReason::FailureRate => "failure_rate",
            EjectionReason::Slow => "slow",
        }
    }
}
