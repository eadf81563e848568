//! What the gateway tells about itself: counters kept per worker and summed when scraped, and the log.

mod health;
pub mod log;
mod names;
mod retries;
mod scrape;
mod stats;
mod traffic;

pub use health::{Disconnect, EjectionReason, HealthCounters, Standing};
pub use names::{NameScrape, NameStats, Resolution};
pub use retries::{BackendCounters, BackendStats, HedgeOutcome, HoldOutcome, RetryReason};
pub use scrape::{EndpointScrape, Scrape, render};
pub use stats::{
    EndpointCounters, EndpointStats, FrontStats, Outcome, PerWorker, ReloadStats, RouteStats, StatusClass,
    UpgradeStats,
};
pub use traffic::{ArmReason, ArmStats, FallbackStats, ShadowOutcome, ShadowStats, TrafficScrape};
