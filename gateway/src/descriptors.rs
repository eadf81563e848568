//! The process's file descriptors: how many it may have, and some that are kept for when there is none left.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;
use std::os::unix::net::UnixDatagram;

/// Raises the soft limit of descriptors to the hard one, which the process may do by itself. Gives the limit in force;
/// none without a limit.
pub fn raise_limit() -> Option<usize> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        _ if current == maximum => current,
        Ok(()) => {
            tracing::debug!(from = current, to = maximum, "the limit of file descriptors is raised");
            maximum
        }
        Err(error) => {
            tracing::warn!(%error, limit = current, "the limit of file descriptors cannot be raised");
            current
        }
    };
    raised.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Whether an error says that there is no descriptor left, in the process or in the system.
pub fn are_used_up(error: &io::Error) -> bool {
    matches!(
        rustix::io::Errno::from_io_error(error),
        Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE)
    )
}

/// Descriptors of sockets that lead nowhere, each of which can be given up for one that is needed.
#[derive(Debug)]
pub struct Spare {
    kept: Vec<UnixDatagram>,
    most: usize,
}

impl Spare {
    /// Keeps as many.
    pub fn new(most: usize) -> Spare {
        let mut spare = Spare { kept: Vec::with_capacity(most), most };
        spare.refill();
        spare
    }

    /// Gives one up; `false` when there is none.
    pub fn give_up(&mut self) -> bool {
        self.kept.pop().is_some()
    }

    /// Whether none is given up.
    pub fn is_full(&self) -> bool {
        self.kept.len() == self.most
    }

    /// Takes those again that were given up, as far as that is possible.
    pub fn refill(&mut self) {
        while !self.is_full()
            && let Ok(one) = UnixDatagram::unbound()
        {
            self.kept.push(one);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_up_is_taken_again() {
        let mut spare = Spare::new(2);
        assert!(spare.is_full() && spare.give_up() && spare.give_up() && !spare.give_up());
        spare.refill();
        assert!(spare.is_full());
    }

    #[test]
    fn used_up_is_told_from_other_errors() {
        for (errno, expected) in [
            (rustix::io::Errno::MFILE, true),
            (rustix::io::Errno::NFILE, true),
            (rustix::io::Errno::CONNABORTED, false),
        ] {
            assert_eq!(are_used_up(&errno.into()), expected);
        }
        assert!(!are_used_up(&io::Error::other("x")));
    }
}
