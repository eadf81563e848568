//! How the endpoints of a backend are connected to: the part of its settings that their supervisors need, one for all of them.

use crate::config::BackendSpec;
use crate::transport::callgate::{ConnectionSpec, Security};
use std::sync::Arc;
use std::time::Duration;

/// What is said of the connections to the endpoints of a backend. Endpoints are others where it changes.
#[derive(Debug)]
pub(super) struct Connecting {
    /// The backend's name.
    pub(super) backend: String,
    pub(super) connection: ConnectionSpec,
    /// After how long a connection is replaced, about.
    pub(super) max_age: Duration,
    /// How its instances and the gateway know each other.
    pub(super) security: Arc<Security>,
}

impl Connecting {
    /// What the settings say. What stays of the one before is taken over.
    pub(super) fn new(spec: &BackendSpec, before: Option<&Connecting>) -> Connecting {
        Connecting {
            backend: spec.name.clone(),
            connection: ConnectionSpec {
                connect_timeout: spec.connect_timeout,
                ping_interval: spec.ping_interval,
                ping_timeout: spec.ping_timeout,
                max_calls: spec.max_calls,
            },
            max_age: spec.max_age,
            security: Security::new(&spec.name, &spec.security, before.map(|before| &before.security)),
        }
    }
}
