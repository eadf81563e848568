//! How the instances stand, as the admin port and a scrape show it. Each worker writes down what it thinks.

use super::counter::Counter;
use super::labels::labels;
use callgate_health::EjectionReason;

labels! {
    /// How an instance stands with a worker; from the best to the worst.
    Standing {
        /// It gets its share.
        Well = "ok",
        /// It gets a growing part of its share.
        SlowStart = "slow_start",
        /// It fails, and gets a trickle, because too many are ejected already.
        Throttled = "shunned",
        /// It was ejected; one call at a time shows whether it is well again.
        Probing = "probing",
        /// It fails, and gets no calls for a while.
        Ejected = "ejected",
        /// It does not answer a ping so far.
        Silent = "silent",
        /// It says that it wants no calls.
        NotReady = "not_ready",
        /// A connection is being made.
        Connecting = "connecting",
        /// The last attempt to connect has failed.
        Unreachable = "unreachable",
    }
}

/// A connection says more of an instance than its calls do.
impl From<callgate_health::Standing> for Standing {
    fn from(by_calls: callgate_health::Standing) -> Standing {
        match by_calls {
            callgate_health::Standing::Well => Standing::Well,
            callgate_health::Standing::SlowStart => Standing::SlowStart,
            callgate_health::Standing::Throttled => Standing::Throttled,
            callgate_health::Standing::Probing => Standing::Probing,
            callgate_health::Standing::Ejected => Standing::Ejected,
        }
    }
}

labels! {
    /// How an attempt to connect has failed.
    ConnectFailure {
        /// Nobody answers there, or somebody else, or too late.
        Failed = "failed",
        /// The TLS handshake has failed.
        Tls = "tls",
        /// The instance does not let the gateway in.
        Refused = "refused",
    }
}

labels! {
    /// Why a connection ended.
    Disconnect {
        /// It was to end, and all its calls were answered.
        Drained = "drained",
        /// The instance closed it.
        Closed = "closed",
        /// The instance answered no ping.
        Silent = "silent",
        /// The socket failed.
        Failed = "failed",
        /// The instance broke the protocol.
        Protocol = "protocol",
    }
}

/// What one worker has to say of an instance.
#[derive(Debug, Default)]
pub struct HealthCounters {
    /// A [`Standing`], by its place in [`Standing::ALL`].
    standing: Counter,
    /// For how many milliseconds it stays ejected.
    pub ejected_for_ms: Counter,
    /// Its share of the calls, in percent of what it would get if it were well.
    pub share: Counter,
    /// Failures among its last calls, and how many these are.
    pub failures: Counter,
    /// See `failures`.
    pub of_calls: Counter,
    /// The moving average of its answers' times, in microseconds; 0 when there was none.
    pub latency_us: Counter,
    /// Ejections, by reason.
    ejections: [Counter; EjectionReason::ALL.len()],
    /// Times that it was found well after it was ejected or throttled.
    pub recoveries: Counter,
    /// Calls that it was given although it was ejected or did not answer, because there was no other.
    pub last_resorts: Counter,
    /// Connections that ended, by reason.
    disconnects: [Counter; Disconnect::ALL.len()],
}

impl HealthCounters {
    /// Notes how it stands.
    pub fn stands(&self, standing: Standing) {
        self.standing.set(standing as u64);
    }

    /// How it stood at the last review.
    pub fn standing(&self) -> Standing {
        let at = usize::try_from(self.standing.get()).unwrap_or_default();
        Standing::ALL.get(at).copied().unwrap_or(Standing::Well)
    }

    /// Ejections for that reason.
    pub(super) fn ejections(&self, reason: EjectionReason) -> &Counter {
        &self.ejections[reason as usize]
    }

    /// Connections that ended so.
    pub(crate) fn disconnects(&self, why: Disconnect) -> &Counter {
        &self.disconnects[why as usize]
    }

    /// Counts an ejection.
    pub fn ejected(&self, reason: EjectionReason) {
        self.ejections[reason as usize].increment();
    }

    /// Counts the end of a connection.
    pub fn disconnected(&self, why: Disconnect) {
        self.disconnects[why as usize].increment();
    }
}
