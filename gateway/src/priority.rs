//! Threads whose work waits gladly: they get little of a core that workers want all of.

/// The nice value of such a thread: it gets about a tenth of a core that workers want all of.
const NICE: i32 = 10;

/// Lowers the calling thread's priority. Linux keeps a nice value for each thread; where this is not possible all is as it
/// was.
pub(crate) fn stand_back() {
    let thread = rustix::thread::gettid();
    if let Err(error) = rustix::process::setpriority_process(Some(thread), NICE) {
        tracing::debug!(%error, "work beside the workers has the priority of everything else");
    }
}
