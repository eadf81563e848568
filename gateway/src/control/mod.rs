//! Under construction.

mod watch;

pub use watch::Watcher;
