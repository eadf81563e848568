//! The files of TLS and of authenticators, beside the tables: certificates and their keys, ticket keys, what backends have of them, tokens, and what tells
//! who calls; and the tokens of the admin port. They come into force while the gateway serves, and
//! without a reload: whoever renews a certificate tells nobody.
//!
//! The control task alone does this, as it alone takes tables.

use super::admin_tokens::AdminTokensInForce;
use super::watch::Watcher;
use super::{Plane, aside};
use crate::certificates::Expiry;
use crate::worker::ListenerTls;
use callgate_tls::UnixTime;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Without a change it is looked so often whether keys are to be rotated, and whether the time of a file is nearly over.
const PACE: Duration = Duration::from_secs(600);
/// After a look that has failed inside the next one comes so soon: whoever has changed a file was told nothing.
const PACE_OF_FAILURES: Duration = Duration::from_secs(10);

/// Keeps what is in force in line with its files.
pub(super) struct TlsFiles {
    watcher: Watcher,
    expiry: Expiry,
    next: Instant,
    /// The files that are followed.
    files: Vec<PathBuf>,
}

impl TlsFiles {
    /// One that has not looked yet; the watcher follows no files yet.
    pub(super) fn new(watcher: Watcher) -> TlsFiles {
        TlsFiles { watcher, expiry: Expiry::default(), next: Instant::now(), files: Vec::new() }
    }

    /// Waits until there may be something to do. Cancel safe.
    pub(super) async fn due(&mut self) {
        tokio::select! {
            () = self.watcher.changed() => {}
            () = sleep_until(self.next) => {}
        }
    }

    /// Whether other files are named than those that it follows.
    pub(super) fn is_behind(&self, plane: &Plane) -> bool {
        self.files != files(plane)
    }

    /// Follows the files that are named now, and takes what they say.
    pub(super) async fn look(&mut self, plane: &Arc<Plane>) {
        self.next = Instant::now() + PACE;
        let files = files(plane);
        if self.files != files {
            // Followed first and read then, so that no change falls in between.
            self.watcher.follow(files.clone());
            self.files = files;
        }
        if !self.files.is_empty() {
            if aside(plane, refresh).await.is_none() {
                tracing::error!(
                    "the files of TLS are looked at again in ten seconds; what was in force stays so"
                );
                self.next = Instant::now() + PACE_OF_FAILURES;
            }
            self.expiry.warn(plane.shared.dated(), UnixTime::now());
        }
    }
}

/// The files that are named now.
fn files(plane: &Plane) -> Vec<PathBuf> {
    let (shared, unsound) = (&plane.shared, plane.unsound.load());
    let certificates = shared.certificates.all();
    let mut files: Vec<PathBuf> =
        certificates.entries().iter().flat_map(|entry| entry.spec.files()).map(PathBuf::from).collect();
    let table = shared.table.load();
    // Many backends may have one CA.
    let of_backends: BTreeSet<_> = table.backends.iter().flat_map(|one| one.spec.security.files()).collect();
    files.extend(of_backends.into_iter().map(PathBuf::from));
    files.extend(table.authenticators.iter().flat_map(|one| one.spec.files()).map(PathBuf::from));
    files.extend(AdminTokensInForce::files(&shared.settings.admin));
    files.extend(unsound.iter().flat_map(|files| files.iter().cloned()));
    files.extend(shared.settings.server.tls_ticket_keys.iter().map(|keys| keys.path.clone()));
    files.extend(shared.listeners.iter().flat_map(|one| one.tls.iter().flat_map(ListenerTls::files)));
    files
}

/// Takes what the files say now. What is bad is not taken, and the log says so.
fn refresh(plane: &Plane) {
    let (shared, now) = (&plane.shared, UnixTime::now());
    plane.admin_tokens.refresh(&shared.settings.admin);
    shared.certificates.refresh(now);
    shared.table.load().backends.iter().for_each(|backend| backend.refresh_security(now));
    shared.table.load().authenticators.iter().for_each(|one| one.refresh());
    let tickets = &shared.certificates.tickets;
    match &shared.settings.server.tls_ticket_keys {
        Some(file) => tickets.read(file.again(), now),
        None => tickets.rotate(now),
    };
    shared.renew_tls();
}
