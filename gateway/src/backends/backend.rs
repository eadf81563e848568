//! A backend as all workers share it: a group of instances that offer the same services, and who they are at present.

use super::connecting::Connecting;
use super::members::{Keep, Members};
use crate::config::BackendSpec;
use crate::discovery::Lists;
use crate::ids::next_id;
use crate::overload::Gauge;
use crate::telemetry::BackendStats;
use crate::transport::callgate::Security;
use arc_swap::{ArcSwap, Guard};
use callgate_tls::UnixTime;
use std::collections::HashMap;
use std::sync::Arc;

/// A backend.
pub struct Backend {
    /// Which backend this is: one with other settings is another, one with other members is the same.
    pub id: u64,
    /// What the files say.
    pub spec: BackendSpec,
    /// What the supervisors of its endpoints need of that.
    pub(super) connecting: Arc<Connecting>,
    /// Who its instances are. Control alone changes that.
    members: ArcSwap<Members>,
    /// What it counts, as long as there is one of its name.
    pub stats: Arc<BackendStats>,
    /// Its calls in flight, where they are bounded; as long as there is one of its name.
    pub gauge: Arc<Gauge>,
}

impl Backend {
    /// A backend with the members that it has by these lists. What stays of the one before is taken over.
    pub(crate) fn new(spec: BackendSpec, lists: &Lists, before: Option<&Backend>, workers: usize) -> Backend {
        let members = before.map(|before| (before.members(), before.spec.connects_like(&spec)));
        let members = members.as_ref().map(|(members, alike)| {
            let keep = if *alike { Keep::Endpoints } else { Keep::Drains };
            (&***members, keep)
        });
        let members = Members::new(&spec, lists, members, workers);
        let stats = before.map_or_else(|| Arc::new(BackendStats::new(workers)), |one| one.stats.clone());
        let gauge = before.map_or_else(|| Arc::new(Gauge::new(workers)), |one| one.gauge.clone());
        let connecting = Connecting::new(&spec, before.map(|before| &*before.connecting));
        let (connecting, members) = (Arc::new(connecting), ArcSwap::from_pointee(members));
        Backend { id: next_id(), spec, connecting, members, stats, gauge }
    }

    /// Its members at present, for a look; whoever keeps them takes [`members_now`](Self::members_now).
    pub fn members(&self) -> Guard<Arc<Members>> {
        self.members.load()
    }

    /// Its members at present.
    pub fn members_now(&self) -> Arc<Members> {
        self.members.load_full()
    }

    /// How its instances and the gateway know each other.
    pub fn security(&self) -> &Security {
        &self.connecting.security
    }

    /// Reads the files of that again.
    pub fn refresh_security(&self, now: UnixTime) {
        self.connecting.security.refresh(&self.spec.name, now);
    }

    /// The endpoints of its members.
    #[cfg(test)]
    pub(crate) fn endpoints(&self) -> Vec<Arc<super::Endpoint>> {
        self.members().iter().map(|member| member.endpoint.clone()).collect()
    }

    /// Puts the members into force that it has by these lists. Whether they are others.
    pub(crate) fn follow(&self, lists: &Lists, workers: usize) -> bool {
        let next = self.members().next(&self.spec, lists, workers);
        let differ = next.is_some();
        next.into_iter().for_each(|members| self.members.store(Arc::new(members)));
        differ
    }
}

/// The backends of these specifications. Those that did not change against the ones before are the same, with their members.
pub(crate) fn next_backends(
    before: &[Arc<Backend>],
    specs: Vec<BackendSpec>,
    lists: &Lists,
    workers: usize,
) -> Vec<Arc<Backend>> {
    let known: HashMap<&str, &Arc<Backend>> =
        before.iter().map(|backend| (backend.spec.name.as_str(), backend)).collect();
    let next = |spec: BackendSpec| match known.get(spec.name.as_str()).copied() {
        Some(old) if old.spec == spec => old.clone(),
        old => Arc::new(Backend::new(spec, lists, old.map(Arc::as_ref), workers)),
    };
    specs.into_iter().map(next).collect()
}
