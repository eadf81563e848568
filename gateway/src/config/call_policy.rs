//! What a route says of its calls beyond which they are: where they go, what goes along, what else is done with them.
//!
//! Each part has a file of its own and reads its own keys; here they are put together.

use super::destination::DestinationSpec;
use super::fallback::FallbackSpec;
use super::forward_claims::ForwardClaims;
use super::ignored_query::IgnoredQuery;
use super::metadata::MetadataSpec;
use super::overload::{self, Priority};
use super::reader::{Reader, Section};
use super::rules::Rules;
use super::shadow::{self, ShadowSpec};
use super::split::SplitSpec;

/// The policy of a route's calls. By default it changes nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CallPolicy {
    /// The headers that go along with its calls.
    pub metadata: MetadataSpec,
    /// The claims of the caller that do.
    pub forward_claims: ForwardClaims,
    /// The parameters of queries that fill nothing.
    pub ignore_query: IgnoredQuery,
    /// What must hold before one is sent.
    pub rules: Rules,
    /// How much its calls matter.
    pub priority: Priority,
    /// Which instances its calls go to.
    pub split: SplitSpec,
    /// Where a share of its calls is copied to.
    pub shadow: Option<ShadowSpec>,
    /// What is done when no instance is there.
    pub fallback: Option<FallbackSpec>,
}

impl CallPolicy {
    /// Reads the parts of a route's section: all that is not its file's alone.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> CallPolicy {
        CallPolicy {
            metadata: MetadataSpec::read(reader, section),
            forward_claims: ForwardClaims::read(reader, section),
            ignore_query: IgnoredQuery::default(),
            rules: Rules::read(reader, section),
            priority: overload::read_priority(reader, section),
            split: SplitSpec::read(reader, section),
            shadow: shadow::read(reader, section),
            fallback: FallbackSpec::read(reader, section),
        }
    }

    /// The status with which a call may be answered beside the gateway's own: that of its fallback.
    pub(super) fn own_status(&self) -> u16 {
        match &self.fallback {
            Some(FallbackSpec::Reply(reply)) => reply.status,
            _ => 500,
        }
    }

    /// All places that its calls may go to beside the route's backend.
    pub(super) fn destinations(&self) -> impl Iterator<Item = &DestinationSpec> {
        let targets = self.split.targets.iter().map(|target| &target.to);
        let shadow = self.shadow.iter().map(|shadow| &shadow.to);
        let fallback = self.fallback.iter().filter_map(FallbackSpec::destination);
        targets.chain(shadow).chain(fallback)
    }
}
