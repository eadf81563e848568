//! How the instance misbehaves at the moment.
//!
//! One command a line:
//!
//! | | |
//! |---|---|
//! | `slow 300` | every call takes 300 ms longer |
//! | `fail 50` | half of the calls run and then fail with `unavailable`: they may not be sent again unless idempotent |
//! | `refuse 50` | half of the calls fail with `unavailable` without having run, and say so |
//! | `hang` | calls that arrive are not answered until `well` |
//! | `well` | none of these |
//! | `calls` | answers how many calls have arrived |
//!
//! Every other command is answered `ok`.

use callgate_sdk::Status;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::watch;

/// Which method is called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Lookup,
    Count,
}

/// What is wrong at the moment; all zero is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Now {
    slow_ms: u64,
    fail_percent: u8,
    refuse_percent: u8,
    hang: bool,
}

/// The switches, and how many calls have arrived.
#[derive(Default)]
pub(crate) struct Faults {
    now: watch::Sender<Now>,
    calls: AtomicU64,
}

impl Faults {
    /// Does what a line says; what to answer.
    pub(crate) fn obey(&self, line: &str) -> String {
        let (word, number) = line.split_once(' ').unwrap_or((line, "0"));
        let Ok(number) = number.trim().parse::<u64>() else {
            return format!("no number: {line}");
        };
        let percent = u8::try_from(number.min(100)).unwrap_or(100);
        let now = match word {
            "slow" => Now { slow_ms: number, ..Now::default() },
            "fail" => Now { fail_percent: percent, ..Now::default() },
            "refuse" => Now { refuse_percent: percent, ..Now::default() },
            "hang" => Now { hang: true, ..Now::default() },
            "well" => Now::default(),
            "calls" => return self.calls.load(Relaxed).to_string(),
            _ => return format!("no command: {line}"),
        };
        self.now.send_replace(now);
        "ok".to_owned()
    }

    /// What befalls a call before it runs. Only idempotent calls hang: the others would be late rather than lost.
    pub(crate) async fn before(&self, call: Call) -> Result<(), Status> {
        self.calls.fetch_add(1, Relaxed);
        let now = *self.now.borrow();
        if falls(now.refuse_percent) {
            return Err(Status::unavailable("refused, as told").not_executed());
        }
        if now.slow_ms > 0 {
            tokio::time::sleep(Duration::from_millis(now.slow_ms)).await;
        }
        if now.hang && call == Call::Lookup {
            // The sender is ours, so waiting ends with `well` or with the call's own end.
            let _ = self.now.subscribe().wait_for(|now| !now.hang).await;
        }
        Ok(())
    }

    /// What befalls a call when it has run.
    pub(crate) fn after(&self) -> Result<(), Status> {
        if falls(self.now.borrow().fail_percent) {
            return Err(Status::unavailable("failed, as told"));
        }
        Ok(())
    }
}

fn falls(percent: u8) -> bool {
    percent > 0 && fastrand::u8(..100) < percent
}
