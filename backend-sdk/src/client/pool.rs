//! A client's endpoints, and the choice among them.

use super::budget::Budget;
use super::connection::{Connection, Offer};
use super::supervisor::supervise;
use crate::Status;
use crate::connection::Address;
use crate::service::Method;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// All endpoints of a client. Its tasks end with it.
#[derive(Debug)]
pub(crate) struct Pool {
    endpoints: Vec<Arc<Endpoint>>,
    changed: watch::Sender<()>,
    pub(crate) budget: Budget,
    _supervisors: JoinSet<()>,
}

/// A server's address, and how things stand with it.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) address: Address,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Debug)]
pub(crate) enum State {
    /// Not known yet: it is being connected to.
    Connecting,
    /// Accepts calls.
    Ready(Arc<Connection>),
    /// The last try to connect has failed; another will follow.
    Down(String),
}

/// An endpoint by its place in the pool, and its connection.
pub(crate) type Choice = (usize, Arc<Connection>);

impl Endpoint {
    pub(crate) fn set(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        self.tell_change();
    }

    /// Something about it has changed that who waits for an endpoint wants to know.
    pub(crate) fn tell_change(&self) {
        self.changed.send_replace(());
    }

    fn look<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Pool {
    pub(crate) fn new(addresses: Vec<Address>, identity: String, runtime: &tokio::runtime::Handle) -> Pool {
        let changed = watch::Sender::new(());
        let identity: Arc<str> = identity.into();
        let mut supervisors = JoinSet::new();
        let endpoints = addresses.into_iter().map(|address| {
            let endpoint = Arc::new(Endpoint {
                address,
                state: Mutex::new(State::Connecting),
                changed: changed.clone(),
            });
            supervisors.spawn_on(supervise(endpoint.clone(), identity.clone()), runtime);
            endpoint
        });
        Pool { endpoints: endpoints.collect(), changed, budget: Budget::new(), _supervisors: supervisors }
    }

    /// A ready endpoint that offers the method; not `avoid` if there is another. Waits, without a bound of its own,
    /// while there is none but there may be one soon.
    pub(crate) async fn pick(&self, method: &Method, avoid: Option<usize>) -> Result<Choice, Status> {
        let found = self.look_for(method, avoid)?;
        if let Some(choice) = found {
            return Ok(choice);
        }
        // Subscribed before the next look, so that no change is missed between the two.
        let mut changed = self.changed.subscribe();
        loop {
            if let Some(choice) = self.look_for(method, avoid)? {
                return Ok(choice);
            }
            // The sender is in `self`; it does not go away meanwhile.
            let _ = changed.changed().await;
        }
    }

    /// Why no endpoint is ready, for people.
    pub(crate) fn why_none(&self) -> String {
        let reasons = self.endpoints.iter().map(|endpoint| {
            let address = &endpoint.address;
            endpoint.look(|state| match state {
                State::Connecting => format!("{address}: connecting"),
                State::Ready(connection) if connection.is_full() => {
                    format!("{address}: it has all the calls that it accepts")
                }
                State::Ready(connection) if !connection.is_ready() => {
                    format!("{address}: it wants no calls for now")
                }
                State::Ready(_) => format!("{address}: ready"),
                State::Down(reason) => format!("{address}: {reason}"),
            })
        });
        reasons.collect::<Vec<_>>().join("; ")
    }

    /// Two of the eligible endpoints at random, of these the one with fewer calls under way.
    fn look_for(&self, method: &Method, avoid: Option<usize>) -> Result<Option<Choice>, Status> {
        let mut two: [Option<Choice>; 2] = [None, None];
        let mut avoided = None;
        let mut eligible = 0;
        let (mut connecting, mut ready, mut other_schema) = (false, false, false);
        for (index, endpoint) in self.endpoints.iter().enumerate() {
            let connection = endpoint.look(|state| match state {
                State::Ready(connection) if connection.is_open() && connection.is_ready() => {
                    Some(connection.clone())
                }
                // The latter until its supervisor notices that it accepts no more calls, or until it wants some again.
                State::Connecting | State::Ready(_) => {
                    connecting = true;
                    None
                }
                State::Down(_) => None,
            });
            let Some(connection) = connection else {
                continue;
            };
            ready = true;
            match connection.offer(method) {
                Offer::Same if avoid == Some(index) => avoided = Some((index, connection)),
                Offer::Same => {
                    // Reservoir sampling: after each step, any two of those seen so far are in it equally likely.
                    let place = if eligible < 2 { eligible } else { fastrand::usize(..=eligible) };
                    if let Some(slot) = two.get_mut(place) {
                        *slot = Some((index, connection));
                    }
                    eligible += 1;
                }
                Offer::Other => other_schema = true,
                Offer::None => {}
            }
        }
        let choice = match two {
            [Some(a), Some(b)] => Some(less_loaded(a, b)),
            [one, other] => one.or(other).or(avoided),
        };
        if choice.is_none() && ready && !connecting {
            return Err(not_offered(method, other_schema));
        }
        Ok(choice)
    }
}

/// Ties are broken at random: otherwise the first endpoint would get every call of a quiet client.
fn less_loaded(a: Choice, b: Choice) -> Choice {
    let (of_a, of_b) = (a.1.load(), b.1.load());
    if of_a < of_b || (of_a == of_b && fastrand::bool()) { a } else { b }
}

fn not_offered(method: &Method, other_schema: bool) -> Status {
    let (service, name) = (method.service, method.name);
    let message = if other_schema {
        format!("no endpoint offers {service}.{name} with the schema that this caller was built with")
    } else {
        format!("no endpoint offers {service}.{name}")
    };
    Status::unimplemented(message).not_executed()
}
