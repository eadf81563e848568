//! What the gateway tells about itself: counters kept per worker and summed when scraped, and the log.

mod auth;
mod counter;
mod failures;
mod families;
mod fetches;
mod health;
mod http2;
mod labels;
mod limits;
pub mod log;
mod names;
mod notified;
mod overload;
mod process;
mod refused;
mod retries;
mod scrape;
mod stats;
mod streams;
mod tls;
mod traffic;
mod websockets;

pub use auth::{AuthCounters, AuthScrape, AuthStats};
pub use callgate_health::EjectionReason;
pub use counter::{BUCKETS, Counter, Distribution, PerWorker};
pub use failures::FailureCounters;
pub use fetches::{FetchOutcome, FetchScrape, FetchStats};
pub use health::{ConnectFailure, Disconnect, HealthCounters, Standing};
pub use http2::{ByProtocol, Endings, Flood, Http2Counters};
pub use limits::{LimitCounters, LimitScrape, LimitStats};
pub use names::{NameScrape, NameStats, Resolution};
pub use notified::NotifiedCounters;
pub use overload::OverloadCounters;
pub use refused::{ConnectionRefusal, RefusedConnections};
pub use retries::{BackendCounters, BackendStats, Diverted, HedgeOutcome, HoldOutcome, RetryReason};
pub use scrape::{EndpointScrape, ListenerScrape, Scrape, render};
pub use stats::{
    CertificateStats, EndpointCounters, EndpointStats, FrontStats, OutcomeLabel, ReloadStats, RouteStats,
    StatusClass, UpgradeStats,
};
pub use streams::{StreamCounters, StreamOutcome};
pub use tls::{Agreed, HandshakeResult, TlsCounters, TlsGroup, TlsScrape, TlsStats, TlsVersion};
pub use traffic::{FallbackStats, ShadowOutcome, ShadowStats, TargetReason, TargetStats, TrafficScrape};
pub use websockets::{WebSocketCounters, WebSocketEnd};
