//! Under construction.

mod watch;
