//! The cases: each is a promise of the page, its section, and the steps that find out whether it is kept.

mod acceptor;
mod connector;

use crate::tested::{Acceptor, Connector};
use crate::verdict::Step;

/// One case.
pub struct Case<T> {
    /// Its topic, and what is special.
    pub name: &'static str,
    /// The section of `docs/protocol.md` that makes the promise.
    pub section: &'static str,
    /// What must hold.
    pub promise: &'static str,
    /// Whether it disturbs others that are played at the same time.
    pub alone: bool,
    /// Its steps.
    pub play: fn(&mut T) -> Step,
}

impl<T> Case<T> {
    const fn new(
        name: &'static str,
        section: &'static str,
        promise: &'static str,
        play: fn(&mut T) -> Step,
    ) -> Case<T> {
        Case { name, section, promise, alone: false, play }
    }

    /// The same, played when no other is.
    const fn alone(self) -> Case<T> {
        Case { alone: true, ..self }
    }
}

/// The cases for an acceptor.
pub fn acceptor() -> Vec<&'static Case<Acceptor>> {
    acceptor::CASES.iter().copied().flatten().collect()
}

/// The cases for a connector.
pub fn connector() -> Vec<&'static Case<Connector>> {
    connector::CASES.iter().copied().flatten().collect()
}
