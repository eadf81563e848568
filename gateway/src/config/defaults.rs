//! What a table file says once for all of its routes: the keys at its top. Which backend its routes call, where neither they nor
//! its top say so, follows from what it declares, and is looked up when all files are read.

use super::bind;
use super::call_policy::CallPolicy;
use super::client_list::RouteClients;
use super::complaint::Complaint;
use super::cors::RouteCors;
use super::forward_claims::ForwardClaims;
use super::hosts::SaidHosts;
use super::ignored_query::IgnoredQuery;
use super::keys;
use super::metadata::MetadataSpec;
use super::path::PathTemplate;
use super::policy::RoutePolicy;
use super::reader::{Reader, Section};
use super::require::RouteRequire;
use super::route_auth::RouteAuth;
use super::rules::Rules;
use super::security_headers::SecurityHeaders;
use super::stream_limits::StreamLimits;
use super::timeout;
use super::trailing_slash::TrailingSlash;
use callgate_transcode::{Decimal, Int64, UnknownFields};
use std::sync::Arc;
use std::time::Duration;
use toml::de::DeValue;

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
    /// The hosts whose requests they take.
    pub(super) hosts: SaidHosts,
    /// How long their calls may take.
    pub(super) timeout: Duration,
    /// What bounds those that stream.
    pub(super) stream: StreamLimits,
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
        let forward_claims = ForwardClaims::read(reader, section);
        let rules = Rules::read(reader, section);
        rules.check_count(reader, section);
        let clients = section.get(keys::CLIENTS).map(|item| RouteClients::read(reader, &item));
        let clients = clients.unwrap_or_default();
        // As a table it declares authenticators.
        let auth = section.get(keys::AUTH).filter(|item| !matches!(item.value.get_ref(), DeValue::Table(_)));
        let auth = auth.map(|item| RouteAuth::read(reader, &item)).unwrap_or_default();
        let require =
            section.get(keys::REQUIRE).map(|item| RouteRequire::read(reader, &item)).unwrap_or_default();
        let cors = section.get(keys::CORS).map(|item| RouteCors::read(reader, &item)).unwrap_or_default();
        let security_headers =
            section.get(keys::SECURITY_HEADERS).map(|item| SecurityHeaders::read(reader, &item));
        let security_headers = security_headers.unwrap_or_default();
        let compress = section.get(keys::COMPRESS).and_then(|item| reader.boolean(&item));
        let trailing_slash = TrailingSlash::read(reader, section);
        let ignore_query = IgnoredQuery::read(reader, section);
        Defaults {
            policy: Arc::new(RoutePolicy {
                clients,
                auth,
                require,
                cors,
                security_headers,
                compress,
                trailing_slash,
                ..RoutePolicy::default()
            }),
            call_policy: Arc::new(CallPolicy {
                metadata,
                forward_claims,
                rules,
                ignore_query,
                ..CallPolicy::default()
            }),
            bad_prefix: item.is_some() && path.is_none(),
            prefix: path.map(Arc::new),
            hosts: SaidHosts::read(reader, section),
            timeout: timeout::read(reader, section).unwrap_or(timeout::USUAL),
            stream: StreamLimits::read(reader, section, StreamLimits::default()),
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
            auth: own.auth.or(&self.policy.auth),
            require: own.require.within(&self.policy.require),
            cors: own.cors.or(&self.policy.cors),
            security_headers: own.security_headers.or(self.policy.security_headers),
            trailing_slash: self.policy.trailing_slash,
            compress: own.compress.or(self.policy.compress),
            ..own
        };
        if own == *self.policy { self.policy.clone() } else { Arc::new(own) }
    }

    /// That of its calls, likewise.
    pub(super) fn call_policy(&self, own: CallPolicy) -> Arc<CallPolicy> {
        let policy = CallPolicy {
            metadata: own.metadata.or(&self.call_policy.metadata),
            rules: own.rules.behind(&self.call_policy.rules),
            forward_claims: own.forward_claims.or(&self.call_policy.forward_claims),
            ignore_query: self.call_policy.ignore_query.clone(),
            ..own
        };
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
    if path.has_tail() {
        return Err(Complaint::new("a prefix has no tail", "nothing can follow it"));
    }
    if path.has_suffix() {
        let complaint = Complaint::new("a parameter is a whole segment", "text follows one");
        return Err(complaint.note("only at the end of a route's path text may follow a parameter"));
    }
    Ok(path)
}
