//! When no endpoint is left: why not, for people, who are told once, and again when one is back.

use super::members::{Members, NameState, Seat, State, Table};
use super::offers::Offer;
use crate::service::Method;
use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;

/// Members and names whose state is told to people at once.
const MAX_TOLD: usize = 8;

/// Whether a client has an endpoint that takes calls, as people know it.
#[derive(Debug, Default)]
pub(crate) struct Outage(Mutex<Known>);

#[derive(Clone, Copy, Debug, Default)]
enum Known {
    /// The first ones are being connected to.
    #[default]
    Nothing,
    Up,
    DownSince(Instant),
}

impl Outage {
    /// Has a look at how things stand, and tells people what is new.
    pub(crate) fn look(&self, members: &Members) {
        // Held to the end, so that what is told is told in its order. Nobody asks for it who has locked the table.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let table = members.read();
        let up = table.seats.iter().find(|seat| seat.usable().is_some()).map(|seat| seat.member.clone());
        let lost = match *known {
            Known::Nothing => table.is_hopeless(),
            Known::Up => up.is_none(),
            Known::DownSince(_) => false,
        };
        let reason = lost.then(|| table.why_none(None));
        drop(table);
        match (*known, up, reason) {
            (Known::Up, _, Some(reason)) => {
                *known = Known::DownSince(Instant::now());
                tracing::warn!(
                    reason,
                    "the last endpoint is gone: calls wait for one within their deadlines"
                );
            }
            (Known::Nothing, _, Some(reason)) => {
                *known = Known::DownSince(Instant::now());
                tracing::warn!(
                    reason,
                    "no endpoint can be reached: calls wait for one within their deadlines"
                );
            }
            (Known::DownSince(since), Some(endpoint), _) => {
                *known = Known::Up;
                let seconds = since.elapsed().as_secs_f32();
                tracing::warn!(%endpoint, seconds, "an endpoint is there again");
            }
            (Known::Nothing, Some(_), _) => *known = Known::Up,
            _ => {}
        }
    }
}

impl Table {
    /// Whether all that was tried has failed.
    fn is_hopeless(&self) -> bool {
        self.seats.iter().all(|seat| matches!(seat.state, State::Down(_)))
            && self.names.iter().all(|name| name.state != NameState::Unknown)
    }

    /// Why no endpoint is ready, for people; for calls of that method.
    pub(crate) fn why_none(&self, method: Option<&'static Method>) -> String {
        let of_names = self.names.iter().filter_map(|name| match &name.state {
            NameState::Unknown => Some(format!("{}: it is being looked up", name.name)),
            NameState::Failed(error) => Some(format!("{}: {error}", name.name)),
            NameState::Listed => None,
        });
        let mut all = of_names.chain(self.seats.iter().map(|seat| seat.why_not(method)));
        let mut told: Vec<String> = all.by_ref().take(MAX_TOLD).collect();
        let more = all.count();
        if more > 0 {
            told.push(format!("and {more} more"));
        }
        told.join("; ")
    }
}

impl Seat {
    /// Why it takes no call, for people.
    fn why_not(&self, method: Option<&'static Method>) -> String {
        let asked = |offered: &super::offers::Offers| method.and_then(|method| offered.known(method));
        let why = match &self.state {
            State::Connecting(None) => "connecting",
            State::Connecting(Some(why)) => return format!("{}: {why}; connecting again", self.member),
            State::Ready(connection) if !connection.is_open() => connection.why_retired(),
            State::Ready(connection) if connection.is_silent() => "it does not answer",
            State::Ready(connection) if connection.is_full() => "it has all the calls that it accepts",
            State::Ready(connection) if !connection.is_ready() => "it wants no calls for now",
            State::Ready(connection) if asked(&connection.offers) == Some(Offer::NotYet) => {
                "it was asked for its schema"
            }
            State::Ready(_) => "ready",
            State::Down(reason) => reason,
        };
        format!("{}: {why}", self.member)
    }
}
