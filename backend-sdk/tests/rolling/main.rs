//! Callers and instances of an earlier and a later version of one service, side by side on real sockets.
//!
//! `earlier` and `later` are the two versions; each method of theirs stands for one kind of change. `changes` holds
//! that no caller notices what can be bridged, `misfits` what a caller is told about what cannot, and `asking` how it
//! learns what an instance takes.

mod asking;
mod changes;
mod earlier;
mod later;
mod misfits;
mod support;
