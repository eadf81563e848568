//! The gateway. Under construction.

pub mod cli;
pub mod config;
pub mod control;
