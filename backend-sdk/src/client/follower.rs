//! Follows one name: looks it up again and again, and has a supervisor for each address that it stands for.
//!
//! An answer without addresses and one that failed say nothing: the last good list stays.

use super::listing::{Listing, MAX_ADDRESSES};
use super::members::{Member, Members, NameState};
use super::pool::Settings;
use super::supervisor::Supervision;
use crate::connection::Address;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// The time that a look-up may take before people are told that there is no answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// A name is looked up once in this time at most, and so soon where the next answer decides about addresses that are gone.
const AT_MOST_EVERY: Duration = Duration::from_secs(1);

/// Bounds of the time until a name is looked up again after that has failed.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(8);

/// A name that is followed.
pub(crate) struct Follower {
    name: Arc<str>,
    members: Arc<Members>,
    settings: Settings,
    known: HashMap<SocketAddr, Followed>,
    supervisors: JoinSet<()>,
    /// Told by supervisors that have lost an address.
    look_again: Arc<Notify>,
}

/// A member that the name stands for.
struct Followed {
    id: u64,
    /// The supervisor ends when this is dropped.
    _kept: oneshot::Sender<()>,
}

impl Follower {
    pub(crate) fn new(name: &str, members: Arc<Members>, settings: Settings) -> Follower {
        let name: Arc<str> = name.into();
        members.set_name(&name, NameState::Unknown);
        let (known, supervisors) = (HashMap::new(), JoinSet::new());
        Follower { name, members, settings, known, supervisors, look_again: Arc::default() }
    }

    /// Never returns; ends when it is aborted, with all supervisors.
    pub(crate) async fn follow(mut self) {
        let (mut listing, mut failures) = (Listing::default(), 0);
        loop {
            let began = Instant::now();
            match self.look_up().await {
                Ok(answer) => {
                    failures = 0;
                    self.take_in(&mut listing, &answer);
                    self.members.set_name(&self.name, NameState::Listed);
                }
                Err(error) => {
                    failures += 1;
                    self.tell_failure(error);
                }
            }
            while self.supervisors.try_join_next().is_some() {}
            let pause = if failures > 0 {
                retry(failures)
            } else if listing.is_unconfirmed() {
                AT_MOST_EVERY
            } else {
                self.settings.look_again
            };
            tokio::select! {
                () = sleep(jittered(pause)) => {}
                () = self.look_again.notified() => {}
            }
            sleep_until(began + jittered(AT_MOST_EVERY.min(self.settings.look_again))).await;
        }
    }

    /// There is one look-up at a time: the system goes on with one that nobody waits for.
    async fn look_up(&self) -> Result<Vec<SocketAddr>, String> {
        let lookup = self.settings.resolve.lookup(&self.name);
        tokio::pin!(lookup);
        let answer = match timeout(ANSWERED_WITHIN, &mut lookup).await {
            Ok(answer) => answer,
            Err(_) => {
                let error = format!("looking it up has taken {} s so far", ANSWERED_WITHIN.as_secs());
                self.tell_failure(error);
                lookup.await
            }
        };
        match answer {
            Ok(addresses) if addresses.is_empty() => Err("the name has no address".to_owned()),
            Ok(addresses) => Ok(addresses),
            Err(error) => Err(format!("the name cannot be looked up: {error}")),
        }
    }

    fn tell_failure(&self, error: String) {
        let (name, in_use) = (&self.name, self.known.len());
        tracing::debug!(%name, error, in_use, "a name has no good answer; its last good one is used");
        self.members.set_name(name, NameState::Failed(error));
    }

    /// Brings members and supervisors in line with the answer.
    fn take_in(&mut self, listing: &mut Listing, answer: &[SocketAddr]) {
        let left_out = listing.left_out();
        listing.hear(answer);
        if listing.left_out() > 0 && left_out == 0 {
            let (name, left_out) = (&self.name, listing.left_out());
            tracing::warn!(%name, left_out, "a name has more than {MAX_ADDRESSES} addresses");
        }
        let used: Vec<SocketAddr> = listing.addresses().collect();
        let gone: Vec<SocketAddr> = self.known.keys().filter(|at| !used.contains(at)).copied().collect();
        let new: Vec<SocketAddr> = used.into_iter().filter(|at| !self.known.contains_key(at)).collect();
        if gone.is_empty() && new.is_empty() {
            return;
        }
        tracing::info!(name = %self.name, ?new, ?gone, "a name stands for other addresses");
        let made: Vec<(SocketAddr, Arc<Member>)> = new.into_iter().map(|at| (at, self.member(at))).collect();
        // Their supervisors end when they are no members any more.
        let gone: Vec<Followed> = gone.iter().filter_map(|at| self.known.remove(at)).collect();
        let ids: Vec<u64> = gone.iter().map(|one| one.id).collect();
        self.members.exchange(made.iter().map(|(_, member)| member.clone()), &ids);
        drop(gone);
        for (at, member) in made {
            let followed = self.supervise(member);
            self.known.insert(at, followed);
        }
    }

    fn member(&self, at: SocketAddr) -> Arc<Member> {
        self.members.make(Address::Tcp(at.to_string()), Some(self.name.clone()))
    }

    fn supervise(&mut self, member: Arc<Member>) -> Followed {
        let (kept, retired) = oneshot::channel::<()>();
        let id = member.id;
        let supervision =
            Supervision::new(member, self.members.clone(), &self.settings, self.look_again.clone());
        self.supervisors.spawn(supervision.supervise(async {
            let _ = retired.await;
        }));
        Followed { id, _kept: kept }
    }
}

/// Doubles with each failure.
fn retry(failures: u32) -> Duration {
    FIRST_RETRY.saturating_mul(1 << (failures - 1).min(16)).min(LAST_RETRY)
}

/// Less by up to a fifth, so that clients that began together do not ask together for ever.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.8 + fastrand::f64() / 5.0)
}
