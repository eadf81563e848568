//! The process: what is prepared before anything runs, and what it runs on.
//!
//! ```text
//! mod       settings, tables and sockets: all that may fail, before there is a runtime
//! chassis   what runs services: signals and the exit status
//! serve     from the first connection that is accepted to the last that is answered
//! ```

mod chassis;
mod serve;

use crate::access_log::{Failures, Form, Keep};
use crate::config::Settings;
use crate::control::{self, Plane, Watched, watch::Watcher};
use crate::descriptors;
use crate::discovery::kept;
use crate::listeners::Listeners;
use crate::privilege::Ports;
use crate::signals;
use crate::state::{self, State};
use crate::supervise::Supervisor;
use crate::telemetry::log::{self, LogStats};
use crate::upgrade::{Name, Predecessor, obey};
use crate::worker::Shared;
use callgate_tls::{TicketKeys, UnixTime};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Runs the gateway until it is told to end. `upgrade` has it take over from a running gateway, by default from the one
/// of these settings. `ports` binds those below 1024, and is gone when all listeners are bound. Errors are for whoever started it: what was wrong, on standard error. Any end but the one that was
/// asked for has a status above 0.
pub fn run(config: &Path, upgrade: Option<Option<String>>, ports: Ports) -> ExitCode {
    // From here on nothing else writes to standard error. Dropped last, with a deadline for the last lines.
    let log = match log::Writer::start() {
        Ok(log) => log,
        Err(error) => {
            log::complain(&format!("error: cannot log: {error}"));
            return ExitCode::FAILURE;
        }
    };
    match start(config, upgrade, ports, &log) {
        Ok(gateway) => {
            let _writers = begin_access_log(&gateway.plane.shared);
            chassis::run(gateway)
        }
        Err(error) => {
            log.lines().put(format!("{error}\n").as_bytes());
            ExitCode::FAILURE
        }
    }
}

/// Has the access log written, and the last failures kept, for as long as the writers are there.
fn begin_access_log(shared: &Shared) -> [io::Result<log::Writer>; 2] {
    let (logged, kept) = (Form::logged(&shared.settings.access_log), Form::kept());
    // Without standard output there is none.
    let access_log = log::Writer::start_access_log(move |record| logged.of(&record).into());
    access_log.iter().for_each(|writer| shared.access_log.begin(writer.lines()));
    let failures = Arc::<Failures>::default();
    // Without a thread for it there is none.
    let list = log::Writer::start_many(Keep(failures.clone()), "failure list", move |record| {
        kept.of(&record).into()
    });
    list.iter().for_each(|writer| shared.access_log.begin_failures(writer.lines(), failures.clone()));
    [access_log, list]
}

fn start(
    config: &Path,
    upgrade: Option<Option<String>>,
    ports: Ports,
    log: &log::Writer,
) -> Result<Gateway, String> {
    signals::ignore_meaningless().map_err(|error| format!("error: signals cannot be heard: {error}"))?;
    let settings = Settings::load(config).map_err(|error| error.to_string())?;
    log::start(&settings.log, &chassis::QUIET, log.lines());
    prepare(settings, upgrade, ports, log.lines().stats())
}

fn prepare(
    settings: Settings,
    upgrade: Option<Option<String>>,
    ports: Ports,
    log: Arc<LogStats>,
) -> Result<Gateway, String> {
    let supervisor = Arc::new(Supervisor::default());
    // Watched first and read then, so that no change falls in between.
    let watch = |paths: &[PathBuf]| {
        Watcher::start(paths, supervisor.clone())
            .map_err(|error| format!("error: cannot watch files: {error}"))
    };
    let watched = Watched { tables: watch(&settings.tables.watch)?, tls: watch(&[])? };
    let read = control::first(&settings.tables.watch).map_err(|error| error.to_string())?;
    let name = Name::of(&settings);
    let before = upgrade.map(|other| other.map_or_else(|| name.clone(), |other| Name::given(&other)));
    let mut before = before.map(|name| Predecessor::ask(&name)).transpose()?;
    let mut listeners = Listeners::open(&settings, &name, &ports, before.as_mut())?;
    ports.give_up();
    let (state, state_lock) = open_state(&settings, &mut listeners, before.as_mut())?;
    let shared = Arc::new(Shared::new(settings, supervisor, descriptors::raise_limit()));
    let plane = Arc::new(Plane::new(shared, state, log));
    if before.is_none() {
        remember_lists(&plane);
    }
    control::remember_exposure(&plane, before.as_mut().and_then(|before| before.exposure.take()));
    let read = read.within(&plane).map_err(|error| error.to_string())?;
    let tickets = before.as_mut().and_then(|before| before.tickets.take());
    begin_tickets(&plane, tickets);
    if let Some(before) = &mut before {
        plane.names.remember(std::mem::take(&mut before.listed));
        plane.upgrades.succeeded.set(before.upgrades.0 + 1);
        plane.upgrades.failed.set(before.upgrades.1);
    }
    control::take(&plane, read, "start");
    if let Some(before) = &before {
        // No worker runs yet, so that none connects to an endpoint that drains.
        obey(&plane.shared.table.load(), &before.words);
    }
    Ok(Gateway { plane, listeners, state_lock, watched, name, before })
}

/// Has TLS begin with the ticket keys of the file that the settings name, or else of the gateway before.
fn begin_tickets(plane: &Plane, before: Option<(TicketKeys, u64)>) {
    let tickets = &plane.shared.certificates.tickets;
    match (&plane.shared.settings.server.tls_ticket_keys, before) {
        (Some(file), _) => tickets.read(Ok(file.keys.clone()), UnixTime::now()),
        (None, Some((keys, since))) => tickets.take_over(keys, since),
        // The listeners were made with the keys in force.
        (None, None) => return,
    }
    plane.shared.renew_tls();
}

/// Has names begin with what they listed when the last gateway ended, as far as it was kept.
fn remember_lists(plane: &Plane) {
    match plane.state.read(kept::FILE).map(|content| kept::read(&content)) {
        Some(Ok(listed)) => plane.names.remember(listed),
        Some(Err(error)) => {
            tracing::warn!(
                file = kept::FILE,
                error,
                "what names listed before cannot be read, and is not used"
            );
        }
        None => {}
    }
}

/// Opens the folder for state, if the settings name one, and offers its lock to a successor.
fn open_state(
    settings: &Settings,
    listeners: &mut Listeners,
    before: Option<&mut Predecessor>,
) -> Result<(State, Option<state::Lock>), String> {
    let Some(folder) = &settings.server.state else {
        return Ok((State::default(), None));
    };
    let name = format!("state {}", folder.display());
    let lock = before.and_then(|before| before.take(&name));
    let (state, lock) = State::open(folder, lock)?;
    listeners.offer(name, &lock)?;
    Ok((state, Some(lock)))
}

/// Everything that may fail has not failed: what remains is to run.
struct Gateway {
    plane: Arc<Plane>,
    listeners: Listeners,
    state_lock: Option<state::Lock>,
    watched: Watched,
    /// Of the upgrade socket.
    name: Name,
    /// The gateway to take over from.
    before: Option<Predecessor>,
}

#[cfg(test)]
mod tests;
