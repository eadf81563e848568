//! Tools for agents: what a route says to them of those that it shows.

use crate::config::ToolsSpec;
use arc_swap::ArcSwapOption;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::Arc;

/// What agents are shown, and what it is now.
pub struct Tools {
    /// Which.
    pub spec: Arc<ToolsSpec>,
    /// As it was made last; nothing before the first time.
    pub published: Arc<ArcSwapOption<ToolList>>,
}

/// Tools as agents get them.
#[derive(PartialEq, Eq)]
pub struct ToolList {
    /// An array, as JSON.
    pub list: Bytes,
    /// Of those whose results are known: whether these are given as the member `result` of an object, because they are none.
    pub wraps: HashMap<String, bool>,
}
