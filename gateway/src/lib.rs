//! The gateway. Under construction.

pub mod cli;
pub mod config;
mod control;
