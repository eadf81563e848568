//! Signals that mean nothing here, and would end the process if nobody heard them: sent to the wrong process, or meant for
//! a program that opens its log anew or shows its state by them.

use rustix::process::Signal;
use std::io;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// What ends a process by default and has no meaning here. SIGQUIT is not among them, by which people ask for a core dump,
/// nor are those by which the system says that the process is at fault.
const MEANINGLESS: &[Signal] = &[
    Signal::USR1,
    Signal::ALARM,
    Signal::VTALARM,
    Signal::PROF,
    Signal::IO,
    // A log that may not grow any further: the write fails.
    Signal::XFSZ,
    #[cfg(target_os = "linux")]
    Signal::POWER,
];

/// The real-time signals that a program may use: glibc keeps the first two for itself, and tokio takes none above 63.
const REAL_TIME: std::ops::Range<i32> = if cfg!(target_os = "linux") { 34..64 } else { 0..0 };

/// From here on these signals do nothing, for as long as the process lives.
///
/// # Errors
///
/// When the system takes no handler.
pub fn ignore_meaningless() -> io::Result<()> {
    // Handlers stay when the runtime is gone by which they are set.
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let _inside = runtime.enter();
    for number in MEANINGLESS.iter().map(|signal| signal.as_raw()).chain(REAL_TIME) {
        drop(signal(SignalKind::from_raw(number))?);
    }
    Ok(())
}
