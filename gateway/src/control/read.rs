//! How tables are read, with what is in the files that they name: certificates, CAs, tokens; and what is said where there is nothing to take.

use super::reload_log::Outcome;
use super::{Plane, Reload, ratchet};
use crate::certificates::{InForce, Start};
use crate::config::{AuthSpec, BackendSpec, Diagnostics, Tables, both};
use crate::exposure::Ways;
use crate::routes::Table;
use callgate_tls::UnixTime;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Tables that were read, and what is in the files of their certificates.
pub struct Read {
    pub(super) tables: Tables,
    pub(super) certificates: InForce,
    /// Who could call what by them, once that was looked at.
    pub(super) ways: Option<Ways>,
}

/// Reads the tables and what they name for the start.
///
/// # Errors
///
/// Everything that is wrong with them.
pub fn first(watch: &[PathBuf]) -> Result<Read, Diagnostics> {
    Read::of(Tables::load(watch)?, &Table::empty(), &InForce::default(), Start::Begins)
}

/// Reads the files; what comes of it when there is nothing to take.
pub(super) fn load(plane: &Plane, cause: &'static str) -> Result<Read, Reload> {
    let before = plane.shared.table.load().hash.clone();
    let tables = Tables::load_unless(&plane.shared.settings.tables.watch, &before);
    plane.unsound.store(None);
    let read = tables.and_then(|tables| match tables {
        Some(tables) => {
            let of_backends = tables.backends.iter().flat_map(|one| one.security.files());
            let of_authenticators = tables.authenticators.iter().flat_map(|one| one.files());
            let named = tables
                .certificates
                .iter()
                .flat_map(|one| one.files())
                .chain(of_backends)
                .chain(of_authenticators);
            let named: Vec<PathBuf> = named.map(Path::to_owned).collect();
            let (table, certificates) = (plane.shared.table.load(), plane.shared.certificates.all());
            let read = Read::of(tables, &table, &certificates, Start::Serves);
            let read = read.and_then(|read| read.within(plane));
            read.map(Some).inspect_err(|_| plane.unsound.store(Some(Arc::new(named))))
        }
        None => Ok(None),
    });
    match read {
        Ok(Some(read)) => Ok(read),
        Ok(None) => Err(unchanged(plane, before, cause)),
        Err(diagnostics) => Err(refuse(plane, &diagnostics, cause)),
    }
}

/// Reads what tables name that nothing is in force of: as at the start, but that what has expired is told.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn check(tables: Tables) -> Result<Tables, Diagnostics> {
    Read::of(tables, &Table::empty(), &InForce::default(), Start::Serves).map(|read| read.tables)
}

impl Read {
    /// The same, if it lets nobody in who could not come before.
    ///
    /// # Errors
    ///
    /// Whom it lets in, and how to accept that.
    pub fn within(mut self, plane: &Plane) -> Result<Read, Diagnostics> {
        self.ways = ratchet::check(plane, &self.tables)?;
        Ok(self)
    }

    /// Reads what the tables name. What is in force stays so, whatever its files say.
    fn of(tables: Tables, table: &Table, in_force: &InForce, start: Start) -> Result<Read, Diagnostics> {
        let certificates = in_force.next(&tables.certificates, start, UnixTime::now());
        let security = tables.check_security(start == Start::Begins, |spec| is_in_force(table, spec));
        let authenticators = tables.check_authenticators(|spec| knows_callers(table, spec));
        let (certificates, ((), ())) = both(certificates, both(security, authenticators))?;
        Ok(Read { tables, certificates, ways: None })
    }
}

/// Whether a backend of the table wants the same of its instances as that one: what it has of files stays in force then.
fn is_in_force(table: &Table, spec: &BackendSpec) -> bool {
    let found = table.backends.binary_search_by(|backend| backend.spec.name.cmp(&spec.name));
    found.is_ok_and(|at| table.backends[at].spec.security == spec.security)
}

/// Whether an authenticator of the table goes by the same, and has it.
fn knows_callers(table: &Table, spec: &AuthSpec) -> bool {
    table.authenticators.find(&spec.name).is_some_and(|one| *one.spec == *spec && one.is_in_force())
}

fn unchanged(plane: &Plane, hash: String, cause: &'static str) -> Reload {
    plane.reloads.unchanged.increment();
    plane.reload_log.left(cause, Outcome::Unchanged, &hash, None);
    // Whoever has taken a mistake back looks for what came of it.
    if plane.tell_error(None).is_some() {
        tracing::info!(cause, hash, "tables sound again, and as they were");
    }
    Reload::Unchanged(hash)
}

fn refuse(plane: &Plane, diagnostics: &Diagnostics, cause: &'static str) -> Reload {
    plane.reloads.failed.increment();
    let rendered = diagnostics.render(false);
    plane.reload_log.left(cause, Outcome::Failed, &plane.shared.table.load().hash, Some(&rendered));
    // The same mistake is found again with every look; the log has it once.
    let known = plane.tell_error(Some(rendered.clone()));
    if known.is_none_or(|last| *last != rendered) {
        tracing::error!(
            cause,
            mistakes = diagnostics.len(),
            "tables refused, the old ones stay: {}",
            diagnostics.summary()
        );
    }
    Reload::Refused(rendered)
}
