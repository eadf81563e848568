//! What a table file says once for all of its routes: the keys at its top. Which backend its routes call, where neither they nor
//! its top say so, follows from what it declares, and is looked up when all files are read.

use super::bind;
use super::call_policy::CallPolicy;
use super::client_list::RouteClients;
use super::complaint::Complaint;
use super::keys;
use super::metadata::MetadataSpec;
use super::path::PathTemplate;
use super::policy::RoutePolicy;
use super::reader::{Reader, Section};
use super::timeout;
use callgate_transcode::{Decimal, Int64, UnknownFields};
use std::sync::Arc;
use std::time::Duration;

/// What holds for the routes of one file.
pub(super) struct Defaults {
    /// The policy of routes that say nothing of their own.
    policy: Arc<RoutePolicy>,
    /// That of their calls; the file may list headers that go along with these.
    call_policy: Arc<CallPolicy>,
    /// What is put before the paths of the file's routes.
    pub(super) prefix: Option<Arc<PathTemplate>>,
    /// There is a prefix that will not do, which is reported: nobody knows what paths the routes are meant to have.
    bad_prefix: bool,
    /// How long their calls may take.
    pub(super) timeout: Duration,
    /// What becomes of members that name no field.
    pub(super) unknown_fields: UnknownFields,
    /// How 64-bit integers are written.
    pub(super) int64: Int64,
    /// How decimals are written.
    pub(super) decimal: Decimal,
    /// The file's place among all.
    pub(super) file: usize,
}

impl Defaults {
    /// Reads the top of the file of that place, but for its `backend`.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, file: usize) -> Defaults {
        let item = section.get(keys::PREFIX);
        let path = item.as_ref().and_then(|item| reader.text(item, "a path such as \"/api\"", prefix));
        let metadata = MetadataSpec::read(reader, section);
        let clients = section.get(keys::CLIENTS).map(|item| RouteClients::read(reader, &item));
        let clients = clients.unwrap_or_default();
        let compress = section.get(keys::COMPRESS).and_then(|item| reader.boolean(&item));
        Defaults {
            policy: Arc::new(RoutePolicy { clients, compress, ..RoutePolicy::default() }),
            call_policy: Arc::new(CallPolicy { metadata, ..CallPolicy::default() }),
            bad_prefix: item.is_some() && path.is_none(),
            prefix: path.map(Arc::new),
            timeout: timeout::read(reader, section).unwrap_or(timeout::USUAL),
            unknown_fields: bind::read_unknown(reader, section).unwrap_or_default(),
            int64: bind::read_int64(reader, section).unwrap_or_default(),
            decimal: bind::read_decimal(reader, section).unwrap_or_default(),
            file,
        }
    }

    /// Who may come to the file's routes.
    pub(super) fn clients(&self) -> &RouteClients {
        &self.policy.clients
    }

    /// A route's policy, where this is what it says itself.
    pub(super) fn policy(&self, own: RoutePolicy) -> Arc<RoutePolicy> {
        let own = RoutePolicy {
            clients: own.clients.within(&self.policy.clients),
            compress: own.compress.or(self.policy.compress),
            ..own
        };
        if own == *self.policy { self.policy.clone() } else { Arc::new(own) }
    }

    /// That of its calls, likewise.
    pub(super) fn call_policy(&self, own: CallPolicy) -> Arc<CallPolicy> {
        let policy = CallPolicy { metadata: own.metadata.or(&self.call_policy.metadata), ..own };
        if policy == *self.call_policy { self.call_policy.clone() } else { Arc::new(policy) }
    }

    /// The prefix, if there is one.
    pub(super) fn prefix(&self) -> Option<&PathTemplate> {
        self.prefix.as_deref()
    }

    /// Whether paths are known: not behind a prefix that will not do.
    pub(super) fn paths_are_known(&self) -> bool {
        !self.bad_prefix
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
