//! The one thing that the process may do beyond what its user may, if at all: bind ports below 1024 (CAP_NET_BIND_SERVICE).
//!
//! A capability is each thread's own, and a thread begins with those of the thread that starts it. So before there is a second thread, one
//! is started that keeps the capability and binds for the others. The first thread gives it up, and with it all that come later. The
//! keeper ends when the listeners are bound, and nobody has the capability any more. As no_new_privs is set, no program that is started
//! later gets it from its file either.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Binds an address.
type Bind = fn(&SocketAddr) -> io::Result<TcpListener>;

/// What the keeper is asked for.
type Asked = (SocketAddr, Bind, SyncSender<io::Result<TcpListener>>);

/// The first port that everybody may bind.
const FIRST_FREE: u16 = 1024;

/// Binds ports below 1024, until it is dropped.
#[derive(Debug, Default)]
pub struct Ports {
    keeper: Option<Keeper>,
    /// Why the capability is still there.
    kept: Option<io::Error>,
}

#[derive(Debug)]
struct Keeper {
    ask: SyncSender<Asked>,
    thread: JoinHandle<()>,
}

impl Ports {
    /// Sets the capability aside, if the process has it. To be called before there is a second thread.
    pub fn set_aside() -> Ports {
        match capability::no_new_privileges().and_then(|()| Keeper::start()) {
            Ok(keeper) => Ports { keeper, kept: None },
            Err(error) => Ports { keeper: None, kept: Some(error) },
        }
    }

    /// Binds an address as `bind` does, in the thread that may.
    ///
    /// # Errors
    ///
    /// Those of `bind`.
    pub fn bind(&self, addr: &SocketAddr, bind: Bind) -> io::Result<TcpListener> {
        match &self.keeper {
            Some(keeper) if (1..FIRST_FREE).contains(&addr.port()) => keeper.bind(*addr, bind),
            _ => bind(addr),
        }
    }

    /// All listeners are bound: from here on nobody has the capability.
    pub fn give_up(self) {
        if let Some(error) = self.kept {
            tracing::warn!(
                %error,
                "the process keeps its capabilities; a seccomp filter must let capset pass (SystemCallFilter=capset)"
            );
        }
        if let Some(Keeper { ask, thread }) = self.keeper {
            drop(ask);
            // It only waits for being asked.
            let _ = thread.join();
            tracing::info!("the listeners are bound, and CAP_NET_BIND_SERVICE is given up");
        }
    }
}

impl Keeper {
    /// Starts it, and gives the capability up in the calling thread; none where that has none.
    fn start() -> io::Result<Option<Keeper>> {
        if !capability::is_there()? {
            return Ok(None);
        }
        let (ask, asked) = sync_channel(1);
        let thread = std::thread::Builder::new().name("privileged".to_owned()).spawn(|| keep(asked))?;
        capability::give_up()?;
        Ok(Some(Keeper { ask, thread }))
    }

    fn bind(&self, addr: SocketAddr, bind: Bind) -> io::Result<TcpListener> {
        let (answer, bound) = sync_channel(1);
        let gone = || io::Error::other("the thread that binds ports below 1024 has ended");
        self.ask.send((addr, bind, answer)).map_err(|_| gone())?;
        bound.recv().map_err(|_| gone())?
    }
}

fn keep(asked: Receiver<Asked>) {
    for (addr, bind, answer) in asked {
        // Fails only when nobody waits any more.
        let _ = answer.send(bind(&addr));
    }
}

/// The calling thread's capability.
#[cfg(target_os = "linux")]
mod capability {
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities, set_no_new_privs};
    use std::io;

    pub(super) fn is_there() -> io::Result<bool> {
        Ok(capabilities(None)?.permitted.contains(CapabilitySet::NET_BIND_SERVICE))
    }

    /// What is neither permitted nor inheritable is not ambient either.
    pub(super) fn give_up() -> io::Result<()> {
        let mut sets = capabilities(None)?;
        for set in [&mut sets.effective, &mut sets.permitted, &mut sets.inheritable] {
            set.remove(CapabilitySet::NET_BIND_SERVICE);
        }
        Ok(set_capabilities(None, sets)?)
    }

    /// No program that is started from here on gets more than this one has.
    pub(super) fn no_new_privileges() -> io::Result<()> {
        Ok(set_no_new_privs(true)?)
    }
}

/// Other systems have no such capability: a user may bind these ports or may not.
#[cfg(not(target_os = "linux"))]
mod capability {
    use std::io;

    pub(super) fn is_there() -> io::Result<bool> {
        Ok(false)
    }

    pub(super) fn give_up() -> io::Result<()> {
        Ok(())
    }

    pub(super) fn no_new_privileges() -> io::Result<()> {
        Ok(())
    }
}
