//! What a table file says once for all of its routes: the keys at its top. Which backend its routes call, where neither they nor
//! its top say so, follows from what it declares, and is looked up when all files are read.

use super::bind;
use super::complaint::Complaint;
use super::metadata::MetadataSpec;
use super::path::PathTemplate;
use super::policy::RoutePolicy;
use super::reader::{Reader, Section};
use super::route;
use callgate_transcode::{Int64, UnknownFields};
use std::sync::Arc;
use std::time::Duration;

/// The keys at the top of a file that hold for its routes.
pub(super) const KEYS: &[&str] = &["prefix", "metadata", "backend", "timeout", "unknown_fields", "int64"];

/// What holds for the routes of one file.
pub(super) struct Defaults {
    /// That of routes that say nothing of their own; the file may list headers that go along with calls.
    policy: Arc<RoutePolicy>,
    prefix: Prefix,
    /// How long their calls may take.
    pub(super) timeout: Duration,
    /// What becomes of members that name no field.
    pub(super) unknown_fields: UnknownFields,
    /// How 64-bit integers are written.
    pub(super) int64: Int64,
    /// The file's place among all.
    pub(super) file: usize,
}

/// What is put before the paths of a file's routes.
#[derive(Default)]
enum Prefix {
    #[default]
    None,
    Path(PathTemplate),
    /// One that will not do, which is reported: nobody knows what paths the routes are meant to have.
    Bad,
}

impl Defaults {
    /// Reads the top of the file of that place, but for its `backend`.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, file: usize) -> Defaults {
        let prefix = match section.get("prefix") {
            None => Prefix::None,
            Some(item) => match reader.text(&item, "a path such as \"/api\"", prefix) {
                Some(path) => Prefix::Path(path),
                None => Prefix::Bad,
            },
        };
        let metadata = MetadataSpec::read(reader, section);
        Defaults {
            policy: Arc::new(RoutePolicy { metadata, ..RoutePolicy::default() }),
            prefix,
            timeout: route::read_timeout(reader, section).unwrap_or(route::TIMEOUT),
            unknown_fields: bind::read_unknown(reader, section).unwrap_or_default(),
            int64: bind::read_int64(reader, section).unwrap_or_default(),
            file,
        }
    }

    /// A route's policy, where this is what it says itself.
    pub(super) fn policy(&self, own: RoutePolicy) -> Arc<RoutePolicy> {
        let policy = RoutePolicy { metadata: own.metadata.or(&self.policy.metadata), ..own };
        if policy == *self.policy { self.policy.clone() } else { Arc::new(policy) }
    }

    /// A route's path, as it is written behind the prefix.
    pub(super) fn path(&self, raw: &str) -> Result<PathTemplate, Complaint> {
        match &self.prefix {
            Prefix::Path(prefix) => PathTemplate::below(prefix, raw),
            Prefix::None | Prefix::Bad => PathTemplate::parse(raw),
        }
    }

    /// Whether paths are known: not behind a prefix that will not do.
    pub(super) fn paths_are_known(&self) -> bool {
        !matches!(self.prefix, Prefix::Bad)
    }

    /// The prefix, if there is one.
    pub(super) fn prefix(&self) -> Option<&PathTemplate> {
        match &self.prefix {
            Prefix::Path(path) => Some(path),
            Prefix::None | Prefix::Bad => None,
        }
    }
}

fn prefix(text: &str) -> Result<PathTemplate, Complaint> {
    let without = text.trim_end_matches('/');
    if without.len() < text.len() {
        let complaint = Complaint::new("a prefix ends without a slash", "the routes' paths begin with one")
            .within(without.len()..text.len());
        return Err(match without {
            "" => complaint.help("leave `prefix` out"),
            _ => complaint.help(format!("write \"{without}\"")),
        });
    }
    let path = PathTemplate::parse(text)?;
    match path.has_tail() {
        true => Err(Complaint::new("a prefix has no tail", "nothing can follow it")),
        false => Ok(path),
    }
}
