//! Which bound has turned a request away.

use super::Reason;

/// Why a request is one too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShedReason {
    /// Its route has as many as may be.
    Route,
    /// The backend has as many as may be.
    Backend,
    /// Each instance has as many as may be.
    Instance,
    /// The backend has as many as it can serve, as far as the adaptive limit knows.
    Adaptive,
    /// It has waited too long, or more important ones do.
    Queue,
    /// All bodies together take as much memory as they may.
    Memory,
    /// All answers together take as much memory as they may.
    AnswerMemory,
}

impl ShedReason {
    /// All of them; the index of each is its number as `usize`.
    pub const ALL: [ShedReason; 7] = [
        ShedReason::Route,
        ShedReason::Backend,
        ShedReason::Instance,
        ShedReason::Adaptive,
        ShedReason::Queue,
        ShedReason::Memory,
        ShedReason::AnswerMemory,
    ];

    /// Its label in the metrics of what was shed.
    pub fn name(self) -> &'static str {
        match self {
            ShedReason::Route => "route",
            ShedReason::Backend => "backend",
            ShedReason::Instance => "instance",
            ShedReason::Adaptive => "adaptive",
            ShedReason::Queue => "queue",
            ShedReason::Memory => "memory",
            ShedReason::AnswerMemory => "answer_memory",
        }
    }

    /// The reason of the failure that it is.
    pub(super) fn reason(self) -> Reason {
        match self {
            ShedReason::Route => Reason::ShedRoute,
            ShedReason::Backend => Reason::ShedBackend,
            ShedReason::Instance => Reason::Busy,
            ShedReason::Adaptive => Reason::ShedAdaptive,
            ShedReason::Queue => Reason::ShedQueue,
            ShedReason::Memory => Reason::ShedMemory,
            ShedReason::AnswerMemory => Reason::ShedAnswerMemory,
        }
    }

    /// What the client is told.
    pub(super) fn detail(self) -> &'static str {
        match self {
            ShedReason::Route => "too many requests of this kind are open",
            ShedReason::AnswerMemory => {
                "the call has run, but the gateway holds as many long answers as it can"
            }
            ShedReason::Memory => "the gateway holds as many request bodies as it can",
            _ => "the service has more calls than it can serve",
        }
    }
}
