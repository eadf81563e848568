//! Files → checked settings: what the gateway is told, in types that can only hold what makes sense.
//!
//! There are two kinds of file. The gateway's own ([`Settings`]) holds what needs a restart. The tables ([`Tables`])
//! hold backends and routes, are watched, and are swapped while requests run. Both are read whole and checked whole;
//! all mistakes come back together as [`Diagnostics`]. Nothing behind this module sees a string that was not checked.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may fail so"))]

mod accepted;
mod action;
mod auth;
mod auth_files;
mod backend;
mod backend_files;
mod backend_security;
mod balance;
mod bind;
mod body;
mod bound_fields;
mod call;
mod call_policy;
mod call_ref;
mod call_spec;
mod certificate;
mod certificate_files;
mod client_certificate;
mod client_list;
mod complaint;
mod conflicts;
mod cors;
mod defaults;
mod destination;
mod destinations;
mod diagnostics;
mod discovery_name;
mod dns;
mod endpoint;
mod endpoint_addr;
mod error_types;
mod exposed;
mod fallback;
mod field;
mod file_keys;
mod files;
mod foreign;
mod foreign_paths;
mod forward_claims;
mod hash_by;
mod health;
mod host;
mod hosts;
mod http_target;
mod http_url;
mod ignored_query;
mod keys;
mod local_reply;
mod matcher;
mod media_range;
mod metadata;
mod misfit;
mod mode;
mod name;
mod networks;
mod outside;
mod overload;
mod path;
mod places;
mod policy;
mod rate_limit;
mod reader;
mod require;
mod response;
mod retry;
mod rewrites;
mod route;
mod route_auth;
mod route_backend;
mod route_keys;
mod route_limits;
mod rules;
mod said_by_cors;
pub(crate) mod schema;
mod secret_source;
mod security_headers;
mod settings;
mod shadow;
mod shape;
mod source;
mod split;
mod stream_limits;
mod suggest;
mod tables;
mod target;
#[cfg(test)]
pub(crate) mod testing;
mod timeout;
mod tool;
mod tool_names;
mod trailing_slash;
mod units;
mod values;
mod websocket;
mod who_may_call;

pub use action::ActionSpec;
pub use auth::{
    ApiKeySpec, AuthKind, AuthSpec, BasicSpec, CertificateName, ExternalSpec, HttpSpec, JwtSpec, KeySource,
    KeyUrl, ListFile, MtlsSpec, NamePattern, OVERFLOW_UID, RpcSpec, UnixSpec, UnixUser,
};
pub(crate) use auth_files::{AuthFiles, tell_skipped};
pub use backend::BackendSpec;
pub(crate) use backend_files::{Loaded, TlsClient};
pub use backend_security::{BackendTls, BackendToken, OwnCertificate, SecuritySpec};
pub use balance::{Balance, HashSpec, Placement};
pub use body::BodyTypes;
pub use call_policy::CallPolicy;
pub use call_ref::CallRef;
pub use call_spec::CallSpec;
pub use callgate_health::HealthSpec;
pub use certificate::CertificateSpec;
pub(crate) use certificate_files::CertificateFiles;
pub use client_list::{ClientList, RouteClients};
pub use cors::{CorsSpec, Origin, Origins, RouteCors};
pub use destination::DestinationSpec;
pub use diagnostics::Diagnostics;
pub(crate) use diagnostics::{both, collect};
pub use discovery_name::{Discovered, DiscoveryName};
pub use dns::DnsSettings;
pub use endpoint::{Address, EndpointSpec};
pub use endpoint_addr::EndpointAddr;
pub use error_types::ErrorTypes;
pub use fallback::FallbackSpec;
pub use files::MAX_FILE;
pub(crate) use files::{gather, read};
pub use forward_claims::ForwardClaims;
pub use hash_by::HashBy;
pub use hosts::Hosts;
pub(crate) use hosts::shown as shown_host;
pub use http_target::HttpTarget;
pub use http_url::HttpUrl;
pub use ignored_query::IgnoredQuery;
pub use local_reply::*;
pub use matcher::Matcher;
pub use media_range::MediaRange;
pub use metadata::MetadataSpec;
pub(crate) use misfit::{Caller, Misfit, RoutePart};
pub use mode::CallMode;
pub use outside::Outside;
pub use overload::{AdaptiveSpec, OverloadSpec, Priority, QueueSpec, When};
pub use path::{MAX_PARAMETERS, PathTemplate};
pub use policy::RoutePolicy;
pub use rate_limit::{LimitBy, Rate, RateLimitSpec};
pub use require::{Require, RequiredClaim, RouteRequire};
pub use response::{
    ContentType, ErrorStatuses, EtagSpec, EventsSpec, FileSpec, HeaderSpec, HeaderValue, LinkSpec, Pair,
    Part, RawSpec, ReplySpec, StatusSpec, StreamForm, TextTemplate, UriTemplate, ValueSource,
};
pub use retry::{RetryOn, RetrySpec};
pub use route::{RouteSpec, Written};
pub use route_auth::RouteAuth;
pub use route_limits::{RateLimit, RateLimits};
pub use rules::Rules;
pub use secret_source::SecretSource;
pub use security_headers::SecurityHeaders;
pub use settings::{
    AcceptExposure, AccessField, AccessFields, AccessLogFormat, AccessLogSettings, AdminSettings,
    AdminTokens, ClientSettings, Forwarded, HalfClose, Hsts, Http2, Http2Settings, ListenAddress,
    ListenerClients, ListenerSettings, LogFormat, LogSettings, Protocol, ProxyProtocol, ReplaySettings,
    ServerSettings, Settings, TableSettings, TicketKeysFile, TlsSettings, TraceParents, TracesSettings,
    UpgradeSettings,
};
pub use shadow::{ShadowSpec, Share};
pub(crate) use source::shown;
pub use source::{Place, Source};
pub use split::{HeaderMatch, SplitSpec, TargetSpec};
pub use stream_limits::StreamLimits;
pub(crate) use suggest::names_help;
pub use tables::{TableHash, Tables};
pub use target::{Piece, RedirectTarget, RewriteTarget};
pub use tool::{ToolHints, ToolSpec};
pub use trailing_slash::TrailingSlash;
pub(crate) use units::{time, timeout};
pub use websocket::{Messages, WebSocketSpec};

#[cfg(test)]
mod tests;
