//! What the gateway tells about itself: counters kept per worker and summed when scraped, and the log.

pub mod log;
mod scrape;
mod stats;

pub use scrape::{EndpointScrape, Scrape, render};
pub use stats::{
    EndpointCounters, EndpointStats, FrontStats, Outcome, PerWorker, ReloadStats, RouteStats, StatusClass,
    UpgradeStats,
};
