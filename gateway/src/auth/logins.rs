//! Names and passwords that are verified beside the workers: one at a time for each worker, so that hashes take no more memory and no
//! more of the machine than that. A few wait their turn, not for long; the others are told to come again. Each client may fail so
//! often and no more: whoever is right uses nothing up.

use super::login::Login;
use super::verified::Verified;
use super::waiting::Waiting;
use super::{Authenticator, Verdict, now};
use crate::config::AuthFiles;
use crate::failure::{Failure, Flaw};
use crate::limit::{self, Buckets, Key};
use callgate_auth::UnixSeconds;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

/// So many logins of an authenticator wait for their turn with each worker, the one whose turn it is among them.
const MOST_WAITING: u64 = 33;
/// And so long each.
const PATIENCE: Duration = Duration::from_secs(2);

/// The turns of a worker.
pub struct Logins {
    turn: Arc<Semaphore>,
}

impl Default for Logins {
    fn default() -> Logins {
        Logins { turn: Arc::new(Semaphore::new(1)) }
    }
}

impl Logins {
    /// Verifies a login of a client. Who is known then is among those that the worker has `verified`. Nothing is said where the login is
    /// to be looked at again, because the files have changed.
    ///
    /// # Errors
    ///
    /// Where nobody knows: there are too many, or the client has failed too often.
    pub async fn verify(
        &self,
        authenticator: &Authenticator,
        login: Login,
        client: Option<IpAddr>,
        (worker, verified): (usize, &Verified),
    ) -> Result<Option<Verdict>, Failure> {
        let key = limit::client(client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
        let Some(failures) = authenticator.failures.clone() else { return Ok(None) };
        // Who has failed too often does not wait in front of others. Only looked at: who is right uses nothing up.
        take(&failures, &key)?;
        failures.give_back(&key, Instant::now());
        let waiting = &authenticator.stats.0.of(worker).waiting;
        let _waiting = Waiting::enter(waiting, MOST_WAITING).ok_or(Failure::LoginsBusy)?;
        let turn = timeout(PATIENCE, self.turn.clone().acquire_owned()).await;
        // The semaphore is never closed.
        let turn = turn.ok().and_then(Result::ok).ok_or(Failure::LoginsBusy)?;
        let Login { by, sent, user, password } = login;
        // Another request may have shown the same meanwhile.
        if let Some(identity) = verified.find(by, &sent, now()) {
            return Ok(Some(Ok(identity)));
        }
        let Some(files) = authenticator.files_of(by.files) else { return Ok(None) };
        take(&failures, &key)?;
        // It goes on when nobody waits for it any more, and keeps its turn until it has ended.
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let AuthFiles::Passwords(users) = &*files else { return Err(Flaw::Unavailable) };
            let identity = users.verify(&user, &password, now()).map_err(Flaw::from)?;
            failures.give_back(&key, Instant::now());
            Ok(identity)
        });
        match work.await {
            Ok(Ok(identity)) => {
                verified.put(by, &sent, identity.clone(), UnixSeconds::MAX);
                Ok(Some(Ok(identity)))
            }
            Ok(Err(flaw)) => Ok(Some(Err(flaw))),
            Err(error) => Err(Failure::Internal(format!("a password could not be verified: {error}"))),
        }
    }
}

/// One of the failures that a client may have.
fn take(failures: &Buckets, key: &Key<'_>) -> Result<(), Failure> {
    let outcome = failures.take(key, Instant::now());
    let retry_after = outcome.next.as_secs() + 1;
    let refused = || Failure::RateLimited { policy: "logins".to_owned(), retry_after };
    outcome.admitted.then_some(()).ok_or_else(refused)
}
