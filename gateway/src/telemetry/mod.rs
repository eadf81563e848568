//! What the gateway tells about itself: counters kept per worker and summed when scraped, and the log.

pub mod log;
mod retries;
mod scrape;
mod stats;

pub use retries::{BackendCounters, BackendStats, HedgeOutcome, HoldOutcome, RetryReason};
pub use scrape::{Scrape, render};
pub use stats::{
    EndpointCounters, EndpointStats, FrontStats, Outcome, PerWorker, ReloadStats, RouteStats, StatusClass,
};
